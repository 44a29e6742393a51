"""Recall with its interval: the positives that are delivered against those that are missed.

In:  what is known of both sides of a cut. Out: how much of all positives is delivered. Knows nothing of who was asked
when; :mod:`bam_engine.training.evaluation_set` gathers that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count
from bam_engine.learning.acceptance import count_accepted
from bam_engine.learning.intervals import Floats, Proportions, population_bounds

_ABOVE, _BELOW = 0, 1


@dataclass(frozen=True, eq=False)
class RandomSample:
    """A random sample of images, and what is known of all others.

    Attributes
    ----------
    scores, labels : (n,) float, (n,) bool
        Of the sampled images: what tells how many positives are missed.
    pool : (N,)
        The scores of all images that could be drawn, the sample among them.
    asked, answers : (m,) float, (m,) bool
        Scores and labels of the images outside the pool: people had been asked about them before the draw.
    found, refused : (p,) and (q,)
        Scores of all images that people have labelled positive or not positive, for whatever purpose.
    """

    scores: Floats
    labels: npt.NDArray[np.bool_]
    pool: npt.NDArray[np.floating]
    asked: npt.NDArray[np.floating] = field(default_factory=lambda: np.empty(0))
    answers: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    found: npt.NDArray[np.floating] = field(default_factory=lambda: np.empty(0))
    refused: npt.NDArray[np.floating] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if self.scores.shape != self.labels.shape or self.asked.shape != self.answers.shape:
            raise LearningError(
                f"{count(len(self.scores), 'score')} and {count(len(self.asked), 'score')} do not match their "
                f"{count(len(self.labels), 'label')} and {count(len(self.answers), 'label')}. Give one label for each."
            )


def recall_of(
    cuts: npt.ArrayLike,
    sample: RandomSample,
    precision: Callable[[Floats], Proportions],
    confidence: float = 0.95,
    *,
    knots: npt.ArrayLike | None = None,
) -> Proportions:
    """Return the recall of what is delivered at each cut, with two-sided limits; none rises with the cut.

    Parameters
    ----------
    cuts : (c,)
    sample : RandomSample
        Of the collection.
    precision : callable
        Returns the precision of all images that score at least each of some cuts, at ``confidence``.
    knots : (k,), optional
        The scores at which the recall is measured, whatever the cuts (:func:`never_rising`). None: those of the sample.

    Returns
    -------
    Proportions
        ``n_effective`` is the number of sampled images below the cut. Without a known positive on either side the value
        is nan and the limits are 0 and 1.

    Notes
    -----
    **Estimand.** Of all positives of the collection, the fraction that is delivered: labelled positive by people, or
    without a label and at or above the cut.

    **What counts.** Misses are counted on the sampled images below the cut alone: labels that were collected because of
    their scores, such as those of a certification, say nothing of them. The exact limits of the positives below the
    cut (:func:`~bam_engine.learning.intervals.population_bounds`) are for a finite population; the positives that
    people have found there are delivered and are taken off. Those above the cut are ``precision`` times their number.
    Both are narrowed to what the labels leave possible.

    **Interval.** The limits of the two counts are combined to those of their ratio, missed to delivered, by the method
    of variance estimates recovery (MOVER; Zou and Donner, "Construction of confidence intervals about effect measures",
    2008; for ratios Donner and Zou, 2012; the idea is Newcombe's, 1998). ``benchmarks/coverage.py`` measures how often
    it holds the truth.

    **Assumptions.** The sample is a random one of the pool, or spread over its projects; labels are right; the cut was
    not chosen by the sampled labels below it. Images asked about after the draw belong to the pool, with what was found
    among them; two draws between which people were asked about other images are not one random sample.
    """
    cut = np.atleast_1d(np.asarray(cuts, dtype=np.float64))
    images = np.concatenate([sample.pool, sample.asked])
    measured = never_rising(
        lambda at: _recall_at(at, sample, precision(at), confidence),
        cut,
        images,
        sample.scores if knots is None else knots,
    )
    return replace(measured, n_effective=_sides(sample.scores, cut)[_BELOW].astype(np.float64))


def never_rising(
    measure: Callable[[Floats], Proportions],
    cuts: npt.ArrayLike,
    images: npt.NDArray[np.floating],
    knots: npt.ArrayLike,
) -> Proportions:
    """Return a proportion that cannot rise with the cut, as no recall can, estimated so that it does not.

    It is measured at the ``knots``, which do not depend on the cuts, so that every cut has one estimate whatever else
    is asked. There, the value becomes the never rising one that is closest to all measured ones in the largest
    difference, which is nowhere farther from the truth than the measured ones are at worst (Ubhaya, "Isotone
    optimization", 1974). The limits become the nearest never rising ones that are not narrower, so they hold at least
    as often. Between two knots all three are interpolated by the number of images accepted; above all knots, towards
    the measure where nothing is accepted.

    Parameters
    ----------
    measure : callable
        Returns the proportion at each of some cuts, (k,), with limits.
    cuts : (c,)
    images : (N,)
        The scores of all images that the cuts decide on.
    knots : (k,)

    Examples
    --------
    >>> scores = np.arange(4.0)
    >>> def measure(cuts):
    ...     value = np.interp(cuts, scores, [1.0, 0.5, 0.7, 0.2])
    ...     return Proportions(value, value - 0.1, np.minimum(value + 0.1, 1), np.ones(len(cuts)))
    >>> never_rising(measure, [1.0, 2.0], scores, scores).value.round(2).tolist()
    [0.6, 0.6]
    """
    grid = np.append(np.unique(np.asarray(knots, dtype=np.float64)), np.inf)[::-1]  # the strictest first
    found, accepted, at = measure(grid), count_accepted(images, grid), count_accepted(images, cuts)
    known = ~np.isnan(found.value)
    value = found.value[known]
    closest = (np.maximum.accumulate(value) + np.minimum.accumulate(value[::-1])[::-1]) / 2
    low = np.interp(at, accepted, np.minimum.accumulate(found.low[::-1])[::-1])
    high = np.interp(at, accepted, np.maximum.accumulate(found.high))
    between = np.interp(at, accepted[known], closest) if known.any() else np.full(len(at), np.nan)
    return Proportions(np.clip(between, low, high), low, high, np.interp(at, accepted, found.n_effective))


def _recall_at(cut: Floats, sample: RandomSample, precision: Proportions, confidence: float) -> Proportions:
    """Return the recall at each cut by itself."""
    pool, drawn, hits = (_sides(each, cut) for each in (sample.pool, sample.scores, sample.scores[sample.labels]))
    asked, positive = _sides(sample.asked, cut), _sides(sample.asked[sample.answers], cut)
    found, refused = _sides(sample.found, cut), _sides(sample.refused, cut)
    unknown = np.maximum(pool + asked - found - refused, 0)

    unseen = np.isnan(precision.value)
    likely = np.where(unseen, (precision.low + precision.high) / 2, precision.value)
    above = [each * (pool + asked)[_ABOVE] for each in (likely, precision.low, precision.high)]
    rate = np.divide(hits[_BELOW], drawn[_BELOW], out=np.zeros(len(cut)), where=drawn[_BELOW] > 0)
    below = (rate * pool[_BELOW], *population_bounds(hits[_BELOW], drawn[_BELOW], pool[_BELOW], confidence))
    delivered = [found[_BELOW] + found[_ABOVE] + np.clip(each - found[_ABOVE], 0, unknown[_ABOVE]) for each in above]
    missed = [np.clip(each + positive[_BELOW] - found[_BELOW], 0, unknown[_BELOW]) for each in below]

    low, high = _ratio_bounds(missed, delivered)
    sampled = (drawn[_BELOW] > 0) | (pool[_BELOW] == 0)
    known = (~unseen | ((pool + asked)[_ABOVE] == 0)) & sampled & (missed[0] + delivered[0] > 0)
    value = np.divide(delivered[0], delivered[0] + missed[0], out=np.full(len(cut), np.nan), where=known)
    return Proportions(value, 1 / (1 + high), 1 / (1 + low), drawn[_BELOW].astype(np.float64))


def recall_from(
    missed: tuple[float, float, float], delivered: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return the recall from how many positives are missed and delivered, each given as (value, low, high).

    The limits are combined as in :func:`recall_of`. Without a positive on either side the value is nan.

    Examples
    --------
    >>> recall_from((25.0, 25.0, 25.0), (75.0, 75.0, 75.0))
    (0.75, 0.75, 0.75)
    >>> [round(each, 2) for each in recall_from((10.0, 2.0, 30.0), (90.0, 85.0, 95.0))]
    [0.9, 0.75, 0.98]
    """
    few, many = ([np.array([each]) for each in limits] for limits in (missed, delivered))
    low, high = _ratio_bounds(few, many)
    total = missed[0] + delivered[0]
    return delivered[0] / total if total else float("nan"), float(1 / (1 + high[0])), float(1 / (1 + low[0]))


def _sides(scores: npt.NDArray[np.floating], cuts: Floats) -> npt.NDArray[np.int64]:
    """Return the number of scores at or above each cut, and below it, (2, c)."""
    above = count_accepted(scores, cuts)
    return np.stack([above, len(scores) - above])


def _ratio_bounds(numerator: list[Floats], denominator: list[Floats]) -> tuple[Floats, Floats]:
    """Return the limits of a ratio of two quantities, neither negative, each given as its value and its limits.

    They are the ratios ``r`` for which zero is a MOVER limit of ``numerator - r * denominator``, written so that
    nothing cancels where a limit or a value is zero.
    """
    (m, m_low, m_high), (d, d_low, d_high) = numerator, denominator
    with np.errstate(divide="ignore", invalid="ignore"):
        square, product = d_high * (2 * d - d_high), m_low * (2 * m - m_low)
        low = product / (m * d + np.sqrt(np.maximum((m * d) ** 2 - square * product, 0)))
        square, product = d_low * (2 * d - d_low), m_high * (2 * m - m_high)
        high = (m * d + np.sqrt(np.maximum((m * d) ** 2 - square * product, 0))) / square
    low = np.where(m_low <= 0, 0.0, low)
    return low, np.where(m_high <= 0, 0.0, np.where(d_low <= 0, np.inf, high))
