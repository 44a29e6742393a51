"""Encoders of the open_clip library, with one space for images and text.

In:  RGB images, texts. Out: vectors whose dot product measures how well a text describes an image. Weights come from
the hub by tag, or from a checkpoint file.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding.base import Spec
from bam_engine.embedding.torch_model import Preprocessing, TorchModel, channel_values, readable_errors, suggest
from bam_engine.errors import EmbeddingError


class OpenClipEncoder:
    """A CLIP model of open_clip."""

    def __init__(self, spec: Spec, key: str, checkpoint: Path | None) -> None:
        import open_clip

        self.spec, self.key, self.checkpoint = spec.text, key, checkpoint
        name, tag = _names(spec, checkpoint)
        with readable_errors(spec.text, checkpoint):
            module, transform = open_clip.create_model_from_pretrained(
                name,
                str(checkpoint.absolute()) if checkpoint else tag,
                weights_only=True,
                **_settings(name, tag, spec),
            )
            self._tokenizer = open_clip.get_tokenizer(name)
        self.model = TorchModel(module, Preprocessing.of(transform))
        self.input_size = self.model.preprocessing.input_size
        with readable_errors(spec.text, checkpoint):
            self.dim = self.model.probe(module.encode_image)

    def preprocess(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Resize and crop to the input size of the model."""
        return self.model.preprocessing.pixels(image)

    def encode(self, inputs: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return L2-normalised image vectors (b, dim)."""
        return self.model.vectors(self.model.module.encode_image, inputs)

    def encode_text(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return L2-normalised text vectors (t, dim); the tokenizer truncates long texts."""
        if not texts:
            return np.empty((0, self.dim), np.float32)
        tokens = self._tokenizer(texts).to(self.model.device)
        return self.model.run(self.model.module.encode_text, tokens)


def hub_file(spec: Spec) -> tuple[str, tuple[str, ...]]:
    """Return the hub's repository of the weights of a spec, and the names that their file may have, best first.

    Raises
    ------
    EmbeddingError
        There are no such weights (similar names are suggested), they are not on the hub, or the model takes more from
        the hub than its weights.
    """
    import open_clip

    name, tag = _names(spec, None)
    text = open_clip.get_model_config(name).get("text_cfg", {})
    more = text.get("hf_tokenizer_name") or text.get("hf_model_name")
    if more:
        raise EmbeddingError(
            f"openclip:{name} reads texts with {more}, which no file of weights contains, so a file is not enough "
            "without a network. Choose a model such as ViT-B-32."
        )
    repository, _, file = open_clip.get_pretrained_cfg(name, tag).get("hf_hub", "").rpartition("/")
    if not repository:
        raise EmbeddingError(f"The weights {tag!r} of {name} are not on the hub. Choose others.")
    safe = file.rpartition(".")[0] + ".safetensors" if file else "open_clip_model.safetensors"
    return repository, (safe, file or "open_clip_pytorch_model.bin")


def _names(spec: Spec, checkpoint: Path | None) -> tuple[str, str]:
    """Return the model and the tag of a spec, which open_clip knows."""
    import open_clip

    name, _, tag = spec.name.partition("/")
    if name not in open_clip.list_models():
        raise EmbeddingError(f"open_clip has no model {name!r}. {suggest(name, open_clip.list_models())}")
    _check_tag(name, tag, checkpoint)
    return name, tag


def _check_tag(name: str, tag: str, checkpoint: Path | None) -> None:
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(name)
    if tag and open_clip.get_pretrained_cfg(name, tag):
        return
    if not tag and checkpoint is not None:
        return
    problem = (
        f"open_clip has no weights {tag!r} for {name}." if tag else f"The encoder openclip:{name} names no weights."
    )
    nearest = difflib.get_close_matches(tag, tags, n=8, cutoff=0) if tag else tags[:8]
    choice = f"Choose one of {', '.join(nearest)}" if tags else "There are none to download"
    raise EmbeddingError(f"{problem} {choice}, or use openclip:{name} with a checkpoint file.")


def _settings(name: str, tag: str, spec: Spec) -> dict[str, Any]:
    """Return the settings of model and input from the tag (also if a file provides the weights) and the options."""
    import open_clip

    known = open_clip.get_pretrained_cfg(name, tag) if tag else {}
    options = dict(spec.options)
    size = options.pop("size", None)
    settings = {
        "image_mean": channel_values(options.pop("mean", None)) or known.get("mean"),
        "image_std": channel_values(options.pop("std", None)) or known.get("std"),
        "image_interpolation": known.get("interpolation"),
        "image_resize_mode": known.get("resize_mode"),
        "force_quick_gelu": bool(known.get("quick_gelu", False)),
        "force_image_size": size,
    }
    return settings | options
