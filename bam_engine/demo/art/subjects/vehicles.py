"""Cars and bicycles.

In:  a pen whose unit is about the height, and how it is to look. Out: the subject on its canvas.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import Points, box, ellipse, limb, smooth
from bam_engine.demo.art.subjects.look import Look

_RUBBER = (0.13, 0.13, 0.15)

_PROFILES = {  # the body from the back lower corner over the roof to the front, and the windows, in car lengths
    "sedan": (
        [
            (-0.5, -0.09),
            (-0.5, -0.21),
            (-0.36, -0.235),
            (-0.22, -0.36),
            (0.08, -0.365),
            (0.24, -0.235),
            (0.46, -0.2),
            (0.505, -0.1),
        ],
        (-0.2, 0.17, -0.335),
    ),
    "hatch": (
        [(-0.46, -0.09), (-0.47, -0.24), (-0.4, -0.38), (0.04, -0.39), (0.22, -0.25), (0.43, -0.21), (0.465, -0.1)],
        (-0.37, 0.16, -0.36),
    ),
    "suv": (
        [(-0.48, -0.1), (-0.49, -0.3), (-0.43, -0.43), (0.1, -0.435), (0.22, -0.29), (0.45, -0.26), (0.485, -0.11)],
        (-0.4, 0.17, -0.4),
    ),
    "van": (
        [(-0.5, -0.1), (-0.5, -0.45), (-0.46, -0.5), (0.26, -0.5), (0.4, -0.3), (0.49, -0.24), (0.5, -0.1)],
        (-0.42, 0.34, -0.46),
    ),
    "sports": (
        [
            (-0.5, -0.09),
            (-0.51, -0.23),
            (-0.34, -0.245),
            (-0.14, -0.32),
            (0.04, -0.32),
            (0.22, -0.21),
            (0.46, -0.15),
            (0.52, -0.09),
        ],
        (-0.17, 0.16, -0.295),
    ),
    "beetle": (
        [
            (-0.46, -0.09),
            (-0.45, -0.2),
            (-0.32, -0.32),
            (-0.1, -0.42),
            (0.1, -0.4),
            (0.2, -0.28),
            (0.36, -0.26),
            (0.45, -0.16),
            (0.46, -0.1),
        ],
        (-0.2, 0.16, -0.37),
    ),
    "pickup": (
        [
            (-0.52, -0.1),
            (-0.52, -0.24),
            (-0.12, -0.25),
            (-0.09, -0.41),
            (0.12, -0.41),
            (0.24, -0.26),
            (0.47, -0.24),
            (0.51, -0.1),
        ],
        (-0.06, 0.19, -0.38),
    ),
}


def car(pen: Pen, look: Look) -> None:
    """Draw one car, from the side or from the front, about 1.3 long."""
    if pen.rng.random() < 0.27:
        _front(pen, look)
    else:
        _side(pen.at(0, 0, 1.25), look, str(pen.rng.choice(list(_PROFILES))))


def _paint(pen: Pen) -> Colour:
    if pen.rng.random() < 0.6:
        return pen.palette.accent(pen.rng)
    light, chroma, hue = ((0.9, 0.01, 90), (0.35, 0.02, 260), (0.6, 0.19, 28), (0.7, 0.02, 240), (0.55, 0.13, 255))[
        int(pen.rng.integers(5))
    ]
    return pen.palette.grade(oklch(light, chroma, hue))


def wheel(pen: Pen, x: float, y: float, radius: float, *, spokes: int = 5) -> None:
    """Draw a car's wheel."""
    pen.fill(ellipse(x, y, radius, radius), _RUBBER, swell=radius * 0.3, ink=0.85)
    rim = pen.palette.grade(oklch(0.78, 0.01, 250))
    pen.fill(ellipse(x, y, radius * 0.62, radius * 0.62), rim, swell=radius * 0.3, gloss=0.9, lift=0)
    start = pen.rng.uniform(0, 1)
    for number in range(spokes):
        a = start + number * 2 * math.pi / spokes
        pen.flat(
            ellipse(
                x + radius * 0.4 * math.cos(a), y + radius * 0.4 * math.sin(a), radius * 0.12, radius * 0.12, count=10
            ),
            lighter(rim, -0.3),
            ink=0.7,
        )
    pen.flat(ellipse(x, y, radius * 0.13, radius * 0.13, count=10), lighter(rim, -0.2))


