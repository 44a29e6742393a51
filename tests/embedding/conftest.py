"""A few real pictures, decoded."""

from pathlib import Path

import pytest
from PIL import Image

from bam_engine.collection import read_image


@pytest.fixture(scope="session")
def pictures(shared_images: Path, shared_labels: list[dict[str, str]]) -> list[Image.Image]:
    """Eight real pictures, of every medium."""
    return [read_image(shared_images / label["path"]) for label in shared_labels[:: len(shared_labels) // 8][:8]]
