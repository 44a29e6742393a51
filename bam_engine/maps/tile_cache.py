"""Tiles kept on the disk between runs: derived, bounded, and never a reason for a tile to fail.

In:  a key that says all that a tile depends on. Out: its bytes, or None. Safe to use from several threads and
processes: a file is written under another name and renamed, and one that somebody else removed is no matter.
"""

import contextlib
import hashlib
import os
import threading
import time
from pathlib import Path

from bam_engine.files import replacing

MAX_BYTES = 2 * 2**30
"""Bytes of tiles kept; the ones used longest ago go first."""

_FREED = 0.9  # of the room is left in use when tiles are removed
_LOOK_AGAIN = 0.02  # of the room may be written by this process before it looks again what all have written
_TOUCH = 3600.0  # seconds: how exactly it is known when a tile was used
_REST = 30.0  # seconds without writing after the disk refused


class TileCache:
    """The tiles below ``folder``, at most ``max_bytes`` bytes of them, and what other processes write in the meantime.

    Examples
    --------
    >>> cache = TileCache(Path("cache/tiles"))  # doctest: +SKIP
    >>> cache.put("version/density/0/0/0", b"...")  # doctest: +SKIP
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._clearing = threading.Lock()
        self._unseen = float("inf")  # bytes written since the folder was looked at
        self._refused = -float("inf")

    def get(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, or None."""
        path = self._path(key)
        try:
            body = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _TOUCH:
                os.utime(path)
        return body or None  # a power cut can leave an empty file

    def put(self, key: str, tile: bytes) -> None:
        """Save a tile. A disk that is full or may not be written to is left alone for a while."""
        if not tile or len(tile) > self.max_bytes or time.monotonic() - self._refused < _REST:
            return
        path = self._path(key)
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(tile)
        except OSError:
            self._refused = time.monotonic()
        with self._lock:
            self._unseen += len(tile)
            full = self._unseen > _LOOK_AGAIN * self.max_bytes
        if full and self._clearing.acquire(blocking=False):
            try:
                self._make_room()
            finally:
                self._clearing.release()

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()[:40]
        return self.folder / name[:2] / f"{name}.webp"

    def _make_room(self) -> None:
        """Look at all tiles, and remove the ones used longest ago where they are too many."""
        found = []
        for path in self.folder.glob("*/*"):  # half-written ones of a process that died too
            with contextlib.suppress(OSError):
                about = path.stat()
                found.append((about.st_mtime_ns, about.st_size, path))
        total = sum(size for _, size, _ in found)
        if total > self.max_bytes:
            for _, size, path in sorted(found, key=lambda line: line[:2]):
                if total <= _FREED * self.max_bytes:
                    break
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size
        with self._lock:
            self._unseen = 0.0
