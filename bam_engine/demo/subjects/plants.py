"""Trees of many kinds and flowers in many arrangements."""

import math

import numpy as np

from bam_engine.demo.canvas import Stencil
from bam_engine.demo.palette import Colour, lighter, mix, oklch
from bam_engine.demo.pen import Pen
from bam_engine.demo.shapes import blob, ellipse, frill, limb, petal, rotated, smooth
from bam_engine.demo.subjects.look import Look


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
                lean * (y / -0.85) + side * half * rng.uniform(0.3, 0.8),
                y,
                0.1,
                lighter(leaf, rng.uniform(-0.05, 0.08)),
            )


# Flowers ------------------------------------------------------------------------------------------------------------


def flower(pen: Pen, look: Look) -> None:
    """Draw a flower, a bunch in a vase, or a row of them."""
    kinds = [_single, _vase, _row]
    kinds[int(pen.rng.choice(3, p=[0.4, 0.33, 0.27]))](pen, look)


def blossom(pen: Pen, kind: str, colour: Colour) -> None:
    """Draw one blossom around (0, 0), about 1 in radius."""
    {"daisy": _daisy, "sunflower": _daisy, "tulip": _tulip, "rose": _rose, "poppy": _poppy, "bell": _bell}[kind](
        pen, colour, kind
    )


BLOSSOMS = ("daisy", "daisy", "sunflower", "tulip", "rose", "poppy", "bell")


def _hue(pen: Pen) -> Colour:
    if pen.rng.random() < 0.4:
        return lighter(pen.palette.accent(pen.rng), 0.05)
    hue = float(pen.rng.choice([5, 25, 350, 60, 90, 300, 320, 265]))
    return pen.palette.grade(oklch(pen.rng.uniform(0.62, 0.86), pen.rng.uniform(0.1, 0.19), hue))


def _daisy(pen: Pen, colour: Colour, kind: str) -> None:
    rng = pen.rng
    petals = int(rng.integers(7, 14)) + (6 if kind == "sunflower" else 0)
    wide, start = 4.4 / petals, rng.uniform(0, 6)
    heart = 0.5 if kind == "sunflower" else rng.uniform(0.26, 0.36)
    for ring in ((0.0, 1.0), (0.5, 0.86)) if kind == "sunflower" else ((0.0, 1.0),):
        for number in range(petals):
            turn = start + (number + ring[0]) * 2 * math.pi / petals
            pen.fill(
                petal(0, 0, ring[1] * rng.uniform(0.92, 1.04), wide, turn, tip=0.68),
                lighter(colour, rng.uniform(-0.04, 0.04)),
                swell=0.09,
                lift=0.03,
                flow=turn,
            )
    middle = pen.palette.grade(oklch(0.4, 0.07, 55) if kind == "sunflower" else oklch(0.78, 0.15, 80))
    disc = pen.fill(ellipse(0, 0, heart, heart * 0.95), middle, swell=0.2, lift=0.05)
    for number in range(26):
        r, a = heart * 0.92 * math.sqrt((number + 0.5) / 26), number * 2.39996
        pen.flat(
            ellipse(r * math.cos(a), r * math.sin(a), 0.045, 0.045, count=8),
            lighter(middle, 0.12 if number % 2 else -0.1),
            within=disc,
            ink=0.35,
        )


def _tulip(pen: Pen, colour: Colour, kind: str) -> None:
    for side in (-1, 1):
        pen.fill(
            smooth([(0, 0.85), (side * 0.72, 0.35), (side * 0.72, -0.5), (side * 0.42, -0.95), (side * 0.1, -0.2)]),
            lighter(colour, -0.06),
            swell=0.2,
        )
    pen.fill(
        smooth([(0, 0.88), (-0.48, 0.4), (-0.42, -0.4), (0, -0.92), (0.42, -0.4), (0.48, 0.4)]),
        colour,
        swell=0.3,
        lift=0.05,
        flow=1.57,
    )
    pen.stroke([(0, -0.6), (0.03, 0), (0, 0.6)], 0.035, lighter(colour, -0.13), ink=0.5)


