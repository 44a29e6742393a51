"""The comparison of scores with a threshold, the same everywhere.

In:  float (n,) scores, nan where there is none, and a threshold. Out: bool (n,) masks, and counts.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Mask = NDArray[np.bool_]


def is_accepted(scores: ArrayLike, threshold: float) -> Mask:
    """Return which images a threshold accepts: those scoring at or above it. Images without a score are not accepted.

    Scores are compared as the float32 that they are stored as.

    Examples
    --------
    >>> is_accepted(np.array([1.5, 0.5, -2.0, np.nan], np.float32), 0.5).tolist()
    [True, True, False, False]
    """
    accepted: Mask = np.asarray(scores, np.float32) >= np.float32(threshold)
    return accepted


def is_rejected(scores: ArrayLike, threshold: float) -> Mask:
    """Return which images a threshold rejects: those scoring below it. Images without a score are not rejected."""
    rejected: Mask = np.asarray(scores, np.float32) < np.float32(threshold)
    return rejected


def count_accepted(scores: NDArray[np.floating], cuts: ArrayLike) -> NDArray[np.int64]:
    """Return the number of scores (N,) at or above each cut (c,), in one pass over the scores.

    Examples
    --------
    >>> count_accepted(np.array([0.1, 0.5, 0.9]), [0.9, 0.5]).tolist()
    [1, 2]
    """
    cut = np.atleast_1d(np.asarray(cuts, dtype=np.float64))
    ascending = np.sort(cut)
    reached = np.bincount(np.searchsorted(ascending, scores, side="right"), minlength=len(ascending) + 1)
    at_least = np.cumsum(reached[::-1])[::-1][1:]  # scores at or above the j-th lowest cut
    return at_least[np.searchsorted(ascending, cut)].astype(np.int64)
