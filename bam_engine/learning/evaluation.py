"""How well scores tell positives from negatives, on a labelled sample.

In:  scores (n,), labels (n,) of 0 and 1, sampling weights and project codes of the sample.
Out: average precision and precision-recall curves with intervals. Knows nothing of classifiers, images or pages.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.intervals import Floats, proportions

_MAX_CUTS = 200


@dataclass(frozen=True)
class Sample:
    """A labelled sample whose parts fit together: scores and weights (n,), labels (n,) bool, groups (n,) or None."""

    scores: Floats
    labels: npt.NDArray[np.bool_]
    weights: Floats | None
    groups: npt.NDArray[np.int64] | None


@dataclass(frozen=True)
class Curve:
    """Precision and recall at each cut, strict to loose, each (c,), and how many images of the pool are accepted."""

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
    """Return the sample as arrays.

    Raises
    ------
    LearningError
        Lengths differ, a label is neither 0 nor 1, a score is not finite, a weight is not positive, or there is
        nothing.
    """
    score = np.asarray(scores, dtype=np.float64)
    label = checked_labels(labels)
    weight = None if weights is None else np.asarray(weights, dtype=np.float64)
    group = None if groups is None else np.asarray(groups, dtype=np.int64)
    if any(part is not None and part.shape != label.shape for part in (score, weight, group)):
        raise LearningError(
            f"{label.shape[0]} labels were given with {score.shape} scores: give one of each per image."
        )
    if len(label) == 0:
        raise LearningError("no image of the validation set is labelled yet. Label the validation set first.")
    if not np.isfinite(score).all():
        raise LearningError(f"{int((~np.isfinite(score)).sum())} of {len(score)} scores are not finite numbers.")
    if weight is not None and not (np.isfinite(weight).all() and (weight > 0).all()):
        raise LearningError("sampling weights must be positive numbers: one over the probability of being drawn.")
    return Sample(score, label, weight, group)


def checked_labels(labels: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return labels (n,) of 0 and 1 as booleans, or raise LearningError naming what else is there."""
    found = np.asarray(labels)
    if found.ndim != 1:
        raise LearningError(f"labels are one row of 0 and 1; an array of shape {found.shape} was given.")
    strange = np.setdiff1d(found, [0, 1])
    if len(strange):
        raise LearningError(f"labels are 0 or 1; {strange[0]} is among them. Leave out images that have no consensus.")
    return found.astype(bool)


def average_precision(scores: npt.ArrayLike, labels: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> float:
    """Return the mean of the precision over the recall steps; nan when no image is positive.

    The definition of scikit-learn: over the distinct scores from high to low, the sum of the recall gained times the
    precision there. Images of equal score enter together.

    Examples
    --------
    >>> average_precision([3, 2, 1], [1, 0, 1])
    0.8333...
    """
    sample = checked_sample(scores, labels, weights)
    order = np.argsort(-sample.scores, kind="stable")
    weight = np.ones(len(order)) if sample.weights is None else sample.weights[order]
    last = np.flatnonzero(np.diff(sample.scores[order], append=-np.inf))
    found = np.cumsum(weight * sample.labels[order])[last]
    if found[-1] == 0:
        return float("nan")
    precision = found / np.cumsum(weight)[last]
    return float(np.sum(np.diff(found, prepend=0.0) * precision) / found[-1])


def precision_recall(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    cuts: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
    pool_scores: npt.ArrayLike | None = None,
) -> Curve:
    """Return precision and recall of "accept when score >= cut" with two-sided intervals.

    Parameters
    ----------
    scores, labels : (n,)
        The validation set.
    cuts : (c,), optional
        None: the distinct scores of the sample, thinned to 200.
    weights, groups : (n,), optional
        Inverse inclusion probabilities and projects; see :func:`~bam_engine.learning.intervals.proportions`
        for what the
        intervals are with and without them. Precision is a share of the accepted, recall a share of the positives.
    pool_scores : (N,), optional
        The scores of every image the cut would decide on: ``accepted`` counts these. None: it counts the sample.

    Returns
    -------
    Curve
        From the highest cut to the lowest. Precision where nothing is accepted, and recall without a positive, are nan
        with the interval [0, 1]. Each interval holds at its own cut, not all of them at once: a cut chosen by looking
        at the curve has no guarantee, :func:`~bam_engine.learning.threshold.choose_threshold` gives one.
    """
    sample = checked_sample(scores, labels, weights, groups)
    cut = _default_cuts(sample.scores) if cuts is None else np.sort(np.asarray(cuts, dtype=np.float64))[::-1]
    accepted = sample.scores >= cut[:, None]
    positive = np.broadcast_to(sample.labels, accepted.shape)
    precision = proportions(positive, accepted, weights=sample.weights, groups=sample.groups, confidence=confidence)
    recall = proportions(accepted, positive, weights=sample.weights, groups=sample.groups, confidence=confidence)
    counted = sample.scores if pool_scores is None else np.asarray(pool_scores)
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


def _default_cuts(scores: Floats) -> Floats:
    distinct = np.unique(scores)[::-1]
    if len(distinct) <= _MAX_CUTS:
        return distinct
    return distinct[np.linspace(0, len(distinct) - 1, _MAX_CUTS).round().astype(np.intp)]


def count_accepted(scores: npt.NDArray[np.floating], cuts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return how many of the scores (N,) reach each cut (c,), in one pass over the scores."""
    wanted = np.atleast_1d(np.asarray(cuts, dtype=np.float64))
    ascending = np.sort(wanted)
    reached = np.bincount(np.searchsorted(ascending, scores, side="right"), minlength=len(ascending) + 1)
    at_least = np.cumsum(reached[::-1])[::-1][1:]  # scores that pass at least the j-th lowest cut
    return at_least[np.searchsorted(ascending, wanted)].astype(np.int64)
