"""Encoders, the vector store, and the run that fills it."""

from bam_engine.embedding.base import Encoder, TextEncoder
from bam_engine.embedding.encoder import DEFAULT_ENCODER, encoder_key, open_encoder
from bam_engine.embedding.names import display_name
from bam_engine.embedding.parts import Executor
from bam_engine.embedding.ray_cluster import connected
from bam_engine.embedding.run import EmbedResult, embed, retry_missing
from bam_engine.embedding.store import VectorStore

__all__ = [
    "DEFAULT_ENCODER",
    "EmbedResult",
    "Encoder",
    "Executor",
    "TextEncoder",
    "VectorStore",
    "connected",
    "display_name",
    "embed",
    "encoder_key",
    "open_encoder",
    "retry_missing",
]
