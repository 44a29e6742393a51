"""A file is what its content says, whatever its name."""

import io

import numpy as np
import pytest
from PIL import Image

from bam_engine.collection import read_image
from bam_engine.collection.formats import DECIDES, SUPPORTED, format_of, is_picture, what_it_is
from bam_engine.errors import ImageUnreadable
from tests.collection.odd_pictures import odd_pictures
from tests.collection.test_images import tiff


@pytest.mark.parametrize("form", SUPPORTED)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_supported_formats_are_known_by_their_first_bytes(form: str, mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (9, 9)).save(buffer, form)
    assert format_of(buffer.getvalue()[:DECIDES]) == form


def test_every_odd_picture_is_known_by_its_first_bytes() -> None:
    assert {name: name.split()[0] for name, content in odd_pictures()} == {
        name: {"JPEG": "jpeg", "WEBP": "webp"}.get(form, form.lower())
        for name, content in odd_pictures()
        if (form := format_of(content[:DECIDES])) is not None
    }


PICTURES = {
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "a HEIC picture",
    b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic": "a HEIC picture",
    b"\0\0\0\x18ftypcrx \0\0\0\1crx isom": "a raw file of a camera",
    b"\xff\x0a" + bytes(20): "a JPEG XL picture",
    b"8BPS\0\1": "a Photoshop file",
    b"\xef\xbb\xbf<?xml version='1.0'?><!-- by hand --><svg xmlns=''>": "an SVG drawing",
    b"\n <svg width='9'>": "an SVG drawing",
    b"II*\0\x10\0\0\0CR\2\0": "a raw file of a camera",
    b"\0\0\1\0\1\0": "a Windows icon",
    b"v/1\1": "an OpenEXR picture",
    bytes(128) + b"DICM": "a DICOM file",
}
OTHERS = {
    b"<!DOCTYPE html><html>": "a web page",
    b"%PDF-1.7": "a PDF document",
    b"PK\3\4": "a ZIP archive or an office document",
    b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom": "a video",
    b"RIFF\0\0\0\0AVI LIST": "a video",
    b"version https://git-lfs.github.com/spec/v1": "a pointer of Git LFS, whose content has not been fetched",
    b"path,title\na.png,b\n": "text",
    "P1 bis P3: Räume".encode(): "text",
    b"BM is short for benchmark, and this is a text": "text",
    bytes(40): "of an unknown format",
}


@pytest.mark.parametrize("head", PICTURES)
def test_unsupported_pictures_are_named(head: bytes, tmp_path) -> None:
    assert is_picture(head)
    (tmp_path / "a.jpg").write_bytes(head)
    with pytest.raises(ImageUnreadable) as caught:
        read_image(tmp_path / "a.jpg")
    assert str(caught.value).startswith(
        f"The file is {PICTURES[head]}, which is not supported. Convert it to one of JPEG"
    )


@pytest.mark.parametrize("head", OTHERS)
def test_what_is_no_picture_is_named_too(head: bytes, tmp_path) -> None:
    assert not is_picture(head)
    assert what_it_is(head) == f"{OTHERS[head]}, not an image"


@pytest.mark.parametrize("name", ["IMG_1", "IMG_1.heic", "IMG_1.nef", "IMG_1.txt"])
def test_a_supported_picture_is_read_whatever_its_name(name: str, tmp_path) -> None:
    for form in ("JPEG", "TIFF", "AVIF"):
        Image.new("RGB", (9, 7)).save(tmp_path / name, form)
        assert read_image(tmp_path / name).size == (9, 7)


@pytest.mark.parametrize(
    ("name", "tags"), [("a", {50706: b"\1\4\0\0"}), ("a.tif", {254: 1, 330: 8}), ("a.nef", {271: "Camera & Co."})]
)
def test_a_cameras_raw_file_is_known_by_what_it_holds(name: str, tags: dict[int, object], tmp_path) -> None:
    Image.new("RGB", (9, 7)).save(tmp_path / name, "TIFF", tiffinfo=tags)
    with pytest.raises(ImageUnreadable, match="is a raw file of a camera, which is not supported"):
        read_image(tmp_path / name)


def test_a_kind_of_a_supported_format_that_cannot_be_read_is_not_called_damaged(tmp_path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(np.zeros((4, 4), "<u8")))
    with pytest.raises(ImageUnreadable, match="is a TIFF of a kind that is not supported"):
        read_image(tmp_path / "a.tif")
