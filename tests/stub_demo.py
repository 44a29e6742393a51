"""A stand-in for the demo's drawing: plain pictures in a moment, laid out, marked and tabled as the real ones are.

Two attributes can be seen: ``media_watercolor`` is a pale ground, ``content_dog`` a dark disc. The others are chance.
"""

import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bam_engine.annotation import BAM_ATTRIBUTES
from bam_engine.progress import Report, silent

NAMES = [template.name for template in BAM_ATTRIBUTES]


def write_stub(folder: Path, *, count: int = 2000, seed: int = 0, report: Report = silent) -> Path:
    """Write ``count`` plain pictures with their ``truth.csv``; those that are there stay."""
    lines = []
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        told = {name: int(rng.random() < 0.3) for name in NAMES}
        path = folder / "images" / f"studio-{index % 12:02d}" / f"{index:06d}.jpg"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _picture(told, rng).save(path, comment=json.dumps({"is": f"generated: bam demo, work {index}"}).encode())
        where = {"path": str(path.relative_to(folder)), "project": path.parent.name, "title": f"Work {index}"}
        lines.append({**where, "license": "generated", "generator": f"bam demo, seed {seed}", **told})
        report(index + 1, count, "drawing")
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    return folder / "truth.csv"


def _picture(told: dict[str, int], rng: np.random.Generator) -> Image.Image:
    ground = rng.integers(190, 250, 3) if told["media_watercolor"] else rng.integers(40, 130, 3)
    picture = Image.new("RGB", (96, 72), tuple(int(part) for part in ground))
    draw = ImageDraw.Draw(picture)
    x, y = (int(part) for part in rng.integers(8, 40, 2))
    for _ in range(6):
        left, top = (int(part) for part in rng.integers(0, 70, 2))
        draw.line((left, top, left + 20, top + 6), fill=tuple(int(part) for part in rng.integers(0, 255, 3)))
    if told["content_dog"]:
        draw.ellipse((x, y, x + 30, y + 30), fill=(10, 10, 10))
    return picture
