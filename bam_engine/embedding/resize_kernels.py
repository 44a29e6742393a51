"""Bicubic resizing of images to the part that a network sees, to the last bit as Pillow resizes the whole.

In:  the lines of an image, uint8. Out: some lines of the image with another number of lines. Pillow computes all of
them, one sample after the other; here many samples of a line are computed at once.

Imports numba, so import this module inside functions only. The kernels release the GIL.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit

_BITS = 22  # of a weight after the point, as Pillow rounds it


@njit(nogil=True)
def resized_lines(lines: Any, count: int, first: int, result: Any) -> None:
    """Write lines ``first`` and after, of ``count``, into ``result`` (k, n), computed from ``lines`` (m, n)."""
    scale = len(lines) / count
    widening = max(1.0, scale)
    sums, weights = np.empty(lines.shape[1], np.int32), np.empty(int(np.ceil(2 * widening)) * 2 + 1)
    for line in range(len(result)):
        centre = (first + line + 0.5) * scale
        start = max(0, int(centre - 2 * widening + 0.5))
        stop = min(len(lines), int(centre + 2 * widening + 0.5))
        for i in range(stop - start):
            weights[i] = _cubic((start + i - centre + 0.5) * (1 / widening))
        total = 0.0
        for i in range(stop - start):
            total += weights[i]
        sums[:] = 1 << (_BITS - 1)
        for i in range(stop - start):
            share = weights[i] / total * (1 << _BITS)
            weight = np.int32(share + 0.5 if share >= 0 else share - 0.5)
            for place in range(len(sums)):
                sums[place] += weight * np.int32(lines[start + i, place])
        for place in range(len(sums)):
            result[line, place] = np.uint8(min(255, max(0, sums[place] >> _BITS)))


@njit(nogil=True)
def _cubic(distance: float) -> float:
    """Return the weight of a sample at a distance (Keys 1981, a = -0.5)."""
    x = abs(distance)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * -0.5 if x < 2 else 0.0
