"""Where a picture takes place: skies, hills, seas, rooms, backdrops; seen from where the subjects stand.

In:  a canvas that is still empty, moods and an hour. Out: a painted background, and the height of the ground to stand on.
Nothing here is one of the attributes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bam_engine.demo.canvas import Canvas
from bam_engine.demo.noise import fractal, unit
from bam_engine.demo.palette import Colour, lighter, mix, oklch
from bam_engine.demo.shapes import Points, box, crescent, ellipse, jagged, limb, smooth, star


@dataclass(frozen=True)
class Setting:
    """Where subjects stand: the horizon and the floor, as shares of the height; ``open_air`` has a sky."""

    horizon: float
    floor: float
    open_air: bool


Painter = Callable[[Canvas, frozenset[str], str], Setting]


def _all(canvas: Canvas, top: Colour, bottom: Colour, *, to: float = 1.0, flow: float = 0.0) -> None:
    canvas.paint([box(-2, -2, canvas.wide + 2, canvas.high * to + 2)], top, fade=bottom, line=0, flow=flow)


def _below(
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


def _hill(canvas: Canvas, level: float, rise: float, knots: int = 5) -> Points:
    rng = canvas.rng
    xs = np.linspace(-0.1, 1.1, knots + 2) * canvas.wide
    ys = (level - rng.uniform(0, rise, len(xs))) * canvas.high
    return smooth(np.stack([xs, ys], axis=1), closed=False)


def _sky(canvas: Canvas, moods: frozenset[str], hour: str, horizon: float) -> None:
    rng, palette = canvas.rng, canvas.palette
    _all(canvas, *palette.sky, to=horizon + 0.06)
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
    _clouds(canvas, moods, hour, horizon)


def _clouds(canvas: Canvas, moods: frozenset[str], hour: str, horizon: float) -> None:
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


def _tufts(canvas: Canvas, top: float, colour: Colour, count: int) -> None:
    """Blades of grass, larger towards the front."""
    rng = canvas.rng
    for y in np.sort(rng.uniform(top, 1.0, count)):
        x = rng.uniform(0, 1) * canvas.wide
        size = canvas.unit * 0.05 * (0.3 + (y - top) / max(1 - top, 0.1))
        shade = lighter(colour, rng.uniform(-0.1, 0.08))
        for lean in (-0.45, 0.0, 0.4):
            line = [
                (x + lean * 2, y * canvas.high),
                (x + lean * size * 0.5, y * canvas.high - size * 0.6),
                (x + lean * size * 1.1, y * canvas.high - size),
            ]
            canvas.paint([limb(line, [size * 0.16, size * 0.12, 0.5], steps=3)], shade, line=0, ink=0.45)


def meadow(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Hills one behind the other, grass in front."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.45, 0.66))
    _sky(canvas, moods, hour, horizon)
    layers = int(rng.integers(2, 5))
    grass = mix(palette.ground, palette.leaf, float(rng.uniform(0.2, 0.7)))
    for layer in range(layers):
        share = (layer + 1) / layers
        colour = mix(palette.far, grass, share)
        _below(
            canvas, _hill(canvas, horizon + 0.16 * share, 0.1), colour, lighter(colour, -0.05), swell=canvas.unit * 0.08
        )
    _tufts(canvas, horizon + 0.2, grass, int(rng.integers(10, 34)))
    return Setting(horizon, float(rng.uniform(0.86, 0.94)), True)


def mountains(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Ridges with snow on them, and a lake or a plain in front."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.52, 0.66))
    _sky(canvas, moods, hour, horizon)
    rock = mix(palette.far, palette.grade(oklch(0.5, 0.05, 270)), 0.6)
    for layer in range(int(rng.integers(2, 4))):
        peaks = int(rng.integers(2, 5))
        xs = np.sort(rng.uniform(0, 1, peaks)) * canvas.wide
        knots = [(-0.2 * canvas.wide, horizon * canvas.high)]
        for x in xs:
            knots += [
                (float(x), float(canvas.high * (horizon - rng.uniform(0.14, 0.4) + 0.08 * layer))),
                (float(x) + canvas.wide * 0.12, canvas.high * (horizon - 0.04)),
            ]
        knots.append((1.3 * canvas.wide, horizon * canvas.high))
        ridge = jagged(sorted(knots), rng, amount=canvas.high * 0.02)
        colour = mix(palette.far, rock, 0.35 + 0.3 * layer)
        outline = np.concatenate([ridge, [[1.3 * canvas.wide, canvas.high], [-0.2 * canvas.wide, canvas.high]]])
        kept = canvas.paint([outline], colour, fade=mix(colour, palette.sky[1], 0.4), line=0.7, flow=1.0)
        for x in xs if hour != "night" or layer == 0 else []:
            top = float(np.interp(x, ridge[:, 0], ridge[:, 1]))
            cap = jagged(
                [
                    (x - 0.08 * canvas.wide, top + 0.07 * canvas.high),
                    (x + 0.08 * canvas.wide, top + 0.075 * canvas.high),
                ],
                rng,
                amount=canvas.high * 0.03,
            )
            canvas.paint(
                [np.concatenate([cap, [[x + 0.05 * canvas.wide, top - 9], [x - 0.05 * canvas.wide, top - 9]]])],
                lighter(mix(colour, (1, 1, 1), 0.75), 0.0),
                line=0,
                within=kept,
            )
    if rng.random() < 0.5:
        _water(canvas, horizon, hour)
        _below(canvas, _hill(canvas, 0.9, 0.1), palette.ground, lighter(palette.ground, -0.08), swell=20)
    else:
        _below(canvas, _hill(canvas, horizon + 0.03, 0.03), mix(palette.far, palette.ground, 0.6), palette.ground)
        _tufts(canvas, horizon + 0.12, palette.ground, 14)
    return Setting(horizon, float(rng.uniform(0.88, 0.94)), True)


def _water(canvas: Canvas, level: float, hour: str) -> None:
    rng, palette = canvas.rng, canvas.palette
    line = np.array([[-9, level * canvas.high], [canvas.wide + 9, level * canvas.high]])
    _below(canvas, line, mix(palette.water, palette.sky[1], 0.35), lighter(palette.water, -0.08), weight=0.4, flow=0.0)
    bright = mix(palette.sky[1], (1, 1, 1), 0.4)
    for _ in range(int(rng.integers(16, 44))):
        y = level + (1 - level) * rng.uniform(0.02, 1) ** 1.4
        size = canvas.unit * (0.02 + 0.12 * (y - level) / (1 - level)) * rng.uniform(0.5, 1.5)
        x = rng.uniform(0, canvas.wide) if rng.random() < 0.6 else canvas.wide * rng.normal(0.5, 0.1)
        canvas.paint(
            [
                limb(
                    [(x - size, y * canvas.high), (x, y * canvas.high - 1), (x + size, y * canvas.high)],
                    [0.6, 1.0 + size * 0.06, 0.6],
                    steps=3,
                )
            ],
            bright if rng.random() < 0.7 else lighter(palette.water, -0.1),
            line=0,
            opacity=0.75,
            ink=0.3,
        )


def sea(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Open water under a wide sky, with a shore in front."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.42, 0.6))
    _sky(canvas, moods, hour, horizon)
    if rng.random() < 0.5:
        _below(canvas, _hill(canvas, horizon, 0.07, 3), palette.far, palette.far)
    _water(canvas, horizon, hour)
    sand = palette.grade(oklch(0.82, 0.05, 80))
    shore = _hill(canvas, float(rng.uniform(0.82, 0.92)), 0.06, 3)
    _below(canvas, shore - (0, canvas.high * 0.012), (0.97, 0.97, 0.95), sand, weight=0)
    _below(canvas, shore, sand, lighter(sand, -0.07), swell=14)
    return Setting(horizon, float(rng.uniform(0.89, 0.95)), True)


def desert(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Dunes."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.5, 0.64))
    _sky(canvas, moods, hour, horizon)
    sand = palette.grade(oklch(0.78, 0.085, 70))
    for layer in range(3):
        colour = lighter(sand, -0.05 * layer)
        _below(
            canvas,
            _hill(canvas, horizon + 0.13 * layer, 0.1, 3),
            colour,
            lighter(colour, -0.08),
            swell=canvas.unit * 0.15,
        )
    return Setting(horizon, float(rng.uniform(0.87, 0.94)), True)


def snow(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Snow on everything."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.5, 0.66))
    _sky(canvas, moods, hour, horizon)
    white = mix(palette.grade(oklch(0.95, 0.015, 240)), palette.sky[1], 0.25)
    for layer in range(3):
        colour = mix(palette.far, white, 0.5 + 0.25 * layer)
        _below(
            canvas,
            _hill(canvas, horizon + 0.12 * layer, 0.08, 4),
            colour,
            lighter(colour, -0.04),
            swell=canvas.unit * 0.1,
        )
    return Setting(horizon, float(rng.uniform(0.87, 0.94)), True)


def street(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """A pavement, a kerb and a road under the sky."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.62, 0.72))
    _sky(canvas, moods, hour, horizon)
    stone, road = palette.grade(oklch(0.72, 0.02, 80)), palette.grade(oklch(0.5, 0.02, 270))
    level = np.array([[-9.0, horizon * canvas.high], [canvas.wide + 9.0, horizon * canvas.high]])
    _below(canvas, level, stone, lighter(stone, -0.06), weight=0.5)
    kerb = horizon + 0.12
    for x in np.linspace(-0.1, 1.1, 9):
        canvas.paint(
            [
                limb(
                    [(x * canvas.wide, horizon * canvas.high), ((x * 1.5 - 0.25) * canvas.wide, kerb * canvas.high)],
                    1.2,
                )
            ],
            lighter(stone, -0.12),
            line=0,
            ink=0.35,
        )
    _below(canvas, level + (0, 0.12 * canvas.high), road, lighter(road, -0.08), weight=0.7)
    for number in range(4):
        x = (number * 0.3 + 0.02) * canvas.wide
        canvas.paint(
            [
                [
                    (x, 0.93 * canvas.high),
                    (x + 0.15 * canvas.wide, 0.93 * canvas.high),
                    (x + 0.15 * canvas.wide, 0.945 * canvas.high),
                    (x - 0.01, 0.945 * canvas.high),
                ]
                @ np.eye(2)
            ],
            (0.93, 0.92, 0.86),
            line=0,
            opacity=0.8,
        )
    return Setting(horizon, float(rng.uniform(0.84, 0.91)), True)


