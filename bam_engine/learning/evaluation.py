"""Measures of a ranking on a labelled sample: average precision, and precision and recall with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.acceptance import count_accepted
from bam_engine.learning.intervals import Floats, Interval, Proportions, clopper_pearson, proportions
from bam_engine.learning.recall_interval import RandomSample, never_rising, recall_of

_MAX_CUTS = 200
_BLOCK = 1_000_000  # images of bootstrap samples at a time


@dataclass(frozen=True)
class Sample:
    """A consistent labelled sample, each array (n,): scores, labels, and optional weights and groups."""

    scores: Floats
    labels: npt.NDArray[np.bool_]
    weights: Floats | None
    groups: npt.NDArray[np.int64] | None


@dataclass(frozen=True)
class Curve:
    """Precision and recall at each cut, strictest first, each (c,), and the number of images of the pool accepted."""

    cuts: Floats
    precision: Floats
    precision_low: Floats
    precision_high: Floats
    recall: Floats
    recall_low: Floats
    recall_high: Floats
    accepted: npt.NDArray[np.int64]


def checked_sample(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
) -> Sample:
    """Return the sample as arrays of consistent shape.

    Raises
    ------
    LearningError
        Lengths differ, a label is neither 0 nor 1, a score is not finite, a weight is not positive, or there are no
        images.
    """
    score = np.asarray(scores, dtype=np.float64)
    label = checked_labels(labels)
    weight = None if weights is None else np.asarray(weights, dtype=np.float64)
    group = None if groups is None else np.asarray(groups, dtype=np.int64)
    if any(part is not None and part.shape != label.shape for part in (score, weight, group)):
        raise LearningError(
            f"{len(label):,} labels do not match scores of shape {score.shape}, their weights or their groups. Give "
            "one of each for every image."
        )
    if len(label) == 0:
        raise LearningError("No images of the validation set are labelled yet. Label the validation set first.")
    if not np.isfinite(score).all():
        raise LearningError(
            f"{int((~np.isfinite(score)).sum()):,} of {len(score):,} scores are not finite. Leave those images out."
        )
    if weight is not None and not (np.isfinite(weight).all() and (weight > 0).all()):
        raise LearningError("Sampling weights must be positive: one over the probability of being drawn.")
    return Sample(score, label, weight, group)


def checked_labels(labels: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return labels (n,) of 0 and 1 as booleans; raise LearningError if there is anything else."""
    label = np.asarray(labels)
    if label.ndim != 1:
        raise LearningError(f"Labels must be a one-dimensional array of 0 and 1, not of shape {label.shape}.")
    invalid = np.setdiff1d(label, [0, 1])
    if len(invalid):
        raise LearningError(
            f"Labels must be 0 or 1, but {invalid[0]} is among them. Leave out images without consensus."
        )
    return label.astype(bool)


