"""From a file of any kind to pixels that everything else can rely on.

In:  the path of a file that somebody says is a picture.
Out: an upright 8-bit RGB image, or its size and digest, or :class:`ImageUnreadable` with a reason for a person. Knows
nothing of rows or the database. The size in a file's header is judged before anything is decoded, so that a
decompression bomb costs nothing; Pillow's own global limit and its warning are neither used nor changed.
"""

import hashlib
import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from bam_engine.collection.generated import HEAD, is_generated
from bam_engine.errors import ImageUnreadable

MAX_PIXELS = 200_000_000  # that are ever decoded at once: 0.8 GB
MAX_JPEG_PIXELS = 1_000_000_000  # that a JPEG may have when it can be decoded at a smaller scale

_PLUGINS = (  # importing them registers the formats named here, and no other is tried
    JpegImagePlugin,
    PngImagePlugin,
    GifImagePlugin,
    WebPImagePlugin,
    BmpImagePlugin,
    TiffImagePlugin,
    PpmImagePlugin,
    Jpeg2KImagePlugin,
    AvifImagePlugin,
)
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
READABLE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".avif"}
)
UNSUPPORTED_SUFFIXES = frozenset(
    {".heic", ".heif", ".jxl", ".psd", ".svg", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2"}
)
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_CUT_OFF = "the file is cut off: its end is missing. Copy or download it again."


@dataclass(frozen=True)
class ImageInfo:
    """What is known of a file without decoding it: its size as displayed, in pixels, and the SHA-256 of its bytes.

    ``generated`` says that it is marked as a picture of the demo.
    """

    width: int
    height: int
    digest: str
    generated: bool = False


def read_image(path: str | Path, *, size: int | None = None) -> Image.Image:
    """Decode a picture to upright 8-bit RGB.

    EXIF rotation is applied; of an animation the first frame is taken; transparency is laid over white; 16-bit, CMYK
    and palette pictures are converted by value, not clipped.

    Parameters
    ----------
    path
        The file.
    size
        The caller needs a shorter side of no more than this many pixels: larger pictures come back smaller, which
        saves most of the decoding of a JPEG. The shorter side is never made less than ``size``. Without it the picture
        has its full size, save a JPEG of more than ``MAX_PIXELS`` pixels, which is decoded at the largest scale
        (1/2, 1/4, 1/8) within that limit.

    Raises
    ------
    ImageUnreadable
        With the reason: missing, empty, cut off, damaged, of another format, or too large.

    Examples
    --------
    >>> read_image("scans/0001.jpg", size=256).size  # doctest: +SKIP
    (342, 256)
    """
    with _reasons(), Path(path).open("rb") as file:
        return _decoded(file, Path(path).suffix, size)


def decode_image(content: bytes, *, size: int | None = None) -> Image.Image:
    """Decode the content of an image file as :func:`read_image` does the file.

    Raises
    ------
    ImageUnreadable
        With the reason: empty, cut off, damaged, of another format, or too large.
    """
    with _reasons():
        return _decoded(io.BytesIO(content), "", size)


def examine(path: str | Path) -> ImageInfo:
    """Return the size of a picture, as displayed, and the digest of its file; the pixels are not decoded.

    Raises
    ------
    ImageUnreadable
        The file is missing, empty or no picture. That the header can be read does not yet mean that the pixels can.
    """
    with _reasons(), Path(path).open("rb") as file:
        image = _opened(file, Path(path).suffix)
        width, height = image.size
        if _turn(image) in (_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8]):
            width, height = height, width
        file.seek(0)
        generated = is_generated(file.read(HEAD))
        file.seek(0)
        return ImageInfo(width, height, hashlib.file_digest(file, "sha256").hexdigest(), generated)


def _decoded(file: BinaryIO, suffix: str, size: int | None) -> Image.Image:
    image = _opened(file, suffix)
    turn = _turn(image)
    _scale_before_decoding(image, size)
    image.load()
    plain = _on_white(_smaller(_eight_bits(image), size))
    return plain if turn is None else plain.transpose(turn)


