"""Nothing that the server replies tells gold from other images: neither its words, nor its numbers, nor its headers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.annotation import Assignment
from bam_engine.annotation.mixing import Schedule
from bam_engine.labelling import assigning, gold
from bam_engine.labelling.tasks import Task
from bam_engine.workspace import Workspace
from benchmarks import annotating
from tests.database.counting import counted
from tests.labelling.team import vote
from web.routes.labels import label_routes


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """100 images, of which three people have answered the first 50."""
    place = annotating.Place(tmp_path, None)
    annotating.prepare(place, 100, votes=1)
    opened = place.open()
    attribute = opened.attributes.get(annotating.ATTRIBUTE)
    for name in ("ada", "ben", "cleo"):
        vote(opened, attribute, name, {row: row % 2 for row in range(50)}, purpose="round")
    opened.assignment_size = 12
    yield opened
    opened.close()


def given(workspace: Workspace, name: str) -> Assignment:
    task = Task(workspace.attributes.get(annotating.ATTRIBUTE), "round", 1, "Round 1", np.arange(50, 100))
    assignment = assigning.open_task(workspace, task, name)
    assert assignment is not None
    return assignment


def replies(workspace: Workspace, assignment: Assignment) -> dict[int, list[Any]]:
    """Answer each image by itself, in every way that a browser can, and some that it cannot; return all replies."""
    routes = label_routes(lambda: workspace.annotations, terms_of=lambda of: assigning.terms_of(workspace, of))
    client = TestClient(Starlette(routes=routes), raise_server_exceptions=False)
    found: dict[int, list[Any]] = {}
    for row in assignment.rows:
        first = {"uid": f"{assignment.id}_row{row}.", "row": row, "answer": 1, "seconds": 1.0, "seen": -2}
        changed = first | {"uid": f"{assignment.id}_row{row}.again", "answer": 0, "seen": 1}
        stale = first | {"uid": f"{assignment.id}_row{row}.stale", "answer": -1, "seen": -2}
        told = {"uid": f"{assignment.id}_row{row}.told", "row": row, "kind": "flag", "text": "odd"}
        bodies = [
            {"answers": [first]},
            {"answers": [first]},
            {"answers": [first | {"answer": 0}]},
            {"answers": [changed], "remarks": [told]},
            {"answers": [stale]},
            {"answers": [first | {"uid": "x" * 1000}]},
            {"answers": [first | {"uid": f"{assignment.id}_row{row}.withdrawn", "answer": -2, "seen": 0}]},
        ]
        found[row] = []
        for body in bodies:
            reply = client.post(f"/api/assignments/{assignment.id}/answers", json=body)
            words = json.dumps(reply.json()).replace(f"{assignment.id}_row{row}.", "ID").replace(f'"{row}"', '"ROW"')
            found[row].append((reply.status_code, words, dict(reply.headers).keys()))
    return found


def test_the_replies_about_gold_are_those_about_other_images_and_those_without_gold(workspace: Workspace) -> None:
    plain = replies(workspace, given(workspace, "dan"))
    gold.set_schedule(workspace, Schedule())
    assignment = given(workspace, "eve")
    mixed = replies(workspace, assignment)
    assert assignment.gold
    assert len(assignment.gold) < len(assignment.rows)
    expected = next(iter(plain.values()))
    assert [status for status, *_ in expected] == [200, 200, 409, 200, 200, 400, 200]
    for row, found in (plain | mixed).items():
        assert found == expected, row


def test_an_answer_to_gold_asks_the_database_as_much_as_any_other(workspace: Workspace) -> None:
    """No time tells what was answered, as far as it is the number of statements."""
    gold.set_schedule(workspace, Schedule())
    assignment, numbers = given(workspace, "eve"), dict[bool, set[int]]()
    routes = label_routes(lambda: workspace.annotations, terms_of=lambda of: assigning.terms_of(workspace, of))
    client = TestClient(Starlette(routes=routes))
    for row in assignment.rows:
        answers = [{"uid": f"{row}", "row": row, "answer": 1, "seen": -2}]
        with counted(workspace.engine) as statements:
            client.post(f"/api/assignments/{assignment.id}/answers", json={"answers": answers})
        numbers.setdefault(row in assignment.gold, set()).add(len(statements))
    assert numbers[True] & numbers[False]
    assert max(numbers[True]) <= max(numbers[False])
