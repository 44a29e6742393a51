"""The pilot of a certification: a few labels that show how fast the precision falls, and the cuts placed by them.

No guarantee rests on the pilot. A poor one costs labels, never correctness.
"""

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.evaluation import checked_sample

Floats = npt.NDArray[np.float64]

PILOT_SIZE = 30  # labels; more of them would be better spent on the test

_STEP = 1.06  # each cut accepts 6% more images than the one before
_START = 0.15  # of the median estimate of the largest number of images that meets the target; 0.1 to 0.3 all work well
_SMALLEST = 5.0  # divided by -log(target): images that the first cut delivers, 48 for 90%, 10 for 60%
_TOP_FRACTION = 0.002  # of the population: the logarithmic scale starts here
_DRAWS = 128
_RIDGE = (0.01, 0.05)  # on the standardised intercept and slope, to keep them finite


def pilot_ranks(population: int, count: int = PILOT_SIZE, *, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the ranks (0 is the highest score) of a pilot, ascending, evenly spread on a logarithmic scale.

    It is not known yet whether a hundredth or a half of the collection is positive, so every order of magnitude gets
    the same number of images. Fewer than ``count`` ranks are returned if some coincide.
    """
    if population < 1 or count < 1:
        raise LearningError(f"A pilot of {count} out of {population} images is not possible. Both must be at least 1.")
    lowest = np.log(max(_TOP_FRACTION, 1 / population))
    fraction = np.exp(lowest * (1 - (np.arange(count) + rng.random(count)) / count))
    return np.unique(np.minimum((fraction * population).astype(np.int64), population - 1))


def pilot_inclusion_probabilities(ranks: npt.ArrayLike, population: int, count: int = PILOT_SIZE) -> Floats:
    """Return the probability with which :func:`pilot_ranks` draws each of the ranks (m,).

    Examples
    --------
    >>> pilot_inclusion_probabilities([0, 10, 100, 900], 1000, 30).round(2)
    array([0.  , 0.46, 0.05, 0.01])
    """
    lowest = max(_TOP_FRACTION, 1 / population)
    edges = np.maximum(np.asarray(ranks, dtype=np.float64) + np.array([[0.0], [1.0]]), lowest * population)
    strata: Floats = np.log(edges[1] / edges[0]) * count / max(-np.log(lowest), 1e-12)
    return np.minimum(strata, 1.0)


def plan_cuts(
    population_scores: npt.ArrayLike,
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    target: float = 0.90,
    known_positives: int = 0,
    rng: np.random.Generator,
) -> Floats:
    """Return the distinct cuts to test for a precision, from the strictest to the one that accepts everything.

    Parameters
    ----------
    population_scores : (N,)
        Of the images that the guarantee covers, in any order.
    scores, labels : (n,)
        Labelled images outside the population, drawn in any way.
    known_positives : int
        Positive images outside the population that are delivered with every cut.

    Notes
    -----
    A logistic curve of the label over the score is fitted, and plausible curves are drawn from its normal
    approximation. For each, the largest number of images that, with the known positives, meets the target is computed;
    the first cut accepts 15%
    of the median, since a start too strict costs a few labels while one too loose may cost all. From there each cut
    accepts 6% more images.

    Raises
    ------
    LearningError
        The target is not between 0 and 1, the population is empty, or the sample is inconsistent.
    """
    if not 0 < target < 1:
        raise LearningError(f"Target precision must be between 0 and 1, not {target:g}. Use 0.9, for example.")
    sample = checked_sample(scores, labels)
    ordered = np.sort(np.asarray(population_scores, dtype=np.float64))[::-1]
    if len(ordered) == 0:
        raise LearningError("No images are left to certify: all are labelled.")
    fractions = _acceptable_fractions(ordered, sample.scores, sample.labels, target, known_positives, rng)
    # With fewer images, the known ones included, even an all-positive sample certifies nothing.
    smallest = min(max(_SMALLEST / -np.log(target) - known_positives, 1), len(ordered))
    first = max(_START * float(np.median(fractions)) * len(ordered), smallest)
    steps = int(np.floor(np.log(len(ordered) / first) / np.log(_STEP)))
    ranks = np.floor(len(ordered) * _STEP ** -np.arange(steps, -1, -1.0)).astype(np.int64)
    return np.unique(ordered[np.maximum(ranks, 1) - 1])[::-1]


def _acceptable_fractions(
    ordered: Floats,
    scores: Floats,
    labels: npt.NDArray[np.bool_],
    target: float,
    known_positives: int,
    rng: np.random.Generator,
) -> Floats:
    """Return, for each plausible curve, the largest fraction of the population that meets the target when accepted."""
    mean, scale = scores.mean(), max(float(scores.std()), 1e-9)
    curve, covariance = _fit_logistic((scores - mean) / scale, labels)
    curves = curve + rng.standard_normal((_DRAWS, 2)) @ np.linalg.cholesky(covariance).T
    ranks = np.unique(np.geomspace(1, len(ordered), 400).astype(np.int64))
    places = (ordered[ranks - 1] - mean) / scale
    positive = 1 / (1 + np.exp(-np.clip(curves[:, :1] + curves[:, 1:] * places, -40, 40)))
    accepted = np.cumsum(positive * np.diff(ranks, prepend=0), axis=1)
    precision = (accepted + known_positives) / (ranks + known_positives)
    meets = precision >= target
    last = len(ranks) - 1 - np.argmax(meets[:, ::-1], axis=1)
    return np.where(meets.any(axis=1), ranks[last], 1).astype(np.float64) / len(ordered)


def _fit_logistic(places: Floats, labels: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the intercept and slope of a ridge logistic curve (2,) and their covariance (2, 2)."""
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
