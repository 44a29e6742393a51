"""Charts: what they show, as data; and drawn as SVG, PNG and CSV."""

from bam_engine.charts.chart import Bars, Chart, Curve, Estimates, Interval, Mark, Names, Reference, Scale
from bam_engine.charts.palette import PALE, PALETTES, Palette, Theme
from bam_engine.charts.table import csv_file
from bam_engine.charts.vega import PNG_SCALE, png_file, svg_element, svg_file

__all__ = [
    "PALE",
    "PALETTES",
    "PNG_SCALE",
    "Bars",
    "Chart",
    "Curve",
    "Estimates",
    "Interval",
    "Mark",
    "Names",
    "Palette",
    "Reference",
    "Scale",
    "Theme",
    "csv_file",
    "png_file",
    "svg_element",
    "svg_file",
]