def room(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """A wall, a floor or a table, maybe a window or a picture."""
    rng, palette = canvas.rng, canvas.palette
    floor = float(rng.uniform(0.66, 0.8))
    first, second = palette.wall
    _all(canvas, first, lighter(first, -0.04), flow=1.57)
    paper = rng.random()
    if paper < 0.3:
        for x in np.arange(0, canvas.wide, canvas.unit * 0.09):
            canvas.paint([box(x, -2, x + canvas.unit * 0.03, floor * canvas.high)], lighter(first, -0.06), line=0)
    elif paper < 0.5:
        step = canvas.unit * 0.11
        for row in range(int(floor * canvas.high / step) + 1):
            for column in range(int(canvas.wide / step) + 2):
                canvas.paint(
                    [
                        ellipse(
                            (column + 0.5 * (row % 2)) * step, (row + 0.5) * step, step * 0.12, step * 0.12, count=10
                        )
                    ],
                    lighter(first, -0.08),
                    line=0,
                )
    if rng.random() < 0.6:
        left, top = rng.uniform(0.06, 0.62) * canvas.wide, rng.uniform(0.06, 0.16) * canvas.high
        wide, high = rng.uniform(0.24, 0.34) * canvas.unit, rng.uniform(0.28, 0.4) * canvas.unit
        frame = palette.grade(oklch(0.9, 0.02, 80)) if rng.random() < 0.5 else palette.grade(oklch(0.45, 0.06, 55))
        canvas.paint([box(left, top, left + wide, top + high)], frame, swell=3, lift=4)
        rim = wide * 0.08
        kept = canvas.paint(
            [box(left + rim, top + rim, left + wide - rim, top + high - rim)],
            palette.sky[0],
            fade=palette.sky[1],
            line=0.6,
        )
        canvas.paint(
            [ellipse(left + wide / 2, top + high, wide * 0.7, high * 0.35)], palette.far, line=0.5, within=kept
        )
        if rng.random() < 0.6:
            canvas.paint([box(left + wide / 2 - 2, top, left + wide / 2 + 2, top + high)], frame, line=0.5)
            canvas.paint([box(left, top + high / 2 - 2, left + wide, top + high / 2 + 2)], frame, line=0.5)
    level = np.array([[-9.0, floor * canvas.high], [canvas.wide + 9.0, floor * canvas.high]])
    _below(canvas, level, second, lighter(second, -0.1), weight=0.8, flow=0.0)
    canvas.paint(
        [box(-5, floor * canvas.high, canvas.wide + 5, (floor + 0.018) * canvas.high)], lighter(second, 0.09), line=0.5
    )
    if rng.random() < 0.4:
        for number in range(1, 6):
            y = floor + (1 - floor) * (number / 6) ** 1.3
            canvas.paint(
                [limb([(-5, y * canvas.high), (canvas.wide + 5, y * canvas.high)], 1.2)],
                lighter(second, -0.12),
                line=0,
                ink=0.4,
            )
    if rng.random() < 0.45:
        cloth = palette.accent(rng)
        canvas.paint(
            [
                ellipse(
                    canvas.wide * rng.uniform(0.4, 0.6),
                    (floor + 0.19) * canvas.high,
                    canvas.wide * 0.36,
                    canvas.high * 0.1,
                    count=40,
                )
            ],
            cloth,
            line=0.7,
        )
        canvas.paint(
            [
                ellipse(
                    canvas.wide * 0.5, (floor + 0.19) * canvas.high, canvas.wide * 0.27, canvas.high * 0.07, count=40
                )
            ],
            lighter(cloth, 0.1),
            line=0.4,
        )
    return Setting(floor, floor + (1 - floor) * float(rng.uniform(0.5, 0.75)), False)


def backdrop(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Nothing but colour: plain, with a disc, in stripes, as a sunburst, or with dots."""
    rng, palette = canvas.rng, canvas.palette
    first = mix(palette.wall[0], palette.accent(rng), float(rng.uniform(0, 0.6)))
    second = lighter(first, rng.uniform(-0.1, 0.08))
    kind = str(rng.choice(["plain", "disc", "burst", "stripes", "dots", "floor", "waves"]))
    _all(canvas, first, second if kind != "burst" else first, flow=0.8)
    middle = np.array([canvas.wide / 2, canvas.high * 0.52])
    reach = canvas.wide + canvas.high
    other = mix(palette.accent(rng), first, 0.4)
    if kind == "disc":
        canvas.paint(
            [ellipse(*middle, canvas.unit * 0.41, canvas.unit * 0.41, count=60)],
            other,
            fade=lighter(other, -0.07),
            line=0.0,
        )
    elif kind == "burst":
        for turn in np.linspace(0, 2 * math.pi, 15)[:-1]:
            canvas.paint(
                [
                    np.array(
                        [
                            middle,
                            middle + reach * np.array([math.cos(turn), math.sin(turn)]),
                            middle + reach * np.array([math.cos(turn + 0.224), math.sin(turn + 0.224)]),
                        ]
                    )
                ],
                second if abs(sum(second) - sum(first)) > 0.15 else lighter(first, 0.07),
                line=0,
            )
    elif kind == "stripes":
        for x in np.arange(-canvas.high, canvas.wide, canvas.unit * 0.13):
            canvas.paint(
                [
                    np.array(
                        [
                            [x, canvas.high],
                            [x + canvas.unit * 0.06, canvas.high],
                            [x + canvas.unit * 0.06 + canvas.high * 0.5, 0],
                            [x + canvas.high * 0.5, 0],
                        ]
                    )
                ],
                lighter(first, 0.04),
                line=0,
            )
    elif kind == "dots":
        for _ in range(26):
            size = rng.uniform(0.01, 0.05) * canvas.unit
            canvas.paint(
                [ellipse(rng.uniform(0, canvas.wide), rng.uniform(0, canvas.high), size, size)],
                mix(first, palette.accent(rng), 0.35),
                line=0,
            )
    elif kind == "waves":
        for level in np.linspace(0.25, 1.0, 5):
            xs = np.linspace(-0.05, 1.05, 9)
            line = smooth(
                np.stack([xs * canvas.wide, (level + 0.03 * np.sin(xs * 12 + level * 9)) * canvas.high], axis=1),
                closed=False,
            )
            _below(canvas, line, mix(first, other, level * 0.8), mix(first, other, level * 0.8), weight=0.0)
    elif kind == "floor":
        level = np.array([[-9.0, 0.74 * canvas.high], [canvas.wide + 9.0, 0.74 * canvas.high]])
        _below(canvas, level, lighter(first, -0.07), lighter(first, -0.02), weight=0)
    return Setting(0.74, float(rng.uniform(0.88, 0.93)), False)


def underwater(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Below the surface: light from above, weed, bubbles."""
    rng, palette = canvas.rng, canvas.palette
    deep = palette.grade(oklch(0.38, 0.08, float(rng.uniform(195, 250))))
    _all(canvas, lighter(deep, 0.32), deep)
    for _ in range(4):
        x = rng.uniform(0, 1) * canvas.wide
        canvas.paint(
            [
                np.array(
                    [
                        [x, -5],
                        [x + canvas.unit * 0.07, -5],
                        [x - canvas.unit * 0.1, canvas.high * 0.8],
                        [x - canvas.unit * 0.3, canvas.high * 0.8],
                    ]
                )
            ],
            lighter(deep, 0.34),
            line=0,
            opacity=0.22,
        )
    _below(canvas, _hill(canvas, 0.92, 0.08, 4), lighter(deep, -0.08), lighter(deep, -0.14), swell=14)
    weed = mix(palette.leaf, deep, 0.3)
    for _ in range(int(rng.integers(4, 11))):
        x, high = rng.uniform(0, 1) * canvas.wide, rng.uniform(0.15, 0.4) * canvas.high
        sway = rng.uniform(0.02, 0.05) * canvas.unit
        line = [
            (x, canvas.high * 0.98),
            (x + sway, canvas.high * 0.98 - high * 0.33),
            (x - sway, canvas.high * 0.98 - high * 0.66),
            (x + sway, canvas.high * 0.98 - high),
        ]
        canvas.paint([limb(line, [7, 7, 6, 1])], lighter(weed, rng.uniform(-0.1, 0.1)), line=0.6, swell=3)
    for _ in range(int(rng.integers(5, 16))):
        size = rng.uniform(1.5, 6)
        canvas.paint(
            [ellipse(rng.uniform(0, canvas.wide), rng.uniform(0, canvas.high), size, size)],
            lighter(deep, 0.4),
            line=0.5,
            opacity=0.5,
            swell=size,
        )
    return Setting(0.9, 0.84, False)


def space(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """The dark between the stars, with nebulae."""
    rng, palette = canvas.rng, canvas.palette
    dark = lighter(palette.dark, -0.05)
    _all(canvas, dark, lighter(dark, 0.05))
    cloud = unit(fractal((canvas.high, canvas.wide), canvas.unit / 3, rng))
    canvas.veil((cloud**2 * 0.45).astype(np.float32), mix(palette.accent(rng), dark, 0.2))
    for _ in range(60):
        size = rng.uniform(0.5, 2.2)
        canvas.paint(
            [star(rng.uniform(0, canvas.wide), rng.uniform(0, canvas.high), size * 1.6, size * 0.6, 4)],
            (1, 1, 0.95),
            line=0,
            opacity=float(rng.uniform(0.4, 1)),
        )
    return Setting(0.8, 0.9, False)


SETTINGS: dict[str, Painter] = {
    "backdrop": backdrop, "room": room, "meadow": meadow, "mountains": mountains, "sea": sea, "desert": desert, "snow": snow,
    "street": street, "underwater": underwater, "space": space,
}  # fmt: skip
