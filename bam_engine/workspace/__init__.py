"""The workspace: the stores of one collection."""

from bam_engine.workspace.core import EncoderChoice, Workspace

__all__ = ["EncoderChoice", "Workspace"]
