"""One run over a list: many URLs at once, each to its end, and their pictures into the collection on the way.

In:  the statuses of a list, a fetcher, and what adds pictures. Out: statuses. Everything but the adding happens in one
thread. Finished work is stored at least once a second, so a run that is killed loses no more.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bam_engine.download.fetching import Unchanged
from bam_engine.download.hosts import rewritten
from bam_engine.download.outcomes import OF_THE_HOST, PASSING, Failure, Picture
from bam_engine.download.pacing import PATIENCE, SILENT, Schedule, backoff
from bam_engine.download.settings import Settings
from bam_engine.download.statuses import Statuses, Stored, Waiting
from bam_engine.download.urls import Url, parse_url
from bam_engine.formatting import count, duration
from bam_engine.progress import Report

ADDED_AT_ONCE = 256
"""Pictures that are added to the collection at once."""

_MOST_STORED = 2_048  # pictures that wait for being added; more are not requested meanwhile
_READ_AT_ONCE = 32  # URLs of one host in memory
_OPENED_AT_ONCE = 16  # hosts
_MOST_HOSTS = 2_048  # open at once
_SAVED_EVERY = 1.0  # seconds
_REPORTED_EVERY = 0.25  # seconds
_NOTEWORTHY = 60.0  # seconds that the longest host needs, to be told

Add = Callable[[Sequence[Stored]], list[tuple[int, Failure]]]
"""Adds stored pictures to the collection; returns the ids of those that cannot be added, and why."""


class Fetches(Protocol):
    """What requests one URL."""

    async def fetch(self, url: Url, etag: str = "") -> Picture:
        """Download the picture at a URL."""


class Time:
    """The time that a run goes by; tests have one of their own."""

    def now(self) -> float:
        """Return the seconds of a clock that never goes back."""
        return time.monotonic()

    async def wait(self, event: asyncio.Event, seconds: float, *, idle: bool) -> None:
        """Wait for an event, or for some seconds; if ``idle``, nothing is under way that could set it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)


@dataclass
class _Open:
    """A host whose URLs are requested: the last id that was read, and how fast it goes."""

    urls: int
    since: float
    after: int = 0
    read: bool = False  # to the end
    finished: int = 0
    silent: int = 0  # failures in a row that say that the host does not answer
    gone: bool = False
    name: str = ""

    def seconds_left(self, now: float) -> float:
        """Return the seconds that the rest of its URLs takes at the speed that it has had; 0 while unknown."""
        return (self.urls - self.finished) * (now - self.since) / self.finished if self.finished else 0.0


