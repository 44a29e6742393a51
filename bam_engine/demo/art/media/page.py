"""A comic's page: one panel or two, with balloons and bursts that keep clear of the subjects.

In:  the drawn picture and its scene. Out: the page, of the same size.
"""

import cv2
import numpy as np

from bam_engine.demo.art.canvas import Rendering
from bam_engine.demo.art.media.paper import Pixels
from bam_engine.demo.art.noise import Plane, blur
from bam_engine.demo.art.palette import Colour, oklch
from bam_engine.demo.art.shapes import Points, ellipse, frill, star

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


def page(picture: Pixels, r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Put the picture into a panel; where the subjects fit into a smaller one, a second shows a detail."""
    high, wide = r.shape
    size = float(min(r.shape))
    rim, weight = max(4, round(size * 0.022)), size * 0.008
    sheet = np.broadcast_to(np.array(oklch(0.97, 0.012, 90), np.float32), picture.shape).copy()
    subjects = _around(r.subject > 0)
    panels: list[tuple[Box, Box]] = []
    if hand.random() < 0.45:
        panels = _two(wide, high, rim, float(rng.uniform(0.62, 0.72)), subjects)
    if not panels:
        whole = (rim, rim, wide - rim, high - rim)
        panels = [(whole, _window(whole, wide, high, subjects, 1.0))]
    busy = blur((r.subject > 0).astype(np.float32), size * 0.04)
    for number, (place, window) in enumerate(panels):
        shown = (place[2] - place[0], place[3] - place[1])
        panel, near = (
            np.ascontiguousarray(cv2.resize(_cut(plane, window), shown), np.float32) for plane in (picture, busy)
        )
        if number == 0:
            _letter(panel, near, size, weight, r.palette.accent(rng), hand, rng)
        sheet[place[1] : place[3], place[0] : place[2]] = panel
        last = (place[2] - 1, place[3] - 1)
        cv2.rectangle(sheet, place[:2], last, (0.05, 0.05, 0.06), max(1, round(weight)), cv2.LINE_AA)
    return sheet


def _around(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Box:
    """Return the box around what is set; the middle if nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return mask.shape[1] // 3, mask.shape[0] // 3, mask.shape[1] * 2 // 3, mask.shape[0] * 2 // 3
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _two(wide: int, high: int, rim: int, share: float, subjects: Box) -> list[tuple[Box, Box]]:
    """Return two panels, each with the part of the picture it shows; none if the first would cut the subjects."""
    if high >= wide:
        cut = int(high * share)
        first, second = (rim, rim, wide - rim, cut - rim // 2), (rim, cut + rim // 2, wide - rim, high - rim)
    else:
        cut = int(wide * share)
        first, second = (rim, rim, cut - rim // 2, high - rim), (cut + rim // 2, rim, wide - rim, high - rim)
    window = _window(first, wide, high, subjects, 1.0)
    if window[0] > subjects[0] or window[1] > subjects[1] or window[2] < subjects[2] or window[3] < subjects[3]:
        return []
    left, top, right, bottom = subjects
    head = (left, top, right, top + max(1, (bottom - top) * 2 // 3))
    return [(first, window), (second, _window(second, wide, high, head, 0.6))]


def _window(place: Box, wide: int, high: int, around: Box, share: float) -> Box:
    """Return the part of a picture, in a panel's shape, that lies around a box: ``share`` of the largest there is."""
    panel_wide, panel_high = place[2] - place[0], place[3] - place[1]
    scale = share * min(wide / panel_wide, high / panel_high)
    across, down = min(wide, round(panel_wide * scale)), min(high, round(panel_high * scale))
    left = min(max((around[0] + around[2] - across) // 2, 0), wide - across)
    top = min(max((around[1] + around[3] - down) // 2, 0), high - down)
    return left, top, left + across, top + down


def _cut(plane: Plane, window: Box) -> Plane:
    return plane[window[1] : window[3], window[0] : window[2]]


def _letter(
    panel: Pixels,
    busy: Plane,
    size: float,
    weight: float,
    colour: Colour,
    hand: np.random.Generator,
    rng: np.random.Generator,
) -> None:
    if hand.random() < 0.6:
        _speak(panel, busy, size, weight, rng)
    if hand.random() < 0.3:
        _burst(panel, busy, size, weight, colour, rng)


def _draw(picture: Pixels, outline: Points, fill: Colour, weight: float) -> None:
    """Fill an outline and run a black line around it."""
    points = [np.round(outline * 16).astype(np.int32)]
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, points, 255, cv2.LINE_AA, 4)
    edge = np.zeros(picture.shape[:2], np.uint8)
    cv2.polylines(edge, points, True, 255, max(1, round(weight)), cv2.LINE_AA, 4)
    cover, dark = mask[..., None] / np.float32(255), edge[..., None] / np.float32(255)
    picture[...] = (picture * (1 - cover) + cover * np.array(fill, np.float32)) * (1 - dark)


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
    cv2.fillPoly(
        picture, [np.round((tail - np.array([0, size * 0.012])) * 16).astype(np.int32)], (1, 1, 1), cv2.LINE_8, 4
    )
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
    colour: Colour,
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
