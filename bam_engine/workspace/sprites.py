"""The smallest pictures of the map in one packed file, so that a tile of many pictures decodes none of them.

In:  an image row and its picture, or its thumbnail's pixels. Out: the picture again. A slot for each row in a
file that takes room only where something was written (1.8 kB for an image); derived. A slot that was not written
whole, or not at all, has no picture. Safe for several threads and processes: they write the same to the same place.
"""

import contextlib
import os
import threading
import time
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bam_engine.projection.picture_store import SPRITE, fitted

_HEAD = 8  # height, width, 2 bytes free, the checksum
_SLOT = _HEAD + SPRITE * SPRITE * 3
_REST = 30.0  # seconds without writing after the disk refused


class SpriteFile:
    """The pictures in one file, made when the first is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file: int | None = None
        self._refused = -float("inf")

    def get(self, row: int) -> NDArray[np.uint8] | None:
        """Return the picture of an image (h, w, 3), or None."""
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
        if len(body) != height * width * 3 or zlib.crc32(body) != int.from_bytes(slot[4:_HEAD], "little"):
            return None
        return np.frombuffer(body, np.uint8).reshape(height, width, 3)

    def put(self, row: int, picture: NDArray[np.uint8]) -> None:
        """Keep a picture; a disk that is full or may not be written to is left alone for a while."""
        height, width = picture.shape[:2]
        if not (0 < height <= SPRITE and 0 < width <= SPRITE) or time.monotonic() - self._refused < _REST:
            return
        body = np.ascontiguousarray(picture).tobytes()
        head = bytes([height, width, 0, 0]) + zlib.crc32(body).to_bytes(4, "little")
        try:
            file = self._open(write=True)
            if file is not None:
                os.pwrite(file, head + body, row * _SLOT)
        except OSError:
            self._refused = time.monotonic()

    def pack(self, row: int, thumbnail: Image.Image) -> None:
        """Keep the smallest picture of a thumbnail."""
        self.put(row, fitted(thumbnail, SPRITE))

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
                    self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            return self._file
