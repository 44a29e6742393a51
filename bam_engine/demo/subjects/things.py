"""Things that are none of the attributes: fruit, boats, balloons, fish, teapots … and a few that come close to one.

A robot is no person, a rabbit no cat, a butterfly no bird, a bus no car, a mushroom no tree.
"""

import math

import numpy as np

from bam_engine.demo.palette import Colour, lighter, mix, oklch
from bam_engine.demo.pen import Pen
from bam_engine.demo.shapes import blob, box, crescent, ellipse, frill, limb, petal, rotated, smooth, star
from bam_engine.demo.subjects.look import Look, coat, eye
from bam_engine.demo.subjects.plants import vase
from bam_engine.demo.subjects.vehicles import wheel


def fruit(pen: Pen, look: Look) -> None:
    """Fruit on a table, in a bowl or not."""
    rng, grade = pen.rng, pen.palette.grade
    bowl = rng.random() < 0.5
    count = int(rng.integers(3, 7))
    places = [
        (-0.28 + 0.56 * (number + 0.5) / count + rng.uniform(-0.04, 0.04), -0.42 - rng.uniform(0, 0.14))
        for number in range(count)
    ]
    if not bowl:
        places = [(-0.5 + 1.0 * (number + 0.5) / count, -0.16 + rng.uniform(-0.05, 0.02)) for number in range(count)]
    for x, y in sorted(places, key=lambda place: place[1]):
        kind, size = str(rng.choice(["apple", "pear", "lemon", "orange", "plum"])), rng.uniform(0.13, 0.17)
        hue, light = {
            "apple": (27, 0.6),
            "pear": (110, 0.78),
            "lemon": (100, 0.87),
            "orange": (60, 0.74),
            "plum": (320, 0.42),
        }[kind]
        colour = grade(oklch(light, 0.15, hue + rng.normal(0, 12)))
        own = pen.at(x, y, size, turn=rng.uniform(-0.4, 0.4))
        if kind == "pear":
            own.fill(
                smooth(
                    [
                        (0, 1.0),
                        (-0.75, 0.75),
                        (-0.85, 0.1),
                        (-0.35, -0.6),
                        (-0.2, -1.1),
                        (0.2, -1.1),
                        (0.35, -0.6),
                        (0.85, 0.1),
                        (0.75, 0.75),
                    ]
                ),
                colour,
                swell=0.7,
                gloss=0.5,
                lift=0.08,
            )
        elif kind == "lemon":
            own.fill(
                smooth(
                    [
                        (-1.25, 0),
                        (-0.85, -0.5),
                        (0, -0.75),
                        (0.85, -0.5),
                        (1.25, 0),
                        (0.85, 0.5),
                        (0, 0.75),
                        (-0.85, 0.5),
                    ]
                ),
                colour,
                swell=0.6,
                gloss=0.5,
                lift=0.08,
            )
        else:
            own.fill(
                smooth(
                    [
                        (0, -0.78),
                        (0.5, -0.95),
                        (1, -0.25),
                        (0.7, 0.75),
                        (0, 0.92),
                        (-0.7, 0.75),
                        (-1, -0.25),
                        (-0.5, -0.95),
                    ]
                ),
                colour,
                swell=0.8,
                gloss=0.6,
                lift=0.08,
            )
        own.stroke([(0, -0.75), (0.08, -1.05), (0.2, -1.25)], 0.1, (0.3, 0.2, 0.12))
        if rng.random() < 0.6:
            own.fill(petal(0.05, -1.0, 0.7, 0.34, -0.5), pen.palette.leaf, swell=0.08)
    if bowl:
        clay = pen.palette.accent(rng)
        shape = pen.fill(
            smooth([(-0.5, -0.4), (-0.4, -0.16), (-0.18, 0), (0.18, 0), (0.4, -0.16), (0.5, -0.4), (0, -0.37)]),
            clay,
            swell=0.3,
            gloss=0.7,
        )
        pen.flat(limb([(-0.5, -0.28), (0, -0.22), (0.5, -0.28)], 0.04), lighter(clay, 0.18), within=shape)


