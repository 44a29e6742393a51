"""Bushes and stones that stand about and are nobody's subject.

In:  a canvas with its setting. Out: the same canvas. Nothing here is one of the attributes.
"""

from bam_engine.demo.art.canvas import Canvas
from bam_engine.demo.art.grounds import Setting
from bam_engine.demo.art.palette import lighter, oklch
from bam_engine.demo.art.shapes import blob, frill


def undergrowth(canvas: Canvas, setting: Setting, place: str) -> None:
    """Scatter bushes and stones, where the place has any."""
    rng = canvas.rng
    if place not in ("meadow", "snow", "mountains", "desert"):
        return
    if place in ("meadow", "mountains") and rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 4))):
            level = (setting.horizon + rng.uniform(0.12, 0.24)) * canvas.high
            _bush(canvas, rng.uniform(0, canvas.wide), level, canvas.unit * rng.uniform(0.06, 0.12))
    if rng.random() < 0.4:
        _stones(canvas, setting.floor * canvas.high, int(rng.integers(2, 7)))


def _bush(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Draw a bush, in pixels: green, but no tree."""
    rng = canvas.rng
    for _ in range(4):
        colour = lighter(canvas.palette.leaf, rng.uniform(-0.08, 0.04))
        at = (x + rng.uniform(-0.7, 0.7) * size, y - rng.uniform(0.1, 0.4) * size)
        canvas.paint([frill(*at, size * 0.5, size * 0.42, rng)], colour, swell=size * 0.3, lift=3, flow=0.7)


def _stones(canvas: Canvas, y: float, count: int) -> None:
    rng = canvas.rng
    grey = canvas.palette.grade(oklch(0.62, 0.02, 70))
    for _ in range(count):
        size = rng.uniform(0.02, 0.05) * canvas.unit
        stone = blob(rng.uniform(0, canvas.wide), y + rng.uniform(-0.4, 1) * size, size, size * 0.6, rng)
        canvas.paint([stone], lighter(grey, rng.uniform(-0.1, 0.1)), swell=size * 0.5, lift=3)
