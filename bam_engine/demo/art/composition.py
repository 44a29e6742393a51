"""Composing: the subjects of a plan are placed in its setting, back to front, and drawn.

In:  a plan and how outlines are drawn. Out: a :class:`Rendering` in which every subject of the plan can be seen.
Knows no medium.
"""

import dataclasses
import math
from dataclasses import dataclass

import cv2
import numpy as np

from bam_engine.demo.art.canvas import Canvas, LineStyle, Rendering
from bam_engine.demo.art.grounds import Setting
from bam_engine.demo.art.noise import blur
from bam_engine.demo.art.omens import omens
from bam_engine.demo.art.palette import make_palette
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.scenery import SETTINGS
from bam_engine.demo.art.shapes import ellipse
from bam_engine.demo.art.studio import Plan, generator
from bam_engine.demo.art.subjects import SUBJECTS
from bam_engine.demo.art.subjects.look import Look
from bam_engine.demo.art.undergrowth import undergrowth
from bam_engine.demo.art.weather import weather

SEEN = 0.008  # the share of a picture that a content must cover to count as visible
WHOLE = 0.55  # the share of a subject's silhouette that must be seen
PLAIN = 0.18  # how far a subject's colour must be from what is around it, 0 … 1.7

_TRIES = 5
_PALE = 0.18  # how much of what is behind the subjects the air takes, 0 … 1
_INSIDE = 0.92  # the share of a subject's box that must be on the canvas
_SMALL = 0.07  # a single subject that covers less is drawn larger
_DEPTH = {
    "building": 0,
    "tree": 1,
    "bus": 2,
    "cars": 2,
    "people": 3,
    "bicycle": 3,
    "dog": 4,
    "cat": 5,
    "flower": 2,
    "bird": 6,
}
_FLOATING = frozenset({"rocket", "fish", "butterfly", "balloon", "moonscape", "shapes"})


@dataclass(frozen=True)
class _Spot:
    """Where one subject stands: its feet and its size in pixels; ``aloft`` in the air."""

    name: str
    x: float
    y: float
    size: float
    aloft: bool


def compose(plan: Plan, line: LineStyle | None) -> Rendering:
    """Draw the scene of a plan.

    Subjects that hide each other, are cut off or too small are placed again; after a few tries the best scene is kept,
    and :meth:`Rendering.area` says what is visible.
    """
    best, grow = None, 1.0
    for attempt in range(_TRIES):
        rendering = _compose(plan, line, generator(plan.seed, 4, plan.index, attempt), grow)
        quality = _quality(plan, rendering)
        if best is None or quality > best[0]:
            best = (quality, rendering)
        if quality >= 1:
            break
        grow *= _correction(rendering)
    if best is None:  # _TRIES is not 0
        raise RuntimeError("no scene was tried")
    return _set_off(best[1])


def _correction(rendering: Rendering) -> float:
    """Return by how much the next try should be larger, or smaller where something is cut off."""
    if any(drawn.inside < _INSIDE for drawn in rendering.subjects):
        return 0.88
    area = float((rendering.subject > 0).mean())
    return min(1.6, max(1.0, math.sqrt(1.5 * _SMALL / max(area, 0.01)))) if len(rendering.subjects) == 1 else 1.0


def _quality(plan: Plan, rendering: Rendering) -> float:
    """Say how well the subjects can be seen; 1 is well enough."""
    shares = [drawn.seen / WHOLE for drawn in rendering.subjects]
    shares += [drawn.inside / _INSIDE for drawn in rendering.subjects]
    shares += [rendering.area(name) / (1.5 * SEEN) for name in plan.contents]
    if len(rendering.subjects) == 1:
        shares.append(float((rendering.subject > 0).mean()) / _SMALL)
    return min([1.0, *shares])


def _compose(plan: Plan, line: LineStyle | None, rng: np.random.Generator, grow: float) -> Rendering:
    studio = plan.studio
    palette = make_palette(plan.moods, plan.hour, studio.hue, studio.strength, rng)
    below = "scary" in plan.moods and rng.random() < 0.5
    light = (float(rng.choice([-1, 1]) * rng.uniform(0.25, 0.7)), 0.55 if below else float(-rng.uniform(0.35, 0.8)))
    canvas = Canvas(studio.shape, palette, rng, light=light, line=line, moods=plan.moods)
    setting = SETTINGS[plan.setting](canvas, plan.moods, plan.hour)
    spots = _place(plan, canvas, setting, grow)
    undergrowth(canvas, setting, plan.setting)
    omens(canvas, setting, plan.setting)
    if spots:  # what is behind pales a little, so that the subjects stand out
        canvas.veil(np.full((1, 1), _PALE, np.float32), palette.sky[1] if setting.open_air else palette.wall[0])
    for spot in spots:
        _draw(canvas, spot, Look(plan.moods, plan.close, plan.setting, spot.aloft))
    weather(canvas, setting)
    return canvas.finish()


