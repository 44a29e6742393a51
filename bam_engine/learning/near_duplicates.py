"""Near-duplicates of a whole collection: pairs of vectors close to each other, and one representative for each group.

Comparing all pairs would take days for millions of images, so candidates come from hashing by locality (Charikar,
"Similarity Estimation Techniques from Rounding Algorithms", STOC 2002): in each of several tables, vectors whose random
projections have the same signs share a bucket. The projections are taken within the leading principal components, each
scaled to unit variance: images differ most there and near-duplicates least, and the buckets fill evenly. Each candidate
pair is then measured exactly, so no reported pair is wrong, but some may be missed; ``benchmarks/search.py`` measures
how many.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bam_engine.learning.duplicate_filter import TOLERANCE, squared_limit
from bam_engine.learning.products import products
from bam_engine.learning.threads import single_threaded_blas

TABLES = 24
WINDOW = 64
"""Each vector is compared with this many that follow it in its bucket; identical vectors count once."""

MAX_PAIRS = 40_000_000
"""The search stops after the table that brings the number of pairs to this limit (320 MB)."""

_COMPONENTS = 24
_SAMPLE = 16384
_BUCKET_SIZE = 8  # vectors on average
_SPAN = 65536
_MAX_WORKERS = 8
_BLOCK = 2048

Pairs = npt.NDArray[np.int32]
_T = TypeVar("_T")


class NearDuplicateSearch:
    """A search for the pairs of close vectors of one array: prepared once, then run table by table.

    Parameters
    ----------
    vectors : (n, d) float16
        May be a memory map. All-zero vectors are close to none.
    tolerance
        The largest squared distance of close vectors, as a share of the mean one to the centre.

    Attributes
    ----------
    first : (n,) int32
        The lowest row with exactly the same vector.

    Examples
    --------
    >>> vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float16)
    >>> NearDuplicateSearch(vectors).first.tolist()
    [0, 0, 2]
    """

    def __init__(self, vectors: npt.NDArray[np.float16], tolerance: float = TOLERANCE) -> None:
        self._vectors = vectors
        self._bits = np.ascontiguousarray(vectors).view(np.int16)
        hashed = self._hashed()
        self.first = _first_identical(self._bits, hashed)
        self._rows = np.flatnonzero((hashed != 0) & (self.first == np.arange(len(vectors)))).astype(np.int32)
        self._limit = squared_limit(vectors, self._rows.astype(np.int64), tolerance) if len(self._rows) else 0.0
        self._places, self._spread = self._projected()

    def find_pairs(self, number: int) -> Pairs:
        """Return the pairs of close vectors (m, 2) that hash table ``number`` finds, the lower row first."""
        from bam_engine.learning.near_duplicate_kernels import pairs_in_windows

        if len(self._rows) < 2:
            return np.empty((0, 2), np.int32)
        codes, along = self._coded(np.random.default_rng([number, len(self._rows)]))
        order = np.argsort(codes.astype(np.uint64) << np.uint64(32) | along, kind="stable")
        rows, codes, places = self._rows[order], codes[order], self._places[order]
        limit, near = np.float32(self._limit), np.float32(1.001 * self._limit)  # projections are rounded too

        def span(start: int) -> Pairs:
            stop = min(start + _SPAN, len(rows))
            pairs: Pairs = pairs_in_windows(self._bits, rows, codes, places, start, stop, WINDOW, limit, near)
            return pairs

        return np.concatenate(_in_threads(span, len(rows)))

    def _coded(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64]]:
        """Return each row's bucket, and its position along one more random direction, by which a bucket is sorted."""
        width = self._places.shape[1]
        signs = int(np.clip(np.ceil(np.log2(len(self._rows) / _BUCKET_SIZE)), 1, 24))
        directions = (rng.normal(size=(width, signs + 1)) / self._spread[:, None]).astype(np.float32)
        codes, along = np.empty(len(self._rows), np.uint32), np.empty(len(self._rows), np.float32)
        weights = (1 << np.arange(signs)).astype(np.float32)  # whole numbers below 2**24 are exact

        def span(start: int) -> None:
            projected = self._places[start : start + _SPAN] @ directions
            codes[start : start + _SPAN] = (projected[:, :-1] > 0).astype(np.float32) @ weights
            along[start : start + _SPAN] = projected[:, -1]

        with single_threaded_blas():
            _in_threads(span, len(self._rows))
        low, high = float(along.min()), float(along.max())
        return codes, ((along - low) * np.float32(1e9 / max(high - low, 1e-12))).astype(np.uint64)

    def _hashed(self) -> npt.NDArray[np.uint64]:
        from bam_engine.learning.near_duplicate_kernels import hashes

        out = np.empty(len(self._bits), np.uint64)
        _in_threads(lambda start: hashes(self._bits[start : start + _SPAN], out[start : start + _SPAN]), len(out))
        return out

    def _projected(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """Return the rows in their leading principal components (m, p), and the standard deviation of each (p,)."""
        sampled = self._rows[np.linspace(0, len(self._rows) - 1, min(len(self._rows), _SAMPLE)).astype(np.int64)]
        if len(sampled) < 2:
            return np.empty((len(self._rows), 0), np.float32), np.empty(0)
        sample = np.asarray(self._vectors[sampled], np.float32)
        centre = sample.mean(axis=0)
        sample -= centre
        with single_threaded_blas():
            values, directions = np.linalg.eigh((sample.T @ sample).astype(np.float64) / len(sample))
            leading = np.argsort(-values)[:_COMPONENTS]
            leading = leading[values[leading] > 1e-3 * values.max()] if values.max() > 0 else leading[:1]
        axes = np.ascontiguousarray(directions[:, leading], np.float32)
        places = products(self._vectors, axes, rows=self._rows, centre=centre)
        return places, np.sqrt(np.maximum(values[leading], 1e-12))


def representatives(first: npt.NDArray[np.int32], pairs: Pairs) -> npt.NDArray[np.int32]:
    """Return the representative (n,) of each row: the lowest row of its group.

    Rows are visited in ascending order: a row without a representative represents itself and those of its
    near-duplicates that have none. Every row is thus a near-duplicate of its representative, and a chain in which each
    row resembles only the next does not become one group.

    Parameters
    ----------
    first : (n,)
        The lowest row with the same vector.
    pairs : (m, 2)
        Near-duplicates among those, the lower row first.

    Examples
    --------
    >>> representatives(np.arange(4, dtype=np.int32), np.array([[0, 1], [1, 2]], np.int32)).tolist()
    [0, 0, 2, 3]
    """
    from bam_engine.learning.near_duplicate_kernels import assign_leaders

    low, high = unique_pairs(pairs).T
    starts = np.searchsorted(low, np.arange(len(first) + 1))
    leader = np.full(len(first), -1, np.int32)
    assign_leaders(starts, np.ascontiguousarray(high), leader)
    return leader[first]


def unique_pairs(pairs: Pairs) -> Pairs:
    """Return each pair (m, 2) once, sorted."""
    keys = np.unique(pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1])
    return np.column_stack([keys >> 32, keys & 0xFFFFFFFF]).astype(np.int32)


def _first_identical(bits: npt.NDArray[np.int16], hashed: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Return the lowest row with the same vector; on a hash collision a row represents itself."""
    order = np.argsort(hashed, kind="stable")
    sorted_hashes = hashed[order]
    begins = np.flatnonzero(np.concatenate([[True], sorted_hashes[1:] != sorted_hashes[:-1]])) if len(order) else order
    lowest = np.repeat(order[begins], np.diff(np.append(begins, len(order))))
    first = np.arange(len(bits), dtype=np.int32)
    candidates = np.flatnonzero((lowest != order) & (sorted_hashes != 0))
    for start in range(0, len(candidates), _BLOCK):
        block = candidates[start : start + _BLOCK]
        same = (bits[order[block]] == bits[lowest[block]]).all(axis=1)
        first[order[block[same]]] = lowest[block[same]]
    return first


def _in_threads(work: Callable[[int], _T], count: int) -> list[_T]:
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_WORKERS)) as workers:
        return list(workers.map(work, range(0, count, _SPAN)))
