"""Small pictures kept ready for tiles: the last used ones in memory, the smallest wherever ``sprites`` keeps them.

In:  a way to get a thumbnail. Out: pixels that fit a square. Safe to use from several threads. Knows nothing of files.
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

ROOM = 256 * 2**20
"""Bytes of pictures kept in memory."""

SPRITE = 24
"""Pixels on the longest side of the smallest pictures."""

_ASK_AGAIN = 30.0  # seconds after which a picture that could not be had is asked for again


class Sprites(Protocol):
    """Where the smallest pictures, of ``SPRITE`` pixels, are kept between runs."""

    def get(self, row: int) -> Pixels | None:
        """Return the picture of an image (h, w, 3), or None."""

    def put(self, row: int, picture: Pixels) -> None:
        """Save it; what cannot be kept is no error."""


def fitted(picture: Image.Image, side: int) -> Pixels:
    """Return a picture scaled to pixels (h, w, 3) whose longest side is ``side``."""
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


class PictureStore:
    """Pictures by image row and size.

    Parameters
    ----------
    thumbnail : callable
        Image row to a picture, or None when it has none.
    sprites : Sprites, optional
    room : int
        Bytes kept in memory; the ones used longest ago go first.
    """

    def __init__(self, thumbnail: Thumbnail, *, sprites: Sprites | None = None, room: int = ROOM) -> None:
        self._thumbnail = thumbnail
        self._sprites = sprites
        self._room = room
        self._kept: OrderedDict[tuple[int, int], Pixels] = OrderedDict()
        self._missing: dict[int, float] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, row: int, side: int) -> Pixels | None:
        """Return the picture of an image (h, w, 3), its longest side ``side`` pixels; None when there is none."""
        with self._lock:
            found = self._kept.get((row, side))
            if found is not None:
                self._kept.move_to_end((row, side))
                return found
            if time.monotonic() - self._missing.get(row, -np.inf) < _ASK_AGAIN:
                return None
        sprite = self._sprites.get(row) if self._sprites is not None and side == SPRITE else None
        found = sprite if sprite is not None else self._made(row, side)
        with self._lock:
            if found is None:
                self._missing[row] = time.monotonic()
                if len(self._missing) > 10_000:
                    self._missing.clear()
            else:
                self._keep(row, side, found)
        return found

    def pack(self, row: int) -> bool:
        """Put the smallest picture of an image among the sprites; False where it is there, or there is none."""
        if self._sprites is None or self._sprites.get(row) is not None:
            return False
        return self._made(row, SPRITE) is not None

    def _made(self, row: int, side: int) -> Pixels | None:
        picture = self._thumbnail(row)
        if picture is None:
            return None
        made = fitted(picture, side)
        if self._sprites is not None and side == SPRITE:
            self._sprites.put(row, made)
        return made

    def _keep(self, row: int, side: int, picture: Pixels) -> None:
        if (row, side) in self._kept:
            return
        self._kept[row, side] = picture
        self._bytes += picture.nbytes
        while self._bytes > self._room and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._bytes -= old.nbytes
