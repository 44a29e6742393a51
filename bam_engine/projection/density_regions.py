"""The land of a map: areas where images crowd, at several scales, the finer within the coarser.

In:  places (n, 2). Out: areas, and for each scale in which area each image lies. Knows nothing of names.

Density is counted on a grid and smoothed, so that millions of points cost little more than thousands; a finer grid for
each scale. An area is what belongs to a peak of the density that stands out over the saddles around it [1]_.

References
----------
.. [1] Chazal, Guibas, Oudot, Skraba: Persistence-based clustering in Riemannian manifolds. J. ACM 60(6), 2013.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.projection.frame import Places

LEVELS = 6
COARSEST = 32
"""Cells along a side of the coarsest grid; each finer grid has twice as many."""

MIN_IMAGES = 20
"""Images that an area has at least."""

MAX_REGIONS = 300
"""Areas of a level at most: the largest."""

_SPREAD = 2.0  # of the smoothing, in cells
_STANDS_OUT = 1.5  # times the density of the saddle that a peak has at least
_EDGE = 0.1  # of the density at its peak: where an area ends

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Area:
    """One area: its level (0 is coarsest), the number of the area around it or -1, its peak, and how many images."""

    level: int
    parent: int
    x: float
    y: float
    count: int


@dataclass(frozen=True)
class RegionTree:
    """All areas, coarse ones first, each level by size; and for each level (n,) the number of the area or -1."""

    areas: tuple[Area, ...]
    inside: tuple[Codes, ...]


def find_regions(places: Places, *, levels: int = LEVELS) -> RegionTree:
    """Return the areas of a map; the same for the same places in any order of the other images.

    An area lies wholly within one area of the level above, the one that holds most of its images, or, where most lie
    in none, in no area at all. Images between the areas belong to none. Places that are not finite are in no area.
    """
    there = np.isfinite(places).all(axis=1)
    at = np.clip(places[there].astype(np.float64), 0, np.nextafter(1, 0))
    areas: list[Area] = []
    inside: list[Codes] = []
    above = np.full(len(at), -1, np.int32)
    for level in range(levels):
        found, above = _level(at, level, above, len(areas))
        areas += found
        codes = np.full(len(places), -1, np.int32)
        codes[there] = above
        inside.append(codes)
    return RegionTree(tuple(areas), tuple(inside))


def _level(at: NDArray[np.float64], level: int, above: Codes, first: int) -> tuple[list[Area], Codes]:
    """Return the areas of one level, and for each image its area, numbered from ``first``, or -1."""
    from bam_engine.projection.density_peak_kernels import peak_of_each_cell

    side = COARSEST * 2**level
    column, row = (at * side).astype(np.int64).T
    cell = row * side + column
    density = _smooth(np.bincount(cell, minlength=side * side).reshape(side, side))
    order = np.argsort(-density, axis=None, kind="stable")
    order = order[: np.count_nonzero(density)]
    peak = peak_of_each_cell(density.ravel(), order, side, _STANDS_OUT)
    land = (peak >= 0) & (density.ravel() >= _EDGE * density.ravel()[np.maximum(peak, 0)])
    peaks, code = np.unique(np.where(land, peak, -1)[cell], return_inverse=True)
    parent = _majority(code, above, len(peaks))
    member = (peaks[code] >= 0) & ((parent[code] == above) | (parent[code] < 0))
    count = np.bincount(code[member], minlength=len(peaks))
    chosen = np.flatnonzero((count >= MIN_IMAGES) & (peaks >= 0))
    chosen = chosen[np.lexsort((peaks[chosen], -count[chosen]))][:MAX_REGIONS]
    number = np.full(len(peaks), -1, np.int32)
    number[chosen] = first + np.arange(len(chosen))
    areas = [
        Area(
            level,
            int(parent[one]),
            (peaks[one] % side + 0.5) / side,
            (peaks[one] // side + 0.5) / side,
            int(count[one]),
        )
        for one in chosen
    ]
    return areas, np.where(member, number[code], -1).astype(np.int32)


def _smooth(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    found: NDArray[np.float64] = gaussian_filter(counts.astype(np.float64), _SPREAD, mode="constant", truncate=3)
    found[found < 1e-9] = 0
    return found


def _majority(code: NDArray[np.int64], above: Codes, kinds: int) -> Codes:
    """For each code the area above that holds most of its images, the lower number on a tie; -1 is one of them."""
    pairs, counts = np.unique(code * (above.max(initial=-1) + 2) + above + 1, return_counts=True)
    owner, area = np.divmod(pairs, above.max(initial=-1) + 2)
    order = np.lexsort((area, -counts, owner))
    firsts = order[np.unique(owner[order], return_index=True)[1]]
    found = np.full(kinds, -1, np.int32)
    found[owner[firsts]] = area[firsts] - 1
    return found
