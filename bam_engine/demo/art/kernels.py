"""The loops over points and pixels that drawing spends its time in, compiled; they hold no lock while they run.

In:  arrays, already of the right kind. Out: new arrays, or the canvas's planes changed in place. Knows no subject and
no medium.
"""

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.compiled import njit

Plane = npt.NDArray[np.float32]

RED, ACROSS, DOWN, BULGE, SHADE, GLOSS, INK = 0, 3, 4, 5, 6, 7, 8
PLANES = 9


_loops: list[tuple[Any, str]] = []  # what is compiled, and for which kinds of arguments
_making = threading.Lock()


def _compiled(signature: str) -> Callable[[Any], Any]:
    """Have a loop compiled for one kind of arguments, once for all processes."""

    def given(function: Any) -> Any:
        loop = njit(nogil=True)(function)
        _loops.append((loop, signature))
        return loop

    return given


def prepare(first: int = 0) -> None:
    """Compile all loops now, or load what another process has compiled; do nothing where that is done.

    It takes seconds the first time. Processes that start together share the work where each begins with another loop,
    the one of number ``first``.
    """
    with _making:
        start = first % len(_loops)
        for loop, signature in [*_loops[start:], *_loops[:start]]:
            if not loop.signatures:
                loop.compile(signature)
                loop.disable_compile()  # what is called with can be converted; nothing is compiled a second time


# Points -------------------------------------------------------------------------------------------------------------


@_compiled("f8[:,::1](f8[:,:], b1, i8)")
def curve(knots, closed, steps):  # type: ignore[no-untyped-def]
    """Return a Catmull-Rom curve through the knots (k, 2): ``steps`` points from each to the next."""
    count = knots.shape[0]
    pieces = count if closed else count - 1
    out = np.empty((pieces * steps + (0 if closed else 1), 2))
    for piece in range(pieces):
        for axis in range(2):
            b, c = knots[piece, axis], knots[(piece + 1) % count, axis]
            if closed:
                a, d = knots[(piece - 1) % count, axis], knots[(piece + 2) % count, axis]
            else:
                a = knots[piece - 1, axis] if piece > 0 else 2 * b - c
                d = knots[piece + 2, axis] if piece + 2 < count else 2 * c - b
            for step in range(steps):
                t = step / steps
                out[piece * steps + step, axis] = 0.5 * (
                    2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t
                )
    if not closed:
        out[-1] = knots[-1]
    return out


@_compiled("f8[:,::1](f8[:,:], f8[:], b1)")
def tube(spine, widths, rounded):  # type: ignore[no-untyped-def]
    """Return the outline of a tube along a line (k, 2), its full widths given at a few places spread evenly over it."""
    count, ends = spine.shape[0], 5 if rounded else 0
    out = np.empty((2 * count + 2 * ends, 2))
    for number in range(count):
        before, after = spine[max(number - 1, 0)], spine[min(number + 1, count - 1)]
        along, down = after[0] - before[0], after[1] - before[1]
        length = max(math.hypot(along, down), 1e-9)
        share = number * (len(widths) - 1) / max(count - 1, 1)
        low = min(int(share), len(widths) - 1)
        high = min(low + 1, len(widths) - 1)
        half = (widths[low] + (share - low) * (widths[high] - widths[low])) / 2
        across, up = -down / length * half, along / length * half
        out[number, 0], out[number, 1] = spine[number, 0] + across, spine[number, 1] + up
        back = 2 * count + ends - 1 - number
        out[back, 0], out[back, 1] = spine[number, 0] - across, spine[number, 1] - up
    for end in range(2 if rounded else 0):
        first, last = (count - 1, count + ends) if end == 0 else (2 * count + ends - 1, 0)
        x, y = (out[first, 0] + out[last, 0]) / 2, (out[first, 1] + out[last, 1]) / 2
        reach_x, reach_y = out[first, 0] - x, out[first, 1] - y
        start = count if end == 0 else 2 * count + ends
        for step in range(ends):
            turn = -math.pi * (step + 1) / (ends + 1)
            cosine, sine = math.cos(turn), math.sin(turn)
            out[start + step, 0] = x + cosine * reach_x - sine * reach_y
            out[start + step, 1] = y + sine * reach_x + cosine * reach_y
    return out


