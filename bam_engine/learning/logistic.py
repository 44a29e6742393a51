"""Regularised logistic regression, many fits at once on the same features, with different weights and C.

Folds and values of C are columns of one problem, so that each pass over the features serves all of them. The method is
truncated Newton: conjugate gradients inside (Lin, Weng and Keerthi, "Trust Region Newton Method for Large-Scale
Logistic Regression", 2008) and a line search, preconditioned by the spectrum of the features, which all fits share. The
minimum is unique, so the starting point affects the time but not the result, up to the tolerance.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # float32 or float64

_MAX_STEPS = 100
_MAX_INNER_STEPS = 30
_MAX_HALVINGS = 30
_INNER_TOLERANCE = 0.3  # relative residual at which an inner solve stops; the next Newton step does the rest


@dataclass(frozen=True)
class Spectrum:
    """The non-zero eigenvalues (r,) of ``features.T @ features`` and their eigenvectors (d, r)."""

    values: Array
    vectors: Array


def spectrum_of(features: Array) -> Spectrum:
    """Return the spectrum of features (n, d), computed from the smaller of the two Gram matrices."""
    n, d = features.shape
    if d <= n:
        values, vectors = np.linalg.eigh(features.T @ features)
        return Spectrum(np.maximum(values, 0), vectors)
    values, left = np.linalg.eigh(features @ features.T)
    nonzero = values > values[-1] * n * np.finfo(features.dtype).eps
    return Spectrum(values[nonzero], features.T @ left[:, nonzero] / np.sqrt(values[nonzero]))


def fit_many(
    features: Array,
    label: npt.NDArray[np.bool_],
    weights: Array,
    c: npt.ArrayLike,
    *,
    spectrum: Spectrum,
    start: Array | None = None,
    tolerance: float,
) -> Array:
    """Return the coefficients (d, k) of ``k`` regularised logistic regressions.

    Column ``j`` minimises ``sum(weights[:, j] * log(1 + exp(-margin))) + |w|**2 / (2 * c[j])``, where the margin is
    ``features @ w`` for a positive and its negative for a negative image. There is no intercept; add a constant
    feature.

    Parameters
    ----------
    features : (n, d) float32 or float64
        Sets the precision of the arithmetic.
    label : (n,) bool
    weights : (n, k)
        0 leaves an image out of a fit.
    c : (k,)
        Inverse regularisation, scikit-learn's ``C``.
    spectrum : Spectrum
        Of the features, best computed in float64: float32 loses the small eigenvalues.
    start : (d, k), optional
        None: zero.
    tolerance : float
        A fit ends when its Newton decrement falls below, that is, when its objective is within about
        ``tolerance**2 / 2`` of the minimum.

    Examples
    --------
    >>> features = np.array([[-1.0], [1.0]])
    >>> fit_many(features, np.array([False, True]), np.ones((2, 1)), [1.0],
    ...          spectrum=spectrum_of(features), tolerance=1e-9).round(3)
    array([[0.675]])
    """
    dtype = features.dtype
    spectrum = Spectrum(spectrum.values.astype(dtype), spectrum.vectors.astype(dtype))
    side = np.where(label, 1, -1).astype(dtype)[:, None]
    signed = features * side
    weight, penalty = weights.astype(dtype), 1 / np.asarray(c, dtype=dtype)
    coefficients = np.zeros((features.shape[1], weight.shape[1]), dtype)
    if start is not None:
        in_span = spectrum.vectors.T @ start.astype(dtype)  # the minimum is in the span of the rows
        coefficients += spectrum.vectors @ in_span
    margin = signed @ coefficients
    active = np.arange(weight.shape[1])
    for _ in range(_MAX_STEPS):
        w, m, u, p = coefficients[:, active], margin[:, active], weight[:, active], penalty[active]
        residual = _sigmoid(-m)
        descent = signed.T @ (u * residual) - p * w
        curvature = u * residual * (1 - residual)
        precondition = _Preconditioner(spectrum, curvature.mean(axis=0), p)
        unfinished = np.sqrt(np.maximum((descent * precondition(descent)).sum(axis=0), 0)) > tolerance
        if not unfinished.any():
            break
        active, w, m, u, p = active[unfinished], w[:, unfinished], m[:, unfinished], u[:, unfinished], p[unfinished]
        columns = descent[:, unfinished], curvature[:, unfinished]
        step = _newton_step(signed, *columns, p, precondition.subset(unfinished))
        change = signed @ step
        length = _line_search(m, change, u, w, step, p)
        coefficients[:, active] = w + length * step
        margin[:, active] = m + length * change
    return coefficients


class _Preconditioner:
    """Multiplies by the inverse of an approximate Hessian, in which every image has the fit's mean curvature.

    Gradients and coefficients lie in the span of the images, so components outside the spectrum's vectors are dropped.
    """

    def __init__(self, spectrum: Spectrum, curvature: Array, penalty: Array) -> None:
        self._vectors = spectrum.vectors
        self._inverse = 1 / (curvature * spectrum.values[:, None] + penalty)

    def subset(self, fits: npt.NDArray[np.bool_]) -> "_Preconditioner":
        other = copy.copy(self)
        other._inverse = self._inverse[:, fits]
        return other

    def __call__(self, right: Array) -> Array:
        return np.asarray(self._vectors @ (self._inverse * (self._vectors.T @ right)))


def _newton_step(
    signed: Array, descent: Array, curvature: Array, penalty: Array, precondition: _Preconditioner
) -> Array:
    """Approximately solve Hessian @ step = descent for every column, by conjugate gradients."""
    step, residual = np.zeros_like(descent), descent
    preconditioned = precondition(residual)
    direction, size = preconditioned, (residual * preconditioned).sum(axis=0)
    target = _INNER_TOLERANCE**2 * size
    tiny = np.finfo(signed.dtype).tiny
    for _ in range(_MAX_INNER_STEPS):
        image = signed.T @ (curvature * (signed @ direction)) + penalty * direction
        reach = size / np.maximum((direction * image).sum(axis=0), tiny)
        step = step + reach * direction
        residual = residual - reach * image
        preconditioned = precondition(residual)
        before, size = size, (residual * preconditioned).sum(axis=0)
        if (size <= target).all():
            break
        direction = preconditioned + size / np.maximum(before, tiny) * direction
    return step


def _line_search(margin: Array, change: Array, weight: Array, start: Array, step: Array, penalty: Array) -> Array:
    """Return the largest step length of 1, 1/2, 1/4, ... that does not increase each objective; 0 if there is none."""

    def objective(length: Array) -> npt.NDArray[np.float64]:
        loss = (weight * np.logaddexp(0, -(margin + length * change))).sum(axis=0, dtype=np.float64)
        return np.asarray(loss + 0.5 * penalty * ((start + length * step) ** 2).sum(axis=0, dtype=np.float64))

    length = np.ones(margin.shape[1], margin.dtype)
    base = objective(np.zeros_like(length))
    limit = base + 16 * np.finfo(margin.dtype).eps * np.abs(base)  # rounding errors must not stop a converged fit
    for _ in range(_MAX_HALVINGS):
        increased = objective(length) > limit
        if not increased.any():
            return length
        length[increased] /= 2
    return np.where(increased, 0, length).astype(margin.dtype)


def _sigmoid(values: Array) -> Array:
    from scipy.special import expit

    return np.asarray(expit(values))
