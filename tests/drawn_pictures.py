"""A small collection that tests draw for themselves: pictures of several kinds with a ``labels.csv``.

Watercolours of fruit stand on more or less stained paper. Emoji stand on white, shaded in ``3d`` and plain in ``flat``,
where every fourth project of ``3d`` is drawn again. Photographs come in other sizes, icons as transparent PNG. The n-th
picture of a kind is always the same. The kinds share their shapes and colours, so that the built-in encoder tells them
apart about as well as the real pictures that they stand for: mostly, and with mistakes.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

SMALL = {"usda_pomological": 40, "fluent_emoji/3d": 50, "fluent_emoji/flat": 30}
"""How many of each kind most tests have: 40 watercolours among 120 pictures."""

SIDE = 192
COLOURS = {
    "red": (214, 60, 48),
    "orange": (240, 140, 40),
    "yellow": (244, 206, 70),
    "green": (92, 160, 70),
    "blue": (60, 120, 216),
    "purple": (120, 70, 150),
    "brown": (140, 92, 66),
    "grey": (150, 150, 158),
}
FRUITS = ("apple", "apricot", "avocado", "banana", "grape", "lemon", "pear", "plum")
THINGS = ("other", "other", "people", "other", "bird", "other", "cars", "other", "flower", "cat")
PAINTERS = ("Alder, Ines, 1851-1902", "Birch, Tom, b. 1868", "Hazel, Mary, ca. 1860-1931", "Rowan, Paul, 1849-1922")

Pixels = NDArray[np.float64]
"""(height, width, 3) of colours, or (height, width, 1) of anything else."""


@dataclass(frozen=True)
class Labels:
    """A line of ``labels.csv``."""

    path: str
    project: str
    title: str
    content: str
    medium: str
    license: str
    source: str


def draw_collection(folder: Path, counts: Mapping[str, int] = SMALL) -> list[Labels]:
    """Draw as many pictures of each kind as ``counts`` says, with a ``labels.csv``, and return its lines."""
    lines = []
    for kind, count in counts.items():
        for number in range(count):
            labels, picture = KINDS[kind](number)
            (folder / labels.path).parent.mkdir(parents=True, exist_ok=True)
            picture.save(folder / labels.path, quality=90)
            lines.append(labels)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, asdict(lines[0]).keys())
        writer.writeheader()
        writer.writerows(asdict(line) for line in lines)
    return lines


@dataclass(frozen=True)
class Shape:
    """An ellipse, a box or a polygon of one colour."""

    kind: str
    corners: list[tuple[float, float]]
    colour: Pixels

    def cover(self, below: Pixels, blur: float) -> Pixels:
        """Return how much of each pixel of a picture the shape covers, its edge blurred: (height, width, 1)."""
        mask = Image.new("L", (below.shape[1], below.shape[0]))
        draw = ImageDraw.Draw(mask)
        if self.kind == "ellipse":
            draw.ellipse(self.corners, fill=255)
        elif self.kind == "box":
            draw.rounded_rectangle(self.corners, 14, fill=255)
        else:
            draw.polygon(self.corners, fill=255)
        return np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)), float)[..., None] / 255


class Sketch:
    """The random numbers of one picture: its size, its shapes, its stains and its grain."""

    def __init__(self, *seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.width = self.height = SIDE

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def stains(self, size: int) -> Pixels:
        """Return smooth noise from -1 to 1 of stains about ``size`` pixels wide: (height, width, 1)."""
        coarse = self.rng.uniform(-1, 1, (self.height // size + 2, self.width // size + 2)).astype(np.float32)
        smooth = Image.fromarray(coarse).resize((self.width, self.height), Image.Resampling.BICUBIC)
        return np.asarray(smooth, float)[..., None]

    def grain(self) -> Pixels:
        return self.rng.normal(size=(self.height, self.width, 1))

    def shapes(self, first: int, count: int, kinds: tuple[str, ...] = ("ellipse", "box", "polygon")) -> Iterator[Shape]:
        """Give shapes about the middle; the largest comes first, of the colour numbered ``first``."""
        colours = list(COLOURS.values())
        for index in range(count):
            across, down = self.rng.uniform(0.22, 0.42, 2) * min(self.width, self.height) / (1 + 0.5 * index)
            x = self.width * (0.5 + (1 + index) * self.between(-0.12, 0.12))
            y = self.height * (0.5 + (1 + index) * self.between(-0.12, 0.12))
            kind = str(self.rng.choice(kinds))
            corners = [(x - across, y - down), (x + across, y + down)]
            if kind == "polygon":
                angles = self.between(0, 6) + np.linspace(0, 2 * np.pi, int(self.rng.integers(4, 9)))[1:]
                corners = [(x + across * np.cos(angle), y + down * np.sin(angle)) for angle in angles.tolist()]
            colour = np.array(colours[(first + index * int(self.rng.integers(4))) % len(colours)])
            yield Shape(kind, corners, colour + self.rng.uniform(-20, 20, 3))


def _watercolor(number: int) -> tuple[Labels, Image.Image]:
    sketch = Sketch(1, number)
    sketch.width = int(sketch.rng.integers(120, 160))
    age, wet = sketch.between(0, 1), sketch.between(0, 1)
    paper = 252 - age * np.array([6, 12, 34]) * sketch.between(0.8, 1.2)
    picture = paper + age * (10 * sketch.stains(40) + 3 * sketch.grain())
    for shape in sketch.shapes(number, int(sketch.rng.integers(1, 4)), ("ellipse",)):
        wash = shape.cover(picture, 0.7 + 2 * wet) * (1 - 0.25 * wet * (1 + sketch.stains(12)))
        picture = _over(picture, wash, shape.colour + 40 * wet * sketch.stains(8))
    sheet = _image(picture)
    hand = [(25 + 3 * step, 172 + sketch.between(-3, 3)) for step in range(int(sketch.rng.integers(8, 20)))]
    ImageDraw.Draw(sheet).line(hand, fill=(90, 80, 70))
    if number % 3:  # on the black of a scanner
        sheet.paste((12, 10, 10), (0, 0, 3, SIDE))
        sheet.paste((12, 10, 10), (0, SIDE - 3, sheet.width, SIDE))
    fruit, title = FRUITS[number % len(FRUITS)], f"{PAINTERS[number % len(PAINTERS)]}; {1886 + number}"
    path, project = f"usda_pomological/{fruit}/image-{number:04d}.jpg", f"usda_pomological-image-{number:04d}"
    return Labels(path, project, title, fruit, "watercolor", "Public domain", "watercolours"), sheet


def _solid(number: int) -> tuple[Labels, Image.Image]:
    sketch, picture = Sketch(2, number), _ground(number)
    depth = Sketch(3, number).between(0.15, 1)
    light = 40 * np.linspace(1, -1, SIDE)[:, None, None]
    for shape in sketch.shapes(number, int(sketch.rng.integers(2, 5))):
        down, across = np.gradient(shape.cover(picture, 9), axis=(0, 1))
        slope = np.clip(500 * down + 250 * across, -70, 70)
        picture = _over(picture, shape.cover(picture, 0.7), shape.colour + depth * (light + slope))
    return _emoji("3d", "3d graphics", number), _image(picture)


def _flat(number: int) -> tuple[Labels, Image.Image]:
    number *= 4
    sketch, picture = Sketch(2, number), _ground(number)
    for shape in sketch.shapes(number, int(sketch.rng.integers(2, 5))):
        picture = _over(picture, shape.cover(picture, 0.7), shape.colour)
    return _emoji("flat", "vector art", number), _image(picture)


def _ground(number: int) -> Pixels:
    """Return the ground of an emoji: white, or a pale card for one in nine."""
    return np.full((SIDE, SIDE, 3), (250, 244, 226) if number % 9 == 4 else (255, 255, 255), float)


def _emoji(look: str, medium: str, number: int) -> Labels:
    content, colour, name = THINGS[number % len(THINGS)], list(COLOURS)[number % len(COLOURS)], f"1f{number:03d}"
    title = f"{colour} {content if content != 'other' else 'thing'} {number}"
    return Labels(f"fluent_emoji/{look}/{content}/{name}.jpg", f"emoji-{name}", title, content, medium, "MIT", "emoji")


def _photo(number: int) -> tuple[Labels, Image.Image]:
    sketch = Sketch(4, number)
    sketch.width, sketch.height = (240, int(sketch.rng.integers(150, 180))) if number % 3 else (150, 210)
    sky, ground = sketch.rng.uniform(120, 230, 3), sketch.rng.uniform(30, 130, 3)
    down = np.linspace(0, 1, sketch.height)[:, None, None]
    picture = sky + (ground - sky) * down + 60 * sketch.stains(20)
    for shape in sketch.shapes(number, 5):
        picture = _over(picture, shape.cover(picture, 1.5), 0.7 * shape.colour + 40 * sketch.grain())
    path, project = f"photos/{number:05d}.jpg", f"photos-{number // 2:03d}"
    labels = Labels(path, project, f"view {number}", "", "photo", "CC0", "photographs")
    return labels, _image(picture + 9 * sketch.grain())


def _icon(number: int) -> tuple[Labels, Image.Image]:
    sketch, content = Sketch(5, number), THINGS[number % len(THINGS)]
    opaque: Pixels = np.zeros((SIDE, SIDE, 1))
    for shape in sketch.shapes(number, 3):
        opaque = np.abs(opaque - shape.cover(opaque, 0.7))
    picture = Image.new("RGB", (SIDE, SIDE), COLOURS["purple"])
    picture.putalpha(_image(255 * opaque[..., 0]))
    path, project = f"game_icons/{content}/{number:03d}.png", f"icon-{number:03d}"
    return Labels(path, project, f"icon {number}", content, "icon", "CC BY 3.0", "icons"), picture


KINDS: dict[str, Callable[[int], tuple[Labels, Image.Image]]] = {
    "usda_pomological": _watercolor,
    "fluent_emoji/3d": _solid,
    "fluent_emoji/flat": _flat,
    "photos": _photo,
    "game_icons": _icon,
}


def _over(below: Pixels, cover: Pixels, colour: Pixels) -> Pixels:
    return below + cover * (colour - below)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
