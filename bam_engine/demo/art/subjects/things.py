"""Things that are none of the attributes: pots, boats, balloons, rockets, the moon, shapes; a bus, which is no car.

In:  a pen whose unit is about the height. Out: the thing on its canvas.
"""

import math

import numpy as np

from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import blob, box, crescent, ellipse, limb, rotated, smooth, star
from bam_engine.demo.art.subjects.flowers import vase
from bam_engine.demo.art.subjects.look import Look, eye
from bam_engine.demo.art.subjects.vehicles import wheel


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
    count = int(rng.integers(1, 4))
    pen.canvas.tell(count=count)
    for x, y, size in ((0.0, 0.0, 1.0), (0.46, -0.5, 0.36), (-0.5, -0.34, 0.26))[:count]:
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


def rocket(pen: Pen, look: Look) -> None:
    """A rocket, or a ringed planet."""
    rng = pen.rng
    if rng.random() < 0.5:
        pen.canvas.tell(word="planet")
        colour = pen.palette.accent(rng)
        middle = np.array([0.0, -0.5])
        ring = rotated(ellipse(0, 0, 0.62, 0.16, count=40), -0.35) + middle
        hole = (rotated(ellipse(0, 0, 0.47, 0.1, count=40), -0.35) + middle)[::-1]
        pen.fill(ring, lighter(pen.palette.accent(rng), 0.1), holes=[hole], swell=0.03)
        globe = pen.fill(ellipse(0, -0.5, 0.36, 0.36, count=40), colour, swell=0.38)
        for y in (-0.68, -0.55, -0.4, -0.28):
            stripe = smooth([(-0.4, 0), (0, rng.uniform(-0.03, 0.03)), (0.4, 0), (0, rng.uniform(0.03, 0.08))])
            shade = lighter(colour, rng.uniform(-0.12, 0.12))
            pen.flat(rotated(stripe, -0.35) + np.array([0, y]), shade, within=globe)
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
    if rng.random() < 0.5 or look.gloomy or look.scary:
        pen.canvas.tell(word="moon")
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
