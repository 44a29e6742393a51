"""Paths as they are typed and pasted: each text names one folder, whatever characters are in it."""

from pathlib import Path

import pytest

from bam_engine.errors import BamError
from bam_engine.typed_paths import typed_path

ODD = [
    "a?b",
    "a#b",
    "a%20b",
    "50%",
    "~",
    "~nobody",
    "it's",
    '"quoted"',
    " blanks ",
    "file:",
    "a&b;c",
    "ü",
    "$HOME",
    "a\\b",
]


@pytest.mark.parametrize("name", ODD)
def test_a_folder_that_exists_is_meant_by_its_exact_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    assert typed_path(name) == Path(name)
    assert typed_path(str(tmp_path / name)) == tmp_path / name


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%20b", "50%", "it's"])
def test_a_folder_that_does_not_exist_yet_has_the_typed_name(name):
    assert typed_path(f"/nowhere/{name}") == Path("/nowhere", name)


def test_what_pasting_adds_is_no_part_of_the_path(tmp_path):
    folder = tmp_path / "two words"
    folder.mkdir()
    uri = folder.as_uri()
    assert "%20" in uri
    for text in (
        f" {folder}\n",
        f"'{folder}'",
        f'"{folder}" ',
        uri,
        f" '{uri}'",
        uri.replace("///", "//localhost/", 1),
    ):
        assert typed_path(text) == folder
    assert typed_path((tmp_path / "100%25").as_uri()) == tmp_path / "100%25"


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    assert typed_path("~/pictures") == Path("/home/anna/pictures")
    assert typed_path("~nobody-of-this-name/x") == Path("~nobody-of-this-name/x")


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_an_empty_text_names_no_path(text):
    with pytest.raises(BamError, match="No path was given"):
        typed_path(text)