def _rose(pen: Pen, colour: Colour, kind: str) -> None:
    rng = pen.rng
    for number in range(13):
        share = number / 13
        radius = 0.62 * (1 - share)
        turn = number * 2.4 + rng.uniform(-0.2, 0.2)
        size = 0.52 * (1 - share) + 0.14
        x, y = radius * math.cos(turn), radius * math.sin(turn)
        pen.fill(
            blob(x, y, size, size * 0.92, rng, rough=0.08, knots=8),
            lighter(colour, 0.06 - 0.2 * share),
            swell=0.16,
            lift=0.05,
            flow=turn + 1.5,
        )
    pen.stroke([(-0.1, 0.02), (0.02, -0.1), (0.12, 0.02), (0, 0.1)], 0.05, lighter(colour, -0.22))


def _poppy(pen: Pen, colour: Colour, kind: str) -> None:
    rng = pen.rng
    start = rng.uniform(0, 6)
    for number in range(5):
        turn = start + number * 2 * math.pi / 5
        pen.fill(
            rotated(smooth([(0, 0), (0.35, -0.5), (0.85, -0.52), (1.0, 0.0), (0.85, 0.52), (0.35, 0.5)]), turn),
            lighter(colour, rng.uniform(-0.05, 0.03)),
            swell=0.14,
            lift=0.05,
            flow=turn,
        )
    pen.fill(ellipse(0, 0, 0.24, 0.24), (0.13, 0.1, 0.13), swell=0.1, ink=0.7)
    for number in range(14):
        a = number * 0.449
        pen.flat(ellipse(0.34 * math.cos(a), 0.34 * math.sin(a), 0.04, 0.04, count=8), (0.13, 0.1, 0.13), ink=0.9)


def _bell(pen: Pen, colour: Colour, kind: str) -> None:
    for number, y in enumerate(np.linspace(0.9, -0.95, 8)):
        size = 0.34 * (1 - number * 0.075)
        for side in (-1, 1):
            pen.fill(
                petal(0, y, size * 1.5, size * 0.85, -math.pi / 2 + side * (0.9 - number * 0.05), tip=0.75),
                lighter(colour, pen.rng.uniform(-0.06, 0.06)),
                swell=0.09,
                lift=0.02,
            )
    pen.fill(petal(0, -0.95, 0.3, 0.2, -math.pi / 2), colour, swell=0.08)


def _leaves(pen: Pen, stem: list[tuple[float, float]], count: int, size: float) -> None:
    leaf = lighter(pen.palette.leaf, pen.rng.uniform(-0.05, 0.06))
    for number in range(count):
        share = 0.25 + 0.5 * number / max(1, count - 1)
        x = np.interp(share, np.linspace(0, 1, len(stem)), [point[0] for point in stem])
        y = np.interp(share, np.linspace(0, 1, len(stem)), [point[1] for point in stem])
        side = 1 if number % 2 else -1
        turn = -math.pi / 2 + side * pen.rng.uniform(0.6, 1.1)
        blade = pen.fill(petal(float(x), float(y), size, size * 0.36, turn, tip=0.5), leaf, swell=0.04, flow=turn)
        tip = (float(x) + math.cos(turn) * size * 0.85, float(y) + math.sin(turn) * size * 0.85)
        pen.stroke([(float(x), float(y)), tip], 0.008, lighter(leaf, -0.13), within=blade, ink=0.6)


def _single(pen: Pen, look: Look) -> None:
    rng = pen.rng
    kind, colour = str(rng.choice(BLOSSOMS)), _hue(pen)
    size = rng.uniform(0.25, 0.34)
    droop = 0.15 if look.gloomy else 0.0
    stem = [(rng.uniform(-0.08, 0.08), 0.0), (rng.uniform(-0.06, 0.06), -0.3), (droop, -0.95 + size + droop)]
    pen.fill(limb(stem, [0.035, 0.03, 0.025]), lighter(pen.palette.leaf, -0.05), swell=0.02)
    _leaves(pen, stem, int(rng.integers(2, 5)), rng.uniform(0.24, 0.34))
    blossom(pen.at(stem[-1][0], stem[-1][1], size, turn=rng.uniform(-0.3, 0.3) + droop * 4), kind, colour)


