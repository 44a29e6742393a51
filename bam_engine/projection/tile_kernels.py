"""The inner loops of drawing, compiled: marks of a size onto a tile, who stands for a cell.

In:  points in Morton order; an index image, the mark's coverage, a colour table.
Out: RGBA, indices. Imports numba, so it is imported inside functions only; it releases the interpreter while it
works.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.compiled import njit

PRIORITY, MEDOID, NEWEST = 0, 1, 2


@njit(nogil=True)
def pixel(value: float, side: int) -> int:
    """The column (or row) of ``side`` in which a coordinate lies; the last one owns 1.0 too."""
    found = int(np.float64(value) * side)
    return found if found < side else side - 1


@njit(nogil=True)
def stamp(index: Any, mark: Any, colours: Any, size: int) -> Any:
    """Put ``mark`` on every pixel of ``index`` that is not 0 and colour what is covered.

    ``index`` (size + 2m, size + 2m) has a border of m >= the mark's reach; ``mark`` (2r + 1, 2r + 1) uint8 is its
    coverage, 255 in full. Where marks overlap, the fuller one shows; of two as full, the one with the higher index. So
    the order of points does not matter and neighbouring tiles agree.
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
    """One mark around (i, j), as far as it lies on the tile."""
    reach = mark.shape[0] // 2
    for row in range(max(i - reach, 0), min(i + reach + 1, cover.shape[0])):
        for column in range(max(j - reach, 0), min(j + reach + 1, cover.shape[1])):
            full = mark[row - i + reach, column - j + reach]
            if full > cover[row, column] or (full == cover[row, column] and value > top[row, column]):
                cover[row, column] = full
                top[row, column] = value


@njit(nogil=True)
def representatives(begin: Any, end: Any, x: Any, y: Any, rows: Any, worth: Any, wanted: Any, how: int) -> Any:
    """Return the index of the point that stands for each run [begin, end) (k,); -1 for an empty one.

    ``how`` is the highest ``worth`` (NaN last), the medoid, or the newest (largest row); ties go to the smaller row.
    Where ``wanted`` (m,) bool holds for any point of the run, one of those is taken. An empty ``worth`` or ``wanted``
    is none. The medoid is by squared distances: the point nearest to the mean.
    """
    found = np.full(len(begin), -1, np.int64)
    for cell in range(len(begin)):
        some = False
        if len(wanted):
            some = wanted[begin[cell] : end[cell]].any()
        middle = _mean(x, y, begin[cell], end[cell], wanted, some) if how == MEDOID else (0.0, 0.0)
        best, value = -1, 0.0
        for i in range(begin[cell], end[cell]):
            if some and not wanted[i]:
                continue
            own = _value(how, x[i] - middle[0], y[i] - middle[1], rows[i], worth, i)
            if best < 0 or own > value or (own == value and rows[i] < rows[best]):
                best, value = i, own
        found[cell] = best
    return found


@njit(nogil=True)
def _value(how: int, across: float, down: float, row: int, worth: Any, i: int) -> float:
    """What speaks for a point: its worth, its nearness to the middle, or its row."""
    if how == PRIORITY:
        return -np.inf if np.isnan(worth[i]) else np.float64(worth[i])
    return -(across * across + down * down) if how == MEDOID else np.float64(row)


@njit(nogil=True)
def _mean(x: Any, y: Any, begin: int, end: int, wanted: Any, some: bool) -> Any:
    """The mean place of the points of a run, or of those that are wanted."""
    across, down, count = 0.0, 0.0, 0
    for i in range(begin, end):
        if not some or wanted[i]:
            across, down, count = across + x[i], down + y[i], count + 1
    return across / max(count, 1), down / max(count, 1)


def mark(radius: float) -> NDArray[np.uint8]:
    """Coverage of a disc in whole pixels, its rim smoothed; radius 0 is one pixel."""
    reach = int(np.ceil(radius - 0.5)) if radius > 0 else 0
    across = np.arange(-reach, reach + 1)
    distance = np.hypot(across[:, None], across[None, :])
    full = np.clip(radius + 0.5 - distance, 0, 1) if radius > 0 else np.ones((1, 1))
    return np.asarray(np.round(255 * full), dtype=np.uint8)
