"""Pictures of BAM's file from their URLs: fetched only where an owner has switched that on, politely, and kept small.

In:  the number of an image of the file. Out: a WebP picture, or a :class:`Failure` that says why there is none. The
rules are those of every download here: private addresses are refused at each hop, the address that was checked is
connected to, robots.txt and X-Robots-Tag decide, and type and size are limited. A host that asks to wait, or does not
answer several times in a row, is left alone for a while.
"""

import asyncio
import io
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from bam_engine.collection import read_image
from bam_engine.database import read_setting, write_setting
from bam_engine.download.addresses import allowed_networks
from bam_engine.download.fetching import PARTIAL, Fetcher
from bam_engine.download.hosts import rewritten
from bam_engine.download.network import CheckedNetwork, Resolve, resolve
from bam_engine.download.outcomes import Failure, Picture
from bam_engine.download.settings import Settings
from bam_engine.download.urls import Url, parse_url
from bam_engine.errors import ImageUnreadable, NotFound
from bam_engine.files import PRIVATE_FOLDER
from bam_engine.published.arrays import PICTURES, PICTURES_SETTING, Arrays
from bam_engine.published.hosts import AT_ONCE, PER_HOST, Hosts, LeftAlone
from bam_engine.published.lines import read_modules
from bam_engine.published.picture_cache import PictureCache
from bam_engine.team.permissions import check_acting
from bam_engine.team.roles import Role
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

SIDE = 512
"""The longest side of a stored picture in pixels."""

SWITCHED = "Pictures are not fetched from their URLs as they were when this one was asked for. Load the page again."
"""What is said where an owner has changed or switched off how pictures are fetched."""

_UNFINISHED = 3600.0  # seconds
_LIMITS = Settings(
    connections=AT_ONCE,
    per_host=PER_HOST,
    max_bytes=20_000_000,
    tries=1,
    connect_seconds=5.0,
    read_seconds=10.0,
    total_seconds=20.0,
)


def picture_settings(workspace: Workspace) -> Settings | None:
    """Return how pictures are fetched; None where that is switched off, as it is at first."""
    stored = read_setting(workspace.engine, PICTURES_SETTING)
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
    TeamError
        Whoever acts is no owner.
    """
    check_acting(workspace.engine, Role.OWNER)
    settings = replace(_LIMITS, contact=contact, hosts=dict(hosts or {}))
    write_setting(workspace.engine, PICTURES_SETTING, {"contact": settings.contact, "hosts": settings.hosts})


def switch_off(workspace: Workspace) -> None:
    """Fetch no picture any more; those that were fetched stay in the cache, and are not shown.

    Raises
    ------
    TeamError
        Whoever acts is no owner.
    """
    check_acting(workspace.engine, Role.OWNER)
    write_setting(workspace.engine, PICTURES_SETTING, None)


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


@dataclass(frozen=True)
class _SmallPicture(Picture):
    content: bytes = b""


class _SmallPictures(Fetcher):
    """Reads pictures and makes them small; asks each hop's host in its turn, and only while that is permitted."""

    def __init__(
        self, settings: Settings, folder: Path, network: CheckedNetwork, hosts: Hosts, permitted: Callable[[], bool]
    ) -> None:
        super().__init__(settings, folder, network)
        self._hosts, self._permitted = hosts, permitted

    @asynccontextmanager
    async def turn(self, url: Url) -> AsyncIterator[None]:
        """Wait until the host may be asked; raise where pictures were switched off meanwhile."""
        async with self._hosts.turn(url.host):
            if not await asyncio.to_thread(self._permitted):
                raise NotFound(SWITCHED)
            yield

    def keep(self, partial: Path, kind: str, etag: str) -> _SmallPicture:
        """Make a picture small."""
        try:
            image = read_image(partial, size=SIDE)
        except ImageUnreadable as error:
            raise Failure("damaged", str(error)) from error
        image.thumbnail((SIDE, SIDE))
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=82, method=3)
        content = buffer.getvalue()
        return _SmallPicture("", "", image.width, image.height, len(content), etag, content)