def _vase(pen: Pen, look: Look) -> None:
    rng = pen.rng
    kinds = [str(kind) for kind in rng.choice(BLOSSOMS, 2)]
    colours = [_hue(pen), _hue(pen)]
    count = int(rng.integers(3, 8))
    tops = []
    for number in range(count):
        turn = -math.pi / 2 + (number - (count - 1) / 2) * (1.5 / count) + rng.uniform(-0.08, 0.08)
        reach = rng.uniform(0.34, 0.52) if look.gloomy else rng.uniform(0.4, 0.6)
        top = (math.cos(turn) * reach * 0.95, -0.36 + math.sin(turn) * reach)
        stem = [(0.0, -0.3), (top[0] * 0.4, -0.3 + (top[1] + 0.3) * 0.55), top]
        pen.fill(limb(stem, [0.022, 0.02, 0.018]), lighter(pen.palette.leaf, -0.08), swell=0.01)
        if number % 2:
            _leaves(pen, stem, 2, 0.2)
        tops.append(top)
    for number, top in enumerate(sorted(tops, key=lambda place: place[1])):
        size = rng.uniform(0.13, 0.19)
        blossom(
            pen.at(*top, size, turn=rng.uniform(-0.4, 0.4) + (0.5 if look.gloomy else 0)),
            kinds[number % 2],
            colours[number % 2],
        )
    vase(pen, 0.38)


def vase(pen: Pen, high: float) -> Stencil | None:
    """Draw a vase that stands on (0, 0)."""
    rng = pen.rng
    belly, neck, foot = rng.uniform(0.14, 0.24), rng.uniform(0.07, 0.12), rng.uniform(0.08, 0.13)
    colour = pen.palette.accent(rng) if rng.random() < 0.7 else pen.palette.grade(oklch(0.88, 0.02, 90))
    side = smooth([(foot, 0), (belly, -high * 0.4), (neck, -high * 0.85), (neck * 1.25, -high)], closed=False)
    shape = pen.fill(np.concatenate([side, side[::-1] * (-1, 1)]), colour, swell=belly * 0.8, gloss=0.7, flow=0.0)
    if rng.random() < 0.6:
        band = lighter(colour, 0.18)
        for y in (-high * 0.5, -high * 0.3):
            pen.flat(limb([(-belly, y - 0.012), (0, y + 0.012), (belly, y - 0.012)], 0.03), band, within=shape)
    pen.flat(ellipse(-belly * 0.5, -high * 0.45, belly * 0.13, high * 0.16), (1, 1, 1), within=shape, opacity=0.45)
    return shape


def _row(pen: Pen, look: Look) -> None:
    rng = pen.rng
    kind, colours = str(rng.choice(BLOSSOMS)), [_hue(pen), _hue(pen)]
    count = int(rng.integers(4, 8))
    for number in rng.permutation(count):
        x = (number - (count - 1) / 2) * (1.2 / count) + rng.uniform(-0.04, 0.04)
        high, size = rng.uniform(0.42, 0.8), rng.uniform(0.11, 0.17)
        stem = [(x, 0.0), (x + rng.uniform(-0.05, 0.05), -high * 0.5), (x + rng.uniform(-0.05, 0.05), -high)]
        pen.fill(limb(stem, 0.018), lighter(pen.palette.leaf, -0.05), swell=0.01)
        _leaves(pen, stem, 2, 0.17)
        blossom(pen.at(stem[-1][0], stem[-1][1], size, turn=rng.uniform(-0.4, 0.4)), kind, colours[number % 2])
