"""A sample below a threshold that tells how many positives are missed: who is asked where it matters most.

In:  the probability of each image below a threshold to be positive, as the classifier has it. Out: which images to
label, and, with their labels, how many positives there are. The probabilities only decide where labels are spent:
however wrong they are, the limits hold.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.learning.intervals import checked_confidence, population_bounds
from bam_engine.learning.sampling import Rows

PARTS = 2
"""The number of parts of a sample that is not a plain random one."""
COMMON = 0.05
"""Where at least so many of the images below a threshold are expected to be positive, the sample has parts."""
_LEAST = 0.01  # taken for the probability of an image that the classifier holds for less


@dataclass(frozen=True, eq=False)
class RecallSample:
    """A random sample of each part of the images below a threshold.

    Attributes
    ----------
    places : (n,) int
        The images to label, as places in the array of probabilities, in random order.
    parts : (n,) int
        The part that each is of.
    sizes : (h,) int
        The number of images of each part; one part is a plain random sample.
    """

    places: Rows
    parts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @property
    def plain(self) -> bool:
        """Whether every image was as likely."""
        return len(self.sizes) == 1


def split_below(probabilities: npt.ArrayLike) -> float | None:
    """Return the probability from which on the images below a threshold are a part of their own; None: a plain sample.

    Parameters
    ----------
    probabilities : (m,)
        Of each image to be positive, nan not allowed.

    Notes
    -----
    The two parts have about the same sum of √(p(1 − p)), and each gets the same number of labels: the allocation with
    the least variance (Neyman, 1934), with p at least 0.01, since positives that the classifier cannot see are
    anywhere. Where positives are rare below the threshold, the many unlikely images need the labels, and a plain random
    sample tells as much (``benchmarks/recall_sample.py``).
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 0, 1)
    if not len(p) or p.mean() < COMMON:
        return None
    likely = np.clip(p, _LEAST, 1 - _LEAST)
    order = np.argsort(-p, kind="stable")
    so_far = np.cumsum(np.sqrt(likely * (1 - likely))[order])
    at = float(p[order[np.searchsorted(so_far, so_far[-1] / PARTS)]])
    return at if (p < at).any() else None


def draw_recall_sample(probabilities: npt.ArrayLike, count: int, *, rng: np.random.Generator) -> RecallSample:
    """Draw ``count`` of the images below a threshold, so that the positives among them are known best.

    Parameters
    ----------
    probabilities : (m,)
        Of each image to be positive, nan not allowed; they are parted by :func:`split_below`.
    count : int
        All are taken where there are fewer.

    Raises
    ------
    LearningError
        There is no image, or ``count`` is below 1.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    at = split_below(p)
    part = np.zeros(len(p), np.int64) if at is None else (p < at).astype(np.int64)
    chosen = draw_below(part, np.zeros(len(p), bool), count, rng=rng)
    return RecallSample(chosen, part[chosen], np.bincount(part))


def draw_below(
    parts: npt.NDArray[np.int64], drawn: npt.NDArray[np.bool_], count: int, *, rng: np.random.Generator
) -> Rows:
    """Draw ``count`` further images, in random order: of each part, with those drawn before, as many as of the others.

    Parameters
    ----------
    parts : (m,) int
        The part of each image, dense from 0.
    drawn : (m,) bool
        Those that were drawn before.
    count : int
        All are taken where there are fewer.

    Raises
    ------
    LearningError
        There is no image, or ``count`` is below 1.
    """
    if not len(parts) or count < 1:
        raise LearningError(f"Cannot draw {counted(count, 'image')} of {len(parts):,}. Give at least 1 of each.")
    sizes = np.bincount(parts)
    before = np.bincount(parts[drawn], minlength=len(sizes))
    places = [
        rng.choice(np.flatnonzero((parts == part) & ~drawn), more, replace=False)
        for part, more in enumerate(_allocation(sizes, before, count) - before)
    ]
    chosen: Rows = rng.permutation(np.concatenate(places).astype(np.int64))
    return chosen


def _allocation(sizes: npt.NDArray[np.int64], before: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return how many images of each part are drawn in all: as many of each, and what a small one lacks of others."""
    goal = min(int(before.sum()) + count, int(sizes.sum()))
    level, high = 0, int(sizes.max())
    while level < high:
        middle = (level + high + 1) // 2
        level, high = (middle, high) if np.clip(middle, before, sizes).sum() <= goal else (level, middle - 1)
    drawn: npt.NDArray[np.int64] = np.clip(level, before, sizes)
    one_more = np.flatnonzero(np.clip(level + 1, before, sizes) > drawn)
    drawn[one_more[len(one_more) - (goal - int(drawn.sum())) :]] += 1  # the largest parts are the last
    return drawn


def missed_positives(
    sample: RecallSample, labels: npt.ArrayLike, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Return how many images below the threshold are positive, with two-sided limits.

    Parameters
    ----------
    sample : RecallSample
    labels : (n,) bool
        Of its images, in its order.

    Notes
    -----
    **Estimand.** The number of positives among the images that could be drawn.

    **Interval.** Of each part, the limits are exact for a finite population
    (:func:`~bam_engine.learning.intervals.population_bounds`); they are combined by MOVER (Zou and Donner,
    "Construction of confidence intervals about effect measures", 2008). A plain sample keeps its exact limits.

    **Assumptions.** Labels are right; the parts were made before any of them was known.
    """
    hit = np.asarray(labels, bool)
    if len(hit) != len(sample.places):
        raise LearningError(
            f"{counted(len(hit), 'label')} do not match {counted(len(sample.places), 'image')} of the sample. Give one "
            "for each."
        )
    parts = len(sample.sizes)
    drawn = np.bincount(sample.parts, minlength=parts)
    hits = np.bincount(sample.parts[hit], minlength=parts)
    return positives_below(hits, drawn, sample.sizes, confidence)


def positives_below(
    hits: npt.NDArray[np.int64],
    drawn: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    confidence: float = 0.95,
    *,
    lost: npt.NDArray[np.int64] | None = None,
) -> tuple[float, float, float]:
    """Return how many images of all parts are positive, with the limits of :func:`missed_positives`.

    Parameters
    ----------
    hits, drawn, sizes : (h,) int
        Of each part: positive images of the sample, images of the sample, images that could be drawn.
    lost : (h,) int, optional
        Further images of the sample that cannot be looked at any more: positive for the upper limit, negative for the
        lower one, so that both hold whatever they are (worst-case bounds: Horowitz and Manski, 1995).
    """
    absent = np.zeros(len(sizes), np.int64) if lost is None else lost
    checked = checked_confidence(confidence)
    low = population_bounds(hits, drawn + absent, sizes, checked)[0]
    high = population_bounds(hits + absent, drawn + absent, sizes, checked)[1]
    value = np.divide(hits * sizes, drawn, out=np.zeros(len(sizes)), where=drawn > 0)
    total = float(value.sum())
    below, above = (float(np.sqrt(((value - limit) ** 2).sum())) for limit in (low, high))
    return total, max(total - below, float(hits.sum())), min(total + above, float(sizes.sum()))
