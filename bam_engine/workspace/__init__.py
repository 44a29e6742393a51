"""The workspace: the stores of one collection."""

from bam_engine.workspace.core import Workspace
from bam_engine.workspace.encoders import EncoderChoice

__all__ = ["EncoderChoice", "Workspace"]
