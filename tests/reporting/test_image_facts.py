"""An image is described by its answers, its scores and its neighbours."""

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.reporting.image_facts import describe, score_lines, similar_images
from bam_engine.workspace import Workspace


def test_an_image_is_described_by_every_room(played: Workspace, watercolor: Attribute) -> None:
    row = int(tasks.validation_task(played, watercolor).rows[0])
    facts = describe(played, row)
    assert facts.annotations[0][1] == "oracle"
    assert [line.attribute for line in score_lines(played, row)] == ["media_watercolor"]
    near = similar_images(played, row)
    assert row not in [other for other, _ in near]
    likeness = [value for _, value in near]
    assert likeness == sorted(likeness, reverse=True)


def test_the_answers_to_a_removed_image_are_shown_as_not_counted(played: Workspace, watercolor: Attribute) -> None:
    row = int(tasks.validation_task(played, watercolor).rows[0])
    (counted,) = describe(played, row).labels
    removal = played.removals.remove([row], reason="a test")
    (label,) = describe(played, row).labels
    assert (label.state, label.answers) == ("not counted", counted.answers)
    played.removals.undo(removal.id)
    assert describe(played, row).labels == [counted]
