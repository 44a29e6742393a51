"""Encodes tiles: marks without loss as PNG with a palette, pictures as WebP."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LEVEL = 1
"""zlib's level for marks: level 3 saves a twentieth of the bytes for a third more time, higher ones little more."""

_PNG = b"\x89PNG"


def encode_marks(pixels: NDArray[np.uint8], *, level: int = LEVEL) -> bytes:
    """Return RGBA pixels (h, w, 4) as PNG, with a palette where it holds all colours: at most 256.

    Transparent pixels lose their colour.
    """
    from bam_engine.projection.tile_kernels import palette

    colours, index = palette(np.ascontiguousarray(pixels).view(np.uint32).ravel())
    if not len(colours):
        return _file(Image.fromarray(pixels), "PNG", compress_level=level)
    table = colours.view(np.uint8).reshape(-1, 4)
    image = Image.frombuffer("P", (pixels.shape[1], pixels.shape[0]), index)
    image.putpalette(table[:, :3].tobytes())
    return _file(image, "PNG", compress_level=level, transparency=table[:, 3].tobytes())


def encode_picture(pixels: NDArray[np.uint8]) -> bytes:
    """Return RGB or RGBA pixels as WebP of quality 80."""
    return _file(Image.fromarray(pixels), "WEBP", quality=80, method=1)


def media_type(tile: bytes) -> str:
    """Return the media type of an encoded tile."""
    return "image/png" if tile.startswith(_PNG) else "image/webp"


def _file(image: Image.Image, kind: str, **options: int | bytes) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


NOTHING = _file(Image.new("P", (1, 1)), "PNG", transparency=0)
"""An empty tile."""
