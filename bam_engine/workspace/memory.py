"""What a workspace keeps in memory because computing it again takes time: typed, versioned and bounded.

A :class:`Kind` is declared next to the function that uses it and says what it is, what its values belong to, until when
they hold and how many are kept; docs/caches.md lists all of them. Nothing here is needed: :meth:`Memory.clear` costs
time alone. State that cannot be recomputed belongs elsewhere: in the database, or in :meth:`Workspace.state`.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, eq=False)
class Kind(Generic[T]):
    """A kind of cached values; two kinds are different however they are described.

    Attributes
    ----------
    name
        What a value is, in the plural.
    of
        What it belongs to, the subject: ``"attribute"``, say.
    until
        When a value is out of date, which its version tells.
    limit
        Values that are kept; the least recently used is dropped first.
    max_bytes
        Bytes of all values, where ``size`` gives those of one; the newest is kept whatever its size.

    Examples
    --------
    >>> LENGTHS = Kind[int]("lengths", of="file", until="it is written", limit=100)
    """

    name: str
    of: str
    until: str
    limit: int
    max_bytes: int | None = None
    size: Callable[[T], int] | None = field(default=None, repr=False)


@dataclass
class _Entry(Generic[T]):
    value: T
    version: object
    size: int
    checked: float  # when the version was last known to be current

    @property
    def age(self) -> float:
        return time.monotonic() - self.checked


@dataclass
class _Turn:
    """The turn to make the value of one subject: callers hold the lock in turn; ``users`` hold or wait for it."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    users: int = 0
    forgotten: bool = False  # since the value that is being made was begun


class Memory:
    """Cached values by kind and subject. Safe for threads: a value is made once, and only those who need it wait.

    Values are shared, so nobody may change them.

    Examples
    --------
    >>> memory = Memory()
    >>> LENGTHS = Kind[int]("lengths", of="text", until="it is edited", limit=2)
    >>> memory.get(LENGTHS, "title", 1, lambda: len("A map"))
    5
    >>> memory.get(LENGTHS, "title", 1, lambda: len("not computed: this version is known"))
    5
    >>> memory.get(LENGTHS, "title", 2, lambda: len("The map"))
    7
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of the fields below; held only briefly
        self._entries: dict[Kind[Any], OrderedDict[Hashable, _Entry[Any]]] = {}
        self._turns: dict[tuple[Kind[Any], Hashable], _Turn] = {}

    def get(self, kind: Kind[T], subject: Hashable, version: object, make: Callable[[], T]) -> T:
        """Return the value of ``subject``, made by ``make()`` unless that of an equal ``version`` is known.

        Of simultaneous callers, one makes it and the others wait. An exception of ``make`` is raised and not cached:
        the next caller tries again.
        """
        entry = self._find(kind, subject)
        if entry is None or entry.version != version:
            return self.get_within(kind, subject, 0.0, lambda: version, lambda _: make())
        entry.checked = time.monotonic()
        return entry.value

    def get_within(
        self, kind: Kind[T], subject: Hashable, seconds: float, version: Callable[[], V], make: Callable[[V], T]
    ) -> T:
        """Return the value of ``subject`` as :meth:`get`, but ask for its version at most once in ``seconds``.

        Of simultaneous callers, one asks. ``make`` is called with the version.
        """
        entry = self._find(kind, subject)
        if entry is not None and entry.age < seconds:
            return entry.value
        with self._turn(kind, subject) as turn:
            entry = self._find(kind, subject)  # another caller may have checked or made it meanwhile
            if entry is not None and entry.age < seconds:
                return entry.value
            current = version()
            if entry is not None and entry.version == current:
                entry.checked = time.monotonic()
                return entry.value
            with self._lock:
                turn.forgotten = False
            value = make(current)
            with self._lock:
                if not turn.forgotten:
                    self._store(kind, subject, current, value)
            return value

    def put(self, kind: Kind[T], subject: Hashable, version: object, value: T) -> T:
        """Store a value that is known already, and return it."""
        with self._lock:
            self._store(kind, subject, version, value)
        return value

    def peek(self, kind: Kind[T], subject: Hashable) -> T | None:
        """Return the value of ``subject`` of whatever version, without waiting; None if there is none."""
        entry = self._find(kind, subject)
        return None if entry is None else entry.value

    def age(self, kind: Kind[T], subject: Hashable) -> float:
        """Return the seconds since the version of ``subject`` was last checked; infinity if there is no value."""
        entry = self._find(kind, subject)
        return math.inf if entry is None else entry.age

    def forget(self, kind: Kind[T], subject: Hashable) -> None:
        """Drop the value of ``subject``; one that is being made is not cached."""
        with self._lock:
            self._entries.get(kind, OrderedDict()).pop(subject, None)
            if turn := self._turns.get((kind, subject)):
                turn.forgotten = True

    def clear(self) -> None:
        """Drop every value; those that are being made are not cached."""
        with self._lock:
            self._entries.clear()
            for turn in self._turns.values():
                turn.forgotten = True

    def subjects(self, kind: Kind[T]) -> tuple[Hashable, ...]:
        """Return the subjects with a value, least recently used first."""
        with self._lock:
            return tuple(self._entries.get(kind, ()))

    def _find(self, kind: Kind[T], subject: Hashable) -> _Entry[T] | None:
        with self._lock:
            entries = self._entries.get(kind)
            if entries is None or subject not in entries:
                return None
            entries.move_to_end(subject)
            return entries[subject]

    def _store(self, kind: Kind[T], subject: Hashable, version: object, value: T) -> None:
        """Store a value and drop the least recently used beyond the limits. The caller holds the lock."""
        entries = self._entries.setdefault(kind, OrderedDict())
        size = 0 if kind.size is None else kind.size(value)
        entries[subject] = _Entry(value, version, size, time.monotonic())
        entries.move_to_end(subject)
        total = sum(entry.size for entry in entries.values())
        while len(entries) > 1 and (len(entries) > kind.limit or total > (kind.max_bytes or math.inf)):
            total -= entries.popitem(last=False)[1].size

    @contextmanager
    def _turn(self, kind: Kind[T], subject: Hashable) -> Iterator[_Turn]:
        with self._lock:
            turn = self._turns.setdefault((kind, subject), _Turn())
            turn.users += 1
        try:
            with turn.lock:
                yield turn
        finally:
            with self._lock:
                turn.users -= 1
                if not turn.users:
                    del self._turns[kind, subject]
