"""Pauses: who is given no images for now, by an owner or by a rule, until an owner lets them go on.

In:  an annotator and a reason. Out: their leases are given back in the same transaction, and no assignment is made for
them. What they had in hand is stored as any answer that comes late, and all that they have answered counts as before.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators, give_back_leases, merged_into, people_of, person_of
from bam_engine.database import (
    acting_itself,
    annotations,
    leases,
    lock,
    log_activity,
    now,
    pauses,
    snapshot_of,
)
from bam_engine.errors import AnnotationError


@dataclass(frozen=True)
class Pause:
    """Whose work is or was paused, why and since when.

    ``resumed_after`` is the newest annotation in the workspace when they could go on, None for one that has not ended:
    what counts is the order of events, and no clock.
    """

    annotator_id: int
    by_rule: bool
    reason: str
    made_at: str
    resumed_after: int | None

    @property
    def told(self) -> str:
        """What the person is told: kindly, with what to do, and without what would tell which images are checked."""
        if self.by_rule:
            why = (
                "Your work is paused. The answer to some images is known, and yours differ from it more often than "
                "this dataset allows: perhaps a question is meant in another way than it reads."
            )
        else:
            why = f"An owner has paused your work{': ' if self.reason else ''}{self.reason}".rstrip(".") + "."
        return (
            f"{why} Nothing is lost: your answers are kept and count as before. Read the guidelines of the attributes "
            "again, and ask an owner to let you go on."
        )


class Paused(AnnotationError):
    """Whoever is to answer is paused."""


class Pauses:
    """Who is paused in one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def now(self) -> dict[int, Pause]:
        """Return the pauses that have not ended, by the id of the person."""
        return {who: one for who, one in self.lasts().items() if one.resumed_after is None}

    def last(self, annotator_id: int) -> Pause | None:
        """Return the last pause of a person, whether it has ended or not; None for one who never was."""
        return self.lasts().get(person_of(snapshot_of(self._engine), annotator_id))

    def lasts(self) -> dict[int, Pause]:
        """Return the last pause of each person who ever was paused, by id: one that has not ended, if there is one."""
        snapshot, found = snapshot_of(self._engine), dict[int, Pause]()
        merged = merged_into(snapshot)
        for row in snapshot.rows(pauses):
            one = Pause(**row._mapping)
            person = merged.get(one.annotator_id, one.annotator_id)
            if person not in found or _ended(one) > _ended(found[person]):
                found[person] = one
        return found

    def pause(self, annotator_id: int, reason: str, *, by_rule: bool = False) -> Pause:
        """Pause a person, and give back what they hold; return the pause, which is the earlier one of who is paused.

        Others wait meanwhile with taking images, so nobody is given any after being paused.
        """
        name, made = self._name(annotator_id), Pause(annotator_id, by_rule, reason, now(), None)
        with self._engine.begin() as connection:
            lock(connection, leases)
            people = people_of(connection, annotator_id)
            standing = connection.execute(_standing(people)).first()
            if standing is not None:
                return Pause(**standing._mapping)
            connection.execute(sa.delete(pauses).where(pauses.c.annotator_id.in_(people)))
            values = {"annotator_id": annotator_id, "by_rule": by_rule, "reason": reason, "made_at": made.made_at}
            connection.execute(sa.insert(pauses).values(values))
            give_back_leases(connection, people)
            subject = f"{name}{', by the rule' if by_rule else ''}{': ' if reason else ''}{reason}"
            if by_rule:
                with acting_itself():
                    log_activity(connection, "paused", subject)
            else:
                log_activity(connection, "paused", subject)
        return made

    def resume(self, annotator_id: int) -> None:
        """Let a person go on; nothing changes for one who is not paused."""
        name = self._name(annotator_id)
        with self._engine.begin() as connection:
            lock(connection, annotations, leases)  # no answer is being stored whose id is lower than one that is there
            people = people_of(connection, annotator_id)
            if connection.execute(_standing(people)).first() is None:
                return
            ended = sa.update(pauses).where(pauses.c.annotator_id.in_(people), pauses.c.resumed_after.is_(None))
            newest = connection.execute(sa.select(sa.func.max(annotations.c.id))).scalar() or 0
            connection.execute(ended.values(resumed_after=newest))
            log_activity(connection, "ended the pause", name)

    def put_back(self, annotator_id: int, before: Pause | None) -> None:
        """Undo a pause, or its end: the last pause of a person is again the one that was there ``before``, or none."""
        name = self._name(annotator_id)
        paused = before is not None and before.resumed_after is None
        with self._engine.begin() as connection:
            lock(connection, leases)
            people = people_of(connection, annotator_id)
            connection.execute(sa.delete(pauses).where(pauses.c.annotator_id.in_(people)))
            if before is not None:
                connection.execute(sa.insert(pauses).values(asdict(before)))
            if paused:
                give_back_leases(connection, people)
            log_activity(connection, "paused again" if paused else "took back the pause", name)

    def _name(self, annotator_id: int) -> str:
        return Annotators(self._engine).names()[annotator_id]


def check_not_paused(engine: sa.Engine, annotator_id: int) -> None:
    """Raise :class:`Paused` where a person is."""
    pause = Pauses(engine).last(annotator_id)
    if pause is not None and pause.resumed_after is None:
        raise Paused(pause.told)


def check_none_paused(connection: sa.Connection, annotator_id: int) -> None:
    """Raise :class:`Paused` where a person is, inside a transaction that has locked the leases."""
    standing = connection.execute(_standing(people_of(connection, annotator_id))).first()
    if standing is not None:
        raise Paused(Pause(**standing._mapping).told)


def _ended(pause: Pause) -> tuple[bool, int]:
    """Return what is larger for a pause that ended later, and largest for one that has not ended."""
    return pause.resumed_after is None, pause.resumed_after or 0


def _standing(people: Collection[int]) -> sa.Select[Any]:
    return sa.select(pauses).where(pauses.c.annotator_id.in_(people), pauses.c.resumed_after.is_(None))
