"""Which vectors are almost the same, and a filter that keeps such images out of a batch: their label is already known.

Two vectors are almost the same if their squared distance is at most 4% of the pool's mean squared distance to its
centre: for vectors of typical length, a cosine of at least 0.98 after centring. The cosine of the raw vectors would not
do, because encoders map all images into a narrow cone: on the real pictures, 38% of the images have another one above
0.98 by the builtin encoder, 2% by a MobileNet.
"""

import numpy as np
import numpy.typing as npt

from bam_engine.learning.sampling import Rows

TOLERANCE = 0.04  # of the mean squared distance to the centre
_CENTRE_SAMPLE = 1024  # images of the pool that estimate its centre
_ROUNDING = 1e-6


class DuplicateFilter:
    """Rejects near-duplicates of images queried before and of the images already in the batch.

    Parameters
    ----------
    vectors : (N, d)
    pool : rows
        The images whose spread defines what a near-duplicate is.
    queried : rows, optional
        Images queried before; rows without a vector are ignored."""

    def __init__(self, vectors: npt.NDArray[np.floating], pool: Rows, queried: npt.ArrayLike | None) -> None:
        self._vectors = vectors
        self._centre, self._limit = _centre_and_limit(vectors, pool)
        before = np.asarray([] if queried is None else queried, dtype=np.int64)
        self._queried = self._read(before[before < len(vectors)])  # embeddings may still be incomplete
        self._square = np.sum(self._queried**2, axis=1)
        self._checked: dict[int, npt.NDArray[np.float32]] = {}
        self._added = np.empty((16, len(self._centre)), dtype=np.float32)
        self._count = 0

    def _read(self, rows: Rows) -> npt.NDArray[np.float32]:
        centred: npt.NDArray[np.float32] = np.asarray(self._vectors[rows], dtype=np.float32) - self._centre
        return centred

    def queried_before(self, rows: list[int]) -> set[int]:
        """Return the rows that are near-duplicates of images queried before."""
        candidates = self._read(np.asarray(rows, dtype=np.int64))
        self._checked = dict(zip(rows, candidates, strict=True))
        if not len(self._queried):
            return set()
        square = np.sum(candidates**2, axis=1)[:, None] + self._square
        nearest = (square - 2 * (candidates @ self._queried.T)).min(axis=1)
        return {row for row, distance in zip(rows, nearest, strict=True) if distance <= self._limit}

    def add(self, row: int) -> bool:
        """Add a row of the last call of :meth:`queried_before`; False if it is a near-duplicate of one added before."""
        vector = self._checked[row]
        if self._count and np.sum((self._added[: self._count] - vector) ** 2, axis=1).min() <= self._limit:
            return False
        if self._count == len(self._added):
            self._added = np.concatenate([self._added, np.empty_like(self._added)])
        self._added[self._count] = vector
        self._count += 1
        return True


def squared_limit(vectors: npt.NDArray[np.floating], pool: Rows, tolerance: float = TOLERANCE) -> float:
    """Return the largest squared distance of two vectors that are almost the same, or within another ``tolerance``."""
    return _centre_and_limit(vectors, pool, tolerance)[1]


def _centre_and_limit(
    vectors: npt.NDArray[np.floating], pool: Rows, tolerance: float = TOLERANCE
) -> tuple[npt.NDArray[np.float32], float]:
    places = np.linspace(0, len(pool) - 1, min(len(pool), _CENTRE_SAMPLE)).astype(np.int64)
    sample = np.asarray(vectors[pool[places]], dtype=np.float32)
    centre = sample.mean(axis=0)
    scale = float(np.mean(np.sum((sample - centre) ** 2, axis=1)))
    return centre, tolerance * scale + _ROUNDING * (scale + float(centre @ centre))
