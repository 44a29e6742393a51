"""k-means in a few lines: small, and the same result every time (scikit-learn's adds up in the order threads finish).

In:  vectors (n, d) without duplicates. Out: the most typical row of each cluster, or rows far from one another.
Knows nothing else.
"""

import numpy as np
import numpy.typing as npt

_STEPS = 12


def representative_rows(vectors: npt.NDArray[np.float32], k: int, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return at most ``k`` positions, each the nearest to its cluster's centre, the largest cluster first.

    Fewer than ``k`` come back where clusters ran empty. Lloyd's algorithm from ``k`` random rows.
    """
    n = len(vectors)
    if n <= k:
        return np.arange(n)
    centres = vectors[np.sort(rng.choice(n, size=k, replace=False))].copy()
    for _ in range(_STEPS):
        nearest = np.argmin(_distances(vectors, centres), axis=1)
        size = np.bincount(nearest, minlength=k)
        order = np.argsort(nearest, kind="stable")
        filled = np.flatnonzero(size)
        starts = np.cumsum(size)[filled] - size[filled]
        centres[filled] = np.add.reduceat(vectors[order], starts, axis=0) / size[filled, None]
    distance = _distances(vectors, centres)
    nearest = np.argmin(distance, axis=1)
    order = np.lexsort((distance[np.arange(n), nearest], nearest))
    first = np.flatnonzero(np.diff(nearest[order], prepend=-1))
    size = np.bincount(nearest, minlength=k)[nearest[order[first]]]
    return order[first][np.argsort(-size, kind="stable")]


def kmeans_plus_plus(vectors: npt.NDArray[np.float32], k: int, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return at most ``k`` positions far from one another, by k-means++ (Arthur and Vassilvitskii, 2007).

    The first is the longest vector, each other one is drawn with a probability in proportion to its squared distance
    from the nearest that is there. Fewer than ``k`` come back where no vector is left that differs.
    """
    square = np.sum(vectors**2, axis=1)
    chosen = [int(np.argmax(square))]
    nearest = np.full(len(vectors), np.inf)
    for _ in range(min(k, len(vectors)) - 1):
        last = vectors[chosen[-1]]
        distance = square + square[chosen[-1]] - 2 * (vectors @ last)
        nearest = np.minimum(nearest, np.where(distance > 1e-6 * (square + square[chosen[-1]]), distance, 0))
        upto = np.cumsum(nearest, dtype=np.float64)
        if upto[-1] <= 0:
            break
        drawn = np.searchsorted(upto, rng.random() * upto[-1], side="right")
        chosen.append(int(min(drawn, np.flatnonzero(nearest)[-1])))  # rounding may reach past the last
    return np.array(chosen, dtype=np.intp)


def _distances(vectors: npt.NDArray[np.float32], centres: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return squared distances up to a constant for each vector, (n, k)."""
    distances: npt.NDArray[np.float32] = np.sum(centres**2, axis=1) - 2 * (vectors @ centres.T)
    return distances
