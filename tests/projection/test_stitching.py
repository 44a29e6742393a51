"""A large picture of a map consists of its tiles."""

import io

import numpy as np
import pytest
from PIL import Image

from bam_engine.errors import NotFound
from bam_engine.projection.stitching import MAX_TILES, stitch, zoom_for


def marked(kind: str, z: int, x: int, y: int) -> bytes:
    """A tile whose colour says which it is."""
    if kind == "none":
        raise NotFound("there is none")
    file = io.BytesIO()
    Image.new("RGBA", (256, 256), (z * 16, x * 16, y * 16, 255)).save(file, "PNG")
    return file.getvalue()


def test_the_whole_map_at_a_tiles_size_is_its_tiles() -> None:
    sheet = np.asarray(stitch(marked, [("density", 1.0)], box=(0, 0, 1, 1), size=(1024, 1024)))
    for x in range(4):
        for y in range(4):
            part = sheet[256 * y : 256 * (y + 1), 256 * x : 256 * (x + 1)]
            assert (part == (32, x * 16, y * 16)).all()


def test_a_part_is_cut_out_where_it_lies_and_what_is_beyond_the_map_is_white() -> None:
    sheet = np.asarray(stitch(marked, [("density", 1.0)], box=(-0.25, 0.5, 0.75, 1.5), size=(1000, 1000)))
    assert (sheet[:, :250] == 255).all()
    assert (sheet[500:] == 255).all()
    assert sheet[100, 260].tolist() == [32, 0, 32]
    assert sheet[400, 990].tolist() == [32, 32, 48]


def test_layers_are_composed_with_their_opacity_and_missing_tiles_skipped() -> None:
    layers = [("density", 0.5), ("none", 1.0)]
    sheet = np.asarray(stitch(marked, layers, box=(0, 0, 1, 1), size=(256, 256)))
    assert np.abs(sheet.astype(int) - 127).max() <= 1


@pytest.mark.parametrize("side", [1e-6, 1e-3, 0.1, 1.0, 40.0])
def test_the_tiles_are_bounded_and_scaled_by_no_more_than_the_root_of_two(side: float) -> None:
    size = (4961, 3508)
    zoom = zoom_for((0.3, 0.3, 0.3 + side, 0.3 + side * size[1] / size[0]), size)
    scaled = size[0] / side / 2**zoom / 256
    assert 0 <= zoom <= 16
    assert (size[0] / 256 / scaled + 2) * (size[1] / 256 / scaled + 2) <= MAX_TILES or zoom == 0
    if 0 < zoom < 16:
        assert 0.7 <= scaled <= 1.42
