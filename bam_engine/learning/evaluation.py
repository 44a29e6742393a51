"""Measures of a ranking on a labelled sample: average precision, and precision and recall with intervals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.intervals import Floats, proportions

_MAX_CUTS = 200


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
    return float(np.sum(np.diff(hits, prepend=0.0) * precision) / hits[-1])


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
    """Return precision and recall of "accept if score >= cut", with two-sided intervals.

    Parameters
    ----------
    scores, labels : (n,)
        The validation set.
    cuts : (c,), optional
        None: the distinct scores of the sample, thinned to 200.
    weights, groups : (n,), optional
        Inverse inclusion probabilities and projects; see :func:`~bam_engine.learning.intervals.proportions` for the
        intervals. Precision is a proportion of the accepted images, recall a proportion of the positives.
    confidence : float
    pool_scores : (N,), optional
        The scores of all images that a cut decides on, which ``accepted`` counts. None: it counts the sample.

    Returns
    -------
    Curve
        Highest cut first. Precision where nothing is accepted, and recall without positives, are nan with the interval
        [0, 1]. Each interval holds for its own cut, not for all at once: a cut chosen by looking at the curve carries
        no guarantee; :func:`~bam_engine.learning.threshold.choose_threshold` gives one.
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
    """Return the number of scores (N,) at or above each cut (c,), in one pass over the scores.

    Examples
    --------
    >>> count_accepted(np.array([0.1, 0.5, 0.9]), [0.9, 0.5]).tolist()
    [1, 2]
    """
    cut = np.atleast_1d(np.asarray(cuts, dtype=np.float64))
    ascending = np.sort(cut)
    reached = np.bincount(np.searchsorted(ascending, scores, side="right"), minlength=len(ascending) + 1)
    at_least = np.cumsum(reached[::-1])[::-1][1:]  # scores at or above the j-th lowest cut
    return at_least[np.searchsorted(ascending, cut)].astype(np.int64)
