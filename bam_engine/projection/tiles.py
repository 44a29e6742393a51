"""The points of a map in the order in which tiles ask for them.

In:  a layout (n, 2) in [0, 1] squared and the image row of each point.
Out: the run of points in a tile, the points near a place or in an area. Knows nothing of colours or pictures.

Points are sorted once along the Morton curve (0.3 s for 2.5 million); after that a tile is two binary searches and a
slice, at any zoom, and no pyramid of prepared tiles is needed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import ProjectionError
from bam_engine.projection import morton
from bam_engine.projection.selection import checked_corners, inside

TILE = 256
"""Pixels on a side of a tile."""

DEEPEST = 16
"""The deepest zoom: a pixel of its tiles is a cell at Morton's depth 24, which a float32 still tells from the next."""

_MANY = 1 / 32
"""Of all rows, from which part on they are marked and not sorted."""

RING = 5
"""The ring of cells around a tile is cut this much deeper than the tile: 8 pixels wide."""


@dataclass(frozen=True, eq=False)
class TileSource:
    """The points of one map in Morton order, ties by row; make it with :meth:`build`.

    Attributes
    ----------
    rows : (m,) int64
        The image row of each point.
    x, y : (m,) float32
        Its place: x to the right, y down, as on the screen.
    codes : (m,) uint64
        Its Morton code; never falling.
    left_out : int
        Points of the layout that have no place (NaN or infinite) and are not on the map.
    """

    rows: NDArray[np.int64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    codes: morton.Codes
    left_out: int = 0

    @classmethod
    def build(cls, layout: ArrayLike, *, rows: ArrayLike | None = None) -> "TileSource":
        """Sort a layout for tiles.

        Parameters
        ----------
        layout : (n, 2) array of float
            Places in [0, 1] squared. Points with NaN or infinity have no place and are left out.
        rows : (n,) array of int, optional
            The image row of each point; without it, 0 to n - 1.

        Raises
        ------
        ProjectionError
            The shapes do not fit, or a finite coordinate lies outside [0, 1].

        Examples
        --------
        >>> source = TileSource.build([[0.1, 0.2], [0.9, 0.9], [0.1, 0.2]])
        >>> source.rows[source.slice(1, 0, 0)].tolist()
        [0, 2]
        """
        places = np.asarray(layout, dtype=np.float32)
        if places.ndim != 2 or places.shape[1] != 2:
            raise ProjectionError(f"a layout has the shape (n, 2); this one has {places.shape}.")
        numbers = np.arange(len(places)) if rows is None else np.asarray(rows, dtype=np.int64)
        if numbers.shape != (len(places),):
            raise ProjectionError(f"a layout of {len(places)} points needs as many rows; there are {numbers.size}.")
        placed = np.asarray(np.isfinite(places).all(axis=1))
        places, numbers = places[placed], numbers[placed]
        if places.size and (places.min() < 0 or places.max() > 1):
            raise ProjectionError(
                f"coordinates of a map lie in [0, 1]; these run from {places.min():.3g} to {places.max():.3g}. "
                "Scale them with fit_unit_square."
            )
        found = morton.codes(places[:, 0], places[:, 1])
        order = np.lexsort((numbers, found)) if rows is not None else np.argsort(found, kind="stable")
        return cls(
            rows=numbers[order],
            x=np.ascontiguousarray(places[order, 0]),
            y=np.ascontiguousarray(places[order, 1]),
            codes=found[order],
            left_out=int(len(placed) - placed.sum()),
        )

    def __len__(self) -> int:
        """How many points are on the map."""
        return len(self.rows)

    @staticmethod
    def has_tile(z: int, x: int, y: int) -> bool:
        """Whether there is such a tile: 0 <= z <= 16, 0 <= x, y < 2**z."""
        return 0 <= z <= DEEPEST and 0 <= x < 1 << z and 0 <= y < 1 << z

    def slice(self, z: int, x: int, y: int) -> slice:
        """The run of points inside tile (z, x, y).

        A tile owns its left and upper edge, so each point is in one tile of a zoom; the tiles at the far edges own the
        coordinate 1 too.

        Raises
        ------
        ProjectionError
            There is no such tile.
        """
        if not self.has_tile(z, x, y):
            raise ProjectionError(
                f"there is no tile {z}/{x}/{y}: zoom is 0 to {DEEPEST}, x and y are 0 to 2**zoom - 1."
            )
        start, stop = self._cut([x], [y], z)
        return slice(int(start[0]), int(stop[0]))

    def grid(self, z: int, x: int, y: int, *, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the points of each cell begin and end when tile (z, x, y) is cut in ``side`` x ``side`` cells.

        ``side`` is a power of two. Both arrays have the shape (side, side), row first.
        """
        depth = z + side.bit_length() - 1
        across = np.arange(side)
        columns, lines = np.meshgrid(x * side + across, y * side + across)
        start, stop = self._cut(columns.ravel(), lines.ravel(), depth)
        return start.reshape(side, side), stop.reshape(side, side)

    def ring(self, z: int, x: int, y: int) -> NDArray[np.int64]:
        """Indices of the points outside tile (z, x, y), at most 8 pixels from it: their marks may reach into it."""
        side = 1 << RING
        whole = 1 << (z + RING)
        along = np.arange(-1, side + 1)
        columns, lines = (part.ravel() for part in np.meshgrid(along, along))
        edge = (columns == -1) | (columns == side) | (lines == -1) | (lines == side)
        columns, lines = x * side + columns[edge], y * side + lines[edge]
        inside = (columns >= 0) & (columns < whole) & (lines >= 0) & (lines < whole)
        return _expand(*self._cut(columns[inside], lines[inside], z + RING))

    def nearest(self, x: float, y: float, radius: float) -> int | None:
        """Index (into ``rows``) of the point nearest to a place, at most ``radius`` away; None when there is none.

        Exact. Of points equally near the one with the smallest row is taken.
        """
        if not (np.isfinite([x, y, radius]).all() and radius >= 0):
            raise ProjectionError(f"a search needs a place and a radius of 0 or more; asked were {x}, {y}, {radius}.")
        slack = radius + 1e-9  # rounding may not lose a point that lies on the circle
        near = self._candidates(x - slack, y - slack, x + slack, y + slack)
        if not near.size:
            return None
        squared = (self.x[near].astype(np.float64) - x) ** 2 + (self.y[near].astype(np.float64) - y) ** 2
        best = squared.min()
        if best > radius * radius:
            return None
        tied = near[squared == best]
        return int(tied[np.argmin(self.rows[tied])])

    def in_polygon(self, corners: ArrayLike) -> NDArray[np.int64]:
        """Rows, rising, of the images inside a polygon with ``corners`` (m, 2); see :func:`.selection.inside`."""
        line = checked_corners(corners)
        near = self._candidates(*line.min(axis=0), *line.max(axis=0))
        return _rising(self.rows[near[inside(self.x[near], self.y[near], line)]])

    def _cut(self, column: ArrayLike, row: ArrayLike, depth: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        first, after = morton.runs(column, row, depth)
        return np.searchsorted(self.codes, first), np.searchsorted(self.codes, after)

    def _candidates(self, left: float, top: float, right: float, bottom: float) -> NDArray[np.int64]:
        """Indices of the points in all cells that a box touches, cells being about a quarter of the box."""
        if right < 0 or bottom < 0 or left > 1 or top > 1:
            return np.empty(0, dtype=np.int64)
        extent = max(right - left, bottom - top)
        depth = morton.DEPTH if extent <= 0 else int(np.clip(2 - np.floor(np.log2(extent)), 0, morton.DEPTH))
        first_column, last_column = morton.cells([left, right], depth)
        first_row, last_row = morton.cells([top, bottom], depth)
        columns, lines = np.meshgrid(np.arange(first_column, last_column + 1), np.arange(first_row, last_row + 1))
        return _expand(*self._cut(columns.ravel(), lines.ravel(), depth))


def _rising(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Different rows in rising order; where there are many, a mark for each is several times as fast as sorting."""
    highest = int(rows.max(initial=-1))
    if len(rows) < _MANY * highest:
        return np.sort(rows)
    marks = np.zeros(highest + 1, np.bool_)
    marks[rows] = True
    return np.flatnonzero(marks)


def _expand(start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """All indices of the runs [start, stop)."""
    filled = np.flatnonzero(stop > start)
    if not filled.size:
        return np.empty(0, dtype=np.int64)
    return np.concatenate([np.arange(start[i], stop[i]) for i in filled])
