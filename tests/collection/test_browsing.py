"""Looking into the folders of this computer, and the folders that images may be added from."""

import os
from pathlib import Path

import pytest

from bam_engine.collection import check_allowed, look_into, mark_as_cache, starting_folder
from bam_engine.errors import CollectionError


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    for name in ("10", "2", ".hidden", "photos & “co”"):
        (tmp_path / "shelf" / name).mkdir(parents=True)
    mark_as_cache(tmp_path / "shelf" / "cached")
    for name in ("a.JPG", "b.png", ".c.png", "notes.txt"):
        (tmp_path / "shelf" / name).touch()
    return (tmp_path / "shelf").resolve()


def test_a_folder_lists_the_folders_in_it_and_counts_its_own_images(shelf: Path) -> None:
    contents = look_into(shelf)
    assert contents.folders == ("2", "10", "photos & “co”")
    assert contents.images == 2
    assert contents.parents == (*reversed(shelf.parents), shelf)


def test_links_that_lead_nowhere_or_in_a_circle_are_left_out(shelf: Path) -> None:
    (shelf / "circle").symlink_to(shelf / "circle")
    (shelf / "nowhere").symlink_to(shelf / "missing")
    (shelf / "to 2").symlink_to(shelf / "2")
    assert look_into(shelf).folders == ("2", "10", "photos & “co”", "to 2")
    assert look_into(shelf / "to 2").path == shelf / "2"


def test_a_name_of_another_encoding_is_left_out(shelf: Path) -> None:
    try:
        (shelf / os.fsdecode(b"caf\xe9")).mkdir()
    except OSError:
        pytest.skip("this file system has names of Unicode alone")
    assert look_into(shelf).folders == ("2", "10", "photos & “co”")


@pytest.mark.parametrize("place", ["", "missing", "a.JPG", "cached"])
def test_what_is_no_folder_of_images_is_refused_in_a_sentence(shelf: Path, place: str) -> None:
    with pytest.raises(CollectionError):
        look_into(str(shelf / place) if place else "")


def test_images_are_added_from_the_allowed_folders_alone(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = shelf.parent / "outside"
    outside.mkdir()
    (shelf / "2" / "way out").symlink_to(outside)
    monkeypatch.setenv("BAM_IMAGE_FOLDERS", os.pathsep.join([str(shelf / "2"), str(shelf / "10"), ""]))
    assert starting_folder() == shelf / "2"
    assert check_allowed(str(shelf / "10")) == shelf / "10"
    contents = look_into(shelf / "2")
    assert contents.folders == ()
    assert contents.parents == (shelf / "2",)
    for place in (shelf, outside, shelf / "2" / "way out", shelf / "2" / ".." / "photos & “co”"):
        with pytest.raises(CollectionError, match="this server reads images below"):
            check_allowed(str(place))


def test_without_a_limit_a_choice_starts_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BAM_IMAGE_FOLDERS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert starting_folder() == tmp_path
