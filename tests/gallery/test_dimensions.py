"""Shapes and sizes: every image is in one of each, by its width and height."""

import numpy as np
import pytest

from bam_engine.collection import NewImage
from bam_engine.errors import BamError
from bam_engine.gallery.dimensions import SHAPES, SIZES, dimension_counts, dimension_mask
from bam_engine.workspace import Workspace

DRAWN = [(499, 500), (500, 500), (1000, 1000), (1999, 2000), (4000, 4000), (9000, 100), (100, 9000), (1040, 1000)]


@pytest.fixture
def drawn(workspace: Workspace) -> Workspace:
    """The small pictures, and eight of given sides."""
    workspace.catalogue.add([NewImage(f"/{k}.jpg", *sides, f"n{k}") for k, sides in enumerate(DRAWN)])
    return workspace


def test_a_band_of_sizes_holds_its_lower_limit(drawn: Workspace) -> None:
    found = [[size for size in SIZES if dimension_mask(drawn, "size", [size], 128)[row]] for row in range(120, 128)]
    bands = ["under 0.25 MP", "0.25–1 MP", "1–4 MP", "1–4 MP", "16 MP or more", "0.25–1 MP", "0.25–1 MP", "1–4 MP"]
    assert found == [[band] for band in bands]


def test_a_shape_is_square_where_the_sides_nearly_agree(drawn: Workspace) -> None:
    found = [
        [shape for shape in SHAPES if dimension_mask(drawn, "shape", [shape], 128)[row]] for row in range(120, 128)
    ]
    assert found == [["square"]] * 5 + [["landscape"], ["portrait"], ["square"]]


def test_every_image_is_counted_once_also_after_more_were_added(drawn: Workspace) -> None:
    for kind in ("size", "shape"):
        assert sum(dimension_counts(drawn, kind, np.ones(128, bool)).values()) == 128
    drawn.catalogue.add([NewImage("/late.jpg", 100, 300, "late")])
    drawn.memory.clear()
    late = np.arange(129) == 128
    assert dimension_counts(drawn, "shape", late) == {"landscape": 0, "square": 0, "portrait": 1}
    assert dimension_counts(drawn, "size", late)["under 0.25 MP"] == 1


def test_another_value_is_refused_with_those_that_there_are(drawn: Workspace) -> None:
    with pytest.raises(BamError, match="Choose one of landscape, square, portrait"):
        dimension_mask(drawn, "shape", ["round"], 128)
