"""Whose answers seem not to depend on the images: the patterns of :mod:`bam_engine.labelling.patterns`.

Looks at the planned answers to all attributes. A flag changes nothing by itself: it asks somebody to look.
"""

from dataclasses import dataclass

from bam_engine import database as db
from bam_engine.annotation import Attribute
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
    """The pattern of one annotator's answers, and the figures that it rests on."""

    annotator_id: int
    pattern: Pattern
    difference: Difference

    @property
    def text(self) -> str:
        """What was found, in a sentence with its figures."""
        found = self.difference
        return (
            f"Answers {_MEANINGS[self.pattern]}: yes to {percent(found.yes_yes / found.others_yes)} of "
            f"{found.others_yes:,} images where others say yes, and to {percent(found.yes_no / found.others_no)} of "
            f"{found.others_no:,} where others say no."
        )


def differences(workspace: Workspace) -> dict[int, Difference]:
    """Return, for each annotator with planned answers, how these differ between the others' yes and no."""
    result: dict[int, Difference] = {}
    for attribute in workspace.attributes.all():
        for annotator, one in _of_attribute(workspace, attribute).items():
            result[annotator] = result.get(annotator, Difference()) + one
    return result


def _of_attribute(workspace: Workspace, attribute: Attribute) -> dict[int, Difference]:
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
    """Return the flags by annotator id; most annotators have none."""
    found = {annotator: one for annotator, one in differences(workspace).items() if one.images}
    named = {annotator: pattern_of(one, len(found)) for annotator, one in found.items()}
    return {
        annotator: Flag(annotator, pattern, found[annotator])
        for annotator, pattern in named.items()
        if pattern is not None
    }
