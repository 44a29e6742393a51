"""Spreads the points of a map on a grid, so that every image has a cell of its own.

In:  points in Morton order, the depth of the grid. Out: the cell of each point. Knows nothing of pictures.

A single image in a cell stays there. Where a half of a block of cells has more images than cells, they spread over the
block: one cell, two adjacent cells, four, eight, …, aligned with the Morton curve. An image never leaves the largest
such block around it, and no two share a cell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import ProjectionError
from bam_engine.projection import morton
from bam_engine.projection.tiles import TileSource


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Cells at ``depth``, one for each point; create it with :meth:`of`.

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
        """Assign the points of a map to cells of ``depth``, deterministically.

        Blocks are halved in alternating directions. Each half takes the images inside it; where it has too few cells,
        those nearest to the middle move to the other half. Ties go by row.

        Raises
        ------
        ProjectionError
            There are fewer cells than points.
        """
        from bam_engine.projection.arrangement_kernels import spread

        if len(source) > 4**depth:
            raise ProjectionError(f"{len(source):,} images do not fit into the {4**depth:,} cells of depth {depth}.")
        column, row = spread(source.x.astype(np.float64), source.y.astype(np.float64), depth)
        codes = morton.interleave(column.astype(np.int64), row.astype(np.int64))
        order = np.argsort(codes, kind="stable")
        return cls(depth, column, row, codes[order], order)

    def points_in(self, column: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the point in each of the cells (k,); -1 for cells that are empty or outside of the map."""
        side = 1 << self.depth
        on_map = (column >= 0) & (column < side) & (row >= 0) & (row < side)
        points = np.full(len(column), -1, np.int64)
        if not len(self._codes) or not on_map.any():
            return points
        codes = morton.interleave(column[on_map], row[on_map])
        at = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        points[on_map] = np.where(self._codes[at] == codes, self._points[at], -1)
        return points
