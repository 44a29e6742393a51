"""Regularised logistic regression, many fits at once: the same features under other weights and strengths.

In:  features (n, d), labels (n,), one column of weights and one strength for each fit.
Out: coefficients (d, k). Knows nothing of folds, projects or images.

Folds and strengths are columns of one problem, so each pass over the features serves all of them. The method is
Newton's with conjugate gradients inside (Lin, Weng and Keerthi, 2008) and a line search, preconditioned by the spectrum
of the features, which all fits share. The minimum is unique: the start changes the time, not the result beyond the
tolerance.
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
_INNER_GAIN = 0.3  # the inner solution stops at this share of its first residual; the next Newton step does the rest


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues (r,) and eigenvectors (d, r) of ``features.T @ features``, those that are not zero."""

    values: Array
    vectors: Array


def spectrum_of(features: Array) -> Spectrum:
    """Return the spectrum of features (n, d), from the smaller of the two Gram matrices."""
    n, d = features.shape
    if d <= n:
        values, vectors = np.linalg.eigh(features.T @ features)
        return Spectrum(np.maximum(values, 0), vectors)
    values, left = np.linalg.eigh(features @ features.T)
    there = values > values[-1] * n * np.finfo(features.dtype).eps
    return Spectrum(values[there], features.T @ left[:, there] / np.sqrt(values[there]))


def fit_many(
    features: Array,
    label: npt.NDArray[np.bool_],
    weights: Array,
    strengths: npt.ArrayLike,
    *,
    spectrum: Spectrum,
    start: Array | None = None,
    tolerance: float,
) -> Array:
    """Return the coefficients (d, k) of ``k`` regularised logistic regressions.

    Column ``j`` minimises ``sum(weights[:, j] * log(1 + exp(-margin))) + |w|**2 / (2 * strengths[j])``, the margin
    being ``features @ w`` for a positive and its negative for a negative image. There is no intercept: give a constant
    feature.

    Parameters
    ----------
    features : (n, d) float32 or float64
        The arithmetic is done in their type.
    weights : (n, k)
        0 leaves an image out of a fit.
    strengths : (k,)
        What scikit-learn calls ``C``.
    spectrum : Spectrum
        Of the features, best in float64: in float32 the small eigenvalues drown.
    start : (d, k), optional
        None: zero.
    tolerance : float
        A fit has ended when its Newton decrement is below: its objective is then within about ``tolerance**2 / 2`` of
        the least.
    """
    dtype = features.dtype
    spectrum = Spectrum(spectrum.values.astype(dtype), spectrum.vectors.astype(dtype))
    side = np.where(label, 1, -1).astype(dtype)[:, None]
    signed = features * side
    weight, penalty = weights.astype(dtype), 1 / np.asarray(strengths, dtype=dtype)
    found = np.zeros((features.shape[1], weight.shape[1]), dtype)
    if start is not None:
        found += spectrum.vectors @ (spectrum.vectors.T @ start.astype(dtype))  # the minimum lies in the images' span
    margin = signed @ found
    going = np.arange(weight.shape[1])
    for _ in range(_MAX_STEPS):
        now, here, part, shrink = found[:, going], margin[:, going], weight[:, going], penalty[going]
        missed = _sigmoid(-here)
        downhill = signed.T @ (part * missed) - shrink * now
        curvature = part * missed * (1 - missed)
        precondition = _Preconditioner(spectrum, curvature.mean(axis=0), shrink)
        ahead = np.sqrt(np.maximum((downhill * precondition(downhill)).sum(axis=0), 0)) > tolerance
        if not ahead.any():
            break
        going, now, here, part, shrink = going[ahead], now[:, ahead], here[:, ahead], part[:, ahead], shrink[ahead]
        step = _newton_step(signed, downhill[:, ahead], curvature[:, ahead], shrink, precondition.of(ahead))
        move = signed @ step
        length = _line_search(here, move, part, now, step, shrink)
        found[:, going] = now + length * step
        margin[:, going] = here + length * move
    return found


class _Preconditioner:
    """Divides by the Hessian that the features would have if every image had the fit's mean curvature.

    Gradients and coefficients lie in the span of the images, so what is outside the spectrum's vectors is dropped.
    """

    def __init__(self, spectrum: Spectrum, curvature: Array, penalty: Array) -> None:
        self._vectors = spectrum.vectors
        self._inverse = 1 / (curvature * spectrum.values[:, None] + penalty)

    def of(self, chosen: npt.NDArray[np.bool_]) -> "_Preconditioner":
        part = copy.copy(self)
        part._inverse = self._inverse[:, chosen]
        return part

    def __call__(self, right: Array) -> Array:
        return np.asarray(self._vectors @ (self._inverse * (self._vectors.T @ right)))


def _newton_step(
    signed: Array, downhill: Array, curvature: Array, penalty: Array, precondition: _Preconditioner
) -> Array:
    """Solve Hessian x step = downhill for every column by conjugate gradients, roughly."""
    step, residual = np.zeros_like(downhill), downhill
    towards = precondition(residual)
    direction, size = towards, (residual * towards).sum(axis=0)
    enough = _INNER_GAIN**2 * size
    tiny = np.finfo(signed.dtype).tiny
    for _ in range(_MAX_INNER_STEPS):
        image = signed.T @ (curvature * (signed @ direction)) + penalty * direction
        reach = size / np.maximum((direction * image).sum(axis=0), tiny)
        step = step + reach * direction
        residual = residual - reach * image
        towards = precondition(residual)
        before, size = size, (residual * towards).sum(axis=0)
        if (size <= enough).all():
            break
        direction = towards + size / np.maximum(before, tiny) * direction
    return step


def _line_search(margin: Array, move: Array, weight: Array, now: Array, step: Array, penalty: Array) -> Array:
    """Return for every column the longest of 1, 1/2, 1/4 ... of the step that does not go uphill; 0 where none."""

    def height(length: Array) -> npt.NDArray[np.float64]:
        loss = (weight * np.logaddexp(0, -(margin + length * move))).sum(axis=0, dtype=np.float64)
        return np.asarray(loss + 0.5 * penalty * ((now + length * step) ** 2).sum(axis=0, dtype=np.float64))

    length = np.ones(margin.shape[1], margin.dtype)
    base = height(np.zeros_like(length))
    limit = base + 16 * np.finfo(margin.dtype).eps * np.abs(base)  # rounding must not stop a fit that has arrived
    for _ in range(_MAX_HALVINGS):
        uphill = height(length) > limit
        if not uphill.any():
            return length
        length[uphill] /= 2
    return np.where(uphill, 0, length).astype(margin.dtype)


def _sigmoid(values: Array) -> Array:
    from scipy.special import expit

    return np.asarray(expit(values))