def _side(pen: Pen, look: Look, kind: str) -> None:
    rng = pen.rng
    outline, (back, front, roof) = _PROFILES[kind]
    colour = _paint(pen)
    tall = rng.uniform(0.92, 1.1)
    body = smooth(np.array(outline) * (1, tall), closed=False, steps=5)
    radius = rng.uniform(0.085, 0.1)
    rear, fore = -0.31, 0.3
    pen.canvas.shadow(pen_points(pen, ellipse(0, 0.0, 0.52, 0.035)), soft=0.03 * pen.size, strength=0.5)
    floor = [(fore + 0.13, -0.07), (-0.5, -0.07)]
    shape = pen.fill(
        np.concatenate([body, floor]), colour, fade=lighter(colour, -0.12), swell=0.13, gloss=0.85, flow=0.0
    )
    belt = -0.235 * tall if kind not in ("suv", "van") else -0.29 * tall
    glass = mix(pen.palette.sky[0], pen.palette.dark, 0.35)
    pane = smooth([(back, belt), (back + 0.05, roof * tall), (front - 0.12, roof * tall), (front, belt)], steps=5)
    kept = pen.flat(pane, glass, line=0.8, fade=lighter(glass, 0.22), within=shape)
    for shift in (0.0, 0.06):
        pen.flat(
            [
                (back + 0.1 + shift, belt),
                (back + 0.17 + shift, roof * tall),
                (back + 0.2 + shift, roof * tall),
                (back + 0.13 + shift, belt),
            ],
            (1, 1, 1),
            within=kept,
            opacity=0.3,
        )
    middle = (back + front) / 2
    pen.flat(box(middle - 0.012, roof * tall - 0.02, middle + 0.012, belt), colour, within=shape, ink=0.0)
    line = lighter(colour, -0.2)
    pen.stroke([(middle, belt), (middle + 0.01, -0.15), (middle, -0.1)], 0.009, line, taper=False)
    pen.stroke([(-0.48, -0.165 * tall), (0, -0.17 * tall), (0.47, -0.155 * tall)], 0.008, line, within=shape)
    pen.flat(box(middle + 0.05, belt + 0.035, middle + 0.1, belt + 0.047), line, ink=0.8)
    lamp = pen.flat(ellipse(0.465, -0.175 * tall, 0.03, 0.024), (1.0, 0.96, 0.8), line=0.7)
    pen.flat(ellipse(-0.49, -0.19 * tall, 0.02, 0.03), oklch(0.6, 0.2, 28), line=0.7, within=shape)
    pen.fill(box(-0.53, -0.1, -0.42, -0.06, corner=0.015), lighter(colour, -0.25), swell=0.02)
    pen.fill(box(0.42, -0.1, 0.53, -0.06, corner=0.015), lighter(colour, -0.25), swell=0.02)
    for x in (rear, fore):
        pen.flat(ellipse(x, -0.09, radius * 1.2, radius * 1.2), (0.07, 0.07, 0.08), within=shape, ink=0.9)
        wheel(pen, x, -radius + 0.005, radius, spokes=int(rng.integers(4, 8)))
    dark = sum(pen.palette.sky[0]) < 1.1
    if lamp is not None and (dark or look.scary):
        pen.canvas.glow(*pen.place(0.55, -0.17 * tall), 0.16 * pen.size, (1.0, 0.93, 0.7), 0.7)
    if rng.random() < 0.15:
        pen.fill(
            box(-0.13, roof * tall - 0.085, 0.02, roof * tall - 0.03, corner=0.01),
            pen.palette.grade(oklch(0.9, 0.15, 95)),
            swell=0.02,
        )
    if rng.random() < 0.15 and kind in ("sedan", "hatch", "beetle", "suv"):
        for step in range(3):
            pen.fill(
                box(
                    -0.2,
                    roof * tall - 0.075 - step * 0.05,
                    0.06 - step * 0.04,
                    roof * tall - 0.03 - step * 0.05,
                    corner=0.008,
                ),
                pen.palette.accent(rng),
                swell=0.02,
            )