def pots(pen: Pen, look: Look) -> None:
    """A teapot, a cup, bottles and jugs."""
    rng = pen.rng
    if rng.random() < 0.5:
        colour = pen.palette.accent(rng)
        pen.fill(
            limb([(0.28, -0.2), (0.46, -0.3), (0.5, -0.48), (0.6, -0.54)], [0.16, 0.11, 0.08, 0.07]),
            colour,
            swell=0.06,
            gloss=0.7,
        )
        handle = limb([(-0.26, -0.42), (-0.5, -0.44), (-0.52, -0.2), (-0.28, -0.12)], 0.07)
        pen.fill(handle, colour, swell=0.04, gloss=0.7)
        pot = pen.fill(
            smooth([(-0.2, 0), (-0.38, -0.2), (-0.3, -0.44), (0, -0.52), (0.3, -0.44), (0.38, -0.2), (0.2, 0)]),
            colour,
            swell=0.3,
            gloss=0.8,
        )
        for number in range(9):
            pen.flat(ellipse(-0.32 + number * 0.08, -0.26, 0.022, 0.03, count=10), lighter(colour, 0.25), within=pot)
        pen.fill(ellipse(0, -0.5, 0.17, 0.05), lighter(colour, -0.06), swell=0.04, gloss=0.7)
        pen.fill(ellipse(0, -0.58, 0.05, 0.05), lighter(colour, -0.06), swell=0.04, gloss=0.7)
        cup = pen.palette.accent(rng)
        pen.fill(limb([(-0.56, -0.2), (-0.44, -0.2), (-0.45, -0.08), (-0.55, -0.08)], 0.03), cup, swell=0.02)
        pen.fill(
            smooth([(-0.84, -0.26), (-0.8, -0.05), (-0.7, 0), (-0.62, -0.05), (-0.56, -0.26)]),
            cup,
            swell=0.1,
            gloss=0.7,
        )
        for lean in (0.0, 0.08):
            pen.stroke(
                [(-0.74 + lean, -0.32), (-0.78 + lean, -0.42), (-0.7 + lean, -0.5), (-0.74 + lean, -0.6)],
                0.018,
                (0.95, 0.95, 0.95),
                ink=0.25,
            )
        return
    for number, x in enumerate(np.linspace(-0.4, 0.4, int(rng.integers(2, 5)))):
        own = pen.at(float(x), rng.uniform(-0.02, 0.03), rng.uniform(0.7, 1.1))
        if number % 2:
            vase(own, rng.uniform(0.4, 0.6))
            continue
        glass = pen.palette.accent(rng)
        high, wide = rng.uniform(0.7, 0.9), rng.uniform(0.09, 0.13)
        outline = smooth(
            [
                (wide, 0),
                (wide, -high * 0.5),
                (wide * 0.95, -high * 0.6),
                (wide * 0.35, -high * 0.75),
                (wide * 0.32, -high),
            ],
            closed=False,
        )
        shape = own.fill(
            np.concatenate([outline, outline[::-1] * (-1, 1)]), glass, swell=wide, gloss=0.95, opacity=0.92
        )
        own.flat(box(-wide, -high * 0.4, wide, -high * 0.15), (0.95, 0.93, 0.86), within=shape)
        own.flat(ellipse(-wide * 0.5, -high * 0.3, wide * 0.12, high * 0.2), (1, 1, 1), within=shape, opacity=0.5)


