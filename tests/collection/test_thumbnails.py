"""Thumbnails: size, atomic writes, and rendering again when missing."""

import errno
import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bam_engine.collection import Thumbnails
from bam_engine.collection.thumbnails import Thumbnail
from bam_engine.errors import CollectionError, DiskFull, ImageUnreadable


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "WEBP"
    return image


@given(width=st.integers(1, 3000), height=st.integers(1, 3000))
def test_the_longest_side_is_at_most_size_and_nothing_is_enlarged(width, height):
    image = opened(Thumbnails("unused", size=64).render(Image.new("RGB", (width, height))).data)
    assert max(image.size) == min(64, max(width, height))
    scale = min(1, 64 / max(width, height))
    assert abs(image.width - width * scale) <= 1
    assert abs(image.height - height * scale) <= 1


def test_a_written_thumbnail_is_read_and_a_missing_one_is_none(tmp_path):
    thumbnails = Thumbnails(tmp_path / "t")
    assert thumbnails.read(12_345) is None
    assert not thumbnails.has(12_345)
    thumbnails.write(12_345, Image.new("RGB", (500, 300), "red"))
    assert thumbnails.has(12_345)
    assert opened(thumbnails.read(12_345)).size == (256, 154)
    assert thumbnails.path(12_345).parent != thumbnails.path(2_345).parent


def test_ensure_renders_and_stores_a_missing_or_empty_thumbnail(tmp_path):
    file = tmp_path / "a.png"
    Image.new("RGB", (10, 10), "red").save(file)
    thumbnails = Thumbnails(tmp_path / "t")
    data = thumbnails.ensure(0, file)
    assert thumbnails.read(0) == data
    thumbnails.path(0).write_bytes(b"")  # as a power cut may leave it
    assert not thumbnails.has(0)
    assert thumbnails.ensure(0, file) == data == thumbnails.read(0)
    file.unlink()
    assert thumbnails.ensure(0, file) == data
    with pytest.raises(ImageUnreadable, match="not found"):
        thumbnails.ensure(1, file)


def test_a_full_disk_is_named_and_leaves_nothing_behind(tmp_path, monkeypatch):
    thumbnails = Thumbnails(tmp_path / "t")
    thumbnails.store(0, Thumbnail(b"old", Image.new("RGB", (1, 1))))

    def full(_self: Path, _target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DiskFull, match="is full"):
        thumbnails.store(0, Thumbnail(b"new", Image.new("RGB", (1, 1))))
    assert thumbnails.read(0) == b"old"
    assert [p.name for p in (tmp_path / "t").rglob("*") if p.is_file()] == ["0.webp"]
    image = tmp_path / "a.png"
    Image.new("RGB", (9, 9)).save(image)
    assert opened(thumbnails.ensure(1, image)).size == (9, 9)  # returned although it cannot be stored


def test_a_folder_that_is_not_writable_is_named(tmp_path):
    (tmp_path / "t").write_text("a file stands here")
    with pytest.raises(CollectionError, match="Cannot write"):
        Thumbnails(tmp_path / "t").write(0, Image.new("RGB", (1, 1)))


def saved(file: Path, colour: str) -> str:
    Image.new("RGB", (10, 10), colour).save(file)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:32]


def test_a_thumbnail_of_another_image_counts_as_missing(tmp_path):
    red, blue = saved(tmp_path / "red.png", "red"), saved(tmp_path / "blue.png", "blue")
    first = Thumbnails(tmp_path / "t", digest_of=lambda row: red)
    data = first.ensure(0, tmp_path / "red.png")
    second = Thumbnails(tmp_path / "t", digest_of=lambda row: blue)
    assert second.read(0) is None
    assert not second.has(0)
    assert second.ensure(0, tmp_path / "blue.png") != data
    assert first.read(0) is None


def test_a_thumbnail_is_made_of_no_other_bytes_than_those_of_its_image(tmp_path):
    red = saved(tmp_path / "a.png", "red")
    thumbnails = Thumbnails(tmp_path / "t", digest_of=lambda row: red)
    saved(tmp_path / "a.png", "blue")
    with pytest.raises(ImageUnreadable, match="has changed since"):
        thumbnails.ensure(0, tmp_path / "a.png")
    assert not thumbnails.has(0)


@pytest.mark.parametrize("damage", [b"", bytes(200), b"RIFF", b"cut"])
def test_a_damaged_thumbnail_is_made_again(tmp_path, damage):
    thumbnails = Thumbnails(tmp_path / "t")
    saved(tmp_path / "a.png", "red")
    data = thumbnails.ensure(0, tmp_path / "a.png")
    file = thumbnails.path(0)
    file.write_bytes(file.read_bytes()[:-30] if damage == b"cut" else damage)
    assert thumbnails.read(0) is None
    assert thumbnails.ensure(0, tmp_path / "a.png") == data == thumbnails.read(0)
