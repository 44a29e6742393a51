"""Settings without a sky: rooms and plain backdrops.

In:  a canvas that is still empty, moods and an hour. Out: a painted background, and the height of the floor.
"""

import math
from collections.abc import Callable

import numpy as np

from bam_engine.demo.art.canvas import Canvas
from bam_engine.demo.art.grounds import Setting, below, everywhere
from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.shapes import Points, box, ellipse, limb, smooth


def room(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """A wall, a floor or a table, maybe a window or a picture."""
    rng, palette = canvas.rng, canvas.palette
    floor = float(rng.uniform(0.66, 0.8))
    first, second = palette.wall
    everywhere(canvas, first, lighter(first, -0.04), flow=1.57)
    _wallpaper(canvas, floor, lighter(first, -0.07))
    if rng.random() < 0.6:
        _window(canvas)
    below(canvas, _level(canvas, floor), second, lighter(second, -0.1), weight=0.8, flow=0.0)
    skirting = box(-5, floor * canvas.high, canvas.wide + 5, (floor + 0.018) * canvas.high)
    canvas.paint([skirting], lighter(second, 0.09), line=0.5)
    if rng.random() < 0.4:
        for number in range(1, 6):
            board = _level(canvas, floor + (1 - floor) * (number / 6) ** 1.3)
            canvas.paint([limb(board, 1.2)], lighter(second, -0.12), line=0, ink=0.4)
    if rng.random() < 0.45:
        cloth, x, y = palette.accent(rng), canvas.wide * rng.uniform(0.4, 0.6), (floor + 0.19) * canvas.high
        canvas.paint([ellipse(x, y, canvas.wide * 0.36, canvas.high * 0.1, count=40)], cloth, line=0.7)
        inner = ellipse(x, y, canvas.wide * 0.27, canvas.high * 0.07, count=40)
        canvas.paint([inner], lighter(cloth, 0.1), line=0.4)
    return Setting(floor, floor + (1 - floor) * float(rng.uniform(0.5, 0.75)), False)


def _level(canvas: Canvas, height: float) -> Points:
    return np.array([[-9.0, height * canvas.high], [canvas.wide + 9.0, height * canvas.high]])


def _wallpaper(canvas: Canvas, floor: float, colour: Colour) -> None:
    """Stripes, dots or nothing."""
    kind, low = canvas.rng.random(), floor * canvas.high
    if kind < 0.3:
        for x in np.arange(0, canvas.wide, canvas.unit * 0.09):
            canvas.paint([box(x, -2, x + canvas.unit * 0.03, low)], colour, line=0)
    elif kind < 0.5:
        step = canvas.unit * 0.11
        for row in range(int(low / step) + 1):
            for column in range(int(canvas.wide / step) + 2):
                x, y = (column + 0.5 * (row % 2)) * step, (row + 0.5) * step
                canvas.paint([ellipse(x, y, step * 0.12, step * 0.12, count=10)], colour, line=0)


def _window(canvas: Canvas) -> None:
    """A window with a hill in it, or a picture of one."""
    rng, palette = canvas.rng, canvas.palette
    left, top = rng.uniform(0.06, 0.62) * canvas.wide, rng.uniform(0.06, 0.16) * canvas.high
    wide, high = rng.uniform(0.24, 0.34) * canvas.unit, rng.uniform(0.28, 0.4) * canvas.unit
    frame = palette.grade(oklch(0.9, 0.02, 80) if rng.random() < 0.5 else oklch(0.45, 0.06, 55))
    canvas.paint([box(left, top, left + wide, top + high)], frame, swell=3, lift=4)
    rim = wide * 0.08
    pane = box(left + rim, top + rim, left + wide - rim, top + high - rim)
    kept = canvas.paint([pane], palette.sky[0], fade=palette.sky[1], line=0.6)
    far = ellipse(left + wide / 2, top + high, wide * 0.7, high * 0.35)
    canvas.paint([far], palette.far, line=0.5, within=kept)
    if rng.random() < 0.6:
        canvas.paint([box(left + wide / 2 - 2, top, left + wide / 2 + 2, top + high)], frame, line=0.5)
        canvas.paint([box(left, top + high / 2 - 2, left + wide, top + high / 2 + 2)], frame, line=0.5)


# Backdrops ----------------------------------------------------------------------------------------------------------


def backdrop(canvas: Canvas, moods: frozenset[str], hour: str) -> Setting:
    """Nothing but colour: plain, with a disc, in stripes, as a sunburst, or with dots."""
    rng, palette = canvas.rng, canvas.palette
    first = mix(palette.wall[0], palette.accent(rng), float(rng.uniform(0, 0.6)))
    second = lighter(first, rng.uniform(-0.1, 0.08))
    everywhere(canvas, first, second, flow=0.8)
    kind = int(rng.integers(len(_BACKDROPS) + 1))
    if kind < len(_BACKDROPS):
        _BACKDROPS[kind](canvas, first, mix(palette.accent(rng), first, 0.4))
    return Setting(0.74, float(rng.uniform(0.88, 0.93)), False)


def _disc(canvas: Canvas, first: Colour, other: Colour) -> None:
    radius = canvas.unit * 0.41
    disc = ellipse(canvas.wide / 2, canvas.high * 0.52, radius, radius, count=60)
    canvas.paint([disc], other, fade=lighter(other, -0.07), line=0.0)


def _burst(canvas: Canvas, first: Colour, other: Colour) -> None:
    middle, reach = np.array([canvas.wide / 2, canvas.high * 0.52]), canvas.wide + canvas.high
    shade = lighter(first, 0.07)
    for turn in np.linspace(0, 2 * math.pi, 15)[:-1]:
        ends = [middle + reach * np.array([math.cos(a), math.sin(a)]) for a in (turn, turn + 0.224)]
        canvas.paint([np.array([middle, *ends])], shade, line=0)


def _stripes(canvas: Canvas, first: Colour, other: Colour) -> None:
    wide, lean = canvas.unit * 0.06, canvas.high * 0.5
    for x in np.arange(-canvas.high, canvas.wide, canvas.unit * 0.13):
        stripe = np.array([[x, canvas.high], [x + wide, canvas.high], [x + wide + lean, 0], [x + lean, 0]])
        canvas.paint([stripe], lighter(first, 0.04), line=0)


def _spots(canvas: Canvas, first: Colour, other: Colour) -> None:
    rng = canvas.rng
    for _ in range(26):
        size = rng.uniform(0.01, 0.05) * canvas.unit
        spot = ellipse(rng.uniform(0, canvas.wide), rng.uniform(0, canvas.high), size, size)
        canvas.paint([spot], mix(first, canvas.palette.accent(rng), 0.35), line=0)


def _waves(canvas: Canvas, first: Colour, other: Colour) -> None:
    xs = np.linspace(-0.05, 1.05, 9)
    for level in np.linspace(0.25, 1.0, 5):
        ys = (level + 0.03 * np.sin(xs * 12 + level * 9)) * canvas.high
        line = smooth(np.stack([xs * canvas.wide, ys], axis=1), closed=False)
        shade = mix(first, other, float(level) * 0.8)
        below(canvas, line, shade, shade, weight=0.0)


def _shelf(canvas: Canvas, first: Colour, other: Colour) -> None:
    below(canvas, _level(canvas, 0.74), lighter(first, -0.07), lighter(first, -0.02), weight=0)


_BACKDROPS: tuple[Callable[[Canvas, Colour, Colour], None], ...] = (_disc, _burst, _stripes, _spots, _waves, _shelf)
