"""Every image in a cell of its own: the points of a map spread out on a grid.

In:  points in Morton order, the depth of the grid. Out: the cell of each point. Knows nothing of pictures.

Where a cell holds one image, it stays there. Where more images lie in one half of a block of cells than that half has
cells, they spread over the block: one cell, two beside one another, four, eight, …, aligned as the Morton curve has
them. An image never leaves the largest such block around it, and no two share a cell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import ProjectionError
from bam_engine.projection import morton
from bam_engine.projection.tiles import TileSource


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Cells at ``depth``, one for each point; make it with :meth:`of`.

    Attributes
    ----------
    column, row : (m,) int32
        The cell of each point, in the order of the points.
    """

    depth: int
    column: NDArray[np.int32]
    row: NDArray[np.int32]
    _codes: morton.Codes
    _points: NDArray[np.int64]

    @classmethod
    def of(cls, source: TileSource, depth: int) -> "Arrangement":
        """Spread the points of a map over the cells of ``depth``; the same points give the same cells.

        A block is halved across, then along, and so on. Each half takes the images that lie in it; where it lacks
        room, those nearest to the middle go over to the other. Of images at the same place the smaller rows stay first.

        Raises
        ------
        ProjectionError
            There are fewer cells than points.
        """
        from bam_engine.projection.arrangement_kernels import spread

        if len(source) > 4**depth:
            raise ProjectionError(f"{len(source):,} images do not fit on the {4**depth:,} cells of depth {depth}.")
        column, row = spread(source.x.astype(np.float64), source.y.astype(np.float64), depth)
        codes = morton.interleave(column.astype(np.int64), row.astype(np.int64))
        order = np.argsort(codes, kind="stable")
        return cls(depth, column, row, codes[order], order)

    def points_in(self, column: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the point in each of the cells (k,); -1 for an empty one, or one that is not on the map."""
        side = 1 << self.depth
        there = (column >= 0) & (column < side) & (row >= 0) & (row < side)
        found = np.full(len(column), -1, np.int64)
        if not len(self._codes) or not there.any():
            return found
        asked = morton.interleave(column[there], row[there])
        at = np.minimum(np.searchsorted(self._codes, asked), len(self._codes) - 1)
        found[there] = np.where(self._codes[at] == asked, self._points[at], -1)
        return found
