"""The dominant colours of an image, and the day it was taken. Needs no model.

In:  a small copy of an image; its file. Out: named colours; a day and its source.

Colours are classified in OKLCh, a perceptually uniform space (Ottosson, "A perceptual color space for image
processing", 2020): black, grey or white at low chroma, otherwise one of twelve hues.
"""

import re
from datetime import date

import numpy as np
import numpy.typing as npt
from PIL import Image

from bam_engine.collection.originals import Original, changed_on, open_original

HUES = {
    "pink": 345.0,
    "red": 15.0,
    "orange": 42.0,
    "yellow": 78.0,
    "lime": 116.0,
    "green": 133.0,
    "teal": 158.0,
    "cyan": 186.0,
    "azure": 216.0,
    "blue": 250.0,
    "violet": 280.0,
    "magenta": 312.0,
}
"""The hue at which each colour starts, in degrees; it ends where the next one starts."""

COLOURS = (*HUES, "black", "grey", "white")
"""The named colours; a colour's bit in a mask is its index here."""

MIN_FRACTION = 0.15
"""The fraction of an image that a colour must cover to count as present."""

GREY = 0.04  # chroma below which a pixel has no hue
DARK, LIGHT = 0.30, 0.88  # lightness below which grey is black, and from which on it is white
_MIN_LIGHTNESS = 0.18  # below it, any pixel is black
_SIDE = 32

EXIF, FILE = 1, 2
_WITH_EXIF = ("JPEG", "TIFF", "PNG", "WEBP", "AVIF")
_HEAD = 256 * 1024  # bytes of an object in a bucket that are read for its metadata
"""The source of a day: the EXIF metadata, or the file's modification time."""

_TAKEN = (0x9003, 0x9004, 0x0132)  # DateTimeOriginal, DateTimeDigitized, DateTime
_EXIF_IFD = 0x8769
_DAY = re.compile(r"(\d{4})[:-](\d{2})[:-](\d{2})")
_EPOCH = date(1970, 1, 1).toordinal()


def colour_fractions(image: Image.Image) -> npt.NDArray[np.float64]:
    """Return the fraction of the image that each of ``COLOURS`` covers, (15,), summing to 1.

    Transparency counts as white.

    Examples
    --------
    >>> fractions = colour_fractions(Image.new("RGB", (8, 8), (255, 0, 0)))
    >>> COLOURS[fractions.argmax()], float(fractions.max())
    ('red', 1.0)
    """
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    small = np.asarray(image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX))
    codes = colour_codes(small.reshape(-1, 3))
    fractions: npt.NDArray[np.float64] = np.bincount(codes, minlength=len(COLOURS)) / len(codes)
    return fractions


def colour_mask(image: Image.Image) -> int:
    """Return the colours that cover at least ``MIN_FRACTION`` of an image, as a bit mask."""
    return int(sum(1 << int(index) for index in np.flatnonzero(colour_fractions(image) >= MIN_FRACTION)))


def colour_codes(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Return the index into ``COLOURS`` of each sRGB pixel: (n,) for (n, 3)."""
    lightness, chroma, hue = _oklch(pixels)
    starts = np.array(list(HUES.values())[1:])
    hued = np.searchsorted(starts, hue, side="right")
    hued[hue >= HUES["pink"]] = 0
    neutral = len(HUES) + (lightness >= DARK).astype(np.intp) + (lightness >= LIGHT)
    neutral[lightness < _MIN_LIGHTNESS] = len(HUES)
    codes: npt.NDArray[np.intp] = np.where((chroma < GREY) | (lightness < _MIN_LIGHTNESS), neutral, hued)
    return codes


def _oklch(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float64], ...]:
    encoded = pixels / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ _TO_CONES.T)
    lab = cones @ _TO_LAB.T
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    return lab[:, 0], np.hypot(lab[:, 1], lab[:, 2]), hue


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def day_of(path: Original) -> tuple[int, int]:
    """Return the day of an image, in days since 1970-01-01, and its source: ``EXIF``, ``FILE``, or 0 if unknown.

    The day is the capture date in the EXIF metadata or, without one, the file's modification date in UTC.
    """
    taken = _taken(path)
    if taken is not None:
        return taken, EXIF
    try:
        changed = changed_on(path)
    except (OSError, OverflowError, ValueError):
        return 0, 0
    return (0, 0) if changed is None else (changed.date().toordinal() - _EPOCH, FILE)


def _taken(path: Original) -> int | None:
    try:
        with (
            open_original(path, most=_HEAD) as file,
            Image.open(file, formats=_WITH_EXIF) as image,
        ):
            exif = image.getexif()
            texts = [exif.get_ifd(_EXIF_IFD).get(tag) or exif.get(tag) for tag in _TAKEN]
    except Exception:  # damaged metadata can raise any exception; the image then has no capture date
        return None
    for text in texts:
        digits = _DAY.match(text) if isinstance(text, str) else None
        if digits is not None:
            try:
                return date(*map(int, digits.groups())).toordinal() - _EPOCH
            except ValueError:  # such as 0000:00:00
                continue
    return None
