"""Answers that are set aside: those of a person about an attribute, in one act, and brought back in another.

In:  a person and attributes. Out: up to which annotation the answers of each annotator count for nothing. No answer is
changed: whatever reads answers leaves these out (:mod:`.answer_log`), so bringing them back is exact. Answers that the
person gives later count.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import merged_into
from bam_engine.database import Snapshot, annotations, lock, log_activity, now, set_aside_answers, snapshot_of

Through = Mapping[int, int]
"""For annotators whose answers are set aside, the id of the last annotation that is."""

_supposed: ContextVar[Mapping[int, Through] | None] = ContextVar("what is supposed to be set aside", default=None)


@dataclass(frozen=True)
class SetAside:
    """The answers of an annotator about an attribute, up to the annotation ``through``, count for nothing.

    ``set_aside_by`` is the id of whoever did it, where it is known.
    """

    annotator_id: int
    attribute_id: int
    through: int
    set_aside_by: int | None
    made_at: str


def set_aside_through(snapshot: Snapshot, attribute_id: int) -> Through:
    """Return up to which annotation the answers of each annotator about an attribute are set aside."""
    supposed = _supposed.get()
    if supposed is not None and attribute_id in supposed:
        return supposed[attribute_id]
    rows = snapshot.rows_with(set_aside_answers.c.attribute_id, attribute_id)
    return {one.annotator_id: one.through for one in rows}


@contextmanager
def supposing(through: Mapping[int, Through]) -> Iterator[None]:
    """Suppose inside that these answers were set aside, by attribute; those of other attributes are as they are.

    Nothing is stored. It is for reading alone: what is derived inside must not be stored either.
    """
    token = _supposed.set(through)
    try:
        yield
    finally:
        _supposed.reset(token)


class SetAsideAnswers:
    """The answers of one workspace that are set aside."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, annotator_id: int) -> list[SetAside]:
        """Return what is set aside of a person, those included who are merged into them."""
        people, rows = self._names_of(annotator_id), snapshot_of(self._engine).rows(set_aside_answers)
        return [SetAside(**one._mapping) for one in rows if one.annotator_id in people]

    def would_be(self, annotator_id: int, attribute_ids: Collection[int], *, counted: bool) -> dict[int, Through]:
        """Return what :func:`supposing` takes to see what would be if a person's answers were set aside, or counted."""
        people, result = self._names_of(annotator_id), dict[int, Through]()
        for attribute_id in attribute_ids:
            through = dict(set_aside_through(snapshot_of(self._engine), attribute_id))
            for one in people:
                through.pop(one, None)
                if not counted:
                    through[one] = _LAST
            result[attribute_id] = through
        return result

    def set_aside(
        self, annotator_id: int, attribute_ids: Collection[int], *, about: str, by: int | None = None
    ) -> None:
        """Set aside what a person has answered about attributes so far, merged annotators included.

        Parameters
        ----------
        about
            Whose answers about what, for the log of activity.
        by
            The id of the annotator who does it.
        """
        people = self._names_of(annotator_id)
        with self._engine.begin() as connection:
            lock(connection, annotations)  # nobody answers meanwhile: all that has been stored is set aside
            newest = sa.select(annotations.c.attribute_id, sa.func.max(annotations.c.id))
            found = newest.where(annotations.c.attribute_id.in_(attribute_ids)).group_by(annotations.c.attribute_id)
            last = connection.execute(found).all()
            new = [SetAside(one, key, through, by, now()) for key, through in last for one in sorted(people)]
            _replace(connection, people, attribute_ids, new)
            log_activity(connection, "set aside answers", about)

    def bring_back(self, annotator_id: int, attribute_ids: Collection[int], *, about: str) -> None:
        """Let all that a person has answered about attributes count again."""
        self.restore(annotator_id, attribute_ids, (), about=about)

    def restore(
        self, annotator_id: int, attribute_ids: Collection[int], before: Sequence[SetAside], *, about: str
    ) -> None:
        """Undo either: of a person's answers about these attributes, those are set aside that were ``before``."""
        people = self._names_of(annotator_id)
        kept = [one for one in before if one.annotator_id in people and one.attribute_id in attribute_ids]
        with self._engine.begin() as connection:
            _replace(connection, people, attribute_ids, kept)
            log_activity(connection, "set aside answers" if kept else "brought back answers", about)

    def _names_of(self, annotator_id: int) -> set[int]:
        """Return the ids of all annotators who are this person."""
        merged = merged_into(snapshot_of(self._engine))
        return {annotator_id, *(one for one, into in merged.items() if into == annotator_id)}


_LAST = 2**62
"""No annotation has a larger id."""


def _replace(
    connection: sa.Connection, people: Collection[int], attribute_ids: Collection[int], new: Sequence[SetAside]
) -> None:
    table = set_aside_answers
    of = table.c.annotator_id.in_(people) & table.c.attribute_id.in_(attribute_ids)
    connection.execute(sa.delete(table).where(of))
    if new:
        connection.execute(sa.insert(table), [asdict(one) for one in new])
