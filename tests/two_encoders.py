"""A second encoder for tests: vectors that nobody computed, under the key of a real one, which is not opened."""

import numpy as np
from numpy.typing import NDArray

from bam_engine.database import write_setting
from bam_engine.embedding import VectorStore, encoder_key
from bam_engine.workspace import Workspace

NETWORK = encoder_key("network")
DESCRIPTORS = encoder_key("builtin")


def add_vectors(workspace: Workspace, vectors: NDArray[np.floating], spec: str = "network") -> str:
    """Store vectors (n, d), which are normalised, as those of an encoder; return its key."""
    key = encoder_key(spec)
    length = np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True)
    store = VectorStore(workspace.cache / "vectors" / key, images=workspace.catalogue.digests().array)
    store.claim(spec=spec, key=key, dim=vectors.shape[1])
    store.append(vectors / np.maximum(length, 1e-9))
    return key


def blind_vectors(workspace: Workspace, dim: int = 32) -> NDArray[np.float32]:
    """Return vectors that say nothing about the images."""
    return np.random.default_rng(0).normal(size=(len(workspace.catalogue), dim)).astype(np.float32)


def use(workspace: Workspace, spec: str) -> None:
    """Make an encoder the one in use, without opening it."""
    write_setting(workspace.engine, "encoder", {"spec": spec, "checkpoint": None, "key": encoder_key(spec)})
