"""Tiles of pictures: each cell of a tile shows one of its images.

In:  points, the rule that chooses an image for each cell, and a store of small pictures.
Out: RGBA (256, 256, 4). Knows nothing of files or the web.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.projection.arrangement import Arrangement
from bam_engine.projection.picture_store import PictureStore
from bam_engine.projection.tiles import TILE, TileSource

Frame = Callable[[int], tuple[int, int, int] | None]
Cells = dict[tuple[int, int], int]

GAP = 4
"""Pixels left free on each side of a picture, where its frame is drawn. The smallest picture has 24 pixels."""

FADED = 0.3
"""The opacity of pictures outside a selection."""

REPRESENTATIVES = ("best", "medoid", "newest")


@dataclass(frozen=True, eq=False)
class Choice:
    """The rule that chooses the image of a cell; ties by row.

    ``best``: the highest ``priority`` (m,), NaN last, or the medoid without priorities; ``medoid``: the image nearest
    to the mean place of the cell's images, which is the medoid by squared distances; ``newest``: the last added image.
    Images in ``only`` (m,) bool come before others.
    """

    how: str = "best"
    priority: NDArray[np.float32] | None = None
    only: NDArray[np.bool_] | None = None

    def of(self, source: TileSource, start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the chosen point of each run [start, stop) (k,); -1 for an empty run."""
        from bam_engine.projection import tile_kernels as kernels

        best = self.how == "best" and self.priority is not None
        how = kernels.PRIORITY if best else kernels.NEWEST if self.how == "newest" else kernels.MEDOID
        priority = np.empty(0, np.float32) if self.priority is None or not best else self.priority
        only = np.empty(0, np.bool_) if self.only is None else self.only
        points: NDArray[np.int64] = kernels.representatives(
            start, stop, source.x, source.y, source.rows, priority, only, how
        )
        return points


def representatives(source: TileSource, z: int, x: int, y: int, *, across: int, choice: Choice) -> Cells:
    """Return the point that each occupied cell (column, row) of tile (z, x, y) shows."""
    start, stop = source.grid(z, x, y, side=across)
    return _cells(choice.of(source, start.ravel(), stop.ravel()), across)


def arranged_cells(arrangement: Arrangement, x: int, y: int, *, across: int) -> Cells:
    """Return the point in each occupied cell (column, row) of tile (x, y), with every image in a cell of its own."""
    columns, rows = np.meshgrid(x * across + np.arange(across), y * across + np.arange(across))
    return _cells(arrangement.points_in(columns.ravel(), rows.ravel()), across)


def _cells(points: NDArray[np.int64], across: int) -> Cells:
    return {(at % across, at // across): int(point) for at, point in enumerate(points.tolist()) if point >= 0}


def compose(
    cells: Mapping[tuple[int, int], int],
    rows: NDArray[np.int64],
    *,
    across: int,
    store: PictureStore,
    frame: Frame,
    only: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.uint8] | None, bool]:
    """Draw a tile with the picture of each cell's point, or None without any; also return whether it is complete.

    ``frame(index)`` returns the colour of the frame of a point's picture, or None. Points outside ``only`` are faded.
    """
    side = TILE // across
    tile = np.zeros((TILE, TILE, 4), np.uint8)
    drawn, complete = False, True
    for (column, row), index in cells.items():
        picture = store.get(int(rows[index]), side - 2 * GAP)
        if picture is None:
            complete = False
            continue
        inside = only is None or bool(only[index])
        _put(tile, picture, column * side, row * side, side, frame(index) if inside else None, 1.0 if inside else FADED)
        drawn = True
    return (tile if drawn else None), complete


def _put(
    tile: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    left: int,
    top: int,
    side: int,
    colour: tuple[int, int, int] | None,
    opacity: float,
) -> None:
    """Draw a picture in the centre of a cell, with a frame if there is a colour."""
    height, width = picture.shape[:2]
    left += (side - width) // 2
    top += (side - height) // 2
    if colour is not None:
        edge = min(GAP - 1, max(2, side // 64))
        tile[top - edge : top + height + edge, left - edge : left + width + edge] = (*colour, 255)
    tile[top : top + height, left : left + width, :3] = picture
    tile[top : top + height, left : left + width, 3] = round(255 * opacity)
