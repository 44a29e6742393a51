"""Exact nearest-neighbour search over the embeddings, without an index.

:func:`most_similar` ranks the collection by a few query vectors; :func:`nearest_neighbours` finds the neighbours of
many images of the collection in one pass. Each call reads every vector once, at about memory bandwidth, and misses
nothing. An index over millions of vectors takes minutes and gigabytes to build, has to follow a growing collection, and
misses some neighbours. ``benchmarks/search.py`` and ``benchmarks/candidates.py`` have the figures.
"""

import functools
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.learning.products import Floats, Vectors, for_each_block
from bam_engine.learning.sampling import Rows
from bam_engine.progress import Report, silent

NEIGHBOURS = 100
"""Neighbours of each labelled image, as in SEALS."""

_SPAN = 16384  # rows that a thread takes at a time
_MAX_WORKERS = 8
_QUERY_BLOCK = 8  # queries whose products with the whole collection are in memory together
_SAMPLE = 65536  # products from which the cutoff is estimated
_MAX_VALUE = 2.0**12  # of a query's components: products stay finite in float32
_BLOCK = 2048  # rows widened at a time: they and their products stay in the processor's cache
_BUFFER = 16  # candidates buffered for each neighbour wanted before they are sorted


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest images of each of m queries, nearest first.

    Attributes
    ----------
    rows : (m, k) int32
        -1 where a query has fewer than k neighbours; these come last.
    similarity : (m, k) float32
        Inner products, which for unit vectors are cosine similarities; -inf where there is no neighbour.
    """

    rows: npt.NDArray[np.int32]
    similarity: Floats


def most_similar(
    vectors: npt.NDArray[np.float16],
    queries: npt.ArrayLike,
    count: int,
    *,
    among: npt.ArrayLike | None = None,
    without: npt.ArrayLike = (),
    together: bool = False,
) -> Neighbours:
    """Return the ``count`` vectors with the largest inner product with each query.

    Parameters
    ----------
    vectors : (n, d) float16
        Finite. May be a memory map larger than RAM. All-zero vectors are never returned.
    queries : (d,) or (m, d)
    count : int
        At least 1.
    among : (r,) rows or (n,) bool, optional
        Search only these rows.
    without : rows
        Leave these rows out.
    together : bool
        Rank each vector by its largest product with any of the queries.

    Returns
    -------
    Neighbours
        Largest product first, ties by row; of shape (m, count), or (1, count) if ``together``.

    Raises
    ------
    LearningError
        The shapes do not match, a query is not finite or far from unit length, a row is out of range, or ``count`` is
        below 1.

    Notes
    -----
    Products are accumulated in float32, always in the same order, so that the result does not depend on the number of
    threads and equal vectors tie.

    Examples
    --------
    >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float16)
    >>> most_similar(vectors, [0, 1], 2).rows.tolist()
    [[2, 1]]
    """
    directions = _checked_queries(vectors, queries, count)
    rows = np.arange(len(vectors)) if among is None else _searched_rows(len(vectors), among)
    hidden = np.flatnonzero(np.isin(rows, np.asarray(without, np.int64)))
    products = _products(vectors, directions, rows, hidden)
    if together:
        products = iter([functools.reduce(lambda one, other: np.maximum(one, other, out=one), products)])
    result = _empty(1 if together else len(directions), count)
    for number, similarity in enumerate(products):
        best = _largest(similarity, count)
        result.rows[number, : len(best)], result.similarity[number, : len(best)] = rows[best], similarity[best]
    return result


def _empty(m: int, k: int) -> Neighbours:
    return Neighbours(np.full((m, k), -1, np.int32), np.full((m, k), -np.inf, np.float32))


def _checked_queries(vectors: npt.NDArray[np.float16], queries: npt.ArrayLike, count: int) -> Floats:
    directions = np.atleast_2d(np.asarray(queries, np.float32))
    if vectors.dtype != np.float16 or vectors.ndim != 2:
        raise LearningError(f"Vectors must be float16 of shape (n, d), not {vectors.dtype} of shape {vectors.shape}.")
    if directions.shape[1:] != vectors.shape[1:] or not len(directions):
        raise LearningError(
            f"Queries of shape {directions.shape} do not match vectors of shape {vectors.shape}. Give at least one "
            "query, embedded by the same encoder."
        )
    if not (np.isfinite(directions).all() and np.abs(directions).max(initial=0) <= _MAX_VALUE):
        raise LearningError(
            f"A query has components that are not finite or above {_MAX_VALUE:.0f}. Give a unit vector."
        )
    if count < 1:
        raise LearningError(f"Cannot search for {count} similar images. Ask for at least 1.")
    return directions


def _searched_rows(n: int, among: npt.ArrayLike) -> Rows:
    """Return the rows to search, ascending."""
    selection = np.asarray(among)
    if selection.dtype == bool:
        if len(selection) != n:
            raise LearningError(f"A mask of {len(selection):,} values does not match {counted(n, 'vector')}.")
        return np.flatnonzero(selection)
    rows = np.unique(selection.astype(np.int64))
    if len(rows) and not (rows[0] >= 0 and rows[-1] < n):
        raise LearningError(f"Cannot search rows {rows[0]} to {rows[-1]}: there are {counted(n, 'vector')}.")
    return rows


def _products(vectors: npt.NDArray[np.float16], queries: Floats, rows: Rows, hidden: Rows) -> Iterator[Floats]:
    """Yield the products (r,) of each query with the vectors of ``rows``; -inf for hidden rows and zero vectors."""
    from bam_engine.learning.neighbour_kernels import SCALE, products, products_by_four

    bits = np.ascontiguousarray(vectors).view(np.int16)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_WORKERS)) as workers:
        for first in range(0, len(queries), _QUERY_BLOCK):
            block = queries[first : first + _QUERY_BLOCK] * SCALE
            padded = block if len(block) == 1 else np.pad(block, ((0, -len(block) % 4), (0, 0)))
            results = np.empty((len(padded), len(rows)), np.float32)

            def span(start: int, directions: Floats = padded, results: Floats = results) -> None:
                part = rows[start : start + _SPAN]
                if len(directions) == 1:
                    products(bits, part, directions[0], results[0, start : start + _SPAN])
                else:
                    products_by_four(bits, part, directions, results[:, start : start + _SPAN])

            list(workers.map(span, range(0, len(rows), _SPAN)))
            results[:, hidden] = -np.inf
            yield from results[: len(block)]


def _largest(similarity: Floats, count: int) -> Rows:
    """Return the positions of the ``count`` largest values, largest first, ties by position; -inf is left out.

    A cutoff estimated from an even sample keeps the sort short. If it turns out too high, everything is sorted.
    """
    places = np.flatnonzero(similarity >= _cutoff(similarity, count))
    if len(places) < count:
        places = np.flatnonzero(similarity > -np.inf)
    if len(places) > count:
        least = np.partition(similarity[places], len(places) - count)[len(places) - count]
        places = places[similarity[places] >= least]
    best = places[np.lexsort((places, -similarity[places]))][:count]
    return best[similarity[best] > -np.inf]


def _cutoff(similarity: Floats, count: int) -> float:
    step = len(similarity) // _SAMPLE
    expected = count / step if step else 0
    above = int(expected + 4 * np.sqrt(expected)) + 4  # of the sample: rarely fewer than ``count`` of all
    if step < 2 or above >= _SAMPLE:
        return -np.inf
    sample = similarity[::step]
    return float(np.partition(sample, len(sample) - above)[len(sample) - above])


def nearest_neighbours(
    vectors: Vectors,
    seeds: npt.ArrayLike,
    *,
    count: int = NEIGHBOURS,
    among: npt.ArrayLike | None = None,
    report: Report = silent,
) -> Neighbours:
    """Return the ``count`` images nearest to each of the images ``seeds``, by cosine similarity.

    Parameters
    ----------
    vectors : (N, d)
        Unit vectors, all zero where an image has no embedding (its similarity to any other is 0). May be a memory map
        larger than RAM.
    seeds : (m,) rows
        An image is not its own neighbour.
    count : int
        At least 1.
    among : (a,) rows, optional
        The only possible neighbours, ascending, such as images added since the last search. None: all.

    Returns
    -------
    Neighbours
        Of shape (m, count); nearest first, ties by row.

    Raises
    ------
    LearningError
        A seed has no vector, or ``count`` is below 1.

    Notes
    -----
    Takes O(N (d + m)) time and O(m count) memory.

    Examples
    --------
    >>> nearest_neighbours(np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float16), [0], count=2).rows.tolist()
    [[1, 2]]
    """
    rows = np.asarray(seeds, dtype=np.int64)
    if count < 1:
        raise LearningError(f"Cannot search for {count} neighbours of each image. Ask for at least 1.")
    if len(rows) and not (rows.min() >= 0 and rows.max() < len(vectors)):
        raise LearningError(
            f"Cannot find neighbours of images {rows.min()} to {rows.max()}: there are vectors for 0 to "
            f"{len(vectors) - 1}. Compute embeddings first."
        )
    directions = np.ascontiguousarray(np.asarray(vectors[rows], dtype=np.float32).T)
    searched = None if among is None else np.asarray(among, dtype=np.int64)
    best = _RunningBest(rows, count)

    def compare(part: slice, block: Floats) -> None:
        names = np.arange(part.start, part.stop) if searched is None else searched[part]
        best.add(names, block @ directions)

    if len(rows):
        for_each_block(vectors, compare, rows=searched, block=_BLOCK, report=report, message="finding neighbours")
    return best.result()


class _RunningBest:
    """The nearest neighbours of every seed so far; what cannot be among them is skipped without sorting.

    Blocks may be added by several threads and in any order.
    """

    def __init__(self, seeds: Rows, count: int) -> None:
        self._seeds, self._count = seeds, count
        self._lock = threading.Lock()
        self._floor = np.full(len(seeds), -np.inf, np.float32)  # the similarity of the last of ``count`` neighbours
        self._last = np.full(len(seeds), np.iinfo(np.int64).max)  # and its row
        self._parts: list[tuple[Rows, Rows, Floats]] = []
        self._buffered = self._sorted = 0

    def add(self, names: Rows, similarity: Floats) -> None:
        """Add the images ``names`` (b,) with their similarities (b, m)."""
        place, seed = np.divmod(np.flatnonzero(similarity >= self._floor), len(self._seeds))
        row, value = names[place], similarity[place, seed]
        with self._lock:
            nearer = (value > self._floor[seed]) | (row < self._last[seed])  # on a tie the earlier row wins
            nearer &= row != self._seeds[seed]
            self._parts.append((seed[nearer], row[nearer], value[nearer]))
            self._buffered += int(nearer.sum())
            if self._buffered - self._sorted > _BUFFER * self._count * len(self._seeds) or not self._sorted:
                self._sort()

    def _sort(self) -> None:
        seed, row, similarity = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        order = np.lexsort((row, -similarity, seed))
        seed, row, similarity = seed[order], row[order], similarity[order]
        numbers = np.arange(len(self._seeds))
        begin, end = np.searchsorted(seed, numbers), np.searchsorted(seed, numbers, "right")
        keep = np.arange(len(seed)) - begin[seed] < self._count
        full = np.flatnonzero(end - begin >= self._count)
        self._floor[full] = similarity[begin[full] + self._count - 1]
        self._last[full] = row[begin[full] + self._count - 1]
        self._parts = [(seed[keep], row[keep], similarity[keep])]
        self._buffered = self._sorted = int(keep.sum())

    def result(self) -> Neighbours:
        """Return the neighbours of every seed."""
        neighbours = _empty(len(self._seeds), self._count)
        if self._parts:
            self._sort()
            seed, row, similarity = self._parts[0]
            column = np.arange(len(seed)) - np.searchsorted(seed, seed)
            neighbours.rows[seed, column], neighbours.similarity[seed, column] = row, similarity
        return neighbours


def merge_neighbours(one: Neighbours, other: Neighbours) -> Neighbours:
    """Return the nearest of two results for the same seeds, such as those of old and of new images; ties by row."""
    rows = np.concatenate([one.rows, other.rows], axis=1)
    similarity = np.concatenate([one.similarity, other.similarity], axis=1)
    order = np.lexsort((rows, -similarity), axis=1)[:, : one.rows.shape[1]]
    return Neighbours(np.take_along_axis(rows, order, axis=1), np.take_along_axis(similarity, order, axis=1))
