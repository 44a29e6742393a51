"""Answers for many images at once: one person says yes, no or unsure of a whole selection.

In:  a selection, an answer, a name. Out: stored answers, which can be taken back with one call; what they teach.

Nobody has looked at each of these images, so an answer in bulk is no vote. It settles no label, counts in no agreement,
no threshold, certification or audit, and asks nobody less. It teaches: the next training takes up to
``MAX_PER_ANSWER`` of each answer beside the labels of the rounds. Where somebody has labelled the image by looking at
it, that counts alone.
What is held out to judge is never answered in bulk, and an image that is held out later stops teaching.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import BULK, NEGATIVE, POSITIVE, UNSURE, WITHDRAWN, Attribute, NewAnswer
from bam_engine.errors import AnnotationError, NotFound
from bam_engine.labelling import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import embedded_rows

MAX_IMAGES = 100_000
"""Images that one call may answer."""

MAX_PER_ANSWER = 100
"""Images of each answer that a training takes from bulk; more of the same region would drown what people looked at."""

ANSWERS = {POSITIVE: "yes", NEGATIVE: "no", UNSURE: "unsure"}
_WORDS = {"positive": POSITIVE, "negative": NEGATIVE, "unsure": UNSURE}

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Plan:
    """What an answer in bulk would be given to: ``rows``, and how many images are left out for which reason.

    ``judging`` are held out to judge (validation set, certifications, audits); ``labelled`` have a label by somebody
    who looked at them.
    """

    rows: Rows
    held_out: int
    labelled: int


@dataclass(frozen=True)
class Bulk:
    """One answer in bulk as it is stored: who said what of how many images, and whether it was taken back."""

    id: str
    attribute_id: int
    annotator: str
    answer: int
    count: int
    made_at: str
    undone: bool


def plan(workspace: Workspace, attribute: Attribute, rows: Sequence[int] | Rows) -> Plan:
    """Return which images of a selection an answer in bulk would be given to."""
    asked = np.unique(np.asarray(rows, np.int64))
    judging = np.isin(asked, tasks.held_out_rows(workspace, attribute))
    agreed = tasks.labels(workspace, attribute)
    labelled = np.isin(asked, agreed.rows[agreed.settled]) & ~judging
    return Plan(asked[~judging & ~labelled], int(judging.sum()), int(labelled.sum()))


def answer(
    workspace: Workspace, attribute: Attribute, rows: Sequence[int] | Rows, said: int, *, annotator: str
) -> Bulk:
    """Store one answer for every image of a selection that may have one; see :func:`plan`.

    Parameters
    ----------
    said
        1 yes, 0 no, -1 unsure.

    Raises
    ------
    AnnotationError
        Another answer, no image that may be answered, or more than ``MAX_IMAGES``.
    """
    if said not in ANSWERS:
        raise AnnotationError(f"{said!r} is no answer: give 1 (yes), 0 (no) or -1 (unsure).")
    chosen = plan(workspace, attribute, rows)
    if len(chosen.rows) == 0:
        raise AnnotationError(
            f"none of the {chosen.held_out + chosen.labelled:,} images can be answered in bulk: {chosen.held_out:,} "
            f"are held out to judge, {chosen.labelled:,} were labelled one by one. Select others."
        )
    if len(chosen.rows) > MAX_IMAGES:
        raise AnnotationError(
            f"{len(chosen.rows):,} images cannot be answered at once: {MAX_IMAGES:,} is the most. Select fewer."
        )
    who = workspace.annotations.annotator(annotator)
    order = [int(row) for row in chosen.rows]
    made = workspace.annotations.assign(attribute.id, who, order, purpose=BULK, source_id=0)
    workspace.annotations.record(made.id, [NewAnswer(f"{made.id}:{row}", row, said) for row in order])
    return _known(workspace, made.id)


def undo(workspace: Workspace, bulk_id: str) -> Bulk:
    """Withdraw an answer in bulk, every image of it; what was said in bulk before stands again. Twice is once.

    Raises
    ------
    NotFound
        There is no such answer.
    """
    found = _known(workspace, bulk_id)
    if not found.undone:
        images = workspace.annotations.assignment(bulk_id).rows
        withdrawn = [NewAnswer(f"{bulk_id}:{row}:back", row, WITHDRAWN) for row in images]
        workspace.annotations.record(bulk_id, withdrawn)
    return _known(workspace, bulk_id)


def history(workspace: Workspace, attribute: Attribute | None = None, *, count: int = 20) -> tuple[Bulk, ...]:
    """Return the last answers in bulk, newest first, of one attribute or of all; also those taken back."""
    return _found(workspace, None if attribute is None else db.assignments.c.attribute_id == attribute.id, count)


def current_answers(workspace: Workspace, attribute: Attribute) -> tuple[Rows, NDArray[np.int8]]:
    """Return the rows that have an answer in bulk, rising, and the answer: 1, 0, or -1 unsure.

    The newest answer of each person counts, without those taken back; where two people differ, it is unsure.
    """
    said, share = db.annotations, db.assignments
    given = sa.select(share.c.id).where(share.c.attribute_id == attribute.id, share.c.purpose == BULK)
    gone = sa.select(said.c.assignment_id).where(said.c.assignment_id.in_(given), said.c.answer == "withdrawn")
    newest = (
        sa.select(sa.func.max(said.c.id))
        .where(said.c.assignment_id.in_(given.where(share.c.id.not_in(gone))))
        .group_by(said.c.row, said.c.annotator_id)
    )
    query = sa.select(said.c.row, said.c.answer).where(said.c.id.in_(newest)).order_by(said.c.row)
    with workspace.engine.connect() as connection:
        found = connection.execute(query).all()
    rows = np.array([row for row, _ in found], np.int64)
    answers = np.array([_WORDS[word] for _, word in found], np.int8)
    each, place = np.unique(rows, return_inverse=True)
    low, high = np.full(len(each), 2, np.int8), np.full(len(each), -2, np.int8)
    np.minimum.at(low, place, answers)
    np.maximum.at(high, place, answers)
    return each, np.where(low == high, low, UNSURE).astype(np.int8)


def training_labels(workspace: Workspace, attribute: Attribute, *, without: Rows) -> tuple[Rows, NDArray[np.int8]]:
    """Return what a training takes from answers in bulk: rows, rising, and their answers, 1 or 0.

    At most ``MAX_PER_ANSWER`` of each answer, drawn once and for all by chance: a larger selection keeps the images
    that a smaller one would have drawn. Left out: unsure ones, images labelled by somebody who looked, images without
    a vector, everything of the projects that judge, and the rows ``without``.
    """
    rows, answers = current_answers(workspace, attribute)
    if len(rows) == 0:
        return rows, answers
    groups = workspace.catalogue.projects()
    pool = learning.training_pool(len(groups), tasks.held_out_rows(workspace, attribute), groups)
    agreed = tasks.labels(workspace, attribute)
    looked = np.union1d(agreed.rows[agreed.settled | agreed.decided], without)
    usable = np.isin(rows, np.intersect1d(pool, embedded_rows(workspace))) & ~np.isin(rows, looked)
    luck = _luck(rows)
    taken = []
    for said in (POSITIVE, NEGATIVE):
        those = np.flatnonzero(usable & (answers == said))
        taken.append(those[np.argsort(luck[those], kind="stable")[:MAX_PER_ANSWER]])
    chosen = np.sort(np.concatenate(taken))
    return rows[chosen], answers[chosen]


def _luck(rows: Rows) -> NDArray[np.uint64]:
    """A number for each row that looks like chance and is always the same (the finaliser of SplitMix64)."""
    mixed = (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _known(workspace: Workspace, bulk_id: str) -> Bulk:
    found = _found(workspace, db.assignments.c.id == bulk_id, 1)
    if not found:
        raise NotFound(f"there is no answer in bulk {bulk_id[:60]!r}: reload the page to see which are there.")
    return found[0]


def _found(workspace: Workspace, condition: sa.ColumnElement[bool] | None, count: int) -> tuple[Bulk, ...]:
    share, who, said = db.assignments, db.annotators, db.annotations
    first = (
        sa.select(said.c.assignment_id, sa.func.count().label("n"), sa.func.min(said.c.answer).label("answer"))
        .where(said.c.answer != "withdrawn")
        .group_by(said.c.assignment_id)
    )
    last = sa.select(said.c.assignment_id).where(said.c.answer == "withdrawn")
    bulk = sa.select(share.c.id).where(share.c.purpose == BULK, *([] if condition is None else [condition]))
    newest = bulk.order_by(share.c.made_at.desc()).limit(count)
    told = first.where(said.c.assignment_id.in_(newest)).subquery()
    query = (
        sa.select(share.c.id, share.c.attribute_id, who.c.name, told.c.answer, told.c.n, share.c.made_at)
        .add_columns(share.c.id.in_(last.where(said.c.assignment_id.in_(newest))).label("back"))
        .join(told, told.c.assignment_id == share.c.id)
        .join(who, who.c.id == share.c.annotator_id)
        .order_by(share.c.made_at.desc())
    )
    with workspace.engine.connect() as connection:
        return tuple(
            Bulk(key, attribute_id, name, _WORDS[word], n, made_at, bool(back))
            for key, attribute_id, name, word, n, made_at, back in connection.execute(query)
        )
