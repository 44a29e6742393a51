"""Leases: which assignments are being worked on, so that no more people look at an image than it needs.

In:  the images that need somebody, and how many people each is meant for. Out: an assignment of some of them, which its
annotator holds until the lease expires. A lease keeps others from doing the same work, and nothing else: what somebody
answers after it has expired is stored all the same (:mod:`.extra_votes`). The clock is a parameter.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine.annotation.answers import GOLD, Answers, Assignment
from bam_engine.annotation.mixing import Mixture
from bam_engine.annotation.pauses import check_none_paused
from bam_engine.database import (
    assignment_images,
    assignments,
    gold_images,
    insert_new,
    leases,
    lock,
    now,
    snapshot_of,
    time_text,
)

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Lease:
    """An assignment that is held until ``expires_at``."""

    assignment: Assignment
    expires_at: str

    def holds(self, moment: datetime) -> bool:
        """Return whether the lease has not expired."""
        return self.expires_at > time_text(moment)


@dataclass(frozen=True, eq=False)
class Wanted:
    """Images that need somebody, in labelling order.

    Attributes
    ----------
    rows
        int64 (n,), unique.
    people
        int64 (n,): how many people may answer each: those who have, and those who still may.
    answers
        The votes about the attribute.
    skips
        Annotator → the rows about the attribute that they skipped: nobody waits for these to come back from them.
    """

    rows: Rows
    people: NDArray[np.int64]
    answers: Answers
    skips: Mapping[int, Collection[int]] = field(default_factory=dict)

    def free(self, held: Iterable[Lease], annotator_id: int) -> NDArray[np.bool_]:
        """Return which of the images may be given to an annotator while the leases ``held`` last, bool (n,)."""
        others = [lease.assignment for lease in held if lease.assignment.annotator_id != annotator_id]
        if not others or not len(self.rows):
            return np.ones(len(self.rows), bool)
        known = np.isin(self.answers.rows, self.rows)
        done = [each.gold | set(self.skips.get(each.annotator_id, ())) for each in others]
        asked = [
            np.array([row for row in each.rows if row not in out], np.int64)
            for each, out in zip(others, done, strict=True)
        ]
        rows = np.concatenate([self.answers.rows[known], *asked])
        holders = [np.full(len(each), one.annotator_id) for each, one in zip(asked, others, strict=True)]
        people = np.concatenate([self.answers.annotators[known], *holders])
        if not len(rows):
            return np.ones(len(self.rows), bool)
        busy, number = np.unique(np.unique(np.stack([rows, people]), axis=1)[0], return_counts=True)
        place = np.minimum(np.searchsorted(busy, self.rows), len(busy) - 1)
        at_work = np.where(busy[place] == self.rows, number[place], 0)
        free: NDArray[np.bool_] = at_work < self.people
        return free


class Leases:
    """The leases of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, attribute_id: int, moment: datetime) -> list[Lease]:
        """Return the leases on images of an attribute that have not expired, the oldest assignment first."""
        return _current(self._all(), attribute_id, moment)

    def take(
        self,
        asked: Assignment,
        wanted: Wanted,
        *,
        size: int,
        moment: datetime,
        lasts: timedelta,
        at_least: int = 1,
        gold: Mixture | None = None,
    ) -> list[Assignment]:
        """Assign the first of the ``wanted`` images that nobody else holds, ``size`` at a time; none if there are none.

        Others wait meanwhile, so two people never get more of an image than it needs, nor one person an image twice.
        However many assignments are made, the database is written once.

        Parameters
        ----------
        asked
            What the assignments have in common, without images; each gets an id of its own.
        lasts
            How long the leases are, without an answer.
        at_least
            How many images are needed, at least 1: as many assignments are made as hold them, all full but the last.
        gold
            What is mixed in.

        Raises
        ------
        Paused
            The annotator is.
        """
        known = self._all()
        with self._engine.begin() as connection:
            held = _locked(connection, known, asked.attribute_id, moment)
            check_none_paused(connection, asked.annotator_id)
            in_hand = [one.assignment.rows for one in held if one.assignment.annotator_id == asked.annotator_id]
            own = {row for rows in in_hand for row in rows}
            rows = wanted.rows[wanted.free(held, asked.annotator_id) & ~np.isin(wanted.rows, list(own))].tolist()
            images = [(row, False) for row in rows] if gold is None else gold.into(rows, but=own)
            end = -(-at_least // size) * size
            if all(is_gold for _, is_gold in images[end:]):
                end = len(images)
            taken = [_part(asked, images[begin : min(begin + size, end)]) for begin in range(0, end, size)]
            taken = [one for one in taken if one.rows]
            for assignment in taken:
                add_assignment(connection, assignment)
            if taken:
                _lease(connection, [one.id for one in taken], moment, lasts)
        return taken

    def renew(self, assignment: Assignment, wanted: Wanted, *, moment: datetime, lasts: timedelta) -> bool:
        """Lease an assignment whose lease has expired; False if others hold any of its ``wanted`` images by now.

        Raises
        ------
        Paused
            Its annotator is.
        """
        known = self._all()
        with self._engine.begin() as connection:
            held = _locked(connection, known, assignment.attribute_id, moment)
            check_none_paused(connection, assignment.annotator_id)
            if not wanted.free(held, assignment.annotator_id).all():
                return False
            _lease(connection, [assignment.id], moment, lasts)
        return True

    def give_back(self, assignment_ids: Sequence[str]) -> None:
        """End leases: others may be given the images that are left of these assignments."""
        if assignment_ids:
            with self._engine.begin() as connection:
                connection.execute(sa.delete(leases).where(leases.c.assignment_id.in_(assignment_ids)))

    def _all(self) -> tuple[Lease, ...]:
        return snapshot_of(self._engine).read("leases", [leases], _read_on)


def _part(asked: Assignment, images: Sequence[tuple[int, bool]]) -> Assignment:
    rows, gold = apart(images)
    return replace(asked, id=str(uuid.uuid4()), rows=rows, gold=gold)


def apart(images: Iterable[tuple[int, bool]]) -> tuple[tuple[int, ...], frozenset[int]]:
    """Return the rows of images of which each is gold or not, in their order, and those that are."""
    listed = list(images)
    return tuple(row for row, _ in listed), frozenset(row for row, is_gold in listed if is_gold)


def read_images(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, tuple[tuple[int, ...], frozenset[int]]]:
    """Return, of each assignment of a query of ids and rows, its rows in their order, and those that are gold."""
    images = dict[str, list[tuple[int, bool]]]()
    for assignment_id, row, gold_id in connection.execute(with_gold(query)):
        images.setdefault(assignment_id, []).append((row, gold_id is not None))
    return {assignment_id: apart(listed) for assignment_id, listed in images.items()}


def add_assignment(connection: sa.Connection, assignment: Assignment) -> None:
    """Store an assignment and its images; the answers to its gold will be in an assignment of their own."""
    heads = ("id", "attribute_id", "annotator_id", "purpose", "source_id")
    values = {name: getattr(assignment, name) for name in heads}
    images = [
        {"assignment_id": assignment.id, "row": row, "position": place} for place, row in enumerate(assignment.rows)
    ]
    connection.execute(sa.insert(assignments).values(**values, made_at=now()))
    connection.execute(sa.insert(assignment_images), images)
    if assignment.gold:
        rows = tuple(sorted(assignment.gold))
        gold = replace(assignment, id=str(uuid.uuid4()), purpose=GOLD, rows=rows, gold=frozenset())
        add_assignment(connection, gold)
        lines = [{"assignment_id": assignment.id, "row": row, "gold_id": gold.id} for row in rows]
        connection.execute(sa.insert(gold_images), lines)


def with_gold(query: sa.Select[Any]) -> sa.Select[Any]:
    """Return a query of images of assignments with a column more: where the answers to gold are; null for others."""
    images, gold = assignment_images.c, gold_images.c
    same = (gold.assignment_id == images.assignment_id) & (gold.row == images.row)
    return query.add_columns(gold.gold_id).outerjoin(gold_images, same)


def extend(connection: sa.Connection, assignment: Any, moment: datetime, lasts: timedelta) -> None:
    """Extend the lease of an assignment, and those of the same task that the annotator holds; none that has expired.

    They end together: whoever works through a task goes back and forth in it.
    """
    columns = ("attribute_id", "annotator_id", "purpose", "source_id")
    same = sa.and_(*(assignments.c[name] == getattr(assignment, name) for name in columns))
    connection.execute(
        sa.update(leases)
        .where(leases.c.assignment_id.in_(sa.select(assignments.c.id).where(same)))
        .where(leases.c.expires_at > time_text(moment))
        .values(expires_at=time_text(moment + lasts))
    )


def _lease(connection: sa.Connection, assignment_ids: Sequence[str], moment: datetime, lasts: timedelta) -> None:
    """Store leases that end together, in place of those that have expired."""
    expired = (leases.c.expires_at <= time_text(moment)) | leases.c.assignment_id.in_(assignment_ids)
    connection.execute(sa.delete(leases).where(expired))
    until = time_text(moment + lasts)
    insert_new(connection, leases, [{"assignment_id": one, "expires_at": until} for one in assignment_ids])


def _locked(connection: sa.Connection, known: tuple[Lease, ...], attribute_id: int, moment: datetime) -> list[Lease]:
    """Return the leases that have not expired, to which nobody adds one until the transaction ends."""
    lock(connection, leases)
    return _current(_read_on(connection, known), attribute_id, moment)


def _current(all_leases: Iterable[Lease], attribute_id: int, moment: datetime) -> list[Lease]:
    return [one for one in all_leases if one.assignment.attribute_id == attribute_id and one.holds(moment)]


def _read_on(connection: sa.Connection, known: tuple[Lease, ...] | None) -> tuple[Lease, ...]:
    """Read the leases; the images of an assignment never change, so only those of new ones are read."""
    columns = [assignments.c[name] for name in ("id", "attribute_id", "annotator_id", "purpose", "source_id")]
    query = sa.select(*columns, leases.c.expires_at).join(leases, leases.c.assignment_id == assignments.c.id)
    heads = connection.execute(query.order_by(assignments.c.made_at, assignments.c.id)).all()
    before = {one.assignment.id: one.assignment for one in known or ()}
    new = [head.id for head in heads if head.id not in before]
    if new:
        images = assignment_images.c
        placed = sa.select(images.assignment_id, images.row).where(images.assignment_id.in_(new))
        found = read_images(connection, placed.order_by(images.assignment_id, images.position))
        for one in heads:
            if one.id in found:
                about = (one.attribute_id, one.annotator_id, one.purpose, one.source_id)
                before[one.id] = Assignment(one.id, *about, *found[one.id])
    return tuple(Lease(before[one.id], one.expires_at) for one in heads)
