"""The standard encoder: what the network sees and what the descriptors measure, as one vector.

In:  RGB images. Out: the vectors of the network and of the descriptors side by side, with the same weight. The network
sees contents, the descriptors see how a picture is made; together they are better than either
(``benchmarks/encoders.py``). Why nothing reduces their length: docs/decisions/0032-network-and-descriptors.md.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding import builtin, network

VERSION = 1
"""Increase it with any change of the vectors that is not one of the descriptors or of the network."""
KEY = f"combined-v{VERSION}.{network.VERSION}.{builtin.VERSION}"


class CombinedEncoder:
    """The network and the descriptors with the interface of one encoder.

    Raises
    ------
    EmbeddingError
        The weights of the network are not installed, or damaged.
    """

    def __init__(self) -> None:
        from bam_engine.embedding import descriptors

        self.spec, self.key = "combined", KEY
        self.dim, self.input_size = network.DIM + descriptors.DIM, network.SHORTER_SIDE
        self._network = network.NetworkEncoder()

    def preprocess(self, image: Image.Image) -> npt.NDArray[np.void]:
        """Cut out what the network sees, and describe the image."""
        return _prepare(image)

    def encode(self, inputs: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return the L2-normalised vectors (b, DIM)."""
        block = np.stack(inputs)
        vectors = np.hstack([self._network.encode(block["pixels"]), block["descriptors"]])
        vectors /= np.float32(np.sqrt(2))
        return vectors


def _prepare(image: Image.Image) -> npt.NDArray[np.void]:
    from bam_engine.embedding.descriptors import describe

    pixels, described = network.pixels(image), describe(np.asarray(image))
    parts = [("pixels", np.uint8, pixels.shape), ("descriptors", np.float32, described.shape)]
    return np.array((pixels, described), parts)
