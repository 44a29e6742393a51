"""Which images a round looks at when the collection is too large to look at all: those near what is labelled.

In:  vectors (N, d) of the whole collection, labelled rows, the pool. Out: rows of the pool, ascending, for a query
strategy to choose among. Knows nothing of scores' meaning, of rounds, or of where neighbours are kept.

The idea is SEALS: Coleman, Chou, Katz-Samuels, Culatana, Bailis, Berg, Nowak, Sumbaly, Zaharia, Yalniz, "Similarity
Search for Efficient Active Learning and Search of Rare Concepts", AAAI 2022. The images worth asking lie near those
that are labelled already, above all near the positives of a rare attribute. A random share of the pool is added here,
so that a cluster that no label has come near can still be found.

Neighbours are exact: one pass over the collection serves all seeds together, nothing is built beforehand and none is
missed, while an index over millions of vectors takes minutes and gigabytes and has to follow a growing collection. An
image is looked up once: what was found for it is the caller's to keep.

What it costs and buys is in ``benchmarks/candidates.py``. With one linear classifier, a query over everything is cheap;
looking a hundred new labels up costs about ten times as much as scoring the whole collection, and a round that looks at
13 % of the real pictures finds fewer positives than one that looks at all. It pays where scoring is dear.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.classifier import Vectors, widen
from bam_engine.learning.sampling import Rows
from bam_engine.progress import Report, silent

NEIGHBOURS = 100  # of each labelled image, as in the paper
MAX_SEEDS = 1000
RANDOM_FRACTION = 0.01
MIN_RANDOM = 10_000  # what a strategy needs for a shortlist, whatever the neighbourhoods hold

_BLOCK = 2048  # rows widened at a time: they and their likenesses stay in the processor's cache
_WAITING = 16  # finds kept for each one wanted before they are sorted


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The images most like each of m seeds, the most like first.

    Attributes
    ----------
    rows : (m, k) int32
        -1 where a seed has fewer than k neighbours; these places come last.
    likeness : (m, k) float32
        Cosine similarity; -inf where there is none.
    """

    rows: npt.NDArray[np.int32]
    likeness: npt.NDArray[np.float32]


def nearest_neighbours(
    vectors: Vectors,
    seeds: npt.ArrayLike,
    *,
    count: int = NEIGHBOURS,
    among: npt.ArrayLike | None = None,
    report: Report = silent,
) -> Neighbours:
    """Return the ``count`` images most like each of the images ``seeds``, exactly.

    Parameters
    ----------
    vectors : (N, d)
        Of length 1, or 0 where an image could not be embedded: such an image is like none (0). May be a memory map
        larger than the memory.
    seeds : (m,) rows
        An image is not its own neighbour.
    among : (a,) rows, optional
        Only these can be neighbours, ascending: the images that came since the last look. None: all.

    Notes
    -----
    Ties go to the lower row. Time grows with N · (d + m), memory with m · count; one pass serves all seeds.

    Raises
    ------
    LearningError
        A seed has no vector, or ``count`` is below 1.

    Examples
    --------
    >>> nearest_neighbours(np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float16), [0], count=2).rows.tolist()
    [[1, 2]]
    """
    rows = np.asarray(seeds, dtype=np.int64)
    if count < 1:
        raise LearningError(f"{count} neighbours of each image were asked for. Ask for at least 1.")
    if len(rows) and not (rows.min() >= 0 and rows.max() < len(vectors)):
        raise LearningError(
            f"neighbours of the images {rows.min()} to {rows.max()} were asked for; there are vectors for 0 to "
            f"{len(vectors) - 1}. Embed the collection first."
        )
    wanted = np.ascontiguousarray(np.asarray(vectors[rows], dtype=np.float32).T)
    searched = None if among is None else np.asarray(among, dtype=np.int64)
    total = len(vectors) if searched is None else len(searched)
    wide, best = np.empty((_BLOCK, vectors.shape[1]), np.float32), _Best(rows, count)
    for number, start in enumerate(range(0, total if len(rows) else 0, _BLOCK)):
        stop = min(start + _BLOCK, total)
        names = np.arange(start, stop) if searched is None else searched[start:stop]
        block = vectors[start:stop] if searched is None else vectors[names]
        widen(block, wide[: stop - start])
        best.take(names, wide[: stop - start] @ wanted)
        if number % 50 == 0:
            report(start, total, "looking up neighbours")
    return best.found()


