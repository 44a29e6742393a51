"""Encoders of the timm library: any of its models without the classifier.

In:  RGB images. Out: pooled features. Weights come from timm's hub or from a checkpoint file, whose classifier, if any,
is ignored.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.embedding.base import Spec
from bam_engine.embedding.checkpoints import Misfit, lacks_and_has
from bam_engine.embedding.torch_model import Preprocessing, TorchModel, channel_values, readable_errors, suggest
from bam_engine.errors import EmbeddingError


class TimmEncoder:
    """The pooled features of a timm model."""

    def __init__(self, spec: Spec, key: str, checkpoint: Path | None) -> None:
        import timm

        self.spec, self.key, self.checkpoint = spec.text, key, checkpoint
        architecture = spec.name.partition(".")[0]
        if not timm.is_model(architecture):
            raise EmbeddingError(f"timm has no model {architecture!r}. {suggest(architecture, timm.list_models())}")
        if checkpoint is None and not timm.is_model_pretrained(spec.name):
            tags = timm.list_pretrained(f"{architecture}.*") or timm.list_pretrained(architecture)
            choice = f"Choose one of {', '.join(tags[:5])}, or use" if tags else "Use"
            raise EmbeddingError(f"timm has no pretrained weights for {spec.name}. {choice} a checkpoint file.")
        options = dict(spec.options)
        overrides = {name: options.pop(name, None) for name in ("mean", "std", "size")}
        with readable_errors(spec.text, checkpoint):
            module = timm.create_model(spec.name, pretrained=checkpoint is None, num_classes=0, **options)
            if checkpoint is not None:
                _load(module, checkpoint)
        self.model = TorchModel(module, _preprocessing(module, overrides))
        self.input_size = self.model.preprocessing.input_size
        with readable_errors(spec.text, checkpoint):
            self.dim = self.model.probe(module)

    def preprocess(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """Resize and crop to the input size of the model."""
        return self.model.preprocessing.pixels(image)

    def encode(self, inputs: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
        """Return L2-normalised pooled features (b, dim)."""
        return self.model.vectors(self.model.module, inputs)


def _load(module: Any, checkpoint: Path) -> None:
    """Load a file into a model without a classifier; only classifier tensors may remain unused."""
    from timm.models import load_checkpoint

    outcome = load_checkpoint(module, str(checkpoint), strict=False, weights_only=True)
    if outcome is None:  # a NumPy archive, checked by the model's own loader
        return
    heads = module.pretrained_cfg.get("classifier") or ()
    heads = tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))
    unexpected = [name for name in outcome.unexpected_keys if not name.startswith(heads)]
    if outcome.missing_keys or unexpected:
        raise Misfit(lacks_and_has(outcome.missing_keys, unexpected))


def _preprocessing(module: Any, overrides: dict[str, Any]) -> Preprocessing:
    import timm.data

    data: Any = timm.data

    args = {name: channel_values(overrides[name]) for name in ("mean", "std")}
    config = data.resolve_data_config({**args, "img_size": overrides["size"]}, model=module)
    return Preprocessing.of(data.create_transform(**config, is_training=False))
