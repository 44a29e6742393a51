"""The inner loops of finding near-duplicates, compiled.

In:  float16 vectors as bits, their projections, an order. Out: verified pairs, groups. Imports numba, so it is imported
inside functions only; it releases the interpreter while it computes.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit
from bam_engine.learning.neighbour_kernels import PARTS, SHIFT, as_float

_BIAS = np.float32(2.0**112)


@njit(nogil=True)
def hashes(bits: Any, found: Any) -> None:
    """Write a 64-bit hash of every vector; 0 for one that is all zero."""
    for row in range(len(bits)):
        mixed, any_bit = np.uint64(14695981039346656037), np.int16(0)
        for i in range(bits.shape[1]):
            any_bit |= bits[row, i] & np.int16(0x7FFF)
            mixed = (mixed ^ np.uint64(np.uint16(bits[row, i]))) * np.uint64(1099511628211)
            mixed ^= mixed >> np.uint64(29)
        found[row] = max(mixed, np.uint64(1)) if any_bit else np.uint64(0)


@njit(nogil=True, fastmath={"reassoc", "nsz", "contract"})
def square_distance(bits: Any, one: int, other: int) -> Any:
    """Return the squared distance of two vectors."""
    total = np.float32(0)
    for i in range(bits.shape[1]):
        here = as_float((np.int32(bits[one, i]) << SHIFT) & PARTS)
        there = as_float((np.int32(bits[other, i]) << SHIFT) & PARTS)
        apart = (here - there) * _BIAS
        total += apart * apart
    return total


@njit(nogil=True, fastmath={"reassoc", "nsz", "contract"})
def pairs_in_windows(
    bits: Any, rows: Any, codes: Any, places: Any, first: int, stop: int, window: int, limit: Any, near: Any
) -> Any:
    """Return the pairs (m, 2) of rows, the lower first, that are within ``limit`` of each other.

    The rows stand in the order of a table; each of those from ``first`` to ``stop`` is compared with the ``window``
    that follow it with the same code. ``places`` (n, p) are their projections, in that order too: a projection shortens
    distances, so what is farther apart there than ``near`` need not be looked at in full.
    """
    found, count = np.empty((1024, 2), np.int32), 0
    for at in range(first, stop):
        for other in range(at + 1, min(at + 1 + window, len(rows))):
            if codes[other] != codes[at]:
                break
            total = np.float32(0)
            for i in range(places.shape[1]):
                apart = places[at, i] - places[other, i]
                total += apart * apart
            if total > near or square_distance(bits, rows[at], rows[other]) > limit:
                continue
            if count == len(found):
                more = np.empty((2 * count, 2), np.int32)
                more[:count] = found
                found = more
            found[count, 0] = min(rows[at], rows[other])
            found[count, 1] = max(rows[at], rows[other])
            count += 1
    return found[:count]


@njit(nogil=True)
def lead(starts: Any, others: Any, leader: Any) -> None:
    """Give every row its leader, in rising order: a row without one leads itself and its neighbours without one.

    The neighbours of row r with a higher number are ``others[starts[r] : starts[r + 1]]``; ``leader`` comes as -1.
    """
    for row in range(len(leader)):
        if leader[row] >= 0:
            continue
        leader[row] = row
        for at in range(starts[row], starts[row + 1]):
            if leader[others[at]] < 0:
                leader[others[at]] = row
