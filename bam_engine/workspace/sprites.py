"""The map's sprites (smallest thumbnails) in one packed file, so that tiles need no decoding.

In:  an image row and its sprite, or its thumbnail's pixels. Out: the sprite. The sparse file has a slot of 1.8 kB per
row and can be recomputed. The checksum of a slot covers the digest of its image, so a slot that is empty, only partly
written or of another image counts as missing. Threads and processes can write concurrently, because the same image
always gets the same bytes.
"""

import contextlib
import os
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bam_engine.files import PRIVATE_FILE
from bam_engine.projection.picture_store import SPRITE, fitted

_HEAD = 8  # height, width, 2 bytes free, the checksum
_SLOT = _HEAD + SPRITE * SPRITE * 3
_RETRY_AFTER = 30.0  # seconds without writing after a failed write


class SpriteFile:
    """The sprites in one file, created on the first write.

    Parameters
    ----------
    path
        The file.
    digest_of
        Returns the digest of the image of a row.
    """

    def __init__(self, path: Path, digest_of: Callable[[int], str] = lambda row: "") -> None:
        self.path = path
        self._digest_of = digest_of
        self._lock = threading.Lock()
        self._file: int | None = None
        self._failed_at = -float("inf")

    def get(self, row: int) -> NDArray[np.uint8] | None:
        """Return the sprite of an image, uint8 (height, width, 3), or None."""
        file = self._open(write=False)
        if file is None:
            return None
        try:
            slot = os.pread(file, _SLOT, row * _SLOT)
        except OSError:
            return None
        if len(slot) < _HEAD or not slot[0]:
            return None
        height, width = slot[0], slot[1]
        body = slot[_HEAD : _HEAD + height * width * 3]
        if len(body) != height * width * 3 or self._checksum(row, body) != slot[4:_HEAD]:
            return None
        return np.frombuffer(body, np.uint8).reshape(height, width, 3)

    def put(self, row: int, sprite: NDArray[np.uint8]) -> None:
        """Store a sprite. After a failed write, such as on a full disk, writes pause for a while."""
        height, width = sprite.shape[:2]
        if not (0 < height <= SPRITE and 0 < width <= SPRITE) or time.monotonic() - self._failed_at < _RETRY_AFTER:
            return
        body = np.ascontiguousarray(sprite).tobytes()
        head = bytes([height, width, 0, 0]) + self._checksum(row, body)
        try:
            file = self._open(write=True)
            if file is not None:
                os.pwrite(file, head + body, row * _SLOT)
        except OSError:
            self._failed_at = time.monotonic()

    def pack(self, row: int, thumbnail: Image.Image) -> None:
        """Store the sprite of a thumbnail."""
        self.put(row, fitted(thumbnail, SPRITE))

    def damaged(self) -> list[int]:
        """Return the rows whose sprite is damaged or of another image, ascending. Reads the whole file."""
        try:
            heads = np.memmap(self.path, np.uint8, "r")[::_SLOT]
        except (OSError, ValueError):  # missing or empty
            return []
        return [row for row in np.flatnonzero(heads).tolist() if self.get(row) is None]

    def clear(self, rows: Sequence[int]) -> None:
        """Remove sprites."""
        file = self._open(write=True)
        if file is not None:
            for row in rows:
                os.pwrite(file, bytes(_SLOT), row * _SLOT)

    def _checksum(self, row: int, body: bytes) -> bytes:
        return zlib.crc32(self._digest_of(row).encode(), zlib.crc32(body)).to_bytes(4, "little")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            self.close()

    def _open(self, *, write: bool) -> int | None:
        with self._lock:
            if self._file is None and (write or self.path.exists()):
                with contextlib.suppress(OSError):
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
            return self._file
