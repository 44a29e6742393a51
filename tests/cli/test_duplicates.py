"""``bam duplicates``: groups are listed, and the suggested image of each is kept."""

import json

import numpy as np
import pytest

from bam_engine.annotation import NEGATIVE, POSITIVE, Attribute
from bam_engine.gallery import duplicates, near_duplicates
from bam_engine.labelling import direct_answers
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import members
from bam_engine.workspace.vectors import vectors_of
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture


@pytest.fixture
def copied(workspace: Workspace, without_pictures: None) -> Workspace:
    """Every image is unlike all others, but rows 40 and 41 are copies of row 3, and 50 of 9."""
    vectors = np.eye(120, workspace.vectors().dim, dtype=np.float16)
    vectors[[40, 41, 50]] = vectors[[3, 3, 9]]
    workspace.vectors().replace(range(120), vectors)
    assert np.array_equal(vectors_of(workspace), vectors)
    return workspace


@pytest.mark.usefixtures("home")
def test_groups_are_searched_listed_dropped_and_come_back(
    copied: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    direct_answers.answer(copied, watercolor, 41, POSITIVE, annotator="ada")
    copied.tags.add([40], "to check")
    code, out, _ = run(capsys, "duplicates", "list")
    assert code == 0
    assert near_duplicates.has_groups(copied)
    assert out.startswith("2 groups of 5 images, 0 with disagreeing labels\n\n3 images, distance 0.00\n  keep  ")
    assert f"  keep  {copied.catalogue.image(41).uri} (" in out
    assert f"{watercolor.name} yes)" in out
    assert "  only those to drop have: “to check”" in out
    _, out, _ = run(capsys, "duplicates", "list", "--most", "1", "--exact")
    assert out.endswith("\n1 more group: --most shows them\n")
    code, out, _ = run(capsys, "duplicates", "drop", "--as", "Ada")
    assert (code, out) == (0, "one image of 2 groups kept, 3 images removed (undo: bam return --removal 1)\n")
    assert members(copied)[41]
    assert run(capsys, "duplicates", "drop")[1] == "there are no duplicates to drop; nothing was removed\n"
    assert run(capsys, "return", "--removal", "1")[1] == "3 images back in the collection\n"
    assert copied.removals.all()[0].annotator_id == copied.annotators.id_of("Ada")


@pytest.mark.usefixtures("home")
def test_groups_whose_labels_disagree_are_left_unless_asked_for(
    copied: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    direct_answers.answer(copied, watercolor, 3, POSITIVE, annotator="ada")
    direct_answers.answer(copied, watercolor, 41, NEGATIVE, annotator="ada")
    found = json.loads(run(capsys, "duplicates", "list", "--json")[1])
    assert (found["groups"], found["images"], found["disagreeing"]) == (2, 5, 1)
    first = found["listed"][0]
    assert first["disagreeing"] == [watercolor.name]
    assert first["reason"] == "most pixels" or first["reason"] == "first by path"
    assert {one["row"]: one["labels"] for one in first["listed"]}[41] == {watercolor.name: "no"}
    assert sorted(first["rows"]) == [3, 40, 41]
    dropped = json.loads(run(capsys, "duplicates", "drop", "--exact", "--json")[1])
    assert dropped == {"groups": 1, "removed": 1, "left_disagreeing": 1, "removal": 1}
    _, out, _ = run(capsys, "duplicates", "list", "--state", "disagreeing")
    assert out.startswith("1 group of 3 images, 1 with disagreeing labels")
    assert f"labels disagree: {watercolor.name}" in out
    assert "nothing was removed\n1 group with disagreeing labels left" in run(capsys, "duplicates", "drop")[1]
    assert "2 images removed" in run(capsys, "duplicates", "drop", "--with-disagreeing")[1]
    assert len(duplicates.duplicate_groups(copied, "near")) == 0
