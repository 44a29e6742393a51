"""What settings are made of: the air with its sun, moon and clouds, and land below a line.

In:  a canvas that is still empty. Out: a part of its background. Nothing here is one of the attributes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bam_engine.demo.art.canvas import Canvas
from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.shapes import Points, box, crescent, ellipse, limb, smooth, star


@dataclass(frozen=True)
class Setting:
    """Where subjects stand: the horizon and the floor, as shares of the height; ``open_air`` has a sky."""

    horizon: float
    floor: float
    open_air: bool


Painter = Callable[[Canvas, frozenset[str], str], Setting]


def everywhere(canvas: Canvas, top: Colour, bottom: Colour, *, to: float = 1.0, flow: float = 0.0) -> None:
    """Fill the canvas, down to a share of its height, from one colour to another."""
    canvas.paint([box(-2, -2, canvas.wide + 2, canvas.high * to + 2)], top, fade=bottom, line=0, flow=flow)


def below(
    canvas: Canvas,
    line: Points,
    colour: Colour,
    fade: Colour,
    *,
    swell: float = 0.0,
    weight: float = 0.6,
    flow: float = 0.1,
) -> None:
    """Fill everything under an open line."""
    outline = np.concatenate([line, [[canvas.wide + 9, canvas.high + 9], [-9, canvas.high + 9]]])
    canvas.paint([outline], colour, fade=fade, line=weight, swell=swell, flow=flow)


def hill(canvas: Canvas, level: float, rise: float, knots: int = 5) -> Points:
    """Return the line of a hill that rises up to ``rise`` above ``level``, shares of the height."""
    rng = canvas.rng
    xs = np.linspace(-0.1, 1.1, knots + 2) * canvas.wide
    ys = (level - rng.uniform(0, rise, len(xs))) * canvas.high
    return smooth(np.stack([xs, ys], axis=1), closed=False)


def heaven(canvas: Canvas, moods: frozenset[str], hour: str, horizon: float) -> None:
    """Paint the sky down to the horizon, with what stands in it at that hour."""
    rng, palette = canvas.rng, canvas.palette
    everywhere(canvas, *palette.sky, to=horizon + 0.06)
    unit_size = canvas.unit
    x, y = rng.uniform(0.12, 0.88) * canvas.wide, rng.uniform(0.1, horizon * 0.6) * canvas.high
    radius = rng.uniform(0.045, 0.1) * unit_size
    if hour == "night":
        pale = lighter(palette.sky[1], 0.4)
        for _ in range(int(rng.integers(18, 46))):
            at = (rng.uniform(0, canvas.wide), rng.uniform(0, horizon * 0.9) * canvas.high)
            size = rng.uniform(0.6, 1.9)
            canvas.paint([star(*at, size * 1.5, size * 0.6, 4)], pale, line=0, opacity=float(rng.uniform(0.5, 1)))
        canvas.glow(x, y, radius * 3, pale, 0.5)
        if rng.random() < 0.5 and "scary" not in moods:
            canvas.paint([crescent(x, y, radius, 0.55)], oklch(0.95, 0.04, 95), line=0.5)
        else:
            big = radius * (1.7 if "scary" in moods else 1.2)
            canvas.paint([ellipse(x, y, big, big, count=40)], palette.grade(oklch(0.95, 0.05, 90)), line=0.5)
            for _ in range(3):
                canvas.paint(
                    [
                        ellipse(
                            x + rng.uniform(-0.5, 0.5) * big, y + rng.uniform(-0.5, 0.5) * big, big * 0.16, big * 0.13
                        )
                    ],
                    palette.grade(oklch(0.86, 0.04, 90)),
                    line=0,
                )
    elif hour in ("dawn", "golden", "dusk"):
        low = (horizon - rng.uniform(0.0, 0.16)) * canvas.high
        canvas.glow(x, low, radius * 5, palette.grade(oklch(0.93, 0.12, 75)), 0.75)
        canvas.paint(
            [ellipse(x, low, radius * 1.2, radius * 1.2, count=40)], palette.grade(oklch(0.95, 0.11, 80)), line=0.4
        )
    elif hour == "day" and rng.random() < 0.55:
        sun = palette.grade(oklch(0.93, 0.13, 95))
        canvas.glow(x, y, radius * 3, sun, 0.55)
        canvas.paint([ellipse(x, y, radius, radius, count=36)], sun, line=0.5)
        if "happy" in moods:
            for number in range(14):
                turn = number * 2 * math.pi / 14
                reach = np.array([math.cos(turn), math.sin(turn)])
                canvas.paint(
                    [
                        limb(
                            [(x, y) + reach * radius * 1.25, (x, y) + reach * radius * (1.55 + 0.2 * (number % 2))],
                            radius * 0.12,
                        )
                    ],
                    sun,
                    line=0.3,
                )
    clouds(canvas, moods, hour, horizon)


def clouds(canvas: Canvas, moods: frozenset[str], hour: str, horizon: float) -> None:
    """Paint clouds: puffs and bars."""
    rng, palette = canvas.rng, canvas.palette
    count = {"overcast": 7, "night": 1}.get(hour, 3)
    pale = mix(palette.sky[1], (1, 1, 1), 0.65) if hour != "night" else lighter(palette.sky[1], 0.06)
    if hour in ("dusk", "golden"):
        pale = mix(pale, palette.grade(oklch(0.8, 0.12, 35)), 0.5)
    if hour == "overcast":
        pale = mix(palette.sky[0], palette.sky[1], float(rng.uniform(0, 1)))
    for _ in range(int(rng.integers(0, count + 1))):
        x, y = rng.uniform(-0.05, 1.05) * canvas.wide, rng.uniform(0.05, horizon * 0.75) * canvas.high
        wide = rng.uniform(0.1, 0.26) * canvas.unit
        shade = lighter(pale, rng.uniform(-0.05, 0.02))
        if rng.random() < 0.35:
            for step in range(3):
                at = y + step * wide * 0.16
                canvas.paint(
                    [
                        limb(
                            [
                                (x - wide * rng.uniform(0.6, 1.3), at),
                                (x, at + rng.uniform(-2, 2)),
                                (x + wide * rng.uniform(0.6, 1.3), at),
                            ],
                            [2, wide * 0.13, 2],
                        )
                    ],
                    shade,
                    line=0.0,
                    opacity=0.75,
                )
            continue
        bumps = [
            ellipse(x + wide * shift, y - wide * up, wide * size, wide * size * 0.85)
            for shift, up, size in ((-0.62, 0.0, 0.3), (-0.2, 0.22, 0.42), (0.3, 0.14, 0.38), (0.7, 0.0, 0.26))
        ]
        for bump in bumps:
            canvas.paint([bump], shade, swell=wide * 0.3, line=0.5)
        canvas.paint(
            [box(x - wide * 0.85, y - wide * 0.12, x + wide * 0.9, y + wide * 0.2, corner=wide * 0.16)],
            shade,
            swell=0,
            line=0,
        )
