"""Encoders of the timm library: any of its models, without the classifier.

In:  RGB images. Out: pooled features. Weights come from timm's hub or from a checkpoint file; a classifier in the file,
of whatever classes, is left out.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding.base import Spec
from bam_engine.embedding.torch_model import Preprocessing, TorchModel, loading, near, three
from bam_engine.errors import EmbeddingError


class TimmEncoder:
    """A timm model that gives its pooled features."""

    def __init__(self, spec: Spec, key: str, checkpoint: Path | None) -> None:
        import timm

        self.spec, self.key = spec.text, key
        architecture = spec.name.partition(".")[0]
        if not timm.is_model(architecture):
            raise EmbeddingError(f"timm has no model {architecture!r}. {near(architecture, timm.list_models())}")
        if checkpoint is None and not timm.is_model_pretrained(spec.name):
            tags = timm.list_pretrained(f"{architecture}.*") or timm.list_pretrained(architecture)
            there = f"It has {', '.join(tags[:5])}. Choose one, or give" if tags else "Give"
            raise EmbeddingError(f"timm knows no weights for {spec.name}. {there} a checkpoint file.")
        options = dict(spec.options)
        asked = {name: options.pop(name, None) for name in ("mean", "std", "size")}
        with loading(spec.text, checkpoint):
            module = timm.create_model(spec.name, pretrained=checkpoint is None, num_classes=0, **options)
            if checkpoint is not None:
                _load(module, checkpoint)
        self.model = TorchModel(module, _preprocessing(module, asked, spec.text))
        self.input_size = self.model.preprocessing.input_size
        with loading(spec.text, checkpoint):
            self.dim = self.model.probe(module)

    def preprocess(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Resize and crop to what the model takes."""
        return self.model.preprocessing.pixels(image)

    def encode(self, prepared: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return L2-normalised pooled features (b, dim)."""
        return self.model.vectors(self.model.module, prepared)


def _load(module: Any, checkpoint: Path) -> None:
    """Load a file into a model that has no classifier; only a classifier's tensors may be left over."""
    from timm.models import load_checkpoint

    outcome = load_checkpoint(module, str(checkpoint), strict=False)
    if outcome is None:  # a NumPy archive, which the model's own loader has checked
        return
    heads = module.pretrained_cfg.get("classifier") or ()
    heads = tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))
    strange = [name for name in outcome.unexpected_keys if not name.startswith(heads)]
    if outcome.missing_keys or strange:
        raise ValueError(
            f"{len(outcome.missing_keys)} tensors of the model are not in the file"
            f"{_such_as(outcome.missing_keys)}, {len(strange)} of the file are not in the model{_such_as(strange)}."
        )


def _such_as(names: Sequence[str]) -> str:
    return f" ({', '.join(names[:2])}{', …' if len(names) > 2 else ''})" if names else ""


def _preprocessing(module: Any, asked: dict[str, Any], spec: str) -> Preprocessing:
    import timm.data

    data: Any = timm.data

    args = {name: three(asked[name], spec, name) for name in ("mean", "std")}
    size = asked["size"]
    if size is not None and not (isinstance(size, int) and size > 0):
        raise EmbeddingError(f"size={size!r} in {spec} is not a number of pixels.")
    config = data.resolve_data_config({**args, "img_size": size}, model=module)
    return Preprocessing.of(data.create_transform(**config, is_training=False))
