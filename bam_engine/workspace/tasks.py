"""What people are asked, and what has come back: one task is a set of images with one question.

Wires ``annotation`` to the validation draws, rounds and audits that ask. A task is the same for every annotator; an
assignment is one annotator's share of it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Assignment, Attribute, Consensus, consensus
from bam_engine.errors import NotThere
from bam_engine.workspace.core import Workspace

Purpose = Literal["validation", "round", "audit"]


@dataclass(frozen=True)
class Task:
    """The images that one draw, round or audit asks about, in asking order."""

    attribute: Attribute
    purpose: Purpose
    source_id: int
    title: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class TaskState:
    """How far a task is.

    ``answered`` counts the images that enough people have looked at, ``settled`` those they agree on, ``positive``
    those they agree are positive, ``disputed`` those that enough people looked at without agreeing.
    """

    asked: int
    answered: int
    settled: int
    positive: int
    disputed: int

    @property
    def complete(self) -> bool:
        return self.asked > 0 and self.answered >= self.asked


def validation_task(workspace: Workspace, attribute: Attribute) -> Task:
    """Return the task of the whole validation set; it has no rows before the first draw."""
    table = db.validation_images
    query = sa.select(table.c.row).where(table.c.attribute_id == attribute.id).order_by(table.c.draw, table.c.id)
    return Task(attribute, "validation", 0, "Validation sample", _rows(workspace, query))


def round_task(workspace: Workspace, attribute: Attribute, round_id: int, number: int) -> Task:
    """Return the task of one round's batch."""
    table = db.round_images
    query = sa.select(table.c.row).where(table.c.round_id == round_id).order_by(table.c.position)
    return Task(attribute, "round", round_id, f"Round {number}", _rows(workspace, query))


def audit_task(workspace: Workspace, attribute: Attribute, audit_id: int) -> Task:
    """Return the task of one audit, in its shuffled order."""
    table = db.audit_images
    query = sa.select(table.c.row).where(table.c.audit_id == audit_id).order_by(table.c.position)
    return Task(attribute, "audit", audit_id, "Audit", _rows(workspace, query))


def _rows(workspace: Workspace, query: sa.Select[tuple[int]]) -> NDArray[np.int64]:
    with workspace.engine.connect() as connection:
        return np.array(connection.execute(query).scalars().all(), np.int64)


def labels(workspace: Workspace, attribute: Attribute) -> Consensus:
    """Return what people agree on for every image that anyone answered about ``attribute``."""
    return consensus(workspace.annotations.answers(attribute.id), redundancy=workspace.redundancy)


def labels_of(found: Consensus, rows: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the settled label of each of ``rows``: 1, 0, or -1 where there is none."""
    result = np.full(len(rows), -1, np.int8)
    if len(found.rows) and len(rows):
        place = np.minimum(np.searchsorted(found.rows, rows), len(found.rows) - 1)
        there = found.rows[place] == rows
        result[there] = found.labels[place[there]]
    return result


def state(workspace: Workspace, task: Task, agreed: Consensus | None = None) -> TaskState:
    """Return how far ``task`` is, by everybody's answers; ``agreed`` is the labels, where the caller has them."""
    found = agreed or labels(workspace, task.attribute)
    enough = workspace.redundancy
    asked = np.isin(found.rows, task.rows)
    looked = asked & (found.counts.sum(axis=1) >= enough)
    settled = asked & found.settled
    return TaskState(
        asked=len(task.rows),
        answered=int(looked.sum()),
        settled=int(settled.sum()),
        positive=int((settled & (found.labels == 1)).sum()),
        disputed=int((looked & ~found.settled).sum()),
    )


def open_task(workspace: Workspace, task: Task, annotator: str) -> Assignment | None:
    """Return the annotator's assignment of ``task``: the one under way, or a new one with what still needs them.

    An image needs an annotator who has not answered it while too few people have, or while those who have do not
    agree. Returns None where nothing needs this annotator.
    """
    who = workspace.annotations.annotator(annotator)
    under_way = workspace.annotations.open_assignment(task.attribute.id, who, task.purpose, task.source_id)
    if under_way is not None and np.isin(under_way.rows, task.rows).all():
        return under_way
    rows = rows_for(workspace, task, who)
    if len(rows) == 0:
        return None
    return workspace.annotations.assign(
        task.attribute.id, who, [int(row) for row in rows], purpose=task.purpose, source_id=task.source_id
    )


def rows_for(workspace: Workspace, task: Task, annotator_id: int) -> NDArray[np.int64]:
    """Return the rows of ``task`` that need this annotator, in asking order."""
    answers = workspace.annotations.answers(task.attribute.id)
    mine = answers.rows[answers.annotators == annotator_id]
    found = consensus(answers, redundancy=workspace.redundancy)
    enough = found.counts.sum(axis=1) >= workspace.redundancy
    several = workspace.redundancy > 1
    done = found.rows[enough & (found.settled | (not several))]
    return task.rows[~np.isin(task.rows, mine) & ~np.isin(task.rows, done)]


def attribute_of(workspace: Workspace, name: str) -> Attribute:
    """Return the attribute called ``name``.

    Raises
    ------
    NotThere
        There is none; the message lists those there are.
    """
    names = [attribute.name for attribute in workspace.attributes.all()]
    if name not in names:
        raise NotThere(
            f"there is no attribute {name!r}: there are {', '.join(names) or 'none yet'}. Define it on the Attributes "
            "page, or with `attribute add`."
        )
    return workspace.attributes.get(name)
