"""Which images are all but the same as one that is asked: their answer is known.

In:  vectors (N, d), the pool, the rows asked before. Out: yes or no for a row. Knows nothing of scores or projects.

Two images are near-duplicates when their squared distance is at most 4 % of the mean squared distance of the pool to
its centre: for vectors of typical length, a cosine of 0.98 or more once the centre is taken off. The cosine of the
vectors as they are would not do: encoders put all images into a narrow cone, and on the real pictures 38 % of the
images have another one above 0.98 by the builtin encoder, 2 % by a MobileNet.
"""

import numpy as np
import numpy.typing as npt

from bam_engine.learning.sampling import Rows

SAME = 0.04
_CENTRE_OVER = 1024  # images of the pool that stand for it
_ROUNDING = 1e-6


class DuplicateFilter:
    """What is asked, before and in the batch in the making; ``add`` says whether a row is new beside it."""

    def __init__(self, vectors: npt.NDArray[np.floating], pool: Rows, asked: npt.ArrayLike | None) -> None:
        self._vectors = vectors
        self._centre, self._limit = _centre_and_limit(vectors, pool)
        before = np.asarray([] if asked is None else asked, dtype=np.int64)
        self._before = self._read(before[before < len(vectors)])  # the vectors may be made anew, and not all be there
        self._square = np.sum(self._before**2, axis=1)
        self._read_rows: dict[int, npt.NDArray[np.float32]] = {}
        self._taken = np.empty((16, len(self._centre)), dtype=np.float32)
        self._count = 0

    def _read(self, rows: Rows) -> npt.NDArray[np.float32]:
        found: npt.NDArray[np.float32] = np.asarray(self._vectors[rows], dtype=np.float32) - self._centre
        return found

    def asked_before(self, rows: list[int]) -> set[int]:
        """Return those of ``rows`` that are near-duplicates of what was asked before the batch."""
        found = self._read(np.asarray(rows, dtype=np.int64))
        self._read_rows = dict(zip(rows, found, strict=True))
        if not len(self._before):
            return set()
        square = np.sum(found**2, axis=1)[:, None] + self._square
        nearest = (square - 2 * (found @ self._before.T)).min(axis=1)
        return {row for row, distance in zip(rows, nearest, strict=True) if distance <= self._limit}

    def add(self, row: int) -> bool:
        """Add a row that ``asked_before`` was last asked about; no if it is a near-duplicate of one that was added."""
        vector = self._read_rows[row]
        if self._count and np.sum((self._taken[: self._count] - vector) ** 2, axis=1).min() <= self._limit:
            return False
        if self._count == len(self._taken):
            self._taken = np.concatenate([self._taken, np.empty_like(self._taken)])
        self._taken[self._count] = vector
        self._count += 1
        return True


def squared_limit(vectors: npt.NDArray[np.floating], pool: Rows) -> float:
    """Return the squared distance up to which two images of ``pool`` are near-duplicates."""
    return _centre_and_limit(vectors, pool)[1]


def _centre_and_limit(vectors: npt.NDArray[np.floating], pool: Rows) -> tuple[npt.NDArray[np.float32], float]:
    places = np.linspace(0, len(pool) - 1, min(len(pool), _CENTRE_OVER)).astype(np.int64)
    sample = np.asarray(vectors[pool[places]], dtype=np.float32)
    centre = sample.mean(axis=0)
    scale = float(np.mean(np.sum((sample - centre) ** 2, axis=1)))
    return centre, SAME * scale + _ROUNDING * (scale + float(centre @ centre))
