"""Whether a question is learned, and what speaks for each cause where it is not.

All evidence is a share or an average precision with its interval, held against what guessing gives: of the classifier,
of the nearest labelled images, of annotators and of near-identical images. So one rule judges all of it
(:func:`beats_guessing`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.learning.classifier import FeatureScaling, train
from bam_engine.learning.clusters import representative_rows
from bam_engine.learning.duplicate_filter import squared_limit
from bam_engine.learning.intervals import clopper_pearson

NEAREST = 10
"""Labelled images that tell an image by themselves."""

MIN_IN_GROUP = 10
"""Positives that each of two groups needs for a classifier of its own."""

_NEAR = 1 / 3  # of the way from guessing to a perfect result
_STARTS = 5
_MAX_COMPARED = 2000  # images among which all pairs are measured


@dataclass(frozen=True)
class Share:
    """A share or an average precision with its 95% limits, and what guessing gives."""

    value: float
    low: float
    high: float
    guessing: float


def guessing_precision(n_positive: float, n: int) -> float:
    """Return the expected average precision of ``n`` images in random order (Bestgen, 2015): a little over the share.

    Examples
    --------
    >>> round(guessing_precision(1, 2), 3), round(guessing_precision(30, 200), 3)
    (0.75, 0.171)
    """
    if n < 2:
        return float(n_positive > 0)
    others = (n_positive - 1) / (n - 1)
    return float(others + (1 - others) * np.sum(1 / np.arange(1, n + 1)) / n)


def beats_guessing(share: Share) -> bool | None:
    """Return whether a result is better than guessing: True, False for hardly, or None where it cannot be told.

    It is hardly better if its upper limit stays in the lowest third of the way from guessing to 1 and its lower limit
    does not reach twice what guessing gives; better if, otherwise, its lower limit is above guessing. The second half
    of the first condition is for rare positives: 0.2 where guessing gives 0.01 is worth something.
    """
    ceiling = share.guessing + _NEAR * (1 - share.guessing)
    if share.high < ceiling and share.low < 2 * share.guessing:
        return False
    return True if share.low > share.guessing else None


def positive_agreement(yes: npt.ArrayLike, of: npt.ArrayLike) -> Share | None:
    """Return how often another answer to the same thing is yes where one is, as a share against guessing.

    Parameters
    ----------
    yes, of : (m,) int
        The yes answers to each thing, and all answers to it.

    Returns
    -------
    Share or None
        The positive agreement (Cicchetti and Feinstein, 1990), each thing with the weight of one pair of answers;
        guessing is the share of yes. None where no thing has two answers, one of them yes. The interval is exact, with
        a trial for each such thing.

    Examples
    --------
    >>> positive_agreement([2, 1, 0, 0], [2, 2, 2, 2]).value
    0.6666666666666666
    """
    k, n = np.asarray(yes, np.float64), np.asarray(of, np.float64)
    k, n = k[n > 1], n[n > 1]
    trials = int((k > 0).sum())
    if not trials:
        return None
    both = float(np.sum(k * (k - 1) / (n * (n - 1))))
    mixed = float(np.sum(2 * k * (n - k) / (n * (n - 1))))
    value = 2 * both / (2 * both + mixed)
    limits = clopper_pearson(value * trials, trials)
    return Share(value, limits.low, limits.high, float(np.mean(k / n)))


def scores_by_neighbours(
    taught: npt.NDArray[np.float32],
    labels: npt.NDArray[np.bool_],
    unseen: npt.NDArray[np.float32],
    scaling: FeatureScaling,
) -> npt.NDArray[np.float64]:
    """Return the share of positives among the ``NEAREST`` labelled images of each unseen one, (n,).

    Distances are between standardised vectors. Nothing is fitted: where this is no better than guessing, images that
    look alike to the encoder have labels like any others.
    """
    own, other = (((part - scaling.mean) / scaling.scale).astype(np.float32) for part in (taught, unseen))
    distance = np.sum(own**2, axis=1) - 2 * (other @ own.T)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :NEAREST]
    return np.asarray(labels[nearest].mean(axis=1), np.float64)


def scores_by_groups(
    taught: npt.NDArray[np.float32],
    labels: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.int64],
    unseen: npt.NDArray[np.float32],
    scaling: FeatureScaling,
) -> npt.NDArray[np.float64] | None:
    """Return the scores of unseen images by two classifiers, each for one half of the positives; the higher counts.

    The positives fall into two clusters; each classifier tells one of them from all negatives. None if a cluster has
    fewer than ``MIN_IN_GROUP`` positives. Where this is much better than one classifier, the positives are two things.
    """
    rng = np.random.default_rng(0)
    positive = np.flatnonzero(labels)
    if len(positive) < 2 * MIN_IN_GROUP:
        return None
    cluster = _halves(taught[positive], rng)
    if np.bincount(cluster, minlength=2).min() < MIN_IN_GROUP:
        return None
    scores = []
    for number in (0, 1):
        used = np.sort(np.concatenate([positive[cluster == number], np.flatnonzero(~labels)]))
        model = train(taught[used], labels[used], groups=groups[used], scaling=scaling, rng=rng)
        scores.append(unseen @ model.coefficients.astype(np.float64) + model.intercept)
    return np.asarray(np.maximum(*scores), np.float64)


def _halves(vectors: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return the cluster of each vector, 0 or 1: the tightest of several k-means."""
    tries = []
    for _ in range(_STARTS):
        centres = vectors[representative_rows(vectors, 2, rng=rng)]
        distance = np.sum(centres**2, axis=1) - 2 * (vectors @ centres.T)
        tries.append((float(distance.min(axis=1).sum()), np.argmin(distance, axis=1)))
    return np.asarray(min(tries, key=lambda each: each[0])[1], np.intp)


def near_identical(
    vectors: npt.NDArray[np.floating], rows: npt.NDArray[np.int64], pool: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the places in ``rows`` of images and the one most like each where both are nearly the same, (m, 2).

    Near-duplicates are those of :mod:`~bam_engine.learning.duplicate_filter`, with respect to ``pool``. Of more than
    2,000 rows, only the first 2,000 are compared.
    """
    compared = np.asarray(vectors[rows[:_MAX_COMPARED]], np.float32)
    compared -= compared.mean(axis=0)
    square = np.sum(compared**2, axis=1)
    distance = square[:, None] + square - 2 * (compared @ compared.T)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argmin(distance, axis=1)
    near = np.flatnonzero(distance[np.arange(len(compared)), nearest] <= squared_limit(vectors, pool))
    return np.unique(np.sort(np.column_stack([near, nearest[near]]), axis=1), axis=0).astype(np.int64)
