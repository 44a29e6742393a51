"""Compiled loops of drawing: marks on a tile, its palette, and the representative of each cell.

In:  points in Morton order; an index image, the mark's coverage, a colour table.
Out: RGBA, indices. Imports numba, so import it inside functions only; it releases the GIL.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.compiled import njit

PRIORITY, MEDOID, NEWEST = 0, 1, 2
_COLOURS = 256  # of a palette


@njit(nogil=True)
def pixel(value: float, side: int) -> int:
    """Return the column (or row), of ``side``, of a coordinate; the last one includes 1.0."""
    column = int(np.float64(value) * side)
    return column if column < side else side - 1


@njit(nogil=True)
def stamp(index: Any, mark: Any, colours: Any, size: int) -> Any:
    """Draw ``mark`` on every pixel of ``index`` that is not 0, in the colour of its index; return RGBA.

    ``index`` (size + 2m, size + 2m) has a border of m >= the mark's radius; ``mark`` (2r + 1, 2r + 1) uint8 is its
    coverage, 255 where full. Where marks overlap, the higher coverage wins, then the higher index: the order of points
    does not matter, and neighbouring tiles match.
    """
    border = (index.shape[0] - size) // 2
    cover = np.zeros((size, size), np.uint8)
    top = np.zeros((size, size), np.uint16)
    for i in range(index.shape[0]):
        for j in range(index.shape[1]):
            if index[i, j]:
                _put(cover, top, i - border, j - border, mark, index[i, j])
    image = np.zeros((size, size, 4), np.uint8)
    for row in range(size):
        for column in range(size):
            if cover[row, column]:
                colour = colours[top[row, column]]
                image[row, column, 0] = colour[0]
                image[row, column, 1] = colour[1]
                image[row, column, 2] = colour[2]
                image[row, column, 3] = np.uint8(np.int64(colour[3]) * cover[row, column] // 255)
    return image


@njit(nogil=True)
def _put(cover: Any, top: Any, i: int, j: int, mark: Any, value: int) -> None:
    """Draw one mark around (i, j), clipped to the tile."""
    reach = mark.shape[0] // 2
    for row in range(max(i - reach, 0), min(i + reach + 1, cover.shape[0])):
        for column in range(max(j - reach, 0), min(j + reach + 1, cover.shape[1])):
            full = mark[row - i + reach, column - j + reach]
            if full > cover[row, column] or (full == cover[row, column] and value > top[row, column]):
                cover[row, column] = full
                top[row, column] = value


@njit(nogil=True)
def palette(pixels: Any) -> Any:
    """Return the colours (k,) of pixels (n,) uint32 and each pixel's number among them (n,) uint8.

    Transparent pixels (the highest byte, A, is 0) are one colour, 0. More than 256 colours return none.
    """
    slots = 4 * _COLOURS  # of a hash table
    keys, numbers = np.zeros(slots, np.uint32), np.full(slots, -1, np.int32)
    colours, index = np.zeros(_COLOURS, np.uint32), np.empty(len(pixels), np.uint8)
    count, last, number = 0, np.uint32(0), -1
    for at in range(len(pixels)):
        colour = pixels[at]
        if colour >> np.uint32(24) == 0:
            colour = np.uint32(0)
        if colour != last or number < 0:
            slot = np.int64((colour * np.uint32(2654435761)) & np.uint32(0xFFFFFFFF)) >> 22
            while numbers[slot] >= 0 and keys[slot] != colour:
                slot = (slot + 1) & (slots - 1)
            if numbers[slot] < 0:
                if count == _COLOURS:
                    return colours[:0], index
                keys[slot], numbers[slot], colours[count] = colour, count, colour
                count += 1
            last, number = colour, numbers[slot]
        index[at] = number
    return colours[:count], index


@njit(nogil=True)
def representatives(begin: Any, end: Any, x: Any, y: Any, rows: Any, priority: Any, only: Any, how: int) -> Any:
    """Return the index of the point that represents each run [begin, end) (k,); -1 for an empty run.

    ``how`` is the highest ``priority`` (NaN last), the medoid, or the newest (largest row); ties go to the smaller row.
    If ``only`` (m,) bool is True for any point of the run, one of those is chosen. An empty ``priority`` or ``only`` is
    ignored. The medoid is by squared distances: the point nearest to the mean.
    """
    points = np.full(len(begin), -1, np.int64)
    for cell in range(len(begin)):
        some = False
        if len(only):
            some = only[begin[cell] : end[cell]].any()
        middle = _mean(x, y, begin[cell], end[cell], only, some) if how == MEDOID else (0.0, 0.0)
        best, value = -1, 0.0
        for i in range(begin[cell], end[cell]):
            if some and not only[i]:
                continue
            own = _value(how, x[i] - middle[0], y[i] - middle[1], rows[i], priority, i)
            if best < 0 or own > value or (own == value and rows[i] < rows[best]):
                best, value = i, own
        points[cell] = best
    return points


@njit(nogil=True)
def _value(how: int, across: float, down: float, row: int, priority: Any, i: int) -> float:
    """Return the value of a point: its priority, its closeness to the mean, or its row."""
    if how == PRIORITY:
        return -np.inf if np.isnan(priority[i]) else np.float64(priority[i])
    return -(across * across + down * down) if how == MEDOID else np.float64(row)


@njit(nogil=True)
def _mean(x: Any, y: Any, begin: int, end: int, only: Any, some: bool) -> Any:
    """Return the mean place of the points of a run, or of those in ``only``."""
    across, down, count = 0.0, 0.0, 0
    for i in range(begin, end):
        if not some or only[i]:
            across, down, count = across + x[i], down + y[i], count + 1
    return across / max(count, 1), down / max(count, 1)


def mark(radius: float) -> NDArray[np.uint8]:
    """Return the coverage of an antialiased disc; radius 0 is one pixel."""
    reach = int(np.ceil(radius - 0.5)) if radius > 0 else 0
    across = np.arange(-reach, reach + 1)
    distance = np.hypot(across[:, None], across[None, :])
    full = np.clip(radius + 0.5 - distance, 0, 1) if radius > 0 else np.ones((1, 1))
    return np.asarray(np.round(255 * full), dtype=np.uint8)
