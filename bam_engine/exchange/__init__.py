"""Datasets in and out: BAM's SQLite tables, CSV files, truth columns."""

from bam_engine.exchange.bam_sqlite import write_bam_sqlite
from bam_engine.exchange.dataset import (
    AttributeRecord,
    Caption,
    Choice,
    Dataset,
    Decision,
    Hit,
    ImageRecord,
    ShownExample,
    Source,
)
from bam_engine.exchange.tables import write_csv, write_notice
from bam_engine.exchange.truth import Truth, read_truth

__all__ = [
    "AttributeRecord",
    "Caption",
    "Choice",
    "Dataset",
    "Decision",
    "Hit",
    "ImageRecord",
    "ShownExample",
    "Source",
    "Truth",
    "read_truth",
    "write_bam_sqlite",
    "write_csv",
    "write_notice",
]
