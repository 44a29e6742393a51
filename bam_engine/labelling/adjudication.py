"""Adjudication: images on which annotators disagree, and the decisions about them.

A decision is an answer with the purpose "adjudication". It overrides the votes and can be retracted. The votes stay
unchanged and still count in the agreement statistics.
"""

import uuid
from dataclasses import dataclass

import numpy as np

from bam_engine.annotation import ADJUDICATION, WITHDRAWN, Attribute, NewAnswer, consensus
from bam_engine.errors import AnnotationError
from bam_engine.labelling import tasks
from bam_engine.workspace.core import Workspace

Votes = tuple[int, int, int]


@dataclass(frozen=True)
class Dispute:
    """An image that needs a decision: its yes, no and unsure votes, and whether the adjudicator has voted on it."""

    row: int
    votes: Votes
    answered_before: bool


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
    waiting = tasks.rows_for(workspace, tasks.adjudication_task(workspace, attribute), annotator_id)
    answers = tasks.votes(workspace, attribute)
    own = set(answers.rows[answers.annotators == annotator_id].tolist())
    votes = _votes(workspace, attribute)
    return [Dispute(int(row), votes[int(row)], int(row) in own) for row in waiting]


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