def pen_points(pen: Pen, points: Points) -> Points:
    """Return the pixels of points in the pen's coordinates."""
    return np.array([pen.place(float(x), float(y)) for x, y in points])


def _front(pen: Pen, look: Look) -> None:
    rng = pen.rng
    colour = _paint(pen)
    wide, tall = rng.uniform(0.36, 0.44), rng.uniform(0.9, 1.15)
    pen.canvas.shadow(pen_points(pen, ellipse(0, 0.0, wide * 1.1, 0.05)), soft=0.04 * pen.size, strength=0.5)
    for side in (-1, 1):
        pen.fill(
            box(side * wide * 0.72 - 0.07, -0.16, side * wide * 0.72 + 0.07, 0.0, corner=0.03),
            _RUBBER,
            swell=0.03,
            ink=0.85,
        )
    cabin = smooth(
        [
            (-wide * 0.92, -0.34 * tall),
            (-wide * 0.68, -0.62 * tall),
            (0, -0.66 * tall),
            (wide * 0.68, -0.62 * tall),
            (wide * 0.92, -0.34 * tall),
        ],
        steps=6,
    )
    pen.fill(cabin, colour, swell=0.12, gloss=0.8)
    glass = mix(pen.palette.sky[0], pen.palette.dark, 0.35)
    pane = pen.flat(
        smooth(
            [
                (-wide * 0.76, -0.37 * tall),
                (-wide * 0.58, -0.57 * tall),
                (0, -0.6 * tall),
                (wide * 0.58, -0.57 * tall),
                (wide * 0.76, -0.37 * tall),
            ],
            steps=5,
        ),
        glass,
        fade=lighter(glass, 0.2),
        line=0.8,
    )
    pen.flat([(-0.1, -0.3), (0.02, -0.7), (0.08, -0.7), (-0.04, -0.3)], (1, 1, 1), within=pane, opacity=0.3)
    for side in (-1, 1):
        pen.fill(ellipse(side * wide * 1.06, -0.42 * tall, 0.06, 0.04), colour, swell=0.03, gloss=0.8)
    hood = smooth(
        [
            (-wide * 1.0, -0.12),
            (-wide * 1.02, -0.28 * tall),
            (-wide * 0.8, -0.4 * tall),
            (0, -0.42 * tall),
            (wide * 0.8, -0.4 * tall),
            (wide * 1.02, -0.28 * tall),
            (wide, -0.12),
            (0, -0.08),
        ]
    )
    pen.fill(hood, colour, fade=lighter(colour, -0.1), swell=0.16, gloss=0.85)
    chrome = pen.palette.grade(oklch(0.82, 0.01, 250))
    grille = pen.fill(
        box(-wide * 0.42, -0.27 * tall, wide * 0.42, -0.17 * tall, corner=0.03), (0.12, 0.12, 0.14), swell=0.01, ink=0.6
    )
    for x in np.linspace(-wide * 0.4, wide * 0.4, 8):
        pen.flat(box(x - 0.007, -0.3 * tall, x + 0.007, -0.15 * tall), chrome, within=grille)
    glowing = look.scary or sum(pen.palette.sky[0]) < 1.1
    for side in (-1, 1):
        pen.fill(ellipse(side * wide * 0.72, -0.25 * tall, 0.085, 0.075), chrome, swell=0.04, gloss=0.9)
        pen.flat(ellipse(side * wide * 0.72, -0.25 * tall, 0.06, 0.055), (1.0, 0.97, 0.85), line=0.5)
        if glowing:
            pen.canvas.glow(*pen.place(side * wide * 0.72, -0.25 * tall), 0.2 * pen.size, (1.0, 0.93, 0.7), 0.8)
    pen.fill(box(-wide * 1.04, -0.15, wide * 1.04, -0.09, corner=0.025), chrome, swell=0.03, gloss=0.9)
    pen.flat(box(-0.09, -0.15, 0.09, -0.1), (0.96, 0.95, 0.9), line=0.6)


