"""What timm and openclip models have in common: input, device, normalisation, and errors in plain words.

In:  a loaded torch module and the transform that its library makes for it. Out: vectors. Knows no model by name.
"""

import contextlib
import difflib
import socket
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.errors import EmbeddingError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Preprocessing:
    """A library's transform in two halves: resize and crop here, in the decoding threads; the arithmetic on the device.

    The first half keeps pixels as bytes, a quarter of what the threads would otherwise hand over.
    """

    geometry: tuple[Callable[[Any], Any], ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, transform: Any) -> "Preprocessing":
        """Split a torchvision ``Compose`` before its conversion to a tensor."""
        steps = list(transform.transforms)
        names = [type(step).__name__ for step in steps]
        cut = next(place for place, name in enumerate(names) if name.endswith("ToTensor"))
        last = steps[names.index("Normalize")]
        return cls(tuple(steps[:cut]), tuple(map(float, last.mean)), tuple(map(float, last.std)))

    def pixels(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Resize and crop to uint8 (height, width, 3)."""
        for step in self.geometry:
            image = step(image)
        return np.asarray(image, np.uint8)

    @property
    def input_size(self) -> int:
        """Pixels of the shorter side that the first resize makes."""
        sizes = [size for step in self.geometry if (size := getattr(step, "size", None)) is not None]
        first = sizes[0] if sizes else 224
        return int(first if isinstance(first, int) else max(first))


class TorchModel:
    """A torch module on its device, fed with prepared images."""

    def __init__(self, module: Any, preprocessing: Preprocessing) -> None:
        import torch

        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.module: Any = module.eval().requires_grad_(False).to(self.device).to(memory_format=torch.channels_last)
        self.preprocessing = preprocessing
        shape = (len(preprocessing.mean), 1, 1)
        self._mean = torch.tensor(preprocessing.mean, device=self.device).mul_(255).reshape(shape)
        self._std = torch.tensor(preprocessing.std, device=self.device).mul_(255).reshape(shape)

    def tensor(self, prepared: Sequence[npt.NDArray[Any]]) -> "torch.Tensor":
        """Stack prepared images into the model's input, channels last in memory."""
        import torch

        block = torch.from_numpy(np.stack(prepared)).to(self.device).permute(0, 3, 1, 2)
        return block.float().sub_(self._mean).div_(self._std)

    def run(
        self, forward: Callable[["torch.Tensor"], "torch.Tensor"], block: "torch.Tensor"
    ) -> npt.NDArray[np.float32]:
        """Apply ``forward`` and return L2-normalised vectors (b, dim)."""
        import torch

        try:
            with torch.inference_mode():
                made = torch.nn.functional.normalize(forward(block).float().flatten(1), dim=1)
                vectors: npt.NDArray[np.float32] = made.cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise EmbeddingError(
                f"the device has no memory for {len(block)} images at once. Choose a smaller batch."
            ) from error
        return vectors

    def vectors(
        self, forward: Callable[["torch.Tensor"], "torch.Tensor"], prepared: Sequence[npt.NDArray[Any]]
    ) -> npt.NDArray[np.float32]:
        """Prepared images to vectors."""
        return self.run(forward, self.tensor(prepared))

    def probe(self, forward: Callable[["torch.Tensor"], "torch.Tensor"]) -> int:
        """Return the length of the vectors, by making one."""
        grey = self.preprocessing.pixels(Image.new("RGB", (self.preprocessing.input_size,) * 2, (128, 128, 128)))
        return int(self.vectors(forward, [grey]).shape[1])


def three(value: Any, spec: str, option: str) -> tuple[float, float, float] | None:
    """Read ``mean`` or ``std``: None, one number for all channels, or three."""
    if value is None:
        return None
    numbers = value if isinstance(value, tuple) else (value,) * 3
    if len(numbers) != 3 or not all(isinstance(number, int | float) for number in numbers):
        raise EmbeddingError(f"{option}={value!r} in {spec} is not one number or three with commas.")
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def near(name: str, known: Iterable[str]) -> str:
    """Say which known names are near ``name``: the end of an error message."""
    folded = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(folded[match] for match in found)}?" if found else "No known name is near it."


@contextlib.contextmanager
def loading(spec: str, checkpoint: Path | None) -> Iterator[None]:
    """Put the libraries' errors while a model is loaded into words for a person."""
    try:
        with contextlib.nullcontext() if checkpoint else _hub():
            yield
    except EmbeddingError:
        raise
    except TypeError as error:
        raise EmbeddingError(f"{spec} cannot be made with these options: {error}.") from error
    except Exception as error:
        if checkpoint is not None:
            raise EmbeddingError(
                f"the checkpoint {checkpoint} does not fit {spec}: {_first_words(error)} "
                "Give the file of this very model, or name the model that the file is of."
            ) from error
        raise EmbeddingError(
            f"the weights of {spec} were asked of the model hub, which cannot be reached or does not have them "
            f"({type(error).__name__}), and there is no copy on this machine. Give a checkpoint file instead."
        ) from error


def _first_words(error: Exception) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 240 else words[:239].rsplit(" ", 1)[0] + " …"


@contextlib.contextmanager
def _hub() -> Iterator[None]:
    """Let the hub's client use its local copies at once when the hub has no address here.

    Left alone it tries for three quarters of a minute before it looks at what it has.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    try:
        if not urllib.request.getproxies():
            socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
