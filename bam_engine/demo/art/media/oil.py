"""Oil: opaque strokes, broad ones first, along the forms; their bristles and their thickness catch the light.

Strokes are laid in layers of ever narrower brushes where the picture differs from what is painted already (Hertzmann
1998); the grooves of the bristles are noise smeared along the directions of the strokes.

In:  a scene, the seed of a hand as a generator, a random generator. Out: pixels (h, w, 3), 0 … 1.
"""

import cv2
import numpy as np

from bam_engine.demo.art.canvas import Rendering
from bam_engine.demo.art.kernels import brushed
from bam_engine.demo.art.media.paper import Pixels, edge_of_wash, grain, weave
from bam_engine.demo.art.noise import Plane, blur, field, fractal, grey, smeared, thrice, tinted
from bam_engine.demo.art.palette import oklch


def render(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Paint the picture in oil; now and then in greys alone, or so smoothly that the brush hardly shows."""
    broad, smooth = float(hand.uniform(0.75, 1.45)), hand.random() < 0.45
    thick = float(hand.uniform(0.06, 0.22) if smooth else hand.uniform(0.55, 1.25))
    lively, warm = float(hand.uniform(0.02, 0.06)), float(hand.uniform(-0.015, 0.03))
    wanted = np.clip(r.lit, 0, 1)
    if hand.random() < 0.12 and "happy" not in r.moods:  # grisaille
        mean = thrice(grey(wanted))
        wanted = (mean * np.array([1.0, 0.95, 0.86], np.float32) + 0.12 * (wanted - mean)).astype(np.float32)
    painted, height, cosine, sine = _painted(r, wanted, hand, rng, broad, lively)
    if smooth:  # glazes over the drawing, blended with a soft brush
        soft = np.float32(hand.uniform(0.35, 0.75))
        painted = painted + soft * (blur(wanted, 0.9) - painted)
        warm += float(hand.uniform(0.0, 0.05))  # the varnish
    bristle = smeared(field(r.shape, 1.4, rng), cosine, sine, 8)
    relief = height * 0.55 * thick + bristle * (0.85 * thick) + (0.28 if smooth else 0.12) * weave(r.shape, 2.1, rng)
    slope = (
        cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) * r.light[0] + cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3) * -0.6
    )
    sheen = thrice(np.asarray(np.clip(slope * np.float32(0.045), -0.16, 0.2), np.float32))
    furrow = thrice(1 + np.float32(0.07 * min(1.0, thick)) * bristle)
    painted = painted * furrow + sheen * (np.float32(0.35) + np.float32(0.65) * painted)
    return tinted(np.asarray(painted, np.float32), [1 + warm, 1, 1 - warm])


def gouache(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Paint the picture in gouache: opaque, matt, in few tones, dry at the brush's end. It is no oil."""
    broad, levels = float(hand.uniform(0.8, 1.5)), float(hand.integers(6, 11))
    wanted = np.clip(0.6 * r.lit + 0.4 * r.colour, 0, 1)
    wanted = 0.6 * np.round(wanted * levels) / np.float32(levels) + 0.4 * wanted
    painted, _, cosine, sine = _painted(r, wanted.astype(np.float32), hand, rng, broad, 0.025)
    dry = smeared(field(r.shape, 1.6, rng), cosine, sine, 4)
    tooth = grain(r.shape, rng, 2.2)
    thin, bordered = bool(hand.random() < 0.5), bool(hand.random() < 0.5)
    paper = np.float32(0.95) * tinted(np.ones((*r.shape, 3), np.float32), [1.0, 0.985, 0.95])
    cover = np.full(r.shape, 0.97, np.float32)
    if thin:  # more water: the paper's hollows and hills show through
        cover = np.clip(0.92 + 0.05 * fractal(r.shape, float(min(r.shape)) / 5, rng) + 0.03 * tooth, 0.6, 0.97)
    if bordered:
        cover = cover * edge_of_wash(r.shape, float(min(r.shape)), rng, rim=0.0)
    sheet = painted * thrice(1 + np.float32(0.035) * dry + np.float32(0.03) * tooth) * np.float32(0.97)
    laid = thrice(np.asarray(cover, np.float32))
    return np.asarray(paper + laid * (sheet - paper), np.float32)


def digital(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Paint the picture on a tablet: a few broad, even strokes behind, airbrushed forms before them, a glow. No oil.

    There is neither relief nor canvas nor paper, and the edges of what is shown are exact.
    """
    broad, soft = float(hand.uniform(2.2, 3.6)), float(hand.uniform(0.55, 0.85))
    rich, bloom = float(hand.uniform(1.25, 1.6)), float(hand.uniform(0.3, 0.8))
    mean = thrice(grey(r.lit))
    wanted = np.asarray(np.clip(mean + np.float32(rich) * (r.lit - mean), 0, 1), np.float32)
    painted = _painted(r, wanted, hand, rng, broad, 0.012)[0]
    mine = thrice(blur((r.subject > 0).astype(np.float32), 0.5))
    painted = painted + np.float32(soft) * mine * (wanted - painted)
    glow = np.clip(blur(painted, float(min(r.shape)) * 0.03) - np.float32(0.4), 0, 1)
    rim = thrice(np.asarray(np.clip((1 - r.tone) * 0.5, 0, 0.25), np.float32)) * mine  # shade is never grey
    painted = painted + rim * (np.array(oklch(0.5, 0.15, hand.uniform(250, 330)), np.float32) - painted)
    return np.asarray(painted + np.float32(bloom) * glow * (1 - painted), np.float32)


def _painted(
    r: Rendering, wanted: Pixels, hand: np.random.Generator, rng: np.random.Generator, broad: float, lively: float
) -> tuple[Pixels, Plane, Plane, Plane]:
    """Return the painted colours, the paint's height, and the strokes' directions as cosine and sine."""
    size = float(min(r.shape))
    cosine, sine = _directions(r, wanted, size, rng)
    ground = np.array([0.62, 0.5, 0.38], np.float32) * (0.75 + 0.25 * hand.random())
    painted = np.broadcast_to(ground.astype(np.float32), wanted.shape).copy()
    height = np.zeros(r.shape, np.float32)
    for width, step in ((0.055, 0.6), (0.028, 0.65), (0.013, 0.8), (0.0065, 1.0)):
        wide = width * broad * size
        _layer(painted, height, blur(wanted, wide * 0.3), (cosine, sine), wide, step, lively, rng)
    return painted, height, cosine, sine


def _directions(r: Rendering, wanted: Pixels, size: float, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Strokes go along edges where there are any, else along the forms' own direction, swaying a little."""
    tones = blur(grey(wanted), 1.5)
    across, down = cv2.Sobel(tones, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(tones, cv2.CV_32F, 0, 1, ksize=3)
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
    way: tuple[Plane, Plane],
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
    dx, dy = way[0][row, column], way[1][row, column]
    reach = np.stack([dx * long / 2, dy * long / 2], axis=1)
    middles = np.stack([x, y], axis=1)
    thick = max(1.0, width * 0.85)
    brushed(painted, height, middles - reach, middles + reach, np.clip(colours, 0, 1).astype(np.float32), lift, thick)
    height[...] = blur(height, 0.8)
