"""Snapshots: the tables as they are at one moment, read when they are needed and again only when they have changed.

In:  an engine. Out: :func:`snapshot_of`, which every reader of small tables asks, and :func:`reading`, which makes a
flow of work (a run of a page, a request, a command, a step of a job) use one snapshot. Outside a flow each call asks
the database for its revisions, one statement, and shares with all others what has not changed since.

A snapshot's revisions are read before its tables. A table may therefore be newer than its revision says, never older;
the next snapshot then reads it once more. What a flow has read stays as it is until the flow ends or writes.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from bam_engine.database.revisions import RESTORED, count_writes, read_revisions

T = TypeVar("T")

_Version = tuple[int, ...]


class _Shared:
    """What the threads of this process have read of one database: by name, a value and the revisions it is of."""

    def __init__(self) -> None:
        self.values: dict[Hashable, tuple[_Version, Any]] = {}
        self._locks: dict[Hashable, threading.RLock] = {}

    def lock_for(self, name: Hashable) -> threading.RLock:
        """Return the lock to hold while the value ``name`` is read."""
        return self._locks.setdefault(name, threading.RLock())


class Snapshot:
    """The tables of a database at one moment. Several threads may use it."""

    def __init__(self, engine: sa.Engine, revisions: Mapping[str, int], shared: _Shared) -> None:
        self._engine = engine
        self._revisions = revisions
        self._shared = shared
        self._used: dict[Hashable, Any] = {}

    def version(self, *tables: sa.Table) -> _Version:
        """Return numbers that change whenever one of the tables does."""
        return tuple(self._revisions.get(table.name, 0) for table in tables)

    def rows(self, table: sa.Table) -> tuple[sa.Row[Any], ...]:
        """Return all rows of a small table, by primary key."""
        query = sa.select(table).order_by(*table.primary_key.columns)
        return self.read(table.name, [table], lambda connection, _: tuple(connection.execute(query)))

    def rows_with(self, column: sa.Column[Any], value: object) -> tuple[sa.Row[Any], ...]:
        """Return the rows of a small table that have ``value`` in ``column``, by primary key."""
        table = column.table

        def group(_: object) -> dict[object, tuple[sa.Row[Any], ...]]:
            groups: defaultdict[object, list[sa.Row[Any]]] = defaultdict(list)
            for row in self.rows(table):
                groups[row._mapping[column]].append(row)
            return {key: tuple(rows) for key, rows in groups.items()}

        return self._share((table.name, column.name), [table], group).get(value, ())

    def read(self, name: Hashable, tables: Sequence[sa.Table], load: Callable[[sa.Connection, T | None], T]) -> T:
        """Return what ``load`` reads from ``tables``; it is called again only after one of them has changed.

        Parameters
        ----------
        name
            Names the value among all that are read from this database.
        load
            Takes a connection and the value read before, initially None. Returns the value, which nobody changes. A
            table that is only appended to can be read from where the previous value ends.
        """

        def connect(previous: T | None) -> T:
            with self._engine.connect() as connection:
                return load(connection, previous)

        return self._share(name, tables, connect)

    def _share(self, name: Hashable, tables: Sequence[sa.Table], make: Callable[[T | None], T]) -> T:
        if name not in self._used:
            with self._shared.lock_for(name):
                wanted = self.version(*tables)
                version, value = self._shared.values.get(name, (None, None))
                if version is None or any(have < want for have, want in zip(version, wanted, strict=True)):
                    value = make(value)
                    self._shared.values[name] = (wanted, value)
            self._used[name] = value
        return cast(T, self._used[name])


class _Flow:
    """A flow of work: its snapshot, None before it is used and after a write."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.ended = False


class _Snapshots:
    """Takes the snapshots of one database, and knows the flow of each caller."""

    def __init__(self) -> None:
        self.flow: ContextVar[_Flow | None] = ContextVar("flow", default=None)
        self._taking = threading.Lock()
        self._newest: Mapping[str, int] = {}
        self._shared = _Shared()
        self.on_restore: list[Callable[[], None]] = []

    def take(self, engine: sa.Engine) -> Snapshot:
        """Return a snapshot of this moment."""
        with self._taking:
            with engine.connect() as connection:
                revisions = read_revisions(connection)
            older = any(revisions.get(name, 0) < number for name, number in self._newest.items())
            if older or revisions.get(RESTORED, 0) != self._newest.get(RESTORED, 0):
                self._shared = _Shared()
                for forget in self.on_restore:
                    forget()
            self._newest = revisions
            return Snapshot(engine, revisions, self._shared)

    def open_flow(self) -> _Flow | None:
        """Return the flow that the caller is in. A thread or task that was started in one may outlast it."""
        flow = self.flow.get()
        return None if flow is None or flow.ended else flow

    def forget(self) -> None:
        """Let the caller's flow take a new snapshot when it next needs one."""
        flow = self.open_flow()
        if flow is not None:
            flow.snapshot = None


_snapshots: WeakKeyDictionary[sa.Engine, _Snapshots] = WeakKeyDictionary()


def keep_snapshots(engine: sa.Engine, on_write: Callable[[], None] | None = None) -> None:
    """Count the writes of ``engine``, whose tables exist, and make :func:`snapshot_of` ready for it.

    ``on_write`` is called before each commit of a transaction that wrote.
    """
    _snapshots[engine] = snapshots = _Snapshots()

    def written() -> None:
        snapshots.forget()
        if on_write is not None:
            on_write()

    count_writes(engine, written)


def on_restore(engine: sa.Engine, forget: Callable[[], None]) -> None:
    """Call ``forget`` when another process has restored a backup: what was read or computed before may be of no row."""
    _snapshots[engine].on_restore.append(forget)


def snapshot_of(engine: sa.Engine) -> Snapshot:
    """Return the snapshot of the flow that the caller is in, or a new one outside a flow."""
    snapshots = _snapshots[engine]
    flow = snapshots.open_flow()
    if flow is None:
        return snapshots.take(engine)
    snapshot = flow.snapshot
    if snapshot is None:
        snapshot = flow.snapshot = snapshots.take(engine)
    return snapshot


@contextmanager
def reading(engine: sa.Engine) -> Iterator[None]:
    """Use one snapshot inside; a flow inside another is part of it.

    What the flow itself writes is seen at once: it then takes a new snapshot. What others write is seen by the next
    flow, so give a long job one for each of its steps.
    """
    snapshots = _snapshots[engine]
    if snapshots.open_flow() is not None:
        yield
        return
    flow = _Flow()
    token = snapshots.flow.set(flow)
    try:
        yield
    finally:
        flow.ended = True
        snapshots.flow.reset(token)


def renew_snapshot(engine: sa.Engine) -> None:
    """Let the caller's flow take a new snapshot: what it reads next must not be older than this moment."""
    if engine in _snapshots:
        _snapshots[engine].forget()
