"""Trees: leafy ones, conifers, bare ones, poplars, palms and birches.

In:  a pen whose unit is the height. Out: the tree on its canvas.
"""

import math

import numpy as np

from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import ellipse, frill, limb, petal, smooth
from bam_engine.demo.art.subjects.look import Look


def _bark(pen: Pen) -> Colour:
    return pen.palette.grade(oklch(pen.rng.uniform(0.34, 0.48), pen.rng.uniform(0.02, 0.06), 55))


def tree(pen: Pen, look: Look) -> None:
    """Draw one tree, 1 high."""
    kinds = [_leafy, _conifer, _bare, _poplar, _palm, _birch]
    weights = np.array([3.2, 2.2, 0.8, 0.9, 0.8, 0.9])
    if look.gloomy:
        weights = np.array([0.7, 1.2, 4, 0.5, 0, 0.6])
    if look.scary:
        weights = np.array([0.1, 0.7, 6, 0, 0, 0.0])
    kinds[int(pen.rng.choice(6, p=weights / weights.sum()))](pen, look)


def _foliage(pen: Pen) -> Colour:
    if pen.rng.random() < 0.22:
        return pen.palette.grade(oklch(pen.rng.uniform(0.58, 0.72), 0.14, float(pen.rng.choice([45, 65, 30, 85]))))
    light = float(pen.rng.uniform(-0.06, 0.06))
    return lighter(pen.palette.leaf, light)


def _clump(pen: Pen, x: float, y: float, size: float, leaf: Colour) -> None:
    """A cloud of leaves, with a few touches of light and dark."""
    rng = pen.rng
    crown = pen.fill(frill(x, y, size, size * 0.88, rng), leaf, swell=size * 0.6, lift=0.03, flow=0.7, gloss=0.05)
    for _ in range(7):
        a, r = rng.uniform(0, 6.3), size * rng.uniform(0.1, 0.75)
        at = (x + r * math.cos(a), y + r * math.sin(a) * 0.85)
        up = -0.08 if at[1] > y else 0.08
        pen.flat(frill(*at, size * 0.22, size * 0.15, rng, lobes=5), lighter(leaf, up), within=crown, opacity=0.8)


def _leafy(pen: Pen, look: Look) -> None:
    rng = pen.rng
    bark, leaf = _bark(pen), _foliage(pen)
    lean = rng.uniform(-0.08, 0.08)
    high = rng.uniform(0.3, 0.46)
    trunk = limb(
        [(0, 0.0), (0.01, -0.12), (lean * 0.5, -high), (lean, -high - 0.22)], [0.19, 0.1, 0.09, 0.05], round_ends=False
    )
    pen.fill(trunk, bark, swell=0.05, flow=1.5)
    for side in (-1, 1):
        pen.fill(
            limb(
                [(lean * 0.5, -high + 0.02), (side * 0.13, -high - 0.12), (side * 0.2, -high - 0.22)],
                [0.06, 0.045, 0.02],
            ),
            bark,
            swell=0.02,
        )
    wide, middle = rng.uniform(0.24, 0.36), -0.55 - (high - 0.3) * 0.5
    count = int(rng.integers(5, 10))
    places = []
    for number in range(count):
        a = 2 * math.pi * number / count + rng.uniform(-0.3, 0.3)
        places.append((lean + wide * math.cos(a) * 0.85, middle + 0.24 * math.sin(a)))
    places.append((lean, middle - 0.06))
    for x, y in sorted(places, key=lambda place: place[1]):
        size = rng.uniform(0.15, 0.22)
        shade = lighter(leaf, rng.uniform(-0.05, 0.05) - (y - middle) * 0.16)
        _clump(pen, x, y, size, shade)
    if rng.random() < 0.18:
        fruit = pen.palette.accent(rng)
        for _ in range(12):
            a, r = rng.uniform(0, 6.3), rng.uniform(0.05, 0.34)
            pen.fill(
                ellipse(lean + r * math.cos(a), middle + r * 0.8 * math.sin(a), 0.024, 0.026, count=12),
                fruit,
                swell=0.02,
            )


