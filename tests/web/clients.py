"""A client of an ASGI app that can leave while it waits, and what runs a play of many."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio
from starlette.applications import Starlette

Result = TypeVar("Result")


def run(play: Callable[[], Awaitable[Result]]) -> Result:
    """What ``play`` returns, run in a thread of its own: this one may hold the loop of the browser's tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(anyio.run, play).result()


class Client:
    """One browser asking over ASGI; it can leave."""

    def __init__(self, app: Starlette, host: str = "one") -> None:
        self.app, self.host, self.status, self.left = app, host, 0, anyio.Event()

    async def receive(self) -> dict[str, object]:
        if not self.left.is_set():
            await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            self.status = int(str(message["status"]))

    async def ask(self, path: str = "/tiles/all/density/0/0/0", query: str = "") -> None:
        scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
        scope |= {"client": (self.host, 1), "root_path": "", "scheme": "http", "server": ("here", 80)}
        await self.app(scope, self.receive, self.send)  # type: ignore[arg-type]
