"""Principal components of vectors that may not fit into memory.

In:  vectors (n, d) of any float type, memory-mapped if large. Out: coordinates (m, c) float32. Knows nothing of maps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.learning.products import Floats, products

COMPONENTS = 50
_BLOCK = 8192


@dataclass(frozen=True)
class Components:
    """Principal components: the mean (d,) and the directions (d, c), by descending variance, with fixed signs."""

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]

    def of(self, vectors: NDArray[Any], rows: NDArray[np.int64]) -> Floats:
        """Return the coordinates (m, c) of ``rows``, whose vectors are finite."""
        return products(vectors, self.directions.astype(np.float32), rows=rows, centre=self.mean.astype(np.float32))


def fit_components(vectors: NDArray[Any], *, rows: NDArray[np.int64], count: int = COMPONENTS) -> Components:
    """Return the first ``count`` principal components of ``rows``, from the d x d covariance.

    ``vectors`` are read once in blocks, without a copy. The largest entry of each direction is positive, so that the
    same vectors give the same map.
    """
    width = vectors.shape[1]
    shift = np.asarray(vectors[rows[0]], dtype=np.float64)
    total, squares = np.zeros(width), np.zeros((width, width))
    for block in _blocks(vectors, rows):
        moved = block - shift
        total += moved.sum(axis=0)
        squares += moved.T @ moved
    mean = total / len(rows)
    _, directions = np.linalg.eigh(squares / len(rows) - np.outer(mean, mean))
    directions = directions[:, ::-1][:, : min(count, width)]
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    return Components(shift + mean, directions * np.where(largest < 0, -1.0, 1.0))


def usable(vectors: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of ``rows`` have a usable vector: finite and not all zero."""
    result = np.empty(len(rows), dtype=bool)
    for start in range(0, len(rows), _BLOCK):
        block = np.asarray(vectors[rows[start : start + _BLOCK]])
        result[start : start + _BLOCK] = np.isfinite(block).all(axis=1) & (block != 0).any(axis=1)
    return result


def _blocks(vectors: NDArray[Any], rows: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(rows), _BLOCK):
        block = np.asarray(vectors[rows[start : start + _BLOCK]])
        yield block.astype(np.float64 if block.dtype == np.float64 else np.float32)
