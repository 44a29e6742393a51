"""From score to probability, for display: how often images of a score are positive.

In:  scores (n,), labels (n,) of 0 and 1, sampling weights and projects of a sample that trained nothing.
Out: a calibration that turns any score into a probability with an interval, and can be stored as JSON.

The order of the scores is kept: a higher score never gets a lower probability. Decisions are not made here; a threshold
has its own test.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.evaluation import Sample, checked_sample
from bam_engine.learning.intervals import Floats, checked_confidence, proportions

ISOTONIC_FROM = 1000  # labels; from there on the curve is free, below it would follow the noise
MIN_PER_CLASS = 5
_WINDOW = 100  # labels around a score that the interval of the free curve is judged on
_MAX_KNOTS = 60


@dataclass(frozen=True)
class Calibration:
    """What turns scores into probabilities.

    ``method`` is "platt": the logistic of ``slope * score + intercept``, with the covariances (slope, both, intercept)
    of the model and of the sample as drawn. Or "isotonic": straight lines between the ``knots`` (score, probability,
    lower and upper limit). ``n`` and ``n_positive`` count the labels.
    """

    method: str
    n: int
    n_positive: int
    slope: float = 0.0
    intercept: float = 0.0
    covariances: tuple[tuple[float, float, float], ...] = ()
    knots: tuple[tuple[float, float, float, float], ...] = field(default=(), repr=False)


def calibrate(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Calibration:
    """Fit the probability of a positive given the score.

    Below 1,000 labels by Platt's method (1999): a logistic curve on the score, fitted to targets that are drawn in from
    0 and 1 by one imagined image of each class, so that a sample without a fault does not promise certainty. From
    1,000 on by isotonic regression (Zadrozny and Elkan, 2002) of the same targets.

    Parameters
    ----------
    scores, labels : (n,)
        A sample that the model did not learn from, such as the validation set.
    weights : (n,) float > 0, optional
        Inverse inclusion probabilities. None: every image counts once.
    groups : (n,) int, optional
        Projects; they widen the intervals.
    confidence : float
        Of the intervals that the isotonic curve keeps.

    Raises
    ------
    LearningError
        Fewer than five labels of a class, or the input does not fit together.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = rng.normal(size=500)
    >>> found = calibrate(score, rng.random(500) < 1 / (1 + np.exp(-2 * score)))
    >>> found.method, probability(found, [0.0]).round(1)
    ('platt', array([0.5]))
    """
    sample = checked_sample(scores, labels, weights, groups)
    n, n_positive = len(sample.labels), int(sample.labels.sum())
    if min(n_positive, n - n_positive) < MIN_PER_CLASS:
        raise LearningError(
            f"scores cannot be shown as probabilities yet: {n_positive} of {n} validation images are positive, and "
            f"{MIN_PER_CLASS} positive and {MIN_PER_CLASS} negative ones are needed. Label more of them."
        )
    weight = np.ones(n) if sample.weights is None else sample.weights / sample.weights.mean()
    target = np.where(sample.labels, (n_positive + 1) / (n_positive + 2), 1 / (n - n_positive + 2))
    if n < ISOTONIC_FROM:
        return _platt(sample, weight, target, n_positive)
    return _isotonic(sample, weight, target, n_positive, confidence)


def _platt(sample: Sample, weight: Floats, target: Floats, n_positive: int) -> Calibration:
    from scipy.optimize import minimize

    middle, width = float(np.mean(sample.scores)), float(np.std(sample.scores)) or 1.0
    design = np.column_stack([(sample.scores - middle) / width, np.ones(len(target))])

    def height(line: Floats) -> tuple[float, Floats]:
        log_odds = design @ line
        loss = weight @ (np.logaddexp(0, log_odds) - target * log_odds)
        return float(loss), design.T @ (weight * (_logistic(log_odds) - target))

    start = np.array([1.0, 0.0])
    rising = [(0.0, None), (None, None)]
    line = minimize(height, start, jac=True, method="L-BFGS-B", bounds=rising, options={"ftol": 1e-14, "gtol": 1e-9}).x
    shown = _logistic(design @ line)
    inverse = np.linalg.pinv((design * (weight * shown * (1 - shown))[:, None]).T @ design, hermitian=True)
    code = np.arange(len(target)) if sample.groups is None else np.unique(sample.groups, return_inverse=True)[1]
    pull = np.zeros((code.max() + 1, 2))
    np.add.at(pull, code, design * (weight * (shown - target))[:, None])
    drawn = inverse @ (pull.T @ pull) @ inverse * len(pull) / max(len(pull) - 1, 1)
    back = np.array([[1 / width, 0.0], [-middle / width, 1.0]])  # from standardised scores to scores
    slope, intercept = back @ line
    covariances = tuple(
        (float(c[0, 0]), float(c[0, 1]), float(c[1, 1])) for c in (back @ inverse @ back.T, back @ drawn @ back.T)
    )
    return Calibration("platt", len(target), n_positive, float(slope), float(intercept), covariances)


def _isotonic(sample: Sample, weight: Floats, target: Floats, n_positive: int, confidence: float) -> Calibration:
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(out_of_bounds="clip").fit(sample.scores, target, sample_weight=weight)
    places, levels = curve.X_thresholds_, curve.y_thresholds_
    order = np.argsort(sample.scores, kind="stable")
    centres = np.unique(np.linspace(0, len(order) - 1, _MAX_KNOTS).round().astype(np.intp))
    first = np.clip(centres - _WINDOW // 2, 0, len(order) - _WINDOW)
    window = np.zeros((len(centres), len(order)), bool)
    for line, begin in enumerate(first):
        window[line, order[begin : begin + _WINDOW]] = True
    positive = np.broadcast_to(sample.labels, window.shape)
    near = proportions(positive, window, weights=sample.weights, groups=sample.groups, confidence=confidence)
    at = np.unique(np.concatenate([places, sample.scores[order[centres]]]))
    level = np.interp(at, places, levels)
    low = np.interp(at, sample.scores[order[centres]], np.maximum.accumulate(near.low))
    high = np.interp(at, sample.scores[order[centres]], np.minimum.accumulate(near.high[::-1])[::-1])
    limits = np.column_stack([at, level, np.minimum(low, level), np.maximum(high, level)])
    knots = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in limits)
    return Calibration("isotonic", len(target), n_positive, knots=knots)


def probability(calibration: Calibration, scores: npt.ArrayLike) -> Floats:
    """Return the probability of a positive at each score, in their shape; nan where the score is nan."""
    score = np.asarray(scores, dtype=np.float64)
    if calibration.method == "platt":
        return np.asarray(_logistic(calibration.slope * score + calibration.intercept))
    return _between(calibration, score, 1)


def probability_limits(
    calibration: Calibration, scores: npt.ArrayLike, *, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the lower and upper limit of each probability; nan where the score is nan.

    Platt: normal limits on the log-odds, from the wider at each score of two covariances: that of the logistic model,
    and the sandwich by projects and weights. Isotonic: the exact interval, by projects and weights, of the share of
    positives among the 100 labels nearest in score, at the ``confidence`` of the fit. Both are approximate, and hold
    for one score at a time.
    """
    score = np.asarray(scores, dtype=np.float64)
    if calibration.method != "platt":
        return _between(calibration, score, 2), _between(calibration, score, 3)
    from scipy.special import ndtri

    reach = float(ndtri(0.5 + checked_confidence(confidence) / 2))
    variances = [a * score**2 + 2 * b * score + c for a, b, c in calibration.covariances]
    half = reach * np.sqrt(np.maximum(np.max(variances, axis=0), 0))
    middle = calibration.slope * score + calibration.intercept
    return np.asarray(_logistic(middle - half)), np.asarray(_logistic(middle + half))


def _between(calibration: Calibration, score: Floats, column: int) -> Floats:
    knots = np.array(calibration.knots)
    return np.asarray(np.where(np.isnan(score), np.nan, np.interp(score, knots[:, 0], knots[:, column])))


def _logistic(values: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(values))


def calibration_from(stored: dict[str, Any]) -> Calibration:
    """Return the calibration whose ``dataclasses.asdict`` was stored as JSON."""
    lists = {name: tuple(tuple(line) for line in stored[name]) for name in ("covariances", "knots")}
    return Calibration(**(stored | lists))
