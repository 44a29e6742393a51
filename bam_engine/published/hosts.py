"""Which host may be asked now for pictures of BAM's file: two requests at once, in turn, none while it is left alone.

In:  the names of hosts, and what became of requests to them. Out: turns. A redirect's host is one like any other. What
is known of hosts outlives a change of settings.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bam_engine.download.outcomes import OF_THE_HOST, Failure
from bam_engine.formatting import duration

AT_ONCE = 8
"""Requests at once, to all hosts."""

PER_HOST = 2
"""Requests at once to one host."""

INTERVAL = 0.1
"""Seconds between the starts of two requests to one host."""

SILENT = 5
"""Failures in a row after which a host is taken not to answer."""

LEFT_ALONE = 600.0
"""Seconds for which such a host is asked nothing; one that asks to wait, for as long as it asks, up to a day."""

_BUSY = 60.0  # seconds for a host that is busy and does not say how long
_LONGEST = 24 * 3600.0
_MOST_HOSTS = 10_000


class LeftAlone(Failure):
    """A failure that says more of a host, which is left alone for now, than of a picture."""


@dataclass
class _Host:
    """What is known of a host: when it may be asked next, and until when it is left alone."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PER_HOST))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    taken: int = 0  # turns that somebody has or waits for
    not_before: float = 0.0
    alone_until: float = 0.0
    why: str = ""
    silent: int = 0  # failures in a row


class Hosts:
    """The turns of all hosts; to be used from one event loop."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait until a host may be asked; what is known of it from then on is told by a failure that is raised within.

        Raises
        ------
        LeftAlone
            The host is left alone, or is so from now on, since the failure that was raised within says so.
        """
        host = self._host(name)
        host.taken += 1
        try:
            async with host.slots, self._slots:
                await self._wait(host)
                try:
                    yield
                except Failure as failure:
                    if self._leave_alone(host, failure):
                        raise LeftAlone(failure.kind, failure.reason, failure.code, failure.wait) from failure
                    raise
                host.silent = 0
        finally:
            host.taken -= 1

    def _host(self, name: str) -> _Host:
        if len(self._hosts) >= _MOST_HOSTS:
            now = asyncio.get_running_loop().time()
            self._hosts = {key: one for key, one in self._hosts.items() if one.alone_until > now or one.taken}
        return self._hosts.setdefault(name, _Host())

    async def _wait(self, host: _Host) -> None:
        """Wait until a host may be asked; raise where it is left alone."""
        now = asyncio.get_running_loop().time
        async with host.turn:
            await asyncio.sleep(max(0.0, host.not_before - now()))
            if (left := host.alone_until - now()) > 0:
                raise LeftAlone("busy", f"{host.why} The host is left alone for another {duration(left)}.", wait=left)
            host.not_before = now() + INTERVAL

    def _leave_alone(self, host: _Host, failure: Failure) -> bool:
        """Note what a failure says of a host; return whether it is left alone from now on."""
        host.silent = host.silent + 1 if failure.kind in OF_THE_HOST else 0
        seconds = 0.0
        if failure.kind == "busy" or failure.wait is not None:
            seconds = min(_LONGEST, max(_BUSY, failure.wait or 0.0))
        elif host.silent >= SILENT:
            seconds = LEFT_ALONE
        if seconds:
            host.alone_until, host.why = asyncio.get_running_loop().time() + seconds, failure.reason
        return bool(seconds)
