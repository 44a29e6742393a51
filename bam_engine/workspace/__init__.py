"""The workspace: everything of one collection, wired together."""

from bam_engine.workspace.core import EncoderChoice, Workspace

__all__ = ["EncoderChoice", "Workspace"]
