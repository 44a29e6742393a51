"""A path in a table means one image, or it is said that it does not."""

import unicodedata
from pathlib import Path

import pytest

from bam_engine.collection import Catalogue, NewImage
from bam_engine.collection.matching import match_files, match_paths


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


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_the_table", ["NFC", "NFD"])
def test_accents_match_however_they_are_composed(database, tmp_path: Path, on_disk, in_the_table) -> None:
    catalogue = Catalogue(database)
    catalogue.add([NewImage(unicodedata.normalize(on_disk, "/data/Zoë/café.png"), 10, 10, "digest")])
    wanted = ["/data/Zoë/café.png", "Zoë/café.png", "café.png", "Zoë\\café.png"]
    wanted = [unicodedata.normalize(in_the_table, path) for path in wanted]
    assert match_paths(catalogue, wanted, Path("/data")).rows == dict.fromkeys(wanted, 0)
    assert match_files(catalogue.uris(), [], wanted[:2], Path("/data")) == dict.fromkeys(
        wanted[:2], catalogue.uris()[0]
    )


def test_an_absolute_path_in_mixed_composition_matches(database) -> None:
    catalogue = Catalogue(database)
    mixed = "/data/Zoë/" + unicodedata.normalize("NFD", "café.png")
    catalogue.add([NewImage(mixed, 10, 10, "digest")])
    assert match_paths(catalogue, [unicodedata.normalize("NFC", mixed)]).rows == {
        unicodedata.normalize("NFC", mixed): 0
    }


def test_a_path_that_leads_through_links_names_the_file_that_it_leads_to(database, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.png").touch()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/b.png").symlink_to("a.png")
    catalogue = Catalogue(database)
    file = str(tmp_path / "real/a.png")
    catalogue.add([NewImage(file, 10, 10, "digest")])
    wanted = [f"{tmp_path}/link/a.png", "link/a.png", "link\\a.png", "link/b.png", f"{tmp_path}/link/../link/b.png"]
    assert match_paths(catalogue, wanted, tmp_path).rows == dict.fromkeys(wanted, 0)
    assert match_files([file], [], wanted, tmp_path) == dict.fromkeys(wanted, file)
    assert match_files([f"{tmp_path}/real/b.png"], [f"{tmp_path}/real/b.png"], [file], tmp_path)


def test_a_backslash_in_a_name_is_tried_as_it_is_first(catalogue: Catalogue, tmp_path: Path) -> None:
    files = ["/data/a\\b.png", "/data/a/b.png"]
    assert match_files(files, [], ["a\\b.png", "a/b.png"], Path("/data")) == dict(
        zip(["a\\b.png", "a/b.png"], files, strict=True)
    )
    assert match_paths(catalogue, ["", "\0", "x" * 5000]).unmatched == ["", "\0", "x" * 5000]
