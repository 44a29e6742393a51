"""Bulk answers: one person answers yes, no or unsure for a whole selection.

In:  a selection, an answer, an annotator's name. Out: stored answers, which can be undone in one call, and the training
labels that they give.

Nobody has looked at each of these images, so a bulk answer is not a vote: it settles no label and is ignored by
agreement, thresholds, certifications, audits and labelling tasks. It is used for training only: the next model takes up
to ``MAX_PER_ANSWER`` of each answer in addition to the labels of the rounds. A label by somebody who looked at the
image takes precedence.
Held-out images cannot be answered in bulk, and an image that is held out later is no longer used for training.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import (
    ADJUDICATION,
    BULK,
    DIRECT,
    NEGATIVE,
    POSITIVE,
    TASK_PURPOSES,
    UNSURE,
    WITHDRAWN,
    Attribute,
    NewAnswer,
)
from bam_engine.annotation.answer_log import answer_log, moment
from bam_engine.errors import AnnotationError, NotFound
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed
from bam_engine.workspace.vectors import embedded_rows

MAX_IMAGES = 100_000
"""The most images that one call may answer."""

MAX_PER_ANSWER = 100
"""Bulk answers of each value used for training; more would outweigh the labels of people who looked."""

ANSWERS = {POSITIVE: "yes", NEGATIVE: "no", UNSURE: "unsure"}
_WORDS = {"positive": POSITIVE, "negative": NEGATIVE, "unsure": UNSURE}

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Plan:
    """The ``rows`` that a bulk answer would apply to, and the number of images excluded for each reason.

    ``held_out`` images are reserved for evaluation (validation sample, certifications, audits); ``labelled`` images
    have a label by somebody who looked at them.
    """

    rows: Rows
    held_out: int
    labelled: int


@dataclass(frozen=True)
class BulkAnswer:
    """A stored bulk answer: the annotator, the answer, the number of images, and whether it was undone."""

    id: str
    attribute_id: int
    annotator: str
    answer: int
    count: int
    made_at: str
    undone: bool


def plan(workspace: Workspace, attribute: Attribute, rows: Sequence[int] | Rows) -> Plan:
    """Return the images of a selection that a bulk answer would apply to."""
    selected = removed(workspace).without(np.unique(np.asarray(rows, np.int64)))
    held_out = np.isin(selected, held_out_rows(workspace, attribute))
    agreed = tasks.labels(workspace, attribute)
    labelled = np.isin(selected, agreed.rows[agreed.settled]) & ~held_out
    return Plan(selected[~held_out & ~labelled], int(held_out.sum()), int(labelled.sum()))


def answer(
    workspace: Workspace, attribute: Attribute, rows: Sequence[int] | Rows, value: int, *, annotator: str
) -> BulkAnswer:
    """Store one answer for all eligible images of a selection; see :func:`plan`.

    Parameters
    ----------
    value
        1 yes, 0 no, -1 unsure.

    Raises
    ------
    AnnotationError
        The answer is unknown, no image is eligible, or there are more than ``MAX_IMAGES``.
    """
    if value not in ANSWERS:
        raise AnnotationError(f"{value!r} is not an answer. Use 1 (yes), 0 (no) or -1 (unsure).")
    selection = plan(workspace, attribute, rows)
    if len(selection.rows) == 0:
        raise AnnotationError(
            f"None of the {selection.held_out + selection.labelled:,} images can be answered in bulk: "
            f"{selection.held_out:,} are held out for evaluation, {selection.labelled:,} have a label already. "
            "Select other images."
        )
    if len(selection.rows) > MAX_IMAGES:
        raise AnnotationError(
            f"Cannot answer {len(selection.rows):,} images at once; the maximum is {MAX_IMAGES:,}. Select fewer."
        )
    annotator_id = workspace.annotations.annotator(annotator)
    order = [int(row) for row in selection.rows]
    assignment = workspace.annotations.assign(attribute.id, annotator_id, order, purpose=BULK, source_id=0)
    answers = [NewAnswer(f"{assignment.id}:{row}", row, value) for row in order]
    workspace.annotations.record(assignment.id, answers)
    return _get(workspace, assignment.id)


def undo(workspace: Workspace, bulk_id: str) -> BulkAnswer:
    """Withdraw a bulk answer from all its images; earlier bulk answers apply again. Undoing twice changes nothing.

    Raises
    ------
    NotFound
        The bulk answer does not exist.
    """
    if not _get(workspace, bulk_id).undone:
        images = workspace.annotations.assignment(bulk_id).rows
        withdrawn = [NewAnswer(f"{bulk_id}:{row}:back", row, WITHDRAWN) for row in images]
        workspace.annotations.record(bulk_id, withdrawn)
    return _get(workspace, bulk_id)


def history(workspace: Workspace, attribute: Attribute | None = None, *, count: int = 20) -> tuple[BulkAnswer, ...]:
    """Return the latest bulk answers of one attribute or of all, newest first, including undone ones."""
    return _query(workspace, None if attribute is None else db.assignments.c.attribute_id == attribute.id, count)


def current_answers(
    workspace: Workspace, attribute: Attribute, *, until: str | None = None
) -> tuple[Rows, NDArray[np.int8]]:
    """Return the rows with a bulk answer, ascending, and their answers: 1, 0, or -1 unsure.

    The newest answer of each person counts, without undone ones; where two people differ, the answer is unsure. With
    ``until``, a time of the database, what was stored later does not count, and what was set aside since does.
    """
    log = answer_log(workspace.engine, attribute.id, set_aside=until is not None)
    in_bulk = log.given_for([BULK])
    if until is not None:
        in_bulk &= log.times <= moment(until)
    undone = log.assignments[in_bulk & (log.answers == WITHDRAWN)]
    newest = log.newest(np.flatnonzero(in_bulk & ~np.isin(log.assignments, undone)))
    rows, answers = log.rows[newest].astype(np.int64), log.answers[newest]
    each, place = np.unique(rows, return_inverse=True)
    low, high = np.full(len(each), 2, np.int8), np.full(len(each), -2, np.int8)
    np.minimum.at(low, place, answers)
    np.maximum.at(high, place, answers)
    return each, np.where(low == high, low, UNSURE).astype(np.int8)


def training_labels(workspace: Workspace, attribute: Attribute, *, without: Rows) -> tuple[Rows, NDArray[np.int8]]:
    """Return the training labels from bulk answers: rows, ascending, and their answers, 1 or 0.

    At most ``MAX_PER_ANSWER`` of each answer, chosen by a fixed pseudo-random order, so that a larger selection keeps
    the images of a smaller one. Excludes unsure answers, images labelled or decided by somebody who looked, images
    without a vector, all images of held-out projects, and the rows ``without``.
    """
    rows, answers = current_answers(workspace, attribute)
    if len(rows) == 0:
        return rows, answers
    agreed = tasks.labels(workspace, attribute)
    labelled = np.union1d(agreed.rows[agreed.settled | agreed.decided], without)
    return _sample(workspace, rows, answers, held_out_rows(workspace, attribute), labelled)


def taught_rows(workspace: Workspace, attribute: Attribute, *, until: str, drawn_since: Rows) -> Rows:
    """Return the rows whose bulk answer a model trained at the time ``until`` may have learned from.

    They are chosen again as its training chose them, as if the images ``drawn_since`` were neither held out nor
    labelled yet.
    """
    rows, answers = current_answers(workspace, attribute, until=until)
    if len(rows) == 0:
        return rows
    log = answer_log(workspace.engine, attribute.id, set_aside=True)
    one_by_one = log.given_for([*TASK_PURPOSES, ADJUDICATION, DIRECT])
    looked_at = log.rows[one_by_one & (log.times <= moment(until))].astype(np.int64)
    held_out = np.setdiff1d(held_out_rows(workspace, attribute), drawn_since)
    return _sample(workspace, rows, answers, held_out, looked_at)[0]


def _sample(
    workspace: Workspace, rows: Rows, answers: NDArray[np.int8], held_out: Rows, labelled: Rows
) -> tuple[Rows, NDArray[np.int8]]:
    """Return those of bulk answers that train, ascending, given which images are held out or labelled otherwise."""
    groups = workspace.catalogue.projects()
    pool = learning.training_pool(len(groups), held_out, groups)
    pool = pool[np.isin(pool, embedded_rows(workspace), assume_unique=True)]
    usable = np.isin(rows, pool) & ~np.isin(rows, labelled)
    order = _shuffle_keys(rows)
    samples = []
    for value in (POSITIVE, NEGATIVE):
        candidates = np.flatnonzero(usable & (answers == value))
        samples.append(candidates[np.argsort(order[candidates], kind="stable")[:MAX_PER_ANSWER]])
    chosen = np.sort(np.concatenate(samples))
    return rows[chosen], answers[chosen]


def _shuffle_keys(rows: Rows) -> NDArray[np.uint64]:
    """Return a fixed pseudo-random number for each row (the finaliser of SplitMix64)."""
    mixed = (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _get(workspace: Workspace, bulk_id: str) -> BulkAnswer:
    matches = _query(workspace, db.assignments.c.id == bulk_id, 1)
    if not matches:
        raise NotFound(f"There is no bulk answer {bulk_id[:60]!r}. Reload the page to see the existing ones.")
    return matches[0]


def _query(workspace: Workspace, condition: sa.ColumnElement[bool] | None, count: int) -> tuple[BulkAnswer, ...]:
    assigned, given = db.assignments, db.annotations
    answered = (
        sa.select(given.c.assignment_id, sa.func.count().label("n"), sa.func.min(given.c.answer).label("answer"))
        .where(given.c.answer != "withdrawn")
        .group_by(given.c.assignment_id)
    )
    undone = sa.select(given.c.assignment_id).where(given.c.answer == "withdrawn")
    bulk = sa.select(assigned.c.id).where(assigned.c.purpose == BULK, *([] if condition is None else [condition]))
    newest = bulk.order_by(assigned.c.made_at.desc()).limit(count)
    counts = answered.where(given.c.assignment_id.in_(newest)).subquery()
    query = (
        sa.select(
            assigned.c.id,
            assigned.c.attribute_id,
            assigned.c.annotator_id,
            counts.c.answer,
            counts.c.n,
            assigned.c.made_at,
        )
        .add_columns(assigned.c.id.in_(undone.where(given.c.assignment_id.in_(newest))).label("undone"))
        .join(counts, counts.c.assignment_id == assigned.c.id)
        .order_by(assigned.c.made_at.desc())
    )
    names = workspace.annotators.names()
    with workspace.engine.connect() as connection:
        return tuple(
            BulkAnswer(key, attribute_id, names[author], _WORDS[word], n, made_at, bool(undone))
            for key, attribute_id, author, word, n, made_at, undone in connection.execute(query)
        )
