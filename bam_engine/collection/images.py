"""Safe decoding of image files.

In:  the path of a supposed image file. Out: an upright 8-bit RGB image, or its size and digest, or
:class:`ImageUnreadable` with a reason for the user. The size in the file's header is checked before any pixel is
decoded, so a decompression bomb costs nothing. Pillow's global pixel limit and its warning are neither used nor
changed.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

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

from bam_engine.collection.buckets import ObjectDenied
from bam_engine.collection.colours import on_white, profile_of
from bam_engine.collection.decoding_memory import memory_for
from bam_engine.collection.formats import DECIDES, RAW_SUFFIXES, SUPPORTED, format_of, what_it_is
from bam_engine.collection.generated import HEAD, is_generated
from bam_engine.collection.originals import ObjectFile, Original, digest_of, open_original
from bam_engine.collection.png_chunks import PngChunks, read_chunks
from bam_engine.collection.samples import eight_bits
from bam_engine.collection.stamps import Stamp
from bam_engine.errors import ImageUnreadable

MAX_PIXELS = 200_000_000  # decoded at once: 0.8 GB
MAX_JPEG_PIXELS = 1_000_000_000  # of a JPEG that can be decoded at a reduced scale

_PLUGINS = (  # importing them registers these formats; no others are tried
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
_ORIENTATION = 0x0112
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HEAD_OF_AVIF = 1 << 16  # bytes in which the properties of an AVIF are
_KIND_OF_IMAGE, _CAMERA, _MORE_IMAGES, _DNG_VERSION = 254, 271, 330, 50706  # tags of a TIFF
_CONVERT = f"Convert it to one of {', '.join(SUPPORTED)}."
_TRUNCATED = "The file is truncated. Copy or download it again."


@dataclass(frozen=True)
class ImageInfo:
    """What can be read without decoding: the displayed size in pixels, the SHA-256 digest of the file and its stamp.

    ``generated`` is True for images of the demo.
    """

    width: int
    height: int
    digest: str
    stamp: Stamp
    generated: bool = False


def read_image(path: str | Original, *, size: int | None = None, digest: str = "") -> Image.Image:
    """Decode an image file to upright 8-bit RGB.

    Returns what a browser shows: applies colour profiles and the orientation, takes the first frame of an animation,
    and composites transparency over white. Samples of 16 bits keep their scale; floats, integers with a sign and those
    of more bits use the whole range of their picture, from black for the lowest value to white for the highest.

    Parameters
    ----------
    path
        The file, or the object of a bucket.
    size
        The length of the shorter side, in pixels, that the caller needs. Larger images may be reduced, never below
        ``size``, which saves most of the work of decoding a JPEG. By default the image has its full size, except that a
        JPEG with more than ``MAX_PIXELS`` pixels is decoded at the largest scale (1/2, 1/4, 1/8) within that limit.
    digest
        What the SHA-256 digest of the file has to begin with; by default it may be any.

    Raises
    ------
    ImageUnreadable
        The file is missing, empty, truncated, damaged, in an unsupported format, too large, or not that of ``digest``.

    Examples
    --------
    >>> read_image("scans/0001.jpg", size=256).size  # doctest: +SKIP
    (342, 256)
    """
    with _readable_errors(), open_original(path) as file:
        if digest:
            _check_digest(file, digest)
        return _decode(file, _suffix(path), size)


def decode_image(content: bytes, *, size: int | None = None) -> Image.Image:
    """Decode the bytes of an image file as :func:`read_image` does.

    Raises
    ------
    ImageUnreadable
        The content is empty, truncated, damaged, in an unsupported format, or too large.
    """
    with _readable_errors():
        return _decode(io.BytesIO(content), "", size)


def examine(path: str | Original) -> ImageInfo:
    """Return the displayed size of an image and the digest of its file, without decoding pixels.

    Raises
    ------
    ImageUnreadable
        The file is missing, empty or not an image. A readable header does not guarantee readable pixels.
    """
    with _readable_errors(), open_original(path) as file:
        return _examined(file, _suffix(path))


def _suffix(path: str | Original) -> str:
    return Path(path).suffix if isinstance(path, str) else path.suffix


def examine_and_scale(path: str | Original, *, size: int) -> tuple[ImageInfo, Image.Image]:
    """Return what :func:`examine` does and the image as :func:`read_image` does, reading the original once.

    Raises
    ------
    ImageUnreadable
        The original is missing, empty or not an image that can be decoded.
    """
    with _readable_errors(), open_original(path) as file:
        info = _examined(file, _suffix(path))
        file.seek(0)
        return info, _decode(file, _suffix(path), size)


def _examined(file: io.BufferedReader | ObjectFile, suffix: str) -> ImageInfo:
    image = _open(file, suffix).image
    width, height = image.size
    if _orientation(image) in (_TRANSPOSES[5], _TRANSPOSES[6], _TRANSPOSES[7], _TRANSPOSES[8]):
        width, height = height, width
    file.seek(0)
    generated = is_generated(file.read(HEAD))
    return ImageInfo(width, height, *digest_of(file), generated)


def _check_digest(file: io.BufferedReader | ObjectFile, digest: str) -> None:
    if not digest_of(file)[0].startswith(digest):
        raise ImageUnreadable("The file has changed since its image was added. Add its folder again.")
    file.seek(0)


def _decode(file: BinaryIO, suffix: str, size: int | None) -> Image.Image:
    opened = _open(file, suffix)
    image, transpose = opened.image, _orientation(opened.image)
    _scale_before_decoding(image, size)
    with memory_for(image, size):
        frame = eight_bits(_first_frame(image))
        rgb = on_white(frame, opened.profile, 1 if size is None else max(1, min(frame.size) // max(size, 1)))
        return rgb if transpose is None else rgb.transpose(transpose)


def _first_frame(image: ImageFile.ImageFile) -> Image.Image:
    """Decode the frame that a browser shows first."""
    if image.info.get("default_image"):  # of a PNG whose picture is not part of its animation
        image.seek(1)
    box = image.tile[0].extents if image.format == "GIF" and image.tile else None
    image.load()
    if box is None or box == (0, 0, *image.size):
        return image
    screen = Image.new("RGBA", image.size)  # see-through around a frame that is smaller
    screen.paste(image.crop(box).convert("RGBA"), box)
    return screen


@dataclass(frozen=True)
class _Opened:
    """An image whose header is read, and the ICC profile of its colours, if they are not sRGB."""

    image: ImageFile.ImageFile
    profile: bytes | None


def _open(file: BinaryIO, suffix: str) -> _Opened:
    """Read the header. Unlike ``Image.open``, neither warn about the size nor memory-map the file."""
    head = file.read(DECIDES)
    if not head:
        raise ImageUnreadable("The file is empty (0 bytes).")
    name = format_of(head)
    if name is None:
        raise ImageUnreadable(f"The file is {what_it_is(head)}. {_CONVERT}")
    if name == "WEBP":
        _check_webp_is_whole(file)
    chunks = read_chunks(file) if name == "PNG" else None
    file.seek(0)
    try:
        image = Image.OPEN[name][0](file if chunks is None else chunks.pixels, "")
    except (SyntaxError, IndexError, TypeError, KeyError, struct.error) as error:
        if "unknown" in str(error):  # a pixel mode, a compression
            raise ImageUnreadable(
                f"The file is a {name} of a kind that is not supported ({error}). {_CONVERT}"
            ) from error
        raise ImageUnreadable(f"The file is damaged or truncated: it starts as {name} but is not valid.") from error
    if min(image.size) < 1:
        raise ImageUnreadable(f"The image has no pixels ({image.width} × {image.height}).")
    if isinstance(image, TiffImagePlugin.TiffImageFile) and _is_raw(image, suffix):
        raise ImageUnreadable(f"The file is a raw file of a camera, which is not supported. {_CONVERT}")
    if chunks is not None:
        _keep_clear_colour(image, chunks)
    return _Opened(image, profile_of(image, chunks, _codes_of_avif(file) if name == "AVIF" else None))


def _is_raw(image: TiffImagePlugin.TiffImageFile, suffix: str) -> bool:
    """Return whether a TIFF is a camera's raw file, whose first image is but a small preview."""
    tags = image.tag_v2
    preview = tags.get(_KIND_OF_IMAGE, 0) & 1 and _MORE_IMAGES in tags
    return _DNG_VERSION in tags or bool(preview) or (suffix.lower() in RAW_SUFFIXES and _CAMERA in tags)


