"""Places on the unit square as numbers along the Z-shaped curve (Morton order): a square of the map is one run of them.

In:  coordinates in [0, 1], or the column and row of a cell at some depth.
Out: 48-bit codes, and the half-open run of codes that a cell holds. Knows nothing of points' images.

Depth d cuts each side into 2**d cells; the map's tile (z, x, y) is the cell (x, y) at depth z. Codes are taken at depth
24, the precision of a float32 in [0.5, 1): scaling by a power of two is exact, so a point lies in the same cell whether
one asks its code or its coordinates. A cell owns its left and upper edge; the last column and row own 1.0 as well.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEPTH = 24

Codes = NDArray[np.uint64]


def cells(values: ArrayLike, depth: int) -> NDArray[np.int64]:
    """Columns (or rows) of the cells at ``depth`` in which coordinates lie; what lies outside counts to the edge."""
    side = 1 << depth
    column: NDArray[np.int64] = np.floor(np.asarray(values, dtype=np.float64) * side).astype(np.int64)
    return np.clip(column, 0, side - 1)


def _spread_bits(values: NDArray[np.int64]) -> Codes:
    """The lower 32 bits of each value, with a zero between any two."""
    bits = values.astype(np.uint64)
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits


def interleave(column: NDArray[np.int64], row: NDArray[np.int64]) -> Codes:
    """Codes of cells: the bits of the column in the even places, of the row in the odd ones."""
    return _spread_bits(column) | (_spread_bits(row) << np.uint64(1))


def codes(x: ArrayLike, y: ArrayLike) -> Codes:
    """Codes (n,) of points at depth 24."""
    return interleave(cells(x, DEPTH), cells(y, DEPTH))


def runs(column: ArrayLike, row: ArrayLike, depth: int) -> tuple[Codes, Codes]:
    """First code of each cell at ``depth``, and the first code after it."""
    shift = np.uint64(2 * (DEPTH - depth))
    first = interleave(np.asarray(column, dtype=np.int64), np.asarray(row, dtype=np.int64))
    return first << shift, (first + np.uint64(1)) << shift
