"""Compiles the map's kernels before they are needed."""

from dataclasses import replace

import numpy as np

from bam_engine.projection import picture_tiles, shading
from bam_engine.projection.arrangement import Arrangement
from bam_engine.projection.categories import Categories
from bam_engine.projection.encoding import encode_marks
from bam_engine.projection.tiles import TileSource
from bam_engine.projection.zoom_plan import plan_zooms


def warm() -> None:
    """Compile every kernel once: draw a map of two points in every way, select in a polygon, arrange the points."""
    sample = TileSource.build([[0.5, 0.5], [0.25, 0.25]])
    plan, some = plan_zooms(sample), np.array([True, False])
    colourings = (
        shading.DENSITY,
        shading.by_score(sample, [0.0, np.nan]),
        shading.by_label(sample, [1, 0]),
        shading.by_category(sample, Categories("", ("one",), np.array([0, -1]))),
    )
    small = replace(plan, zooms=tuple(replace(zoom, radius=0.0) for zoom in plan.zooms))
    for colouring in colourings:
        for only in (None, some):
            for marks, few in ((plan, shading.FEW), (small, 0)):
                drawn = shading.draw(sample, marks, colouring, 0, 0, 0, only=only, few=few)
                if drawn is not None:
                    encode_marks(drawn)
    sample.in_polygon([(0, 0), (1, 0), (1, 1)])
    Arrangement.of(sample, 2)
    for choice in (picture_tiles.Choice(), picture_tiles.Choice(priority=np.zeros(2, np.float32), only=some)):
        picture_tiles.representatives(sample, 0, 0, 0, across=2, choice=choice)
