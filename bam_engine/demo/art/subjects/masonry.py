"""What buildings are made of: walls, roofs, windows, doors, bricks and tiles.

In:  a pen whose unit is the height of the building. Out: a part of it on its canvas.
"""

import numpy as np

from bam_engine.demo.art.canvas import Stencil
from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import box, ellipse
from bam_engine.demo.art.subjects.look import Look


def wall_colour(pen: Pen) -> Colour:
    """Choose the colour of a wall."""
    rng = pen.rng
    if rng.random() < 0.3:
        return lighter(pen.palette.accent(rng), 0.08)
    hue = float(rng.choice([35, 60, 85, 30, 220, 15, 95]))
    return pen.palette.grade(oklch(rng.uniform(0.68, 0.92), rng.uniform(0.02, 0.09), hue))


def roof_colour(pen: Pen) -> Colour:
    """Choose the colour of a roof."""
    hue, chroma = ((35, 0.11), (25, 0.09), (255, 0.03), (60, 0.06), (200, 0.05))[int(pen.rng.integers(5))]
    return pen.palette.grade(oklch(pen.rng.uniform(0.4, 0.56), chroma, hue))


def pane_colour(pen: Pen, look: Look) -> Colour:
    """Choose the colour of a pane: lit from inside, or the sky in it."""
    night = sum(pen.palette.sky[0]) < 1.1
    lit = pen.rng.random() < (0.55 if night else 0.08)
    if look.scary:
        lit = pen.rng.random() < 0.3
    return oklch(0.88, 0.13, 85) if lit else mix(pen.palette.dark, pen.palette.sky[0], 0.3)


def window(
    pen: Pen,
    look: Look,
    x: float,
    y: float,
    wide: float,
    high: float,
    *,
    arch: bool = False,
    frame: Colour = (0.95, 0.94, 0.9),
) -> None:
    """Draw a window whose sill is at (x, y), lit or dark."""
    top = box(x - wide / 2, y - high, x + wide / 2, y)
    if arch:
        round_top = ellipse(x, y - high, wide / 2, wide / 2, count=16)
        top = np.concatenate([[(x - wide / 2, y)], round_top[8:][:9], [(x + wide / 2, y)]])
    pane = pane_colour(pen, look)
    pen.flat(top + ((top - (x, y - high / 2)) * 0.2), frame, line=0.6)
    pen.flat(top, pane, fade=lighter(pane, 0.12), ink=0.55 if sum(pane) < 1.5 else 0.0)
    if wide > 0.05:
        pen.flat(box(x - wide * 0.06, y - high, x + wide * 0.06, y), frame)
        pen.flat(box(x - wide / 2, y - high * 0.55, x + wide / 2, y - high * 0.45), frame)


def door(pen: Pen, x: float, wide: float, high: float, *, arch: bool = False) -> None:
    """Draw a door around ``x`` on the ground."""
    colour = lighter(pen.palette.accent(pen.rng), -0.12)
    if arch:
        points = np.concatenate(
            [
                [(x - wide / 2, 0)],
                ellipse(x, -high, wide / 2, wide / 2, count=16)[8:],
                [(x + wide / 2, -high), (x + wide / 2, 0)],
            ]
        )
    else:
        points = box(x - wide / 2, -high, x + wide / 2, 0)
    pen.fill(points, colour, swell=0.01, lift=0, line=0.8)
    pen.flat(ellipse(x + wide * 0.28, -high * 0.45, 0.01, 0.01, count=8), (0.9, 0.8, 0.5), ink=0.8)


def tiles(pen: Pen, roof: Stencil | None, colour: Colour, left: float, right: float, top: float, bottom: float) -> None:
    """Rows of tiles, drawn as broken lines."""
    rows = max(3, int((bottom - top) / 0.05))
    for row in range(1, rows):
        y = top + (bottom - top) * row / rows
        pen.stroke(
            [(left, y), ((left + right) / 2, y + 0.003), (right, y)],
            0.006,
            lighter(colour, -0.1),
            within=roof,
            ink=0.5,
            taper=False,
        )
        for _ in range(4):
            x = pen.rng.uniform(left, right)
            pen.flat(
                box(x, y, x + 0.03, y + 0.035), lighter(colour, pen.rng.uniform(-0.08, 0.08)), within=roof, opacity=0.7
            )


def bricks(pen: Pen, wall: Stencil | None, colour: Colour, left: float, right: float, high: float) -> None:
    """Draw a few bricks that show in a wall."""
    for _ in range(16):
        x, y = pen.rng.uniform(left, right), -pen.rng.uniform(0, high)
        pen.flat(
            box(x, y - 0.016, x + 0.045, y),
            lighter(colour, pen.rng.uniform(-0.09, 0.05)),
            within=wall,
            ink=0.0,
            line=0.25,
        )