class _Best:
    """The nearest so far of every seed. What cannot be among them is passed over without being sorted."""

    def __init__(self, seeds: Rows, count: int) -> None:
        self._own, self._count = seeds, count
        self._floor = np.full(len(seeds), -np.inf, np.float32)
        self._parts: list[tuple[Rows, Rows, npt.NDArray[np.float32]]] = []
        self._held = self._kept = 0

    def take(self, names: Rows, likeness: npt.NDArray[np.float32]) -> None:
        """Look at the images ``names`` (b,), ascending and later than all before, and their likeness (b, m)."""
        hits = np.flatnonzero(likeness > self._floor)  # equal ones of a later row would lose the tie
        place, seed = np.divmod(hits, len(self._own))
        other = names[place] != self._own[seed]
        place, seed = place[other], seed[other]
        self._parts.append((seed, names[place], likeness[place, seed]))
        self._held += len(seed)
        if self._held - self._kept > _WAITING * self._count * len(self._own) or not self._kept:
            self._sort()

    def _sort(self) -> None:
        seed, row, likeness = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        order = np.lexsort((row, -likeness, seed))
        seed, row, likeness = seed[order], row[order], likeness[order]
        numbers = np.arange(len(self._own))
        begin, end = np.searchsorted(seed, numbers), np.searchsorted(seed, numbers, "right")
        keep = np.arange(len(seed)) - begin[seed] < self._count
        full = np.flatnonzero(end - begin >= self._count)
        self._floor[full] = likeness[begin[full] + self._count - 1]
        self._parts = [(seed[keep], row[keep], likeness[keep])]
        self._held = self._kept = int(keep.sum())

    def found(self) -> Neighbours:
        """Return what was found."""
        shape = (len(self._own), self._count)
        rows, likeness = np.full(shape, -1, np.int32), np.full(shape, -np.inf, np.float32)
        if self._parts:
            self._sort()
            seed, row, like = self._parts[0]
            column = np.arange(len(seed)) - np.searchsorted(seed, seed)
            rows[seed, column], likeness[seed, column] = row, like
        return Neighbours(rows, likeness)


def merge_neighbours(one: Neighbours, other: Neighbours) -> Neighbours:
    """Return the nearest of both, for the same seeds: what was known, and what came since. Ties go to the lower row."""
    rows = np.concatenate([one.rows, other.rows], axis=1)
    likeness = np.concatenate([one.likeness, other.likeness], axis=1)
    order = np.lexsort((rows, -likeness), axis=1)[:, : one.rows.shape[1]]
    return Neighbours(np.take_along_axis(rows, order, axis=1), np.take_along_axis(likeness, order, axis=1))


def choose_seeds(
    rows: npt.ArrayLike, labels: npt.ArrayLike, *, doubt: npt.ArrayLike | None = None, most: int = MAX_SEEDS
) -> Rows:
    """Return the labelled images whose neighbours are looked at: the positives first, no more than ``most``.

    Parameters
    ----------
    rows, labels : (m,)
        The labelled images; 1 is positive.
    doubt : (m,) float, optional
        How far each is from the class boundary: the nearer come first, since next to a clear negative lie clear
        negatives. NaN comes last, ties go to the lower row.
    """
    row, label = np.asarray(rows, dtype=np.int64), np.asarray(labels)
    far = np.zeros(len(row)) if doubt is None else np.asarray(doubt, dtype=np.float64)
    return row[np.lexsort((row, far, label != 1))][:most]


def choose_candidates(
    pool: npt.ArrayLike,
    neighbours: npt.ArrayLike,
    *,
    share: float = RANDOM_FRACTION,
    fewest: int = MIN_RANDOM,
    rng: np.random.Generator,
) -> Rows:
    """Return the rows of the pool that a round looks at, ascending: the neighbours, and a random share of the rest.

    Parameters
    ----------
    pool : (p,) rows
        Ascending. Neighbours outside of it (labelled, held out, not embedded) are left out.
    neighbours : rows of any shape
        Those of the seeds; -1 is no row.
    share, fewest : float, int
        So much of the pool is added at random, and at least so many images: a pool of no more is looked at whole.

    Raises
    ------
    LearningError
        The pool is empty, or ``share`` is not between 0 and 1.
    """
    rows = np.asarray(pool, dtype=np.int64)
    if len(rows) == 0:
        raise LearningError("no image is left to ask: all are labelled or held out. Add images, or stop here.")
    if not 0 <= share <= 1:
        raise LearningError(f"a random share of {share} was asked for: give a number from 0 to 1.")
    near = np.unique(np.asarray(neighbours, dtype=np.int64))
    place = np.minimum(np.searchsorted(rows, near), len(rows) - 1)
    near = near[rows[place] == near]
    size = min(len(rows), max(fewest, round(share * len(rows))))
    return np.union1d(near, rows[rng.choice(len(rows), size=size, replace=False)])
