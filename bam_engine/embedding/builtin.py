"""The built-in encoder: classical descriptors of colour, texture, strokes and shape. It needs no weights.

In:  RGB images. Out: deterministic vectors with fixed meaning. All the work happens in :meth:`preprocess`, so
it runs in the workers that decode; there is no model to load.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding.base import Preprocessor

VERSION = 1
"""Increase it with any change of the descriptors: vectors of different versions must not be compared."""
KEY = f"builtin-v{VERSION}"


class BuiltinEncoder:
    """Classical descriptors with the interface of an encoder."""

    def __init__(self) -> None:
        from bam_engine.embedding import descriptors

        self.spec, self.key = "builtin", KEY
        self.dim, self.input_size = descriptors.DIM, descriptors.SIDE

    def preprocess(self, image: Image.Image) -> npt.NDArray[np.float32]:
        """Describe one image: (dim,), L2-normalised."""
        from bam_engine.embedding.descriptors import describe

        return describe(np.asarray(image.convert("RGB")))

    @property
    def preprocessor(self) -> Preprocessor:
        """A picklable equivalent of :meth:`preprocess`."""
        return self.preprocess

    def encode(self, inputs: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Stack descriptions to (b, dim)."""
        return np.stack(inputs)
