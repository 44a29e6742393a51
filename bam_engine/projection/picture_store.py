"""Small pictures for tiles: the most recently used are cached in memory, the smallest in ``sprites``.

In:  a function that returns a thumbnail. Out: pixels that fit a square. Thread-safe. Knows nothing of files.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Thumbnail = Callable[[int], Image.Image | None]
Pixels = NDArray[np.uint8]

CACHE_BYTES = 256 * 2**20
"""Bytes of pictures cached in memory."""

SPRITE = 24
"""Pixels along the longest side of the smallest pictures."""

_RETRY_AFTER = 30.0  # seconds until a missing picture is requested again


class Sprites(Protocol):
    """A persistent store of the smallest pictures, of ``SPRITE`` pixels."""

    def get(self, row: int) -> Pixels | None:
        """Return the picture of an image (h, w, 3), or None."""

    def put(self, row: int, picture: Pixels) -> None:
        """Store a picture; failing to do so is no error."""


def fitted(picture: Image.Image, side: int) -> Pixels:
    """Return a picture scaled to a longest side of ``side`` pixels, (h, w, 3)."""
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


class PictureStore:
    """Pictures by image row and size.

    Parameters
    ----------
    thumbnail : callable
        Image row to a picture, or None if there is none.
    sprites : Sprites, optional
    room : int
        Bytes cached in memory; the least recently used are removed first.
    """

    def __init__(self, thumbnail: Thumbnail, *, sprites: Sprites | None = None, room: int = CACHE_BYTES) -> None:
        self._thumbnail = thumbnail
        self._sprites = sprites
        self._room = room
        self._cache: OrderedDict[tuple[int, int], Pixels] = OrderedDict()
        self._missing: dict[int, float] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, row: int, side: int) -> Pixels | None:
        """Return the picture of an image (h, w, 3), its longest side ``side`` pixels; None if there is none."""
        with self._lock:
            picture = self._cache.get((row, side))
            if picture is not None:
                self._cache.move_to_end((row, side))
                return picture
            if time.monotonic() - self._missing.get(row, -np.inf) < _RETRY_AFTER:
                return None
        sprite = self._sprites.get(row) if self._sprites is not None and side == SPRITE else None
        picture = sprite if sprite is not None else self._make(row, side)
        with self._lock:
            if picture is None:
                self._missing[row] = time.monotonic()
                if len(self._missing) > 10_000:
                    self._missing.clear()
            else:
                self._add(row, side, picture)
        return picture

    def pack(self, row: int) -> bool:
        """Store the smallest picture of an image as a sprite; return False if it exists already or cannot be made."""
        if self._sprites is None or self._sprites.get(row) is not None:
            return False
        return self._make(row, SPRITE) is not None

    def _make(self, row: int, side: int) -> Pixels | None:
        thumbnail = self._thumbnail(row)
        if thumbnail is None:
            return None
        picture = fitted(thumbnail, side)
        if self._sprites is not None and side == SPRITE:
            self._sprites.put(row, picture)
        return picture

    def _add(self, row: int, side: int, picture: Pixels) -> None:
        if (row, side) in self._cache:
            return
        self._cache[row, side] = picture
        self._bytes += picture.nbytes
        while self._bytes > self._room and len(self._cache) > 1:
            _, old = self._cache.popitem(last=False)
            self._bytes -= old.nbytes
