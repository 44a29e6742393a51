"""Colours as a browser shows them: profiles applied, transparency over white.

In:  a decoded image of 8 bits and the profile of its file. Out: RGB in sRGB. A profile that does not fit its image, or
cannot be read, is ignored, as browsers do.
"""

import io
import struct
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from bam_engine.collection.png_chunks import PngChunks

_BAND = 1 << 22  # pixels of a see-through image that are laid over white at once
_D50 = (0.9642, 1.0, 0.8249)  # the white of every profile, as X, Y, Z
_D65 = (0.3127, 0.3290)
_SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_PRIMARIES = {  # by the codes of ITU-T H.273
    1: _SRGB,
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_LIKE_SRGB = (1, 6, 13, 14, 15)  # transfer functions
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_SOURCES = {"L": "L", "RGB": "RGB", "CMYK": "CMYK", "LAB": "LAB"}  # modes that a profile can describe

Chromaticity = tuple[float, float]


def profile_of(image: Image.Image, chunks: PngChunks | None = None, cicp: bytes | None = None) -> bytes | None:
    """Return the ICC profile that tells what the colours of a file mean, or None if they are sRGB.

    Parameters
    ----------
    image
        The opened file.
    chunks
        The chunks of a PNG: cICP, iCCP, sRGB, and gAMA with cHRM count in this order.
    cicp
        Primaries and transfer function as two codes of ITU-T H.273, for a file without a profile.
    """
    if chunks is not None:
        return _profile_of_png(chunks)
    profile = image.info.get("icc_profile")
    return profile or (None if cicp is None else _profile_of_codes(cicp))


def on_white(image: Image.Image, profile: bytes | None, factor: int = 1) -> Image.Image:
    """Return an image in sRGB over white, reduced by a whole ``factor``.

    A see-through image is laid over white before it is reduced, so that the colours of pixels that nobody sees do not
    mix with those of their neighbours. It, and one with a palette, is widened to RGB band by band where it is large.
    """
    small, indexed = image.width * image.height <= _BAND, image.mode in ("P", "PA", "1")
    if small and indexed:
        factor = 1
    if not image.has_transparency_data and (small or not indexed):
        if indexed:
            image = image.convert("RGB")
        return _in_srgb(image.reduce(factor) if factor > 1 else image, profile)
    if small and factor == 1:
        return _laid_on_white(image, profile)
    whole = Image.new("RGB", tuple(-(-side // factor) for side in image.size))  # type: ignore[arg-type]
    step = max(1, _BAND // (image.width * factor)) * factor
    for top in range(0, image.height, step):
        band = _laid_on_white(image.crop((0, top, image.width, min(top + step, image.height))), profile)
        whole.paste(band.reduce(factor) if factor > 1 else band, (0, top // factor))
    return whole


def _laid_on_white(image: Image.Image, profile: bytes | None) -> Image.Image:
    layer = image.convert("RGBA")
    white = Image.new("RGB", layer.size, "white")
    white.paste(_in_srgb(layer.convert("RGB"), profile), mask=layer.getchannel("A"))
    return white


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB":
        profile = _lab()
    if profile is not None and image.mode in _SOURCES:
        transform = _transform(profile, image.mode)
        if transform is None and image.mode == "L":  # a grey picture with a profile of RGB
            image = image.convert("RGB")
            transform = _transform(profile, image.mode)
        if transform is not None:
            return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB, or None if the profile is unreadable, does not fit, or changes nothing."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    levels = Image.fromarray(np.indices((6, 6, 6), np.uint8).reshape(3, 36, 6).transpose(1, 2, 0) * np.uint8(51))
    same = mode == "RGB" and np.abs(np.asarray(transform.apply(levels), int) - np.asarray(levels)).max() <= 1
    return None if same else transform


@lru_cache(maxsize=1)
def _lab() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _profile_of_png(chunks: PngChunks) -> bytes | None:
    codes = chunks.colours.get("cICP", b"")
    if len(codes) == 4 and (profile := _profile_of_codes(codes[:2])) is not None:
        return profile
    if "iCCP" in chunks.colours:
        return chunks.profile()
    gamma = chunks.colours.get("gAMA", b"")
    if "sRGB" in chunks.colours or len(gamma) != 4 or not any(gamma):
        return None
    exponent = 100_000 / struct.unpack(">I", gamma)[0]
    if len(points := chunks.colours.get("cHRM", b"")) != 32:
        usual = abs(exponent / 2.2 - 1) < 0.05  # meant as that of sRGB
        return None if usual else _matrix_profile(_SRGB, _D65, exponent)
    white, *primaries = (
        (float(x), float(y)) for x, y in np.array(struct.unpack(">8I", points)).reshape(4, 2) / 100_000
    )
    return _matrix_profile(tuple(primaries), white, exponent)


def _profile_of_codes(codes: bytes) -> bytes | None:
    primaries, transfer = _PRIMARIES.get(codes[0]), codes[1]
    if primaries is None or (transfer not in _LIKE_SRGB and transfer not in _GAMMAS):
        return None
    return None if codes[0] == 1 and transfer in _LIKE_SRGB else _matrix_profile(primaries, _D65, _GAMMAS.get(transfer))


@lru_cache(maxsize=64)
def _matrix_profile(primaries: tuple[Chromaticity, ...], white: Chromaticity, gamma: float | None) -> bytes | None:
    """Return an ICC profile of three primaries under a white; the curve is that of sRGB without a ``gamma``."""
    try:
        matrix = _matrix(primaries, white)
    except (ZeroDivisionError, np.linalg.LinAlgError):
        return None
    curve = _srgb_curve() if gamma is None else _fixed(b"para\0\0\0\0\0\0\0\0", [gamma])
    tags = {b"wtpt": _fixed(b"XYZ \0\0\0\0", _D50)}
    tags |= {name + b"XYZ": _fixed(b"XYZ \0\0\0\0", matrix[:, n]) for n, name in enumerate((b"r", b"g", b"b"))}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    place, table, content = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, place + len(content), len(data))
        content += data
    size = 128 + len(table) + len(content)
    head = struct.pack(">I4xI4s4s4s12x4s28x", size, 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp") + _fixed(b"", _D50)
    return head.ljust(128, b"\0") + table + content


def _matrix(primaries: Sequence[Chromaticity], white: Chromaticity) -> npt.NDArray[np.float64]:
    """Return the XYZ of the three primaries in its columns, adapted to the white of profiles (Bradford)."""
    *columns, own_white = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in (*primaries, white))
    scaled = np.array(columns).T * np.linalg.solve(np.array(columns).T, own_white)
    adapted = np.diag(_BRADFORD @ np.array(_D50) / (_BRADFORD @ own_white))
    return np.asarray(np.linalg.inv(_BRADFORD) @ adapted @ _BRADFORD @ scaled)


def _srgb_curve() -> bytes:
    return _fixed(b"para\0\0\0\0\0\3\0\0", [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])


def _fixed(head: bytes, values: Sequence[float] | npt.NDArray[np.float64]) -> bytes:
    return head + struct.pack(f">{len(values)}i", *(round(65_536 * float(value)) for value in values))
