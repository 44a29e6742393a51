"""A cache of the values that were used last."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """At most ``limit`` values by key; the least recently used is dropped first.

    Threads may share it: a value is made once, and only those who need it wait.

    Examples
    --------
    >>> lengths = LruCache[str, int](2)
    >>> lengths.get("map", lambda: len("map")), lengths.get("map", lambda: 0)
    (3, 3)
    """

    def __init__(self, limit: int, values: Iterable[tuple[K, V]] = ()) -> None:
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict(values)
        self._making: dict[K, threading.Lock] = {}
        self._lock = threading.Lock()  # of the fields above; held only briefly

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key, made by ``make()`` if there is none; what that raises is not cached."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            turn = self._making.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            try:
                value = make()
            except BaseException:
                with self._lock:
                    self._making.pop(key, None)
                raise
            with self._lock:
                self._making.pop(key, None)
                self._values[key] = value
                while len(self._values) > self._limit:
                    self._values.popitem(last=False)
        return value

    def items(self) -> list[tuple[K, V]]:
        """Return the keys and values, least recently used first."""
        with self._lock:
            return list(self._values.items())

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._values
