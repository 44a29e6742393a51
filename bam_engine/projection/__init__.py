from bam_engine.projection.layout import METHODS, compute_layout, fit_unit_square
from bam_engine.projection.selection import best_of_each
from bam_engine.projection.survey import Survey, survey
from bam_engine.projection.tiles import DEEPEST, TILE, TileSource
from bam_engine.projection.view import MapView

__all__ = [
    "DEEPEST",
    "METHODS",
    "TILE",
    "MapView",
    "Survey",
    "TileSource",
    "best_of_each",
    "compute_layout",
    "fit_unit_square",
    "survey",
]
