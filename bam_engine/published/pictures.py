"""Pictures of BAM's file from their URLs: fetched only where an owner has switched that on, politely, and kept small.

In:  the number of an image of the file. Out: a WebP picture, or a :class:`Failure` that says why there is none. The
rules are those of every download here: private addresses are refused at each hop, the address that was checked is
connected to, robots.txt and X-Robots-Tag decide, and type and size are limited. A host that asks to wait, or does not
answer several times in a row, is left alone for a while.
"""

import asyncio
import io
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bam_engine.collection import read_image
from bam_engine.database import read_setting, write_setting
from bam_engine.download.addresses import allowed_networks
from bam_engine.download.fetching import PARTIAL, Fetcher
from bam_engine.download.hosts import rewritten
from bam_engine.download.network import CheckedNetwork, Resolve, resolve
from bam_engine.download.outcomes import OF_THE_HOST, Failure, Picture
from bam_engine.download.settings import Settings
from bam_engine.download.urls import Url, parse_url
from bam_engine.errors import ImageUnreadable, NotFound
from bam_engine.files import PRIVATE_FOLDER
from bam_engine.formatting import duration
from bam_engine.published.arrays import PICTURES, Arrays
from bam_engine.published.lines import read_modules
from bam_engine.published.picture_cache import PictureCache
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

SETTING = "bam_file_pictures"
"""The setting that says how pictures are fetched; without it, nothing is."""

SIDE = 512
"""The longest side of a stored picture in pixels."""

AT_ONCE = 8
INTERVAL = 0.1
"""Seconds between the starts of two requests to one host."""

SILENT = 5
"""Failures in a row after which a host is taken not to answer."""

LEFT_ALONE = 600.0
"""Seconds for which such a host, or one that asks to wait, is asked nothing; as long as it asks, up to a day."""

_BUSY = 60.0  # seconds for a host that is busy and does not say how long
_LONGEST = 24 * 3600.0
_MOST_HOSTS = 10_000
_LIMITS = Settings(
    connections=AT_ONCE,
    per_host=2,
    max_bytes=20_000_000,
    tries=1,
    connect_seconds=5.0,
    read_seconds=10.0,
    total_seconds=20.0,
)


def picture_settings(workspace: Workspace) -> Settings | None:
    """Return how pictures are fetched; None where that is switched off, as it is at first."""
    stored = read_setting(workspace.engine, SETTING)
    return None if stored is None else replace(_LIMITS, contact=stored["contact"], hosts=stored["hosts"])


def switch_on(workspace: Workspace, *, contact: str = "", hosts: Mapping[str, str] | None = None) -> None:
    """Fetch the pictures of BAM's file from here on when somebody looks at them.

    Parameters
    ----------
    contact
        How whoever runs a server reaches you; it is sent with every request.
    hosts
        Which host is asked instead of which; see :mod:`bam_engine.download.hosts`.

    Raises
    ------
    CollectionError
        The contact cannot be sent.
    """
    settings = replace(_LIMITS, contact=contact, hosts=dict(hosts or {}))
    write_setting(workspace.engine, SETTING, {"contact": settings.contact, "hosts": settings.hosts})


def switch_off(workspace: Workspace) -> None:
    """Fetch no picture any more; those that were fetched stay in the cache, and are not shown."""
    write_setting(workspace.engine, SETTING, None)


_HOSTS = Kind[tuple[tuple[str, int], ...]]("hosts of BAM's file", of="workspace", until="the file changes", limit=1)


def hosts_of(workspace: Workspace, arrays: Arrays) -> tuple[tuple[str, int], ...]:
    """Return the hosts of the URLs of a file, and how many of its images each has, most first.

    Raises
    ------
    CollectionError
        The file cannot be read, or has changed since its arrays were made.
    """
    return workspace.memory.get(_HOSTS, None, arrays.key, lambda: _hosts_of(arrays))


def _hosts_of(arrays: Arrays) -> tuple[tuple[str, int], ...]:
    images: dict[str, int] = {}
    upto = "instr(substr(src, 9) || '/', '/') + 7"  # the first slash behind https:// or http://
    with arrays.connection() as connection:
        query = f"SELECT substr(src, 1, {upto}), count(*) FROM modules WHERE src LIKE 'http%' GROUP BY 1"
        for origin, number in connection.execute(query):
            try:
                host = parse_url(str(origin)).host
            except Failure:
                continue
            images[host] = images.get(host, 0) + number
    return tuple(sorted(images.items(), key=lambda item: (-item[1], item[0])))


def url_of(arrays: Arrays, mid: int, settings: Settings) -> Url:
    """Return the URL that is requested for an image of the file.

    Raises
    ------
    NotFound
        The file has no such image.
    Failure
        It has no URL of the web.
    CollectionError
        The file cannot be read, or has changed since its arrays were made.
    """
    position = int(np.searchsorted(arrays.mids, mid))
    if position == len(arrays) or arrays.mids[position] != mid:
        raise NotFound(f"{arrays.file.name} has no image {mid}.")
    with arrays.connection() as connection:
        url = _url(connection, mid)
    if not url:
        raise Failure("bad url", "The file has no URL of this image.")
    return rewritten(parse_url(url), settings.hosts)


def _url(connection: sqlite3.Connection, mid: int) -> str:
    url, *_ = read_modules(connection, [mid]).get(mid, ("",))
    return str(url or "")


