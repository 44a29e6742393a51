"""The nearest among a fixed set of points, for layouts: quick, the same every time, and nearly always right.

In:  points (m, c) float32 and queries. Out: indices and Euclidean distances. Knows nothing of images.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT = 10_000
"""Up to so many points the search compares with all of them."""

_PROBED = 16  # of the cells; 0.99 of the neighbours in clustered data of 50 dimensions
_TRAINED = 64  # points for each cell, to place the cells

Floats = NDArray[np.float32]


class NeighbourIndex:
    """The nearest of ``points`` (m, c): exact up to ``EXACT``, beyond by an inverted file of faiss [1]_.

    The cells depend on the points and the seed, and a query on nothing but itself: no thread comes first.

    References
    ----------
    .. [1] Douze et al.: The Faiss library. arXiv:2401.08281, 2024.
    """

    def __init__(self, points: Floats, *, seed: int = 0) -> None:
        import faiss

        points = np.ascontiguousarray(points, np.float32)
        self.count = len(points)
        self._flat: Any = faiss.IndexFlatL2(points.shape[1])
        self._flat.add(points)
        self._index: Any = self._flat
        if self.count > EXACT:
            cells = round(2 * self.count**0.5)
            self._cells = faiss.IndexFlatL2(points.shape[1])
            self._index = faiss.IndexIVFFlat(self._cells, points.shape[1], cells)
            self._index.cp.seed = seed + 1
            chosen = np.random.default_rng(seed).permutation(self.count)[: _TRAINED * cells]
            self._index.train(points[np.sort(chosen)])
            self._index.add(points)
            self._index.nprobe = _PROBED

    def search(self, queries: Floats, count: int) -> tuple[NDArray[np.int32], Floats]:
        """Return the indices and distances (n, k) of the ``k = min(count, m)`` nearest, nearest first."""
        queries = np.ascontiguousarray(queries, np.float32)
        count = min(count, self.count)
        squares, found = self._index.search(queries, count)
        short = np.flatnonzero((found < 0).any(axis=1))  # the probed cells held too few
        if len(short):
            squares[short], found[short] = self._flat.search(queries[short], count)
        return found.astype(np.int32), np.sqrt(np.maximum(squares, 0))

    def search_self(self, points: Floats, count: int) -> tuple[NDArray[np.int32], Floats]:
        """Return the nearest of each of ``points``, which are those that the search was made of, without itself."""
        found, distances = self.search(points, count + 1)
        other = found != np.arange(len(points))[:, None]
        other[other.all(axis=1), -1] = False  # among equals it may not have found itself
        shape = (len(points), found.shape[1] - 1)
        return found[other].reshape(shape), distances[other].reshape(shape)
