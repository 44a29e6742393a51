"""Disputes and how they end: what people could not agree on, and what was decided.

Wires ``annotation`` to the pages. A decision is an answer given for the purpose "adjudication": it settles its image
whatever the votes, and can be taken back. The votes stay as they are and stay in the agreement statistics.
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
    """An image that waits for a decision: how many said yes, no, unsure, and whether the one who asks is among them."""

    row: int
    votes: Votes
    answered_before: bool


@dataclass(frozen=True)
class Decided:
    """An image that was decided: 1 yes, 0 no, -1 unsure (no label), by whom, and how many had said yes, no, unsure."""

    row: int
    answer: int
    annotator: str
    votes: Votes


def disputes(workspace: Workspace, attribute: Attribute, annotator: str) -> list[Dispute]:
    """Return the images that wait for a decision, those that ``annotator`` has not answered before first."""
    known = {who.name: who.id for who in workspace.annotations.annotators()}
    who = known.get(annotator.strip(), -1)
    waiting = tasks.rows_for(workspace, tasks.adjudication_task(workspace, attribute), who)
    answers = tasks.votes(workspace, attribute)
    mine = set(answers.rows[answers.annotators == who].tolist())
    votes = _votes(workspace, attribute)
    return [Dispute(int(row), votes[int(row)], int(row) in mine) for row in waiting]


def decided(workspace: Workspace, attribute: Attribute) -> list[Decided]:
    """Return what stands decided, the newest decision first."""
    names = {who.id: who.name for who in workspace.annotations.annotators()}
    found, votes = workspace.annotations.decisions(attribute.id), _votes(workspace, attribute)
    return [
        Decided(
            int(found.rows[place]),
            int(found.answers[place]),
            names[int(found.annotators[place])],
            votes.get(int(found.rows[place]), (0, 0, 0)),
        )
        for place in np.argsort(-found.ids)
    ]


def retract(workspace: Workspace, attribute: Attribute, row: int, annotator: str) -> None:
    """Withdraw the decision of ``annotator`` about an image, which then waits for one again if it is still disputed.

    Raises
    ------
    AnnotationError
        No decision of this annotator stands about the image.
    """
    said = [
        one
        for one in workspace.annotations.image_annotations(attribute.id, row)
        if one.purpose == ADJUDICATION and one.annotator == annotator.strip()
    ]
    if not said or said[-1].answer == WITHDRAWN:
        raise AnnotationError(
            f"{annotator} has decided nothing about image {row}, so there is nothing to take back. A decision is taken "
            "back under the name that made it."
        )
    workspace.annotations.record(said[-1].assignment_id, [NewAnswer(uuid.uuid4().hex, row, WITHDRAWN)])


def _votes(workspace: Workspace, attribute: Attribute) -> dict[int, Votes]:
    found = consensus(tasks.votes(workspace, attribute), redundancy=1)
    return {
        int(row): (int(yes), int(no), int(unsure))
        for row, (yes, no, unsure) in zip(found.rows, found.counts, strict=True)
    }