def sailboat(pen: Pen, look: Look) -> None:
    """A boat under sail."""
    rng = pen.rng
    hull, sail = pen.palette.accent(rng), pen.palette.grade(oklch(0.94, 0.02, 85))
    if rng.random() < 0.4:
        sail = lighter(pen.palette.accent(rng), 0.1)
    lean = rng.uniform(-0.08, 0.08)
    own = pen.at(0, 0, turn=lean)
    own.stroke([(0, -0.1), (0, -1.0)], 0.024, (0.36, 0.26, 0.18), taper=False)
    own.fill(smooth([(0.03, -0.97), (0.03, -0.22), (0.44, -0.2), (0.3, -0.55)], steps=5), sail, swell=0.08, flow=1.2)
    own.fill(
        smooth([(-0.03, -0.88), (-0.03, -0.24), (-0.36, -0.22), (-0.2, -0.55)], steps=5),
        lighter(sail, -0.05),
        swell=0.06,
        flow=1.2,
    )
    own.fill([(0, -1.02), (0.14, -0.985), (0, -0.95)], pen.palette.accent(rng), swell=0, line=0.6)
    shape = own.fill(
        smooth([(-0.48, -0.17), (-0.36, 0.02), (0.3, 0.02), (0.52, -0.19), (0, -0.13)]), hull, swell=0.08, gloss=0.4
    )
    own.flat(limb([(-0.5, -0.12), (0, -0.085), (0.5, -0.14)], 0.03), lighter(hull, 0.25), within=shape)
    for number in range(3):
        pen.stroke(
            [
                (-0.5 + number * 0.09, 0.03 + number * 0.035),
                (0, 0.05 + number * 0.035),
                (0.5 - number * 0.07, 0.03 + number * 0.035),
            ],
            0.016,
            lighter(pen.palette.water, 0.15),
            ink=0.5,
        )


def balloon(pen: Pen, look: Look) -> None:
    """Hot-air balloons."""
    rng = pen.rng
    for x, y, size in ((0.0, 0.0, 1.0), (0.46, -0.5, 0.36), (-0.5, -0.34, 0.26))[: int(rng.integers(1, 4))]:
        own = pen.at(x, y, size)
        first, second = pen.palette.accent(rng), pen.palette.grade(oklch(0.93, 0.03, 90))
        for side in (-0.07, 0.07):
            own.stroke([(side * 2.2, -0.34), (side, -0.14)], 0.01, (0.3, 0.25, 0.2), taper=False)
        own.fill(box(-0.085, -0.15, 0.085, 0, corner=0.02), pen.palette.grade(oklch(0.55, 0.08, 65)), swell=0.04)
        skin = own.fill(
            smooth(
                [
                    (0, -1.0),
                    (0.32, -0.9),
                    (0.4, -0.62),
                    (0.18, -0.34),
                    (0, -0.29),
                    (-0.18, -0.34),
                    (-0.4, -0.62),
                    (-0.32, -0.9),
                ]
            ),
            first,
            swell=0.38,
            gloss=0.4,
        )
        for half in (0.3, 0.1):
            colour = second if half == 0.3 else first
            own.flat(
                smooth(
                    [
                        (-half, -0.65),
                        (-half * 0.7, -0.95),
                        (0, -1.02),
                        (half * 0.7, -0.95),
                        (half, -0.65),
                        (half * 0.5, -0.34),
                        (-half * 0.5, -0.34),
                    ]
                ),
                colour,
                within=skin,
                line=0.5,
            )


def fish(pen: Pen, look: Look) -> None:
    """A fish or a few."""
    rng = pen.rng
    count = int(rng.choice([1, 1, 3]))
    spots = [(0.0, -0.45, 0.95)] if count == 1 else [(-0.25, -0.72, 0.5), (0.25, -0.5, 0.58), (-0.2, -0.2, 0.45)]
    for x, y, size in spots:
        colour, stripe = pen.palette.accent(rng), lighter(pen.palette.accent(rng), 0.15)
        own = pen.at(x, y, size, turn=rng.uniform(-0.15, 0.15))
        own.fill(smooth([(-0.38, 0.0), (-0.68, -0.24), (-0.6, 0.0), (-0.68, 0.26)], steps=5), stripe, swell=0.05)
        own.fill(smooth([(-0.2, -0.18), (-0.05, -0.42), (0.2, -0.36), (0.15, -0.2)], steps=5), stripe, swell=0.04)
        own.fill(smooth([(-0.05, 0.18), (-0.12, 0.38), (0.08, 0.24)], steps=5), stripe, swell=0.04)
        body = own.fill(
            smooth([(-0.42, 0), (-0.2, -0.2), (0.15, -0.27), (0.45, -0.06), (0.47, 0.02), (0.15, 0.25), (-0.2, 0.18)]),
            colour,
            swell=0.2,
            gloss=0.6,
        )
        for column in range(5):
            for row in range(-2, 3):
                at = (-0.25 + column * 0.1, row * 0.085 + (column % 2) * 0.04)
                own.stroke(
                    [(at[0] + 0.02, at[1] - 0.04), (at[0] - 0.025, at[1]), (at[0] + 0.02, at[1] + 0.04)],
                    0.012,
                    lighter(colour, -0.12),
                    within=body,
                    ink=0.6,
                )
        own.fill(smooth([(0.1, 0.02), (-0.06, 0.14), (-0.02, 0.02)], steps=5), stripe, swell=0.03)
        eye(own, 0.31, -0.07, 0.045, look, (0.05, 0.05, 0.06))


