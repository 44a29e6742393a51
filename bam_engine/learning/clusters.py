"""Deterministic k-means: scikit-learn's sums in the order in which threads finish, so its result varies."""

import numpy as np
import numpy.typing as npt

_STEPS = 12


def representative_rows(vectors: npt.NDArray[np.float32], k: int, *, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return the positions of the vectors nearest to the centres of ``k`` clusters, the largest cluster first.

    Lloyd's k-means from ``k`` random vectors (n, d). Empty clusters are dropped, so fewer than ``k`` may be returned.
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
    """Return the positions of at most ``k`` vectors that are far from one another.

    This is k-means++ (Arthur and Vassilvitskii, 2007). The first is the longest vector; each following one is drawn
    with probability proportional to its squared distance to the nearest one chosen before. Fewer than ``k`` are
    returned if no distinct vector is left.
    """
    square = np.sum(vectors**2, axis=1)
    chosen = [int(np.argmax(square))]
    nearest = np.full(len(vectors), np.inf)
    for _ in range(min(k, len(vectors)) - 1):
        last = vectors[chosen[-1]]
        distance = square + square[chosen[-1]] - 2 * (vectors @ last)
        nearest = np.minimum(nearest, np.where(distance > 1e-6 * (square + square[chosen[-1]]), distance, 0))
        cumulative = np.cumsum(nearest, dtype=np.float64)
        if cumulative[-1] <= 0:
            break
        drawn = np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")
        chosen.append(int(min(drawn, np.flatnonzero(nearest)[-1])))  # rounding may reach past the last
    return np.array(chosen, dtype=np.intp)


def _distances(vectors: npt.NDArray[np.float32], centres: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the squared distances (n, k), up to a constant for each vector."""
    distances: npt.NDArray[np.float32] = np.sum(centres**2, axis=1) - 2 * (vectors @ centres.T)
    return distances