@_compiled("f8[:,:,::1](f8[:,:], f8, f8, f8)")
def band(path, light_x, light_y, width):  # type: ignore[no-untyped-def]
    """Return both sides of a pen's line along a closed path (k, 2): thicker away from the light, (2, k, 2)."""
    count = path.shape[0]
    area = 0.0
    for number in range(count):
        after = (number + 1) % count
        area += path[number, 0] * path[after, 1] - path[number, 1] * path[after, 0]
    sign = 1.0 if area >= 0 else -1.0
    out = np.empty((2, count, 2))
    for number in range(count):
        before, after = (number - 1) % count, (number + 1) % count
        along, down = path[after, 0] - path[before, 0], path[after, 1] - path[before, 1]
        length = max(math.hypot(along, down), 1e-6)
        across, up = -down / length, along / length
        half = 0.5 * width * (0.75 - 0.45 * (across * light_x + up * light_y) * sign)
        out[0, number, 0], out[0, number, 1] = path[number, 0] + across * half, path[number, 1] + up * half
        out[1, number, 0], out[1, number, 1] = path[number, 0] - across * half, path[number, 1] - up * half
    return out


@_compiled("f8[:,::1](f8, f8, f8, f8, f8, i8)")
def ring(x, y, wide, high, turn, count):  # type: ignore[no-untyped-def]
    """Return ``count`` points of the ellipse around (x, y) with the half axes ``wide`` and ``high``, turned."""
    out = np.empty((count, 2))
    cosine, sine = math.cos(turn), math.sin(turn)
    for number in range(count):
        angle = 2 * math.pi * number / count
        along, down = math.cos(angle) * wide, math.sin(angle) * high
        out[number, 0], out[number, 1] = x + cosine * along - sine * down, y + sine * along + cosine * down
    return out


@_compiled("UniTuple(f8, 3)(f8, f8, f8)")
def encoded(light, chroma, hue):  # type: ignore[no-untyped-def]
    """Return the sRGB colour of an OKLCH one (hue in radians), its chroma cut until it fits."""
    light = min(max(light, 0.0), 1.0)
    cosine, sine = math.cos(hue), math.sin(hue)
    out = np.zeros(3)
    for _ in range(12):
        a, b = chroma * cosine, chroma * sine
        long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
        middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
        out[0] = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
        out[1] = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
        out[2] = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
        if out.min() > -0.002 and out.max() < 1.002:
            break
        chroma *= 0.86
    for channel in range(3):
        part = min(max(out[channel], 0.0), 1.0)
        out[channel] = 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
    return out[0], out[1], out[2]


@_compiled("UniTuple(f8, 4)(f8[:,:])")
def bounds(points):  # type: ignore[no-untyped-def]
    """Return the least x and y and the greatest x and y of the points; nan if one is no number."""
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    for number in range(points.shape[0]):
        x, y = points[number, 0], points[number, 1]
        if not (math.isfinite(x) and math.isfinite(y)):
            return np.nan, np.nan, np.nan, np.nan
        left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    return left, top, right, bottom


@_compiled("i4[:,::1](f8[:,:], i8, i8, i8)")
def fixed(points, left, top, scale):  # type: ignore[no-untyped-def]
    """Return the points moved by the corner, in whole ``scale``-ths of a pixel."""
    out = np.empty(points.shape, np.int32)
    for number in range(points.shape[0]):
        out[number, 0] = np.int32(min(max(math.floor((points[number, 0] - left) * scale + 0.5), -2e6), 2e6))
        out[number, 1] = np.int32(min(max(math.floor((points[number, 1] - top) * scale + 0.5), -2e6), 2e6))
    return out


# Pixels -------------------------------------------------------------------------------------------------------------


