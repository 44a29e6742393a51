"""Compiled loop of :mod:`.density_regions`: which density peak each cell of a grid belongs to.

In:  a density on a grid, its cells from dense to sparse. Out: for each cell the cell of its peak. Imports numba, so
import it inside functions only; it releases the GIL.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit


@njit(nogil=True)
def peak_of_each_cell(density: Any, order: Any, side: int, prominence: float) -> Any:
    """Return for each cell the flat index of its peak; -1 for cells that ``order`` does not list.

    Cells are visited from dense to sparse. A cell without a visited neighbour among the eight is a peak; another joins
    the peak of its densest neighbour. Where peaks meet in a cell, those less than ``prominence`` times as dense as that
    cell are merged into the highest.
    """
    peak = np.full(density.size, -1, np.int64)
    for number in range(order.size):
        cell = order[number]
        best = _densest(density, peak, cell, side)
        peak[cell] = cell if best < 0 else _root(peak, best)
        if best >= 0:
            _merge(density, peak, cell, side, prominence)
    for number in range(order.size):
        peak[order[number]] = _root(peak, order[number])
    return peak


@njit(nogil=True)
def _densest(density: Any, peak: Any, cell: int, side: int) -> int:
    """Return the densest of the eight neighbours that are visited; -1 for none."""
    row, column, best = cell // side, cell % side, -1
    for other_row in range(max(0, row - 1), min(side, row + 2)):
        for other_column in range(max(0, column - 1), min(side, column + 2)):
            other = other_row * side + other_column
            if other != cell and peak[other] >= 0 and (best < 0 or density[other] > density[best]):
                best = other
    return best


@njit(nogil=True)
def _merge(density: Any, peak: Any, cell: int, side: int, prominence: float) -> None:
    """Merge the peaks that meet in a cell into the highest, unless they are prominent."""
    row, column, highest = cell // side, cell % side, _root(peak, cell)
    for other_row in range(max(0, row - 1), min(side, row + 2)):
        for other_column in range(max(0, column - 1), min(side, column + 2)):
            other = other_row * side + other_column
            if peak[other] < 0:
                continue
            met = _root(peak, other)
            if density[met] > density[highest] or (density[met] == density[highest] and met < highest):
                met, highest = highest, met
            if met != highest and density[met] < prominence * density[cell]:
                peak[met] = highest


@njit(nogil=True)
def _root(peak: Any, cell: int) -> int:
    while peak[cell] != cell:
        peak[cell] = peak[peak[cell]]
        cell = peak[cell]
    return cell
