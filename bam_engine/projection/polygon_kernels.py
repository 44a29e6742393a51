"""The inner loop of a drawn area, compiled: for each place, how many sides a ray from it crosses.

In:  places; the sides, and which of them each band of y meets. Out: whether each place is inside. Imports numba, so it
is imported inside functions only; it releases the interpreter while it counts.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit


@njit(nogil=True)
def odd_crossings(x: Any, y: Any, sides: Any, first: Any, top: float, scale: float, found: Any) -> None:
    """Write into ``found`` (n,) bool whether a ray to the right crosses an odd number of sides.

    ``sides`` (4, k) float64 are upper y, lower y, x at the upper end, and x per y; they stand band after band,
    ``first`` (bands + 1,) telling where each begins. Band b holds the y with ``int((y - top) * scale) == b``; the last
    one also y at the bottom, where no side is crossed. A side owns its upper end. The inner loop has no branches, so
    that several sides are looked at in one step.
    """
    bands = len(first) - 1
    for i in range(len(x)):
        down = np.float64(y[i])
        band = int((down - top) * scale)
        if band < 0 or band >= bands:
            found[i] = False
            continue
        across = np.float64(x[i])
        count = 0
        for k in range(first[band], first[band + 1]):
            within = (sides[0, k] <= down) & (down < sides[1, k])
            count += within & (across < sides[2, k] + (down - sides[0, k]) * sides[3, k])
        found[i] = count & 1
