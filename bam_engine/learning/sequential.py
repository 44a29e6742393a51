"""An exact sequential test of a proportion, valid at every sample size however often one looks.

An exact binomial test holds for one sample size fixed in advance. People stop when they are tired, continue when it
looks close, and add more next week; the limits here cover all of that.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.intervals import checked_confidence

_EXPONENT = 1.5  # of the spending function: little risk for early looks, most for the last planned one
_PLANNED = 0.9  # of the risk is spent by the planned end, the rest on labels beyond it


def fewest_failing_defects(population: int, target: float, known_good: int = 0) -> int:
    """Return the fewest defects among ``population`` items that bring the fraction of good ones below ``target``.

    The fraction is that of these items and of ``known_good`` others together.

    Examples
    --------
    >>> fewest_failing_defects(100, 0.9), fewest_failing_defects(100, 0.9, known_good=50)
    (11, 16)
    """
    return int(np.floor((population + known_good) * (1 - target) + 1e-9)) + 1


def allowed_defects(
    population: int,
    length: int,
    *,
    planned: int,
    target: float = 0.90,
    confidence: float = 0.95,
    known_good: int = 0,
) -> npt.NDArray[np.int64]:
    """Return how many defects the first n items drawn may contain, for n from 0 to ``length``; -1: none is few enough.

    Items of a finite population are drawn one at a time, uniformly and without replacement. If someone stops at any n
    with at most this many defects and claims that at least ``target`` of the population and of the ``known_good`` items
    together is good, the claim is wrong with probability at most ``1 - confidence``, over the draws, whatever made them
    stop.

    Parameters
    ----------
    population : int
        The number of items. Once all are drawn, the count is the truth and the limit is exact.
    length : int
        The number of draws, at most the population. A longer result starts with the shorter one.
    planned : int
        The approximate number of draws to make. Nine tenths of the risk are spent by then, in proportion to the number
        of draws to the power of 1.5, the rest beyond: one may always go on.
    known_good : int
        Further items, not drawn from, that are known to be good. Their number must not depend on the draws.

    Returns
    -------
    (length + 1,) int64, read-only
        From 0 on nothing is drawn: where even a population of defects would be outweighed by the known items, 0 draws
        are enough.

    Raises
    ------
    LearningError
        ``target`` is not above 0 and at most 1, ``known_good`` is below 0, or ``population`` or ``planned`` is below 1.

    Notes
    -----
    Of all populations below the target, the one with the fewest defects (:func:`fewest_failing_defects`) passes most
    easily (turning defects into good items leads from any other to it). For that population the probability of each
    count of defects is followed draw by draw (hypergeometric). A count is allowed if its probability fits into the risk
    that may be spent by then (alpha spending: Lan and DeMets, 1983), and allowed outcomes are removed from the
    distribution. The computation is exact.

    Examples
    --------
    >>> allowed_defects(10_000, 100, planned=100)[[20, 40, 60, 80, 100]]
    array([-1, -1,  1,  2,  4])
    """
    if not 0 < target <= 1:
        raise LearningError(f"The target must be above 0 and at most 1, not {target:g}. Use 0.9, for example.")
    if known_good < 0:
        raise LearningError(f"The number of known items cannot be {known_good}. Give 0 where none are known.")
    if population < 1 or planned < 1:
        raise LearningError(
            f"A population of {population} items and {planned} planned labels cannot be tested. Both must be at least "
            "1."
        )
    length, defects = min(length, population), fewest_failing_defects(population, target, known_good)
    if defects > population:
        any_number = np.arange(length + 1, dtype=np.int64)
        any_number.setflags(write=False)
        return any_number
    return _allowed(population, length, min(planned, population), defects, checked_confidence(confidence))


@lru_cache(maxsize=1024)
def _allowed(population: int, length: int, planned: int, defects: int, confidence: float) -> npt.NDArray[np.int64]:
    size = min(int(np.ceil(length * defects / population)) + 2, defects + 1)  # larger counts can never pass
    probability, count = np.zeros(size), np.arange(size)
    probability[0], spent = 1.0, 0.0
    allowed = np.full(length + 1, -1, dtype=np.int64)
    risk = _spending(np.arange(length + 1), planned, 1 - confidence)
    for n in range(1, length + 1):
        hit = np.clip((defects - count) / (population - n + 1), 0.0, 1.0)
        probability, moved = probability * (1 - hit), probability * hit
        probability[1:] += moved[:-1]
        cumulative = np.cumsum(probability)
        passes = int(np.searchsorted(cumulative, risk[n] - spent, side="right"))
        passes = min(passes, defects, n + 1)
        if passes:
            allowed[n] = passes - 1
            spent += cumulative[min(passes, size) - 1]
            probability[:passes] = 0.0
    allowed.setflags(write=False)
    return allowed


def _spending(n: npt.NDArray[np.int64], planned: int, risk: float) -> npt.NDArray[np.float64]:
    """Return the risk that may be spent by the n-th draw."""
    early = _PLANNED * np.minimum(n / planned, 1.0) ** _EXPONENT
    late = (1 - _PLANNED) * np.maximum(1 - planned / np.maximum(n, 1), 0.0)
    spent: npt.NDArray[np.float64] = risk * (early + late)
    return spent
