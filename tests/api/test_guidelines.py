"""The guidelines of an attribute in Python: its text, and its example pictures as a DataFrame."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import bam_engine
from bam_engine import BamError, Collection
from bam_engine.labelling.drawn_images import validation_images


@pytest.fixture
def bam(home: Path) -> Iterator[Collection]:
    with bam_engine.open(home / "workspace") as opened:
        yield opened


def test_examples_are_added_by_row_or_path_and_removed(bam: Collection) -> None:
    guidelines = bam.attribute("media_watercolor").guidelines
    assert guidelines.text == bam.attribute("media_watercolor").instructions
    assert guidelines.examples().empty
    guidelines.add("painting-02.png", "bad", note="pencil")
    guidelines.add([0, Path("painting-01.png")], "good")
    table = guidelines.examples()
    assert table.index.tolist() == [0, 1, 2]
    assert table["kind"].tolist() == ["good", "good", "bad"]
    assert table["path"].str.rpartition("/")[2].tolist() == ["painting-00.png", "painting-01.png", "painting-02.png"]
    assert table.loc[2, ["note", "shown", "remark"]].tolist() == ["pencil", True, ""]
    guidelines.remove("painting-00.png")
    assert guidelines.examples().index.tolist() == [1, 2]


def test_an_example_in_the_labelled_validation_sample_is_shown_with_a_remark(bam: Collection) -> None:
    watercolor = bam.attribute("media_watercolor")
    labelled = int(validation_images(bam.workspace, bam.workspace.attributes.get(watercolor.name)).rows[0])
    watercolor.guidelines.add(labelled, "good")
    assert watercolor.guidelines.examples().loc[labelled, ["shown", "remark"]].tolist() == [
        True,
        "A sample that judges holds it, labelled blind.",
    ]


@pytest.mark.parametrize(
    ("images", "why"), [("lost.png", "matches no image"), (1.5, "neither a row nor a path"), (9999, "not in the")]
)
def test_what_names_no_image_is_refused(bam: Collection, images: object, why: str) -> None:
    with pytest.raises(BamError, match=why):
        bam.attribute("media_watercolor").guidelines.add([images], "good")  # type: ignore[list-item]
