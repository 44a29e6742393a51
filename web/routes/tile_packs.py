"""Many tiles in one answer, each sent as soon as it is drawn: a browser pays for every request more than for bytes.

In:  a request, the tiles that it asks for, how one is drawn, and turns at drawing.
Out: an answer that goes on while tiles are drawn, and ends early when its client leaves.

Each tile is its number among those asked for (2 bytes), how many bytes it has (4 bytes), and these; the smallest byte
of a number first. They come in the order in which they are ready.
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

from web.routes.turns import FULL, TURN, Turns

Tile = tuple[int, int, int]
"""Zoom, column, row."""

MOST = 64
"""Tiles in one answer."""

_AGAIN = 0.1  # seconds until a turn is asked for again
_HEAD = struct.Struct("<HI")


class TilePack(Response):
    """The tiles of one answer.

    Parameters
    ----------
    tiles : sequence of (z, x, y)
        The first are drawn first.
    draw : callable
        A tile to its bytes, in a thread; None where there is nothing of its kind.
    turns, limiter
        What drawing waits for.
    headers : dict
        Of the answer.
    missing, full : Response
        The answer instead, where there is nothing of this kind, or too many wait.
    ahead : bool
        They are not in sight yet: drawn only while nobody else draws or waits.
    """

    def __init__(
        self,
        request: Request,
        tiles: Sequence[Tile],
        draw: Callable[[Tile], bytes | None],
        *,
        turns: Turns,
        limiter: CapacityLimiter,
        headers: dict[str, str],
        missing: Response,
        full: Response,
        ahead: bool = False,
    ) -> None:
        super().__init__(headers=headers, media_type="application/octet-stream")
        del self.headers["content-length"]  # not known yet
        self._request, self._draw = request, draw
        self._turns, self._limiter, self._ahead = turns, limiter, ahead
        self._missing, self._full = missing, full
        self._waiting = deque(enumerate(tiles))
        self._instead: Response | None = None
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the tiles, several being drawn at once."""
        workers = min(self._turns.at_once, len(self._waiting))
        saying = anyio.Lock()
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(self._work, group, saying, send)
        if self._begun:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif self._instead is not None:
            await self._instead(scope, receive, send)

    async def _work(self, group: Any, saying: anyio.Lock, send: Send) -> None:
        while self._waiting:
            number, tile = self._waiting.popleft()
            body = None
            async with self._turns.turn(self._request, patient=self._ahead) as word:
                if word == TURN:
                    body = await to_thread.run_sync(self._draw, tile, limiter=self._limiter)
            if word == FULL and self._begun:
                self._waiting.appendleft((number, tile))
                await anyio.sleep(_AGAIN)
            elif body is None:
                self._instead = {FULL: self._full, TURN: self._missing}.get(word)
                group.cancel_scope.cancel()
            else:
                await self._say(saying, send, number, body)

    async def _say(self, saying: anyio.Lock, send: Send, number: int, body: bytes) -> None:
        async with saying:
            if not self._begun:
                self._begun = True
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": _HEAD.pack(number, len(body)) + body, "more_body": True})