@dataclass
class Run:
    """One run; the fields from ``done`` on are its own."""

    statuses: Statuses
    fetcher: Fetches
    settings: Settings
    add: Add
    report: Report
    clock: Time = field(default_factory=Time)
    rng: random.Random = field(default_factory=random.Random)
    done: int = 0
    total: int = 0
    stored: int = 0
    failed: int = 0
    added: int = 0

    def __post_init__(self) -> None:
        self._schedule = Schedule[Waiting](self.settings.per_host, self.settings.interval)
        self._open: dict[int, _Open] = {}
        self._last_host = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._outcomes: list[tuple[Waiting, Picture | Failure | None]] = []
        self._error: BaseException | None = None
        self._adding: asyncio.Task[None] | None = None
        self._saved_at = self._reported_at = self._started = self.clock.now()

    async def go(self) -> None:
        """Request every URL that waits, and add every picture that is stored.

        Raises
        ------
        Stopped
            Raised by ``report``; what is finished is stored.
        """
        counts = self.statuses.counts()
        self.total, self.done, self.stored = counts.urls, counts.urls - counts.waiting, counts.stored
        self.statuses.list_hosts(self.settings.hosts)
        self.report(self.done, self.total, "reading")
        try:
            while self._start() or self._tasks or self._adding or self._outcomes or self.stored:
                await self._wait()
                self._save_sometimes()
                self._add_some()
                self._report_sometimes()
        finally:
            await self._end()
        self.report(self.done, self.total, self._message())

    def _start(self) -> bool:
        """Start as many requests as may be; return whether URLs wait for their time."""
        while len(self._tasks) < self.settings.connections and self.stored < _MOST_STORED:
            taken = self._schedule.take(self.clock.now())
            if taken is None:
                if not self._open_hosts():
                    break
                continue
            host, item = taken
            self._read_more(host)
            task = asyncio.create_task(self._request(host, item))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        return self._schedule.wakes_at() is not None

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()

    async def _request(self, host: int, item: Waiting) -> None:
        outcome: Picture | Failure | None
        try:
            url = rewritten(parse_url(item.url), self.settings.hosts)
            self._open[host].name = url.host
            outcome = await self.fetcher.fetch(url, item.etag)
        except Unchanged:
            outcome = None
        except Failure as failure:
            outcome = failure
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the disk is full, or this is a bug: the run ends with it
            self._error = error
            return
        self._finish(host, replace(item, tries=item.tries + 1), outcome)

    @property
    def _is_ending(self) -> bool:
        """Whether nothing is requested any more."""
        return not self._tasks and self._schedule.wakes_at() is None

    # Hosts ------------------------------------------------------------------------------------------------------------

    def _open_hosts(self) -> bool:
        """Open the next hosts; return whether there are any."""
        if len(self._open) >= _MOST_HOSTS:
            return False
        hosts = self.statuses.hosts(self._last_host, _OPENED_AT_ONCE)
        for number, host, urls in hosts:
            self._last_host = number
            self._open[host] = _Open(urls, self.clock.now())
            self._read_more(host)
        return bool(hosts)

    def _read_more(self, host: int) -> None:
        known = self._open[host]
        if known.read or self._schedule.waiting(host) >= _READ_AT_ONCE // 2:
            return
        items = self.statuses.waiting(host, known.after, _READ_AT_ONCE)
        known.read = len(items) < _READ_AT_ONCE
        if items:
            known.after = items[-1].id
            self._schedule.add(host, items)

    def _close(self, host: int) -> None:
        if self._open[host].read and self._schedule.close(host):
            del self._open[host]

    # Outcomes ---------------------------------------------------------------------------------------------------------

    def _finish(self, host: int, item: Waiting, outcome: Picture | Failure | None) -> None:
        """Note what became of a URL, or put it back to be tried again."""
        known = self._open[host]
        self._schedule.finished(host)
        silent = isinstance(outcome, Failure) and outcome.kind in OF_THE_HOST and not outcome.redirected
        known.silent = known.silent + 1 if silent else 0
        if isinstance(outcome, Failure) and self._is_put_back(host, item, outcome):
            return
        self._outcomes.append((item, outcome))
        known.finished += 1
        if not known.gone:
            self.done += 1
            self.failed += isinstance(outcome, Failure)
        self._close(host)

    def _is_put_back(self, host: int, item: Waiting, failure: Failure) -> bool:
        known, now = self._open[host], self.clock.now()
        if known.gone:
            return False
        if known.silent >= SILENT:
            self._leave(host, failure, f"{failure.reason} So it was {SILENT} times in a row: the host was left alone.")
            return False
        if failure.wait is not None and failure.wait > PATIENCE:
            words = f"{failure.reason} It asks to wait {duration(failure.wait)}: the host was left alone."
            self._leave(host, failure, words)
            return False
        if failure.kind not in PASSING:
            return False
        at = now + max(failure.wait or 0.0, backoff(item.tries, self.rng))
        if failure.kind == "busy" or failure.wait is not None:
            self._schedule.pause(host, at)
        if item.tries >= self.settings.tries:
            return False
        self._schedule.add_later(host, item, at)
        return True

    def _leave(self, host: int, failure: Failure, reason: str) -> None:
        """Give up all URLs of a host that wait."""
        known = self._open[host]
        known.gone = known.read = True
        self._schedule.clear(host)
        self._save()
        given_up = self.statuses.give_up(host, Failure(failure.kind, reason, failure.code))
        self.done += given_up
        self.failed += given_up

    def _save_sometimes(self) -> None:
        """Store outcomes once a second, as soon as they are enough to be added, and at the end."""
        due = self.clock.now() - self._saved_at >= _SAVED_EVERY or self._is_ending
        enough = self._adding is None and self.stored + len(self._outcomes) >= ADDED_AT_ONCE
        if self._outcomes and (due or enough):
            self._save()

    def _save(self) -> None:
        self.stored += sum(not isinstance(outcome, Failure) for _, outcome in self._outcomes)
        self.statuses.record(self._outcomes)
        self._outcomes = []
        self._saved_at = self.clock.now()

    # The collection ---------------------------------------------------------------------------------------------------

    def _add_some(self) -> None:
        """Begin to add stored pictures to the collection: many at once, or the last ones."""
        if self._adding is None and self.stored >= (1 if self._is_ending else ADDED_AT_ONCE):
            self._adding = asyncio.create_task(self._add(self.statuses.stored(ADDED_AT_ONCE)))

    async def _add(self, batch: list[Stored]) -> None:
        try:
            failures = await asyncio.to_thread(self.add, batch)
            self._note_added(batch, failures)
        except Exception as error:
            self._error = error
        self._adding = None
        self._changed.set()

    def _note_added(self, batch: list[Stored], failures: list[tuple[int, Failure]]) -> None:
        bad = {number for number, _ in failures}
        self.statuses.added([one.id for one in batch if one.id not in bad], failures)
        self.stored -= len(batch)
        self.failed += len(failures)
        self.added += len(batch) - len(failures)

    # Waiting ----------------------------------------------------------------------------------------------------------

    async def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        now, wakes = self.clock.now(), self._schedule.wakes_at()
        seconds = _REPORTED_EVERY if wakes is None else min(_REPORTED_EVERY, max(0.0, wakes - now))
        if len(self._tasks) >= self.settings.connections or self.stored >= _MOST_STORED:
            seconds = _REPORTED_EVERY
        idle = not self._tasks and self._adding is None
        if idle and wakes is None:
            return
        await self.clock.wait(self._changed, seconds, idle=idle)
        self._changed.clear()
        if self._error is not None:
            raise self._error

    async def _end(self) -> None:
        """Stop what is under way, and store what is finished."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._save()
        if self._adding is not None:
            await self._adding

    def _report_sometimes(self) -> None:
        if self.clock.now() - self._reported_at >= _REPORTED_EVERY:
            self._reported_at = self.clock.now()
            self.report(self.done, self.total, self._message())

    def _message(self) -> str:
        parts = [f"{count(self.added, 'picture')} added"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        now = self.clock.now()
        longest = max(self._open.values(), key=lambda one: one.seconds_left(now), default=None)
        if longest is not None and longest.seconds_left(now) > _NOTEWORTHY:
            parts.append(f"{longest.name} needs {duration(longest.seconds_left(now))} more")
        return ", ".join(parts)
