"""Candidates for a query strategy: the neighbours of labelled images and a random part of the pool.

This follows SEALS (Coleman et al., "Similarity Search for Efficient Active Learning and Search of Rare Concepts", AAAI
2022): informative images lie near labelled ones, above all near the positives of a rare attribute. The random part lets
a round find clusters that no label has come near.

With one linear classifier, querying the whole collection is cheap: finding the neighbours of a hundred new labels costs
about ten times as much as scoring everything, and a round restricted to 13% of the real pictures finds fewer positives.
Restricting the candidates pays where scoring is expensive; see ``benchmarks/candidates.py``.
"""

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.sampling import Rows

MAX_SEEDS = 1000
RANDOM_FRACTION = 0.01
MIN_RANDOM = 10_000  # enough for any strategy's shortlist


def choose_seeds(
    rows: npt.ArrayLike, labels: npt.ArrayLike, *, uncertainty: npt.ArrayLike | None = None, limit: int = MAX_SEEDS
) -> Rows:
    """Return the labelled images whose neighbours become candidates: positives first, at most ``limit``.

    Parameters
    ----------
    rows, labels : (m,)
        The labelled images; 1 is positive.
    uncertainty : (m,) float, optional
        Distance of each score from the decision threshold. The closest come first, since the neighbours of a clear
        negative are clear negatives. NaN comes last, ties go to the lower row.

    Examples
    --------
    >>> choose_seeds([3, 5, 8], [0, 1, 0], uncertainty=[2.0, 0.5, 1.0]).tolist()
    [5, 8, 3]
    """
    row, label = np.asarray(rows, dtype=np.int64), np.asarray(labels)
    distance = np.zeros(len(row)) if uncertainty is None else np.asarray(uncertainty, dtype=np.float64)
    return row[np.lexsort((row, distance, label != 1))][:limit]


def choose_candidates(
    pool: npt.ArrayLike,
    neighbours: npt.ArrayLike,
    *,
    fraction: float = RANDOM_FRACTION,
    min_random: int = MIN_RANDOM,
    rng: np.random.Generator,
) -> Rows:
    """Return the candidates of a round, ascending: neighbours that are in the pool, and a random part of the pool.

    Parameters
    ----------
    pool : (p,) rows
        Ascending. Neighbours outside it (labelled, held out or without an embedding) are left out.
    neighbours : rows of any shape
        Neighbours of the seeds; -1 stands for none.
    fraction, min_random : float, int
        The random part: this fraction of the pool, but at least ``min_random`` images.

    Raises
    ------
    LearningError
        The pool is empty, or ``fraction`` is not between 0 and 1.
    """
    rows = np.asarray(pool, dtype=np.int64)
    if len(rows) == 0:
        raise LearningError("No images are left to label: all are labelled or held out. Add images, or stop here.")
    if not 0 <= fraction <= 1:
        raise LearningError(f"The random fraction must be between 0 and 1, not {fraction:g}.")
    near = np.unique(np.asarray(neighbours, dtype=np.int64))
    place = np.minimum(np.searchsorted(rows, near), len(rows) - 1)
    near = near[rows[place] == near]
    size = min(len(rows), max(min_random, round(fraction * len(rows))))
    return np.union1d(near, rows[rng.choice(len(rows), size=size, replace=False)])
