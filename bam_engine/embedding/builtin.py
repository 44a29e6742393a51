"""The encoder that needs no weights: classical descriptors of colour, texture, strokes and shape.

In:  RGB images. Out: vectors of fixed meaning, the same on every run. All the work happens in :meth:`preprocess`, so
it runs in the workers that decode; there is no model to load.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding.base import Preprocessor

VERSION = 1
"""Raise it with any change of the descriptors: vectors of two versions must not be compared."""
KEY = f"builtin-v{VERSION}"


class BuiltinEncoder:
    """Classical descriptors behind the interface of an encoder."""

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
        """What does the work of :meth:`preprocess` in other processes."""
        return self.preprocess

    def encode(self, prepared: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Stack descriptions to (b, dim)."""
        return np.stack(prepared)
