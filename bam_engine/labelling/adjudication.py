"""Adjudication: images on which annotators disagree or tell the reviewer something, and the decisions about them.

A decision is an answer with the purpose "adjudication". It overrides the votes and can be retracted. The votes stay
unchanged and still count in the agreement statistics.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from bam_engine.annotation import ADJUDICATION, WITHDRAWN, Attribute, NewAnswer, consensus
from bam_engine.annotation.answer_log import answer_log, moment
from bam_engine.annotation.remark_store import COMMENT, KINDS
from bam_engine.errors import AnnotationError
from bam_engine.labelling import assigning, tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed

Votes = tuple[int, int, int]

SKIPPED_IT = "skip"
TOLD: Mapping[str, str] = MappingProxyType({**KINDS, SKIPPED_IT: "skipped"})
"""What an annotator can tell the reviewer, and how it reads: a remark, or that they skipped the image."""


@dataclass(frozen=True)
class Dispute:
    """An image that needs a decision: its yes, no and unsure votes, and whether the adjudicator has voted on it."""

    row: int
    votes: Votes
    answered_before: bool


@dataclass(frozen=True)
class Told:
    """What an annotator tells the reviewer about an image, its votes, and its decision: 1, 0, -1, or None.

    ``id`` is that of the remark; None where they skipped the image, as others did.
    """

    id: int | None
    row: int
    annotator: str
    kind: str
    text: str
    votes: Votes
    decision: int | None


@dataclass(frozen=True)
class Decided:
    """A decision: 1 yes, 0 no, -1 unsure (no label), who decided, and the yes, no and unsure votes."""

    row: int
    answer: int
    annotator: str
    votes: Votes


def disputes(workspace: Workspace, attribute: Attribute, annotator: str) -> list[Dispute]:
    """Return the images that need a decision, those that ``annotator`` has not voted on first."""
    known = workspace.annotators.find(annotator)
    annotator_id = -1 if known is None else known.id
    task = replace(tasks.adjudication_task(workspace, attribute), rows=tasks.disputed_rows(workspace, attribute))
    waiting = assigning.rows_for(workspace, task, annotator_id)
    answers = tasks.votes(workspace, attribute)
    own = set(answers.rows[answers.annotators == annotator_id].tolist())
    votes = _votes(workspace, attribute)
    return [Dispute(int(row), votes[int(row)], int(row) in own) for row in waiting]


def told(workspace: Workspace, attribute: Attribute) -> list[Told]:
    """Return what annotators tell the reviewer and nobody has dealt with, the oldest first; then what several skipped.

    A flag, and that an image cannot be judged, is dealt with by a later decision about the image; all remarks are by
    closing them (:meth:`bam_engine.annotation.remark_store.Remarks.close`). An image that several people skipped is
    dealt with by a decision or by votes that settle it.
    """
    names, votes = workspace.annotators.names(), _votes(workspace, attribute)
    decisions, log = workspace.annotations.decisions(attribute.id), answer_log(workspace.engine, attribute.id)
    times = log.times[np.searchsorted(log.ids, decisions.ids)]
    decided_at = dict(zip(decisions.rows.tolist(), times, strict=True))
    answers = dict(zip(decisions.rows.tolist(), decisions.answers.tolist(), strict=True))
    gone = removed(workspace).rows
    skipped, several = tasks.skips(workspace, attribute), tasks.skipped_by_several(workspace, attribute)
    remarks = [
        Told(
            one.id,
            one.row,
            names[one.annotator_id],
            one.kind,
            one.text,
            votes.get(one.row, (0, 0, 0)),
            answers.get(one.row),
        )
        for one in workspace.remarks.of(attribute.id)
        if not one.closed
        and one.row not in gone
        and not (one.kind != COMMENT and one.row in decided_at and decided_at[one.row] > moment(one.made_at))
    ]
    return remarks + [
        Told(None, row, names[who], SKIPPED_IT, "", votes.get(row, (0, 0, 0)), None)
        for row in several
        if row not in answers
        for who, rows in skipped.items()
        if row in rows
    ]


def remarks_by(workspace: Workspace, attribute: Attribute, annotator: str) -> dict[int, dict[str, str]]:
    """Return row → the kind and the text of what ``annotator`` tells the reviewer and nobody has dealt with."""
    known = workspace.annotators.find(annotator)
    return {
        one.row: {"kind": one.kind, "text": one.text}
        for one in workspace.remarks.of(attribute.id)
        if known is not None and one.annotator_id == known.id and not one.closed
    }


def close(workspace: Workspace, remark_ids: Sequence[int], annotator: str) -> None:
    """Close what was told to the reviewer, who is ``annotator``; :func:`reopen` undoes it."""
    workspace.remarks.close(remark_ids, workspace.annotations.annotator(annotator))


def reopen(workspace: Workspace, remark_ids: Sequence[int]) -> None:
    """Undo :func:`close`."""
    workspace.remarks.reopen(remark_ids)


def decided(workspace: Workspace, attribute: Attribute) -> list[Decided]:
    """Return the current decisions, newest first."""
    names = workspace.annotators.names()
    decisions, votes = workspace.annotations.decisions(attribute.id), _votes(workspace, attribute)
    return [
        Decided(
            int(decisions.rows[place]),
            int(decisions.answers[place]),
            names[int(decisions.annotators[place])],
            votes.get(int(decisions.rows[place]), (0, 0, 0)),
        )
        for place in np.argsort(-decisions.ids)
    ]


def retract(workspace: Workspace, attribute: Attribute, row: int, annotator: str) -> None:
    """Retract the decision of ``annotator`` about an image, which needs a new one if it is still disputed.

    Raises
    ------
    AnnotationError
        This annotator has no current decision about the image.
    """
    known = workspace.annotators.find(annotator)
    decisions = [
        one
        for one in workspace.annotations.image_annotations(attribute.id, row)
        if one.purpose == ADJUDICATION and known is not None and one.annotator == known.name
    ]
    if not decisions or decisions[-1].answer == WITHDRAWN:
        raise AnnotationError(
            f"{annotator} has no decision about image {row} to retract. A decision can be retracted only under the "
            "name of the person who made it."
        )
    workspace.annotations.record(decisions[-1].assignment_id, [NewAnswer(uuid.uuid4().hex, row, WITHDRAWN)])


def _votes(workspace: Workspace, attribute: Attribute) -> dict[int, Votes]:
    votes = consensus(tasks.votes(workspace, attribute), redundancy=1)
    return {
        int(row): (int(yes), int(no), int(unsure))
        for row, (yes, no, unsure) in zip(votes.rows, votes.counts, strict=True)
    }
