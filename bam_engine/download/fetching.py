"""Requesting one URL: robots.txt first, each redirect checked like the first URL, the answer read within the limits.

In:  a URL and a folder. Out: a picture in a file of the folder, or a :class:`Failure`. Knows neither lists nor retries.
"""

import asyncio
import contextlib
import ssl
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

import httpcore2

from bam_engine.collection.images import examine
from bam_engine.download.copies import make_copy
from bam_engine.download.network import CheckedNetwork
from bam_engine.download.outcomes import Failure, Picture
from bam_engine.download.pacing import retry_after
from bam_engine.download.receiving import check_headers, receive, storage_name
from bam_engine.download.robots import EVERYTHING, MAX_BYTES, Robots, opted_out, parse_robots
from bam_engine.download.settings import Settings
from bam_engine.download.urls import Url
from bam_engine.errors import ImageUnreadable

MAX_REDIRECTS = 5
PARTIAL = "partial"
"""The folder of what is being read, below that of the pictures."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ROBOTS_KEPT = 1_000  # hosts whose rules are kept in memory
_IDLE = 15.0  # seconds after which an unused connection is closed

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """The beginning of an answer, and its body as it arrives."""

    status: int
    headers: dict[str, str]
    tags: list[str]
    chunks: AsyncIterator[bytes]


class Unchanged(Exception):
    """The server has the same version as before (304)."""


class Fetcher:
    """Requests URLs; several may be under way at once.

    Parameters
    ----------
    folder
        Where pictures are stored.
    """

    def __init__(self, settings: Settings, folder: Path, network: CheckedNetwork) -> None:
        self._settings, self._folder = settings, folder
        self._pool = httpcore2.AsyncConnectionPool(
            max_connections=settings.connections + settings.per_host,
            max_keepalive_connections=settings.connections,
            keepalive_expiry=_IDLE,
            network_backend=network,
        )
        self._robots: OrderedDict[str, asyncio.Task[Robots]] = OrderedDict()
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def fetch(self, url: Url, etag: str = "") -> Picture:
        """Download the picture at a URL.

        Parameters
        ----------
        etag
            The version that is there already.

        Raises
        ------
        Failure
            There is no picture; the reason says why.
        Unchanged
            The server still has the version ``etag``.
        """
        now, left = asyncio.get_running_loop().time, self._settings.total_seconds
        for hop in range(MAX_REDIRECTS + 1):
            try:
                async with self.turn(url):
                    began = now()
                    found = await self._in_time(url, etag, left)
                    left -= now() - began
            except Failure as failure:
                failure.redirected = hop > 0
                raise
            if isinstance(found, Picture):
                return found
            url = found
        raise Failure("redirects", f"There are more than {MAX_REDIRECTS} redirects.")

    def turn(self, url: Url) -> AbstractAsyncContextManager[None]:
        """Enclose the request of a URL, each redirect's too; waiting for it does not count as time of the request."""
        return nullcontext()

    async def _in_time(self, url: Url, etag: str, seconds: float) -> Picture | Url:
        try:
            async with asyncio.timeout(seconds):
                with _as_failures():
                    return await self._ask(url, etag)
        except TimeoutError as error:
            raise Failure("timeout", "The answer did not arrive in time.") from error

    async def _ask(self, url: Url, etag: str) -> Picture | Url:
        """Return the picture at a URL, or where a redirect leads to."""
        if self._settings.respect_robots:
            await self._check_robots(url)
        async with self._request(url, etag) as answer:
            if answer.status in _REDIRECTS and "location" in answer.headers:
                return url.joined(answer.headers["location"])
            return await self._read(answer, etag)

    async def _read(self, answer: Answer, known: str) -> Picture:
        if answer.status == 304 and known:
            raise Unchanged
        _check_status(answer)
        if self._settings.respect_robots and (directive := opted_out(answer.tags)) is not None:
            raise Failure("opted out", f"The server says {directive!r} (X-Robots-Tag).", answer.status)
        try:
            check_headers(answer.headers, self._settings.max_bytes)
            with self._partial() as partial:
                with partial.open("wb") as file:
                    encoding = answer.headers.get("content-encoding", "")
                    kind = await receive(answer.chunks, encoding, file, self._settings.max_bytes)
                etag = answer.headers.get("etag", "")[:200]
                return await _to_its_end(lambda: self.keep(partial, kind, etag))
        except Failure as failure:
            failure.code = answer.status
            raise

    @contextlib.contextmanager
    def _partial(self) -> Iterator[Path]:
        path = self._folder / PARTIAL / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def keep(self, partial: Path, kind: str, etag: str) -> Picture:
        """Move a file that was read to its place, as it is or as a smaller copy.

        Raises
        ------
        Failure
            It cannot be decoded.
        """
        try:
            if self._settings.shorter_side is not None and make_copy(partial, self._settings.shorter_side):
                kind = "JPEG"
            info = examine(partial)
        except ImageUnreadable as error:
            raise Failure("damaged", str(error)) from error
        name, size = storage_name(info.digest, kind), partial.stat().st_size
        target = self._folder / name
        target.parent.mkdir(exist_ok=True)
        if not (target.exists() and target.stat().st_size == size):  # the same bytes under another URL stay untouched
            partial.replace(target)
        return Picture(name.as_posix(), info.digest, info.width, info.height, size, etag)

    # Robots ---------------------------------------------------------------------------------------------------------

    async def _check_robots(self, url: Url) -> None:
        rules = self._robots.get(url.origin)
        if rules is None or (rules.done() and (rules.cancelled() or rules.exception() is not None)):
            rules = self._robots[url.origin] = asyncio.create_task(self._read_robots(url))
            while len(self._robots) > _ROBOTS_KEPT:
                self._robots.popitem(last=False)
        if not (await asyncio.shield(rules)).allows(url.target):
            raise Failure("robots.txt", f"The robots.txt of {url.host} does not allow it.")

    async def _read_robots(self, url: Url) -> Robots:
        """Return the rules of a server, RFC 9309: none where there is no file; where it fails, nothing is fetched."""
        place = Url(url.scheme, url.host, url.port, "/robots.txt")
        for _ in range(MAX_REDIRECTS + 1):
            async with self._request(place) as answer:
                if answer.status in _REDIRECTS and "location" in answer.headers:
                    place = place.joined(answer.headers["location"])
                    continue
                if answer.status == 429 or answer.status >= 500:
                    _check_status(answer)
                if answer.status != 200:
                    return EVERYTHING
                content = bytearray()
                async for chunk in answer.chunks:
                    content += chunk
                    if len(content) > MAX_BYTES:
                        break
                return parse_robots(bytes(content[:MAX_BYTES]).decode(errors="replace"))
        return EVERYTHING

    # Requests -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _request(self, url: Url, etag: str = "") -> AsyncIterator[Answer]:
        slot = self._slots.get(url.host)
        if slot is None:
            slot = self._slots[url.host] = asyncio.Semaphore(self._settings.per_host)
        settings = self._settings
        waits = {"connect": settings.connect_seconds, "read": settings.read_seconds, "write": settings.read_seconds}
        async with (
            slot,
            self._pool.stream(
                "GET",
                httpcore2.URL(
                    scheme=url.scheme.encode(), host=url.host.encode(), port=url.port, target=url.target.encode()
                ),
                headers=self._headers(url, etag),
                extensions={"timeout": waits},
            ) as response,
        ):
            pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers]
            tags = [value for name, value in pairs if name == "x-robots-tag"]
            yield Answer(response.status, dict(pairs), tags, response.aiter_stream())

    def _headers(self, url: Url, etag: str) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"Host", url.origin.partition("//")[2].encode()),
            (b"User-Agent", self._settings.user_agent.encode()),
            (b"Accept", b"image/*,*/*;q=0.1"),
            (b"Accept-Encoding", b"identity"),
        ]
        return [*headers, (b"If-None-Match", etag.encode("latin-1"))] if etag else headers


