"""A number with its interval, or the reason why there is none.

In:  counts of images. Out: what pages, the command line and reports show of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.formatting import decimal_interval, percent_interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A value with its interval from ``n`` images; where ``value`` is None, ``reason`` says why.

    It is a proportion or, with ``coefficient``, a statistic without a unit that may be negative.
    """

    value: float | None
    low: float
    high: float
    n: int
    reason: str = ""
    coefficient: bool = False

    @property
    def text(self) -> str:
        """The value with its interval, or why there is none."""
        if self.value is None:
            return self.reason
        interval = decimal_interval if self.coefficient else percent_interval
        return interval(self.value, self.low, self.high)


def proportion(
    hits: NDArray[np.bool_], groups: NDArray[np.int64], *, weights: Floats | None = None, n: int | None = None
) -> Measure:
    """Return the proportion of hits; ``n`` is the number of images if it is not the number of hits."""
    images = len(hits) if n is None else n
    if len(hits) == 0:
        return undefined("There are no answers to count.", 0)
    uneven = weights is not None and bool((weights != weights[0]).any())
    estimate = learning.proportions(
        hits[None, :], np.ones((1, len(hits)), bool), weights=weights if uneven else None, groups=groups
    )
    return Measure(float(estimate.value[0]), float(estimate.low[0]), float(estimate.high[0]), images)


def undefined(reason: str, n: int) -> Measure:
    """Return a measure without a value, and why there is none."""
    return Measure(None, float("nan"), float("nan"), n, reason)
