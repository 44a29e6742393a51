"""The common part of timm and openclip encoders: input, device, normalisation, and readable errors.

In:  a loaded torch module and its library's transform. Out: vectors.
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

from bam_engine.embedding.checkpoints import Misfit, why_not
from bam_engine.errors import EmbeddingError

if TYPE_CHECKING:
    import torch


MAX_ASPECT = 16
"""Of a longer image, the ends that the model would not see anyway are cut off before it is resized."""


@dataclass(frozen=True)
class Preprocessing:
    """A library's transform split in two: resizing and cropping in the decoding threads, arithmetic on the device.

    The threads pass pixels as bytes, a quarter of the size of floats.
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
        if self._resizes_shorter_side:
            image = without_ends(image)
        for step in self.geometry:
            image = step(image)
        return np.asarray(image, np.uint8)

    @property
    def _resizes_shorter_side(self) -> bool:
        """Whether the longer side grows with the aspect ratio: a resize of the shorter side, whose middle is kept."""
        sizes = [getattr(step, "size", None) for step in self.geometry if type(step).__name__ == "Resize"]
        return bool(sizes) and (isinstance(sizes[0], int) or len(sizes[0] or ()) == 1)

    @property
    def input_size(self) -> int:
        """Length in pixels of the shorter side after the first resize."""
        sizes = [size for step in self.geometry if (size := getattr(step, "size", None)) is not None]
        first = sizes[0] if sizes else 224
        return int(first if isinstance(first, int) else max(first))


def without_ends(image: Image.Image) -> Image.Image:
    """Return the middle of a very long image, of which the model sees the very middle."""
    width, height = image.size
    longest = MAX_ASPECT * min(width, height)
    if max(width, height) <= longest:
        return image
    left, top = max(0, width - longest) // 2, max(0, height - longest) // 2
    return image.crop((left, top, left + min(width, longest), top + min(height, longest)))


class TorchModel:
    """A torch module on its device."""

    def __init__(self, module: Any, preprocessing: Preprocessing) -> None:
        import torch

        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.module: Any = module.eval().requires_grad_(False).to(self.device).to(memory_format=torch.channels_last)
        self.preprocessing = preprocessing
        self._mean, self._std = (self._levels(values) for values in (preprocessing.mean, preprocessing.std))

    def _levels(self, values: tuple[float, ...]) -> "torch.Tensor":
        """Return values of channels for arithmetic on bytes; one that all share, which is faster, as a scalar."""
        import torch

        levels = torch.tensor(values, device=self.device).mul_(255)
        return levels[0] if len(set(values)) == 1 else levels.reshape(-1, 1, 1)

    def tensor(self, inputs: Sequence[npt.NDArray[Any]]) -> "torch.Tensor":
        """Stack preprocessed images into one input tensor, in channels-last layout."""
        import torch

        block = torch.from_numpy(np.stack(inputs)).to(self.device).permute(0, 3, 1, 2)
        return block.float().sub_(self._mean).div_(self._std)

    def run(
        self, forward: Callable[["torch.Tensor"], "torch.Tensor"], block: "torch.Tensor"
    ) -> npt.NDArray[np.float32]:
        """Apply ``forward`` and return L2-normalised vectors (b, dim)."""
        import torch

        try:
            with torch.inference_mode():
                normalised = torch.nn.functional.normalize(forward(block).float().flatten(1), dim=1)
                vectors: npt.NDArray[np.float32] = normalised.cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise EmbeddingError(
                f"The device does not have enough memory for a batch of {len(block)} images. Choose a smaller batch."
            ) from error
        return vectors

    def vectors(
        self, forward: Callable[["torch.Tensor"], "torch.Tensor"], inputs: Sequence[npt.NDArray[Any]]
    ) -> npt.NDArray[np.float32]:
        """Return the vectors (b, dim) of preprocessed images."""
        return self.run(forward, self.tensor(inputs))

    def probe(self, forward: Callable[["torch.Tensor"], "torch.Tensor"]) -> int:
        """Return the length of the vectors, by computing one.

        Raises
        ------
        Misfit
            The vector is not finite.
        """
        grey = self.preprocessing.pixels(Image.new("RGB", (self.preprocessing.input_size,) * 2, (128, 128, 128)))
        vectors = self.vectors(forward, [grey])
        if not np.isfinite(vectors).all():
            raise Misfit("With its tensors, the vector of a picture has numbers that are not finite.")
        return int(vectors.shape[1])


def channel_values(value: Any) -> tuple[float, float, float] | None:
    """Return ``mean`` or ``std`` of three channels: None, one number for all, or three."""
    if value is None:
        return None
    first, second, third = value if isinstance(value, tuple) else (value,) * 3
    return float(first), float(second), float(third)


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a sentence that suggests the known names most similar to ``name``."""
    folded = {other.lower(): other for other in known}
    matches = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    return (
        f"Did you mean {' or '.join(folded[match] for match in matches)}?" if matches else "No known name is similar."
    )


@contextlib.contextmanager
def readable_errors(spec: str, checkpoint: Path | None) -> Iterator[None]:
    """Turn the libraries' errors while loading a model into readable ones."""
    try:
        with contextlib.nullcontext() if checkpoint else _hub():
            yield
    except EmbeddingError:
        raise
    except Exception as error:
        raise EmbeddingError(_readable(error, spec, checkpoint)) from error


def _readable(error: Exception, spec: str, checkpoint: Path | None) -> str:
    if isinstance(error, TypeError) and (checkpoint is None or "argument" in str(error)):
        return f"Cannot create {spec} with these options: {error}."
    if checkpoint is not None:
        return why_not(checkpoint, spec, error)
    return (
        f"Cannot download the weights of {spec} ({type(error).__name__}), and there is no local copy. Check the "
        "connection, or use a checkpoint file."
    )


@contextlib.contextmanager
def _hub() -> Iterator[None]:
    """Make the hub client use its local cache at once if the hub cannot be resolved.

    By default it retries for 45 seconds first.
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
