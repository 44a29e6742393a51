"""Which images stand on a map of the best, and which points lie in a drawn area.

In:  scores of every attribute; places and the corners of a polygon.
Out: rows; whether each place is inside. Knows nothing of how a layout was made.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import ProjectionError


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
    Places are sorted by y once, so that each side looks at those beside it alone: 900,000 places in 200 corners take
    0.2 s. Of places on the line itself those at its left and upper edge are inside, as with tiles, up to rounding.

    Raises
    ------
    ProjectionError
        Fewer than three corners, another shape, or a corner that is not finite.

    Examples
    --------
    >>> inside([0.5, 2.0], [0.5, 0.5], [[0, 0], [1, 0], [1, 1], [0, 1]]).tolist()
    [True, False]
    """
    line = checked_corners(corners)
    across, down = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    order = np.argsort(down, kind="stable")
    across, down = across[order], down[order]
    odd = np.zeros(len(order), dtype=bool)
    for (x1, y1), (x2, y2) in zip(line, np.roll(line, -1, axis=0), strict=True):
        start, stop = np.searchsorted(down, [min(y1, y2), max(y1, y2)])
        if start < stop:
            crossing = x1 + (down[start:stop] - y1) * ((x2 - x1) / (y2 - y1))
            odd[start:stop] ^= across[start:stop] < crossing
    found = np.empty(len(order), dtype=bool)
    found[order] = odd
    return found


def checked_corners(corners: ArrayLike) -> NDArray[np.float64]:
    """Return the corners of a polygon (m, 2), or raise ``ProjectionError`` where they make no area."""
    line = np.asarray(corners, dtype=np.float64)
    if line.ndim != 2 or line.shape[1] != 2 or len(line) < 3 or not np.isfinite(line).all():
        raise ProjectionError(
            f"an area needs three corners (x, y) or more, all finite; corners of shape {line.shape} were given."
        )
    return line
