"""The inner loop of drawing, compiled: marks of a size onto a tile, coloured.

In:  an index image, the mark's coverage, a colour table.
Out: RGBA. Imports numba, so it is imported inside functions only; it releases the interpreter while it draws.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True)
def stamp(index: Any, mark: Any, colours: Any, size: int) -> Any:
    """Put ``mark`` on every pixel of ``index`` that is not 0 and colour what is covered.

    ``index`` (size + 2m, size + 2m) uint8 has a border of m >= the mark's reach; ``mark`` (2r + 1, 2r + 1) uint8 is its
    coverage, 255 in full. Where marks overlap, the fuller one shows; of two as full, the one with the higher index. So
    the order of points does not matter and neighbouring tiles agree.
    """
    border = (index.shape[0] - size) // 2
    cover = np.zeros((size, size), np.uint8)
    top = np.zeros((size, size), np.uint8)
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


def mark(radius: float) -> NDArray[np.uint8]:
    """Coverage of a disc in whole pixels, its rim smoothed; radius 0 is one pixel."""
    reach = int(np.ceil(radius - 0.5)) if radius > 0 else 0
    across = np.arange(-reach, reach + 1)
    distance = np.hypot(across[:, None], across[None, :])
    full = np.clip(radius + 0.5 - distance, 0, 1) if radius > 0 else np.ones((1, 1))
    return np.asarray(np.round(255 * full), dtype=np.uint8)
