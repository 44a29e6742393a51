"""Points inside a polygon.

In:  points, the corners of a polygon. Out: whether each point is inside.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import ProjectionError

BANDS = 512
"""Bands of y into which the edges of a polygon are sorted."""


def points_in_polygon(x: ArrayLike, y: ArrayLike, corners: ArrayLike) -> NDArray[np.bool_]:
    """Return which points lie in a polygon, (n,).

    Parameters
    ----------
    x, y : (n,) array of float
        Finite.
    corners : (m, 2) array of float
        In drawing order; the polygon is closed. Where it crosses itself, a point is inside when a ray from it crosses
        an odd number of edges, like the SVG fill rule ``evenodd``.

    Notes
    -----
    Edges are sorted into bands of y, and each point is tested against those of its band only: 900,000 points and 200
    corners take about 10 ms, 100 ms for a wild scribble (``benchmarks/lasso.py``). Points on the left and upper edges
    are inside, as with tiles, up to rounding.

    Raises
    ------
    ProjectionError
        There are fewer than three corners, their shape is wrong, or one is not finite.

    Examples
    --------
    >>> points_in_polygon([0.5, 2.0], [0.5, 0.5], [[0, 0], [1, 0], [1, 1], [0, 1]]).tolist()
    [True, False]
    """
    from bam_engine.projection.polygon_kernels import odd_crossings

    line = checked_corners(corners)
    across, down = _contiguous(x), _contiguous(y)
    edges, first, top, scale = _edges_by_band(line)
    inside = np.empty(len(across), dtype=bool)
    odd_crossings(across, down, edges, first, top, scale, inside)
    return inside


def _contiguous(values: ArrayLike) -> NDArray[np.floating[Any]]:
    """Return a contiguous array of float32 or float64, for which the kernel is compiled."""
    array = np.asarray(values)
    return np.ascontiguousarray(array, dtype=np.float32 if array.dtype == np.float32 else np.float64)


def _edges_by_band(line: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64], float, float]:
    """Return the edges of a polygon (4, k) by bands of y, the start of each band, the top, and the bands per unit of y.

    An edge is its upper y, its lower y, its x at the upper end and dx/dy. An edge that spans several bands is listed in
    each; horizontal edges, which no ray crosses, are dropped.
    """
    one, other = line, np.roll(line, -1, axis=0)
    upper = np.where((one[:, 1] <= other[:, 1])[:, None], one, other)
    lower = np.where((one[:, 1] <= other[:, 1])[:, None], other, one)
    steep = upper[:, 1] < lower[:, 1]
    upper, lower = upper[steep], lower[steep]
    top, bottom = float(line[:, 1].min()), float(line[:, 1].max())
    bands = BANDS
    with np.errstate(over="ignore", divide="ignore"):
        scale = bands / (bottom - top) if bottom > top else 0.0
        if not np.isfinite(scale):  # practically no height
            bands, scale = 1, 0.0
        slope = (lower[:, 0] - upper[:, 0]) / (lower[:, 1] - upper[:, 1])
    begin = np.minimum(((upper[:, 1] - top) * scale).astype(np.int64), bands - 1)
    end = np.minimum(((lower[:, 1] - top) * scale).astype(np.int64), bands - 1)
    length = end - begin + 1
    edge = np.repeat(np.arange(len(begin)), length)
    band = np.arange(len(edge)) - np.repeat(np.cumsum(length) - length, length) + np.repeat(begin, length)
    order = np.argsort(band, kind="stable")
    edge, band = edge[order], band[order]
    first = np.searchsorted(band, np.arange(bands + 1))
    edges = np.stack([upper[:, 1], lower[:, 1], upper[:, 0], slope])[:, edge]
    return np.ascontiguousarray(edges), first.astype(np.int64), top, scale


def checked_corners(corners: ArrayLike) -> NDArray[np.float64]:
    """Return the corners of a polygon (m, 2), or raise ``ProjectionError`` if they are invalid."""
    line = np.asarray(corners, dtype=np.float64)
    if line.ndim != 2 or line.shape[1] != 2 or len(line) < 3 or not np.isfinite(line).all():
        raise ProjectionError(
            f"A polygon needs at least three corners (x, y), all finite; these have the shape {line.shape}."
        )
    return line
