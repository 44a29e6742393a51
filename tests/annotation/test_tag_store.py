"""Tags: which words are taken, who added them, and that adding and removing tell exactly what they changed."""

import numpy as np
import pytest

from bam_engine.annotation import tag_store
from bam_engine.annotation.tag_store import MAX_TAG
from bam_engine.errors import AnnotationError, BamError, NotFound
from bam_engine.workspace import Workspace


def tagged(workspace: Workspace) -> dict[str, list[int]]:
    return {tag: rows.tolist() for tag, rows in workspace.tags.rows_by_tag().items()}


def test_an_image_says_which_tags_it_has_who_added_them_and_when(workspace: Workspace) -> None:
    ada = workspace.annotators.actor("ada")
    workspace.tags.add([4], "to check", ada)
    workspace.tags.add([4, 5], "a talk")
    first, second = workspace.tags.of(4)
    assert (first.name, first.annotator_id, second.name, second.annotator_id) == ("to check", ada, "a talk", None)
    assert first.made_at <= second.made_at
    assert workspace.tags.of(6) == []
    assert list(tagged(workspace).items()) == [("a talk", [4, 5]), ("to check", [4])]


def test_adding_and_removing_return_the_images_that_changed(workspace: Workspace) -> None:
    assert workspace.tags.add([3, 9, 3], "odd").tolist() == [3, 9]
    assert workspace.tags.add([9, 11, 3], "odd").tolist() == [11]
    assert workspace.tags.remove([9, 12], "odd").tolist() == [9]
    assert tagged(workspace) == {"odd": [3, 11]}
    assert workspace.tags.remove(np.arange(20), "odd").tolist() == [3, 11]
    assert tagged(workspace) == {}, "a tag exists as long as an image has it"
    assert workspace.tags.remove([3], "never there").tolist() == []


def test_many_images_lose_a_tag_as_they_got_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_store, "_BLOCK", 7)
    workspace.tags.add(np.arange(30), "odd")
    assert workspace.tags.remove(np.arange(5, 30), "odd").tolist() == list(range(5, 30))
    assert tagged(workspace) == {"odd": [0, 1, 2, 3, 4]}


def test_tags_that_differ_in_capitals_or_blanks_are_one(workspace: Workspace) -> None:
    workspace.tags.add([1], "  To \n check ")
    workspace.tags.add([2], "TO CHECK")
    workspace.tags.add([3], "caf\u00e9")
    workspace.tags.add([4], "cafe\u0301")
    assert tagged(workspace) == {"caf\u00e9": [3, 4], "To check": [1, 2]}
    workspace.tags.remove([1, 2], "to check")
    assert tagged(workspace) == {"caf\u00e9": [3, 4]}


def test_markup_is_text(workspace: Workspace) -> None:
    workspace.tags.add([1], "<b>bold</b>; DROP TABLE image_tags")
    assert tagged(workspace) == {"<b>bold</b>; DROP TABLE image_tags": [1]}


@pytest.mark.parametrize(
    ("rows", "tag", "why"),
    [
        ([1], "", "has no words"),
        ([1], " \n ", "has no words"),
        ([1], "x" * (MAX_TAG + 1), "has 61 characters"),
        ([1], "x" * 1_000_000, "has 1,000,000 characters"),
        ([1], "a\x07bell", "characters that are no text"),
        ([1, 9999], "lost", "no image 9999"),
        ([-1, 1], "lost", "no image -1"),
        (np.arange(100_001), "all", "100,001 images cannot be tagged at once"),
    ],
)
def test_what_is_refused_changes_nothing(workspace: Workspace, rows: list[int], tag: str, why: str) -> None:
    with pytest.raises((AnnotationError, NotFound), match=why):
        workspace.tags.add(rows, tag)
    assert tagged(workspace) == {}


def test_a_workspace_has_so_many_tags_and_no_more(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_store, "MAX_TAGS", 2)
    for tag in ("one", "two", "ONE"):
        workspace.tags.add([1], tag)
    with pytest.raises(BamError, match="There are 2 tags, as many as there may be"):
        workspace.tags.add([1], "three")
    assert tagged(workspace) == {"one": [1], "two": [1]}
