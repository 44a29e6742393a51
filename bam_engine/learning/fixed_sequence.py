"""Choosing a precision threshold by a fixed sequence of tests, strictest cut first.

"The lowest cut whose empirical precision is 90%" misses the target more often than not, because it is the luckiest of
many cuts (``benchmarks/guarantee.py`` prints how often). The rule here tests cuts in an order fixed beforehand.
"""

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError, NoThreshold
from bam_engine.formatting import count, percent, percent_at_least
from bam_engine.learning.evaluation import Curve, Sample, checked_sample, precision_recall
from bam_engine.learning.intervals import Floats, clopper_pearson, labels_to_certify, lower_bound
from bam_engine.learning.threshold import Threshold, count_unlabelled, measured, precision_bounds

_STEP = 1.1  # each cut accepts 10% more images than the one before: about half a standard error of the precision
_FIRST_FRACTION = 0.1  # of the sample that the first cut accepts, or more


def choose_threshold(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    pool_scores: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    testing: npt.ArrayLike | None = None,
    lost: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    labelled: npt.ArrayLike | None = None,
) -> Threshold:
    """Return the best threshold certified for a precision of at least ``target``, or else the best supported one.

    The cuts of :func:`fixed_cuts` are tested strictest first. At each, the hypothesis "precision is below target" is
    rejected if the exact one-sided binomial lower limit of the accepted validation images reaches the target. The first
    cut that fails ends the sequence. Of those that passed, all certified, the threshold is the one of the highest F1
    (:func:`best_cut`), with ``certified=True``: a looser one would only add wrong images.

    Parameters
    ----------
    scores, labels : (n,)
        The validation set.
    target, confidence : float
        Between 0 and 1.
    pool_scores : (N,), optional
        The scores of the whole collection, from which the cuts are fixed. None: those of the sample, which makes the
        guarantee approximate.
    weights : (n,) float > 0, optional
        Inverse inclusion probabilities. The test then uses effective counts and is approximate.
    groups : (n,) int, optional
        Projects. Repeated ones divide the counts by a design effect of at least 1, which never weakens the guarantee.
    testing : (n,) bool, optional
        The images that may certify: one whole draw, fixed before it was first looked at. The others only measure. None:
        all.
    lost : (m,) scores and (m,) projects, optional
        Further images of the testing draw that cannot be looked at any more and are not known to be positive. The test
        counts them as negative, so that it holds whatever made them absent (worst-case bounds: Horowitz and Manski,
        1995); nothing is measured on them.
    labelled : (m,), optional
        The scores of all images of the pool that have a label, for whatever purpose: no label is advised for them.

    Returns
    -------
    Threshold
        If nothing is certified, ``certified`` is False and the cut is, of the sample's scores whose empirical precision
        is at least ``target``, the one with the highest one-sided lower limit (the loosest of equals). The loosest such
        score would usually miss the target: below the last positive it rides on chance. The threshold carries no
        guarantee beyond its interval, which is itself optimistic because the cut was chosen by it.

    Raises
    ------
    NoThreshold
        No cut reaches the target even empirically. The message states the best cut and whether more labels could help.
    LearningError
        Only positives or only negatives are labelled, or the input is inconsistent.

    Notes
    -----
    **Guarantee.** Over draws of the validation set, the probability that a certified threshold accepts images of the
    pool with a precision below ``target`` is at most ``1 - confidence``. Proof: a false claim requires that the first
    cut of the sequence whose true precision is below the target passes its test, which one exact test does with at most
    this probability. No correction for the number of cuts is needed (fixed-sequence testing: Maurer, Hothorn and
    Lehmacher, 1995; for this use Angelopoulos et al., "Learn then Test", 2021).

    **Assumptions.**

    - The validation set is a simple random sample of the pool (drawing without replacement makes the test
      conservative), the
      classifier was not trained on it, and its labels are right.
    - The pool is the whole collection, training images included. Without these, fewer positives remain than the sample
      stands for, so if training labels are a sizeable part of the accepted images, precision among the others alone can
      be lower; an audit measures that one.
    - One model, one target, one look. Trying rounds, attributes or targets until one is certified adds up their risks,
      and so does testing again after each top-up of the sample: with eleven looks, a guarantee of 95% fails in more
      than one run of twenty (``benchmarks/guarantee.py``, "topped up at will"). An audit, with a fresh sample, is the
      remedy. If the testing draw is inconclusive, a certification (:mod:`bam_engine.learning.certification`) allows any
      number of looks.

    Examples
    --------
    >>> scores = np.arange(200.0)
    >>> choice = choose_threshold(scores, scores >= 100, target=0.9)
    >>> choice.certified, choice.precision >= 0.9
    (True, True)
    """
    _check_target(target)
    sample = checked_sample(scores, labels, weights, groups)
    _check_both_classes(sample)
    pool = sample.scores if pool_scores is None else np.asarray(pool_scores)
    tested = _tested(sample, testing, lost)
    passed = _passed_cuts(tested, fixed_cuts(pool, len(tested.labels), target, confidence), target, confidence)
    if len(passed):
        curve = precision_recall(
            sample.scores,
            sample.labels,
            cuts=passed,
            weights=sample.weights,
            groups=sample.groups,
            confidence=confidence,
            pool_scores=pool,
        )
        return measured(best_cut(curve), sample, pool, target, confidence, labelled, certified=True)
    cut = _best_supported_cut(sample, target, confidence, pool_scores, labelled)
    return measured(cut, sample, pool, target, confidence, labelled, certified=False)


