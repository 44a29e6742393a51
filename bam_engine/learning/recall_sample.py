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
from bam_engine.learning.intervals import Floats, checked_confidence, population_bounds
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


def draw_recall_sample(probabilities: npt.ArrayLike, count: int, *, rng: np.random.Generator) -> RecallSample:
    """Draw ``count`` of the images below a threshold, so that the positives among them are known best.

    Parameters
    ----------
    probabilities : (m,)
        Of each image to be positive, nan not allowed.
    count : int
        All are taken where there are fewer.

    Notes
    -----
    The images are parted by their probability p into ``PARTS`` parts with the same sum of √(p(1 − p)), and each part
    gets the same number of labels: the allocation with the least variance (Neyman, 1934), with p at least 0.01, since
    positives that the classifier cannot see are anywhere. Where positives are rare below the threshold, the many
    unlikely images need the labels, and a plain random sample is drawn (``benchmarks/recall_sample.py``).

    Raises
    ------
    LearningError
        There is no image, or ``count`` is below 1.
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 0, 1)
    if not len(p) or count < 1:
        raise LearningError(f"Cannot draw {counted(count, 'image')} of {len(p):,}. Give at least 1 of each.")
    part = _parts(p) if p.mean() >= COMMON else np.zeros(len(p), np.int64)
    sizes = np.bincount(part)
    places = [
        rng.choice(np.flatnonzero(part == each), drawn, replace=False)
        for each, drawn in enumerate(_allocation(sizes, count))
    ]
    chosen = rng.permutation(np.concatenate(places).astype(np.int64))
    return RecallSample(chosen, part[chosen], sizes)


def _parts(p: Floats) -> npt.NDArray[np.int64]:
    """Return the part of each image, from the likeliest, with equal sums of the standard deviation of a label."""
    likely = np.clip(p, _LEAST, 1 - _LEAST)
    order = np.argsort(-p, kind="stable")
    so_far = np.cumsum(np.sqrt(likely * (1 - likely))[order])
    part = np.empty(len(p), np.int64)
    part[order] = np.minimum((PARTS * so_far / so_far[-1] * (1 - 1e-12)).astype(np.int64), PARTS - 1)
    return np.unique(part, return_inverse=True)[1].astype(np.int64)


def _allocation(sizes: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return how many images of each part are drawn: as many of each, and what a small one lacks of the others."""
    drawn, left = np.zeros(len(sizes), np.int64), min(count, int(sizes.sum()))
    while left:
        open_parts = np.flatnonzero(drawn < sizes)
        each, rest = divmod(left, len(open_parts))
        more = np.full(len(open_parts), each)
        more[len(open_parts) - rest :] += 1  # the largest parts are the last
        more = np.minimum(more, sizes[open_parts] - drawn[open_parts])
        drawn[open_parts] += more
        left -= int(more.sum())
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
    return _combined(hits, drawn, sample.sizes, checked_confidence(confidence))


def _combined(
    hits: npt.NDArray[np.int64], drawn: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], confidence: float
) -> tuple[float, float, float]:
    low, high = population_bounds(hits, drawn, sizes, confidence)
    value = np.divide(hits * sizes, drawn, out=np.zeros(len(sizes)), where=drawn > 0)
    total = float(value.sum())
    below, above = (float(np.sqrt(((value - limit) ** 2).sum())) for limit in (low, high))
    return total, max(total - below, float(hits.sum())), min(total + above, float(sizes.sum()))