def butterfly(pen: Pen, look: Look) -> None:
    """A butterfly; no bird."""
    rng = pen.rng
    first, second = pen.palette.accent(rng), lighter(pen.palette.accent(rng), 0.15)
    own = pen.at(0, -0.48, 1, turn=rng.uniform(-0.5, 0.5))
    for side in (-1, 1):
        upper = own.fill(
            smooth(
                [
                    (side * 0.02, -0.04),
                    (side * 0.16, -0.34),
                    (side * 0.48, -0.44),
                    (side * 0.54, -0.2),
                    (side * 0.3, 0.02),
                ]
            ),
            first,
            swell=0.05,
        )
        lower = own.fill(
            smooth(
                [(side * 0.02, 0.02), (side * 0.3, 0.02), (side * 0.42, 0.18), (side * 0.3, 0.42), (side * 0.12, 0.26)]
            ),
            lighter(first, -0.08),
            swell=0.05,
        )
        own.flat(ellipse(side * 0.38, -0.27, 0.09, 0.08), second, within=upper, line=0.6)
        own.flat(ellipse(side * 0.28, 0.21, 0.07, 0.07), second, within=lower, line=0.6)
        for turn in (-0.9, -0.5, -0.15):
            own.stroke(
                [(side * 0.03, -0.03), (side * 0.25 * math.cos(turn), 0.3 * math.sin(turn))],
                0.012,
                lighter(first, -0.25),
                within=upper,
            )
        own.stroke([(0, -0.18), (side * 0.06, -0.32), (side * 0.14, -0.38)], 0.014, (0.12, 0.09, 0.1))
    own.fill(limb([(0, -0.2), (0, 0.0), (0, 0.3)], [0.06, 0.065, 0.03]), (0.16, 0.12, 0.12), swell=0.03, ink=0.6)


def mushroom(pen: Pen, look: Look) -> None:
    """A group of mushrooms; no tree."""
    rng = pen.rng
    for x, size in ((0.0, 1.0), (0.36, 0.55), (-0.36, 0.42))[: int(rng.integers(1, 4))]:
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
            own.fill(
                ellipse(rng.uniform(-0.36, 0.36), rng.uniform(-0.9, -0.5), dot * 1.15, dot),
                stem,
                swell=0.03,
                within=shape,
                line=0.6,
            )


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


