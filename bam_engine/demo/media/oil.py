"""Oil: opaque strokes, broad ones first, along the forms; their bristles and their thickness catch the light.

Strokes are laid in layers of ever narrower brushes where the picture differs from what is painted already (Hertzmann 1998);
the grooves of the bristles are noise smeared along the directions of the strokes.
"""

import cv2
import numpy as np

from bam_engine.demo.canvas import Rendering
from bam_engine.demo.media.paper import Pixels, weave
from bam_engine.demo.noise import Plane, blur, field, smeared


def render(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Paint the picture in oil."""
    broad, thick = float(hand.uniform(0.75, 1.45)), float(hand.uniform(0.55, 1.25))
    lively, warm = float(hand.uniform(0.02, 0.06)), float(hand.uniform(-0.015, 0.03))
    size = float(min(r.shape))
    wanted = np.clip(r.lit, 0, 1)
    cosine, sine = _directions(r, wanted, size, rng)
    ground = np.array([0.62, 0.5, 0.38], np.float32) * (0.75 + 0.25 * hand.random())
    painted = np.broadcast_to(ground, wanted.shape).copy()
    height = np.zeros(r.shape, np.float32)
    for width, step in ((0.055 * broad, 0.45), (0.028 * broad, 0.55), (0.013 * broad, 0.75), (0.0065 * broad, 1.0)):
        _layer(painted, height, blur(wanted, width * size * 0.3), cosine, sine, width * size, step, lively, rng)
    bristle = smeared(field(r.shape, 1.4, rng), cosine, sine, 8)
    relief = height * 0.55 * thick + bristle * (0.85 * thick) + 0.12 * weave(r.shape, 2.1, rng)
    slope = (
        cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) * r.light[0] + cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3) * -0.6
    )
    sheen = np.clip(slope * np.float32(0.045), -0.16, 0.2)[..., None]
    painted = painted * (1 + 0.07 * bristle[..., None]) + sheen * (0.35 + 0.65 * painted)
    return np.asarray(painted * np.array([1 + warm, 1, 1 - warm], np.float32), np.float32)


def _directions(r: Rendering, wanted: Pixels, size: float, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Strokes go along edges where there are any, else along the forms' own direction, swaying a little."""
    grey = blur(wanted.mean(axis=2), 1.5)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    # The structure tensor's double angle can be averaged; an angle cannot.
    double_cosine, double_sine = (
        blur(across * across - down * down, size * 0.012),
        blur(2 * across * down, size * 0.012),
    )
    own = r.flow + 0.5 * field(r.shape, size / 5, rng)
    weak = np.float32(0.004)
    double_cosine, double_sine = -double_cosine + weak * np.cos(2 * own), -double_sine + weak * np.sin(2 * own)
    turn = 0.5 * np.arctan2(double_sine, double_cosine)
    return np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)


def _layer(
    painted: Pixels,
    height: Plane,
    wanted: Pixels,
    cosine: Plane,
    sine: Plane,
    width: float,
    step: float,
    lively: float,
    rng: np.random.Generator,
) -> None:
    """Lay strokes ``width`` wide where what is painted is not yet what is wanted."""
    high, wide = height.shape
    pitch = max(2.0, width * step)
    rows = np.arange(0, high + pitch, pitch)
    columns = np.arange(0, wide + pitch, pitch)
    y, x = (
        axis.ravel() + rng.uniform(-0.5, 0.5, axis.size) * pitch for axis in np.meshgrid(rows, columns, indexing="ij")
    )
    row, column = np.clip(y, 0, high - 1).astype(int), np.clip(x, 0, wide - 1).astype(int)
    wrong = np.abs(wanted[row, column] - blur(painted, width * 0.3)[row, column]).sum(axis=1)
    chosen = np.flatnonzero(wrong > (0.1 if width > 5 else 0.15))
    chosen = rng.permutation(chosen)
    if len(chosen) == 0:
        return
    x, y, row, column = x[chosen], y[chosen], row[chosen], column[chosen]
    colours = wanted[row, column] * (1 + rng.normal(0, lively, (len(chosen), 1))) + rng.normal(
        0, lively * 0.45, (len(chosen), 3)
    )
    long = width * rng.uniform(1.3, 2.6, len(chosen))
    lift = rng.uniform(0.3, 1.0, len(chosen)) * min(width, 9) * 0.5
    dx, dy = cosine[row, column], sine[row, column]
    scale = 16
    starts = np.stack([(x - dx * long / 2) * scale, (y - dy * long / 2) * scale], axis=1).astype(int)
    ends = np.stack([(x + dx * long / 2) * scale, (y + dy * long / 2) * scale], axis=1).astype(int)
    thick = max(1, round(width * 0.85))
    for start, end, colour, rise in zip(
        starts.tolist(), ends.tolist(), np.clip(colours, 0, 1).tolist(), lift.tolist(), strict=True
    ):
        cv2.line(painted, start, end, colour, thick, cv2.LINE_8, 4)
        cv2.line(height, start, end, rise, thick, cv2.LINE_8, 4)
    height[...] = blur(height, 0.8)
