"""What is known of a map before its first tile is drawn, so that tiles join without seams.

In:  the points in Morton order.
Out: per zoom the size of a point's mark and the shade of each density, the same for every tile of that zoom; from which
     zoom pictures are shown and where zooming ends. Knows nothing of colours.

All of it follows from one count: how many points lie in each occupied cell at each depth of the Morton curve. A pixel
of zoom z is a cell at depth z + 8, so the counts are those that the tiles will show, over the whole map.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.projection.morton import DEPTH
from bam_engine.projection.tiles import DEEPEST, TILE, TileSource

MAX_COUNT = 65_535
"""Pixels with more points than this share one shade."""

INK = 0.1
"""The share of an occupied tile's pixels that marks should cover, as long as they are between the two radii."""

MIN_RADIUS, MAX_RADIUS = 0.75, 6.0
"""A mark in pixels: below the smallest it is one pixel; none is larger than the largest."""

CROWD = 12
"""Pictures are shown from the zoom at which the median cell has at most so many images to choose from."""

LAST_PICTURE_ZOOM = 6
"""However many images there are, they are shown from this zoom on."""

SMALLEST_CELL = 3
"""Picture cells are the tile halved so many times at most: 32 pixels, then 64, 128, 256."""

MIN_SHOWN = 0.6
"""Cells are no smaller than it takes to show this share of all images; at the deepest zoom the rest move aside."""

PIXEL_DEPTH = TILE.bit_length() - 1


@dataclass(frozen=True, eq=False)
class Zoom:
    """One zoom: ``radius`` of a mark in pixels (0: one pixel), ``shade`` (k,) uint8 of a pixel with i points (0: none).

    Shades equalise the histogram of the whole map: a pixel with i points gets the share of occupied pixels with fewer,
    plus half of those with as many. A count beyond the table has its last shade.
    """

    radius: float
    shade: NDArray[np.uint8]

    @property
    def log_shade(self) -> NDArray[np.uint8]:
        """Shades that grow with the logarithm of the count instead, up to that of the fullest pixel of the map."""
        most = len(self.shade) - 1
        counts = np.arange(1, most + 1)
        found = np.zeros(most + 1, np.uint8)
        found[1:] = np.round(1 + 254 * np.log(counts) / np.log(most)) if most > 1 else 128
        return found


@dataclass(frozen=True, eq=False)
class ZoomPlan:
    """All zooms, and between which of them pictures are shown.

    ``shown_depth`` is the depth at which cells are so small that most images have one of their own. At ``max_zoom``
    a cell is a tile of 256 pixels, and all images have one: see :mod:`.arrangement`.
    """

    zooms: tuple[Zoom, ...]
    picture_from_zoom: int
    max_zoom: int
    shown_depth: int

    def pictures_across(self, z: int) -> int:
        """How many pictures stand side by side in a tile: 8 of 32 pixels, deeper 4, 2 and 1.

        The size grows evenly between the first zoom with pictures and the deepest, sooner where a larger cell shows
        most images too. A cell never covers more of the map than one of the zoom above.
        """
        first, last = self.picture_from_zoom, self.max_zoom
        left = max(last - z, 0)
        span = last - first
        halvings = -(-SMALLEST_CELL * left // span) if span >= SMALLEST_CELL else left
        return 1 << min(halvings, max(self.shown_depth - z, 0), SMALLEST_CELL)

    def picture_depth(self, z: int) -> int:
        """The depth of the picture cells of zoom ``z``."""
        return z + self.pictures_across(z).bit_length() - 1


@dataclass(frozen=True)
class _Depth:
    cells: int
    median: float
    alone: float
    shown: float
    shade: NDArray[np.uint8]


def plan_zooms(source: TileSource) -> ZoomPlan:
    """Count a map once: 0.5 s for 2.5 million points."""
    depths = _depths(source)
    zooms = tuple(
        Zoom(radius=_radius(len(source) / max(depths[z].cells, 1)), shade=depths[z + PIXEL_DEPTH].shade)
        for z in range(DEEPEST + 1)
    )
    first = next((z for z in range(LAST_PICTURE_ZOOM) if depths[z + 3].median <= CROWD), LAST_PICTURE_ZOOM)
    most = next((depth for depth in range(DEEPEST) if depths[depth].shown >= MIN_SHOWN), DEEPEST)
    half = next((depth for depth in range(DEEPEST) if depths[depth].median <= 1), DEEPEST)
    room = int(np.ceil(np.log(max(1.5 * len(source), 1)) / np.log(4)))  # half as many cells again as images
    return ZoomPlan(zooms, first, min(max(first + 1, room, min(most, half + 3)), DEEPEST), most)


def _depths(source: TileSource) -> list[_Depth]:
    """Facts of every depth from 0 to 24; each depth is counted from the cells of the next deeper one."""
    found: list[_Depth] = []
    codes, counts = source.codes, np.ones(len(source), dtype=np.int64)
    for depth in range(DEPTH, -1, -1):
        if len(codes):
            starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
            codes, counts = codes[starts], np.add.reduceat(counts, starts)
        found.append(_facts(counts))
        codes = codes >> np.uint64(2) if depth else codes
    return found[::-1]


def _facts(counts: NDArray[np.int64]) -> _Depth:
    if not counts.size:
        return _Depth(0, 0.0, 1.0, 1.0, np.zeros(2, dtype=np.uint8))
    histogram = np.bincount(np.minimum(counts, MAX_COUNT))
    below = np.cumsum(histogram) - histogram
    shade = np.round(1 + 254 * (below + histogram / 2) / len(counts)).astype(np.uint8)
    shade[0] = 0
    shown = float(len(counts) / counts.sum())
    return _Depth(len(counts), float(np.median(counts)), float(histogram[1] / len(counts)), shown, shade)


def _radius(points_per_tile: float) -> float:
    if not points_per_tile:
        return 0.0
    radius = float(np.sqrt(INK * TILE * TILE / (np.pi * points_per_tile)))
    return 0.0 if radius < MIN_RADIUS else min(radius, MAX_RADIUS)
