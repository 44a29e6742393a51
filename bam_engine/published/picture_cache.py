"""Pictures that were fetched from their URLs, made small, and why others could not be had: on the disk, bounded.

In:  the URL that is requested. Out: a WebP picture, or a failure that is remembered for a while. What was looked at
least recently is dropped beyond a number of bytes; whoever deletes the folder loses time alone.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bam_engine import derived
from bam_engine.download.outcomes import PASSING, Failure
from bam_engine.files import PRIVATE_FOLDER

MAX_BYTES = 2 * 1024**3
"""The bytes of all files, each counted as a block of the disk at least."""

REMEMBERED = 24 * 3600.0
"""Seconds for which it is remembered that there is no picture."""

REMEMBERED_BRIEFLY = 600.0
"""The same where the reason may be over soon."""

_UNWRITTEN = 1_000  # files that a full disk does not take, kept in memory
_BLOCK = 4096
_KEPT = 0.9  # of the limit, after old files were dropped
_TOUCHED_EVERY = 3600.0  # seconds


class PictureCache:
    """The pictures in a folder.

    Parameters
    ----------
    max_bytes
        Beyond it, the files that were looked at least recently are dropped.
    asked_as
        Who asks: what others were refused is not remembered for them.
    now
        The seconds since 1970.

    Examples
    --------
    >>> cache = PictureCache(Path("cache/pictures"))  # doctest: +SKIP
    >>> cache.keep("https://images.example/1.jpg", content)  # doctest: +SKIP
    >>> cache.read("https://images.example/1.jpg") == content  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = MAX_BYTES,
        asked_as: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._asked_as = asked_as
        self.folder, self._max_bytes, self._now = folder, max_bytes, now
        self._lock = threading.Lock()
        self._unwritten: dict[Path, bytes] = {}
        self._bytes: int | None = None  # of all files; None while unknown

    def read(self, url: str) -> bytes | None:
        """Return the picture of a URL; None where nothing is known of it.

        Raises
        ------
        Failure
            There was none, and that is remembered.
        """
        path = self._path(url, ".webp")
        content = self._read(path, url)
        if content is not None:
            self._touch(path)
            return content
        asked = self._asked(url)
        noted = self._read(self._path(asked, ".json"), asked)
        if noted is not None:
            kind, reason, code, until = json.loads(noted)
            if self._now() < until:
                raise Failure(kind, reason, code)
        return None

    def keep(self, url: str, content: bytes) -> None:
        """Store the picture of a URL, for a while in memory where the disk is full or cannot be written."""
        self._write(self._path(url, ".webp"), content, url)
        noted = self._path(self._asked(url), ".json")
        self._unwritten.pop(noted, None)
        with suppress(OSError):
            noted.unlink(missing_ok=True)

    def note(self, url: str, failure: Failure) -> None:
        """Remember why a URL has given no picture: for a day, or ten minutes where it may be over soon."""
        seconds = REMEMBERED_BRIEFLY if failure.kind in PASSING else REMEMBERED
        seconds = min(REMEMBERED, max(seconds, failure.wait or 0.0))
        noted = [failure.kind, failure.reason, failure.code, self._now() + seconds]
        asked = self._asked(url)
        self._write(self._path(asked, ".json"), json.dumps(noted).encode(), asked)

    def _read(self, path: Path, of: str) -> bytes | None:
        content = derived.read(path, of)
        return self._unwritten.get(path) if content is None else content

    def _asked(self, url: str) -> str:
        return f"{self._asked_as} {url}"

    def _path(self, of: str, suffix: str) -> Path:
        name = hashlib.sha256(of.encode()).hexdigest()[:32]
        return self.folder / name[:2] / f"{name}{suffix}"

    def _touch(self, path: Path) -> None:
        """Note that a picture was looked at, at most once an hour."""
        with suppress(OSError):
            if self._now() - path.stat().st_mtime > _TOUCHED_EVERY:
                os.utime(path, (self._now(), self._now()))

    def _write(self, path: Path, content: bytes, url: str) -> None:
        with self._lock:
            try:
                self._write_file(path, content, url)
                self._unwritten.pop(path, None)
            except OSError:
                self._unwritten[path] = content
                while len(self._unwritten) > _UNWRITTEN:
                    del self._unwritten[next(iter(self._unwritten))]

    def _write_file(self, path: Path, content: bytes, url: str) -> None:
        self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        if self._bytes is None:
            self._bytes = sum(size for _, size, _ in self._files())
        before = _size(path)
        derived.write(path, content, url)
        self._bytes += _size(path) - before
        if self._bytes > self._max_bytes:
            self._drop()

    def _drop(self) -> None:
        """Drop the files that were looked at least recently."""
        files = sorted(self._files())
        self._bytes = sum(size for _, size, _ in files)
        for _, size, path in files:
            if self._bytes <= _KEPT * self._max_bytes:
                break
            path.unlink(missing_ok=True)
            self._bytes -= size

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self.folder.glob("??/*"):
            with suppress(OSError):
                found.append((path.stat().st_mtime, _size(path), path))
        return found


def _size(path: Path) -> int:
    """Return the bytes that a file takes; 0 where there is none."""
    try:
        return max(_BLOCK, path.stat().st_size)
    except OSError:
        return 0
