"""Plans the zooms of a map before its first tile is drawn, so that tiles join without seams.

In:  the points in Morton order.
Out: for each zoom the radius of marks and the shade of each density, the same for all its tiles; the first zoom with
     pictures, and the last zoom. Knows nothing of colours.

All of this follows from the number of points in each occupied cell at each Morton depth. A pixel of zoom z is a cell at
depth z + 8, so these are the counts that the tiles will show, over the whole map.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.projection.morton import DEPTH
from bam_engine.projection.tiles import DEEPEST, TILE, TileSource

MAX_COUNT = 65_535
"""Pixels with more points than this share one shade."""

INK = 0.1
"""The fraction of an occupied tile's pixels that marks should cover, within the limits of the radius."""

MIN_RADIUS, MAX_RADIUS = 0.75, 6.0
"""Limits of a mark's radius in pixels; smaller marks are single pixels."""

CROWD = 12
"""Pictures are shown from the zoom at which the median cell has at most so many images."""

LAST_PICTURE_ZOOM = 6
"""Pictures are shown from this zoom on at the latest."""

SMALLEST_CELL = 3
"""Picture cells are at most so many halvings of a tile: 32 pixels, then 64, 128, 256."""

MIN_SHOWN = 0.6
"""Cells are no smaller than needed to show this fraction of all images; at the last zoom all images are spread out."""

PIXEL_DEPTH = TILE.bit_length() - 1


@dataclass(frozen=True, eq=False)
class Zoom:
    """One zoom: the ``radius`` of marks in pixels (0: one pixel), and the ``shade`` (k,) of a pixel with i points.

    Shades equalise the histogram of the whole map: the shade of a pixel is the fraction of occupied pixels with fewer
    points, plus half of those with as many. Counts beyond the table have its last shade.
    """

    radius: float
    shade: NDArray[np.uint8]

    @property
    def log_shade(self) -> NDArray[np.uint8]:
        """Shades proportional to the logarithm of the count, up to the highest count of the map."""
        highest = len(self.shade) - 1
        counts = np.arange(1, highest + 1)
        shades = np.zeros(highest + 1, np.uint8)
        shades[1:] = np.round(1 + 254 * np.log(counts) / np.log(highest)) if highest > 1 else 128
        return shades


@dataclass(frozen=True, eq=False)
class ZoomPlan:
    """All zooms, and the range of those with pictures.

    ``shown_depth`` is the depth at which cells are so small that most images are shown. At ``max_zoom`` a cell is a
    whole tile, and every image has one: see :mod:`.arrangement`.
    """

    zooms: tuple[Zoom, ...]
    picture_from_zoom: int
    max_zoom: int
    shown_depth: int

    def pictures_across(self, z: int) -> int:
        """Return the number of pictures along a side of a tile: 8 of 32 pixels, at deeper zooms 4, 2 and 1.

        Their size grows evenly from the first zoom with pictures to the last, or sooner where larger cells show most
        images too. A cell never covers more of the map than one of the zoom above.
        """
        first, last = self.picture_from_zoom, self.max_zoom
        left = max(last - z, 0)
        span = last - first
        halvings = -(-SMALLEST_CELL * left // span) if span >= SMALLEST_CELL else left
        return 1 << min(halvings, max(self.shown_depth - z, 0), SMALLEST_CELL)

    def picture_depth(self, z: int) -> int:
        """Return the Morton depth of the picture cells of zoom ``z``."""
        return z + self.pictures_across(z).bit_length() - 1


@dataclass(frozen=True)
class _Depth:
    cells: int
    median: float
    alone: float
    shown: float
    shade: NDArray[np.uint8]


def plan_zooms(source: TileSource) -> ZoomPlan:
    """Return the zoom plan of a map; takes 0.5 s for 2.5 million points."""
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
    """Return statistics of every depth from 0 to 24; each depth is counted from the cells of the next deeper one."""
    depths: list[_Depth] = []
    codes, counts = source.codes, np.ones(len(source), dtype=np.int64)
    for depth in range(DEPTH, -1, -1):
        if len(codes):
            starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
            codes, counts = codes[starts], np.add.reduceat(counts, starts)
        depths.append(_statistics(counts))
        codes = codes >> np.uint64(2) if depth else codes
    return depths[::-1]


def _statistics(counts: NDArray[np.int64]) -> _Depth:
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
