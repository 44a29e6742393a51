"""The arithmetic of maps: layouts, tiles, colours, regions. Works on arrays and knows no store."""

from bam_engine.projection.encoding import media_type
from bam_engine.projection.frame import Frame, fit_unit_square
from bam_engine.projection.layout import BLOCK, METHODS, SAMPLE, Layout, Model, compute_layout, fit_layout
from bam_engine.projection.map_view import MapView
from bam_engine.projection.methods import Checkpoints, InMemoryCheckpoints
from bam_engine.projection.selection import best_of_each
from bam_engine.projection.tiles import DEEPEST, TILE, TileSource
from bam_engine.projection.zoom_plan import ZoomPlan, plan_zooms

__all__ = [
    "BLOCK",
    "DEEPEST",
    "METHODS",
    "SAMPLE",
    "TILE",
    "Checkpoints",
    "Frame",
    "InMemoryCheckpoints",
    "Layout",
    "MapView",
    "Model",
    "TileSource",
    "ZoomPlan",
    "best_of_each",
    "compute_layout",
    "fit_layout",
    "fit_unit_square",
    "media_type",
    "plan_zooms",
]