@_compiled(
    "void(f4[:,:,:], i4[:,:], u1[:,:], f4[:,:], u1[:,::1], f4[::1], "
    "f4[::1], b1, f4[:,:,::1], Tuple((f8, f8, f8, b1)), UniTuple(i8, 2))"
)
def blend(  # type: ignore[no-untyped-def]
    planes, part, subject, flow, cover, first, second, sideways, form, settings, numbers
):
    """Lay a shape over the planes (h, w, 9), all cut to the shape's box.

    ``cover`` (h, w), 0 … 255, says where it is; its colour runs from ``first`` to ``second``, ``sideways`` or down.
    ``form`` (3, h, w) is its normal and height, of size 0 for a flat shape. ``settings`` are opacity, gloss, flow (nan
    leaves it), and whether it is a marking, which changes the colour alone. ``numbers`` are those of the part and the
    subject.
    """
    high, wide = cover.shape
    opacity, gloss, turn = np.float32(settings[0] / 255), np.float32(settings[1]), np.float32(settings[2])
    marking, solid, turned = settings[3], form.size > 0, not math.isnan(turn)
    for y in range(high):
        for x in range(wide):
            if cover[y, x] == 0:
                continue
            share = cover[y, x] * opacity
            along = np.float32(x / max(wide - 1, 1) if sideways else y / max(high - 1, 1))
            for channel in range(3):
                colour = first[channel] + along * (second[channel] - first[channel])
                planes[y, x, channel] += share * (colour - planes[y, x, channel])
            if share > 0.5:
                part[y, x] = numbers[0]
                if turned:
                    flow[y, x] = turn
            if marking:
                continue
            if share > 0.5:
                subject[y, x] = numbers[1]
            rest = np.float32(1.0) - share
            for channel in range(3):
                value = form[channel, y, x] if solid else np.float32(0.0)
                planes[y, x, 3 + channel] = rest * planes[y, x, 3 + channel] + share * value
            planes[y, x, 6] = rest * planes[y, x, 6] + share
            planes[y, x, 7] = rest * planes[y, x, 7] + share * gloss
            planes[y, x, 8] *= rest


@_compiled("void(f4[:,:,:], u1[:,::1], f8)")
def inked(planes, cover, amount):  # type: ignore[no-untyped-def]
    """Raise the ink of the planes, cut to the box of ``cover`` (h, w), 0 … 255, to ``amount`` where it covers."""
    scale = np.float32(amount / 255)
    for y in range(cover.shape[0]):
        for x in range(cover.shape[1]):
            if cover[y, x] > 0:
                planes[y, x, 8] = max(planes[y, x, 8], cover[y, x] * scale)


@_compiled("void(u1[:,::1], i8, i8, u1[:,::1], i8, i8)")
def limited(cover, top, left, other, other_top, other_left):  # type: ignore[no-untyped-def]
    """Cut the coverage down to what lies inside another, in place; both know their corner."""
    high, wide = other.shape
    for y in range(cover.shape[0]):
        there_y = y + top - other_top
        for x in range(cover.shape[1]):
            there_x = x + left - other_left
            inside = 0 <= there_y < high and 0 <= there_x < wide
            cover[y, x] = cover[y, x] * int(other[there_y, there_x]) // 255 if inside else 0


@_compiled("void(f4[:,:,:], u1[:,:], f8)")
def darkened(planes, soft, strength):  # type: ignore[no-untyped-def]
    """Take light away where ``soft`` (h, w), 0 … 255, says, in place."""
    scale = np.float32(strength / 255)
    for y in range(soft.shape[0]):
        for x in range(soft.shape[1]):
            planes[y, x, 6] *= np.float32(1) - scale * soft[y, x]


@_compiled("void(f4[:,:,:], i8, i8, f8, f8, f8, f4[::1], f8)")
def brightened(planes, top, left, x0, y0, radius, colour, strength):  # type: ignore[no-untyped-def]
    """Add a soft light around the point (x0, y0) to the planes, whose corner is (left, top)."""
    for y in range(planes.shape[0]):
        for x in range(planes.shape[1]):
            distance = ((y + top - y0) ** 2 + (x + left - x0) ** 2) / radius**2
            if distance >= 4:
                continue
            share = np.float32((math.exp(-2 * distance) - 0.000335) * strength)
            for channel in range(3):
                planes[y, x, channel] += share * (colour[channel] - planes[y, x, channel])
            planes[y, x, 8] *= np.float32(1) - share


