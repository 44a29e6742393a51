"""Tiles of pictures: each cell of a tile shows one of its images.

In:  points, what makes an image the better choice, and a way to get a thumbnail.
Out: a PIL image. Knows nothing of files or the web.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from bam_engine.projection.tiles import TILE, TileSource

Thumbnail = Callable[[int], Image.Image | None]
Frame = Callable[[int], tuple[int, int, int] | None]

GAP = 2
"""Pixels left free around a picture, at each side."""


def representative(
    source: TileSource, start: int, stop: int, priority: NDArray[np.float32] | None, middle: tuple[float, float]
) -> int | None:
    """Index of the point that stands for the run [start, stop): the highest priority, else the nearest to the middle.

    Ties go to the smaller row; points without a priority (NaN) come last.
    """
    if stop <= start:
        return None
    run = slice(start, stop)
    worth = np.full(stop - start, -np.inf) if priority is None else np.nan_to_num(priority[run], nan=-np.inf)
    away = (source.x[run] - middle[0]) ** 2 + (source.y[run] - middle[1]) ** 2
    return start + int(np.lexsort((source.rows[run], away if priority is None else 0 * away, -worth))[0])


def chosen(
    source: TileSource, z: int, x: int, y: int, *, across: int, priority: NDArray[np.float32] | None
) -> dict[tuple[int, int], int]:
    """The point that each occupied cell (column, row) of tile (z, x, y) shows."""
    start, stop = source.grid(z, x, y, side=across)
    found = {}
    for row, column in zip(*np.nonzero(stop > start), strict=True):
        middle = ((x + (column + 0.5) / across) / 2**z, (y + (row + 0.5) / across) / 2**z)
        index = representative(source, int(start[row, column]), int(stop[row, column]), priority, middle)
        if index is not None:
            found[int(column), int(row)] = index
    return found


def compose(
    source: TileSource,
    z: int,
    x: int,
    y: int,
    *,
    across: int,
    priority: NDArray[np.float32] | None,
    thumbnail: Thumbnail,
    frame: Frame,
) -> Image.Image | None:
    """Tile (z, x, y) with a picture in each occupied cell; None when there is none to show.

    ``thumbnail(row)`` gives a picture or None (the cell stays empty); ``frame(index)`` the colour around a point's
    picture, or None.
    """
    side = TILE // across
    tile = Image.new("RGBA", (TILE, TILE))
    drawn = False
    for (column, row), index in chosen(source, z, x, y, across=across, priority=priority).items():
        picture = thumbnail(int(source.rows[index]))
        if picture is not None:
            _put(tile, picture, column * side, row * side, side, frame(index))
            drawn = True
    return tile if drawn else None


def _put(
    tile: Image.Image, picture: Image.Image, left: int, top: int, side: int, colour: tuple[int, int, int] | None
) -> None:
    """Fit a picture whole into a cell, a frame around it if it has a colour."""
    edge = 0 if colour is None else max(2, side // 32)
    room = side - 2 * (GAP + edge)
    small = ImageOps.contain(picture.convert("RGB"), (room, room), Image.Resampling.BILINEAR)
    left += (side - small.width) // 2
    top += (side - small.height) // 2
    if colour is not None:
        box = (left - edge, top - edge, left + small.width + edge - 1, top + small.height + edge - 1)
        ImageDraw.Draw(tile).rectangle(box, fill=(*colour, 255))
    tile.paste(small, (left, top))
