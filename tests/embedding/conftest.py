"""A few drawn pictures, decoded."""

import pytest
from PIL import Image

from bam_engine.collection import read_image
from tests.drawn_pictures import draw_collection


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Image.Image]:
    """Eight pictures, of every kind."""
    folder = tmp_path_factory.mktemp("few")
    counts = {"usda_pomological": 2, "fluent_emoji/3d": 2, "fluent_emoji/flat": 1, "photos": 2, "game_icons": 1}
    return [read_image(folder / labels.path) for labels in draw_collection(folder, counts)]