def _keep_clear_colour(image: ImageFile.ImageFile, chunks: PngChunks) -> None:
    """Scale the transparent colour of a PNG as its samples are scaled."""
    clear = image.info.get("transparency")
    if chunks.bits == 16 and isinstance(clear, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in clear)


def _codes_of_avif(file: BinaryIO) -> bytes | None:
    """Return primaries and transfer function as AVIF gives them: two codes of ITU-T H.273."""
    file.seek(0)
    _, found, after = file.read(_HEAD_OF_AVIF).partition(b"colrnclx")
    return bytes((after[1], after[3])) if found and len(after) > 3 else None


def _check_webp_is_whole(file: BinaryIO) -> None:
    file.seek(4)
    (size,) = struct.unpack("<I", file.read(4).ljust(4, b"\0"))
    if file.seek(0, 2) < size + 8:
        raise ImageUnreadable(_TRUNCATED)


def _orientation(image: Image.Image) -> Image.Transpose | None:
    """Return the transpose that makes the image upright, from metadata before the pixels."""
    if image.format in ("TIFF", "WEBP"):
        return None  # Pillow's TIFF reader applies it, and browsers ignore that of a WebP
    try:
        # The PNG reader's own getexif would decode the whole image to look for trailing metadata.
        return _TRANSPOSES.get(Image.Image.getexif(image).get(_ORIENTATION, 1))
    except Exception:  # damaged metadata can raise any exception; the image itself may be fine
        return None