async def _to_its_end(work: Callable[[], T]) -> T:
    """Do work in a thread; who is cancelled waits for its end, since it goes on with its file and its processor."""
    running = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # nobody asks for it any more
        raise


def _check_status(answer: Answer) -> None:
    """Raise what the status of an answer says, unless it is a whole picture."""
    status = answer.status
    if status == 200:
        return
    wait = retry_after(answer.headers.get("retry-after"))
    kind = "status"
    if status in (404, 410):
        kind = "not found"
    elif status in (401, 403, 451):
        kind = "forbidden"
    elif status == 429:
        kind = "busy"
    elif status >= 500:
        kind = "server error"
    raise Failure(kind, f"The server answers with the status {status}.", status, wait)


@contextlib.contextmanager
def _as_failures() -> Iterator[None]:
    """Turn what the network raises into failures."""
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise Failure("timeout", "The server did not answer in time.") from error
    except httpcore2.RemoteProtocolError as error:
        early = "without sending" in str(error) and "response" not in str(error)
        kind = "incomplete" if early else "connection"
        raise Failure(kind, f"The answer is not one of HTTP, or ended early ({error}).") from error
    except httpcore2.ReadError as error:
        raise Failure("incomplete", "The connection broke while the answer was read.") from error
    except httpcore2.ConnectError as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise Failure("certificate", f"The connection is not secure ({error.__cause__.reason}).") from error
        raise Failure("connection", f"The host cannot be reached ({str(error).strip() or 'no connection'}).") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise Failure("connection", f"The connection failed ({str(error).strip() or type(error).__name__}).") from error
