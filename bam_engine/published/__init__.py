"""BAM's published SQLite file, browsed where it lies: arrays derived from it, queries over them, single images."""

from bam_engine.published.arrays import Arrays, forget, make_arrays, named_file, opened
from bam_engine.published.contents import AttributeContents, Contents
from bam_engine.published.finding import Found, find
from bam_engine.published.lines import lines_of
from bam_engine.published.query import Query, from_json, from_url

__all__ = [
    "Arrays",
    "AttributeContents",
    "Contents",
    "Found",
    "Query",
    "find",
    "forget",
    "from_json",
    "from_url",
    "lines_of",
    "make_arrays",
    "named_file",
    "opened",
]