def average_precision(scores: npt.ArrayLike, labels: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> float:
    """Return the average precision; nan if no image is positive.

    As in scikit-learn: the sum, over the distinct scores from high to low, of the gain in recall times the precision
    there. Images with equal scores enter together.

    Parameters
    ----------
    scores, labels : (n,)
    weights : (n,) float > 0, optional
        Inverse inclusion probabilities. None: all equal.

    Examples
    --------
    >>> average_precision([3, 2, 1], [1, 0, 1])
    0.8333...
    """
    sample = checked_sample(scores, labels, weights)
    order = np.argsort(-sample.scores, kind="stable")
    weight = np.ones(len(order)) if sample.weights is None else sample.weights[order]
    last = np.flatnonzero(np.diff(sample.scores[order], append=-np.inf))
    hits = np.cumsum(weight * sample.labels[order])[last]
    if hits[-1] == 0:
        return float("nan")
    precision = hits / np.cumsum(weight)[last]
    return min(1.0, float(np.sum(np.diff(hits, prepend=0.0) * precision) / hits[-1]))  # rounding may exceed it


def average_precision_limits(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    random: npt.ArrayLike | None = None,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> Interval:
    """Return the limits of the average precision of the collection that a sample is drawn from.

    On each side they are the wider of two: a bootstrap over projects, which collapses to a point if the sample is
    ranked perfectly, and the exact binomial limits with one trial for each project with a positive (after the binomial
    interval of Boyd, Eng and Page, "Area under the Precision-Recall Curve", 2013). Positives that were found because of
    their scores are no trials, since they say nothing of positives that score low.

    Parameters
    ----------
    scores, labels : (n,)
        At least one is positive.
    groups : (n,) int
        The project of each image.
    weights : (n,) float > 0, optional
        Inverse inclusion probabilities. None: all equal.
    random : (n,) bool, optional
        Which images were drawn at random, whatever their scores. None: all.
    """
    sample = checked_sample(scores, labels, weights, groups)
    by_chance = sample.labels if random is None else sample.labels & np.asarray(random, dtype=bool)
    value = average_precision(sample.scores, sample.labels, weights=sample.weights)
    repeats = int(np.clip(10 / (1 - confidence), 400, 4000))  # ten values beyond each limit, if affordable
    resampled = resampled_average_precision([sample.scores], sample, rng=rng, repeats=repeats)[0]
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    trials = max(1, len(np.unique(np.asarray(groups)[by_chance])))
    exact = clopper_pearson(value * trials, trials, confidence)
    return Interval(min(float(low), exact.low), max(float(high), exact.high))


def resampled_average_precision(
    rankings: Sequence[npt.ArrayLike], sample: Sample, *, rng: np.random.Generator, repeats: int
) -> Floats:
    """Return the average precision of several rankings in the same bootstrap samples of whole projects, (r, repeats).

    The scores of each ranking are (n,), labels, weights and groups those of ``sample``. A bootstrap sample without a
    positive gives nan.
    """
    weight = np.ones(len(sample.labels)) if sample.weights is None else sample.weights
    code = np.arange(len(weight)) if sample.groups is None else np.unique(sample.groups, return_inverse=True)[1]
    projects, result = int(code.max()) + 1, np.full((len(rankings), repeats), np.nan)
    ranked = [_Ranking(np.asarray(scores), sample.labels) for scores in rankings]
    block = max(1, _BLOCK // len(weight))
    for start in range(0, repeats, block):
        drawn = rng.multinomial(projects, np.full(projects, 1 / projects), size=min(block, repeats - start))
        mass = drawn[:, code] * weight
        for line, each in zip(result, ranked, strict=True):
            line[start : start + len(mass)] = each.average_precision(mass)
    return result


class _Ranking:
    """The order of one ranking, for the average precision under many weights of its images."""

    def __init__(self, scores: npt.NDArray[np.floating], labels: npt.NDArray[np.bool_]) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ends = np.flatnonzero(np.diff(scores[self._order], append=-np.inf))  # of images with equal scores
        self._hits = np.flatnonzero(labels[self._order])
        self._ends = ends[np.searchsorted(ends, self._hits)]
        self._up_to = np.searchsorted(self._hits, self._ends, side="right") - 1  # the last hit of equal scores

    def average_precision(self, weights: Floats) -> Floats:
        """Return the average precision for each line of weights (r, n); nan without a positive."""
        mass = weights[:, self._order]
        every, hit = np.cumsum(mass, axis=1)[:, self._ends], mass[:, self._hits]
        precision = np.cumsum(hit, axis=1)[:, self._up_to] / np.maximum(every, 1e-300)
        total = hit.sum(axis=1)
        average: Floats = np.full(len(mass), np.nan)
        np.divide((hit * precision).sum(axis=1), total, out=average, where=total > 0)
        return np.minimum(average, 1.0)  # rounding may exceed it


def precision_recall(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    cuts: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    pool_scores: npt.ArrayLike | None = None,
    random: RandomSample | None = None,
    known: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    strata: npt.ArrayLike | None = None,
) -> Curve:
    """Return precision and recall of "accept if score >= cut", with two-sided intervals.

    Parameters
    ----------
    scores, labels : (n,)
        The validation set.
    cuts : (c,), optional
        None: the distinct scores of the sample, thinned to 200.
    weights, groups : (n,), optional
        Inverse inclusion probabilities and projects; see :func:`~bam_engine.learning.intervals.proportions` for the
        intervals. Precision is a proportion of the accepted images.
    confidence : float
    pool_scores : (N,), optional
        The scores of all images that a cut decides on, which ``accepted`` counts. None: it counts the sample.
    random : RandomSample, optional
        What the recall rests on; see :func:`~bam_engine.learning.recall_interval.recall_of`. None: the validation set
        is a random sample itself, and the recall is the proportion of its positives that are accepted.
    known : (m,) scores and (m,) labels, optional
        Images of the pool that the validation set does not stand for, since their labels were known before it was
        drawn. They count as they are, and the validation set for all others.
    strata : (n,) int, optional
        Parts of the collection that were sampled by themselves, for the precision.

    Returns
    -------
    Curve
        Highest cut first, so that the recall rises from one to the next. Precision where nothing is accepted, and
        recall without positives, are nan with the interval [0, 1]. What it says of a cut does not depend on the others
        (:func:`~bam_engine.learning.recall_interval.never_rising`). Each interval holds for its own cut, not for all
        at once: a cut chosen by looking at the curve carries no guarantee;
        :func:`~bam_engine.learning.fixed_sequence.choose_threshold` gives one.
    """
    sample = checked_sample(scores, labels, weights, groups)
    cut = _default_cuts(sample.scores) if cuts is None else np.sort(np.asarray(cuts, dtype=np.float64))[::-1]
    counted = sample.scores if pool_scores is None else np.asarray(pool_scores)

    def precision_at(at: Floats) -> Proportions:
        accepted = sample.scores >= at[:, None]
        positive = np.broadcast_to(sample.labels, accepted.shape)
        of_sample = proportions(
            positive, accepted, weights=sample.weights, groups=sample.groups, strata=strata, confidence=confidence
        )
        if known is None:
            return of_sample
        measured = np.stack([of_sample.value, of_sample.low, of_sample.high])
        value, low, high = with_known(measured, at, known, counted)
        return Proportions(value, low, high, of_sample.n_effective)

    def recall_at(at: Floats) -> Proportions:
        accepted = sample.scores >= at[:, None]
        positive = np.broadcast_to(sample.labels, accepted.shape)
        return proportions(accepted, positive, weights=sample.weights, groups=sample.groups, confidence=confidence)

    precision = precision_at(cut)
    if random is None:
        recall = never_rising(recall_at, cut, sample.scores, _default_cuts(sample.scores))
    else:
        knots = np.concatenate([_default_cuts(sample.scores), _default_cuts(random.scores)])
        recall = recall_of(cut, random, precision_at, confidence, knots=knots)
    return Curve(
        cuts=cut,
        precision=precision.value,
        precision_low=precision.low,
        precision_high=precision.high,
        recall=recall.value,
        recall_low=recall.low,
        recall_high=recall.high,
        accepted=count_accepted(counted, cut),
    )


def with_known(
    precision: Floats, cuts: Floats, known: tuple[npt.ArrayLike, npt.ArrayLike], pool: npt.NDArray[np.floating]
) -> Floats:
    """Return the precision of all images of a pool at each cut, from that of those without a known label.

    Parameters
    ----------
    precision : (..., c)
        Or limits of it.
    cuts : (c,)
    known : (m,) scores and (m,) labels
        Of the images of the pool whose labels are known.
    pool : (N,)
        The scores of the pool.

    Examples
    --------
    >>> with_known(np.array([0.5]), np.array([1.0]), ([1.0, 1.0, 0.0], [1, 1, 1]), np.array([1, 1, 1, 1, 0]))
    array([0.75])
    """
    scores, positive = np.asarray(known[0], dtype=np.float64), checked_labels(known[1])
    n_known, k_known = count_accepted(scores, cuts), count_accepted(scores[positive], cuts)
    others = np.maximum(count_accepted(pool, cuts) - n_known, 0)
    total = np.where(others > 0, others * precision, 0.0) + k_known
    of_all: Floats = np.divide(total, n_known + others, out=precision.copy(), where=n_known + others > 0)
    return of_all


def delivered_precision(precision: Floats, cuts: npt.ArrayLike, sample: RandomSample) -> Floats:
    """Return the precision of what is delivered at each cut, from that of all images that score at least as much.

    Delivered are all images that people have labelled positive and, of those without a label, the ones that score at
    or above the cut. The former are known, so that the limits are those of the latter alone. Without a delivered image
    it is the precision given.

    Parameters
    ----------
    precision : (..., c)
        Or limits of it.
    cuts : (c,)
    sample
        Of the collection, with what people have labelled.
    """
    accepted = count_accepted(sample.pool, cuts) + count_accepted(sample.asked, cuts)
    found, refused = count_accepted(sample.found, cuts), count_accepted(sample.refused, cuts)
    unlabelled = np.maximum(accepted - found - refused, 0)
    delivered = len(sample.found) + unlabelled
    right = np.where(unlabelled > 0, np.clip(precision * accepted - found, 0, unlabelled), 0.0)
    of_delivered: Floats = np.divide(len(sample.found) + right, delivered, out=precision.copy(), where=delivered > 0)
    return of_delivered


def _default_cuts(scores: Floats) -> Floats:
    distinct = np.unique(scores)[::-1]
    if len(distinct) <= _MAX_CUTS:
        return distinct
    return distinct[np.linspace(0, len(distinct) - 1, _MAX_CUTS).round().astype(np.intp)]