def _opened(file: BinaryIO, suffix: str) -> ImageFile.ImageFile:
    """Read the header. Unlike ``Image.open``, neither warn of the size nor map the file into memory."""
    prefix = file.read(16)
    if not prefix:
        raise ImageUnreadable("the file is empty (0 bytes).")
    if prefix[:4] == b"RIFF":
        _check_webp_is_whole(file)
    # Raw and HEIC files pass for TIFF and AVIF, and would give a stamp-sized preview or nonsense.
    unsupported = suffix.lower() in UNSUPPORTED_SUFFIXES
    for name in _FORMATS:
        factory, accept = Image.OPEN[name]
        if accept is None or accept(prefix) is not True or (unsupported and name in ("TIFF", "AVIF")):
            continue
        file.seek(0)
        try:
            image = factory(file, "")
        except (SyntaxError, IndexError, TypeError, KeyError, struct.error) as error:
            raise ImageUnreadable(f"the file is damaged or cut off: it begins as {name} and is not valid.") from error
        if min(image.size) < 1:
            raise ImageUnreadable(f"the picture has no pixels ({image.width} x {image.height}).")
        return image
    kind = f"{suffix[1:].upper()} files cannot be read" if unsupported else "the file is not a picture"
    raise ImageUnreadable(f"{kind}: the formats that can be read are {', '.join(_FORMATS)}. Convert the file.")


def _check_webp_is_whole(file: BinaryIO) -> None:
    file.seek(4)
    (promised,) = struct.unpack("<I", file.read(4).ljust(4, b"\0"))
    if file.seek(0, 2) < promised + 8:
        raise ImageUnreadable(_CUT_OFF)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """Return how to set the image upright, from the metadata that stands before the pixels."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return None  # Pillow's TIFF reader does it
    try:
        # The PNG reader's own getexif decodes the whole picture to look for metadata behind it.
        return _TURNS.get(Image.Image.getexif(image).get(_ORIENTATION, 1))
    except Exception:  # metadata of unknown makers is broken in every way: the picture counts, not it
        return None


def _scale_before_decoding(image: ImageFile.ImageFile, size: int | None) -> None:
    width, height = image.size
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        # A progressive JPEG is held whole while it is decoded, whatever the scale: there the limit is the limit.
        may_fit = width * height <= MAX_JPEG_PIXELS and not image.info.get("progressive")
        fitting = _fitting_scale(width, height) if may_fit else 1
        wanted = [min(side // fitting, size or side) for side in (width, height)]
        if may_fit or width * height <= MAX_PIXELS:
            image.draft(None, (max(wanted[0], 1), max(wanted[1], 1)))
    if image.width * image.height > MAX_PIXELS:
        raise ImageUnreadable(
            f"the picture is too large: {width:,} x {height:,} pixels are {width * height / 1e6:,.0f} megapixels, the "
            f"limit is {MAX_PIXELS / 1e6:,.0f}. Make it smaller and add it again."
        )


def _fitting_scale(width: int, height: int) -> int:
    """Return the least of 1, 2, 4, 8 that brings the picture within ``MAX_PIXELS``, or 8."""
    return next((s for s in (1, 2, 4) if -(-width // s) * -(-height // s) <= MAX_PIXELS), 8)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Bring samples of 16 and 32 bits to 8 by their range."""
    if image.mode.startswith("I;16"):
        samples = np.asarray(image).astype(np.uint32)  # native order, whatever the file's
        return Image.fromarray(((samples + 128) // 257).astype(np.uint8))
    if image.mode not in ("I", "F"):
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535:
        values, high = values - low, high - low
    full = next((full for full in _full_scales(image.mode) if high <= full), high)
    return Image.fromarray(np.rint(values * (255.0 / full)).astype(np.uint8))


def _full_scales(mode: str) -> tuple[float, ...]:
    """Return the values that may stand for white: Pillow reads 16-bit samples of some formats as 32-bit ones."""
    return (1.0, 255.0, 65535.0) if mode == "F" else (65535.0,)


def _smaller(image: Image.Image, size: int | None) -> Image.Image:
    if size is None or image.mode in ("P", "1", "PA"):
        return image
    factor = min(image.size) // max(size, 1)
    return image if factor < 2 else image.reduce(factor)


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGB", layer.size, "white")
    white.paste(layer, mask=layer.getchannel("A"))
    return white


@contextmanager
def _reasons() -> Iterator[None]:
    """Turn whatever a decoder raises into a reason for a person."""
    try:
        yield
    except ImageUnreadable:
        raise
    except Exception as error:  # the decoders read hostile bytes and raise anything
        raise ImageUnreadable(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "the file is not there any more."
    if isinstance(error, PermissionError):
        return "the file may not be read (permission denied)."
    if isinstance(error, Image.DecompressionBombError):
        return f"the picture is too large to open safely: {error}."
    if isinstance(error, MemoryError):
        return "the picture needs more memory than there is."
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return _CUT_OFF
    if isinstance(error, OSError) and error.errno is not None:
        return f"the file cannot be read ({error.strerror})."
    return f"the picture's data is damaged ({error or type(error).__name__})."
