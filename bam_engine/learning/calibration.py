"""Calibrated probabilities from scores, for display: a monotone curve, with limits, fitted to a labelled sample.

The order of the scores is preserved. Decisions do not depend on the calibration; thresholds have their own test.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.evaluation import Sample, checked_sample
from bam_engine.learning.intervals import Floats, checked_confidence, proportions

ISOTONIC_FROM = 1000  # labels; with fewer, a free curve would follow the noise
MIN_PER_CLASS = 5
_WINDOW = 100  # labels around a score from which the isotonic curve's interval is computed
_MAX_KNOTS = 60


@dataclass(frozen=True)
class Calibration:
    """A map from scores to probabilities.

    ``method`` is "platt", the logistic of ``slope * score + intercept``, with two covariances (slope, both, intercept):
    that of the model, and that of the sample as drawn. Or it is "isotonic": linear interpolation between the ``knots``
    (score, probability, lower and upper limit). ``n`` and ``n_positive`` count the labels. It is stored as a
    document.
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

    With fewer than 1,000 labels by Platt scaling (1999): a logistic curve fitted to targets that are pulled in from 0
    and 1 by one imaginary image of each class, so that a perfectly ranked sample does not claim certainty. With more by
    isotonic regression (Zadrozny and Elkan, 2002) on the same targets.

    Parameters
    ----------
    scores, labels : (n,)
        A sample that the model was not trained on, such as the validation set.
    weights : (n,) float > 0, optional
        Inverse inclusion probabilities. None: all equal.
    groups : (n,) int, optional
        Projects; repeated ones widen the intervals.
    confidence : float
        Of the intervals stored with an isotonic curve.

    Raises
    ------
    LearningError
        There are fewer than five labels of a class, or the input is inconsistent.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = rng.normal(size=500)
    >>> calibration = calibrate(score, rng.random(500) < 1 / (1 + np.exp(-2 * score)))
    >>> calibration.method, probability(calibration, [0.0]).round(1)
    ('platt', array([0.5]))
    """
    sample = checked_sample(scores, labels, weights, groups)
    n, n_positive = len(sample.labels), int(sample.labels.sum())
    if min(n_positive, n - n_positive) < MIN_PER_CLASS:
        raise LearningError(
            f"Scores cannot be converted to probabilities yet: {n_positive:,} of {n:,} validation images are positive, "
            f"and at least {MIN_PER_CLASS} of each class are needed. Label more validation images."
        )
    weight = np.ones(n) if sample.weights is None else sample.weights / sample.weights.mean()
    target = np.where(sample.labels, (n_positive + 1) / (n_positive + 2), 1 / (n - n_positive + 2))
    if n < ISOTONIC_FROM:
        return _platt(sample, weight, target, n_positive)
    return _isotonic(sample, weight, target, n_positive, confidence)


def _platt(sample: Sample, weight: Floats, target: Floats, n_positive: int) -> Calibration:
    from scipy.optimize import minimize

    mean, scale = float(np.mean(sample.scores)), float(np.std(sample.scores)) or 1.0
    design = np.column_stack([(sample.scores - mean) / scale, np.ones(len(target))])

    def objective(line: Floats) -> tuple[float, Floats]:
        log_odds = design @ line
        loss = weight @ (np.logaddexp(0, log_odds) - target * log_odds)
        return float(loss), design.T @ (weight * (_logistic(log_odds) - target))

    start = np.array([1.0, 0.0])
    increasing = [(0.0, None), (None, None)]
    line = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=increasing, options={"ftol": 1e-14, "gtol": 1e-9}
    ).x
    fitted = _logistic(design @ line)
    inverse = np.linalg.pinv((design * (weight * fitted * (1 - fitted))[:, None]).T @ design, hermitian=True)
    code = np.arange(len(target)) if sample.groups is None else np.unique(sample.groups, return_inverse=True)[1]
    gradients = np.zeros((code.max() + 1, 2))
    np.add.at(gradients, code, design * (weight * (fitted - target))[:, None])
    sandwich = inverse @ (gradients.T @ gradients) @ inverse * len(gradients) / max(len(gradients) - 1, 1)
    back = np.array([[1 / scale, 0.0], [-mean / scale, 1.0]])  # undoes the standardisation of scores
    slope, intercept = back @ line
    covariances = tuple(
        (float(c[0, 0]), float(c[0, 1]), float(c[1, 1])) for c in (back @ inverse @ back.T, back @ sandwich @ back.T)
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
    """Return the probability of a positive at each score, in the shape of ``scores``; nan where the score is nan."""
    score = np.asarray(scores, dtype=np.float64)
    if calibration.method == "platt":
        return np.asarray(_logistic(calibration.slope * score + calibration.intercept))
    return _interpolate(calibration, score, 1)


def probability_limits(
    calibration: Calibration, scores: npt.ArrayLike, *, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the lower and upper limit of each probability; nan where the score is nan.

    Platt: normal limits on the log-odds, from the wider, at each score, of two covariances: that of the logistic model,
    and the sandwich estimate by projects and weights. Isotonic: the exact interval, by projects and weights, of the
    proportion of positives among the 100 labels nearest in score, at the ``confidence`` of the fit. Both are
    approximate and hold for one score at a time.
    """
    score = np.asarray(scores, dtype=np.float64)
    if calibration.method != "platt":
        return _interpolate(calibration, score, 2), _interpolate(calibration, score, 3)
    from scipy.special import ndtri

    reach = float(ndtri(0.5 + checked_confidence(confidence) / 2))
    variances = [a * score**2 + 2 * b * score + c for a, b, c in calibration.covariances]
    half = reach * np.sqrt(np.maximum(np.max(variances, axis=0), 0))
    middle = calibration.slope * score + calibration.intercept
    return np.asarray(_logistic(middle - half)), np.asarray(_logistic(middle + half))


def _interpolate(calibration: Calibration, score: Floats, column: int) -> Floats:
    knots = np.array(calibration.knots)
    return np.asarray(np.where(np.isnan(score), np.nan, np.interp(score, knots[:, 0], knots[:, column])))


def _logistic(values: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(values))
