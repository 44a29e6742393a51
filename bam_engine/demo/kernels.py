"""The one loop over pixels that painting spends its time in, compiled.

In:  the canvas's planes and a shape's coverage. Out: the planes, changed in place. Knows no shape.
"""

import numba
import numpy as np

from bam_engine.demo.noise import Plane

COLOUR, ACROSS, DOWN, BULGE, SHADE, GLOSS, INK = slice(0, 3), 3, 4, 5, 6, 7, 8
PLANES = 9


@numba.njit(nogil=True, cache=True)
def blend(planes, part, subject, flow, cover, first, second, sideways, form, settings, numbers):  # type: ignore[no-untyped-def]
    """Lay a shape over the planes (h, w, 9), all cut to the shape's box.

    ``cover`` (h, w) says where it is; its colour runs from ``first`` to ``second``, ``sideways`` or down. ``form``
    (3, h, w) is its normal and height, of size 0 for a flat shape. ``settings`` are opacity, gloss, flow (nan leaves
    it), and 1 for a marking, which changes the colour alone. ``numbers`` are those of the part and the subject.
    """
    high, wide = cover.shape
    opacity, gloss, turn, marking = settings
    solid = form.size > 0
    for y in range(high):
        for x in range(wide):
            share = cover[y, x] * opacity
            if share <= 0.0:
                continue
            along = (x / max(wide - 1, 1)) if sideways else (y / max(high - 1, 1))
            for channel in range(3):
                colour = first[channel] + along * (second[channel] - first[channel])
                planes[y, x, channel] += share * (colour - planes[y, x, channel])
            if share > 0.5:
                part[y, x] = numbers[0]
                if not np.isnan(turn):
                    flow[y, x] = turn
            if marking > 0.0:
                continue
            if share > 0.5:
                subject[y, x] = numbers[1]
            rest = np.float32(1.0) - share
            for channel in range(3, 6):
                value = form[channel - 3, y, x] if solid else np.float32(0.0)
                planes[y, x, channel] = rest * planes[y, x, channel] + share * value
            planes[y, x, 6] = rest * planes[y, x, 6] + share
            planes[y, x, 7] = rest * planes[y, x, 7] + share * gloss
            planes[y, x, 8] *= rest


NO_FORM: Plane = np.zeros((3, 0, 0), np.float32)