def _scale_before_decoding(image: ImageFile.ImageFile, size: int | None) -> None:
    width, height = image.size
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        # A progressive JPEG is held in memory at full size while decoding, whatever the scale.
        scalable = width * height <= MAX_JPEG_PIXELS and not image.info.get("progressive")
        scale = _fitting_scale(width, height) if scalable else 1
        target = [min(side // scale, size or side) for side in (width, height)]
        if scalable or width * height <= MAX_PIXELS:
            image.draft(None, (max(target[0], 1), max(target[1], 1)))
    if image.width * image.height > MAX_PIXELS:
        raise ImageUnreadable(
            f"The image is too large: {width:,} × {height:,} pixels ({width * height / 1e6:,.0f} megapixels) exceed "
            f"the limit of {MAX_PIXELS / 1e6:,.0f} megapixels. Scale it down and add it again."
        )


def _fitting_scale(width: int, height: int) -> int:
    """Return the smallest of 1, 2, 4, 8 that reduces the image to ``MAX_PIXELS`` or less, or 8."""
    return next((s for s in (1, 2, 4) if -(-width // s) * -(-height // s) <= MAX_PIXELS), 8)


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Turn any exception of a decoder into :class:`ImageUnreadable` with a reason for the user."""
    try:
        yield
    except ImageUnreadable:
        raise
    except Exception as error:  # decoders of hostile bytes raise anything
        raise ImageUnreadable(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "The file was not found."
    if isinstance(error, PermissionError):
        return str(error) if isinstance(error, ObjectDenied) else "Permission to read the file was denied."
    if isinstance(error, Image.DecompressionBombError):
        return f"The image is too large to open safely: {error}."
    if isinstance(error, MemoryError):
        return "There is not enough memory to decode the image."
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return _TRUNCATED
    if isinstance(error, OSError) and error.errno is not None:
        return f"The file cannot be read ({error.strerror})."
    return f"The image data is damaged ({error or type(error).__name__})."