def best_cut(curve: Curve) -> float:
    """Return the cut of a curve with the highest F1 of precision and recall; of equal ones the strictest.

    Where nothing is accepted, or nothing is positive, F1 is 0.

    Examples
    --------
    >>> scores, labels = np.arange(6.0), [0, 0, 0, 1, 1, 1]
    >>> best_cut(precision_recall(scores, labels, cuts=[5, 3, 0]))
    3.0
    """
    precision, recall = np.nan_to_num(curve.precision), np.nan_to_num(curve.recall)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(curve.cuts[int(np.argmax(f1 >= f1.max() - 1e-12))])


def certified_cuts(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    pool_scores: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    testing: npt.ArrayLike | None = None,
    lost: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> Floats:
    """Return the cuts that pass the test of :func:`choose_threshold`, strictest first; parameters as there."""
    tested = _tested(checked_sample(scores, labels, None, groups), testing, lost)
    return _passed_cuts(tested, fixed_cuts(pool_scores, len(tested.labels), target, confidence), target, confidence)


def is_certified(
    value: float,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
    pool_scores: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    testing: npt.ArrayLike | None = None,
    lost: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> bool:
    """Return whether a threshold that was certified passes its test again, now that labels may have changed.

    The test of :func:`choose_threshold`, on the fixed cuts that are stricter than ``value`` and on ``value`` itself, so
    that images which left the pool and moved the cuts by a rank do not decide. Parameters as there.
    """
    tested = _tested(checked_sample(scores, labels, None, groups), testing, lost)
    if not len(tested.labels):
        return False
    cuts = fixed_cuts(pool_scores, len(tested.labels), target, confidence)
    bounds = precision_bounds(tested, np.append(cuts[cuts > value], value), confidence)
    return bool((bounds >= target).all())


def _tested(sample: Sample, testing: npt.ArrayLike | None, lost: tuple[npt.ArrayLike, npt.ArrayLike] | None) -> Sample:
    """Return the images that may certify, with those that count against it."""
    tested = sample if testing is None else _subset(sample, np.asarray(testing, dtype=bool))
    return tested if lost is None or not len(tested.labels) else _with_negatives(tested, *lost)


def fixed_cuts(
    pool_scores: npt.ArrayLike, n: int, target: float = 0.90, confidence: float = 0.95
) -> npt.NDArray[np.float64]:
    """Return the cuts at which a validation set of ``n`` images will be tested, strictest first.

    They are fixed before it is labelled.

    The cuts are quantiles of the pool's scores. The first accepts enough of the pool for a tenth of the sample to be
    expected above it, and for the test to survive one negative (46 images for 90% at 95% confidence): stricter cuts
    would fail for lack of images and end the sequence. Each following cut accepts a tenth more. Empty if even ``n``
    accepted images could not certify the target.

    Parameters
    ----------
    pool_scores : (N,)
    n : int
        The size of the validation set.
    """
    pool = np.asarray(pool_scores)
    smallest = _smallest_surviving_count(target, confidence)
    if smallest > n or len(pool) == 0:
        return np.empty(0)
    first = max(smallest / n, _FIRST_FRACTION)
    steps = int(np.floor(np.log(1 / first) / np.log(_STEP))) + 1
    ranks = np.ceil(len(pool) * np.minimum(first * _STEP ** np.arange(steps), 1.0)).astype(np.intp)
    places = np.unique(len(pool) - np.clip(ranks, 1, len(pool)))
    return np.unique(np.partition(pool, places)[places].astype(np.float64))[::-1]


def _smallest_surviving_count(target: float, confidence: float) -> int:
    """Return the smallest number of images that certifies the target despite one negative."""
    low, high = 1, 2
    while lower_bound(high - 1, high, confidence) < target:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if lower_bound(middle - 1, middle, confidence) >= target else (middle, high)
    return high


def _subset(sample: Sample, chosen: npt.NDArray[np.bool_]) -> Sample:
    weights = None if sample.weights is None else sample.weights[chosen]
    groups = None if sample.groups is None else sample.groups[chosen]
    return Sample(sample.scores[chosen], sample.labels[chosen], weights, groups)


def _with_negatives(sample: Sample, scores: npt.ArrayLike, groups: npt.ArrayLike) -> Sample:
    score, group = np.asarray(scores, dtype=np.float64), np.asarray(groups, dtype=np.int64)
    return Sample(
        np.concatenate([sample.scores, score]),
        np.concatenate([sample.labels, np.zeros(len(score), dtype=bool)]),
        None if sample.weights is None else np.concatenate([sample.weights, np.ones(len(score))]),
        None if sample.groups is None else np.concatenate([sample.groups, group]),
    )


def _passed_cuts(sample: Sample, cuts: Floats, target: float, confidence: float) -> Floats:
    """Return the cuts before the first that fails."""
    if len(cuts) == 0:
        return cuts
    passed = precision_bounds(sample, cuts, confidence) >= target
    return cuts if passed.all() else cuts[: int(np.argmin(passed))]


def _best_supported_cut(
    sample: Sample,
    target: float,
    confidence: float,
    pool_scores: npt.ArrayLike | None,
    labelled: npt.ArrayLike | None,
) -> float:
    """Return, of the cuts that meet the target empirically, the one with the highest lower limit."""
    cuts = np.unique(sample.scores)[::-1]
    accepted = sample.scores >= cuts[:, None]
    weight = np.ones(len(sample.scores)) if sample.weights is None else sample.weights
    precision = (accepted @ (weight * sample.labels)) / (accepted @ weight)
    meeting = np.flatnonzero(precision >= target)
    if len(meeting) == 0:
        raise NoThreshold(_no_threshold_message(sample, cuts, precision, target, confidence, pool_scores, labelled))
    bounds = precision_bounds(sample, cuts[meeting], confidence)
    best_supported = np.flatnonzero(bounds >= bounds.max() - 1e-12)
    return float(cuts[meeting[best_supported[-1]]])


def _no_threshold_message(
    sample: Sample,
    cuts: Floats,
    precision: Floats,
    target: float,
    confidence: float,
    pool_scores: npt.ArrayLike | None,
    labelled: npt.ArrayLike | None,
) -> str:
    """Name the cut with the highest lower limit, and say whether more labels there could reach the target."""
    bounds = precision_bounds(sample, cuts, confidence)
    best = int(np.flatnonzero(bounds >= bounds.max() - 1e-12)[-1])
    n = int((sample.scores >= cuts[best]).sum())
    high = clopper_pearson(float(precision[best]) * n, n, confidence).high
    needed = labels_to_certify(high, target, confidence)
    summary = (
        f"No threshold reaches {percent(target)} precision. The best is about {percent(precision[best])} "
        f"(at least {percent_at_least(bounds[best])})."
    )
    if needed is None:
        return f"{summary} More validation labels won't change that: it takes a better classifier or a lower target."
    more = max(1, needed - n)
    left = more
    if pool_scores is not None:
        left = count_unlabelled(np.asarray(pool_scores), sample.scores if labelled is None else labelled, cuts[best])
    if more > left:
        return (
            f"{summary} {count(left, 'image')} without a label {'scores' if left == 1 else 'score'} as high, too few "
            "for a sample to show more: with all of them labelled, nothing is left to estimate."
        )
    return (
        f"{summary} Should it really be {percent(high)}, which {count(n, 'label')} cannot rule out, about "
        f"{count(more, 'more label')} would show it. Otherwise it takes a better classifier or a lower "
        "target."
    )


def _check_target(target: float) -> None:
    if not 0 < target < 1:
        raise LearningError(f"Target precision must be between 0 and 1, not {target:g}. Use 0.9, for example.")


def _check_both_classes(sample: Sample) -> None:
    for present, missing in ((sample.labels, "positive"), (~sample.labels, "negative")):
        if not present.any():
            raise LearningError(
                f"None of {count(len(sample.labels), 'labelled validation image')} is {missing}. Choosing a threshold "
                "needs both kinds: label more of the validation set."
            )
