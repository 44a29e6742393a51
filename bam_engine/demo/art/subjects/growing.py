"""What grows and is neither tree nor flower: fruit, mushrooms, cacti, twigs.

In:  a pen whose unit is about the height. Out: the thing on its canvas.
"""

import math

import numpy as np

from bam_engine.demo.art.palette import lighter, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import ellipse, limb, petal, smooth
from bam_engine.demo.art.subjects.look import Look

_ROUND = [(0, -0.78), (0.5, -0.95), (1, -0.25), (0.7, 0.75), (0, 0.92), (-0.7, 0.75), (-1, -0.25), (-0.5, -0.95)]
_PEAR = [(0, 1), (-0.75, 0.75), (-0.85, 0.1), (-0.35, -0.6), (-0.2, -1.1), (0.2, -1.1), (0.35, -0.6), (0.85, 0.1)]
_LEMON = [(-1.25, 0), (-0.85, -0.5), (0, -0.75), (0.85, -0.5), (1.25, 0), (0.85, 0.5), (0, 0.75), (-0.85, 0.5)]
_FRUIT = {  # hue, lightness, outline, swell
    "apple": (27, 0.6, _ROUND, 0.8),
    "pear": (110, 0.78, [*_PEAR, (0.75, 0.75)], 0.7),
    "lemon": (100, 0.87, _LEMON, 0.6),
    "orange": (60, 0.74, _ROUND, 0.8),
    "plum": (320, 0.42, _ROUND, 0.8),
}


def fruit(pen: Pen, look: Look) -> None:
    """Fruit on a table, in a bowl or not."""
    rng = pen.rng
    bowl = rng.random() < 0.5
    count = int(rng.integers(3, 7))
    places = [
        (-0.28 + 0.56 * (number + 0.5) / count + rng.uniform(-0.04, 0.04), -0.42 - rng.uniform(0, 0.14))
        for number in range(count)
    ]
    if not bowl:
        places = [(-0.5 + 1.0 * (number + 0.5) / count, -0.16 + rng.uniform(-0.05, 0.02)) for number in range(count)]
    for x, y in sorted(places, key=lambda place: place[1]):
        _piece(pen, x, y)
    if bowl:
        clay = pen.palette.accent(rng)
        side = [(-0.5, -0.4), (-0.4, -0.16), (-0.18, 0), (0.18, 0), (0.4, -0.16), (0.5, -0.4), (0, -0.37)]
        shape = pen.fill(smooth(side), clay, swell=0.3, gloss=0.7)
        pen.flat(limb([(-0.5, -0.28), (0, -0.22), (0.5, -0.28)], 0.04), lighter(clay, 0.18), within=shape)


def _piece(pen: Pen, x: float, y: float) -> None:
    """One apple, pear, lemon, orange or plum."""
    rng = pen.rng
    kind, size = str(rng.choice(list(_FRUIT))), rng.uniform(0.13, 0.17)
    hue, light, outline, swell = _FRUIT[kind]
    colour = pen.palette.grade(oklch(light, 0.15, hue + rng.normal(0, 12)))
    own = pen.at(x, y, size, turn=rng.uniform(-0.4, 0.4))
    own.fill(smooth(outline), colour, swell=swell, gloss=0.6 if outline is _ROUND else 0.5, lift=0.08)
    own.stroke([(0, -0.75), (0.08, -1.05), (0.2, -1.25)], 0.1, (0.3, 0.2, 0.12))
    if rng.random() < 0.6:
        own.fill(petal(0.05, -1.0, 0.7, 0.34, -0.5), pen.palette.leaf, swell=0.08)


def mushroom(pen: Pen, look: Look) -> None:
    """A group of mushrooms; no tree."""
    rng = pen.rng
    count = int(rng.integers(1, 4))
    pen.canvas.tell(count=count)
    for x, size in ((0.0, 1.0), (0.36, 0.55), (-0.36, 0.42))[:count]:
        own = pen.at(x, 0, size * 0.9)
        cap, stem = pen.palette.accent(rng), pen.palette.grade(oklch(0.92, 0.03, 85))
        own.fill(
            smooth([(-0.13, 0), (-0.09, -0.3), (-0.08, -0.55), (0.08, -0.55), (0.09, -0.3), (0.14, 0)]),
            stem,
            swell=0.1,
            flow=1.5,
        )
        own.fill(ellipse(0, -0.5, 0.36, 0.08), lighter(stem, -0.12), swell=0.03)
        shape = own.fill(
            smooth([(-0.42, -0.5), (-0.36, -0.75), (0, -0.98), (0.36, -0.75), (0.42, -0.5), (0, -0.46)]),
            cap,
            swell=0.34,
            gloss=0.5,
        )
        for _ in range(9):
            dot = rng.uniform(0.02, 0.055)
            spot = ellipse(rng.uniform(-0.3, 0.3), rng.uniform(-0.88, -0.58), dot * 1.15, dot)
            own.flat(spot, stem, within=shape, line=0.6)


