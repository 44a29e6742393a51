"""A bounded queue for requests that draw: some work, some wait, further ones are turned away.

In:  a request. Out: whether it may work now. A client that disconnects while it waits is skipped; long work stops when
its client disconnects.
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

READY, DISCONNECTED, FULL = "ready", "disconnected", "full"

_BACKGROUND_POLL = 0.02  # seconds between checks whether the queue is idle
_DISCONNECT_POLL = 0.1  # seconds between checks whether a waiting client is still connected


class RequestQueue:
    """A first-in, first-out queue: ``at_once`` requests work, at most ``waiting`` wait, half of them of one client."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self.at_once = at_once
        self.waiting = waiting
        self._working = 0
        self._in_background = 0
        self._queue: list[anyio.Event] = []
        self._of_client: Counter[str] = Counter()

    @asynccontextmanager
    async def slot(self, request: Request, *, background: bool = False) -> AsyncIterator[str]:
        """Wait for a slot and hold it: yield ``READY``, ``DISCONNECTED``, or ``FULL`` where too many wait already.

        A ``background`` request waits until nothing else works or waits; together they take half of the slots at most.
        """
        disconnected = await request.is_disconnected()
        while background and not disconnected and self._is_busy():
            await anyio.sleep(_BACKGROUND_POLL)
            disconnected = await request.is_disconnected()
        if disconnected:
            yield DISCONNECTED
            return
        client = request.client.host if request.client is not None else ""
        if self._working >= self.at_once or self._queue:
            if len(self._queue) >= self.waiting or self._of_client[client] >= max(1, self.waiting // 2):
                yield FULL
                return
            if not await self._wait(request, client):
                yield DISCONNECTED
                return
        else:
            self._working += 1
        self._in_background += background
        try:
            yield READY
        finally:
            self._in_background -= background
            self._release()

    def _is_busy(self) -> bool:
        """Return whether a background request has to wait."""
        half = max(1, self.at_once // 2)
        return bool(self._queue) or self._working > self._in_background or self._in_background >= half

    async def _wait(self, request: Request, client: str) -> bool:
        """Wait in the queue; return False, without a slot, when the client has disconnected."""
        own = anyio.Event()
        self._queue.append(own)
        self._of_client[client] += 1
        connected = False
        try:
            checked = time.monotonic()
            while not own.is_set():
                with anyio.move_on_after(_DISCONNECT_POLL):
                    await own.wait()
                if time.monotonic() - checked >= _DISCONNECT_POLL or own.is_set():
                    checked = time.monotonic()
                    if await request.is_disconnected():
                        return False
            connected = True
            return True
        finally:
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]
            if not connected:
                if own.is_set():
                    self._release()  # the slot came too late
                else:
                    self._queue.remove(own)

    def _release(self) -> None:
        """Free a slot and hand it to the request that has waited longest."""
        self._working -= 1
        if self._queue and self._working < self.at_once:
            self._working += 1
            self._queue.pop(0).set()


async def run_until_disconnected(
    request: Request, work: Callable[[Report], Response], limiter: CapacityLimiter
) -> Response:
    """Return the response of ``work(report)``, run in a thread; ``report`` raises ``Stopped`` after a disconnect."""
    disconnected = threading.Event()

    def report(done: int, total: int | None, message: str = "") -> None:
        if disconnected.is_set():
            raise Stopped("The client has disconnected.")

    async def watch() -> None:
        while not await request.is_disconnected():
            await anyio.sleep(_DISCONNECT_POLL)
        disconnected.set()

    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        try:
            response = await to_thread.run_sync(work, report, limiter=limiter)
        except Exception as error:  # raised below: the group would wrap it
            failure = error
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return response
