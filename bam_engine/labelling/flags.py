"""Whose answers seem not to depend on the images: the patterns of :mod:`bam_engine.labelling.patterns`.

Looks at the planned answers to each attribute apart: added up, answers of always yes to a frequent attribute and always
no to a rare one would look as if they followed the images. A flag changes nothing by itself: it asks somebody to look.
"""

from dataclasses import dataclass

from bam_engine import database as db
from bam_engine.annotation import Attribute, readable
from bam_engine.annotation.agreement import tabulate
from bam_engine.annotation.answer_log import answer_log
from bam_engine.formatting import percent
from bam_engine.labelling import patterns
from bam_engine.labelling.agreement import planned_answers
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.labelling.patterns import Difference, Pattern, pattern_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

_DIFFERENCES = Kind[dict[int, Difference]](
    "patterns of answers", of="attribute", until="its next answer, or another number of votes", limit=200
)

_MEANINGS: dict[Pattern, str] = {
    "all yes": "almost only yes",
    "all no": "almost only no",
    "random": "as if at random",
}


@dataclass(frozen=True)
class Flag:
    """The pattern of one annotator's answers to an attribute, and the figures that it rests on."""

    annotator_id: int
    attribute: str
    pattern: Pattern
    difference: Difference

    @property
    def text(self) -> str:
        """What was found, in a sentence with its figures."""
        found = self.difference
        return (
            f"Answers “{self.attribute}” {_MEANINGS[self.pattern]}: "
            f"yes to {percent(found.yes_yes / found.others_yes)} of {found.others_yes:,} images where others say "
            f"yes, and to {percent(found.yes_no / found.others_no)} of {found.others_no:,} where others say no."
        )


def differences(workspace: Workspace, attribute: Attribute) -> dict[int, Difference]:
    """Return, for each annotator, how their planned answers differ between the others' yes and no."""
    version = (
        answer_log(workspace.engine, attribute.id),
        workspace.redundancy,
        workspace.judging_redundancy,
        len(held_out_rows(workspace, attribute)),
        len(workspace.snapshot.rows_with(db.audits.c.attribute_id, attribute.id)),
    )
    return workspace.memory.get(
        _DIFFERENCES,
        attribute.id,
        version,
        lambda: patterns.differences(tabulate(planned_answers(workspace, attribute))),
    )


def flags(workspace: Workspace) -> dict[int, Flag]:
    """Return the flags by annotator id; most annotators have none.

    Each annotator is tested for each attribute; the chance of a false flag is shared out among all these tests. Who is
    flagged for several attributes has the flag with the most images.
    """
    found = [
        (annotator, readable(attribute.name), one)
        for attribute in workspace.attributes.all()
        for annotator, one in differences(workspace, attribute).items()
        if one.images
    ]
    result = {}
    for annotator, name, one in sorted(found, key=lambda each: each[2].images):
        pattern = pattern_of(one, len(found))
        if pattern is not None:
            result[annotator] = Flag(annotator, name, pattern, one)
    return result
