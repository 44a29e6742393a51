"""A collection of generated artworks whose truth is known: to try everything with, and to measure it."""

from bam_engine.demo.art.artwork import Artwork, draw
from bam_engine.demo.art.studio import TRUTHS
from bam_engine.demo.art.writing import write_collection

__all__ = ["TRUTHS", "Artwork", "draw", "write_collection"]
