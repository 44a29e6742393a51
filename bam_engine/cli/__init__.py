"""The command line: one command for each step of the work."""

from bam_engine.cli.main import main

__all__ = ["main"]
