"""The inner loop of finding areas, compiled: which hill each cell of a density belongs to.

In:  a density on a grid, its cells from dense to sparse. Out: for each cell the cell of its peak. Imports numba, so it
is imported inside functions only; it releases the interpreter while it works.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit


@njit(nogil=True)
def peak_of_each_cell(density: Any, order: Any, side: int, stands_out: float) -> Any:
    """Return for each cell the flat index of its hill's peak; -1 for those that ``order`` leaves out.

    Cells are taken from dense to sparse. One with no neighbour of the eight taken yet is a peak; another joins the hill
    of its densest neighbour. Where hills meet, those whose peak is less than ``stands_out`` times as dense as the cell
    where they meet become part of the highest.
    """
    peak = np.full(density.size, -1, np.int64)
    for number in range(order.size):
        cell = order[number]
        best = _densest(density, peak, cell, side)
        peak[cell] = cell if best < 0 else _root(peak, best)
        if best >= 0:
            _join(density, peak, cell, side, stands_out)
    for number in range(order.size):
        peak[order[number]] = _root(peak, order[number])
    return peak


@njit(nogil=True)
def _densest(density: Any, peak: Any, cell: int, side: int) -> int:
    """The densest of the eight neighbours that are taken; -1 for none."""
    row, column, best = cell // side, cell % side, -1
    for other_row in range(max(0, row - 1), min(side, row + 2)):
        for other_column in range(max(0, column - 1), min(side, column + 2)):
            other = other_row * side + other_column
            if other != cell and peak[other] >= 0 and (best < 0 or density[other] > density[best]):
                best = other
    return best


@njit(nogil=True)
def _join(density: Any, peak: Any, cell: int, side: int, stands_out: float) -> None:
    """Join the hills that meet in a cell to the highest, where they do not stand out."""
    row, column, highest = cell // side, cell % side, _root(peak, cell)
    for other_row in range(max(0, row - 1), min(side, row + 2)):
        for other_column in range(max(0, column - 1), min(side, column + 2)):
            other = other_row * side + other_column
            if peak[other] < 0:
                continue
            met = _root(peak, other)
            if density[met] > density[highest] or (density[met] == density[highest] and met < highest):
                met, highest = highest, met
            if met != highest and density[met] < stands_out * density[cell]:
                peak[met] = highest


@njit(nogil=True)
def _root(peak: Any, cell: int) -> int:
    while peak[cell] != cell:
        peak[cell] = peak[peak[cell]]
        cell = peak[cell]
    return cell
