"""Copies of real pictures, as they come about: recompressed, resized, cropped, mirrored, recoloured, framed, captioned.

In:  pictures and a folder. Out: files, and which picture each is a copy of. Knows nothing of what is measured.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

Change = Callable[[Image.Image, np.random.Generator], Image.Image]


def _scaled(share: float) -> Change:
    return lambda image, rng: image.resize((max(1, round(image.width * share)), max(1, round(image.height * share))))


def _cropped(share: float) -> Change:
    """Cut ``share`` of both sides off, divided at random between the two ends."""

    def change(image: Image.Image, rng: np.random.Generator) -> Image.Image:
        cut = [max(1, round(share * side)) for side in image.size]
        left, top = (int(rng.integers(0, each + 1)) for each in cut)
        return image.crop((left, top, left + image.width - cut[0], top + image.height - cut[1]))

    return change


def _recoloured(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(float(rng.choice([0.9, 1.1])))
    return image


def _framed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.expand(image, max(1, round(0.03 * max(image.size))), "black" if rng.random() < 0.5 else "white")


def _captioned(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    image = image.copy()
    size = max(8, image.height // 14)
    draw = ImageDraw.Draw(image)
    draw.text((image.width * 0.04, image.height - 1.6 * size), "example.org", fill="grey", font_size=size)
    return image


def _same(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image


KINDS: dict[str, tuple[Change, str, int]] = {
    "as PNG": (_same, "png", 0),
    "as WebP": (_same, "webp", 80),
    "JPEG, quality 90": (_same, "jpg", 90),
    "JPEG, quality 60": (_same, "jpg", 60),
    "JPEG, quality 30": (_same, "jpg", 30),
    "half the size": (_scaled(0.5), "jpg", 90),
    "a quarter of the size": (_scaled(0.25), "jpg", 90),
    "2% cropped": (_cropped(0.02), "jpg", 90),
    "5% cropped": (_cropped(0.05), "jpg", 90),
    "10% cropped": (_cropped(0.10), "jpg", 90),
    "mirrored": (lambda image, rng: ImageOps.mirror(image), "jpg", 90),
    "colours changed by 10%": (_recoloured, "jpg", 90),
    "a border of 3%": (_framed, "jpg", 90),
    "a small text": (_captioned, "jpg", 90),
}
"""Each kind of copy: what is changed, and the format and quality of its file."""


def write_copies(paths: list[Path], folder: Path, *, seed: int = 0) -> list[tuple[Path, int, str]]:
    """Write a copy of each kind of each picture; return the file, the place in ``paths`` and the kind of each."""
    written = []
    for number, (kind, (change, ending, quality)) in enumerate(KINDS.items()):
        (folder / f"{number:02d}").mkdir(parents=True, exist_ok=True)
        for place, path in enumerate(paths):
            rng = np.random.default_rng([seed, number, place])
            with Image.open(path) as opened:
                copy = change(opened.convert("RGB"), rng)
            file = folder / f"{number:02d}" / f"{place:04d}.{ending}"
            copy.save(file, **({"quality": quality} if quality else {}))
            written.append((file, place, kind))
    return written
