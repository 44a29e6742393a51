"""Compiled inner loops of the search for near-duplicates: hashing, windowed comparison and grouping.

Imports numba, so import this module inside functions only. The kernels release the GIL.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit
from bam_engine.learning.neighbour_kernels import PARTS, SHIFT, as_float

_BIAS = np.float32(2.0**112)


@njit(nogil=True)
def hashes(bits: Any, out: Any) -> None:
    """Write a 64-bit hash of every vector into ``out`` (n,); 0 for an all-zero vector."""
    for row in range(len(bits)):
        mixed, any_bit = np.uint64(14695981039346656037), np.int16(0)
        for i in range(bits.shape[1]):
            any_bit |= bits[row, i] & np.int16(0x7FFF)
            mixed = (mixed ^ np.uint64(np.uint16(bits[row, i]))) * np.uint64(1099511628211)
            mixed ^= mixed >> np.uint64(29)
        out[row] = max(mixed, np.uint64(1)) if any_bit else np.uint64(0)


@njit(nogil=True, fastmath={"reassoc", "nsz", "contract"})
def square_distance(bits: Any, one: int, other: int) -> Any:
    """Return the squared distance of two vectors."""
    total = np.float32(0)
    for i in range(bits.shape[1]):
        first = as_float((np.int32(bits[one, i]) << SHIFT) & PARTS)
        second = as_float((np.int32(bits[other, i]) << SHIFT) & PARTS)
        difference = (first - second) * _BIAS
        total += difference * difference
    return total


@njit(nogil=True, fastmath={"reassoc", "nsz", "contract"})
def pairs_in_windows(
    bits: Any, rows: Any, codes: Any, places: Any, first: int, stop: int, window: int, limit: Any, near: Any
) -> Any:
    """Return the pairs (m, 2) of rows, the lower first, that are within ``limit`` of each other.

    The rows are in the order of a hash table. Each of those from ``first`` to ``stop`` is compared with the ``window``
    rows after it that have the same code. ``places`` (n, p) are their projections in the same order: a projection never
    increases a distance, so pairs farther apart there than ``near`` need no full comparison.
    """
    pairs, count = np.empty((1024, 2), np.int32), 0
    for at in range(first, stop):
        for other in range(at + 1, min(at + 1 + window, len(rows))):
            if codes[other] != codes[at]:
                break
            total = np.float32(0)
            for i in range(places.shape[1]):
                difference = places[at, i] - places[other, i]
                total += difference * difference
            if total > near or square_distance(bits, rows[at], rows[other]) > limit:
                continue
            if count == len(pairs):
                more = np.empty((2 * count, 2), np.int32)
                more[:count] = pairs
                pairs = more
            pairs[count, 0] = min(rows[at], rows[other])
            pairs[count, 1] = max(rows[at], rows[other])
            count += 1
    return pairs[:count]


@njit(nogil=True)
def assign_leaders(starts: Any, others: Any, leader: Any) -> None:
    """Give every row its leader, in ascending order: a row without one leads itself and its neighbours without one.

    The neighbours of row r with a higher number are ``others[starts[r] : starts[r + 1]]``; ``leader`` (n,) starts as
    -1.
    """
    for row in range(len(leader)):
        if leader[row] >= 0:
            continue
        leader[row] = row
        for at in range(starts[row], starts[row + 1]):
            if leader[others[at]] < 0:
                leader[others[at]] = row
