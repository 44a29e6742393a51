"""Taking turns at drawing: some at once, some waiting, the others are told to come again; who has left is passed over.

In:  a request. Out: its turn, or word that there is none; long work, stopped when its client leaves.
"""

import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from bam_engine.errors import Stopped
from bam_engine.progress import Report

TURN, LEFT, FULL = "turn", "left", "full"

_STAND_ASIDE = 0.02  # seconds between two looks whether nobody else works
_LOOK = 0.1  # seconds between two looks whether a waiting client is still there


class Turns:
    """At most ``at_once`` at work, at most ``waiting`` in the queue, and half of those for any one client.

    First come, first served.
    """

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self.at_once = at_once
        self.waiting = waiting
        self._working = 0
        self._patient = 0
        self._queue: list[anyio.Event] = []
        self._of_client: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, request: Request, *, patient: bool = False) -> AsyncIterator[str]:
        """Wait for a turn; give ``turn``, ``left`` when the client went away, or ``full`` when too many wait.

        Who is ``patient`` stands aside while others work or wait, and all of those take half of the turns at most.
        """
        gone = await request.is_disconnected()
        while patient and not gone and self._others():
            await anyio.sleep(_STAND_ASIDE)
            gone = await request.is_disconnected()
        if gone:
            yield LEFT
            return
        client = request.client.host if request.client is not None else ""
        if self._working >= self.at_once or self._queue:
            if len(self._queue) >= self.waiting or self._of_client[client] >= max(1, self.waiting // 2):
                yield FULL
                return
            if not await self._wait(request, client):
                yield LEFT
                return
        else:
            self._working += 1
        self._patient += patient
        try:
            yield TURN
        finally:
            self._patient -= patient
            self._pass_on()

    def _others(self) -> bool:
        """Whether somebody works or waits for whom those who are patient stand aside."""
        return bool(self._queue) or self._working > self._patient or self._patient >= max(1, self.at_once // 2)

    async def _wait(self, request: Request, client: str) -> bool:
        """Wait in the queue; return False, holding no turn, when the client has left."""
        own = anyio.Event()
        self._queue.append(own)
        self._of_client[client] += 1
        here = False
        try:
            looked = time.monotonic()
            while not own.is_set():
                with anyio.move_on_after(_LOOK):
                    await own.wait()
                if time.monotonic() - looked >= _LOOK or own.is_set():
                    looked = time.monotonic()
                    if await request.is_disconnected():
                        return False
            here = True
            return True
        finally:
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]
            if not here:
                if own.is_set():
                    self._pass_on()  # the turn came too late
                else:
                    self._queue.remove(own)

    def _pass_on(self) -> None:
        """Give a turn that has ended to who waits longest: the number of those at work stays the same."""
        self._working -= 1
        if self._queue and self._working < self.at_once:
            self._working += 1
            self._queue.pop(0).set()


async def while_there(request: Request, work: Callable[[Report], Response], limiter: CapacityLimiter) -> Response:
    """Return the answer of ``work(report)``, run in a thread; ``report`` stops it once the client has left."""
    left = threading.Event()

    def report(done: int, total: int | None, message: str = "") -> None:
        if left.is_set():
            raise Stopped("nobody waits for this any longer.")

    async def watch() -> None:
        while not await request.is_disconnected():
            await anyio.sleep(_LOOK)
        left.set()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        answer = await to_thread.run_sync(work, report, limiter=limiter)
        group.cancel_scope.cancel()
    return answer
