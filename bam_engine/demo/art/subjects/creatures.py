"""Creatures that are none of the attributes: a robot is no person, a rabbit no cat, a butterfly no bird.

In:  a pen whose unit is about the height. Out: the creature on its canvas.
"""

import math

import numpy as np

from bam_engine.demo.art.palette import lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import box, ellipse, frill, limb, petal, smooth
from bam_engine.demo.art.subjects.look import Look, coat, eye


def fish(pen: Pen, look: Look) -> None:
    """A fish or a few."""
    rng = pen.rng
    count = int(rng.choice([1, 1, 3]))
    pen.canvas.tell(count=count)
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