@dataclass
class _Host:
    """What is known of a host: when it may be asked next, and until when it is left alone."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    not_before: float = 0.0
    alone_until: float = 0.0
    why: str = ""
    silent: int = 0  # failures in a row


class _SmallPictures(Fetcher):
    """Stores what it reads as a small WebP picture below the folder, for whoever asked to take it from there."""

    def __init__(self, settings: Settings, folder: Path, network: CheckedNetwork) -> None:
        super().__init__(settings, folder, network)
        self._target = folder

    def keep(self, partial: Path, kind: str, etag: str) -> Picture:
        """Make a picture small."""
        try:
            image = read_image(partial, size=SIDE)
        except ImageUnreadable as error:
            raise Failure("damaged", str(error)) from error
        image.thumbnail((SIDE, SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=82, method=3)
        name = Path(PARTIAL, f"{uuid.uuid4().hex}.webp")
        (self._target / name).write_bytes(buffer.getvalue())
        return Picture(name.as_posix(), "", image.width, image.height, len(buffer.getvalue()), etag)


class FilePictures:
    """Fetches pictures and keeps them; to be used from one event loop.

    Parameters
    ----------
    folder
        Where the pictures are kept.
    """

    def __init__(
        self, folder: Path, settings: Settings, *, resolver: Resolve = resolve, cache: PictureCache | None = None
    ) -> None:
        self.cache = cache or PictureCache(folder)
        self._folder, self._settings = folder, settings
        self._fetcher = _SmallPictures(settings, folder, CheckedNetwork(allowed_networks(), resolver))
        self._hosts: dict[str, _Host] = {}
        self._coming: dict[str, asyncio.Task[bytes]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def picture(self, url: Url) -> bytes:
        """Return the picture at a URL, which is requested once at a time, and not while it is in the cache.

        Raises
        ------
        Failure
            There is none, or its host is left alone for now.
        """
        stored = await asyncio.to_thread(self.cache.read, url.text)
        if stored is not None:
            return stored
        task = self._coming.get(url.text)
        if task is None:
            task = self._coming[url.text] = asyncio.create_task(self._fetched(url))
        return await asyncio.shield(task)

    async def _fetched(self, url: Url) -> bytes:
        """Fetch a picture; connections are closed once no other is under way."""
        try:
            async with self._slots:
                return await self._ask(url)
        finally:
            del self._coming[url.text]
            if not self._coming:
                await self._fetcher.aclose()

    async def _ask(self, url: Url) -> bytes:
        host = self._host(url.host)
        await self._wait_for_turn(host)
        await asyncio.to_thread((self._folder / PARTIAL).mkdir, PRIVATE_FOLDER, parents=True, exist_ok=True)
        try:
            found = await self._fetcher.fetch(url)
        except Failure as failure:
            if not self._leave_alone(host, failure):
                await asyncio.to_thread(self.cache.note, url.text, failure)
            raise
        host.silent = 0
        return await asyncio.to_thread(self._store, url.text, found)

    def _store(self, url: str, found: Picture) -> bytes:
        path = self._folder / found.file
        content = path.read_bytes()
        path.unlink()
        self.cache.keep(url, content)
        return content

    def _host(self, name: str) -> _Host:
        if len(self._hosts) >= _MOST_HOSTS:
            now = asyncio.get_running_loop().time()
            kept = {key: one for key, one in self._hosts.items() if one.alone_until > now or one.turn.locked()}
            self._hosts = kept
        return self._hosts.setdefault(name, _Host())

    async def _wait_for_turn(self, host: _Host) -> None:
        """Wait until a host may be asked; raise where it is left alone."""
        now = asyncio.get_running_loop().time
        async with host.turn:
            if (left := host.alone_until - now()) > 0:
                raise Failure("busy", f"{host.why} The host is left alone for another {duration(left)}.", wait=left)
            await asyncio.sleep(max(0.0, host.not_before - now()))
            host.not_before = now() + INTERVAL

    def _leave_alone(self, host: _Host, failure: Failure) -> bool:
        """Note what a failure says of a host; return whether it is left alone from now on."""
        now = asyncio.get_running_loop().time()
        gone = failure.kind in OF_THE_HOST and not failure.redirected
        host.silent = host.silent + 1 if gone else 0
        seconds = 0.0
        if failure.kind == "busy" or failure.wait is not None:
            seconds = min(_LONGEST, max(_BUSY, failure.wait or 0.0))
        elif host.silent >= SILENT:
            seconds = LEFT_ALONE
        if seconds and not failure.redirected:
            host.alone_until, host.why = now + seconds, failure.reason
        return bool(seconds)


class PictureServer:
    """The one :class:`FilePictures` of a workspace; another one where settings change, or the event loop is another."""

    def __init__(self) -> None:
        self._made: tuple[object, FilePictures] | None = None

    async def picture(self, workspace: Workspace, url: Url, settings: Settings, *, resolver: Resolve) -> bytes:
        """Return the picture at a URL; see :meth:`FilePictures.picture`."""
        state = asyncio.get_running_loop(), settings, resolver
        if self._made is None or self._made[0] != state:
            self._made = state, FilePictures(workspace.cache / PICTURES, settings, resolver=resolver)
        return await self._made[1].picture(url)


def remembered(workspace: Workspace, arrays: Arrays, mid: int, settings: Settings) -> str:
    """Return why an image of the file is known to have no picture; "" where nothing is known, or it has one."""
    try:
        PictureCache(workspace.cache / PICTURES).read(url_of(arrays, mid, settings).text)
    except Failure as failure:
        return failure.reason
    return ""
