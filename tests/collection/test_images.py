"""Reading image files: correct pixels from every format, a reason for everything else."""

import contextlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, ImageOps

from bam_engine.collection import colours, images, read_image
from bam_engine.collection.images import examine
from bam_engine.errors import ImageUnreadable
from tests.collection.odd_pictures import chunk
from tests.needs import needs_real_pictures

LOSSLESS = ("PNG", "TIFF", "BMP", "PPM")


def picture(width: int = 60, height: int = 40) -> Image.Image:
    """Return a smooth picture whose corners all differ."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))


def saved(path: Path, image: Image.Image, form: str, **options: object) -> Path:
    image.save(path, form, **options)
    return path


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("form", LOSSLESS)
def test_a_lossless_picture_comes_back_as_it_is(tmp_path, form):
    file = saved(tmp_path / "a", picture(), form)
    assert read_image(file).mode == "RGB"
    assert (pixels(read_image(file)) == pixels(picture())).all()


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "AVIF", "JPEG2000"])
def test_a_lossy_picture_comes_back_nearly_as_it_is(tmp_path, form):
    file = saved(tmp_path / "a", picture(), form)
    assert np.abs(pixels(read_image(file)) - pixels(picture())).mean() < 6


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied_and_the_displayed_size_is_reported(tmp_path, form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = saved(tmp_path / "a", picture(), form, exif=exif)
    with Image.open(file) as image:
        reference = ImageOps.exif_transpose(image).convert("RGB")
    read, info = read_image(file), examine(file)
    assert (pixels(read) == pixels(reference)).all()
    assert (info.width, info.height) == read.size == reference.size
    assert (read.width < read.height) == (orientation >= 5)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow warns and continues
def test_broken_metadata_does_not_affect_the_image(tmp_path):
    file = saved(tmp_path / "a", picture(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    assert read_image(file).size == (60, 40)
    assert (examine(file).width, examine(file).height) == (60, 40)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path, form):
    values = np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)
    file = saved(tmp_path / "a", Image.fromarray(values), form)
    definition = np.rint(values / 65535 * 255)
    assert (np.abs(pixels(read_image(file))[..., 0] - definition) <= 1).all()


def test_a_float_picture_from_nought_to_one_fills_the_range(tmp_path):
    values = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
    values[0, 0] = np.nan
    read = pixels(read_image(saved(tmp_path / "a", Image.fromarray(values), "TIFF")))
    assert read.min() == 0
    assert read.max() == 255


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("<f4", -1, 1),
        ("<f4", 0, 3_000),
        ("<f4", 0, 1e-6),
        ("<f4", -3e38, 3e38),
        ("<f8", -1, 1e6),
        ("<i1", -128, 127),
        ("<i1", -5, 5),
        ("<i2", -1_000, 3_000),
        ("<i2", 100, 200),
        (">i2", -1_000, 3_000),
        ("<i4", -(2**31), 2**31 - 1),
        (">i4", 0, 70_000),
        ("<u4", 0, 4_095),
        ("<u4", 10, 2**32 - 1),
    ],
)
@pytest.mark.parametrize("size", [None, 16])
def test_samples_with_a_sign_floats_and_wide_integers_use_their_whole_range(tmp_path, kind, low, high, size):
    exact = np.linspace(low, high, 64) if kind[1] == "f" else np.rint(np.linspace(low, high, 64))
    file = tmp_path / "a.tif"
    file.write_bytes(tiff(np.tile(exact, (32, 1)).astype(kind)))
    definition = np.rint((exact / 2 - low / 2) / (high / 2 - low / 2) * 255)
    read = pixels(read_image(file, size=size))[..., 0]
    if size is None:
        assert (np.abs(read - definition) <= 1).all()
    else:
        assert (np.abs(read - definition.reshape(-1, 64 // read.shape[1]).mean(axis=1)) <= 2).all()


def test_what_is_no_number_counts_as_the_lowest_and_infinity_as_the_highest(tmp_path):
    values = np.array([[-2, 0, 2, np.nan, np.inf, -np.inf]], np.float32)
    read = pixels(read_image(saved(tmp_path / "a", Image.fromarray(values), "TIFF")))
    assert read[0, :, 0].tolist() == [0, 128, 255, 0, 255, 0]


@pytest.mark.parametrize(("value", "seen"), [(0.0, 0), (-3.0, 0), (0.5, 255), (np.nan, 0)])
def test_of_a_picture_of_one_value_a_positive_one_is_white(tmp_path, value, seen):
    file = saved(tmp_path / "a", Image.fromarray(np.full((4, 4), value, np.float32)), "TIFF")
    assert (pixels(read_image(file)) == seen).all()


@pytest.mark.parametrize("kind", ["<u2", ">u2", "<f4"])
def test_where_white_is_nought_the_picture_is_the_negative(tmp_path, kind):
    values = np.tile(np.linspace(0, 65535, 64), (8, 1)).astype(kind)
    read = []
    for photometric in (0, 1):
        (tmp_path / "a.tif").write_bytes(tiff(values, photometric))
        read.append(pixels(read_image(tmp_path / "a.tif")))
    assert (read[0] == 255 - read[1]).all()


def tiff(samples: np.ndarray, photometric: int = 1) -> bytes:
    """Return an uncompressed grey TIFF, also of samples that Pillow cannot write."""
    order = ">" if samples.dtype.byteorder == ">" else "<"
    height, width = samples.shape
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8 * samples.itemsize), (259, 3, 1), (262, 3, photometric)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, samples.nbytes), (339, 3, kind)]
    entry = {3: "HHIHxx", 4: "HHII"}
    table = b"".join(struct.pack(order + entry[form], tag, form, 1, value) for tag, form, value in tags)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + samples.nbytes)
    return head + samples.tobytes() + struct.pack(order + "H", len(tags)) + table + bytes(4)


@pytest.mark.parametrize("size", [None, 16])
def test_cmyk_of_adobe_comes_back_in_its_colours(tmp_path, size):
    file = saved(tmp_path / "a", Image.new("RGB", (64, 64), (200, 60, 20)).convert("CMYK"), "JPEG", quality=95)
    assert np.abs(pixels(read_image(file, size=size)) - (200, 60, 20)).max() < 12


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_over_white(tmp_path, mode):
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 20, 40))
    image = image.quantize() if mode == "P" else image.convert(mode)
    file = saved(tmp_path / "a", image, "PNG")
    for size in (None, 10):
        read = read_image(file, size=size)
        assert read.getpixel((1, 1)) == (0, 0, 0)
        assert read.getpixel((read.width - 2, 1)) == (255, 255, 255)


@pytest.mark.parametrize(("mode", "clear"), [("P", 0), ("P", b"\0\xff"), ("L", 0), ("RGB", (0, 0, 0)), ("1", 0)])
@pytest.mark.parametrize("size", [None, 8])
def test_a_transparent_colour_is_laid_over_white(tmp_path, mode, clear, size):
    image = Image.new(mode, (32, 32), 0)
    if mode == "P":
        image.putpalette([0, 0, 0, 90, 0, 0])
    read = read_image(saved(tmp_path / "a.png", image, "PNG", transparency=clear), size=size)
    assert (pixels(read) == 255).all()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path, form):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    file = saved(tmp_path / "a", frames[0], form, save_all=True, append_images=frames[1:])
    assert np.abs(pixels(read_image(file)) - (250, 0, 0)).max() < 10


@pytest.mark.parametrize("size", [None, 8])
def test_the_hidden_colour_of_clear_pixels_does_not_darken_their_neighbours(tmp_path, size):
    stripes = np.full((64, 64, 4), 255, np.uint8)
    stripes[:, ::2] = (0, 0, 0, 0)
    file = saved(tmp_path / "a", Image.fromarray(stripes), "PNG")
    assert (pixels(read_image(file, size=size)) == 255).all()


def test_a_large_see_through_picture_is_the_same_as_a_small_one(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    file = saved(tmp_path / "a", Image.fromarray(rng.integers(0, 256, (75, 91, 4), dtype=np.uint8)), "PNG")
    at_once = {size: pixels(read_image(file, size=size)) for size in (None, 20, 7)}
    monkeypatch.setattr(colours, "_BAND", 400)
    for size, whole in at_once.items():
        assert (pixels(read_image(file, size=size)) == whole).all()


def test_the_chunks_beside_the_pixels_of_a_png_are_not_read(tmp_path):
    file = saved(tmp_path / "a", picture(300, 200), "PNG")
    content = file.read_bytes()
    end = content.rindex(b"\0\0\0\0IEND")
    odd = b"".join(chunk(kind, bytes(100_000)) for kind in (b"tEXt", b"zTXt", b"iTXt", b"prVt", b"tIME", b"iCCP"))
    for place in (33, end):
        file.write_bytes(content[:place] + odd + content[place:])
        assert (pixels(read_image(file)) == pixels(picture(300, 200))).all()
        assert examine(file).width == 300


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    size=st.integers(1, 300),
    form=st.sampled_from(["JPEG", "PNG"]),
    orientation=st.integers(1, 8),
)
def test_a_smaller_reading_keeps_the_picture_and_a_shorter_side_of_size(
    tmp_path, width, height, size, form, orientation
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = saved(tmp_path / "a", picture(width, height), form, exif=exif)
    whole, small = read_image(file), read_image(file, size=size)
    assert min(small.size) >= min(size, *whole.size)
    assert (small.width <= small.height) == (whole.width <= whole.height) or min(small.size) == max(small.size)
    if min(whole.size) >= 2 * size and form == "PNG":
        assert min(small.size) < 2 * size
    if min(small.size) >= 8:
        resized = [pixels(image.resize((4, 4), Image.Resampling.BOX)) for image in (small, whole)]
        # The last pixel may stand for less than the others: of few pixels, that moves what is seen.
        assert np.abs(resized[0] - resized[1]).mean() < (16 if min(small.size) >= 16 else 24)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000"])
@pytest.mark.parametrize("part", [0.0005, 0.1, 0.5, 0.9])
def test_a_truncated_file_is_unreadable_at_any_size(tmp_path, form, part):
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    noise = Image.fromarray(rng.integers(0, 256, (200, 200, 3), dtype=np.uint8))
    noise.save(buffer, form, **({"irreversible": False} if form == "JPEG2000" else {}))
    file = tmp_path / "a"
    file.write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * part)])
    for size in (None, 20):
        with pytest.raises(ImageUnreadable, match=r"truncated|damaged|not an image|empty"):
            read_image(file, size=size)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_the_most_common_formats_report_a_truncated_file(tmp_path, form):
    file = saved(tmp_path / "a", picture(300, 300), form)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ImageUnreadable, match="The file is truncated"):
        read_image(file)


def test_what_is_not_an_image_gets_a_reason_without_the_path(tmp_path):
    reasons = {}
    for name, content in {
        "empty": b"",
        "page": b"<html>",
        "word": b"PK\3\4" * 9,
        "photo.heic": b"\0\0\0\x1cftypheic",
    }.items():
        (tmp_path / name).write_bytes(content)
        for read in (read_image, examine):
            with pytest.raises(ImageUnreadable) as caught:
                read(tmp_path / name)
            reasons[name] = str(caught.value)
            assert str(tmp_path) not in reasons[name]
    assert "empty" in reasons["empty"]
    assert "not an image" in reasons["page"]
    assert "The file is a HEIC picture, which is not supported" in reasons["photo.heic"]
    assert "a web page" in reasons["page"]
    with pytest.raises(ImageUnreadable, match="not found"):
        read_image(tmp_path / "gone")
    with pytest.raises(ImageUnreadable, match="cannot be read"):
        read_image(tmp_path)


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG whose header promises ``width`` x ``height`` pixels."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path, monkeypatch):
    file = tmp_path / "bomb.png"
    file.write_bytes(bomb(30_000, 30_000))
    decoded = []
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: decoded.append(image.size))
    for size in (None, 256):
        with pytest.raises(ImageUnreadable, match=r"30,000 × 30,000 pixels \(900 megapixels\) exceed the limit of 200"):
            read_image(file, size=size)
    assert not decoded
    assert examine(file).width == 30_000


@pytest.mark.parametrize("form", ["WEBP", "GIF", "TIFF", "BMP"])
def test_a_picture_of_any_format_above_the_limit_is_refused(tmp_path, monkeypatch, form):
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    with pytest.raises(ImageUnreadable, match="too large"):
        read_image(saved(tmp_path / "a", picture(), form))


def test_a_picture_that_pillow_would_warn_of_is_read(tmp_path):
    file = saved(tmp_path / "a.png", Image.new("1", (30_000, 3_100), 1), "PNG")  # 93 megapixels
    assert read_image(file, size=100).size[1] >= 100


def test_a_jpeg_above_the_limit_is_read_at_the_largest_scale_within_it(tmp_path, monkeypatch):
    file = saved(tmp_path / "a", picture(400, 400), "JPEG")
    for limit, side in ((160_000, 400), (159_999, 200), (39_999, 100), (9_999, 50)):
        monkeypatch.setattr(images, "MAX_PIXELS", limit)
        assert read_image(file).size == (side, side)
    monkeypatch.setattr(images, "MAX_PIXELS", 2_499)
    with pytest.raises(ImageUnreadable, match="400 × 400"):
        read_image(file)


def test_a_progressive_jpeg_above_the_limit_is_refused_since_it_is_decoded_at_full_size(tmp_path, monkeypatch):
    file = saved(tmp_path / "a", picture(400, 400), "JPEG", progressive=True)
    monkeypatch.setattr(images, "MAX_PIXELS", 159_999)
    for size in (None, 20):
        with pytest.raises(ImageUnreadable, match="400 × 400"):
            read_image(file, size=size)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"]),
    damage=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6),
    end=st.floats(0, 1),
)
def test_damaged_bytes_give_a_picture_or_a_reason_and_nothing_else(tmp_path, form, damage, end):
    buffer = io.BytesIO()
    picture(30, 20).save(buffer, form)
    data = bytearray(buffer.getvalue())
    for place, value in damage:
        data[int(place * min(len(data), 200))] = value
    file = tmp_path / "a"
    file.write_bytes(bytes(data[: int(len(data) * end) if damage else len(data)]))
    with contextlib.suppress(ImageUnreadable):
        assert read_image(file, size=8).mode == "RGB"


def test_a_file_with_an_undecodable_name_is_read(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff \xf0\x9f\x98\x80 '<script>.png"
    with open(path, "wb") as file:  # noqa: PTH123 - the name is bytes
        picture().save(file, "PNG")
    assert read_image(os.fsdecode(path)).size == (60, 40)


def test_real_pictures_read_as_pillow_reads_them():
    folder = needs_real_pictures()
    for file in sorted((folder / "photos").rglob("*.jpg"))[:20] + sorted(folder.rglob("*.png"))[:20]:
        with Image.open(file) as image:
            flat = Image.new("RGBA", image.size, "white")
            reference = Image.alpha_composite(flat, image.convert("RGBA")).convert("RGB")
        assert np.abs(pixels(read_image(file)) - pixels(reference)).max() <= 1


def test_a_jpeg_needed_small_is_decoded_small(tmp_path, monkeypatch):
    file = saved(tmp_path / "a", picture(800, 800), "JPEG")
    load, decoded = ImageFile.ImageFile.load, []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: decoded.append(image.size) or load(image))
    assert read_image(file, size=100).size == (100, 100)
    assert decoded[0] == (100, 100)
