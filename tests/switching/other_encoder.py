"""An encoder in place of the network, which takes no seconds: the descriptors in reverse order, and their means."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding import Encoder, encoder_key
from bam_engine.embedding.builtin import BuiltinEncoder


class OtherEncoder:
    """Vectors that the descriptors' classifiers do not fit: they are longer by one number."""

    def __init__(self, spec: str) -> None:
        self._descriptors = BuiltinEncoder()
        self.spec, self.key = spec, encoder_key(spec)
        self.dim, self.input_size = self._descriptors.dim + 1, self._descriptors.input_size

    def preprocess(self, image: Image.Image) -> npt.NDArray[np.float32]:
        return self._descriptors.preprocess(image)

    def encode(self, inputs: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        vectors = np.stack(inputs)[:, ::-1]
        vectors = np.hstack([vectors, vectors.mean(axis=1, keepdims=True)])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def open_other(spec: str, *, checkpoint: Path | None = None) -> Encoder:
    """Take the place of ``open_encoder``."""
    return BuiltinEncoder() if spec == "builtin" else OtherEncoder(spec)
