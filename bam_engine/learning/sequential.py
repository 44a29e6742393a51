"""How many faults a growing sample may show while a share is still certain: exact, however often one looks.

In:  the size of a finite population, a target share, a confidence, and how many labels are planned.
Out: the number of faults allowed after each label. Knows nothing of scores, cuts or images.

A plain exact test holds for one sample size that was fixed beforehand. People stop when they are tired, go on when it
looks close, and ask for more next week; the limits here hold for all of that at once.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.intervals import checked_confidence

_EXPONENT = 1.5  # of the spending: early looks get little, the last planned one most
_PLANNED = 0.9  # of the risk is spent by the planned end; the rest is for labels beyond it


def fewest_failing_defects(population: int, target: float) -> int:
    """Return the fewest faults among ``population`` items at which the share of good ones is below ``target``."""
    return int(np.floor(population * (1 - target) + 1e-9)) + 1


def allowed_defects(
    population: int, length: int, *, planned: int, target: float = 0.90, confidence: float = 0.95
) -> npt.NDArray[np.int64]:
    """Return how many faults may be among the first n items drawn, for n from 0 to ``length``; -1: never enough.

    Items of a finite population are drawn one after the other, uniformly and without replacement. Whoever stops at
    any n with at most that many faults and then says "at least ``target`` of the population are good" is wrong with a
    probability of at most ``1 - confidence``, over the draws, whatever made them stop.

    Parameters
    ----------
    population : int
        How many items there are. With every one of them drawn the count is the truth, and the limit is exact.
    length : int
        For how many draws; at most the population. A longer answer begins with the shorter one.
    planned : int
        About how many draws are meant. Nine tenths of the risk are spent by then, growing with the power 1.5 of the
        number of draws, the rest beyond: one may always go on.

    Notes
    -----
    Of all populations that break the promise the one with the fewest faults passes most easily (one can be turned into
    the other by making faults good). For that one the probability of each count of faults is carried along draw by
    draw, hypergeometric; a count is allowed once its probability fits into what may be spent by then (alpha spending,
    Lan and DeMets, 1983), and what was allowed is taken out. No approximation is made.

    Examples
    --------
    >>> allowed_defects(10_000, 100, planned=100)[[20, 40, 60, 80, 100]]
    array([-1, -1,  0,  2,  3])
    """
    if not 0 < target < 1:
        raise LearningError(f"a target lies between 0 and 1; {target:g} was asked. Use 0.90, say.")
    if population < 1 or planned < 1:
        raise LearningError(f"{population} items and {planned} planned labels were given: both must be at least 1.")
    most, meant = min(length, population), min(planned, population)
    return _allowed(population, most, meant, target, checked_confidence(confidence))


@lru_cache(maxsize=1024)
def _allowed(population: int, length: int, planned: int, target: float, confidence: float) -> npt.NDArray[np.int64]:
    faults = fewest_failing_defects(population, target)
    most = min(int(np.ceil(length * (1 - target))) + 2, faults + 1)  # more faults never pass and never get fewer
    chance, count = np.zeros(most), np.arange(most)
    chance[0], spent = 1.0, 0.0
    allowed = np.full(length + 1, -1, dtype=np.int64)
    risk = _spending(np.arange(length + 1), planned, 1 - confidence)
    for n in range(1, length + 1):
        hit = np.clip((faults - count) / (population - n + 1), 0.0, 1.0)
        chance, moved = chance * (1 - hit), chance * hit
        chance[1:] += moved[:-1]
        reached = np.cumsum(chance)
        passes = int(np.searchsorted(reached, risk[n] - spent, side="right"))
        passes = min(passes, faults, n + 1)
        if passes:
            allowed[n] = passes - 1
            spent += reached[min(passes, most) - 1]
            chance[:passes] = 0.0
    allowed.setflags(write=False)
    return allowed


def _spending(n: npt.NDArray[np.int64], planned: int, risk: float) -> npt.NDArray[np.float64]:
    """Return how much of the risk may be spent by the n-th draw."""
    early = _PLANNED * np.minimum(n / planned, 1.0) ** _EXPONENT
    late = (1 - _PLANNED) * np.maximum(1 - planned / np.maximum(n, 1), 0.0)
    spent: npt.NDArray[np.float64] = risk * (early + late)
    return spent
