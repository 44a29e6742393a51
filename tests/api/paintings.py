"""A few paintings that can be told apart: pale watercolours with soft washes, and dark oil paintings."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 64


def draw_paintings(folder: Path, count: int = 60) -> Path:
    """Draw paintings into ``folder``, watercolours the even ones, and return their ``labels.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        path = folder / f"painting-{number:02d}.png"
        medium = "oil" if number % 2 else "watercolor"
        _paint(np.random.default_rng(number), medium).save(path)
        lines.append({"path": path.name, "title": f"Painting {number}", "medium": medium})
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    return folder / "labels.csv"


def _paint(rng: np.random.Generator, medium: str) -> Image.Image:
    pale = medium == "watercolor"
    low, high = (190, 250) if pale else (20, 110)
    picture = Image.new("RGB", (SIDE, SIDE), tuple(int(part) for part in rng.integers(low, high, 3)))
    draw = ImageDraw.Draw(picture)
    for x, y, size in rng.integers(4, 44, (8, 3)).tolist():
        draw.ellipse((x, y, x + size // 2 + 4, y + size // 2 + 4), fill=tuple(rng.integers(low, high, 3).tolist()))
    return picture.filter(ImageFilter.GaussianBlur(2)) if pale else picture
