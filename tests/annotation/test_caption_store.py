"""Captions: which words are taken, who can hide them, and where they are found."""

import pytest

from bam_engine.annotation.caption_store import MAX_CAPTION, GivenCaption
from bam_engine.errors import AnnotationError, BamError, NotFound
from bam_engine.gallery import search
from bam_engine.reporting.image_facts import describe
from bam_engine.workspace import Workspace


def texts(workspace: Workspace, row: int) -> list[str]:
    return [one.text for one in workspace.captions.of(row)]


def test_a_caption_is_stored_in_one_line_as_it_was_written(workspace: Workspace) -> None:
    ada = workspace.annotations.annotator("ada")
    workspace.captions.add(4, ada, "  A <b>red</b> pear;\n DROP TABLE captions  ")
    assert texts(workspace, 4) == ["A <b>red</b> pear; DROP TABLE captions"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "too short"),
        (" a ", "too short"),
        ("x" * (MAX_CAPTION + 1), "has 301 characters"),
        ("x" * 1_000_000, "has 1,000,000 characters"),
        ("a\x07bell", "characters that are no text"),
        ("a red PEAR", "has that description already"),
        ("a green pear", "You wrote it of image 5"),
    ],
)
def test_what_is_no_caption_is_refused(workspace: Workspace, text: str, why: str) -> None:
    ada, ben = workspace.annotations.annotator("ada"), workspace.annotations.annotator("ben")
    workspace.captions.add(4, ben, "A red pear")
    workspace.captions.add(5, ada, "A green pear")
    with pytest.raises(AnnotationError, match=why):
        workspace.captions.add(4, ada, text)
    assert texts(workspace, 4) == ["A red pear"]


def test_an_image_that_is_not_there_has_no_caption(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="no image 9999"):
        workspace.captions.add(9999, workspace.annotations.annotator("ada"), "A red pear")


def test_words_find_an_image_until_its_caption_is_hidden_and_again_when_it_is_shown(workspace: Workspace) -> None:
    ada = workspace.annotations.annotator("ada")
    caption = workspace.captions.add(4, ada, "A zeppelin over the harbour")

    def found() -> list[int]:
        return search.names_of(workspace).find("zeppelins", 10).tolist()

    assert found() == [4]
    workspace.captions.hide(caption, ada)
    assert found() == []
    assert [one.hidden for one in workspace.captions.of(4)] == [True]
    assert [one.hidden for _, one in describe(workspace, 4).captions] == [True]
    workspace.captions.show(caption)
    assert found() == [4]


def test_how_many_images_are_to_be_described_is_within_bounds(workspace: Workspace) -> None:
    assert workspace.captions_asked == 0, "off until somebody asks for it"
    with pytest.raises(BamError, match="from 0 to 9"):
        workspace.captions_asked = 10


def test_of_given_captions_all_are_stored_or_none(workspace: Workspace) -> None:
    ada = workspace.annotations.annotator("ada")
    good = GivenCaption(4, ada, "A red pear")
    for bad, error in ((GivenCaption(4, ada, "a"), AnnotationError), (GivenCaption(9999, ada, "A pear"), NotFound)):
        with pytest.raises(error):
            workspace.captions.add_given([good, bad])
    assert texts(workspace, 4) == []
    assert [workspace.captions.add_given([good, GivenCaption(4, ada, "a RED  pear")]) for _ in range(2)] == [1, 0]
    assert texts(workspace, 4) == ["A red pear"]
