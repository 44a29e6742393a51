"""How the answers of each person compare with those of others about the same images, with an interval for every share.

In:  the planned answers about an attribute (:mod:`.agreement`). Out: for each person, how often they say what most
others say, where these say yes, where they say no, and how often each says yes. A person's own vote is never among the
others.

Others are no truth: where many err alike, who is right looks wrong. And who is compared with one person alone shares
that person's errors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute, readable
from bam_engine.annotation.agreement import NO, YES, Table, beside_others, tabulate
from bam_engine.annotation.answer_log import answer_log
from bam_engine.formatting import count, percent
from bam_engine.labelling.agreement import planned_answers
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.labelling.measures import Measure, proportion, undefined
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.memory import Kind


@dataclass(frozen=True)
class Comparison:
    """One person's planned answers to an attribute beside the majority of the others, without their own vote.

    Compared are the images that they answered and on which the others are not tied. *Unsure* agrees with neither.

    Attributes
    ----------
    attribute
        Its name.
    agreement
        On what share of these images they say what most others say.
    agreement_on_yes, agreement_on_no
        The same, where most others say yes, and where they say no.
    yes, others_yes
        To what share of these images they say yes, and most others do.
    """

    attribute: str
    agreement: Measure
    agreement_on_yes: Measure
    agreement_on_no: Measure
    yes: Measure
    others_yes: Measure

    @property
    def text(self) -> str:
        """The figures in a sentence."""
        classes = [
            f"{word} to {each.text} of {each.n:,} where they say {word}"
            for word, each in (("yes", self.agreement_on_yes), ("no", self.agreement_on_no))
            if each.value is not None
        ]
        rates = [percent(each.value) for each in (self.yes, self.others_yes) if each.value is not None]
        return (
            f"“{readable(self.attribute)}”: agrees with most others on {self.agreement.text} of "
            f"{count(self.agreement.n, 'image')}, says {' and '.join(classes)}; yes to {rates[0]} of them, most others "
            f"to {rates[1]}."
        )


_COMPARISONS = Kind[dict[int, Comparison]](
    "annotators compared with others",
    of="attribute",
    until="its next answer, another number of votes or another image",
    limit=200,
)


@one_flow
def compared_with_others(workspace: Workspace) -> dict[int, list[Comparison]]:
    """Return the comparisons of each person by id, in the order of the attributes; nobody without one."""
    result: dict[int, list[Comparison]] = {}
    for attribute in workspace.attributes.all():
        for annotator, found in compared(workspace, attribute).items():
            result.setdefault(annotator, []).append(found)
    return result


def compared(workspace: Workspace, attribute: Attribute) -> dict[int, Comparison]:
    """Return the comparison of each person who answered an image of ``attribute`` that others answered too, by id."""
    version = (
        answer_log(workspace.engine, attribute.id),
        attribute,
        len(workspace.catalogue),
        workspace.redundancy,
        workspace.judging_redundancy,
        len(held_out_rows(workspace, attribute)),
        len(workspace.snapshot.rows_with(db.audits.c.attribute_id, attribute.id)),
    )

    def compare() -> dict[int, Comparison]:
        table = tabulate(planned_answers(workspace, attribute))
        groups = workspace.catalogue.projects()[table.rows]
        found = {
            who: _comparison(attribute.name, table, column, groups)
            for column, who in enumerate(table.annotators.tolist())
        }
        return {who: one for who, one in found.items() if one is not None}

    return workspace.memory.get(_COMPARISONS, attribute.id, version, compare)


def _comparison(attribute: str, table: Table, column: int, groups: NDArray[np.int64]) -> Comparison | None:
    """Return the comparison of the annotator in a column; None where nobody else answered their images."""
    places, own, others = beside_others(table, column)
    if not len(places):
        return None
    groups = groups[places]

    def where(said: int) -> Measure:
        asked = others == said
        if not asked.any():
            return undefined(f"Others say {'yes' if said == YES else 'no'} to none of these images.", 0)
        return proportion(own[asked] == said, groups[asked])

    return Comparison(
        attribute,
        agreement=proportion(own == others, groups),
        agreement_on_yes=where(YES),
        agreement_on_no=where(NO),
        yes=proportion(own == YES, groups),
        others_yes=proportion(others == YES, groups),
    )
