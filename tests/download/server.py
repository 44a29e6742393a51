"""A web server in this process whose answers are written byte by byte, so that it can be as wrong as the real web."""

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator

ADDRESS = "127.0.0.7"
"""Of the server: one of this computer that nothing else listens on."""

Send = Callable[[bytes], Awaitable[None]]
Reply = bytes | Callable[[Send], Awaitable[None]]
"""An answer: all its bytes, or what sends them."""


def answer(
    body: bytes = b"", status: int = 200, *, kind: str | None = "image/png", length: int | None = None, **headers: str
) -> bytes:
    """Return an answer with its headers; names of headers are written with underscores."""
    lines = [f"HTTP/1.1 {status} Some reason", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"Content-Type: {kind}"] if kind is not None else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302) -> bytes:
    """Return an answer that leads elsewhere."""
    return answer(b"", status, Location=location)


async def silence(send: Send) -> None:
    """Say nothing until the other side goes away."""
    await asyncio.Event().wait()


def endless(head: bytes) -> Reply:
    """Return an answer that never ends, without a length."""

    async def go_on(send: Send) -> None:
        await send(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + head)
        while True:
            await send(bytes(65536))

    return go_on


class Web:
    """The server: answers by path, several of one path in turn, the last of them for ever; and what it was asked."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.asked: list[tuple[str, str]] = []  # host, path
        self.headers: list[dict[str, str]] = []
        self.sent = 0
        self.most: defaultdict[str, int] = defaultdict(int)  # requests at once, by host
        self._now: defaultdict[str, int] = defaultdict(int)
        self.port = 0
        self._serving: set[asyncio.Task[None] | None] = set()  # the loop alone would not keep them

    def put(self, path: str, *replies: Reply) -> str:
        """Answer a path so; return its URL under the name of a host."""
        self.replies[path] = list(replies)
        return self.url(path)

    def url(self, path: str, host: str = "web.example") -> str:
        """Return the URL of a path."""
        return f"http://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        """Return the paths that were asked for, robots.txt left out."""
        return [path for _, path in self.asked if path != "/robots.txt"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self._serving.add(asyncio.current_task())
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                path = lines[0].split(" ")[1]
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)
                }
                host = headers["host"].rpartition(":")[0]
                self.asked.append((host, path))
                self.headers.append(headers)
                self._now[host] += 1
                self.most[host] = max(self.most[host], self._now[host])
                try:
                    await asyncio.sleep(0)
                    whole = await self._reply(path, writer)
                finally:
                    self._now[host] -= 1
                if not whole:
                    break

    async def _reply(self, path: str, writer: asyncio.StreamWriter) -> bool:
        """Send the answer of a path; return whether the connection may be used further."""
        missing: list[Reply] = [answer(b"nothing here", 404, kind="text/plain")]
        replies = self.replies.get(path, missing)
        reply = replies.pop(0) if len(replies) > 1 else replies[0]

        async def send(content: bytes) -> None:
            self.sent += len(content)
            writer.write(content)
            await writer.drain()

        if isinstance(reply, bytes):
            await send(reply)
            head, _, body = reply.partition(b"\r\n\r\n")
            return f"Content-Length: {len(body)}".encode() in head
        await reply(send)
        return False


@contextlib.contextmanager
def web_server() -> Iterator[Web]:
    """Run a server on a free port."""
    web, ready = Web(), threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        server = await asyncio.start_server(web.serve, ADDRESS, 0)
        web.port = server.sockets[0].getsockname()[1]
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        ready.set()
        await stop.wait()
        server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait()
    try:
        yield web
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()
