"""Compiled loop of :mod:`.arrangement`. Imports numba, so import it inside functions only; it releases the GIL."""

from typing import Any

import numpy as np

from bam_engine.compiled import njit
from bam_engine.projection.tile_kernels import pixel


@njit(nogil=True)
def spread(x: Any, y: Any, depth: int) -> Any:
    """Return a distinct cell at ``depth`` for each point, as columns and rows (m,) int32; m is at most 4**depth.

    A block of cells with its points is taken from a stack and halved, by rows unless it is wider than high, until one
    point is left.
    """
    count, side = len(x), 1 << depth
    column, row = np.zeros(count, np.int32), np.zeros(count, np.int32)
    order = np.arange(count)
    stack = np.zeros((4 * depth + 4, 6), np.int64)  # begin, end, left, top, width, height
    stack[0] = (0, count, 0, 0, side, side)
    size = 1 if count else 0
    while size:
        size -= 1
        begin, end, left, top, width, height = stack[size]
        if end - begin == 1:
            point = order[begin]
            own_column = pixel(x[point], side)
            own_row = pixel(y[point], side)
            column[point] = min(max(own_column, left), left + width - 1)
            row[point] = min(max(own_row, top), top + height - 1)
            continue
        by_row = height >= width
        half_width, half_height = (width, height // 2) if by_row else (width // 2, height)
        middle = top + half_height if by_row else left + half_width
        along = y if by_row else x
        cut = _partition(order, begin, end, along, middle, side, half_width * half_height)
        if end > cut:
            other_left, other_top = (left, top + half_height) if by_row else (left + half_width, top)
            stack[size] = (cut, end, other_left, other_top, half_width, half_height)
            size += 1
        if cut > begin:
            stack[size] = (begin, cut, left, top, half_width, half_height)
            size += 1
    return column, row


@njit(nogil=True)
def _partition(order: Any, begin: int, end: int, along: Any, middle: int, side: int, room: int) -> int:
    """Move the points of the first half to the front, at most ``room`` in each half; return where the second starts."""
    first = 0
    for at in range(begin, end):
        first += pixel(along[order[at]], side) < middle
    own = order[begin:end].copy()
    if first > room or end - begin - first > room:
        places = np.empty(len(own), np.float64)
        for at in range(len(own)):
            places[at] = along[own[at]]
        order[begin:end] = own[np.argsort(places, kind="mergesort")]
        return begin + min(max(first, end - begin - room), room)
    head, tail = begin, begin + first
    for at in range(len(own)):
        if pixel(along[own[at]], side) < middle:
            order[head] = own[at]
            head += 1
        else:
            order[tail] = own[at]
            tail += 1
    return begin + first
