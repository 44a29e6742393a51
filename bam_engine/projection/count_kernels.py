"""What the pixels of a few points show, in one pass: the same as datashader's, without its cost for each tile.

In:  points in Morton order, what they are coloured by. Out: the index image of a window.
Imports numba, so it is imported inside functions only; it releases the interpreter while it works.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit

DENSITY, SCORE, ACCEPTED, GROUPS = 0, 1, 2, 3
GREY = -1


@njit(nogil=True)
def count(index: Any, x: Any, y: Any, points: Any, look: Any, shade: Any, window: Any, raised: int) -> None:
    """Put into ``index`` (side, side) what each pixel with points shows; other pixels stay as they are.

    Parameters
    ----------
    x, y : (m,) float32
    points : (k,) int64
        Those that count, in an order in which the points of a pixel follow one another.
    look : tuple
        How pixels are coloured; values (m,) float32; codes (m,) uint8; the lowest score and their span; how many groups
        there are, and the shades of each. What a way of colouring does not use may be empty.
    shade : (j,) uint8
        Of a pixel with i points; the last of more.
    window : tuple of int
        Pixels across the whole map, the column and row of pixel (0, 0), whether the last pixel owns 1.0 too.
    raised : int
        Added to the indices; ``GREY``: they are made the 64 greys instead.
    """
    whole, left, top, owns_edge = window
    tally = np.zeros(max(1, look[5]), np.int64)
    begin = 0
    while begin < len(points):
        column = _cell(x[points[begin]], whole, owns_edge)
        row = _cell(y[points[begin]], whole, owns_edge)
        end = begin + 1
        while end < len(points):
            point = points[end]
            if _cell(x[point], whole, owns_edge) != column or _cell(y[point], whole, owns_edge) != row:
                break
            end += 1
        if 0 <= row - top < index.shape[0] and 0 <= column - left < index.shape[1]:
            shown = _shown(points[begin:end], look, shade, tally)
            if shown:
                index[row - top, column - left] = (shown + 3) // 4 if raised == GREY else shown + raised
        begin = end


@njit(nogil=True)
def _cell(value: Any, whole: int, owns_edge: int) -> Any:
    found = np.int64(np.float64(value) * whole)
    return whole - 1 if owns_edge and found >= whole else found


@njit(nogil=True)
def _shown(points: Any, look: Any, shade: Any, tally: Any) -> Any:
    """The index of the pixel that these points share; 0 where it stays empty."""
    how, values, codes, low, span, _, shades = look
    strength = int(shade[min(len(points), len(shade) - 1)])
    if how == SCORE:
        return _score(points, values, low, span)
    if how == ACCEPTED:
        highest = -1.0
        for point in points:
            if values[point] > highest:
                highest = values[point]
        return 1 + 85 * (int(highest) + 1) + min(strength // 3, 84) if strength else 0
    if how == GROUPS:
        return 1 + shades * _largest(points, codes, tally) + shades * strength // 256
    return strength


@njit(nogil=True)
def _score(points: Any, values: Any, low: float, span: float) -> Any:
    """The index of the mean of the scores that there are: 2 lowest to 255 highest; 1 without any."""
    scored, total = 0, 0.0
    for point in points:
        if not np.isnan(values[point]):
            scored += 1
            total += values[point]
    if not scored:
        return 1
    unit = min(max((total / scored - low) / span, 0.0), 1.0)
    return 2 + np.int64(np.rint(253 * unit))


@njit(nogil=True)
def _largest(points: Any, codes: Any, tally: Any) -> Any:
    """The group of most points, of as many the higher code."""
    best = int(codes[points[0]])
    if len(points) > 1:
        tally[:] = 0
        for point in points:
            tally[codes[point]] += 1
        for kind in range(len(tally)):
            if tally[kind] > tally[best] or (tally[kind] == tally[best] and kind > best):
                best = kind
    return best


@njit(nogil=True)
def painted(index: Any, table: Any) -> Any:
    """Return the colours (h, w) uint32 of an index image."""
    found = np.empty(index.shape, np.uint32)
    for row in range(index.shape[0]):
        for column in range(index.shape[1]):
            found[row, column] = table[index[row, column]]
    return found
