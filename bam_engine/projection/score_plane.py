"""A map of two scores: one to the right, one upwards; only the two axes are fitted.

In:  two scores (n,) each. Out: places (n, 2) in the unit square, and the ``ScorePlane``, which places later images by
the same rule.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.errors import ProjectionError
from bam_engine.projection.frame import MARGIN, Places

BY = ("rank", "value")


@dataclass(frozen=True)
class ScorePlane:
    """Two axes, each stored as its distinct scores (k,), ascending, and how many images have each."""

    by: str
    scores: tuple[NDArray[np.float64], NDArray[np.float64]]
    counts: tuple[NDArray[np.int64], NDArray[np.int64]]

    @classmethod
    def of(cls, first: ArrayLike, second: ArrayLike, *, by: str = "rank") -> "ScorePlane":
        """Fit the plane to two scores (n,) of each image; images with a score that is not finite are ignored.

        Parameters
        ----------
        by : {"rank", "value"}
            By rank the map is filled evenly: a position is the fraction of images with a lower score, plus half of
            those with the same. By value a position is linear in the score, from the lowest to the highest.

        Raises
        ------
        ProjectionError
            ``by`` is unknown, or the scores have different lengths.
        """
        if by not in BY:
            raise ProjectionError(f"Scores cannot be laid out by {by!r}. Choose one of {', '.join(BY)}.")
        axes = np.asarray(first, np.float64), np.asarray(second, np.float64)
        if axes[0].shape != axes[1].shape or axes[0].ndim != 1:
            raise ProjectionError(f"Each image needs two scores; their shapes are {axes[0].shape} and {axes[1].shape}.")
        finite = np.isfinite(axes[0]) & np.isfinite(axes[1])
        (a, count_a), (b, count_b) = (np.unique(axis[finite], return_counts=True) for axis in axes)
        return cls(by, (a, b), (count_a, count_b))

    def place(self, first: ArrayLike, second: ArrayLike) -> Places:
        """Return places (n, 2): the first score to the right, the second upwards; NaN where one is not finite.

        A score beyond the ends of an axis is placed at its end.
        """
        right, up = self._along(0, first), self._along(1, second)
        places = np.stack([right, 1 - up], axis=1)  # a map's y grows downwards
        places[np.isnan(places).any(axis=1)] = np.nan
        return (MARGIN + (1 - 2 * MARGIN) * places).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the plane as arrays, ready to be saved."""
        (a, b), (count_a, count_b) = self.scores, self.counts
        return {"by": np.array([BY.index(self.by)]), "a": a, "b": b, "count_a": count_a, "count_b": count_b}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "ScorePlane":
        """Restore a plane from :meth:`arrays`."""
        counts = arrays["count_a"], arrays["count_b"]
        return cls(BY[int(arrays["by"][0])], (arrays["a"], arrays["b"]), counts)

    def _along(self, axis: int, score: ArrayLike) -> NDArray[np.float64]:
        """Return the positions of scores on an axis, from 0 to 1; NaN where they are not finite."""
        values, fitted = np.asarray(score, np.float64), self.scores[axis]
        if not len(fitted):
            return np.full(len(values), np.nan)
        if self.by == "value":
            width = fitted[-1] - fitted[0]
            positions = np.clip((values - fitted[0]) / width, 0, 1) if width > 0 else np.full(len(values), 0.5)
        else:
            below = np.concatenate([[0], np.cumsum(self.counts[axis])])
            left, right = np.searchsorted(fitted, values, "left"), np.searchsorted(fitted, values, "right")
            positions = (below[left] + below[right]) / 2 / below[-1]
        return np.where(np.isfinite(values), positions, np.nan)
