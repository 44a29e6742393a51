"""Two models on the same labelled images: the difference of their average precisions, with a paired interval."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count
from bam_engine.learning.evaluation import average_precision, checked_sample, resampled_average_precision
from bam_engine.learning.intervals import Interval, checked_confidence, clopper_pearson

MIN_PROJECTS = 10  # with positives; with fewer, the interval of a difference is too short to rely on


@dataclass(frozen=True)
class Difference:
    """How much higher the average precision of one model is than that of another, with its limits.

    It is measured on ``n`` images with positives from ``positive_projects`` projects.
    """

    gain: float
    low: float
    high: float
    n: int
    positive_projects: int

    @property
    def shown(self) -> bool:
        """Whether the labels show that the one model is better than the other."""
        return self.low > 0


def compare_models(
    before: npt.ArrayLike,
    after: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    rng: np.random.Generator,
    confidence: float = 0.95,
    repeats: int = 1000,
) -> Difference:
    """Measure the average precision of ``after`` less that of ``before``.

    Parameters
    ----------
    before, after : (n,)
        Scores of the same images by the two models.
    labels, groups, weights : (n,)
        Labels, projects, and inverse inclusion probabilities (None: all equal).

    Notes
    -----
    The interval is a bootstrap over projects that resamples the scores of both models together, so that what is hard
    for both cancels out. Its percentiles are expanded for the number of positive projects, which a plain bootstrap
    takes for more than they are (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015), and the farther
    one counts on both sides. With fewer than ten positive projects, or if no resample shows a difference, it is widened
    by the exact upper limit of 0 out of their number, each of which could have changed by at most 1.
    ``benchmarks/coverage.py`` measures how often it holds.

    Raises
    ------
    LearningError
        No image is positive, or the input is inconsistent.

    Examples
    --------
    >>> found = compare_models([2, 1, 0], [0, 1, 2], [0, 0, 1], groups=[0, 1, 2], rng=np.random.default_rng(0))
    >>> round(found.gain, 3), found.n, found.shown
    (0.667, 3, False)
    """
    old, new = (checked_sample(scores, labels, weights, groups) for scores in (before, after))
    if not new.labels.any():
        raise LearningError(
            f"None of {count(len(new.labels), 'validation image')} is positive, so no gain can be measured. Label "
            "more of them."
        )
    project = np.asarray(groups, dtype=np.int64)
    later, earlier = (average_precision(each.scores, each.labels, weights=each.weights) for each in (new, old))
    gain = later - earlier
    afterwards, before_that = resampled_average_precision([new.scores, old.scores], new, rng=rng, repeats=repeats)
    positive_projects = len(np.unique(project[new.labels]))
    limits = _limits(gain, afterwards - before_that, positive_projects, checked_confidence(confidence))
    few = positive_projects < MIN_PROJECTS or limits.low == limits.high
    unseen = clopper_pearson(0, positive_projects, confidence).high if few else 0.0
    return Difference(
        gain=gain,
        low=max(min(limits.low, gain) - unseen, -1.0),
        high=min(max(limits.high, gain) + unseen, 1.0),
        n=len(project),
        positive_projects=positive_projects,
    )


def _limits(value: float, resampled: npt.NDArray[np.float64], n: int, confidence: float) -> Interval:
    """Return the limits of a value from bootstrap samples of ``n`` independent parts, as far below it as above."""
    from scipy.special import ndtr, stdtrit

    spread = float(np.sqrt(n / (n - 1)) * -stdtrit(n - 1, (1 - confidence) / 2)) if n > 1 else np.inf
    low, high = np.nanquantile(resampled, [ndtr(-spread), ndtr(spread)])
    half = max(value - float(low), float(high) - value)
    return Interval(value - half, value + half)
