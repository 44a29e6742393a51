"""What comes over a finished scene: rain, fog, confetti, bats; and the bushes and stones that stand about in it.

In:  a canvas with its scene, the moods. Out: the same canvas, more of that mood. Nothing here is one of the attributes.
"""

import math

import numpy as np

from bam_engine.demo.canvas import Canvas
from bam_engine.demo.noise import field, fractal, unit
from bam_engine.demo.palette import lighter, mix, oklch
from bam_engine.demo.scenery import Setting
from bam_engine.demo.shapes import blob, box, ellipse, frill, limb, smooth


def weather(canvas: Canvas, moods: frozenset[str], setting: Setting) -> None:
    """Lay over the finished scene what its moods call for."""
    rng, palette = canvas.rng, canvas.palette
    shape = (canvas.high, canvas.wide)
    if "scary" in moods:
        _bats(canvas, int(rng.integers(0, 5)))
        rows = np.linspace(0, 1, canvas.high, dtype=np.float32)[:, None]
        fog = (0.45 * rows**2.5 * (0.6 + 0.4 * unit(fractal(shape, canvas.unit / 2.5, rng)))).astype(np.float32)
        canvas.veil(fog, mix(palette.dark, palette.grade(oklch(0.6, 0.06, float(rng.choice([150, 250, 25])))), 0.4))
        _vignette(canvas, 0.55)
    elif "gloomy" in moods:
        kind = rng.random()
        if kind < 0.5 and setting.open_air:
            pale = mix(palette.sky[1], (1, 1, 1), 0.25)
            slant = rng.uniform(-0.25, 0.05)
            for _ in range(int(rng.integers(70, 150))):
                x, y, long = (
                    rng.uniform(0, canvas.wide),
                    rng.uniform(-10, canvas.high),
                    rng.uniform(0.03, 0.08) * canvas.unit,
                )
                canvas.paint(
                    [limb([(x, y), (x + slant * long, y + long)], 0.9, steps=1, round_ends=False)],
                    pale,
                    line=0,
                    opacity=0.5,
                    ink=0.35,
                )
        elif kind < 0.85:
            rows = np.linspace(0, 1, canvas.high, dtype=np.float32)[:, None]
            band = np.exp(-(((rows - setting.horizon) / 0.22) ** 2)) * (
                0.7 + 0.3 * unit(field(shape, canvas.unit / 2, rng))
            )
            canvas.veil((band * 0.6).astype(np.float32), palette.sky[1])
        _vignette(canvas, 0.4)
    elif "happy" in moods and rng.random() < 0.65:
        _festive(canvas)
    elif "peaceful" in moods and setting.open_air and rng.random() < 0.6:
        rows = np.linspace(0, 1, canvas.high, dtype=np.float32)[:, None]
        band = np.exp(-(((rows - setting.horizon) / 0.13) ** 2)) * np.ones(shape, np.float32)
        canvas.veil((band * 0.4).astype(np.float32), palette.sky[1])


def _vignette(canvas: Canvas, strength: float) -> None:
    rows = np.linspace(-1, 1, canvas.high, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, canvas.wide, dtype=np.float32)[None]
    canvas.dim((np.minimum((rows**2 + columns**2) / 2, 1) ** 1.3 * np.float32(strength)).astype(np.float32))


def _bats(canvas: Canvas, count: int) -> None:
    rng = canvas.rng
    for _ in range(count):
        x, y, size = (
            rng.uniform(0.08, 0.92) * canvas.wide,
            rng.uniform(0.05, 0.4) * canvas.high,
            rng.uniform(0.02, 0.05) * canvas.unit,
        )
        half = np.array(
            [
                (0, -0.3),
                (0.25, -0.55),
                (0.35, -0.25),
                (1.0, -0.8),
                (1.7, -0.2),
                (1.25, -0.15),
                (1.0, 0.25),
                (0.65, -0.02),
                (0.35, 0.3),
                (0, 0.35),
            ]
        )
        outline = np.concatenate([half, half[::-1] * (-1, 1)]) * size + (x, y)
        canvas.paint([outline], (0.05, 0.04, 0.06), line=0, ink=1.0)


def _festive(canvas: Canvas) -> None:
    """Confetti, bunting, or a rainbow."""
    rng, palette = canvas.rng, canvas.palette
    kind = int(rng.integers(3))
    if kind == 0:
        for _ in range(int(rng.integers(30, 70))):
            x, y, size = (
                rng.uniform(0, canvas.wide),
                canvas.high * rng.uniform(0, 0.85),
                rng.uniform(0.006, 0.014) * canvas.unit,
            )
            shape = (
                ellipse(x, y, size, size, count=10)
                if rng.random() < 0.4
                else box(-size, -size * 0.45, size, size * 0.45)
            )
            if len(shape) == 4:
                turn = rng.uniform(0, 3.1)
                shape = shape @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]) + (x, y)
            canvas.paint([shape], palette.accent(rng), line=0.3, swell=1)
    elif kind == 1:
        sag = rng.uniform(0.06, 0.12)
        for number in range(13):
            share = (number + 0.5) / 13
            x, y = share * canvas.wide, (0.05 + sag * 4 * share * (1 - share)) * canvas.high
            half, drop = canvas.wide * 0.03, canvas.unit * 0.085
            canvas.paint(
                [np.array([[x - half, y], [x + half, y], [x, y + drop]])],
                palette.accent(rng),
                line=0.6,
                swell=2,
                lift=3,
            )
    else:
        for _ in range(int(rng.integers(4, 9))):
            x, y, size = (
                rng.uniform(0.05, 0.95) * canvas.wide,
                rng.uniform(0.05, 0.45) * canvas.high,
                rng.uniform(0.025, 0.05) * canvas.unit,
            )
            canvas.paint(
                [limb([(x, y + size), (x + size * 0.4, y + size * 2.2), (x, y + size * 3.4)], 1.2)],
                lighter(palette.dark, 0.2),
                line=0,
                ink=0.6,
            )
            canvas.paint(
                [smooth([(x, y + size * 1.25), (x - size, y), (x, y - size * 1.15), (x + size, y)])],
                palette.accent(rng),
                swell=size,
                gloss=0.9,
                line=0.6,
                lift=2,
            )


def bush(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Draw a bush, in pixels: green, but no tree."""
    rng = canvas.rng
    for _ in range(4):
        colour = lighter(canvas.palette.leaf, rng.uniform(-0.08, 0.04))
        canvas.paint(
            [frill(x + rng.uniform(-0.7, 0.7) * size, y - rng.uniform(0.1, 0.4) * size, size * 0.5, size * 0.42, rng)],
            colour,
            swell=size * 0.3,
            lift=3,
            flow=0.7,
        )


def stones(canvas: Canvas, y: float, count: int) -> None:
    """Scatter stones along the ground at the height ``y`` in pixels."""
    rng = canvas.rng
    grey = canvas.palette.grade(oklch(0.62, 0.02, 70))
    for _ in range(count):
        size = rng.uniform(0.02, 0.05) * canvas.unit
        canvas.paint(
            [blob(rng.uniform(0, canvas.wide), y + rng.uniform(-0.4, 1) * size, size, size * 0.6, rng)],
            lighter(grey, rng.uniform(-0.1, 0.1)),
            swell=size * 0.5,
            lift=3,
        )