@_compiled("void(f4[:,:,:], f4[:,:], f4[::1])")
def veiled(planes, cover, colour):  # type: ignore[no-untyped-def]
    """Lay mist of a colour over the planes: ``cover`` (h, w), 0 … 1. It hides ink and form as well."""
    for y in range(planes.shape[0]):
        for x in range(planes.shape[1]):
            share = cover[y, x]
            rest = np.float32(1) - share
            for channel in range(3):
                planes[y, x, channel] = rest * planes[y, x, channel] + share * colour[channel]
            planes[y, x, 3] *= rest
            planes[y, x, 4] *= rest
            planes[y, x, 8] *= rest


@_compiled("void(f4[:,:,:], f4[::1], f4[::1], f4[::1], f4[:,:,::1], f4[:,:,::1], f4[:,:,::1])")
def lighted(planes, light, sun, air, colour, lit, rest):  # type: ignore[no-untyped-def]
    """Take the planes apart into ``colour`` and ``lit`` (h, w, 3) and ``rest`` (6, h, w).

    ``rest`` gets tone, across, down, bulge, gloss and ink. ``light`` (3,) is its direction, ``sun`` and ``air`` the
    colours of what falls from there and from everywhere.
    """
    for y in range(planes.shape[0]):
        for x in range(planes.shape[1]):
            across, down, shade = planes[y, x, 3], planes[y, x, 4], planes[y, x, 6]
            facing = np.float32(math.sqrt(max(np.float32(1) - across * across - down * down, np.float32(0))))
            direct = across * light[0] + down * light[1] + facing * light[2]
            tone = shade * max(np.float32(0.16) + direct * np.float32(0.7224) / light[2], np.float32(0.05))
            tone = min(tone, np.float32(1.15))
            for channel in range(3):
                value = planes[y, x, channel]
                colour[y, x, channel] = value
                around = air[channel] * np.float32(0.56) * (np.float32(0.62) + np.float32(0.38) * shade)
                lit[y, x, channel] = value * (around + sun[channel] * np.float32(0.68) * tone)
            rest[0, y, x], rest[1, y, x], rest[2, y, x] = tone, across, down
            rest[3, y, x], rest[4, y, x], rest[5, y, x] = planes[y, x, 5], planes[y, x, 7], planes[y, x, 8]


@_compiled("void(f4[:,:,::1], f4[:,::1], f8[:,::1], f8[:,::1], f4[:,::1], f8[::1], f8)")
def brushed(painted, height, starts, ends, colours, lifts, width):  # type: ignore[no-untyped-def]
    """Lay strokes in order, in place: bars with round ends, ``width`` pixels wide, a groove for every bristle.

    ``painted`` (h, w, 3) gets their colours (k, 3), ``height`` (h, w) their thickness; ``starts`` and ``ends`` are
    (k, 2), x and y.
    """
    high, wide = height.shape
    half = width / 2
    for number in range(starts.shape[0]):
        x0, y0, x1, y1 = starts[number, 0], starts[number, 1], ends[number, 0], ends[number, 1]
        along_x, along_y = x1 - x0, y1 - y0
        square = max(along_x * along_x + along_y * along_y, 1e-6)
        top, bottom = max(0, int(min(y0, y1) - half)), min(high - 1, int(max(y0, y1) + half) + 1)
        left, right = max(0, int(min(x0, x1) - half)), min(wide - 1, int(max(x0, x1) + half) + 1)
        red, green, blue, lift = colours[number, 0], colours[number, 1], colours[number, 2], lifts[number]
        for y in range(top, bottom + 1):
            inside = False
            for x in range(left, right + 1):
                share = min(max(((x - x0) * along_x + (y - y0) * along_y) / square, 0.0), 1.0)
                dx, dy = x - x0 - share * along_x, y - y0 - share * along_y
                if dx * dx + dy * dy > half * half:
                    if inside:  # a row crosses a stroke once
                        break
                    continue
                inside = True
                painted[y, x, 0], painted[y, x, 1], painted[y, x, 2] = red, green, blue
                height[y, x] = lift


NO_FORM: Plane = np.zeros((3, 0, 0), np.float32)
