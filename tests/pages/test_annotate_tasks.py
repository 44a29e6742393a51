"""Annotate, where several tasks wait: it opens with the one that the next step is about."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import SKIPPED, Attribute, NewAnswer
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import assigning, tasks
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.training import rounds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.pages.conftest import text_of
from tests.pages.test_pages import button


def test_of_several_tasks_it_opens_with_the_one_that_the_next_step_is_about(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    workspace.judging_redundancy = 2
    validation.draw_validation(workspace, watercolor, 6, seed=1)
    sample = tasks.validation_task(workspace, watercolor)
    oracle.answer(workspace, sample, name="ada")
    oracle.answer(workspace, sample, name="ben", wrong=True)  # a further person could settle what they dispute
    rounds.start_round(workspace, watercolor, count=6, seed=1)
    assert guidance_of(workspace, watercolor).step == "label_round"
    assert [task.title for task in waiting_tasks(workspace, watercolor, "me")] == ["Validation sample", "Round 1"]
    app = open_page(workspace, "annotate", attribute=watercolor.name)
    assert not app.exception
    assert app.session_state[f"task-{watercolor.id}-False"] == "Round 1"


def test_who_has_skipped_images_can_look_at_them_again_once_nothing_else_is_left(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute
) -> None:
    task = rounds.start_round(workspace, watercolor, count=6, seed=1).task
    first = assigning.open_task(workspace, task, "me")
    assert first is not None
    said = {row: SKIPPED if place < 2 else 1 for place, row in enumerate(first.rows)}
    workspace.annotations.record(first.id, [NewAnswer(f"a{row}", row, answer) for row, answer in said.items()])
    app = open_page(workspace, "annotate", attribute=watercolor.name)
    assert not app.exception
    assert "You skipped 2 images" in text_of(app)
    button(app, "Look at the 2 images again").click().run()
    assert not app.exception
    assert [task.title for task in waiting_tasks(workspace, watercolor, "me")] == ["Round 1"]
    button(app, "Undo").click().run()
    assert waiting_tasks(workspace, watercolor, "me") == []


def test_where_the_last_answers_are_corrected_nothing_can_be_skipped(
    open_page: Callable[..., AppTest],
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=6, seed=1).task)
    drawn: list[dict[str, Any]] = []
    monkeypatch.setattr("web.components.label_grid.label_grid", lambda *_, **about: drawn.append(about))
    app = open_page(workspace, "annotate", attribute=watercolor.name, task="last", annotator="oracle")
    assert not app.exception
    assert [(one["review"], one["skips"]) for one in drawn] == [(True, False)]
