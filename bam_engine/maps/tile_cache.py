"""An on-disk cache of tiles, bounded in size; its failures never make a tile fail.

In:  a key with all that a tile depends on. Out: its bytes, or None. Safe for several threads and processes: files are
written under another name and renamed, and may be removed by others at any time.
"""

import contextlib
import hashlib
import os
import threading
import time
from pathlib import Path

from bam_engine import derived

MAX_BYTES = 2 * 2**30
"""Bytes of cached tiles; the least recently used are removed first."""

_TARGET = 0.9  # fraction of the size that is left after removing tiles
_CHECK_EVERY = 0.02  # fraction of the size that this process may write before it measures the folder again
_TOUCH = 3600.0  # seconds: resolution of the time of last use
_PAUSE = 30.0  # seconds without writing after a write failed


class TileCache:
    """The tiles below ``folder``, at most ``max_bytes`` of them plus what other processes write in the meantime.

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
        self._written = float("inf")  # bytes written since the folder was measured
        self._failed = -float("inf")  # time of the last failure

    def get(self, key: str) -> bytes | None:
        """Return the tile stored under ``key``, or None."""
        path = self._path(key)
        body = derived.read(path, key)
        if body is None:
            return None
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _TOUCH:
                os.utime(path)
        return body

    def put(self, key: str, tile: bytes) -> None:
        """Store a tile. After a failure, nothing is written for a while."""
        if not tile or len(tile) > self.max_bytes or time.monotonic() - self._failed < _PAUSE:
            return
        path = self._path(key)
        try:
            derived.write(path, tile, key)
        except OSError:
            self._failed = time.monotonic()
        with self._lock:
            self._written += len(tile)
            due = self._written > _CHECK_EVERY * self.max_bytes
        if due and self._clearing.acquire(blocking=False):
            try:
                self._evict()
            finally:
                self._clearing.release()

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()[:40]
        return self.folder / name[:2] / f"{name}.tile"

    def _evict(self) -> None:
        """Measure the folder and remove the least recently used tiles if it is too large."""
        files = []
        for path in self.folder.glob("*/*"):  # including temporary files of processes that died
            with contextlib.suppress(OSError):
                stat = path.stat()
                files.append((stat.st_mtime_ns, stat.st_size, path))
        total = sum(size for _, size, _ in files)
        if total > self.max_bytes:
            for _, size, path in sorted(files, key=lambda file: file[:2]):
                if total <= _TARGET * self.max_bytes:
                    break
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size
        with self._lock:
            self._written = 0.0