def _place(plan: Plan, canvas: Canvas, setting: Setting, grow: float) -> list[_Spot]:
    names = [name for name, count in plan.subjects for _ in range(count)]
    if sorted(names) == ["bicycle", "people"] and canvas.rng.random() < 0.6:
        names = ["cyclist"]
    names.sort(key=lambda name: _DEPTH.get(name, 3))
    if not names:
        return []
    if len(names) == 1:
        return [_alone(plan, canvas, setting, names[0], grow)]
    slots = canvas.rng.permutation(len(names))
    return [_among(canvas, setting, plan, names, number, int(slots[number]), grow) for number in range(len(names))]


def _reach(plan: Plan, rng: np.random.Generator) -> float:
    return float(rng.uniform(0.88, 0.96) if plan.close else rng.uniform(0.66, 0.8))


def _alone(plan: Plan, canvas: Canvas, setting: Setting, name: str, grow: float) -> _Spot:
    """Place a single subject: large in the middle, or somewhat aside."""
    rng, wide, high = canvas.rng, SUBJECTS[name].wide, SUBJECTS[name].high
    reach = _reach(plan, rng)
    size = grow * min(canvas.high * reach / high, canvas.wide * min(0.92, reach * 1.12) / wide)
    aside = rng.normal(0, 0.025) if plan.close else rng.choice([-1, 1]) * rng.uniform(0.0, 0.12)
    margin = min(0.5, 0.5 * size * wide / canvas.wide)
    x = float(np.clip(0.5 + aside, margin, 1 - margin))
    aloft = _aloft(name, plan, rng)
    floor = setting.floor
    if aloft or (plan.setting == "backdrop" and not setting.open_air):
        floor = 0.5 + 0.5 * size * high / canvas.high + rng.uniform(-0.03, 0.03)
    return _Spot(name, x * canvas.wide, min(floor, 0.985) * canvas.high, size, aloft)


def _among(
    canvas: Canvas, setting: Setting, plan: Plan, names: list[str], number: int, slot: int, grow: float
) -> _Spot:
    """Place one of several side by side, so wide that it leaves room for the others; the first stand further back."""
    rng, name, count = canvas.rng, names[number], len(names)
    wide, high = SUBJECTS[name].wide, SUBJECTS[name].high
    back = _DEPTH.get(name, 3) <= 1
    share = (1.5 if back else 1.35) / count
    size = grow * min(
        canvas.high * _reach(plan, rng) * (0.95 if back else 0.86) / high, canvas.wide * min(share, 0.8) / wide
    )
    margin = min(0.5, 0.5 * size * wide / canvas.wide)
    x = float(np.clip((slot + 0.5) / count + rng.normal(0, 0.02), margin, 1 - margin))
    floor = setting.floor - 0.07 * (1 - number / (count - 1))
    aloft = _aloft(name, plan, rng)
    if aloft:
        floor -= rng.uniform(0.0, max(0.0, floor - size * high / canvas.high) * 0.9)
    return _Spot(name, x * canvas.wide, floor * canvas.high, size, aloft)


def _aloft(name: str, plan: Plan, rng: np.random.Generator) -> bool:
    if name == "bird":
        return plan.setting == "sky" or (plan.setting not in ("room", "backdrop") and rng.random() < 0.35)
    return name in _FLOATING


def _draw(canvas: Canvas, spot: _Spot, look: Look) -> None:
    rng = canvas.rng
    subject = SUBJECTS[spot.name]
    if not spot.aloft:
        shift = -canvas.light[0] * 0.5 * spot.size * 0.25
        outline = ellipse(spot.x + shift, spot.y, spot.size * subject.wide * 0.42, spot.size * 0.055)
        canvas.shadow(outline, soft=max(1.5, spot.size * 0.03), strength=0.5)
    pen = Pen(canvas, spot.x, spot.y, spot.size, flip=bool(rng.random() < 0.12))
    with canvas.drawing(subject.attribute, "people" if spot.name == "cyclist" else spot.name):
        subject.draw(pen, look)


def _set_off(r: Rendering) -> Rendering:
    """Where the subjects can hardly be told from what is around them, move the rest towards white or dark."""
    mine = (r.subject[::3, ::3] > 0).astype(np.uint8)
    around = cv2.dilate(mine, np.ones((9, 9), np.uint8)) > mine
    if mine.mean() < 0.005 or not around.any():
        return r
    inner, outer = r.lit[::3, ::3][mine > 0].mean(axis=0), r.lit[::3, ::3][around].mean(axis=0)
    apart = float(np.linalg.norm(inner - outer))
    if apart >= PLAIN:
        return r
    level, behind = float(inner.mean()), float(outer.mean())
    up = level < 0.35 or (behind > level and level < 0.66)
    end, goal = (0.97, level + 0.75 * PLAIN) if up else (0.06, level - 0.75 * PLAIN)
    share = np.clip((goal - behind) / (end - behind), 0, 0.8) if abs(end - behind) > 0.05 else 0.0
    target = np.float32(end)
    cover = (np.float32(share) * (1 - blur((r.subject > 0).astype(np.float32), 0.7)))[..., None]
    return dataclasses.replace(r, colour=r.colour + cover * (target - r.colour), lit=r.lit + cover * (target - r.lit))