def rocket(pen: Pen, look: Look) -> None:
    """A rocket, or a ringed planet."""
    rng = pen.rng
    if rng.random() < 0.5:
        colour = pen.palette.accent(rng)
        ring = rotated(ellipse(0, 0, 0.62, 0.16, count=40), -0.35) + (0, -0.5)
        hole = (rotated(ellipse(0, 0, 0.47, 0.1, count=40), -0.35) + (0, -0.5))[::-1]
        pen.fill(ring, lighter(pen.palette.accent(rng), 0.1), holes=[hole], swell=0.03)
        globe = pen.fill(ellipse(0, -0.5, 0.36, 0.36, count=40), colour, swell=0.38)
        for y in (-0.68, -0.55, -0.4, -0.28):
            pen.flat(
                rotated(
                    smooth([(-0.4, 0), (0, rng.uniform(-0.03, 0.03)), (0.4, 0), (0, rng.uniform(0.03, 0.08))]), -0.35
                )
                + (0, y),
                lighter(colour, rng.uniform(-0.12, 0.12)),
                within=globe,
            )
        front = ring[:21]
        pen.fill(
            np.concatenate([front, hole[::-1][:21][::-1]]), lighter(pen.palette.accent(rng), 0.1), swell=0.03, lift=0.03
        )
        return
    own = pen.at(0, -0.5, 1, turn=rng.uniform(0, 0.7))
    body, trim = pen.palette.grade(oklch(0.92, 0.015, 90)), pen.palette.accent(rng)
    own.fill(smooth([(-0.1, 0.3), (0, 0.62), (0.1, 0.3)]), oklch(0.78, 0.17, 65), swell=0.04)
    own.fill(smooth([(-0.05, 0.3), (0, 0.48), (0.05, 0.3)]), oklch(0.92, 0.13, 95), swell=0.02, line=0)
    for side in (-1, 1):
        own.fill(
            smooth([(side * 0.13, 0.05), (side * 0.32, 0.28), (side * 0.3, 0.4), (side * 0.1, 0.27)], steps=5),
            trim,
            swell=0.05,
            gloss=0.6,
        )
    hull = own.fill(
        smooth([(0, -0.52), (0.16, -0.25), (0.18, 0.05), (0.11, 0.31), (-0.11, 0.31), (-0.18, 0.05), (-0.16, -0.25)]),
        body,
        swell=0.18,
        gloss=0.8,
    )
    own.flat(smooth([(0, -0.6), (0.2, -0.25), (-0.2, -0.25)]), trim, within=hull)
    own.fill(ellipse(0, -0.08, 0.09, 0.09), trim, swell=0.03)
    own.fill(ellipse(0, -0.08, 0.06, 0.06), mix(pen.palette.sky[0], (1, 1, 1), 0.3), swell=0.05, gloss=0.9)


def branch(pen: Pen, look: Look) -> None:
    """A twig with leaves and berries; neither tree nor flower."""
    rng = pen.rng
    leaf = lighter(pen.palette.leaf, rng.uniform(-0.05, 0.06))
    if rng.random() < 0.4:
        leaf = pen.palette.grade(oklch(rng.uniform(0.55, 0.7), 0.13, float(rng.choice([40, 65, 85]))))
    stem = [(-0.05, 0.0), (0.04, -0.35), (-0.03, -0.7), (0.03, -0.97)]
    pen.fill(limb(stem, [0.04, 0.03, 0.02, 0.01]), pen.palette.grade(oklch(0.42, 0.05, 60)), swell=0.02)
    shape = str(rng.choice(["long", "round", "fern"]))
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


def robot(pen: Pen, look: Look) -> None:
    """A robot; no person."""
    rng = pen.rng
    metal, trim = pen.palette.grade(oklch(0.74, 0.02, 240)), pen.palette.accent(rng)
    for side in (-1, 1):
        pen.fill(limb([(side * 0.1, -0.25), (side * 0.12, -0.03)], 0.075), lighter(metal, -0.12), swell=0.04, gloss=0.8)
        pen.fill(box(side * 0.13 - 0.09, -0.05, side * 0.13 + 0.09, 0, corner=0.025), trim, swell=0.03, gloss=0.6)
        hand = (side * 0.34, -0.3 - rng.uniform(0, 0.4))
        pen.fill(
            limb([(side * 0.2, -0.5), (side * 0.34, -0.45), hand], 0.06), lighter(metal, -0.12), swell=0.03, gloss=0.8
        )
        pen.fill(ellipse(*hand, 0.055, 0.055), trim, swell=0.04, gloss=0.8)
    pen.fill(box(-0.22, -0.57, 0.22, -0.2, corner=0.05), metal, swell=0.08, gloss=0.9)
    pen.fill(box(-0.14, -0.48, 0.14, -0.32, corner=0.02), lighter(metal, -0.2), swell=0.01, lift=0)
    for x in (-0.08, 0, 0.08):
        pen.fill(ellipse(x, -0.4, 0.03, 0.03, count=14), pen.palette.accent(rng), swell=0.03, gloss=0.9)
    pen.stroke([(0, -0.86), (0, -0.97)], 0.018, lighter(metal, -0.3), taper=False)
    pen.fill(ellipse(0, -0.98, 0.035, 0.035, count=14), trim, swell=0.03, gloss=0.9)
    pen.fill(box(-0.24, -0.87, 0.24, -0.6, corner=0.07), lighter(metal, 0.05), swell=0.09, gloss=0.9)
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.1, -0.75, 0.07, 0.07), (0.12, 0.14, 0.18), swell=0.02, ink=0.7)
        glow = oklch(0.85, 0.15, 25 if look.scary else 190)
        pen.flat(ellipse(side * 0.1, -0.75, 0.04, 0.04), glow)
    for x in np.linspace(-0.1, 0.1, 5):
        pen.flat(box(x - 0.012, -0.665, x + 0.012, -0.63), (0.15, 0.16, 0.2), ink=0.8)


