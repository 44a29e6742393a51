"""The images most like something: the largest inner products with float16 vectors, exactly.

In:  vectors (n, d), queries (m, d), how many. Out: rows and likenesses, best first. Knows nothing of what they mean.

Nothing is built beforehand: each search reads all vectors once, in threads, at about the speed at which the memory can
be read, and none is missed. An index over millions of vectors takes minutes and gigabytes, must follow a growing
collection, and loses some. ``benchmarks/search.py`` has the figures.
"""

import functools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.candidates import Neighbours
from bam_engine.learning.sampling import Rows

Floats = npt.NDArray[np.float32]

_SPAN = 16384  # rows that a thread takes at a time
_MAX_WORKERS = 8
_AT_ONCE = 8  # queries whose likenesses to everything are held together
_SAMPLE = 65536  # likenesses that place the floor
_LARGEST = 2.0**12  # of a query's numbers: products stay finite in float32


def most_similar(
    vectors: npt.NDArray[np.float16],
    wanted: npt.ArrayLike,
    count: int,
    *,
    among: npt.ArrayLike | None = None,
    without: npt.ArrayLike = (),
    together: bool = False,
) -> Neighbours:
    """Return the ``count`` vectors with the largest inner product with each query, exactly.

    Parameters
    ----------
    vectors : (n, d) float16
        Finite; may be a memory map larger than the memory. Vectors that are all zero are left out.
    wanted : (d,) or (m, d)
        The queries.
    count
        How many, at least 1.
    among : (r,) rows or (n,) bool, optional
        Only these are looked at.
    without : rows
        These are left out.
    together
        Take the queries as one: what is most like any of them, by the largest of its products.

    Returns
    -------
    Neighbours
        Best first, ties by row, (m, count), or (1, count) if ``together``; -1 and -inf where there are fewer.

    Raises
    ------
    LearningError
        The shapes do not fit, a query is not finite or far from unit length, a row is not there, or ``count`` is
        below 1.

    Notes
    -----
    Products are summed up in float32, each in the same order on one machine: the same vectors give the same answer,
    whatever the number of threads, and equal vectors tie.

    Examples
    --------
    >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float16)
    >>> most_similar(vectors, [0, 1], 2).rows.tolist()
    [[2, 1]]
    """
    queries = _checked(vectors, wanted, count)
    rows = np.arange(len(vectors)) if among is None else _searched(len(vectors), among)
    hidden = np.flatnonzero(np.isin(rows, np.asarray(without, np.int64)))
    lines = _likenesses(vectors, queries, rows, hidden)
    if together:
        lines = iter([functools.reduce(lambda one, other: np.maximum(one, other, out=one), lines)])
    shape = (1 if together else len(queries), count)
    found = Neighbours(np.full(shape, -1, np.int32), np.full(shape, -np.inf, np.float32))
    for number, line in enumerate(lines):
        best = _best(line, count)
        found.rows[number, : len(best)], found.likeness[number, : len(best)] = rows[best], line[best]
    return found


def _checked(vectors: npt.NDArray[np.float16], wanted: npt.ArrayLike, count: int) -> npt.NDArray[np.float32]:
    queries = np.atleast_2d(np.asarray(wanted, np.float32))
    if vectors.dtype != np.float16 or vectors.ndim != 2 or queries.shape[1:] != vectors.shape[1:] or not len(queries):
        raise LearningError(
            f"queries of shape {queries.shape} were looked for among {vectors.dtype} vectors of shape {vectors.shape}: "
            "float16 vectors and queries of their length are wanted."
        )
    if not (np.isfinite(queries).all() and np.abs(queries).max(initial=0) <= _LARGEST):
        raise LearningError(f"a query holds numbers that are not finite, or above {_LARGEST:.0f}. Give a unit vector.")
    if count < 1:
        raise LearningError(f"the {count} most alike were asked for. Ask for at least 1.")
    return queries


def _searched(n: int, among: npt.ArrayLike) -> Rows:
    """Return the rows that are looked at, ascending."""
    asked = np.asarray(among)
    rows = np.flatnonzero(asked) if asked.dtype == bool and len(asked) == n else np.unique(asked.astype(np.int64))
    if (asked.dtype == bool and len(asked) != n) or (len(rows) and not (rows[0] >= 0 and rows[-1] < n)):
        raise LearningError(f"there are {n} vectors; what was to be looked through does not fit them.")
    return rows


def _likenesses(
    vectors: npt.NDArray[np.float16], queries: npt.NDArray[np.float32], rows: Rows, hidden: Rows
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the products (r,) of each query with the vectors of ``rows``; -inf where there is none to be had."""
    from bam_engine.learning.neighbour_kernels import SCALE, products, products_by_four

    bits = np.ascontiguousarray(vectors).view(np.int16)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_WORKERS)) as workers:
        for first in range(0, len(queries), _AT_ONCE):
            some = queries[first : first + _AT_ONCE] * SCALE
            padded = some if len(some) == 1 else np.pad(some, ((0, -len(some) % 4), (0, 0)))
            lines = np.empty((len(padded), len(rows)), np.float32)

            def span(start: int, directions: Floats = padded, lines: Floats = lines) -> None:
                part = rows[start : start + _SPAN]
                if len(directions) == 1:
                    products(bits, part, directions[0], lines[0, start : start + _SPAN])
                else:
                    products_by_four(bits, part, directions, lines[:, start : start + _SPAN])

            list(workers.map(span, range(0, len(rows), _SPAN)))
            lines[:, hidden] = -np.inf
            yield from lines[: len(some)]


def _best(likeness: Floats, count: int) -> Rows:
    """Return the places of the ``count`` largest, largest first, ties by place; -inf is none.

    A floor under the largest is read off an even sample, so that few are left to be sorted; should it be too high, all
    are sorted.
    """
    places = np.flatnonzero(likeness >= _floor(likeness, count))
    if len(places) < count:
        places = np.flatnonzero(likeness > -np.inf)
    if len(places) > count:
        least = np.partition(likeness[places], len(places) - count)[len(places) - count]
        places = places[likeness[places] >= least]
    best = places[np.lexsort((places, -likeness[places]))][:count]
    return best[likeness[best] > -np.inf]


def _floor(likeness: Floats, count: int) -> float:
    step = len(likeness) // _SAMPLE
    expected = count / step if step else 0
    above = int(expected + 4 * np.sqrt(expected)) + 4  # of the sample: rarely fewer than ``count`` of all
    if step < 2 or above >= _SAMPLE:
        return -np.inf
    sample = likeness[::step]
    return float(np.partition(sample, len(sample) - above)[len(sample) - above])
