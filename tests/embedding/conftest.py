"""A small CLIP model with its checkpoint, and a few real pictures."""

import json
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.collection import read_image

CLIP = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="session")
def pictures(shared_images: Path, shared_labels: list[dict[str, str]]) -> list[Image.Image]:
    """Eight real pictures, of every medium."""
    return [read_image(shared_images / label["path"]) for label in shared_labels[:: len(shared_labels) // 8][:8]]


@pytest.fixture(scope="session")
def clip_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small CLIP model that open_clip knows as ``small-test``."""
    import open_clip
    import torch

    folder = tmp_path_factory.mktemp("clip")
    (folder / "small-test.json").write_text(json.dumps(CLIP))
    open_clip.add_model_config(folder / "small-test.json")
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = open_clip.create_model("small-test")
    torch.save(model.state_dict(), folder / "small.pt")
    return folder / "small.pt"