def rabbit(pen: Pen, look: Look) -> None:
    """A rabbit; neither cat nor dog."""
    rng = pen.rng
    fur = coat(pen, ("plain",))
    pen.fill(ellipse(-0.3, -0.16, 0.1, 0.095), fur.light, swell=0.08)
    pen.fill(
        smooth([(-0.3, -0.02), (-0.32, -0.28), (-0.08, -0.46), (0.18, -0.42), (0.26, -0.2), (0.2, 0)]),
        fur.main,
        swell=0.24,
    )
    pen.fill(
        smooth([(-0.24, 0), (-0.28, -0.2), (-0.08, -0.28), (0.04, -0.12), (-0.02, 0.01)]),
        fur.main,
        swell=0.14,
        line=0.8,
    )
    for x in (0.02, 0.16):
        pen.fill(ellipse(x, -0.03, 0.1, 0.04), fur.main, swell=0.04)
    for x, lean in ((0.12, -0.2), (0.22, 0.15)):
        own = pen.at(x, -0.6, 1, turn=lean + rng.uniform(-0.1, 0.1))
        own.fill(ellipse(0, -0.2, 0.062, 0.23), fur.main, swell=0.05)
        own.flat(ellipse(0, -0.19, 0.03, 0.17), mix(fur.light, oklch(0.72, 0.09, 20), 0.5))
    pen.fill(
        smooth([(0.0, -0.5), (0.06, -0.64), (0.22, -0.68), (0.36, -0.58), (0.38, -0.46), (0.26, -0.38), (0.08, -0.38)]),
        fur.main,
        swell=0.15,
    )
    pen.fill(ellipse(0.31, -0.46, 0.075, 0.06), fur.light, swell=0.05, line=0, lift=0)
    pen.fill(ellipse(0.365, -0.5, 0.025, 0.02), oklch(0.6, 0.1, 15), swell=0.02, ink=0.3)
    eye(pen, 0.24, -0.55, 0.034, look, (0.08, 0.05, 0.05))


def bus(pen: Pen, look: Look) -> None:
    """A bus or a tram; no car."""
    rng = pen.rng
    colour = pen.palette.accent(rng)
    high = rng.uniform(0.52, 0.85)
    shape = pen.fill(
        box(-0.72, -high, 0.72, -0.08, corner=0.06),
        colour,
        fade=lighter(colour, -0.08),
        swell=0.06,
        gloss=0.6,
        flow=0.0,
    )
    glass = mix(pen.palette.sky[0], pen.palette.dark, 0.35)
    for deck in range(2 if high > 0.68 else 1):
        y = -high + 0.08 + deck * 0.31
        for x in np.linspace(-0.6, 0.46, 6):
            pen.flat(
                box(float(x) - 0.075, y, float(x) + 0.075, y + 0.15, corner=0.015),
                glass,
                fade=lighter(glass, 0.2),
                within=shape,
                line=0.6,
            )
    pen.flat(box(-0.8, -0.24, 0.8, -0.2), lighter(colour, 0.2), within=shape)
    pen.flat(box(0.58, -high * 0.62, 0.69, -0.1), lighter(glass, 0.1), within=shape, line=0.7)
    for x in (-0.45, 0.4):
        wheel(pen, x, -0.09, 0.1)


