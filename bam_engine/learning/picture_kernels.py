"""Compiled inner loops of :mod:`bam_engine.learning.picture_comparison`.

Imports numba, so import this module inside functions only. The kernels release the GIL.

A place is four numbers: by how much the second picture is wider and to the right of the first, and higher and below it,
as shares of half a side. What lies at (x, y) in it, each from -1 to 1, lies at ((1 + w) x + r, (1 + h) y + d) in the
first. Two more follow where light is fitted: gain and offset.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit

_FAST = {"reassoc", "nsz", "contract"}
_MARGIN = 16  # one of this many pixels at each edge is not compared: frames, and what smoothing mixes in
_FARTHEST = 0.3
_STEPS = 5


@njit(nogil=True, fastmath=_FAST)
def smoothed(picture: Any, times: int) -> Any:
    """Return a picture (s, s) after binomial smoothing in both directions, edges repeated."""
    side = len(picture)
    out, half = picture.copy(), np.empty_like(picture)
    for _ in range(times):
        for row in range(side):
            for column in range(side):
                before, after = max(column - 1, 0), min(column + 1, side - 1)
                half[row, column] = 0.25 * (out[row, before] + out[row, after]) + 0.5 * out[row, column]
        for row in range(side):
            before, after = max(row - 1, 0), min(row + 1, side - 1)
            for column in range(side):
                out[row, column] = 0.25 * (half[before, column] + half[after, column]) + 0.5 * half[row, column]
    return out


@njit(nogil=True, fastmath=_FAST)
def _solved(a: Any, y: Any) -> Any:
    """Solve a symmetric positive system in place by elimination; return whether it could be solved."""
    n = len(y)
    for i in range(n):
        if abs(a[i, i]) < 1e-9:
            return False
        for k in range(i + 1, n):
            factor = a[k, i] / a[i, i]
            for c in range(i, n):
                a[k, c] -= factor * a[i, c]
            y[k] -= factor * y[i]
    for i in range(n - 1, -1, -1):
        for c in range(i + 1, n):
            y[i] -= a[i, c] * y[c]
        y[i] /= a[i, i]
    return True


@njit(nogil=True, fastmath=_FAST)
def fit(one: Any, other: Any, place: Any) -> None:
    """Improve the ``place`` (6,) of a grey picture (s, s) in another by a few Gauss-Newton steps, in place."""
    a, y = np.empty((6, 6)), np.empty(6)
    for _ in range(_STEPS):
        count = _normal_equations(one, other, place, a, y)
        if 2 * count < len(one) ** 2:
            return
        for i in range(4):
            a[i, i] += 2.0 * count  # plain pictures stay where they are
        a[4, 4] += 1e-3
        if not _solved(a, y):
            return
        for i in range(4):
            place[i] = min(max(place[i] + y[i], -_FARTHEST), _FARTHEST)
        place[4] = min(max(place[4] + y[4], 0.5), 2.0)
        place[5] += y[5]


@njit(nogil=True, fastmath=_FAST)
def _normal_equations(one: Any, other: Any, place: Any, a: Any, y: Any) -> Any:
    """Write the equations of a Gauss-Newton step into ``a`` (6, 6) and ``y`` (6,); return of how many pixels."""
    side = len(one)
    half, margin = np.float32((side - 1) / 2), max(1, side // _MARGIN)
    gain, offset = np.float32(place[4]), np.float32(place[5])
    slope, count = np.empty(6, np.float32), 0
    a[:], y[:] = 0, 0
    for row in range(margin, side - margin):
        v = (row - half) / half
        at = half + half * np.float32((1 + place[2]) * v + place[3])
        if at < 0 or at > side - 1:
            continue
        top = min(int(at), side - 2)
        below = np.float32(at - top)
        for column in range(margin, side - margin):
            u = (column - half) / half
            across = half + half * np.float32((1 + place[0]) * u + place[1])
            if across < 0 or across > side - 1:
                continue
            left = min(int(across), side - 2)
            right = np.float32(across - left)
            first, second = one[top, left], one[top, left + 1]
            third, fourth = one[top + 1, left], one[top + 1, left + 1]
            upper, lower = first + (second - first) * right, third + (fourth - third) * right
            value = upper + (lower - upper) * below
            rise = ((second - first) * (1 - below) + (fourth - third) * below) * half * gain
            fall = (lower - upper) * half * gain
            slope[0], slope[1], slope[2], slope[3], slope[4], slope[5] = rise * u, rise, fall * v, fall, value, 1
            _add(a, y, slope, other[row, column] - (gain * value + offset))
            count += 1
    for i in range(6):
        a[i, :i] = a[:i, i]
    return count


@njit(nogil=True, fastmath=_FAST)
def _add(a: Any, y: Any, slope: Any, error: Any) -> None:
    for i in range(6):
        y[i] += slope[i] * error
        for k in range(i, 6):
            a[i, k] += slope[i] * slope[k]


@njit(nogil=True, fastmath=_FAST)
def residuals(one: Any, other: Any, place: Any) -> Any:
    """Return how two pictures (3, s, s) differ where they overlap: (mean, largest, variance, light, tint).

    ``mean`` is the mean squared difference and ``largest`` that of the worst 3 by 3 pixels, after the mean of each
    channel and a common gain are taken out; half a pixel of displacement is none. ``variance`` is that of the other
    picture, ``light`` the common difference of the means and ``tint`` how far a channel's is from it.
    """
    side = other.shape[1]
    margin = max(1, side // _MARGIN)
    moved, inside = _moved(one, place)
    count = inside[margin : side - margin, margin : side - margin].sum()
    if count < 0.7 * (side - 2 * margin) ** 2:
        return np.inf, np.inf, 0.0, 0.0, 0.0
    means, others = _means(moved, inside, margin, count), _means(other, inside, margin, count)
    gain, variance = _light(moved, other, inside, means, others)
    squares = np.zeros((side, side), np.float32)
    for k in range(3):
        for row in range(margin, side - margin):
            for column in range(margin, side - margin):
                if inside[row, column]:
                    low, high = _between(moved[k], inside, row, column)
                    z = other[k, row, column] - others[k]
                    error = max(0.0, gain * (low - means[k]) - z, z - gain * (high - means[k]))
                    squares[row, column] += error * error / 3
    largest = 0.0
    for row in range(margin, side - margin):
        for column in range(margin, side - margin):
            largest = max(largest, squares[row - 1 : row + 2, column - 1 : column + 2].sum() / 9)
    shift = others - means
    light = shift.mean()
    return squares.sum() / count, largest, variance / count, light, np.abs(shift - light).max()


@njit(nogil=True, fastmath=_FAST)
def _light(moved: Any, other: Any, inside: Any, means: Any, others: Any) -> Any:
    """Return the gain that makes one picture most like the other, and the sum of that one's squares by channel."""
    side = other.shape[1]
    margin = max(1, side // _MARGIN)
    both, own, squares = 0.0, 0.0, 0.0
    for k in range(3):
        for row in range(margin, side - margin):
            for column in range(margin, side - margin):
                if inside[row, column]:
                    x, z = moved[k, row, column] - means[k], other[k, row, column] - others[k]
                    both += x * z
                    own += x * x
                    squares += z * z
    return min(max(both / max(own, 1e-6), 0.7), 1.4), squares / 3


@njit(nogil=True, fastmath=_FAST)
def _moved(one: Any, place: Any) -> Any:
    """Return a picture (3, s, s) as it lies in the other, and which pixels of that one it covers (s, s)."""
    side = one.shape[1]
    half = np.float32((side - 1) / 2)
    moved, inside = np.zeros((3, side, side), np.float32), np.zeros((side, side), np.bool_)
    for row in range(side):
        at = half + half * np.float32((1 + place[2]) * ((row - half) / half) + place[3])
        if at < -0.3 or at > side - 0.7:
            continue
        at = min(max(at, np.float32(0)), np.float32(side - 1))
        top = min(int(at), side - 2)
        below = np.float32(at - top)
        for column in range(side):
            across = half + half * np.float32((1 + place[0]) * ((column - half) / half) + place[1])
            if across < -0.3 or across > side - 0.7:
                continue
            across = min(max(across, np.float32(0)), np.float32(side - 1))
            left = min(int(across), side - 2)
            right = np.float32(across - left)
            inside[row, column] = True
            for k in range(3):
                upper = one[k, top, left] + (one[k, top, left + 1] - one[k, top, left]) * right
                lower = one[k, top + 1, left] + (one[k, top + 1, left + 1] - one[k, top + 1, left]) * right
                moved[k, row, column] = upper + (lower - upper) * below
    return moved, inside


@njit(nogil=True, fastmath=_FAST)
def _means(picture: Any, inside: Any, margin: int, count: int) -> Any:
    """Return the mean of each channel of a picture (3, s, s) over the pixels that are compared (3,)."""
    side, means = picture.shape[1], np.zeros(3)
    for k in range(3):
        for row in range(margin, side - margin):
            for column in range(margin, side - margin):
                if inside[row, column]:
                    means[k] += picture[k, row, column]
    return means / count


@njit(nogil=True, fastmath=_FAST)
def _between(channel: Any, inside: Any, row: int, column: int) -> Any:
    """Return the lowest and the highest value of a channel (s, s) up to half a pixel away."""
    middle = channel[row, column]
    low, high = middle, middle
    for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        if inside[row + down, column + right]:
            between = (middle + channel[row + down, column + right]) / 2
            low, high = min(low, between), max(high, between)
    return low, high
