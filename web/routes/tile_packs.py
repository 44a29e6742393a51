"""Many tiles in one response, streamed as they are drawn: for a browser, requests cost more than bytes.

In:  a request, its tiles, a function that draws one, and the queue.
Out: a streaming response, which ends early when its client disconnects.

Each tile is sent as its index in the request (uint16), its size in bytes (uint32), both little-endian, and its bytes.
Tiles come in the order in which they are finished.
"""

import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.routes.replies import reply_to
from web.routes.request_queue import FULL, READY, RequestQueue

Tile = tuple[int, int, int]
"""Zoom, column, row."""

MAX_TILES = 64
"""Tiles in one response."""

_RETRY_AFTER = 0.1  # seconds between attempts to get a slot
_HEAD = struct.Struct("<HI")


class TilePack(Response):
    """A streaming response with several tiles.

    Parameters
    ----------
    tiles : sequence of (z, x, y)
        In the order in which drawing starts.
    draw : callable
        Tile to its bytes, called in a thread; None where the map has no such tile.
    queue, limiter
        Limit how many tiles are drawn at once.
    headers : dict
        Headers of the response.
    missing, full : Response
        Sent instead where the map has no such tiles, or too many wait.
    ahead : bool
        Prefetching: the tiles are drawn only while nothing else is drawn or waits.
    """

    def __init__(
        self,
        request: Request,
        tiles: Sequence[Tile],
        draw: Callable[[Tile], bytes | None],
        *,
        queue: RequestQueue,
        limiter: CapacityLimiter,
        headers: dict[str, str],
        missing: Response,
        full: Response,
        ahead: bool = False,
    ) -> None:
        super().__init__(headers=headers, media_type="application/octet-stream")
        del self.headers["content-length"]  # not known yet
        self._request, self._draw = request, draw
        self._queue, self._limiter, self._ahead = queue, limiter, ahead
        self._missing, self._full = missing, full
        self._waiting = deque(enumerate(tiles))
        self._instead: Response | None = None
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Draw and send the tiles, several at once."""
        workers = min(self._queue.at_once, len(self._waiting))
        lock = anyio.Lock()
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(self._work, group, lock, send)
        if self._started:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif self._instead is not None:
            await self._instead(scope, receive, send)

    async def _work(self, group: Any, lock: anyio.Lock, send: Send) -> None:
        while self._waiting:
            index, tile = self._waiting.popleft()
            body = None
            async with self._queue.slot(self._request, background=self._ahead) as status:
                if status == READY:
                    body = await self._drawn(tile)
            if status == FULL and self._started:
                self._waiting.appendleft((index, tile))
                await anyio.sleep(_RETRY_AFTER)
            elif body is None:
                self._instead = {FULL: self._full, READY: self._missing}.get(status)
                group.cancel_scope.cancel()
            else:
                await self._send_tile(lock, send, index, body)

    async def _drawn(self, tile: Tile) -> bytes | None:
        """Return a tile; where a store fails, note the response that says so."""
        try:
            return await to_thread.run_sync(self._draw, tile, limiter=self._limiter)
        except Exception as error:
            reply = reply_to(error)
            if reply is None:
                raise
            self._missing = reply
            return None

    async def _send_tile(self, lock: anyio.Lock, send: Send, index: int, body: bytes) -> None:
        async with lock:
            if not self._started:
                self._started = True
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": _HEAD.pack(index, len(body)) + body, "more_body": True})
