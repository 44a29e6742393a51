"""Answers that are set aside: those of a person about an attribute, in one act, and brought back in another.

In:  a person and attributes. Out: up to which annotation the answers of each annotator count for nothing. No answer is
changed: whatever reads answers leaves these out (:mod:`.answer_log`), so bringing them back is exact. Answers that the
person gives later count.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from bam_engine.annotation.annotator_store import same_person
from bam_engine.database import Snapshot, annotations, lock, log_activity, now, set_aside_answers, snapshot_of
from bam_engine.errors import TooLate

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


@dataclass(frozen=True)
class SetAsideAct:
    """What setting aside or bringing back has changed, so that exactly this can be undone.

    Attributes
    ----------
    people, attribute_ids
        Whose answers about what: the ids of all annotators who were the person, and of the attributes.
    about
        The same in words.
    before, after
        All that was set aside of them before the act, and after it; by annotator, then attribute.
    """

    people: frozenset[int]
    attribute_ids: frozenset[int]
    about: str
    before: tuple[SetAside, ...]
    after: tuple[SetAside, ...]


def is_supposed(attribute_id: int) -> bool:
    """Return whether it is only supposed, by :func:`supposing`, which answers about an attribute are set aside."""
    supposed = _supposed.get()
    return supposed is not None and attribute_id in supposed


def set_aside_through(snapshot: Snapshot, attribute_id: int) -> Through:
    """Return up to which annotation the answers of each annotator about an attribute are set aside."""
    supposed = _supposed.get()
    if supposed is not None and attribute_id in supposed:
        return supposed[attribute_id]
    if not any(snapshot.version(set_aside_answers)):  # nothing was ever set aside
        return {}
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
        snapshot = snapshot_of(self._engine)
        people, rows = same_person(snapshot, annotator_id), snapshot.rows(set_aside_answers)
        return [SetAside(**one._mapping) for one in rows if one.annotator_id in people]

    def would_be(self, annotator_id: int, attribute_ids: Collection[int], *, counted: bool) -> dict[int, Through]:
        """Return what :func:`supposing` takes to see what would be if a person's answers were set aside, or counted."""
        people, result = same_person(snapshot_of(self._engine), annotator_id), dict[int, Through]()
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
    ) -> SetAsideAct:
        """Set aside what a person has answered about attributes so far, merged annotators included.

        Parameters
        ----------
        about
            Whose answers about what, for the log of activity.
        by
            The id of the annotator who does it.
        """

        def new(connection: sa.Connection, people: Collection[int]) -> list[SetAside]:
            newest = sa.select(annotations.c.attribute_id, sa.func.max(annotations.c.id))
            found = newest.where(annotations.c.attribute_id.in_(attribute_ids)).group_by(annotations.c.attribute_id)
            last, made_at = connection.execute(found).all(), now()
            return [SetAside(one, key, through, by, made_at) for one in people for key, through in last]

        return self._change(annotator_id, attribute_ids, new, about)

    def bring_back(self, annotator_id: int, attribute_ids: Collection[int], *, about: str) -> SetAsideAct:
        """Let all that a person has answered about attributes count again."""
        return self._change(annotator_id, attribute_ids, lambda *_: [], about)

    def undo(self, act: SetAsideAct) -> None:
        """Undo either: what was set aside before the act is set aside again, and nothing else.

        Raises
        ------
        TooLate
            Since the act, some of it was set aside or brought back again. Nothing is changed.
        """
        with self._engine.begin() as connection:
            lock(connection, annotations)
            if _stored(connection, act.people, act.attribute_ids) != act.after:
                raise TooLate(
                    f"This cannot be undone any more ({act.about}): answers were set aside or brought back again "
                    "since. Look at what is set aside now, and set aside or bring back what is meant."
                )
            _replace(connection, act.people, act.attribute_ids, act.before)
            _log(connection, act.before, act.about)

    def _change(
        self,
        annotator_id: int,
        attribute_ids: Collection[int],
        new: Callable[[sa.Connection, Collection[int]], Sequence[SetAside]],
        about: str,
    ) -> SetAsideAct:
        """Set aside of a person's answers about attributes those that are ``new``, and no others."""
        with self._engine.begin() as connection:
            lock(connection, annotations)  # nobody answers meanwhile: all that has been stored is set aside
            people, subjects = same_person(snapshot_of(self._engine), annotator_id), frozenset(attribute_ids)
            before = _stored(connection, people, subjects)
            _replace(connection, people, subjects, new(connection, people))
            after = _stored(connection, people, subjects)
            _log(connection, after, about)
        return SetAsideAct(people, subjects, about, before, after)


_LAST = 2**62
"""No annotation has a larger id."""


def _of(people: Collection[int], attribute_ids: Collection[int]) -> sa.ColumnElement[bool]:
    table = set_aside_answers.c
    return table.annotator_id.in_(people) & table.attribute_id.in_(attribute_ids)


def _stored(connection: sa.Connection, people: Collection[int], attribute_ids: Collection[int]) -> tuple[SetAside, ...]:
    """Return what is set aside of these annotators about these attributes, by annotator, then attribute."""
    table = set_aside_answers
    query = sa.select(table).where(_of(people, attribute_ids)).order_by(*table.primary_key.columns)
    return tuple(SetAside(**one._mapping) for one in connection.execute(query))


def _replace(
    connection: sa.Connection, people: Collection[int], attribute_ids: Collection[int], new: Sequence[SetAside]
) -> None:
    connection.execute(sa.delete(set_aside_answers).where(_of(people, attribute_ids)))
    if new:
        connection.execute(sa.insert(set_aside_answers), [asdict(one) for one in new])


def _log(connection: sa.Connection, after: Collection[SetAside], about: str) -> None:
    log_activity(connection, "set aside answers" if after else "brought back answers", about)
