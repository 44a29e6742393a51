"""Compiled inner loops of the descriptors: what goes into which bin of a histogram.

Imports numba, so import this module inside functions only. The kernels release the GIL. A bin is an index, and a place
lies between two of them: a pixel counts in each by how near it is.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit

_ONE = np.float32(1)


@njit(nogil=True)
def colour_counts(places: Any, weight: Any, counts: Any) -> None:
    """Add each pixel's ``weight`` (n,) to the eight bins of ``counts`` (k, l, m) around its ``places`` (3, n)."""
    for i in range(len(weight)):
        x, y, z = np.int32(places[0, i]), np.int32(places[1, i]), np.int32(places[2, i])
        right = places[0, i] - np.float32(x)
        down = places[1, i] - np.float32(y)
        behind = places[2, i] - np.float32(z)
        for across in range(2):
            column = weight[i] * (right if across else _ONE - right)
            for along in range(2):
                part = column * (down if along else _ONE - down)
                counts[x + across, y + along, z] += part * (_ONE - behind)
                counts[x + across, y + along, z + 1] += part * behind


@njit(nogil=True)
def interpolated_counts(places: Any, weight: Any, counts: Any) -> None:
    """Add each pixel's ``weight`` (n,) to the two bins of ``counts`` (k,) around its ``places`` (n,)."""
    for i in range(len(weight)):
        below = np.int32(places[i])
        rest = places[i] - np.float32(below)
        counts[below] += weight[i] * (_ONE - rest)
        counts[below + 1] += weight[i] * rest


@njit(nogil=True)
def direction_planes(places: Any, strength: Any, planes: Any) -> None:
    """Add each pixel's ``strength`` (h, w) to the two ``planes`` (h, w, k) around its ``places`` (h, w), a circle."""
    count = planes.shape[2]
    for y in range(places.shape[0]):
        for x in range(places.shape[1]):
            below = np.int32(places[y, x])
            rest = places[y, x] - np.float32(below)
            planes[y, x, below % count] += strength[y, x] * (_ONE - rest)
            planes[y, x, (below + 1) % count] += strength[y, x] * rest