class FilePictures:
    """Fetches pictures and keeps them; to be used from one event loop.

    Parameters
    ----------
    folder
        Where the pictures are kept.
    settings
        How they are fetched. Private networks are permitted for the hosts alone that its rules name.
    hosts
        The turns of the hosts, which other settings share.
    permitted
        Whether a host may still be asked with these settings; asked before each request.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        resolver: Resolve = resolve,
        hosts: Hosts | None = None,
        permitted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.cache = PictureCache(folder, asked_as=_asked_as(settings))
        self._folder = folder
        network = CheckedNetwork(allowed_networks(), resolver, named=set(settings.hosts.values()))
        self._fetcher = _SmallPictures(settings, folder, network, hosts or Hosts(), permitted)
        self._coming: dict[str, asyncio.Task[bytes]] = {}

    async def kept(self, url: Url) -> bytes | None:
        """Return the picture of a URL from the cache; None where nothing is known of it.

        Raises
        ------
        Failure
            There was none, and that is remembered.
        """
        return await asyncio.to_thread(self.cache.read, url.text)

    async def picture(self, url: Url) -> bytes:
        """Return the picture at a URL, which is requested once at a time, and not while it is in the cache.

        Raises
        ------
        Failure
            There is none, or its host is left alone for now.
        NotFound
            It may not be asked for any more.
        """
        stored = await self.kept(url)
        if stored is not None:
            return stored
        task = self._coming.get(url.text)
        if task is None:
            task = self._coming[url.text] = asyncio.create_task(self._fetched(url))
        return await asyncio.shield(task)

    async def _fetched(self, url: Url) -> bytes:
        """Fetch a picture; connections are closed once no other is under way."""
        try:
            return await self._ask(url)
        finally:
            del self._coming[url.text]
            if not self._coming:
                await self._fetcher.aclose()

    async def _ask(self, url: Url) -> bytes:
        await asyncio.to_thread((self._folder / PARTIAL).mkdir, PRIVATE_FOLDER, parents=True, exist_ok=True)
        try:
            found = await self._fetcher.fetch(url)
        except LeftAlone:
            raise
        except Failure as failure:
            await asyncio.to_thread(self.cache.note, url.text, failure)
            raise
        except OSError as error:  # a full disk, so that nobody is asked again and again in vain
            full = Failure("incomplete", f"The picture cannot be stored ({error.strerror or error}).")
            await asyncio.to_thread(self.cache.note, url.text, full)
            raise full from error
        content = cast(_SmallPicture, found).content
        await asyncio.to_thread(self.cache.keep, url.text, content)
        return content


class PictureServer:
    """The pictures of a workspace; what is known of hosts outlives a change of settings."""

    def __init__(self) -> None:
        self._hosts: tuple[object, Hosts] | None = None
        self._made: tuple[object, FilePictures] | None = None

    def pictures(self, workspace: Workspace, settings: Settings, *, resolver: Resolve) -> FilePictures:
        """Return the one that fetches with these settings, in the event loop that is running."""
        loop = asyncio.get_running_loop()
        if self._hosts is None or self._hosts[0] is not loop:
            empty_partial(workspace.cache / PICTURES)
            self._hosts, self._made = (loop, Hosts()), None
        if self._made is None or self._made[0] != (settings, resolver):
            made = FilePictures(
                workspace.cache / PICTURES,
                settings,
                resolver=resolver,
                hosts=self._hosts[1],
                permitted=lambda: picture_settings(workspace) == settings,
            )
            self._made = (settings, resolver), made
        return self._made[1]


def empty_partial(folder: Path) -> None:
    """Delete what a server that was killed has left unfinished: files of more than an hour ago."""
    for path in (folder / PARTIAL).glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _UNFINISHED:
                path.unlink()


def remembered(workspace: Workspace, arrays: Arrays, mid: int, settings: Settings) -> str:
    """Return why an image of the file is known to have no picture; "" where nothing is known, or it has one."""
    try:
        cache = PictureCache(workspace.cache / PICTURES, asked_as=_asked_as(settings))
        cache.read(url_of(arrays, mid, settings).text)
    except Failure as failure:
        return failure.reason
    return ""


def _asked_as(settings: Settings) -> str:
    """Return what of the settings a host, or the check of its address, may answer differently to."""
    return json.dumps([settings.contact, sorted(set(settings.hosts.values()))])
