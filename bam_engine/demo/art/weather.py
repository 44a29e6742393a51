"""What comes over a finished scene: rain, fog, confetti, bats, the dark at its edges.

In:  a canvas with its scene and moods. Out: the same canvas, more of that mood. Nothing here is one of the attributes.
"""

import math

import numpy as np

from bam_engine.demo.art.canvas import Canvas
from bam_engine.demo.art.grounds import Setting
from bam_engine.demo.art.noise import Plane, field, fractal, unit
from bam_engine.demo.art.palette import mix, oklch
from bam_engine.demo.art.shapes import box, ellipse, limb


def weather(canvas: Canvas, setting: Setting) -> None:
    """Lay over the finished scene what its moods call for."""
    rng, moods = canvas.rng, canvas.moods
    if "scary" in moods:
        _night_fog(canvas)
    if "gloomy" in moods:
        kind = rng.random()
        if kind < 0.6 and setting.open_air:
            _rain(canvas)
        elif kind < 0.9:
            _mist(canvas, setting.horizon, 0.22, 0.6)
        _vignette(canvas, 0.35)
    if "happy" in moods and rng.random() < 0.45:
        _confetti(canvas)
    if "peaceful" in moods and setting.open_air and rng.random() < 0.6:
        _mist(canvas, setting.horizon, 0.13, 0.4)


def _down(canvas: Canvas) -> Plane:
    return np.linspace(0, 1, canvas.high, dtype=np.float32)[:, None]


def _night_fog(canvas: Canvas) -> None:
    rng, palette = canvas.rng, canvas.palette
    _bats(canvas, int(rng.integers(0, 5)))
    clouds = unit(fractal((canvas.high, canvas.wide), canvas.unit / 2.5, rng))
    fog = (0.4 * _down(canvas) ** 2.5 * (0.6 + 0.4 * clouds)).astype(np.float32)
    canvas.veil(fog, mix(palette.dark, palette.grade(oklch(0.6, 0.06, float(rng.choice([150, 250, 25])))), 0.4))
    _vignette(canvas, 0.55)


def _mist(canvas: Canvas, level: float, spread: float, strength: float) -> None:
    """A band of mist around a height."""
    patches = 0.7 + 0.3 * unit(field((canvas.high, canvas.wide), canvas.unit / 2, canvas.rng))
    band = np.exp(-(((_down(canvas) - level) / spread) ** 2)) * patches * strength
    canvas.veil(band.astype(np.float32), canvas.palette.sky[1])


def _vignette(canvas: Canvas, strength: float) -> None:
    rows = np.linspace(-1, 1, canvas.high, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, canvas.wide, dtype=np.float32)[None]
    canvas.dim((np.minimum((rows**2 + columns**2) / 2, 1) ** 1.3 * np.float32(strength)).astype(np.float32))


def _rain(canvas: Canvas) -> None:
    rng = canvas.rng
    pale, slant = mix(canvas.palette.sky[1], (1, 1, 1), 0.25), rng.uniform(-0.25, 0.05)
    for _ in range(int(rng.integers(60, 120))):
        x, y = rng.uniform(0, canvas.wide), rng.uniform(-10, canvas.high)
        long = rng.uniform(0.04, 0.1) * canvas.unit
        drop = limb([(x, y), (x + slant * long, y + long)], 1.1, steps=1, round_ends=False)
        canvas.paint([drop], pale, line=0, opacity=0.55, ink=0.75)


def _bats(canvas: Canvas, count: int) -> None:
    rng = canvas.rng
    half = np.array(
        [
            (0, -0.3),
            (0.25, -0.55),
            (0.35, -0.25),
            (1, -0.8),
            (1.7, -0.2),
            (1.25, -0.15),
            (1, 0.25),
            (0.65, -0.02),
            (0, 0.35),
        ]
    )
    for _ in range(count):
        x, y = rng.uniform(0.08, 0.92) * canvas.wide, rng.uniform(0.05, 0.4) * canvas.high
        outline = np.concatenate([half, half[::-1] * (-1, 1)]) * rng.uniform(0.025, 0.055) * canvas.unit + (x, y)
        canvas.paint([outline], (0.05, 0.04, 0.06), line=0, ink=1.0)


def _confetti(canvas: Canvas) -> None:
    rng = canvas.rng
    for _ in range(int(rng.integers(30, 60))):
        x, y = rng.uniform(0, canvas.wide), canvas.high * rng.uniform(0, 0.85)
        size, turn = rng.uniform(0.006, 0.014) * canvas.unit, rng.uniform(0, 3.1)
        if rng.random() < 0.4:
            shape = ellipse(x, y, size, size, count=10)
        else:
            turned = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
            shape = box(-size, -size * 0.45, size, size * 0.45) @ turned + (x, y)
        canvas.paint([shape], canvas.palette.accent(rng), line=0.3, swell=1)
