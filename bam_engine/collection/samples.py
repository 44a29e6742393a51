"""Samples of any width as 8 bits.

In:  a decoded image. Out: an image with samples of 8 bits. Unsigned samples of 16 bits keep their scale: 65,535 is
white. Samples that have no white of their own (floats, integers with a sign, integers wider than 16 bits) use the whole
range of their picture: its lowest value becomes black, its highest white.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

_SAMPLE_FORMAT, _BITS, _PHOTOMETRIC = 339, 258, 262
_SIGNED = 2
_BAND = 1 << 20  # samples that are scaled at once

TiffImagePlugin.OPEN_INFO.update(  # kinds that Pillow can decode and does not list
    {
        (b"II", 1, (3,), 1, (64,), ()): ("F", "F;64F"),
        (b"MM", 0, (1,), 1, (16,), ()): ("I;16B", "I;16B"),
    }
)

Samples = npt.NDArray[np.generic]


def eight_bits(image: Image.Image) -> Image.Image:
    """Return the image with samples of 8 bits; a colour that is transparent as a whole becomes an alpha channel."""
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    bits, signed = max(tags.get(_BITS, (0,))), _SIGNED in tags.get(_SAMPLE_FORMAT, ())
    if image.mode == "L" and signed:
        return Image.fromarray(_stretched(np.asarray(image).view(np.int8)))
    if image.mode.startswith("I;16"):
        samples = np.asarray(image)
        grey = Image.fromarray(_by_bands(samples, _of_sixteen))
        if tags.get(_PHOTOMETRIC) == 0:
            grey = grey.point(lambda value: 255 - value)
        clear = image.info.get("transparency")
        return grey if clear is None else Image.merge("LA", (grey, _opaque(samples, clear)))
    if image.mode not in ("I", "F"):
        return image
    samples = np.asarray(image)
    if image.mode == "I" and bits == 32 and not signed:
        samples = samples.view(np.uint32)
    if image.mode == "I" and bits <= 16 and not signed and samples.min() >= 0 and samples.max() <= 65_535:
        return Image.fromarray(_by_bands(samples, _of_sixteen))
    grey = Image.fromarray(_stretched(samples))
    return grey.point(lambda value: 255 - value) if tags.get(_PHOTOMETRIC) == 0 else grey


def _of_sixteen(samples: Samples) -> Samples:
    return (samples.astype(np.uint32) + 128) // 257


def _stretched(samples: Samples) -> npt.NDArray[np.uint8]:
    """Map the lowest finite sample to 0 and the highest to 255; of a picture of one value, a positive one is white."""
    low, high = _range(samples)
    if high <= low:
        return np.full(samples.shape, 255 if high > 0 else 0, np.uint8)

    def scaled(band: Samples) -> Samples:
        values = np.clip(np.nan_to_num(band.astype(np.float64), nan=low, posinf=high, neginf=low), low, high)
        return np.rint((values / 2 - low / 2) * (255 / (high / 2 - low / 2)))

    return _by_bands(samples, scaled)


def _range(samples: Samples) -> tuple[float, float]:
    if samples.dtype.kind != "f":
        return float(samples.min()), float(samples.max())
    finite = np.isfinite(samples)
    if not finite.any():
        return 0.0, 0.0
    low = np.min(samples, where=finite, initial=np.inf)
    high = np.max(samples, where=finite, initial=-np.inf)
    return float(low), float(high)


def _opaque(samples: Samples, clear: int) -> Image.Image:
    return Image.fromarray(_by_bands(samples, lambda band: np.where(band == clear, 0, 255)))


def _by_bands(samples: Samples, change: Callable[[Samples], Samples]) -> npt.NDArray[np.uint8]:
    """Apply ``change`` to a few lines at a time, so that wide numbers of a large image never exist at once."""
    changed = np.empty(samples.shape, np.uint8)
    lines = max(1, _BAND // max(1, samples.shape[1]))
    for top in range(0, len(samples), lines):
        changed[top : top + lines] = change(samples[top : top + lines])
    return changed
