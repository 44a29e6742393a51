"""Settings in the open, under water and in space.

In:  a canvas that is still empty, moods and an hour. Out: a painted background, and the height of the ground to
stand on. Nothing here is one of the attributes.
"""

import math

import numpy as np

from bam_engine.demo.art.canvas import Canvas
from bam_engine.demo.art.grounds import Setting, below, clouds, everywhere, heaven, hill
from bam_engine.demo.art.noise import fractal, unit
from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.shapes import ellipse, jagged, limb, star


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
    heaven(canvas, moods, hour, horizon)
    layers = int(rng.integers(2, 5))
    grass = mix(palette.ground, palette.leaf, float(rng.uniform(0.2, 0.7)))
    for layer in range(layers):
        share = (layer + 1) / layers
        colour = mix(palette.far, grass, share)
        below(
            canvas, hill(canvas, horizon + 0.16 * share, 0.1), colour, lighter(colour, -0.05), swell=canvas.unit * 0.08
        )
    _tufts(canvas, horizon + 0.2, grass, int(rng.integers(10, 34)))
    return Setting(horizon, float(rng.uniform(0.86, 0.94)), True)


def sky(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Nothing but air and clouds, the ground far below or out of sight."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.88, 1.1))
    heaven(canvas, moods, hour, horizon)
    clouds(canvas, moods, hour, horizon * 1.15)
    if horizon < 1:
        below(canvas, hill(canvas, horizon, 0.06), palette.far, mix(palette.far, palette.ground, 0.5), swell=9)
    return Setting(horizon, 0.9, True)


def mountains(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Ridges with snow on them, and a lake or a plain in front."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.52, 0.66))
    heaven(canvas, moods, hour, horizon)
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
        below(canvas, hill(canvas, 0.9, 0.1), palette.ground, lighter(palette.ground, -0.08), swell=20)
    else:
        below(canvas, hill(canvas, horizon + 0.03, 0.03), mix(palette.far, palette.ground, 0.6), palette.ground)
        _tufts(canvas, horizon + 0.12, palette.ground, 14)
    return Setting(horizon, float(rng.uniform(0.88, 0.94)), True)


def _water(canvas: Canvas, level: float, hour: str) -> None:
    rng, palette = canvas.rng, canvas.palette
    line = np.array([[-9, level * canvas.high], [canvas.wide + 9, level * canvas.high]])
    below(canvas, line, mix(palette.water, palette.sky[1], 0.35), lighter(palette.water, -0.08), weight=0.4, flow=0.0)
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
    heaven(canvas, moods, hour, horizon)
    if rng.random() < 0.5:
        below(canvas, hill(canvas, horizon, 0.07, 3), palette.far, palette.far)
    _water(canvas, horizon, hour)
    sand = palette.grade(oklch(0.82, 0.05, 80))
    shore = hill(canvas, float(rng.uniform(0.82, 0.92)), 0.06, 3)
    below(canvas, shore - (0, canvas.high * 0.012), (0.97, 0.97, 0.95), sand, weight=0)
    below(canvas, shore, sand, lighter(sand, -0.07), swell=14)
    return Setting(horizon, float(rng.uniform(0.89, 0.95)), True)


def desert(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Dunes."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.5, 0.64))
    heaven(canvas, moods, hour, horizon)
    sand = palette.grade(oklch(0.78, 0.085, 70))
    for layer in range(3):
        colour = lighter(sand, -0.05 * layer)
        below(
            canvas,
            hill(canvas, horizon + 0.13 * layer, 0.1, 3),
            colour,
            lighter(colour, -0.08),
            swell=canvas.unit * 0.15,
        )
    return Setting(horizon, float(rng.uniform(0.87, 0.94)), True)


def snow(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Snow on everything."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.5, 0.66))
    heaven(canvas, moods, hour, horizon)
    white = mix(palette.grade(oklch(0.95, 0.015, 240)), palette.sky[1], 0.25)
    for layer in range(3):
        colour = mix(palette.far, white, 0.5 + 0.25 * layer)
        below(
            canvas,
            hill(canvas, horizon + 0.12 * layer, 0.08, 4),
            colour,
            lighter(colour, -0.04),
            swell=canvas.unit * 0.1,
        )
    return Setting(horizon, float(rng.uniform(0.87, 0.94)), True)


def street(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """A pavement, a kerb and a road under the sky."""
    rng, palette = canvas.rng, canvas.palette
    horizon = float(rng.uniform(0.62, 0.72))
    heaven(canvas, moods, hour, horizon)
    stone, road = palette.grade(oklch(0.72, 0.02, 80)), palette.grade(oklch(0.5, 0.02, 270))
    level = np.array([[-9.0, horizon * canvas.high], [canvas.wide + 9.0, horizon * canvas.high]])
    below(canvas, level, stone, lighter(stone, -0.06), weight=0.5)
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
    below(canvas, level + np.array([0, 0.12 * canvas.high]), road, lighter(road, -0.08), weight=0.7)
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


def underwater(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Below the surface: light from above, weed, bubbles."""
    rng, palette = canvas.rng, canvas.palette
    deep = palette.grade(oklch(0.38, 0.08, float(rng.uniform(195, 250))))
    everywhere(canvas, lighter(deep, 0.32), deep)
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
    below(canvas, hill(canvas, 0.92, 0.08, 4), lighter(deep, -0.08), lighter(deep, -0.14), swell=14)
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


def _planet(canvas: Canvas) -> None:
    """A planet in bands, often with a ring; half of its face in the dark."""
    rng, palette = canvas.rng, canvas.palette
    x, y = (
        float(rng.choice([rng.uniform(0.1, 0.3), rng.uniform(0.7, 0.9)])) * side for side in (canvas.wide, canvas.high)
    )
    radius, colour = canvas.unit * rng.uniform(0.09, 0.19), palette.accent(rng)
    ringed, tilt, ring = rng.random() < 0.55, rng.uniform(-0.5, 0.5), lighter(palette.accent(rng), 0.08)
    outer = ellipse(x, y, radius * 1.9, radius * 0.5, turn=tilt, count=48)
    inner = ellipse(x, y, radius * 1.4, radius * 0.34, turn=tilt, count=48)[::-1]
    if ringed:
        canvas.paint([outer, inner], ring, line=0.5)
    face = canvas.paint([ellipse(x, y, radius, radius, count=48)], colour, swell=radius, line=0.7, gloss=0.1)
    for share in rng.uniform(-0.8, 0.8, 4):
        band = limb(
            [(x - radius, y + share * radius), (x + radius, y + share * radius)], radius * rng.uniform(0.06, 0.2)
        )
        canvas.paint([band], lighter(colour, rng.uniform(-0.1, 0.1)), line=0, within=face)
    if ringed:  # the ring's near half again
        near = outer[outer[:, 1] > y + (outer[:, 0] - x) * math.tan(tilt)]
        far = inner[inner[:, 1] > y + (inner[:, 0] - x) * math.tan(tilt)]
        near, far = near[np.argsort(near[:, 0])], far[np.argsort(-far[:, 0])]
        canvas.paint([np.concatenate([near, far])], ring, line=0.5)


def space(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """The dark between the stars, with nebulae."""
    rng, palette = canvas.rng, canvas.palette
    dark = lighter(palette.dark, -0.05)
    everywhere(canvas, dark, lighter(dark, 0.05))
    for size, strength in ((3.0, 0.5), (2.0, 0.35)):
        cloud = unit(fractal((canvas.high, canvas.wide), canvas.unit / size, rng))
        canvas.veil((cloud**2.5 * strength).astype(np.float32), lighter(palette.accent(rng), -0.03))
    if rng.random() < 0.65:
        _planet(canvas)
    for _ in range(int(rng.integers(3, 8))):  # the bright ones
        x, y, size = rng.uniform(0, canvas.wide), rng.uniform(0, canvas.high), canvas.unit * rng.uniform(0.012, 0.028)
        canvas.glow(x, y, size * 2.2, (0.95, 0.95, 1.0), 0.55)
        canvas.paint([star(x, y, size, size * 0.22, 4)], (1, 1, 0.96), line=0)
    for _ in range(90):
        size = rng.uniform(0.5, 2.2)
        canvas.paint(
            [star(rng.uniform(0, canvas.wide), rng.uniform(0, canvas.high), size * 1.6, size * 0.6, 4)],
            (1, 1, 0.95),
            line=0,
            opacity=float(rng.uniform(0.4, 1)),
        )
    return Setting(0.8, 0.9, False)
