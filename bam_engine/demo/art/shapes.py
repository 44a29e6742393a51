"""Outlines: smooth curves, tapering limbs, and the plain shapes that the subjects are composed of.

In:  a few control points in any unit. Out: closed polygons (k, 2), x to the right and y down. Knows nothing of pixels,
colours or what is drawn.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bam_engine.demo.art.kernels import curve, ring, tube

Points = npt.NDArray[np.float64]


def smooth(points: npt.ArrayLike, *, closed: bool = True, steps: int = 7) -> Points:
    """Return a Catmull-Rom curve through the points: ``steps`` points from each control point to the next.

    Examples
    --------
    >>> smooth([[0, 0], [1, 0], [1, 1]], steps=4).shape
    (12, 2)
    """
    knots = np.asarray(points, float)
    return np.asarray(curve(knots, closed and len(knots) > 2, steps))


def ellipse(x: float, y: float, wide: float, high: float, *, turn: float = 0.0, count: int = 28) -> Points:
    """Return an ellipse around (x, y) with the half axes ``wide`` and ``high``, turned by ``turn`` radians."""
    return np.asarray(ring(x, y, wide, high, turn, count))


def box(left: float, top: float, right: float, bottom: float, *, corner: float = 0.0) -> Points:
    """Return a rectangle, its corners rounded by the radius ``corner``."""
    if corner <= 0:
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    corner = min(corner, (right - left) / 2, (bottom - top) / 2)
    arcs = []
    for x, y, start in (
        (right - corner, top + corner, -math.pi / 2),
        (right - corner, bottom - corner, 0.0),
        (left + corner, bottom - corner, math.pi / 2),
        (left + corner, top + corner, math.pi),
    ):
        angle = start + np.linspace(0, math.pi / 2, 6)
        arcs.append(np.stack([x + corner * np.cos(angle), y + corner * np.sin(angle)], axis=1))
    return np.concatenate(arcs)


def limb(points: npt.ArrayLike, widths: Sequence[float] | float, *, steps: int = 7, round_ends: bool = True) -> Points:
    """Return a tube along a smooth line through the points: legs, tails, stems, branches.

    ``widths`` are its full widths at the points, or one width for all.
    """
    knots = np.asarray(points, float)
    given = np.full(1, float(widths)) if isinstance(widths, int | float) else np.asarray(widths, float)
    return np.asarray(tube(curve(knots, False, steps), given, round_ends))


def blob(
    x: float, y: float, wide: float, high: float, rng: np.random.Generator, *, rough: float = 0.12, knots: int = 9
) -> Points:
    """Return an uneven round shape: a cloud's puff, a stone, a crown of leaves."""
    angle = np.linspace(0, 2 * np.pi, knots, endpoint=False) + rng.uniform(0, 6.3)
    radius = 1 + rng.uniform(-rough, rough, knots)
    return smooth(np.stack([x + wide * radius * np.cos(angle), y + high * radius * np.sin(angle)], axis=1))


def frill(x: float, y: float, wide: float, high: float, rng: np.random.Generator, *, lobes: int = 11) -> Points:
    """Return a round shape edged with lobes: a crown of leaves, a cloud, a sheep."""
    lobe = np.repeat(rng.uniform(0.93, 1.07, lobes), 4) * np.tile([0.9, 1.0, 1.06, 1.0], lobes)
    angle = np.linspace(0, 2 * np.pi, 4 * lobes, endpoint=False) + rng.uniform(0, 6.3)
    return smooth(np.stack([x + wide * lobe * np.cos(angle), y + high * lobe * np.sin(angle)], axis=1), steps=2)


def star(x: float, y: float, outer: float, inner: float, points: int, *, turn: float = 0.0) -> Points:
    """Return a star of straight lines with ``points`` tips."""
    angle = np.linspace(0, 2 * np.pi, 2 * points, endpoint=False) + turn - np.pi / 2
    radius = np.where(np.arange(2 * points) % 2 == 0, outer, inner)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def petal(x: float, y: float, length: float, wide: float, turn: float, *, tip: float = 0.6) -> Points:
    """Return a petal or leaf from (x, y) outward in the direction ``turn``; ``tip`` says where it is widest, 0 to 1."""
    shape = smooth(
        [
            [0.0, 0.0],
            [length * tip * 0.5, -wide * 0.42],
            [length * tip, -wide / 2],
            [length * 0.93, -wide * 0.17],
            [length, 0.0],
            [length * 0.93, wide * 0.17],
            [length * tip, wide / 2],
            [length * tip * 0.5, wide * 0.42],
        ],
        steps=4,
    )
    return np.asarray(rotated(shape, turn) + np.array([x, y]))


def crescent(x: float, y: float, radius: float, bite: float = 0.75) -> Points:
    """Return a moon's sickle, open to the right."""
    angle = np.linspace(0.35 * np.pi, 1.65 * np.pi, 20)
    outer = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    inner = outer[::-1] * np.array([bite, 1.0]) + np.array([(1 - bite) * outer[0, 0], 0])
    return np.array([x, y]) + radius * np.concatenate([outer, inner])


def jagged(points: npt.ArrayLike, rng: np.random.Generator, *, amount: float, times: int = 4) -> Points:
    """Return the open line broken into ever finer pieces, each middle moved at random: ridges, bark, lightning."""
    line = np.asarray(points, float)
    for _ in range(times):
        middle = (line[1:] + line[:-1]) / 2
        middle[:, 1] += rng.normal(0, amount, len(middle))
        both = np.empty((len(line) + len(middle), 2))
        both[::2], both[1::2] = line, middle
        line, amount = both, amount * 0.55
    return line


def rotated(points: Points, turn: float) -> Points:
    """Return the points turned around the origin by ``turn`` radians, clockwise on the screen."""
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]))
