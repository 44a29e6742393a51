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
from bam_engine.annotation import (
    ADJUDICATION,
    IMPORT,
    TASK_PURPOSES,
    Answers,
    Assignment,
    Attribute,
    Consensus,
    consensus,
)
from bam_engine.errors import NotFound
from bam_engine.labelling.missing_images import missing_images
from bam_engine.workspace.core import Workspace

Purpose = Literal["validation", "round", "certification", "audit", "adjudication"]


@dataclass(frozen=True)
class Task:
    """The images that one draw, round or audit asks about, in asking order.

    ``people`` must agree on each; None asks as many as the workspace does.
    """

    attribute: Attribute
    purpose: Purpose
    source_id: int
    title: str
    rows: NDArray[np.int64]
    people: int | None = None


@dataclass(frozen=True)
class TaskState:
    """How far a task is.

    ``answered`` counts the images that enough people have looked at, ``settled`` those they agree on, ``positive``
    those they agree are positive, ``disputed`` those that enough people looked at without agreeing and that nobody
    has decided. ``lost`` images still want an answer but cannot be shown (no thumbnail, no file to make one from): they
    are not among the ``asked``, so that the task is complete without them.
    """

    total: int
    answered: int
    settled: int
    positive: int
    disputed: int
    missing: int = 0

    @property
    def complete(self) -> bool:
        return self.total + self.missing > 0 and self.answered >= self.total


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


def certification_task(workspace: Workspace, attribute: Attribute, certification_id: int) -> Task:
    """Return the task of all that one certification has asked so far."""
    table = db.certification_images
    query = sa.select(table.c.row).where(table.c.certification_id == certification_id).order_by(table.c.position)
    return Task(attribute, "certification", certification_id, "Certification", _rows(workspace, query))


def held_out_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows that judge and may never teach, sorted: of the validation set, certifications and audits."""
    held, certified, audited = db.validation_images, db.certification_images, db.audit_images
    queries = (
        sa.select(held.c.row).where(held.c.attribute_id == attribute.id),
        sa.select(certified.c.row).join(db.certifications).where(db.certifications.c.attribute_id == attribute.id),
        sa.select(audited.c.row).join(db.audits).where(db.audits.c.attribute_id == attribute.id),
    )
    return np.unique(np.concatenate([_rows(workspace, query) for query in queries]))


def audit_task(workspace: Workspace, attribute: Attribute, audit_id: int) -> Task:
    """Return the task of one audit, in its shuffled order, with the number of people that it was drawn for."""
    table = db.audit_images
    query = sa.select(table.c.row).where(table.c.audit_id == audit_id).order_by(table.c.position)
    people = db.read_setting(workspace.engine, audit_votes_key(audit_id))
    return Task(attribute, "audit", audit_id, "Audit", _rows(workspace, query), people)


def audit_votes_key(audit_id: int) -> str:
    """Return the name of the setting that holds how many people judge each image of an audit."""
    return f"audit-{audit_id}-people"


def required_votes(workspace: Workspace, task: Task) -> int:
    """Return how many people must agree on an image of ``task``."""
    return task.people or workspace.redundancy


def adjudication_task(workspace: Workspace, attribute: Attribute) -> Task:
    """Return the task of every image that enough people, and at least two, answered without agreeing, decided or not.

    Those with the most answers come first, ties by row. An image that is decided stays in the task, so that its
    adjudicator can change it, and is asked of nobody else.
    """
    found = consensus(votes(workspace, attribute), redundancy=workspace.redundancy)
    said = found.counts.sum(axis=1)
    open_ones = (said >= max(2, workspace.redundancy)) & ~found.settled
    rows = found.rows[open_ones]
    return Task(attribute, "adjudication", 0, "Adjudication", rows[np.argsort(-said[open_ones], kind="stable")])


def _rows(workspace: Workspace, query: sa.Select[tuple[int]]) -> NDArray[np.int64]:
    with workspace.engine.connect() as connection:
        return np.array(connection.execute(query).scalars().all(), np.int64)


def votes(workspace: Workspace, attribute: Attribute) -> Answers:
    """Return the votes that count: the latest answer of each annotator to each image, by row.

    An imported label is a vote like any other, except on images that are held out to judge: there only the answers
    that people gave to a task count.
    """
    answers = workspace.annotations.answers(attribute.id)
    imported = imported_rows(workspace, attribute)
    judging = np.intersect1d(imported, held_out_rows(workspace, attribute)) if len(imported) else imported
    if not len(judging):
        return answers
    to_tasks = workspace.annotations.answers(attribute.id, purposes=TASK_PURPOSES)
    others, judged = ~np.isin(answers.rows, judging), np.isin(to_tasks.rows, judging)
    rows = np.concatenate([answers.rows[others], to_tasks.rows[judged]])
    annotators = np.concatenate([answers.annotators[others], to_tasks.annotators[judged]])
    values = np.concatenate([answers.answers[others], to_tasks.answers[judged]])
    order = np.lexsort((annotators, rows))
    return Answers(rows[order], annotators[order], values[order])


def imported_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the rows that have an imported label, ascending."""
    return np.unique(workspace.annotations.answers(attribute.id, purposes=[IMPORT]).rows)


