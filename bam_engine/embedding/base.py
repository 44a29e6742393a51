"""The protocols of encoders, and parsed encoder specs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

Preprocessor = Callable[[Image.Image], npt.NDArray[Any]]


@runtime_checkable
class Encoder(Protocol):
    """Turns images into vectors.

    Attributes
    ----------
    spec
        The spec with which it was opened.
    key
        Name of the folder of its vectors. Vectors of different keys must not be compared.
    dim
        Length of a vector.
    input_size
        Length of the shorter side, in pixels, that :meth:`preprocess` needs; larger images are reduced while decoding.
    """

    spec: str
    key: str
    dim: int
    input_size: int

    def preprocess(self, image: Image.Image) -> npt.NDArray[Any]:
        """Turn one RGB image into model input. Must be thread-safe."""

    def encode(self, inputs: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return L2-normalised vectors (b, dim) of preprocessed images, in order. Called from one thread at a time."""


@runtime_checkable
class PortableEncoder(Encoder, Protocol):
    """An encoder that can preprocess in other processes, for encoders where preprocessing dominates."""

    @property
    def preprocessor(self) -> Preprocessor:
        """A picklable callable equivalent to ``preprocess``."""


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """An encoder that embeds text in the same space as images."""

    def encode_text(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return L2-normalised vectors (t, dim) of texts, comparable with those of images."""


@dataclass(frozen=True)
class Spec:
    """A parsed spec: ``kind:name?options``."""

    text: str
    kind: str
    name: str = ""
    options: dict[str, Any] = field(default_factory=dict)