# Bicycles -----------------------------------------------------------------------------------------------------------


def bicycle(pen: Pen, look: Look) -> None:
    """Draw one bicycle from the side, about 1.4 long."""
    rng = pen.rng
    squash = float(rng.choice([1.0, 1.0, 1.0, rng.uniform(0.75, 0.9)]))
    own = Pen(
        pen.canvas, pen.x, pen.y, pen.size, flip=bool(rng.random() < 0.5), turn=rng.uniform(-0.07, 0.07), squash=squash
    )
    draw_bicycle(own, str(rng.choice(["city", "race", "city", "mountain", "race", "old"])))


def _bike_wheel(pen: Pen, x: float, y: float, radius: float, tyre: float, spokes: int) -> None:
    outer = ellipse(x, y, radius, radius, count=44)
    inner = ellipse(x, y, radius - tyre, radius - tyre, count=44)[::-1]
    start = pen.rng.uniform(0, 1)
    for number in range(spokes):
        a = start + number * 2 * math.pi / spokes
        pen.stroke(
            [
                (x + 0.02 * math.cos(a + 0.6), y + 0.02 * math.sin(a + 0.6)),
                (x + (radius - tyre) * math.cos(a), y + (radius - tyre) * math.sin(a)),
            ],
            0.006,
            (0.55, 0.55, 0.58),
            ink=0.55,
            taper=False,
        )
    pen.fill(outer, _RUBBER, holes=[inner], swell=tyre * 0.6, line=0, ink=0.9, lift=0)
    rim = ellipse(x, y, radius - tyre, radius - tyre, count=44)
    pen.fill(
        rim,
        (0.72, 0.72, 0.74),
        holes=[ellipse(x, y, radius - tyre * 1.5, radius - tyre * 1.5, count=44)[::-1]],
        swell=0.01,
        line=0,
        gloss=0.8,
        lift=0,
    )
    pen.fill(ellipse(x, y, 0.028, 0.028, count=12), (0.5, 0.5, 0.53), swell=0.02)


_STEEL = (0.4, 0.4, 0.43)
_TUBES = {"city": (0.036, 0.03), "race": (0.028, 0.02), "mountain": (0.046, 0.048), "old": (0.034, 0.02)}  # frame, tyre


@dataclass(frozen=True)
class _Frame:
    """A bicycle in the making: what is drawn with, its colour and the width of its tubes."""

    pen: Pen
    colour: Colour
    tube: float

    def bar(self, points: npt.ArrayLike, wide: float = 0.0, shade: Colour | None = None) -> None:
        """Draw a tube along the points."""
        wide = wide or self.tube
        outline = limb(points, wide)
        self.pen.fill(outline, shade or self.colour, swell=wide * 0.5, gloss=0.7, lift=0.008, line=0.7)


