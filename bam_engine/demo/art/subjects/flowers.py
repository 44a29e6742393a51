"""Flowers: single ones, blossoms that fill the frame, bunches in vases, beds.

In:  a pen whose unit is the height. Out: the flowers on its canvas.
"""

import math

import numpy as np

from bam_engine.demo.art.canvas import Stencil
from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import blob, ellipse, limb, petal, rotated, smooth
from bam_engine.demo.art.subjects.look import Look

# Flowers ------------------------------------------------------------------------------------------------------------


def flower(pen: Pen, look: Look) -> None:
    """Draw a flower, a large blossom, a bunch in a vase, or a bed of them."""
    kinds = [_single, _bloom, _vase, _row]
    weights = [0.08, 0.62, 0.18, 0.12] if look.near else [0.1, 0.4, 0.3, 0.2]
    kinds[int(pen.rng.choice(4, p=weights))](pen, look)


def _bloom(pen: Pen, look: Look) -> None:
    """One blossom that fills the frame, leaves around it."""
    rng = pen.rng
    kind = str(rng.choice(["daisy", "sunflower", "poppy", "rose", "daisy"]))
    leaf = lighter(pen.palette.leaf, rng.uniform(-0.06, 0.04))
    own = pen.at(0, -0.5, 0.5, turn=rng.uniform(-0.4, 0.4))
    for number in range(6):
        turn = number * math.pi / 3 + rng.uniform(-0.3, 0.3)
        blade = own.fill(petal(0, 0, 1.12, 0.42, turn, tip=0.55), lighter(leaf, rng.uniform(-0.06, 0.06)), swell=0.06)
        tip = (math.cos(turn) * 1.02, math.sin(turn) * 1.02)
        own.stroke([(0, 0), tip], 0.014, lighter(leaf, -0.13), within=blade, ink=0.6)
    blossom(own.at(0, 0, 0.92), kind, _hue(pen))


def blossom(pen: Pen, kind: str, colour: Colour) -> None:
    """Draw one blossom around (0, 0), about 1 in radius."""
    {"daisy": _daisy, "sunflower": _daisy, "tulip": _tulip, "rose": _rose, "poppy": _poppy, "bell": _bell}[kind](
        pen, colour, kind
    )


BLOSSOMS = ("daisy", "daisy", "sunflower", "tulip", "rose", "poppy", "bell")


def _hue(pen: Pen) -> Colour:
    if pen.rng.random() < 0.2:
        return lighter(pen.palette.accent(pen.rng), 0.05)
    hue = float(pen.rng.choice([5, 25, 350, 60, 90, 300, 320, 265]))
    own = oklch(pen.rng.uniform(0.62, 0.82), pen.rng.uniform(0.14, 0.21), hue)
    return mix(own, pen.palette.grade(own), 0.5)


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
    count = int(rng.integers(4, 9))
    pen.canvas.tell(count=count)
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
        size = rng.uniform(0.16, 0.23)
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
    count = int(rng.integers(5, 10))
    pen.canvas.tell(count=count)
    for number in rng.permutation(count):
        x = (number - (count - 1) / 2) * (1.2 / count) + rng.uniform(-0.04, 0.04)
        high, size = rng.uniform(0.35, 0.85), rng.uniform(0.13, 0.2)
        stem = [(x, 0.0), (x + rng.uniform(-0.05, 0.05), -high * 0.5), (x + rng.uniform(-0.05, 0.05), -high)]
        pen.fill(limb(stem, 0.018), lighter(pen.palette.leaf, -0.05), swell=0.01)
        _leaves(pen, stem, 2, 0.17)
        blossom(pen.at(stem[-1][0], stem[-1][1], size, turn=rng.uniform(-0.4, 0.4)), kind, colours[number % 2])
