"""A first look at how fast the precision falls, so that the labels that count are spent where they decide.

In:  the scores of a population, and the scores and labels of the few images that were looked at first.
Out: which ranks to look at, and the cuts to test, strict to loose. Knows nothing of tests or promises.

Nothing that is promised rests on this room: a poor pilot costs labels, never the guarantee.
"""

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.evaluation import checked_sample

Floats = npt.NDArray[np.float64]

PILOT_SIZE = 30  # labels; more of them are worth less than the same number spent on the test

_STEP = 1.06  # each cut accepts so much more than the one before
_START = 0.15  # of the share that would keep the target by the pilot's median guess; from 0.1 to 0.3 all do well
_SMALLEST = 5.0  # over minus the logarithm of the target: images a first cut accepts, 48 for 0.90, 10 for 0.60
_STRICTEST = 0.002  # of the population: the pilot looks no higher
_DRAWS = 128
_RIDGE = (0.01, 0.05)  # of the logistic curve's height and slope, standardised: only there to keep it finite


def pilot_ranks(population: int, count: int = PILOT_SIZE, *, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the ranks (0: the highest score) to look at first, ascending, evenly spread on a logarithmic scale.

    Whether a hundredth or a half of the collection is positive is not known yet; so every order of magnitude gets the
    same number. Fewer are returned where ranks coincide.
    """
    if population < 1 or count < 1:
        raise LearningError(f"a pilot of {count} images of {population} was asked: both must be at least 1.")
    lowest = np.log(max(_STRICTEST, 1 / population))
    share = np.exp(lowest * (1 - (np.arange(count) + rng.random(count)) / count))
    return np.unique(np.minimum((share * population).astype(np.int64), population - 1))


def pilot_inclusion_probabilities(ranks: npt.ArrayLike, population: int, count: int = PILOT_SIZE) -> Floats:
    """Return how likely :func:`pilot_ranks` is to look at each of the ranks (m,).

    Examples
    --------
    >>> pilot_inclusion_probabilities([0, 10, 100, 900], 1000, 30).round(2)
    array([0.  , 0.46, 0.05, 0.01])
    """
    lowest = max(_STRICTEST, 1 / population)
    edges = np.maximum(np.asarray(ranks, dtype=np.float64) + np.array([[0.0], [1.0]]), lowest * population)
    strata: Floats = np.log(edges[1] / edges[0]) * count / max(-np.log(lowest), 1e-12)
    return np.minimum(strata, 1.0)


def plan_cuts(
    population_scores: npt.ArrayLike,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    rng: np.random.Generator,
) -> Floats:
    """Return the cuts to test for a precision, from the strictest to the one that accepts everything, distinct.

    Parameters
    ----------
    population_scores : (N,)
        Of the images the promise is about, in any order.
    scores, labels : (n,)
        What was looked at before. Any images, drawn anyhow, as long as they are not of the population.

    Notes
    -----
    A logistic curve of the label over the score is fitted, and curves as likely as that one are drawn from its normal
    approximation. Each has a share of the population that just keeps the target; the first cut accepts 15 % of the
    median one, since too strict a start costs few labels and too loose a one may cost all. From there each cut accepts
    6 % more.
    """
    if not 0 < target < 1:
        raise LearningError(f"a precision target lies between 0 and 1; {target:g} was asked. Use 0.90, say.")
    sample = checked_sample(scores, labels)
    ordered = np.sort(np.asarray(population_scores, dtype=np.float64))[::-1]
    if len(ordered) == 0:
        raise LearningError("no image is left to promise anything about: all are labelled.")
    kept = _kept_shares(ordered, sample.scores, sample.labels, target, rng)
    smallest = min(_SMALLEST / -np.log(target), len(ordered))  # with fewer even a sample without a fault shows nothing
    first = max(_START * float(np.median(kept)) * len(ordered), smallest)
    steps = int(np.floor(np.log(len(ordered) / first) / np.log(_STEP)))
    ranks = np.floor(len(ordered) * _STEP ** -np.arange(steps, -1, -1.0)).astype(np.int64)
    return np.unique(ordered[np.maximum(ranks, 1) - 1])[::-1]


def _kept_shares(
    ordered: Floats, scores: Floats, labels: npt.NDArray[np.bool_], target: float, rng: np.random.Generator
) -> Floats:
    """Return, for each plausible curve, the largest share of the population that keeps the target."""
    middle, width = scores.mean(), max(float(scores.std()), 1e-9)
    curve, covariance = _logistic((scores - middle) / width, labels)
    curves = curve + rng.standard_normal((_DRAWS, 2)) @ np.linalg.cholesky(covariance).T
    ranks = np.unique(np.geomspace(1, len(ordered), 400).astype(np.int64))
    places = (ordered[ranks - 1] - middle) / width
    positive = 1 / (1 + np.exp(-np.clip(curves[:, :1] + curves[:, 1:] * places, -40, 40)))
    precision = np.cumsum(positive * np.diff(ranks, prepend=0), axis=1) / ranks
    keeps = precision >= target
    last = len(ranks) - 1 - np.argmax(keeps[:, ::-1], axis=1)
    return np.where(keeps.any(axis=1), ranks[last], 1).astype(np.float64) / len(ordered)


def _logistic(places: Floats, labels: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return height and slope of the logistic curve (2,), lightly ridged, and their covariance (2, 2)."""
    features = np.stack([np.ones_like(places), places], axis=1)
    ridge = np.array(_RIDGE)
    curve: Floats = np.zeros(2)
    for _ in range(50):
        positive = 1 / (1 + np.exp(-features @ curve))
        gradient = features.T @ (positive - labels) + ridge * curve
        hessian = (features.T * (positive * (1 - positive))) @ features + np.diag(ridge)
        step = np.clip(np.linalg.solve(hessian, gradient), -2.0, 2.0)
        curve -= step
        if np.abs(step).max() < 1e-8:
            break
    return curve, np.asarray(np.linalg.inv(hessian), dtype=np.float64)
