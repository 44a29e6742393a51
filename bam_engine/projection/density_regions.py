"""Dense regions of a map, found as peaks of the density at several scales, finer ones nested in coarser ones.

In:  places (n, 2). Out: regions, and for each scale the region of each image. Knows nothing of names.

Density is counted on a grid and smoothed, so that the cost hardly grows with the number of points; each scale has a
finer grid. A region belongs to a peak that is prominent over the saddles around it [1]_.

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
"""Images that a region must have."""

MAX_REGIONS = 300
"""Regions of one level, the largest ones."""

_SMOOTHING = 2.0  # standard deviation of the smoothing, in cells
_PROMINENCE = 1.5  # a peak is at least so many times as dense as the saddle to a higher one
_EDGE = 0.1  # a region ends where the density falls below this fraction of its peak

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class DensityRegion:
    """One region: its level (0 is the coarsest), the index of its parent or -1, its peak, and its number of images."""

    level: int
    parent: int
    x: float
    y: float
    count: int


@dataclass(frozen=True)
class RegionTree:
    """All regions, by level and size; and for each level the region index of each image (n,), or -1."""

    regions: tuple[DensityRegion, ...]
    membership: tuple[Codes, ...]


def find_regions(places: Places, *, levels: int = LEVELS) -> RegionTree:
    """Return the regions of a map; they do not depend on the order of the images.

    A region lies within one region of the level above, the one with most of its images, or in none where most are in
    none. Images between regions belong to none, and so do places that are not finite.
    """
    finite = np.isfinite(places).all(axis=1)
    points = np.clip(places[finite].astype(np.float64), 0, np.nextafter(1, 0))
    regions: list[DensityRegion] = []
    membership: list[Codes] = []
    above = np.full(len(points), -1, np.int32)
    for level in range(levels):
        found, above = _find_level(points, level, above, len(regions))
        regions += found
        codes = np.full(len(places), -1, np.int32)
        codes[finite] = above
        membership.append(codes)
    return RegionTree(tuple(regions), tuple(membership))


def _find_level(points: NDArray[np.float64], level: int, above: Codes, first: int) -> tuple[list[DensityRegion], Codes]:
    """Return the regions of one level, and the region of each image, numbered from ``first``, or -1."""
    from bam_engine.projection.density_peak_kernels import peak_of_each_cell

    side = COARSEST * 2**level
    column, row = (points * side).astype(np.int64).T
    cell = row * side + column
    density = _smooth(np.bincount(cell, minlength=side * side).reshape(side, side))
    order = np.argsort(-density, axis=None, kind="stable")
    order = order[: np.count_nonzero(density)]
    peak = peak_of_each_cell(density.ravel(), order, side, _PROMINENCE)
    dense = (peak >= 0) & (density.ravel() >= _EDGE * density.ravel()[np.maximum(peak, 0)])
    peaks, code = np.unique(np.where(dense, peak, -1)[cell], return_inverse=True)
    parent = _majority(code, above, len(peaks))
    member = (peaks[code] >= 0) & ((parent[code] == above) | (parent[code] < 0))
    count = np.bincount(code[member], minlength=len(peaks))
    chosen = np.flatnonzero((count >= MIN_IMAGES) & (peaks >= 0))
    chosen = chosen[np.lexsort((peaks[chosen], -count[chosen]))][:MAX_REGIONS]
    number = np.full(len(peaks), -1, np.int32)
    number[chosen] = first + np.arange(len(chosen))
    regions = [
        DensityRegion(
            level,
            int(parent[one]),
            (peaks[one] % side + 0.5) / side,
            (peaks[one] // side + 0.5) / side,
            int(count[one]),
        )
        for one in chosen
    ]
    return regions, np.where(member, number[code], -1).astype(np.int32)


def _smooth(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    density: NDArray[np.float64] = gaussian_filter(counts.astype(np.float64), _SMOOTHING, mode="constant", truncate=3)
    density[density < 1e-9] = 0
    return density


def _majority(code: NDArray[np.int64], above: Codes, kinds: int) -> Codes:
    """Return for each code the region above that has most of its images; ties by index, -1 (none) counts as one."""
    pairs, counts = np.unique(code * (above.max(initial=-1) + 2) + above + 1, return_counts=True)
    owner, region = np.divmod(pairs, above.max(initial=-1) + 2)
    order = np.lexsort((region, -counts, owner))
    firsts = order[np.unique(owner[order], return_index=True)[1]]
    parents = np.full(kinds, -1, np.int32)
    parents[owner[firsts]] = region[firsts] - 1
    return parents
