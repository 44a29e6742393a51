"""Which URL is requested next: many hosts at once, few requests to each, and none before its time.

In:  items by host, what became of them, and the time. Out: the next item. Pure: the clock comes in.
"""

import heapq
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")

FIRST_WAIT = 1.0
"""Seconds before the second try of a URL, at most; each further one takes twice as long."""

LONGEST_WAIT = 60.0
"""Seconds before a further try, at most."""

PATIENCE = 300.0
"""Seconds that a server may ask to wait; one that asks for more is left alone in this run."""

SILENT = 20
"""Failures in a row after which a host that has given nothing is taken to be gone."""


def backoff(tries: int, rng: random.Random) -> float:
    """Return the seconds before a further try after ``tries`` ones: twice as long each time, half of it by chance.

    Examples
    --------
    >>> 2 <= backoff(3, random.Random(0)) <= 4
    True
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 30))
    return longest * rng.uniform(0.5, 1)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a header Retry-After asks to wait, as a number or a date; None where it says neither.

    Examples
    --------
    >>> retry_after("120"), retry_after("soon"), retry_after(None)
    (120.0, None, None)
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), 1e9)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


@dataclass
class _Host(Generic[T]):
    """The items of one host; those of ``later`` wait for their own time."""

    queue: deque[T] = field(default_factory=deque)
    later: list[tuple[float, int, T]] = field(default_factory=list)
    busy: int = 0
    not_before: float = 0.0
    ticket: int = -1  # of the entry of the heap that counts

    def ready_at(self) -> float:
        own = self.not_before if self.queue else self.later[0][0]
        return max(self.not_before, own)

    def next_item(self, now: float) -> T:
        if self.later and (self.later[0][0] <= now or not self.queue):
            return heapq.heappop(self.later)[2]
        return self.queue.popleft()


class Schedule(Generic[T]):
    """The open hosts with their items. Times are seconds of one clock.

    Parameters
    ----------
    per_host
        The items of one host that are under way at once, at most.
    interval
        Seconds between the starts of two requests to one host.

    Examples
    --------
    >>> schedule = Schedule[str](per_host=1)
    >>> schedule.add(1, ["a", "b"])
    >>> schedule.take(0), schedule.take(0)
    ((1, 'a'), None)
    """

    def __init__(self, per_host: int, interval: float = 0.0) -> None:
        self._per_host, self._interval = per_host, interval
        self._hosts: dict[int, _Host[T]] = {}
        self._heap: list[tuple[float, int, int]] = []
        self._tickets = count()

    def __len__(self) -> int:
        return len(self._hosts)

    def waiting(self, host: int) -> int:
        """Return how many items of a host wait for their turn."""
        known = self._hosts.get(host)
        return len(known.queue) + len(known.later) if known else 0

    def add(self, host: int, items: Iterable[T]) -> None:
        """Put items behind those that wait."""
        self._hosts.setdefault(host, _Host()).queue.extend(items)
        self._enter(host)

    def add_later(self, host: int, item: T, at: float) -> None:
        """Put an item back that is not to be taken before a time."""
        heapq.heappush(self._hosts.setdefault(host, _Host()).later, (at, next(self._tickets), item))
        self._enter(host)

    def pause(self, host: int, until: float) -> None:
        """Take no item of a host before a time."""
        known = self._hosts.setdefault(host, _Host())
        known.not_before = max(known.not_before, until)
        self._enter(host)

    def take(self, now: float) -> tuple[int, T] | None:
        """Return the host and the item that is next, in turn among hosts, or None if none may be requested now."""
        while self._heap and self._heap[0][0] <= now:
            _, ticket, host = heapq.heappop(self._heap)
            known = self._hosts.get(host)
            if known is None or known.ticket != ticket:
                continue
            item = known.next_item(now)
            known.busy += 1
            known.not_before = max(known.not_before, now + self._interval)
            self._enter(host)
            return host, item
        return None

    def finished(self, host: int) -> None:
        """Note that an item of a host is no longer under way."""
        self._hosts[host].busy -= 1
        self._enter(host)

    def wakes_at(self) -> float | None:
        """Return the time of the next item that can be taken before any other finishes, or None."""
        while self._heap:
            at, ticket, host = self._heap[0]
            if host in self._hosts and self._hosts[host].ticket == ticket:
                return at
            heapq.heappop(self._heap)
        return None

    def clear(self, host: int) -> list[T]:
        """Take all waiting items of a host out, and return them."""
        known = self._hosts.get(host)
        if known is None:
            return []
        items = [*known.queue, *(item for _, _, item in known.later)]
        known.queue.clear()
        known.later.clear()
        known.ticket = -1
        return items

    def close(self, host: int) -> bool:
        """Forget a host that has no items and none under way; return whether that was so."""
        known = self._hosts.get(host)
        if known is None or known.busy or known.queue or known.later:
            return False
        del self._hosts[host]
        return True

    def _enter(self, host: int) -> None:
        """Give a host a place in the heap, instead of the one that it has."""
        known = self._hosts[host]
        known.ticket = -1
        if known.busy < self._per_host and (known.queue or known.later):
            known.ticket = next(self._tickets)
            heapq.heappush(self._heap, (known.ready_at(), known.ticket, host))
