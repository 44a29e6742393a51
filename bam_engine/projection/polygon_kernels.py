"""Compiled loop of :mod:`.polygon`: for each point, how many edges a ray from it crosses.

In:  points; the edges of a polygon by bands of y. Out: whether each point is inside. Imports numba, so import it inside
functions only; it releases the GIL.
"""

from typing import Any

import numpy as np

from bam_engine.compiled import njit


@njit(nogil=True)
def odd_crossings(x: Any, y: Any, edges: Any, first: Any, top: float, scale: float, inside: Any) -> None:
    """Write into ``inside`` (n,) bool whether a ray to the right crosses an odd number of edges.

    ``edges`` (4, k) float64 are upper y, lower y, x at the upper end, and dx/dy, sorted by band; band b starts at
    ``first[b]``, ``first`` having the shape (bands + 1,). It contains the y with ``int((y - top) * scale) == b``; y at
    the bottom has no band and crosses nothing. An edge includes its upper end. The inner loop has no branches, so that
    it can be vectorised.
    """
    bands = len(first) - 1
    for i in range(len(x)):
        down = np.float64(y[i])
        band = int((down - top) * scale)
        if band < 0 or band >= bands:
            inside[i] = False
            continue
        across = np.float64(x[i])
        count = 0
        for k in range(first[band], first[band + 1]):
            within = (edges[0, k] <= down) & (down < edges[1, k])
            count += within & (across < edges[2, k] + (down - edges[0, k]) * edges[3, k])
        inside[i] = count & 1
