"""The standard encoder: what the network sees and what the descriptors measure, as one vector.

In:  RGB images. Out: the features of the network and the descriptors, each of unit length, side by side. The network
sees contents, the descriptors see how a picture is made; together they are better at both than either
(``benchmarks/encoders.py``).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding import builtin, descriptors, network
from bam_engine.embedding.base import Preprocessor

VERSION = 1
"""Increase it with any change of the vectors that is not one of the descriptors or of the network."""
KEY = f"combined-v{VERSION}.{network.VERSION}.{builtin.VERSION}"
DIM = network.DIM + descriptors.DIM
_SHARE = 0.7
"""Length of the descriptors' part of a vector, where that of the network is 1."""
_INPUT = np.dtype([("pixels", np.uint8, (network.SIDE, network.SIDE, 3)), ("descriptors", np.float32, descriptors.DIM)])


class CombinedEncoder:
    """The network and the descriptors with the interface of one encoder.

    Raises
    ------
    EmbeddingError
        The weights of the network are not installed, or damaged.
    """

    def __init__(self) -> None:
        self.spec, self.key = "combined", KEY
        self.dim, self.input_size = DIM, network.SHORTER_SIDE
        self._network = network.NetworkEncoder()

    def preprocess(self, image: Image.Image) -> npt.NDArray[np.void]:
        """Cut out what the network sees, and describe the image."""
        return _prepare(image)

    @property
    def preprocessor(self) -> Preprocessor:
        """A picklable equivalent of :meth:`preprocess`."""
        return _prepare

    def encode(self, inputs: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return the L2-normalised vectors (b, DIM)."""
        block = np.stack(inputs)
        seen = self._network.encode(block["pixels"])
        return np.hstack([seen, np.float32(_SHARE) * block["descriptors"]]) / np.float32(np.hypot(1, _SHARE))


def _prepare(image: Image.Image) -> npt.NDArray[np.void]:
    return np.array((network.pixels(image), descriptors.describe(np.asarray(image))), _INPUT)
