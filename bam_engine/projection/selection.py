"""The best images of each attribute: the rows of a map like that on BAM's page.

In:  scores of every attribute. Out: rows.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import ProjectionError


def best_of_each(scores: Mapping[str, ArrayLike] | ArrayLike, *, count: int = 1000) -> NDArray[np.int64]:
    """Return the rows of the best images of each attribute.

    Parameters
    ----------
    scores : mapping of attribute to (n,) array, or array (attributes, n)
        Higher is more positive; NaN and infinity mean "not scored" and are never chosen.
    count : int
        Images of each attribute; ties by row.

    Returns
    -------
    (m,) int64
        Ascending and unique, so m <= count * attributes.

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
        raise ProjectionError(f"The number of images of each attribute must be at least 0, not {count}.")
    each = list(scores.values()) if isinstance(scores, Mapping) else list(np.atleast_2d(np.asarray(scores)))
    columns = [np.asarray(values, dtype=np.float64) for values in each]
    if len({column.shape for column in columns}) > 1 or any(column.ndim != 1 for column in columns):
        raise ProjectionError("Every attribute needs one score for each image, but their lengths differ.")
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