def cactus(pen: Pen, look: Look) -> None:
    """A cactus."""
    rng = pen.rng
    green = lighter(pen.palette.leaf, rng.uniform(-0.04, 0.06))
    for side in (-1, 1):
        if rng.random() < 0.85:
            y, reach = rng.uniform(-0.6, -0.4), rng.uniform(0.22, 0.32)
            own = pen.fill(
                limb([(0, y), (side * reach, y), (side * reach, y - 0.26)], [0.13, 0.14, 0.12], steps=10),
                green,
                swell=0.07,
                flow=1.5,
            )
            pen.stroke([(side * reach, y), (side * reach, y - 0.24)], 0.012, lighter(green, -0.15), within=own)
    trunk = pen.fill(limb([(0, 0.0), (0, -0.5), (0, -0.86)], [0.2, 0.23, 0.19]), green, swell=0.12, flow=1.5)
    for x in (-0.06, 0.0, 0.06):
        pen.stroke([(x, 0), (x * 1.2, -0.5), (x * 0.8, -0.95)], 0.012, lighter(green, -0.15), within=trunk, ink=0.7)
    for _ in range(14):
        x, y = rng.uniform(-0.1, 0.1), rng.uniform(-0.9, -0.05)
        pen.stroke([(x - 0.02, y - 0.02), (x, y), (x + 0.02, y - 0.02)], 0.01, (0.95, 0.95, 0.85), ink=0.7)
    if rng.random() < 0.5:
        pen.fill(
            smooth([(-0.22, -0.03), (-0.18, 0.16), (0.18, 0.16), (0.22, -0.03)]),
            pen.palette.grade(oklch(0.6, 0.11, 45)),
            swell=0.12,
        )


def branch(pen: Pen, look: Look) -> None:
    """A twig with leaves and berries; neither tree nor flower."""
    rng = pen.rng
    leaf = lighter(pen.palette.leaf, rng.uniform(-0.05, 0.06))
    if rng.random() < 0.4:
        leaf = pen.palette.grade(oklch(rng.uniform(0.55, 0.7), 0.13, float(rng.choice([40, 65, 85]))))
    pen = pen.at(-0.16, -0.08, 0.9, turn=0.75 * float(rng.choice([-1, 1]))).at(0, 0.1)  # a twig lies or hangs, no tree
    stem = [(-0.05, 0.0), (0.04, -0.35), (-0.03, -0.7), (0.03, -0.97)]
    pen.fill(limb(stem, [0.04, 0.03, 0.02, 0.01]), pen.palette.grade(oklch(0.42, 0.05, 60)), swell=0.02)
    shape = str(rng.choice(["long", "round", "round"]))
    count = {"long": 5, "round": 6, "fern": 9}[shape]
    for number in range(count):
        share = 0.12 + 0.82 * number / count
        x, y = float(np.interp(share, [0, 0.33, 0.66, 1], [-0.05, 0.04, -0.03, 0.03])), -share * 0.97
        for side in (-1, 1):
            size = {"long": 0.42, "round": 0.3, "fern": 0.36}[shape] * (1.1 - 0.5 * share)
            turn = -math.pi / 2 + side * (1.0 + rng.uniform(-0.12, 0.12))
            wide = size * {"long": 0.36, "round": 0.75, "fern": 0.2}[shape]
            blade = pen.fill(
                petal(x, y, size, wide, turn, tip=0.5),
                lighter(leaf, rng.uniform(-0.05, 0.05)),
                swell=0.04,
                lift=0.02,
                flow=turn,
            )
            pen.stroke(
                [(x, y), (x + math.cos(turn) * size * 0.85, y + math.sin(turn) * size * 0.85)],
                0.009,
                lighter(leaf, -0.14),
                within=blade,
                ink=0.6,
            )
    if rng.random() < 0.45:
        berry = pen.palette.accent(rng)
        for _ in range(7):
            pen.fill(
                ellipse(rng.uniform(-0.25, 0.25), rng.uniform(-0.95, -0.2), 0.035, 0.035, count=14),
                berry,
                swell=0.035,
                gloss=0.8,
            )
