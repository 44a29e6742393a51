"""Nearest-neighbour search for layouts: fast, deterministic, and exact or nearly so.

In:  points (m, c) float32 and queries. Out: indices and Euclidean distances. Knows nothing of images.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT = 10_000
"""Up to so many points the search is exhaustive."""

_PROBES = 16  # cells per query: a recall of 99% on clustered data of 50 dimensions
_TRAINING_POINTS = 64  # points per cell that place the cells

Floats = NDArray[np.float32]


class NeighbourIndex:
    """An index of ``points`` (m, c): exact up to ``EXACT`` points, beyond by an inverted file of faiss [1]_.

    The cells depend on points and seed alone, and results do not depend on threads.

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
            chosen = np.random.default_rng(seed).permutation(self.count)[: _TRAINING_POINTS * cells]
            self._index.train(points[np.sort(chosen)])
            self._index.add(points)
            self._index.nprobe = _PROBES

    def search(self, queries: Floats, count: int) -> tuple[NDArray[np.int32], Floats]:
        """Return the indices and distances (n, k) of the ``k = min(count, m)`` nearest, nearest first."""
        queries = np.ascontiguousarray(queries, np.float32)
        count = min(count, self.count)
        squares, indices = self._index.search(queries, count)
        short = np.flatnonzero((indices < 0).any(axis=1))  # the probed cells have too few points
        if len(short):
            squares[short], indices[short] = self._flat.search(queries[short], count)
        return indices.astype(np.int32), np.sqrt(np.maximum(squares, 0))

    def search_self(self, points: Floats, count: int) -> tuple[NDArray[np.int32], Floats]:
        """Return the nearest neighbours of each of the indexed ``points``, without the point itself."""
        indices, distances = self.search(points, count + 1)
        other = indices != np.arange(len(points))[:, None]
        other[other.all(axis=1), -1] = False  # among equal points, a point may not be its own nearest
        shape = (len(points), indices.shape[1] - 1)
        return indices[other].reshape(shape), distances[other].reshape(shape)
