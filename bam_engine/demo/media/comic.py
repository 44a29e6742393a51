"""Comic: heavy outlines, flat colour in two or three steps, dots for the rest; panels, balloons and bursts."""

import math

import cv2
import numpy as np

from bam_engine.demo.canvas import LineStyle, Rendering
from bam_engine.demo.media.paper import Pixels, grain
from bam_engine.demo.noise import Plane, blur
from bam_engine.demo.palette import oklch
from bam_engine.demo.shapes import Points, ellipse, frill, star


def line(hand: np.random.Generator, size: float) -> LineStyle:
    """A brush full of ink."""
    return LineStyle(size * hand.uniform(0.008, 0.0135), size * 0.0008)


def render(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture as a comic's panel."""
    pitch, printed = float(hand.uniform(4.2, 6.5)), bool(hand.random() < 0.65)
    rich, aged = float(hand.uniform(1.2, 1.7)), float(hand.uniform(0, 0.05))
    grey = r.colour.mean(axis=2, keepdims=True)
    flat = np.clip(grey + (r.colour - grey) * rich, 0, 1)
    flat = np.clip((flat - 0.5) * 1.08 + 0.54, 0, 1)
    shade, bright = _soft(0.66 - r.tone, 0.04), _soft(r.tone - 1.06, 0.03)
    if printed:
        dots = _dots(r.shape, pitch, 0.26)
        half = _soft((0.9 - r.tone) * 2.2 - dots, 0.18) * (1 - shade)
        sky = _soft(0.42 - dots, 0.15) * (r.subject == 0) * 0.16
        flat = flat * (1 - 0.2 * half[..., None]) * (1 - sky[..., None] * (1 - flat * 0.6))
    flat = flat * (1 - shade[..., None] * np.array([0.42, 0.4, 0.28], np.float32))
    flat = flat + bright[..., None] * (1 - flat) * 0.55
    black = np.maximum(_soft(0.2 - r.tone, 0.05) * 0.9, r.ink)
    picture = flat * (1 - black[..., None]) + black[..., None] * np.array([0.06, 0.05, 0.08], np.float32)
    picture = np.ascontiguousarray(picture, np.float32)
    if hand.random() < 0.75:
        picture = _frame(picture, r, hand, rng)
    tooth = grain(r.shape, rng, 1.4)
    yellow = np.array([1.0, 1 - aged * 0.6, 1 - aged * 2.4], np.float32)
    return np.asarray(picture * yellow * (1 + 0.012 * tooth)[..., None], np.float32)


def _dots(shape: tuple[int, int], pitch: float, turn: float) -> Plane:
    """Return the distance from the nearest point of a turned grid, 0 … 1."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] / np.float32(pitch)
    columns = np.arange(shape[1], dtype=np.float32)[None] / np.float32(pitch)
    u, v = columns * math.cos(turn) + rows * math.sin(turn), rows * math.cos(turn) - columns * math.sin(turn)
    return (np.hypot(u % 1 - 0.5, v % 1 - 0.5) * np.float32(1.42)).astype(np.float32)


def _draw(picture: Pixels, outline: Points, fill: tuple[float, float, float], weight: float) -> None:
    """Fill an outline and run a black line around it."""
    points = [np.round(outline * 16).astype(np.int32)]
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, points, 255, cv2.LINE_AA, 4)
    edge = np.zeros(picture.shape[:2], np.uint8)
    cv2.polylines(edge, points, True, 255, max(1, round(weight)), cv2.LINE_AA, 4)
    cover, dark = mask[..., None] / np.float32(255), edge[..., None] / np.float32(255)
    picture[...] = (picture * (1 - cover) + cover * np.array(fill, np.float32)) * (1 - dark)


def _frame(picture: Pixels, r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Put the picture into a panel; sometimes a second one below shows a detail. Balloons and bursts stay clear of the subjects."""
    high, wide = r.shape
    size = float(min(r.shape))
    rim, weight = max(4, round(size * 0.022)), size * 0.008
    busy = blur((r.subject > 0).astype(np.float32), size * 0.05)
    if hand.random() < 0.5:
        _speak(picture, busy, size, weight, rng)
    if hand.random() < 0.3:
        _burst(picture, busy, size, weight, r.palette.accent(rng), rng)
    paper = np.array(oklch(0.97, 0.012, 90), np.float32)
    if hand.random() < 0.45:
        share = float(rng.uniform(0.62, 0.72))
        if high >= wide:
            cuts = [(0, 0, wide, int(high * share)), (0, int(high * share), wide, high)]
        else:
            cuts = [(0, 0, int(wide * share), high), (int(wide * share), 0, wide, high)]
    else:
        cuts = [(0, 0, wide, high)]
    page = np.broadcast_to(paper, picture.shape).copy()
    where = np.argwhere(r.subject > 0)
    centre = where.mean(axis=0) if len(where) else np.array([high / 2, wide / 2])
    for number, (left, top, right, bottom) in enumerate(cuts):
        panel_high, panel_wide = bottom - top - 2 * rim, right - left - 2 * rim
        zoom = (
            max(panel_high / high, panel_wide / wide)
            if number == 0
            else 1.25 * max(panel_high / high, panel_wide / wide) + 0.35
        )
        shrunk = cv2.resize(
            picture,
            (math.ceil(wide * zoom), math.ceil(high * zoom)),
            interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR,
        )
        focus = (centre if number == 0 else centre - (high * 0.08, 0)) * zoom
        y = int(np.clip(focus[0] - panel_high / 2, 0, shrunk.shape[0] - panel_high))
        x = int(np.clip(focus[1] - panel_wide / 2, 0, shrunk.shape[1] - panel_wide))
        page[top + rim : bottom - rim, left + rim : right - rim] = shrunk[y : y + panel_high, x : x + panel_wide]
        cv2.rectangle(
            page,
            (left + rim, top + rim),
            (right - rim - 1, bottom - rim - 1),
            (0.05, 0.05, 0.06),
            max(1, round(weight)),
            cv2.LINE_AA,
        )
    return page


def _free(busy: Plane, wide: float, high: float, rng: np.random.Generator, *, top: float) -> tuple[float, float] | None:
    """Return a middle in the upper part around which nothing is in the way, or None."""
    for _ in range(14):
        x = rng.uniform(wide * 0.75, busy.shape[1] - wide * 0.75)
        y = rng.uniform(high * 0.9, max(high, busy.shape[0] * top))
        part = busy[
            max(0, int(y - high / 2)) : int(y + high / 2) + 1, max(0, int(x - wide / 2)) : int(x + wide / 2) + 1
        ]
        if part.size and part.mean() < 0.06:
            return float(x), float(y)
    return None


def _speak(picture: Pixels, busy: Plane, size: float, weight: float, rng: np.random.Generator) -> None:
    wide, high = size * rng.uniform(0.26, 0.36), size * rng.uniform(0.13, 0.18)
    place = _free(busy, wide, high, rng, top=0.4)
    if place is None:
        return
    x, y = place
    cv2.circle(busy, (int(x), int(y)), int(wide * 0.6), 1.0, -1)
    lean = wide * float(rng.choice([-0.2, 0.2]))
    body = frill(x, y, wide / 2, high / 2, rng) if rng.random() < 0.25 else ellipse(x, y, wide / 2, high / 2, count=40)
    tail = np.array(
        [
            [x + lean - size * 0.02, y + high * 0.4],
            [x + lean * 1.5, y + high * 0.95],
            [x + lean + size * 0.03, y + high * 0.38],
        ]
    )
    _draw(picture, tail, (1, 1, 1), weight)
    _draw(picture, body, (1, 1, 1), weight)
    cv2.fillPoly(picture, [np.round((tail + (0, -size * 0.012)) * 16).astype(np.int32)], (1, 1, 1), cv2.LINE_8, 4)
    for row in (-1, 1):  # lettering that says nothing
        reach = wide * 0.3
        xs = np.linspace(x - reach, x + reach * rng.uniform(0.4, 1), 22)
        ys = y + row * high * 0.16 + rng.normal(0, size * 0.008, 22)
        gaps = rng.random(21) < 0.8
        for number in np.flatnonzero(gaps):
            start, end = (
                (int(xs[number] * 16), int(ys[number] * 16)),
                (int(xs[number + 1] * 16), int(ys[number + 1] * 16)),
            )
            cv2.line(picture, start, end, (0.08, 0.07, 0.09), max(1, round(size * 0.005)), cv2.LINE_AA, 4)


def _burst(
    picture: Pixels,
    busy: Plane,
    size: float,
    weight: float,
    colour: tuple[float, float, float],
    rng: np.random.Generator,
) -> None:
    reach = size * rng.uniform(0.09, 0.14)
    place = _free(busy, reach * 2, reach * 2, rng, top=0.9)
    if place is None:
        return
    x, y = place
    _draw(
        picture,
        star(x, y, reach, reach * 0.62, int(rng.integers(8, 13)), turn=rng.uniform(0, 1)),
        oklch(0.9, 0.16, 95),
        weight,
    )
    _draw(picture, star(x, y, reach * 0.6, reach * 0.34, 9), colour, weight * 0.7)


def _soft(plane: Plane, width: float) -> Plane:
    return np.clip(plane / np.float32(width) + np.float32(0.5), 0, 1).astype(np.float32)
