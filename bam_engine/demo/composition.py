"""Composing: the subjects of a plan are placed in its setting, back to front, and drawn.

In:  a plan and how outlines are drawn. Out: a :class:`Rendering` in which every subject of the plan can be seen. Knows no
medium.
"""

from dataclasses import dataclass

import numpy as np

from bam_engine.demo.canvas import Canvas, LineStyle, Rendering
from bam_engine.demo.palette import make_palette
from bam_engine.demo.pen import Pen
from bam_engine.demo.scenery import SETTINGS, Setting
from bam_engine.demo.shapes import ellipse
from bam_engine.demo.studio import Plan, generator
from bam_engine.demo.subjects import SUBJECTS
from bam_engine.demo.subjects.look import Look
from bam_engine.demo.weather import bush, stones, weather

SEEN = 0.008  # the share of a picture that a content must cover to be said to be in it

_TRIES = 5
_DEPTH = {
    "building": 0,
    "tree": 1,
    "bus": 2,
    "cars": 2,
    "people": 3,
    "bicycle": 3,
    "dog": 4,
    "cat": 5,
    "flower": 5,
    "bird": 6,
}
_FLOATING = frozenset({"rocket", "fish", "butterfly", "balloon", "moonscape", "shapes", "bird"})


@dataclass(frozen=True)
class _Spot:
    """Where one subject stands: its feet and its size in pixels."""

    name: str
    x: float
    y: float
    size: float


def compose(plan: Plan, line: LineStyle | None) -> Rendering:
    """Draw the scene of a plan.

    Subjects that hide each other are placed anew; what cannot be seen after a few tries is the last try's, and
    :meth:`Rendering.area` tells.
    """
    for attempt in range(_TRIES):
        rendering = _compose(plan, line, generator(plan.seed, 4, plan.index, attempt))
        if all(rendering.area(name) >= SEEN for name in plan.contents):
            break
    return rendering


def _compose(plan: Plan, line: LineStyle | None, rng: np.random.Generator) -> Rendering:
    studio = plan.studio
    palette = make_palette(plan.moods, plan.hour, studio.hue, studio.strength, rng)
    below = "scary" in plan.moods and rng.random() < 0.5
    light = (float(rng.choice([-1, 1]) * rng.uniform(0.25, 0.7)), 0.55 if below else float(-rng.uniform(0.35, 0.8)))
    canvas = Canvas(studio.shape, palette, rng, light=light, line=line)
    setting = SETTINGS[plan.setting](canvas, plan.moods, plan.hour)
    spots = _place(plan, canvas, setting)
    _furnish(plan, canvas, setting)
    look = Look(plan.moods, plan.close)
    for spot in spots:
        _draw(canvas, spot, setting, look)
    weather(canvas, plan.moods, setting)
    return canvas.finish()


def _furnish(plan: Plan, canvas: Canvas, setting: Setting) -> None:
    """Bushes and stones that are nobody's subject."""
    if plan.setting not in ("meadow", "snow", "mountains", "desert"):
        return
    rng = canvas.rng
    if plan.setting in ("meadow", "mountains") and rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 4))):
            level = (setting.horizon + rng.uniform(0.12, 0.24)) * canvas.high
            bush(canvas, rng.uniform(0, canvas.wide), level, canvas.unit * rng.uniform(0.06, 0.12))
    if rng.random() < 0.4:
        stones(canvas, setting.floor * canvas.high, int(rng.integers(2, 7)))


def _place(plan: Plan, canvas: Canvas, setting: Setting) -> list[_Spot]:
    rng = canvas.rng
    names = [name for name, count in plan.subjects for _ in range(count)]
    names.sort(key=lambda name: _DEPTH.get(name, 3))
    count = len(names)
    if count == 0:
        return []
    slots = rng.permutation(count) if count > 1 else np.zeros(1, int)
    spots = []
    for number, name in enumerate(names):
        wide, high = SUBJECTS[name].wide, SUBJECTS[name].high
        reach = rng.uniform(0.74, 0.9) if plan.close else rng.uniform(0.52, 0.7)
        reach *= {1: 1.0, 2: 0.82, 3: 0.7}.get(count, 0.62)
        if count > 1 and _DEPTH.get(name, 3) <= 1:
            reach *= 1.3
        size = min(canvas.high * reach / high, canvas.wide * min(0.9, reach * (1.12 if count == 1 else 1.0)) / wide)
        if count == 1:
            x = 0.5 + (rng.normal(0, 0.05) if plan.close else rng.choice([-1, 1]) * rng.uniform(0.0, 0.17))
        else:
            x = (slots[number] + 0.5) / count + rng.normal(0, 0.03)
        margin = min(0.5, 0.46 * size * wide / canvas.wide)
        x = float(np.clip(x, margin, 1 - margin))
        depth = number / max(1, count - 1) if count > 1 else 0.5
        floor = setting.floor - (0.07 * (1 - depth) if count > 1 else 0.0)
        if name in _FLOATING:
            room = max(0.0, floor - size * high / canvas.high)
            floor -= rng.uniform(0.0, room * 0.75)
        elif not setting.open_air and plan.setting == "backdrop" and count == 1:
            floor = 0.5 + 0.5 * size * high / canvas.high + rng.uniform(-0.02, 0.03)
        spots.append(_Spot(name, x * canvas.wide, floor * canvas.high, size))
    return spots


def _draw(canvas: Canvas, spot: _Spot, setting: Setting, look: Look) -> None:
    rng = canvas.rng
    subject = SUBJECTS[spot.name]
    if spot.name not in _FLOATING:
        shift = -canvas.light[0] * 0.5 * spot.size * 0.25
        outline = ellipse(spot.x + shift, spot.y, spot.size * subject.wide * 0.42, spot.size * 0.055)
        canvas.shadow(outline, soft=max(1.5, spot.size * 0.03), strength=0.5)
    pen = Pen(canvas, spot.x, spot.y, spot.size, flip=bool(rng.random() < 0.5))
    with canvas.drawing(subject.attribute):
        subject.draw(pen, look)
