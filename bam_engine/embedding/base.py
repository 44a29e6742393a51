"""What an encoder is: the protocols that every one of them meets, and a spec taken apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

Preprocessor = Callable[[Image.Image], npt.NDArray[Any]]


@runtime_checkable
class Encoder(Protocol):
    """Images in, vectors out.

    Attributes
    ----------
    spec
        What was asked for, as written.
    key
        Name of the folder of its vectors: another key means vectors that must not be compared.
    dim
        Length of a vector.
    input_size
        Pixels of the shorter side that :meth:`preprocess` can use; more is only decoded in vain.
    """

    spec: str
    key: str
    dim: int
    input_size: int

    def preprocess(self, image: Image.Image) -> npt.NDArray[Any]:
        """Make one RGB image ready; called from several threads at once."""

    def encode(self, prepared: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Turn prepared images into L2-normalised vectors (b, dim), in order; called from one thread at a time."""


@runtime_checkable
class PortableEncoder(Encoder, Protocol):
    """An encoder whose images can be made ready in other processes, where that is most of the work."""

    @property
    def preprocessor(self) -> Preprocessor:
        """What does the work of ``preprocess`` and can be pickled."""


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """An encoder whose space holds text too."""

    def encode_text(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Turn texts into L2-normalised vectors (t, dim), comparable with those of images."""


@dataclass(frozen=True)
class Spec:
    """A spec taken apart: ``kind:name?options``."""

    text: str
    kind: str
    name: str = ""
    options: dict[str, Any] = field(default_factory=dict)
