"""Problems of pictures: how many that were made are found, and in how many untouched pictures one is seen.

Real pictures, a sample of each folder of ../shared/images: untouched, and with a problem that was made: blurred by a
Gaussian of 1.5 or 4 pixels of the small copy, darkened to 15%, lightened to 93% white, without colour, cut to a strip
of 1:4, or their mean colour, also with the noise of a camera. CleanVision looks at the same files with its own limits,
where it is installed (`pip install cleanvision==0.3.7`). Intervals are Wilson's, at 95%. An untouched picture may have
the problem: photographs that are soft, drawings that are black and white. So that figure is no rate of errors alone.
Our limits were set on other draws of the same folders, which overlap with this one.
"""

import argparse
import contextlib
import io
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from bam_engine.collection import Thumbnails, read_image
from bam_engine.collection.picture_problems import measure, problems_of
from bam_engine.formatting import percent_interval
from bam_engine.learning.intervals import wilson
from benchmarks.embedding_rate import SHARED
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

Found = dict[str, frozenset[str]]
"""The problems that were seen, by the name of a file."""

FOLDERS = ("photos", "usda_pomological", "fluent_emoji", "noto_emoji", "game_icons")
PEER = {
    "dark": "dark",
    "over-bright": "light",
    "blurred": "blurry",
    "blank": "low_information",
    "odd aspect": "odd_aspect_ratio",
    "grey": "grayscale",
}
"""What CleanVision calls a problem."""


def _blurred(picture: Image.Image, pixels: float) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(pixels * max(1.0, max(picture.size) / 256)))


def _blank(picture: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 2, (picture.height, picture.width, 3))
    mean = np.asarray(picture, np.float64).reshape(-1, 3).mean(axis=0)
    return Image.fromarray(np.clip(mean + noise, 0, 255).astype(np.uint8))


MADE: Mapping[str, tuple[str, Callable[[Image.Image], Image.Image]]] = {
    "blurred, 1.5 pixels": ("blurred", lambda picture: _blurred(picture, 1.5)),
    "blurred, 4 pixels": ("blurred", lambda picture: _blurred(picture, 4)),
    "dark": ("dark", lambda picture: ImageEnhance.Brightness(picture).enhance(0.15)),
    "over-bright": (
        "over-bright",
        lambda picture: Image.blend(picture, Image.new("RGB", picture.size, "white"), 0.93),
    ),
    "blank": ("blank", lambda picture: Image.new("RGB", picture.size, picture.resize((1, 1)).getpixel((0, 0)))),
    "blank with noise": ("blank", _blank),
    "grey": ("grey", lambda picture: picture.convert("L").convert("RGB")),
    "odd aspect": ("odd aspect", lambda picture: picture.crop((0, 0, picture.width, max(1, picture.width // 4)))),
}
"""What is made of a picture: its problem, and how."""


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = benchmark_parser("picture_problems", __doc__)
    options.add_argument("--pictures", type=int, default=150, help="pictures of each folder (default: %(default)s)")
    options.add_argument("--seed", type=int, default=7, help="of the sample (default: %(default)s)")
    return options


def main() -> None:
    """Print for each folder what is found."""
    options = parser().parse_args()
    print(machine())
    if not (SHARED / "images" / "labels.csv").exists():
        print("Skipped: the real pictures are not in ../shared.")
        return
    figures = {}
    for folder in FOLDERS:
        with tempfile.TemporaryDirectory() as place:
            names = _write(folder, Path(place), options.pictures, options.seed)
            begin = time.perf_counter()
            tools = {"ours": _ours(Path(place))}
            seconds = time.perf_counter() - begin
            with contextlib.suppress(ImportError):
                tools["CleanVision"] = _peer(Path(place))
        print(f"\n{folder}, {names} pictures ({seconds / names / (1 + len(MADE)) * 1000:.1f} ms for one of ours)")
        figures[folder] = {name: _told(name, found, names) for name, found in tools.items()}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def _write(folder: str, place: Path, most: int, seed: int) -> int:
    """Write a sample of pictures, and what is made of them; return how many pictures there are."""
    paths = sorted(path for path in (SHARED / "images" / folder).rglob("*") if path.is_file())
    chosen = np.random.default_rng(seed).permutation(len(paths))[:most]
    for number, at in enumerate(chosen):
        picture = read_image(paths[at])
        picture.save(place / f"{number}.untouched.png")
        for name, (_, make) in MADE.items():
            make(picture).save(place / f"{number}.{name}.png")
    return len(chosen)


def _ours(place: Path) -> Found:
    thumbnails, found = Thumbnails(place), {}
    for path in place.glob("*.png"):
        picture = read_image(path)
        with Image.open(io.BytesIO(thumbnails.render(picture).data)) as thumbnail:
            found[path.name] = frozenset(problems_of(measure(thumbnail, *picture.size)))
    return found


def _peer(place: Path) -> Found:
    from cleanvision import Imagelab

    logging.disable(logging.INFO)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        lab = Imagelab(data_path=str(place))
        lab.find_issues({name: {} for name in PEER.values()}, n_jobs=1)
    return {
        Path(path).name: frozenset(name for name, other in PEER.items() if line[f"is_{other}_issue"])
        for path, line in lab.issues.iterrows()
    }


def _told(tool: str, found: Found, n: int) -> dict[str, list[int]]:
    """Print the shares of a tool; return the counts of which each is the share, with their totals."""
    counts = dict(_counts(found, n))
    for name, (number, of) in counts.items():
        limits = wilson(number, of)
        print(f"  {tool:12} {name:28} {percent_interval(number / of, limits.low, limits.high)}")
    return {name: [*pair] for name, pair in counts.items()}


def _counts(found: Found, n: int) -> Iterator[tuple[str, tuple[int, int]]]:
    for name, (problem, _) in MADE.items():
        yield f"made {name}", (sum(problem in found[f"{number}.{name}.png"] for number in range(n)), n)
    for problem in PEER:
        yield f"untouched {problem}", (sum(problem in found[f"{number}.untouched.png"] for number in range(n)), n)


if __name__ == "__main__":
    main()
