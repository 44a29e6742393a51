"""Compiled counting of points by pixel: the same result as datashader's, without its overhead for each tile.

In:  points in Morton order, what they are coloured by. Out: the index image of a window.
Imports numba, so import it inside functions only; it releases the GIL.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit

DENSITY, SCORE, ACCEPTED, GROUPS = 0, 1, 2, 3
GREY = -1


@njit(nogil=True)
def count(index: Any, x: Any, y: Any, points: Any, colouring: Any, shade: Any, window: Any, offset: int) -> None:
    """Write into ``index`` (side, side) the colour index of each pixel with points; other pixels are unchanged.

    Parameters
    ----------
    x, y : (m,) float32
    points : (k,) int64
        The points to count, in an order in which the points of a pixel are adjacent.
    colouring : tuple
        The kind of colouring; values (m,) float32; codes (m,) uint8; the lowest score and the span of scores; the
        number of groups, and the shades of each. Arrays that a kind does not use may be empty.
    shade : (j,) uint8
        The shade of a pixel with i points; the last entry for more.
    window : tuple of int
        Pixels along a side of the whole map, the column and row of pixel (0, 0), whether the last pixel includes 1.0.
    offset : int
        Added to the indices; ``GREY`` maps them to the 64 greys instead.
    """
    whole, left, top, owns_edge = window
    tally = np.zeros(max(1, colouring[5]), np.int64)
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
            colour = _colour(points[begin:end], colouring, shade, tally)
            if colour:
                index[row - top, column - left] = (colour + 3) // 4 if offset == GREY else colour + offset
        begin = end


@njit(nogil=True)
def _cell(value: Any, whole: int, owns_edge: int) -> Any:
    cell = np.int64(np.float64(value) * whole)
    return whole - 1 if owns_edge and cell >= whole else cell


@njit(nogil=True)
def _colour(points: Any, colouring: Any, shade: Any, tally: Any) -> Any:
    """Return the colour index of the pixel of these points; 0 where it stays empty."""
    kind, values, codes, low, span, _, shades = colouring
    strength = int(shade[min(len(points), len(shade) - 1)])
    if kind == SCORE:
        return _score(points, values, low, span)
    if kind == ACCEPTED:
        highest = -1.0
        for point in points:
            if values[point] > highest:
                highest = values[point]
        return 1 + 85 * (int(highest) + 1) + min(strength // 3, 84) if strength else 0
    if kind == GROUPS:
        return 1 + shades * _largest(points, codes, tally) + shades * strength // 256
    return strength


@njit(nogil=True)
def _score(points: Any, values: Any, low: float, span: float) -> Any:
    """Return the colour index of the mean score: 2 lowest to 255 highest; 1 without scores."""
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
    """Return the group with most points; ties go to the higher code."""
    best = int(codes[points[0]])
    if len(points) > 1:
        tally[:] = 0
        for point in points:
            tally[codes[point]] += 1
        for code in range(len(tally)):
            if tally[code] > tally[best] or (tally[code] == tally[best] and code > best):
                best = code
    return best


@njit(nogil=True)
def painted(index: Any, table: Any) -> Any:
    """Return the colours (h, w) uint32 of an index image."""
    pixels = np.empty(index.shape, np.uint32)
    for row in range(index.shape[0]):
        for column in range(index.shape[1]):
            pixels[row, column] = table[index[row, column]]
    return pixels