def labels(workspace: Workspace, attribute: Attribute) -> Consensus:
    """Return the label of each image that anyone answered about ``attribute``: agreed on, or decided."""
    return _labels(workspace, attribute, workspace.redundancy)


def _labels(workspace: Workspace, attribute: Attribute, people: int) -> Consensus:
    said, decided = votes(workspace, attribute), workspace.annotations.decisions(attribute.id)
    return consensus(said, redundancy=people, decisions=decided)


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
    enough = required_votes(workspace, task)
    found = agreed if agreed is not None and task.people is None else _labels(workspace, task.attribute, enough)
    asked = np.isin(found.rows, task.rows)
    looked = asked & ((found.counts.sum(axis=1) >= enough) | found.decided)
    settled = asked & found.settled
    lost = len(missing_images(workspace, np.setdiff1d(task.rows, found.rows[looked])))
    return TaskState(
        total=len(task.rows) - lost,
        answered=int(looked.sum()),
        settled=int(settled.sum()),
        positive=int((settled & (found.labels == 1)).sum()),
        disputed=int((looked & ~found.settled & ~found.decided).sum()),
        missing=lost,
    )


def open_task(workspace: Workspace, task: Task, annotator: str, *, simulated: bool = False) -> Assignment | None:
    """Return the annotator's assignment of ``task``: the one under way, or a new one with what still needs them.

    An image needs an annotator who has not answered it while too few people have, or while those who have do not
    agree. A disputed image needs an adjudicator until one has decided. Returns None where nothing needs this annotator.
    """
    who = workspace.annotations.annotator(annotator, simulated)
    under_way = workspace.annotations.open_assignment(task.attribute.id, who, task.purpose, task.source_id)
    rows = rows_for(workspace, task, who)
    if under_way is not None and _goes_on(workspace, task, under_way, rows):
        return under_way
    if len(rows) == 0:
        return None
    return workspace.annotations.assign(
        task.attribute.id, who, [int(row) for row in rows], purpose=task.purpose, source_id=task.source_id
    )


def _goes_on(workspace: Workspace, task: Task, under_way: Assignment, rows: NDArray[np.int64]) -> bool:
    if not np.isin(under_way.rows, task.rows).all():
        return False
    if task.purpose != ADJUDICATION:
        return bool(np.isin(under_way.rows, rows).any())  # else nothing is left of it that is wanted and can be shown
    left = np.setdiff1d(under_way.rows, list(workspace.annotations.answered_rows(under_way.id)))
    return bool(np.isin(left, rows).all())  # else somebody else has decided some of them meanwhile


def rows_for(workspace: Workspace, task: Task, annotator_id: int) -> NDArray[np.int64]:
    """Return the rows of ``task`` that need this annotator and can be shown, in asking order.

    Adjudicators are asked about images that they have not answered themselves first: a fresh pair of eyes is better.
    """
    answers = votes(workspace, task.attribute)
    mine = np.isin(task.rows, answers.rows[answers.annotators == annotator_id])
    decisions = workspace.annotations.decisions(task.attribute.id)
    if task.purpose == ADJUDICATION:
        fresh_first = task.rows[np.argsort(mine, kind="stable")]
        return _showable(workspace, fresh_first[~np.isin(fresh_first, decisions.rows)])
    people = required_votes(workspace, task)
    found = consensus(answers, redundancy=people, decisions=decisions)
    enough = found.counts.sum(axis=1) >= people
    done = found.rows[found.decided | (enough & (found.settled | (people == 1)))]
    return _showable(workspace, task.rows[~mine & ~np.isin(task.rows, done)])


def _showable(workspace: Workspace, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[~np.isin(rows, missing_images(workspace, rows))]


def attribute_of(workspace: Workspace, name: str) -> Attribute:
    """Return the attribute called ``name``.

    Raises
    ------
    NotFound
        There is none; the message lists those there are.
    """
    names = [attribute.name for attribute in workspace.attributes.all()]
    if name not in names:
        raise NotFound(
            f"there is no attribute {name!r}: there are {', '.join(names) or 'none yet'}. Define it on the Attributes "
            "page, or with `attribute add`."
        )
    return workspace.attributes.get(name)