def _conifer(pen: Pen, look: Look) -> None:
    rng = pen.rng
    bark, leaf = (
        _bark(pen),
        lighter(mix(pen.palette.leaf, pen.palette.grade(oklch(0.45, 0.06, 165)), 0.6), rng.uniform(-0.08, 0.02)),
    )
    pen.fill(limb([(0, 0), (0, -0.25)], [0.1, 0.07], round_ends=False), bark, swell=0.03)
    tiers = int(rng.integers(4, 8))
    wide = rng.uniform(0.26, 0.4)
    for tier in range(tiers):
        share = tier / tiers
        bottom, top = -0.12 - share * 0.72, -0.12 - share * 0.72 - 1.45 * 0.8 / tiers
        half = wide * (1 - share * 0.86)
        teeth = max(3, int(9 * (1 - share)))
        edge = []
        for number in range(teeth * 2 + 1):
            x = -half + 2 * half * number / (teeth * 2)
            edge.append(
                (
                    x,
                    bottom
                    + (0.035 if number % 2 == 0 else -0.02)
                    + 0.05 * (1 - (x / half) ** 2)
                    - 0.03
                    + rng.uniform(-0.01, 0.01),
                )
            )
        pen.fill(
            np.array(
                [
                    *edge,
                    (half * 0.2, max(top, -0.98) + 0.02),
                    (0, max(top, -1.0)),
                    (-half * 0.2, max(top, -0.98) + 0.02),
                ]
            ),
            lighter(leaf, share * 0.07),
            swell=half * 0.7,
            lift=0.025,
            flow=1.2,
            gloss=0.05,
        )
        if look.peaceful and rng.random() < 0.5:
            pen.flat(
                limb([(-half * 0.7, bottom - 0.0), (-half * 0.15, bottom - 0.06)], [0.01, 0.03]),
                lighter(leaf, 0.12),
                opacity=0.7,
            )


def _branch(
    pen: Pen, bark: Colour, x: float, y: float, turn: float, length: float, wide: float, depth: int, crook: float
) -> None:
    rng = pen.rng
    bend = rng.normal(0, crook)
    middle = (x + math.cos(turn + bend) * length * 0.5, y + math.sin(turn + bend) * length * 0.5)
    end = (
        middle[0] + math.cos(turn - bend * 0.6) * length * 0.5,
        middle[1] + math.sin(turn - bend * 0.6) * length * 0.5,
    )
    pen.fill(
        limb([(x, y), middle, end], [wide, wide * 0.8, wide * 0.55], steps=4),
        bark,
        swell=wide * 0.5,
        line=0.5 if depth > 1 else 0.0,
        lift=0,
        ink=0.55 if depth < 2 else 0.0,
    )
    if depth == 0:
        return
    for side in (-1, 1):
        _branch(
            pen,
            bark,
            *end,
            turn + side * rng.uniform(0.28, 0.62),
            length * rng.uniform(0.62, 0.82),
            wide * 0.6,
            depth - 1,
            crook,
        )
    if rng.random() < 0.5:
        _branch(
            pen,
            bark,
            *middle,
            turn + float(rng.choice([-1, 1])) * rng.uniform(0.6, 1.0),
            length * 0.5,
            wide * 0.4,
            max(0, depth - 2),
            crook,
        )


def _bare(pen: Pen, look: Look) -> None:
    crook = 0.38 if look.scary else 0.16
    bark = lighter(_bark(pen), -0.1)
    pen.fill(smooth([(-0.11, 0.01), (-0.04, -0.1), (0.04, -0.1), (0.12, 0.01)]), bark, swell=0.03)
    _branch(pen, bark, 0, -0.02, -math.pi / 2 + pen.rng.uniform(-0.1, 0.1), 0.34, 0.1, 4, crook)


