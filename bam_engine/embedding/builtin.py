"""The encoder that needs no weights: classical descriptors of colour, texture, strokes and shape.

In:  RGB images. Out: vectors of fixed meaning, the same on every run. All the work is done in :meth:`prepare`, and so
in the workers that decode; there is no model to wait for.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding.base import Preparer

VERSION = 1
"""Raise it with any change of the descriptors: vectors of two versions must not be compared."""
KEY = f"builtin-v{VERSION}"


class BuiltinEncoder:
    """Classical descriptors behind the interface of an encoder."""

    def __init__(self) -> None:
        from bam_engine.embedding import descriptors

        self.spec, self.key = "builtin", KEY
        self.dim, self.input_size = descriptors.DIM, descriptors.SIDE

    def prepare(self, image: Image.Image) -> npt.NDArray[np.float32]:
        """Describe one image: (dim,), L2-normalised."""
        from bam_engine.embedding.descriptors import describe

        return describe(np.asarray(image.convert("RGB")))

    @property
    def preparer(self) -> Preparer:
        """What does the work of :meth:`prepare` in other processes."""
        return self.prepare

    def encode(self, prepared: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Stack descriptions to (b, dim)."""
        return np.stack(prepared)