def draw_bicycle(pen: Pen, kind: str) -> None:
    """Draw a "city", "race", "mountain" or "old" bicycle (a penny-farthing); the saddle is near (-0.18, -0.7)."""
    rng = pen.rng
    tube, tyre = _TUBES[kind]
    frame = _Frame(pen, pen.palette.accent(rng), tube)
    if kind == "old":
        _penny_farthing(frame, tyre)
        return
    radius, spokes = 0.315 if kind == "race" else 0.3, int(rng.integers(10, 17))
    back, front, crank, seat, head = (-0.45, -radius), (0.47, -radius), (-0.06, -0.3), (-0.18, -0.66), (0.33, -0.68)
    for x, y in (back, front):
        _bike_wheel(pen, x, y, radius, tyre, spokes)
        if kind == "city":
            turn = np.linspace(-2.9, -0.5, 12)
            guard = np.stack([x + (radius + 0.025) * np.cos(turn), y + (radius + 0.025) * np.sin(turn)], axis=1)
            pen.fill(limb(guard, 0.024, steps=2), lighter(frame.colour, 0.08), swell=0.01, gloss=0.6)
    frame.bar([back, crank], tube * 0.7)
    frame.bar([back, (-0.17, -0.62)], tube * 0.7)
    frame.bar([crank, seat])
    low = kind == "city" and rng.random() < 0.6
    frame.bar([(-0.1, -0.4), (0.12, -0.42), head] if low else [(-0.165, -0.6), (0.32, -0.64)])
    frame.bar([crank, (0.14, -0.34), (0.34, -0.62)] if low else [crank, (0.345, -0.6)])
    frame.bar([(0.32, -0.74), (0.36, -0.6), (0.42, -0.4), front])
    _pedals(frame, crank)
    frame.bar([seat, (-0.195, -0.73)], 0.022, (0.6, 0.6, 0.63))
    saddle = smooth([(-0.32, -0.77), (-0.22, -0.79), (-0.05, -0.755), (-0.06, -0.735), (-0.2, -0.72), (-0.31, -0.71)])
    pen.fill(saddle, (0.2, 0.14, 0.12), swell=0.03, ink=0.3)
    _handlebar(frame, kind)


def _penny_farthing(frame: _Frame, tyre: float) -> None:
    _bike_wheel(frame.pen, 0.2, -0.42, 0.42, tyre, 20)
    _bike_wheel(frame.pen, -0.46, -0.13, 0.13, tyre, 9)
    frame.bar([(0.19, -0.9), (0.0, -0.84), (-0.26, -0.56), (-0.46, -0.13)])
    frame.bar([(0.2, -0.42), (0.19, -0.92)])
    frame.bar([(0.08, -0.98), (0.19, -0.93), (0.33, -0.96)], 0.026)
    frame.pen.fill(limb([(-0.06, -0.9), (0.08, -0.92)], [0.05, 0.075]), (0.25, 0.16, 0.12), swell=0.03)
    frame.bar([(0.2, -0.42), (0.3, -0.3)], 0.022, _STEEL)


def _pedals(frame: _Frame, crank: tuple[float, float]) -> None:
    ring, hole = ellipse(*crank, 0.075, 0.075), ellipse(*crank, 0.045, 0.045)[::-1]
    frame.pen.fill(ring, (0.35, 0.35, 0.38), holes=[hole], swell=0.01, ink=0.6, lift=0)
    turn = frame.pen.rng.uniform(0, 3.1)
    for side in (-1, 1):
        x, y = crank[0] + side * 0.13 * math.cos(turn), crank[1] + side * 0.13 * math.sin(turn)
        frame.bar([crank, (x, y)], 0.02, _STEEL)
        frame.bar([(x - 0.04, y), (x + 0.04, y)], 0.024, _RUBBER)


def _handlebar(frame: _Frame, kind: str) -> None:
    pen = frame.pen
    if kind == "race":
        frame.bar([(0.3, -0.74), (0.45, -0.76), (0.5, -0.68), (0.42, -0.6)], 0.026, _RUBBER)
        return
    if kind == "mountain":
        frame.bar([(0.25, -0.82), (0.33, -0.77), (0.36, -0.82)], 0.03, _RUBBER)
        return
    frame.bar([(0.32, -0.74), (0.31, -0.84), (0.2, -0.86)], 0.024, (0.62, 0.62, 0.65))
    frame.bar([(0.24, -0.865), (0.15, -0.86)], 0.034, (0.3, 0.2, 0.14))
    if pen.rng.random() < 0.6:
        straw = pen.palette.grade(oklch(0.72, 0.08, 75))
        basket = pen.fill([(0.36, -0.86), (0.62, -0.86), (0.58, -0.68), (0.4, -0.68)], straw, swell=0.04)
        for y in (-0.82, -0.77, -0.72):
            weave = [(0.36, y), (0.49, y + 0.008), (0.62, y)]
            pen.stroke(weave, 0.01, lighter(straw, -0.15), within=basket, taper=False)
