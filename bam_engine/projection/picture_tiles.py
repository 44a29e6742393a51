"""Tiles of pictures: each cell of a tile shows one of its images.

In:  points, what makes an image the better choice, and a store of small pictures.
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
"""Pixels left free around a picture, at each side; a frame is drawn in them. The smallest picture is 24 pixels."""

FADED = 0.3
"""The opacity of pictures outside a selection."""

REPRESENTATIVES = ("best", "medoid", "newest")


@dataclass(frozen=True, eq=False)
class Choice:
    """Which image of a cell is shown.

    ``best``: the highest ``priority`` (m,), those without one (NaN) last, or the medoid where there is no priority;
    ``medoid``: the image nearest to the mean place of the cell's images, which is the medoid by squared distances;
    ``newest``: the one that was added last. Ties go to the smaller row.
    Images of ``only`` (m,) bool come before others.
    """

    how: str = "best"
    priority: NDArray[np.float32] | None = None
    only: NDArray[np.bool_] | None = None

    def of(self, source: TileSource, start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the point that stands for each run [start, stop) (k,); -1 for an empty one."""
        from bam_engine.projection import tile_kernels as kernels

        best = self.how == "best" and self.priority is not None
        how = kernels.PRIORITY if best else kernels.NEWEST if self.how == "newest" else kernels.MEDOID
        worth = np.empty(0, np.float32) if self.priority is None or not best else self.priority
        wanted = np.empty(0, np.bool_) if self.only is None else self.only
        found: NDArray[np.int64] = kernels.representatives(
            start, stop, source.x, source.y, source.rows, worth, wanted, how
        )
        return found


def representatives(source: TileSource, z: int, x: int, y: int, *, across: int, choice: Choice) -> Cells:
    """The point that each occupied cell (column, row) of tile (z, x, y) shows."""
    start, stop = source.grid(z, x, y, side=across)
    return _cells(choice.of(source, start.ravel(), stop.ravel()), across)


def arranged_cells(arrangement: Arrangement, x: int, y: int, *, across: int) -> Cells:
    """The point in each occupied cell (column, row) of tile (x, y), every image having a cell of its own."""
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
    """Draw a tile with the picture of each cell's point; None when there is none to show. Tell whether all were there.

    ``frame(index)`` gives the colour around a point's picture, or None. Points where ``only`` does not hold are faded.
    """
    side = TILE // across
    tile = np.zeros((TILE, TILE, 4), np.uint8)
    drawn, whole = False, True
    for (column, row), index in cells.items():
        picture = store.get(int(rows[index]), side - 2 * GAP)
        if picture is None:
            whole = False
            continue
        inside = only is None or bool(only[index])
        _put(tile, picture, column * side, row * side, side, frame(index) if inside else None, 1.0 if inside else FADED)
        drawn = True
    return (tile if drawn else None), whole


def _put(
    tile: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    left: int,
    top: int,
    side: int,
    colour: tuple[int, int, int] | None,
    opacity: float,
) -> None:
    """Put a picture into the middle of a cell, a frame around it if it has a colour."""
    height, width = picture.shape[:2]
    left += (side - width) // 2
    top += (side - height) // 2
    if colour is not None:
        edge = min(GAP - 1, max(2, side // 64))
        tile[top - edge : top + height + edge, left - edge : left + width + edge] = (*colour, 255)
    tile[top : top + height, left : left + width, :3] = picture
    tile[top : top + height, left : left + width, 3] = round(255 * opacity)
