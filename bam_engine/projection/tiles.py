"""The points of a map, indexed for tiles.

In:  a layout (n, 2) in [0, 1] squared and the image row of each point.
Out: the run of points in a tile, the points near a position or in a polygon. Knows nothing of colours or pictures.

Points are sorted once along the Morton curve (0.3 s for 2.5 million); after that a tile is two binary searches and a
slice, at any zoom, without a precomputed pyramid of tiles.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import ProjectionError
from bam_engine.projection import morton
from bam_engine.projection.polygon import checked_corners, points_in_polygon

TILE = 256
"""Pixels along a side of a tile."""

DEEPEST = 16
"""The deepest zoom: a pixel of its tiles is a cell at Morton depth 24, the resolution of a float32."""

_MARK_FROM = 1 / 32
"""From this fraction of all rows on, rows are sorted by marking them."""

RING = 5
"""The ring of cells around a tile is this much deeper than the tile, so it is 8 pixels wide."""


@dataclass(frozen=True, eq=False)
class TileSource:
    """The points of one map in Morton order, ties by row; create it with :meth:`build`.

    Attributes
    ----------
    rows : (m,) int64
        The image row of each point.
    x, y : (m,) float32
        Its place: x to the right, y down, as on the screen.
    codes : (m,) uint64
        Its Morton code, ascending.
    left_out : int
        Points of the layout without a place (NaN or infinite), which are not on the map.
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
            Places in [0, 1] squared. Points with NaN or infinity are left out.
        rows : (n,) array of int, optional
            The image row of each point; without it, 0 to n - 1.

        Raises
        ------
        ProjectionError
            The shapes do not match, or a finite coordinate is outside [0, 1].

        Examples
        --------
        >>> source = TileSource.build([[0.1, 0.2], [0.9, 0.9], [0.1, 0.2]])
        >>> source.rows[source.slice(1, 0, 0)].tolist()
        [0, 2]
        """
        places = np.asarray(layout, dtype=np.float32)
        if places.ndim != 2 or places.shape[1] != 2:
            raise ProjectionError(f"A layout must have the shape (n, 2); this one has {places.shape}.")
        numbers = np.arange(len(places)) if rows is None else np.asarray(rows, dtype=np.int64)
        if numbers.shape != (len(places),):
            raise ProjectionError(f"A layout of {len(places):,} points needs as many rows, not {numbers.size:,}.")
        placed = np.asarray(np.isfinite(places).all(axis=1))
        places, numbers = places[placed], numbers[placed]
        if places.size and (places.min() < 0 or places.max() > 1):
            raise ProjectionError(
                f"The coordinates of a map must be in [0, 1]; these run from {places.min():.3g} to {places.max():.3g}. "
                "Scale them with fit_unit_square."
            )
        codes = morton.codes(places[:, 0], places[:, 1])
        order = np.lexsort((numbers, codes)) if rows is not None else np.argsort(codes, kind="stable")
        return cls(
            rows=numbers[order],
            x=np.ascontiguousarray(places[order, 0]),
            y=np.ascontiguousarray(places[order, 1]),
            codes=codes[order],
            left_out=int(len(placed) - placed.sum()),
        )

    def __len__(self) -> int:
        """Return the number of points on the map."""
        return len(self.rows)

    @staticmethod
    def has_tile(z: int, x: int, y: int) -> bool:
        """Return whether a tile exists: 0 <= z <= 16, 0 <= x, y < 2**z."""
        return 0 <= z <= DEEPEST and 0 <= x < 1 << z and 0 <= y < 1 << z

    def slice(self, z: int, x: int, y: int) -> slice:
        """Return the run of points inside tile (z, x, y).

        A tile includes its left and upper edges, so each point is in exactly one tile of a zoom; the tiles at the far
        edges also include the coordinate 1.

        Raises
        ------
        ProjectionError
            There is no such tile.
        """
        if not self.has_tile(z, x, y):
            raise ProjectionError(
                f"There is no tile {z}/{x}/{y}: the zoom must be 0 to {DEEPEST}, x and y must be 0 to 2**zoom - 1."
            )
        start, stop = self._cut([x], [y], z)
        return slice(int(start[0]), int(stop[0]))

    def grid(self, z: int, x: int, y: int, *, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the run of each cell starts and stops, with tile (z, x, y) cut into ``side`` x ``side`` cells.

        ``side`` is a power of two. Both arrays have the shape (side, side), row first.
        """
        depth = z + side.bit_length() - 1
        across = np.arange(side)
        columns, lines = np.meshgrid(x * side + across, y * side + across)
        start, stop = self._cut(columns.ravel(), lines.ravel(), depth)
        return start.reshape(side, side), stop.reshape(side, side)

    def ring(self, z: int, x: int, y: int) -> NDArray[np.int64]:
        """Return the indices of the points within 8 pixels outside of tile (z, x, y), whose marks may reach into it."""
        side = 1 << RING
        whole = 1 << (z + RING)
        along = np.arange(-1, side + 1)
        columns, lines = (part.ravel() for part in np.meshgrid(along, along))
        edge = (columns == -1) | (columns == side) | (lines == -1) | (lines == side)
        columns, lines = x * side + columns[edge], y * side + lines[edge]
        inside = (columns >= 0) & (columns < whole) & (lines >= 0) & (lines < whole)
        return _expand(*self._cut(columns[inside], lines[inside], z + RING))

    def nearest(self, x: float, y: float, radius: float) -> int | None:
        """Return the index (into ``rows``) of the nearest point within ``radius`` of a position, or None; ties by row.

        Raises
        ------
        ProjectionError
            The position is not finite, or the radius is negative.
        """
        if not (np.isfinite([x, y, radius]).all() and radius >= 0):
            raise ProjectionError(
                f"A search needs a finite position and a radius of at least 0, not ({x}, {y}) and {radius}."
            )
        slack = radius + 1e-9  # rounding must not lose a point on the circle
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
        """Return the rows inside a polygon with ``corners`` (m, 2), ascending; see :func:`.points_in_polygon`."""
        line = checked_corners(corners)
        near = self._candidates(*line.min(axis=0), *line.max(axis=0))
        return _sort_unique(self.rows[near[points_in_polygon(self.x[near], self.y[near], line)]])

    def _cut(self, column: ArrayLike, row: ArrayLike, depth: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        first, after = morton.runs(column, row, depth)
        return np.searchsorted(self.codes, first), np.searchsorted(self.codes, after)

    def _candidates(self, left: float, top: float, right: float, bottom: float) -> NDArray[np.int64]:
        """Return the indices of the points in all cells that a box touches; cells are about a quarter of the box."""
        if right < 0 or bottom < 0 or left > 1 or top > 1:
            return np.empty(0, dtype=np.int64)
        extent = max(right - left, bottom - top)
        depth = morton.DEPTH if extent <= 0 else int(np.clip(2 - np.floor(np.log2(extent)), 0, morton.DEPTH))
        first_column, last_column = morton.cells([left, right], depth)
        first_row, last_row = morton.cells([top, bottom], depth)
        columns, lines = np.meshgrid(np.arange(first_column, last_column + 1), np.arange(first_row, last_row + 1))
        return _expand(*self._cut(columns.ravel(), lines.ravel(), depth))


def _sort_unique(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort unique rows; where there are many, marking each in a mask is several times as fast as sorting."""
    highest = int(rows.max(initial=-1))
    if len(rows) < _MARK_FROM * highest:
        return np.sort(rows)
    marks = np.zeros(highest + 1, np.bool_)
    marks[rows] = True
    return np.flatnonzero(marks)


def _expand(start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return all indices of the runs [start, stop)."""
    filled = np.flatnonzero(stop > start)
    if not filled.size:
        return np.empty(0, dtype=np.int64)
    return np.concatenate([np.arange(start[i], stop[i]) for i in filled])
