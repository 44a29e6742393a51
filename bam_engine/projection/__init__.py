from bam_engine.projection.frame import Frame, fit_unit_square
from bam_engine.projection.layout import BLOCK, METHODS, SAMPLE, Layout, Model, compute_layout, lay_out
from bam_engine.projection.methods import InMemory, Keep
from bam_engine.projection.selection import best_of_each
from bam_engine.projection.survey import Survey, survey
from bam_engine.projection.tiles import DEEPEST, TILE, TileSource
from bam_engine.projection.view import MapView

__all__ = [
    "BLOCK",
    "DEEPEST",
    "METHODS",
    "SAMPLE",
    "TILE",
    "Frame",
    "InMemory",
    "Keep",
    "Layout",
    "MapView",
    "Model",
    "Survey",
    "TileSource",
    "best_of_each",
    "compute_layout",
    "fit_unit_square",
    "lay_out",
    "survey",
]
