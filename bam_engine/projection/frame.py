"""Maps a layout's own coordinates to the unit square, by the same rule for images that are placed later.

In:  raw places (n, 2) of any scale. Out: places (n, 2) float32 in [0, 1] squared.
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
    """The transform from raw places to places: its centre, half its width, and whether outliers are compressed."""

    middle: tuple[float, float]
    half: float
    compressed: bool
    margin: float = MARGIN

    @classmethod
    def of(cls, raw: ArrayLike, *, margin: float = MARGIN) -> "Frame":
        """Fit the frame to ``raw`` (n, 2); see :func:`fit_unit_square`."""
        points = np.asarray(raw, dtype=np.float64)
        if not len(points):
            return cls((0.0, 0.0), 1.0, False, margin)
        low, high = points.min(axis=0), points.max(axis=0)
        inner_low, inner_high = np.quantile(points, [0.01, 0.99], axis=0)
        whole, inner = float((high - low).max()) / 2, 1.15 * float((inner_high - inner_low).max()) / 2
        compressed = whole > 2 * inner > 0
        middle = (inner_low + inner_high) / 2 if compressed else (low + high) / 2
        half = inner if compressed else whole or 1.0
        return cls((float(middle[0]), float(middle[1])), half, compressed, margin)

    def places(self, raw: ArrayLike) -> Places:
        """Return the places of ``raw`` (n, 2); points beyond the fitted ones are placed in the margin."""
        unit = (np.asarray(raw, dtype=np.float64) - np.array(self.middle)) / self.half
        room = self.margin / (0.5 - self.margin)
        unit = _compress(unit, CORE, 1 - CORE) if self.compressed else _compress(unit, 1.0, room)
        places: Places = np.clip(0.5 + (0.5 - self.margin) * unit, 0, 1).astype(np.float32)
        return places

    def numbers(self) -> NDArray[np.float64]:
        """Return the frame as five numbers, ready to be saved."""
        return np.array([*self.middle, self.half, float(self.compressed), self.margin])

    @classmethod
    def from_numbers(cls, numbers: NDArray[Any]) -> "Frame":
        """Restore a frame from :meth:`numbers`."""
        x, y, half, compressed, margin = (float(number) for number in numbers)
        return cls((x, y), half, bool(compressed), margin)


def fit_unit_square(raw: NDArray[Any], *, margin: float = MARGIN) -> Places:
    """Scale places into [margin, 1 - margin] squared, with the same scale on both axes.

    If a few places are far out, the inner 98% take nine tenths of the width and the others are compressed towards the
    edge, in order: one outlier never shrinks the map to a dot. Otherwise the transform is linear. Equal places are put
    in the centre.
    """
    if not len(raw):
        return np.empty((0, 2), dtype=np.float32)
    return Frame.of(raw, margin=margin).places(raw)


def _compress(unit: NDArray[np.float64], core: float, rest: float) -> NDArray[np.float64]:
    """Map [-1, 1] linearly to [-core, core], and values beyond to ``rest`` around it, monotonically and smoothly."""
    beyond = np.maximum(np.abs(unit) - 1, 0) * core / rest
    return np.asarray(np.sign(unit) * (core * np.minimum(np.abs(unit), 1) + rest * beyond / (1 + beyond)))
