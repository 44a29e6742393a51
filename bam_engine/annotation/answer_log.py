"""The log of answers in memory: every stored answer, by attribute, in the order of storing.

In:  the table ``annotations``, of which each look reads only the answers that are new. Out: arrays of 34 bytes per
answer, and the newest answer of each (image, annotator). A log never changes; a longer one takes its place and shares
with it all attributes that nobody has answered since.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine.annotation.annotator_store import merged_into
from bam_engine.annotation.answers import (
    ADJUDICATION,
    DIRECT,
    EXTRA,
    GOLD,
    IMPORT,
    NON_VOTING_PURPOSES,
    PURPOSES,
    SKIPPED,
    TASK_PURPOSES,
    UNSURE,
    WORDS,
    Answers,
    Decisions,
)
from bam_engine.annotation.set_aside import is_supposed, set_aside_through
from bam_engine.collection.removals import Removed, removed
from bam_engine.database import annotations, assignments, snapshot_of

_PLACES = {purpose: place for place, purpose in enumerate(PURPOSES)}
_NUMBERS = {word: number for number, word in WORDS.items()}
_VOTING = frozenset(PURPOSES) - frozenset(NON_VOTING_PURPOSES)
_PAGE = 50_000  # answers read at a time


@dataclass(frozen=True, eq=False)
class AttributeLog:
    """All answers about one attribute, oldest first: arrays (m,).

    Attributes
    ----------
    ids
        int64: the annotations, ascending.
    rows, annotators
        int32.
    answers
        int8: 1 positive, 0 negative, -1 unsure, -2 withdrawn, -3 skipped.
    purposes
        int8: the place of the purpose in ``PURPOSES``.
    assignments
        int32: equal for answers in the same assignment.
    times
        datetime64, UTC: when each was stored.
    merges
        The annotators whose answers count for another one, and for whom.
    set_aside
        The annotators whose answers are left out up to an annotation, and which it is.
    """

    ids: NDArray[np.int64]
    rows: NDArray[np.int32]
    annotators: NDArray[np.int32]
    answers: NDArray[np.int8]
    purposes: NDArray[np.int8]
    assignments: NDArray[np.int32]
    times: NDArray[np.datetime64]
    merges: tuple[tuple[int, int], ...] = field(default=(), kw_only=True)
    set_aside: tuple[tuple[int, int], ...] = field(default=(), kw_only=True)
    _known: dict[object, Any] = field(default_factory=dict, init=False, repr=False)  # what was asked before

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def last(self) -> int:
        """The id of the newest answer; 0 if there is none."""
        return int(self.ids[-1]) if len(self.ids) else 0

    def without_set_aside(self, through: Mapping[int, int], *, supposed: bool = False) -> "AttributeLog":
        """Return the log without the answers of annotators up to the annotation that is set aside last of theirs.

        The same as the last time gives the same object; earlier ones are not kept, since each is a copy. What is only
        ``supposed`` is kept apart from what is so: looking at it takes nothing from whoever reads the answers.
        """
        aside = tuple(sorted((one, through[one]) for one in through.keys() & self._authors()))
        if not aside:
            return self
        key = ("set aside", supposed)
        known: tuple[tuple[tuple[int, int], ...], AttributeLog] = self._known.get(key, ((), self))
        if known[0] != aside:
            left = np.ones(len(self), bool)
            for one, last in aside:
                left &= (self.annotators != one) | (self.ids > last)
            log = AttributeLog(*(_frozen(column[left]) for column in self._columns()), set_aside=aside)
            known = self._known[key] = (aside, log)
        return known[1]

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.ids, self.rows, self.annotators, self.answers, self.purposes, self.assignments, self.times

    def merged(self, into: Mapping[int, int]) -> "AttributeLog":
        """Return the log with the answers of merged annotators under the ids of those they were merged ``into``.

        The same merges give the same object.
        """
        merges = tuple(sorted((one, into[one]) for one in into.keys() & self._authors()))
        if not merges:
            return self
        if merges not in self._known:
            annotators = self.annotators.copy()
            for one, other in merges:
                annotators[self.annotators == one] = other
            self._known[merges] = replace(self, annotators=_frozen(annotators), merges=merges)
        log: AttributeLog = self._known[merges]
        return log

    def without(self, removed: Removed) -> "AttributeLog":
        """Return the log without the answers to removed images.

        The same images as the last time give the same object; earlier ones are not kept, since each is a copy.
        """
        if not removed.version:
            return self
        known: tuple[int, AttributeLog] = self._known.get("without", (0, self))
        if known[0] != removed.version:
            left = ~np.isin(self.rows, removed.rows)
            log = self
            if not left.all():
                columns = [_frozen(column[left]) for column in self._columns()]
                log = AttributeLog(*columns, merges=self.merges, set_aside=self.set_aside)
            known = self._known["without"] = (removed.version, log)
        return known[1]

    def _authors(self) -> frozenset[int]:
        if "authors" not in self._known:
            self._known["authors"] = frozenset(np.unique(self.annotators).tolist())
        authors: frozenset[int] = self._known["authors"]
        return authors

    def given_for(self, purposes: Collection[str]) -> NDArray[np.bool_]:
        """Return a mask of the answers that were given for one of ``purposes``."""
        return np.isin(self.purposes, [_PLACES[purpose] for purpose in purposes])

    def newest(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return which of the answers at ``places``, ascending, are the newest of their row and annotator.

        They come by row, then annotator. Where the newest is withdrawn or skipped, there is none.
        """
        newest = self._last(places)
        standing: NDArray[np.intp] = newest[self.answers[newest] >= UNSURE]
        return standing

    def _last(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return :meth:`newest`, those included that are no answer."""
        latest_first = places[::-1]
        keys = _keys(self.rows[latest_first], self.annotators[latest_first])
        last: NDArray[np.intp] = latest_first[np.unique(keys, return_index=True)[1]]
        return last

    def skips(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the images that people skipped and have not answered since: rows and annotators (k,), by row."""
        if "skips" not in self._known:
            last = self._last(np.flatnonzero(self.given_for((*TASK_PURPOSES, EXTRA, GOLD))))
            skipped = last[self.answers[last] == SKIPPED]
            for purpose in (DIRECT, IMPORT):  # no answer to what was asked, but one all the same
                since = self.newest(np.flatnonzero(self.given_for([purpose])))
                keys = _keys(self.rows[skipped], self.annotators[skipped])
                _, before, after = np.intersect1d(
                    keys, _keys(self.rows[since], self.annotators[since]), assume_unique=True, return_indices=True
                )
                skipped = np.delete(skipped, before[since[after] > skipped[before]])
            self._known["skips"] = (
                _frozen(self.rows[skipped].astype(np.int64)),
                _frozen(self.annotators[skipped].astype(np.int64)),
            )
        skips: tuple[NDArray[np.int64], NDArray[np.int64]] = self._known["skips"]
        return skips

    def votes(self, purposes: Collection[str] = _VOTING) -> Answers:
        """Return the newest answers among those given for ``purposes``."""
        key = ("votes", frozenset(purposes))
        if key not in self._known:
            newest = self.newest(np.flatnonzero(self.given_for(purposes)))
            self._known[key] = Answers(
                _frozen(self.rows[newest].astype(np.int64)),
                _frozen(self.annotators[newest].astype(np.int64)),
                _frozen(self.answers[newest]),
            )
        answers: Answers = self._known[key]
        return answers

    def first_votes(self, answers: Answers, purposes: Collection[str] = _VOTING) -> NDArray[np.int64]:
        """Return the place in the log of the first vote for ``purposes`` of each (row, annotator) of ``answers``."""
        key = ("first votes", frozenset(purposes))
        if key not in self._known:
            voting = np.flatnonzero(self.given_for(purposes) & (self.answers >= UNSURE))
            keys, first = np.unique(_keys(self.rows[voting], self.annotators[voting]), return_index=True)
            self._known[key] = _frozen(keys), _frozen(voting[first])
        known, places = self._known[key]
        found: NDArray[np.int64] = places[np.searchsorted(known, _keys(answers.rows, answers.annotators))]
        return found

    def decisions(self) -> Decisions:
        """Return the current decision about each image: the newest that is not withdrawn."""
        return self._newest_of_each("decisions", ADJUDICATION)

    def direct_answers(self) -> Decisions:
        """Return the current direct answer about each image: the newest that is not withdrawn."""
        return self._newest_of_each("direct answers", DIRECT)

    def _newest_of_each(self, name: str, purpose: str) -> Decisions:
        """Return the newest standing answer about each image that was given for ``purpose``."""
        if name not in self._known:
            newest = np.sort(self.newest(np.flatnonzero(self.given_for([purpose]))))[::-1]
            newest = newest[np.unique(self.rows[newest], return_index=True)[1]]
            self._known[name] = Decisions(
                _frozen(self.rows[newest].astype(np.int64)),
                _frozen(self.annotators[newest].astype(np.int64)),
                _frozen(self.answers[newest]),
                _frozen(self.ids[newest]),
            )
        answers: Decisions = self._known[name]
        return answers


_KINDS: tuple[Any, ...] = (np.int64, np.int32, np.int32, np.int8, np.int8, np.int32, "datetime64[us]")
_EMPTY = AttributeLog(*(np.empty(0, kind) for kind in _KINDS))


@dataclass(frozen=True, eq=False)
class _AnswerLog:
    """The logs of all attributes up to the annotation ``last``, and the number of each assignment."""

    last: int = 0
    made_at: str = ""  # when the last was stored
    attributes: Mapping[int, AttributeLog] = field(default_factory=lambda: MappingProxyType({}))
    assignments: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def answer_log(engine: sa.Engine, attribute_id: int, *, set_aside: bool = False) -> AttributeLog:
    """Return the answers about an attribute that count: without those to removed images and those that are set aside.

    Those of a merged annotator are under the id of the one merged into. With ``set_aside``, those that are set aside
    are among them: for what somebody has seen or answered, whether it counts or not.
    """
    return whole_answer_log(engine, attribute_id, set_aside=set_aside).without(removed(engine))


def whole_answer_log(engine: sa.Engine, attribute_id: int, *, set_aside: bool = False) -> AttributeLog:
    """Return the answers about an attribute as :func:`answer_log`, with those to removed images."""
    snapshot = snapshot_of(engine)
    log = snapshot.read("answers", [annotations], _read_on).attributes.get(attribute_id, _EMPTY)
    if not set_aside:
        log = log.without_set_aside(set_aside_through(snapshot, attribute_id), supposed=is_supposed(attribute_id))
    return log.merged(merged_into(snapshot))


def moment(made_at: str) -> np.datetime64:
    """Return a time of the database, which is in UTC, as those of a log."""
    return np.datetime64(made_at.partition("+")[0], "us")


def _read_on(connection: sa.Connection, log: _AnswerLog | None) -> _AnswerLog:
    """Read the answers that were stored after the last of ``log``.

    Ids tell what is new, since ``record`` lets one transaction at a time add answers: none appears below another. If
    the last is missing or another one, an older database was restored, and all answers are read again.
    """
    log = log or _AnswerLog()
    given = annotations.c
    query = (
        sa.select(given.id, given.row, given.annotator_id, given.answer, assignments.c.purpose, given.assignment_id)
        .add_columns(given.made_at, given.attribute_id)
        .join(assignments, assignments.c.id == given.assignment_id)
        .where(given.id >= log.last)
        .order_by(given.id)
        .execution_options(yield_per=_PAGE)
    )
    result = connection.execute(query)
    if log.last:
        known_last = result.fetchone()
        if known_last is None or (known_last.id, known_last.made_at) != (log.last, log.made_at):
            result.close()
            return _read_on(connection, None)
    numbers, attributes, last, made_at = dict(log.assignments), dict(log.attributes), log.last, log.made_at
    for page in result.partitions():
        *columns, attribute_of = _encoded(page, numbers)
        for attribute_id in np.unique(attribute_of).tolist():
            mine = attribute_of == attribute_id
            known = attributes.get(attribute_id, _EMPTY)
            attributes[attribute_id] = _extended(known, [column[mine] for column in columns])
        last, made_at = page[-1].id, page[-1].made_at
    return _AnswerLog(last, made_at, attributes, numbers)


def _encoded(page: Sequence[sa.Row[Any]], numbers: dict[str, int]) -> list[NDArray[Any]]:
    """Return the columns of a page as arrays, and the attribute of each line; number assignments not seen before."""
    ids, rows, people, words, purposes, assigned, times, attributes = zip(*page, strict=True)
    for assignment in dict.fromkeys(assigned):
        numbers.setdefault(assignment, len(numbers))
    values = (
        ids,
        rows,
        people,
        [_NUMBERS[word] for word in words],
        [_PLACES[purpose] for purpose in purposes],
        [numbers[assignment] for assignment in assigned],
        [made_at.partition("+")[0] for made_at in times],
    )
    columns = [np.array(column, kind) for column, kind in zip(values, _KINDS, strict=True)]
    return [*columns, np.array(attributes, np.int64)]


def _extended(log: AttributeLog, added: Sequence[NDArray[Any]]) -> AttributeLog:
    return AttributeLog(*(_frozen(np.concatenate(both)) for both in zip(log._columns(), added, strict=True)))


def _keys(rows: NDArray[Any], annotators: NDArray[Any]) -> NDArray[np.int64]:
    """Return one number for each (row, annotator), which ascends by row, then annotator."""
    return rows.astype(np.int64) << 32 | annotators.astype(np.int64)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array
