"""Datasets in and out: BAM's SQLite tables, CSV files, truth columns; figures out, as SVG and PNG."""

from bam_engine.exchange.bam_sqlite import write_bam_sqlite
from bam_engine.exchange.dataset import (
    AttributeRecord,
    Caption,
    Choice,
    Dataset,
    Decision,
    Hit,
    ImageRecord,
)
from bam_engine.exchange.drawing import Drawing, png_file, svg_element, svg_file
from bam_engine.exchange.figures import (
    CurvePoint,
    PrecisionRow,
    learning_figure,
    precision_figure,
    precision_recall_figure,
    score_figure,
)
from bam_engine.exchange.tables import read_truth, write_csv, write_notice

__all__ = [
    "AttributeRecord",
    "Caption",
    "Choice",
    "CurvePoint",
    "Dataset",
    "Decision",
    "Drawing",
    "Hit",
    "ImageRecord",
    "PrecisionRow",
    "learning_figure",
    "png_file",
    "precision_figure",
    "precision_recall_figure",
    "read_truth",
    "score_figure",
    "svg_element",
    "svg_file",
    "write_bam_sqlite",
    "write_csv",
    "write_notice",
]
