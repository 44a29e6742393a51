"""Morton codes: positions along a Z-order curve on the unit square, where every square cell is one run of codes.

In:  coordinates in [0, 1], or the column and row of a cell at some depth.
Out: 48-bit codes, and the half-open run of codes of a cell.

Depth d divides each side into 2**d cells; the map's tile (z, x, y) is the cell (x, y) at depth z. Codes have depth 24,
the precision of a float32 in [0.5, 1): scaling by a power of two is exact, so the code and the coordinates of a point
give the same cell. A cell includes its left and upper edges; the last column and row also include 1.0.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEPTH = 24

Codes = NDArray[np.uint64]


def cells(values: ArrayLike, depth: int) -> NDArray[np.int64]:
    """Return the columns (or rows) of coordinates at ``depth``; coordinates outside [0, 1] are clipped."""
    side = 1 << depth
    column: NDArray[np.int64] = np.floor(np.asarray(values, dtype=np.float64) * side).astype(np.int64)
    return np.clip(column, 0, side - 1)


def _spread_bits(values: NDArray[np.int64]) -> Codes:
    """Return the lower 32 bits of each value, with zeros between them."""
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
    """Return the codes of cells: the bits of the column at even positions, of the row at odd ones."""
    return _spread_bits(column) | (_spread_bits(row) << np.uint64(1))


def codes(x: ArrayLike, y: ArrayLike) -> Codes:
    """Return the codes (n,) of points at depth 24."""
    return interleave(cells(x, DEPTH), cells(y, DEPTH))


def runs(column: ArrayLike, row: ArrayLike, depth: int) -> tuple[Codes, Codes]:
    """Return the first code of each cell at ``depth``, and the first code after it."""
    shift = np.uint64(2 * (DEPTH - depth))
    first = interleave(np.asarray(column, dtype=np.int64), np.asarray(row, dtype=np.int64))
    return first << shift, (first + np.uint64(1)) << shift