def _poplar(pen: Pen, look: Look) -> None:
    leaf = lighter(_foliage(pen), -0.04)
    pen.fill(limb([(0, 0), (0, -0.3)], [0.07, 0.05], round_ends=False), _bark(pen), swell=0.02)
    wide = pen.rng.uniform(0.1, 0.16)
    crown = pen.fill(
        smooth(
            [
                (-0.04, -0.12),
                (-wide, -0.35),
                (-wide * 0.8, -0.65),
                (0, -1.0),
                (wide * 0.8, -0.65),
                (wide, -0.35),
                (0.04, -0.12),
            ]
        ),
        leaf,
        swell=0.12,
        flow=1.4,
    )
    for _ in range(16):
        x, y = pen.rng.uniform(-wide, wide), pen.rng.uniform(-0.9, -0.2)
        pen.flat(
            petal(x, y, 0.14, 0.035, -1.57 + x), lighter(leaf, 0.09 if x < 0 else -0.09), within=crown, opacity=0.7
        )


def _palm(pen: Pen, look: Look) -> None:
    rng = pen.rng
    lean = rng.uniform(-0.22, 0.22)
    bark, leaf = lighter(_bark(pen), 0.1), _foliage(pen)
    trunk = pen.fill(
        limb([(0, 0), (lean * 0.2, -0.3), (lean, -0.7)], [0.1, 0.07, 0.055], round_ends=False), bark, swell=0.03
    )
    for number in range(9):
        y = -0.06 - number * 0.07
        x = lean * (y / -0.7) ** 2
        pen.stroke([(x - 0.05, y), (x, y + 0.015), (x + 0.05, y)], 0.012, lighter(bark, -0.14), within=trunk, ink=0.6)
    for turn in (*np.linspace(-3.5, 0.35, 9), -2.6, -0.6):
        length = rng.uniform(0.32, 0.44)
        droop = 0.16 + 0.1 * abs(math.cos(turn))
        end = (lean + math.cos(turn) * length, -0.72 + math.sin(turn) * length * 0.62 + droop)
        mid = (lean + math.cos(turn) * length * 0.55, -0.74 + math.sin(turn) * length * 0.55)
        frond = pen.fill(
            limb([(lean, -0.7), mid, end], [0.03, 0.11, 0.015]),
            lighter(leaf, rng.uniform(-0.09, 0.06)),
            swell=0.03,
            lift=0.02,
        )
        pen.stroke([(lean, -0.7), mid, end], 0.012, lighter(leaf, -0.16), within=frond, ink=0.6)
    for x in (-0.035, 0.03):
        pen.fill(ellipse(lean + x, -0.67, 0.035, 0.038), lighter(bark, -0.1), swell=0.03)


def _birch(pen: Pen, look: Look) -> None:
    rng = pen.rng
    lean, white = rng.uniform(-0.05, 0.05), pen.palette.grade(oklch(0.92, 0.012, 90))
    trunk = pen.fill(
        limb([(0, 0), (lean * 0.5, -0.4), (lean, -0.85)], [0.085, 0.065, 0.025], round_ends=False), white, swell=0.03
    )
    for _ in range(9):
        y = rng.uniform(-0.7, -0.05)
        pen.flat(
            ellipse(lean * (y / -0.85) + rng.uniform(-0.03, 0.03), y, 0.03, 0.008),
            (0.15, 0.13, 0.13),
            within=trunk,
            ink=0.9,
        )
    leaf = _foliage(pen)
    for number in range(9):
        y = -0.42 - number * 0.06
        half = 0.24 * math.sin(math.pi * (number + 1.5) / 11)
        for side in (-1, 1):
            _clump(
                pen,
                lean * (y / -0.85) + side * half * rng.uniform(0.0, 0.75),
                y,
                0.1,
                lighter(leaf, rng.uniform(-0.05, 0.08)),
            )
