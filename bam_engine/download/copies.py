"""Smaller copies of pictures, for those who need no originals.

In:  a file, and the length of the shorter side. Out: the same file with a JPEG in it, if the picture was larger.
"""

from pathlib import Path

from PIL import Image

from bam_engine.collection.images import examine, read_image

_QUALITY = 92


def make_copy(file: Path, shorter_side: int) -> bool:
    """Replace a picture whose shorter side has more pixels by a JPEG of that size; return whether it was larger.

    Raises
    ------
    ImageUnreadable
        It cannot be decoded.
    """
    info = examine(file)
    if min(info.width, info.height) <= shorter_side:
        return False
    image = read_image(file, size=shorter_side)
    scale = shorter_side / min(info.width, info.height)
    size = max(1, round(info.width * scale)), max(1, round(info.height * scale))
    image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    image.save(file, "JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    return True
