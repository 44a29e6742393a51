"""From a layout's own coordinates to the unit square, the same way for images that come later.

In:  raw places (n, 2) of any size. Out: places (n, 2) float32 in [0, 1] squared. Knows nothing of how they were made.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MARGIN = 0.03
CORE = 0.9

Places = NDArray[np.float32]


@dataclass(frozen=True)
class Frame:
    """How raw places become places on the map: around ``middle``, ``half`` a width, with or without drawing in."""

    middle: tuple[float, float]
    half: float
    drawn_in: bool
    margin: float = MARGIN

    @classmethod
    def of(cls, raw: ArrayLike, *, margin: float = MARGIN) -> "Frame":
        """Return the frame that shows all of ``raw`` (n, 2): see :func:`fit_unit_square`."""
        found = np.asarray(raw, dtype=np.float64)
        if not len(found):
            return cls((0.0, 0.0), 1.0, False, margin)
        low, high = found.min(axis=0), found.max(axis=0)
        inner_low, inner_high = np.quantile(found, [0.01, 0.99], axis=0)
        whole, inner = float((high - low).max()) / 2, 1.15 * float((inner_high - inner_low).max()) / 2
        drawn_in = whole > 2 * inner > 0
        middle = (inner_low + inner_high) / 2 if drawn_in else (low + high) / 2
        half = inner if drawn_in else whole or 1.0
        return cls((float(middle[0]), float(middle[1])), half, drawn_in, margin)

    def places(self, raw: ArrayLike) -> Places:
        """Return the places of ``raw`` (n, 2); what lies beyond all that it was made of goes to the margin."""
        unit = (np.asarray(raw, dtype=np.float64) - np.array(self.middle)) / self.half
        room = self.margin / (0.5 - self.margin)
        unit = _draw_in(unit, CORE, 1 - CORE) if self.drawn_in else _draw_in(unit, 1.0, room)
        found: Places = np.clip(0.5 + (0.5 - self.margin) * unit, 0, 1).astype(np.float32)
        return found

    def numbers(self) -> NDArray[np.float64]:
        """Return the frame as five numbers, to be kept."""
        return np.array([*self.middle, self.half, float(self.drawn_in), self.margin])

    @classmethod
    def from_numbers(cls, numbers: NDArray[Any]) -> "Frame":
        """Return the frame that :meth:`numbers` told of."""
        x, y, half, drawn_in, margin = (float(number) for number in numbers)
        return cls((x, y), half, bool(drawn_in), margin)


def fit_unit_square(raw: NDArray[Any], *, margin: float = MARGIN) -> Places:
    """Scale places into [margin, 1 - margin] squared, both axes alike, however far the outliers lie.

    When a few places lie far out, the inner 98 % take nine tenths of the width and the others are drawn in towards the
    edge, in their order: a map is never a dot with one stray image far away. Otherwise it is one linear map. Without
    any spread everything stands in the middle.
    """
    if not len(raw):
        return np.empty((0, 2), dtype=np.float32)
    return Frame.of(raw, margin=margin).places(raw)


def _draw_in(unit: NDArray[np.float64], core: float, rest: float) -> NDArray[np.float64]:
    """[-1, 1] to [-core, core] linearly; what is beyond to ``rest`` around it, rising and without a kink."""
    beyond = np.maximum(np.abs(unit) - 1, 0) * core / rest
    return np.asarray(np.sign(unit) * (core * np.minimum(np.abs(unit), 1) + rest * beyond / (1 + beyond)))