def moonscape(pen: Pen, look: Look) -> None:
    """A moon or sun with a face, among stars."""
    rng = pen.rng
    colour = pen.palette.grade(oklch(0.9, 0.1, 92))
    if rng.random() < 0.5:
        pen.fill(crescent(0, -0.5, 0.45, 0.5), colour, swell=0.14)
    else:
        for number in range(14):
            own = pen.at(0, -0.5, 1, turn=number * 2 * math.pi / 14)
            own.fill([(-0.06, -0.36), (0, -0.5 - 0.06 * (number % 2)), (0.06, -0.36)], colour, swell=0.03)
        pen.fill(ellipse(0, -0.5, 0.34, 0.34), colour, swell=0.3)
        for side in (-1, 1):
            eye(pen, side * 0.12, -0.55, 0.032, look, (0.2, 0.12, 0.08))
        pen.stroke([(-0.12, -0.42), (0, -0.37), (0.12, -0.42)], 0.026, (0.3, 0.18, 0.1))
    for _ in range(6):
        x, y = rng.uniform(-0.6, 0.6), rng.uniform(-1.0, 0)
        if (x / 0.52) ** 2 + ((y + 0.5) / 0.52) ** 2 > 1:
            pen.fill(star(x, y, 0.06, 0.026, 5, turn=rng.uniform(0, 1)), colour, swell=0.03, line=0.6)


def shapes(pen: Pen, look: Look) -> None:
    """A composition of plain shapes, of nothing in particular."""
    rng = pen.rng
    for _ in range(int(rng.integers(6, 13))):
        colour: Colour = pen.palette.accent(rng) if rng.random() < 0.7 else pen.palette.dark
        x, y, size = rng.uniform(-0.5, 0.5), rng.uniform(-0.95, -0.05), rng.uniform(0.06, 0.26)
        kind = int(rng.integers(6))
        own = pen.at(x, y, size, turn=rng.uniform(0, 6.3))
        if kind == 0:
            own.fill(ellipse(0, 0, 1, 1), colour, swell=0.7, gloss=0.5)
        elif kind == 1:
            own.fill(box(-1, -0.7, 1, 0.7, corner=rng.uniform(0, 0.4)), colour, swell=0.15)
        elif kind == 2:
            own.fill(star(0, 0, 1.1, 0.9, 3), colour, swell=0.2)
        elif kind == 3:
            own.fill(limb([(-1.6, 0), (-0.5, -0.6), (0.5, 0.6), (1.6, 0)], 0.22), colour, swell=0.12)
        elif kind == 4:
            own.fill(ellipse(0, 0, 1, 1, count=40), colour, holes=[ellipse(0, 0, 0.6, 0.6, count=40)[::-1]], swell=0.25)
        else:
            own.fill(blob(0, 0, 1, 0.8, rng, rough=0.25), colour, swell=0.4, gloss=0.4)


def sheep(pen: Pen, look: Look) -> None:
    """A sheep; neither dog nor cat."""
    wool, face = pen.palette.grade(oklch(0.92, 0.02, 85)), pen.palette.grade(oklch(0.34, 0.02, 50))
    for x in (-0.28, -0.14, 0.14, 0.26):
        pen.fill(limb([(x, -0.3), (x, -0.02)], 0.065), face, swell=0.03, ink=0.3)
    pen.fill(frill(-0.03, -0.46, 0.44, 0.28, pen.rng, lobes=13), wool, swell=0.26)
    own = pen.at(0.4, -0.62, 0.16, turn=pen.rng.uniform(-0.2, 0.3))
    for side in (-1, 1):
        own.fill(petal(side * 0.4, -0.3, 0.9, 0.5, 0.35 if side > 0 else math.pi - 0.35), face, swell=0.1)
    own.fill(smooth([(-0.6, -0.6), (0.6, -0.6), (0.5, 0.5), (0, 1.0), (-0.5, 0.5)]), face, swell=0.4)
    own.fill(frill(0, -0.7, 0.6, 0.35, pen.rng, lobes=7), wool, swell=0.2)
    for side in (-1, 1):
        own.flat(ellipse(side * 0.26, -0.1, 0.17, 0.17), (0.95, 0.95, 0.93))
        eye(own, side * 0.26, -0.08, 0.1, look, (0.05, 0.05, 0.05))
