"""Which images stand on a map of the best, and which points lie in a drawn area.

In:  scores of every attribute; places and the corners of a polygon.
Out: rows; whether each place is inside. Knows nothing of how a layout was made.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import ProjectionError

BANDS = 512
"""Bands of y into which the sides of a drawn area are sorted."""


def best_of_each(scores: Mapping[str, ArrayLike] | ArrayLike, *, count: int = 1000) -> NDArray[np.int64]:
    """Rows of the best images of each attribute: the images of the map on BAM's page.

    Parameters
    ----------
    scores : mapping of attribute to (n,) array, or array (attributes, n)
        Higher is more positive; NaN and infinity mean "not scored" and are never chosen.
    count : int
        How many images each attribute contributes; ties at the edge go to the smaller row.

    Returns
    -------
    (m,) int64
        Rising, each row once though several attributes chose it; so m <= count * attributes.

    Raises
    ------
    ProjectionError
        ``count`` is negative, or the attributes have scores of different lengths.

    Examples
    --------
    >>> best_of_each({"content_cat": [0.1, 0.9, 0.5], "media_comic": [0.2, 0.8, 0.1]}, count=2).tolist()
    [0, 1, 2]
    """
    if count < 0:
        raise ProjectionError(f"{count} images of each attribute were asked for; ask for 0 or more.")
    each = list(scores.values()) if isinstance(scores, Mapping) else list(np.atleast_2d(np.asarray(scores)))
    columns = [np.asarray(values, dtype=np.float64) for values in each]
    if len({column.shape for column in columns}) > 1 or any(column.ndim != 1 for column in columns):
        raise ProjectionError("every attribute needs one score for each image; their lengths differ.")
    chosen = [_best(column, count) for column in columns]
    return np.unique(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)


def _best(scores: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    scored = np.flatnonzero(np.isfinite(scores))
    if count < len(scored):
        edge = np.partition(scores[scored], len(scored) - count)[len(scored) - count] if count else np.inf
        above = scored[scores[scored] > edge]
        level = scored[scores[scored] == edge]
        scored = np.concatenate([above, level[: count - len(above)]])
    return scored.astype(np.int64)


def inside(x: ArrayLike, y: ArrayLike, corners: ArrayLike) -> NDArray[np.bool_]:
    """Tell which places lie in a polygon, (n,).

    Parameters
    ----------
    x, y : (n,) array of float
        Finite.
    corners : (m, 2) array of float
        In the order of drawing; the last is joined to the first. Where the line crosses itself, a place is inside when
        a ray from it crosses the line an odd number of times, as a browser fills it with ``evenodd``.

    Notes
    -----
    The sides are sorted into bands of y, so that each place looks at those of its own band alone: 900,000 places in 200
    corners take some 10 ms, in the wildest scribble 100 (``benchmarks/lasso.py``). Of places on the line itself those
    at its left and upper edge are inside, as with tiles, up to rounding.

    Raises
    ------
    ProjectionError
        Fewer than three corners, another shape, or a corner that is not finite.

    Examples
    --------
    >>> inside([0.5, 2.0], [0.5, 0.5], [[0, 0], [1, 0], [1, 1], [0, 1]]).tolist()
    [True, False]
    """
    from bam_engine.projection.polygon_kernels import odd_crossings

    line = checked_corners(corners)
    across, down = _places(x), _places(y)
    sides, first, top, scale = _bands(line)
    found = np.empty(len(across), dtype=bool)
    odd_crossings(across, down, sides, first, top, scale, found)
    return found


def _places(values: ArrayLike) -> NDArray[np.floating[Any]]:
    """Contiguous float32 or float64: what the kernel is compiled for."""
    found = np.asarray(values)
    return np.ascontiguousarray(found, dtype=np.float32 if found.dtype == np.float32 else np.float64)


def _bands(line: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64], float, float]:
    """The sides of a polygon by bands of y: (4, k), where each band begins (bands + 1,), the top, and bands per y.

    A side is its upper y, its lower y, its x at the upper end and its x per y. One that meets several bands stands in
    each; level ones are crossed by no ray and left out.
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
        if not np.isfinite(scale):  # an area of no height to speak of
            bands, scale = 1, 0.0
        slope = (lower[:, 0] - upper[:, 0]) / (lower[:, 1] - upper[:, 1])
    begin = np.minimum(((upper[:, 1] - top) * scale).astype(np.int64), bands - 1)
    end = np.minimum(((lower[:, 1] - top) * scale).astype(np.int64), bands - 1)
    length = end - begin + 1
    side = np.repeat(np.arange(len(begin)), length)
    band = np.arange(len(side)) - np.repeat(np.cumsum(length) - length, length) + np.repeat(begin, length)
    order = np.argsort(band, kind="stable")
    side, band = side[order], band[order]
    first = np.searchsorted(band, np.arange(bands + 1))
    sides = np.stack([upper[:, 1], lower[:, 1], upper[:, 0], slope])[:, side]
    return np.ascontiguousarray(sides), first.astype(np.int64), top, scale


def checked_corners(corners: ArrayLike) -> NDArray[np.float64]:
    """Return the corners of a polygon (m, 2), or raise ``ProjectionError`` where they make no area."""
    line = np.asarray(corners, dtype=np.float64)
    if line.ndim != 2 or line.shape[1] != 2 or len(line) < 3 or not np.isfinite(line).all():
        raise ProjectionError(
            f"an area needs three corners (x, y) or more, all finite; corners of shape {line.shape} were given."
        )
    return line
