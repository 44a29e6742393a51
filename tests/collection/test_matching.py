"""A path in a table means one image, or it is said that it does not."""

from pathlib import Path

import pytest

from bam_engine.collection import Catalogue, NewImage
from bam_engine.collection.matching import match_paths


@pytest.fixture
def catalogue(database) -> Catalogue:
    made = Catalogue(database)
    paths = ["/data/birds/owl.png", "/data/cats/owl.png", "/data/cats/tabby.png", "/more/a b/Ünï.jpg"]
    made.add([NewImage(path, 10, 10, f"digest-{path}") for path in paths])
    return made


def test_a_path_is_absolute_or_relative_to_the_folder(catalogue: Catalogue) -> None:
    wanted = ["/data/birds/owl.png", "cats/owl.png", "./cats/tabby.png", "../more/a b/Ünï.jpg"]
    found = match_paths(catalogue, wanted, Path("/data"))
    assert found.rows == dict(zip(wanted, (0, 1, 2, 3), strict=True))
    assert not found.unmatched
    assert not found.ambiguous


def test_the_end_of_a_path_is_enough_where_it_is_unique(catalogue: Catalogue) -> None:
    found = match_paths(catalogue, ["tabby.png", "birds/owl.png", "cats\\owl.png", "owl.png", "by.png", "dogs/x.png"])
    assert found.rows == {"tabby.png": 2, "birds/owl.png": 0, "cats\\owl.png": 1}
    assert found.ambiguous == ["owl.png"]
    assert found.unmatched == ["by.png", "dogs/x.png"]


def test_an_absolute_path_that_is_not_there_matches_nothing_else(catalogue: Catalogue) -> None:
    found = match_paths(catalogue, ["/elsewhere/tabby.png", "../tabby.png"], Path("/elsewhere"))
    assert found.unmatched == ["/elsewhere/tabby.png", "../tabby.png"]


def test_the_folder_comes_first(catalogue: Catalogue) -> None:
    assert match_paths(catalogue, ["owl.png"], Path("/data/cats")).rows == {"owl.png": 1}
