"""Watercolour: transparent pigment on rough paper.

Pigment is a density that light passes twice; it gathers where a wash dries at its edge, settles in the paper's hollows,
runs where the paper is wet, and stops short of the sheet's border.

In:  a scene, the seed of a hand as a generator, a random generator. Out: pixels (h, w, 3), 0 … 1.
"""

import cv2
import numpy as np

from bam_engine.demo.art.canvas import LineStyle, Rendering
from bam_engine.demo.art.media.paper import Pixels, edge_of_wash, grain
from bam_engine.demo.art.noise import Plane, blur, dyed, field, fractal, grey, moved, thrice, tinted, unit
from bam_engine.demo.art.palette import oklch


def line(hand: np.random.Generator, size: float) -> LineStyle | None:
    """Half draw in pencil or ink first."""
    kind = hand.random()
    if kind < 0.5:
        return None
    return LineStyle(size * 0.0032, size * 0.002) if kind < 0.72 else LineStyle(size * 0.0055, size * 0.0015)


def render(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Paint the picture in watercolour."""
    ink_dark = hand.uniform(0.45, 0.95)
    rough, wet, edges = hand.uniform(0.4, 1.2), hand.uniform(0.4, 1.3), hand.uniform(0.7, 1.5)
    border, one_pigment, dense = hand.random() < 0.42, hand.random() < 0.12, hand.random() < 0.4
    paper = np.array(oklch(0.965, 0.012, hand.uniform(70, 100)), np.float32)
    tooth = grain(r.shape, rng, 3.0)
    wash, strong = float(hand.uniform(0.6, 0.85)), float(hand.uniform(0.15, 0.6))
    if dense:  # on smooth, hot-pressed paper, in even washes of much pigment, almost to the edge
        rough, wet, edges, border, wash = 0.4 * rough, 0.6 * wet, 0.45 * edges, bool(hand.random() < 0.35), 0.95
        tooth *= np.float32(0.4)
    density = _glazes(r, hand, wash, strong)
    if one_pigment:  # sepia, indigo or Payne's grey
        pigment = -np.log(np.array(oklch(0.42, 0.05, hand.choice([60, 70, 265, 250])), np.float32))
        density = thrice(grey(density)) * (pigment / pigment.mean())
    density = _dried(density.astype(np.float32), r, rng, (rough, wet, edges), tooth)
    if border:
        density *= thrice(edge_of_wash(r.shape, float(min(r.shape)), rng))
    picture = tinted(np.asarray(cv2.exp(-np.minimum(density, np.float32(2.6))), np.float32), paper)
    picture *= thrice(1 + np.float32(0.016) * tooth)
    picture = _spatter(picture, r, rng, hand)
    stroke = np.asarray(r.ink * np.float32(ink_dark) * np.clip(0.85 + 0.2 * tooth, 0, 1), np.float32)
    return np.asarray(picture * (1 - thrice(stroke)) + dyed(stroke, [0.2, 0.18, 0.2]), np.float32)


def _glazes(r: Rendering, hand: np.random.Generator, wash: float, strong: float) -> Pixels:
    """Return the pigment's density in two glazes: the plain colour, and the shadow in steps, laid on in layers."""
    shadow = np.clip(1.02 - r.tone, 0, 1)
    steps = 0.5 * shadow + 0.5 * np.floor(shadow * 3.2 + 0.5) / 3.2
    tinted = r.colour * (1 - dyed(np.asarray(steps, np.float32), [0.62, 0.56, 0.42]))
    density = np.asarray(cv2.log(np.clip(tinted, 0.03, 0.985)), np.float32) * np.float32(-wash)
    density += np.float32(strong) * (density - thrice(grey(density)))  # clean pigments, little grey
    return density.astype(np.float32)


def _dried(
    density: Pixels, r: Rendering, rng: np.random.Generator, water: tuple[float, float, float], tooth: Plane
) -> Pixels:
    """Let the washes run and dry; ``water`` is how rough the hand, how wet the paper, how strong the edges."""
    rough, wet, edges = water
    shape, size = r.shape, float(min(r.shape))
    # The hand is not exact, and water carries the edge away.
    drift = np.float32(size * 0.006 * rough)
    across, down = (
        drift * (field(shape, size / 14, rng) + np.float32(0.35) * field(shape, 3.0, rng)) for _ in range(2)
    )
    density = moved(density, across, down)
    soaked = thrice(
        np.asarray(np.clip(unit(fractal(shape, size / 3, rng)) * 1.9 - 0.95 + 0.35 * wet, 0, 1), np.float32)
    )
    around, wide = blur(density, size * 0.011), blur(density, size * 0.017)
    density = density + (wide - density) * (soaked * np.float32(0.75))
    # Where a wash dries, pigment gathers at its rim; it goes grainy and blooms.
    rim = np.clip(density - around, 0, 0.5) * (1 - soaked * np.float32(0.8))
    fine = blur(density, size * 0.0042)
    density += np.float32(1.5 * edges) * rim + np.float32(0.9 * edges) * np.clip(density - fine, 0, 0.4)
    pool = fractal(shape, size / 5, rng)
    uneven = 1 + 0.15 * wet * pool + 0.085 * rough * tooth * np.clip(1.3 - grey(fine), 0.35, 1)
    uneven *= 1 - 0.3 * _blooms(shape, rng, wet)
    return np.asarray(density * thrice(np.asarray(uneven, np.float32)), np.float32)


def _blooms(shape: tuple[int, int], rng: np.random.Generator, wet: float) -> Plane:
    """Return back-runs: here and there water crept into a drying wash and left a pale place with a soft, uneven rim."""
    out = np.zeros(shape, np.float32)
    for _ in range(int(rng.poisson(0.5 * wet))):
        y, x, radius = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), rng.uniform(0.09, 0.2) * min(shape)
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        near = np.hypot(rows - y, columns - x).astype(np.float32) / np.float32(radius)
        near += 0.22 * fractal(shape, radius * 0.7, rng)
        out += 0.7 * np.clip(1.1 - near, 0, 0.6) - 0.35 * np.exp(-(((near - 1.05) / 0.1) ** 2))
    return np.clip(out, -0.6, 0.6).astype(np.float32)


def _spatter(picture: Pixels, r: Rendering, rng: np.random.Generator, hand: np.random.Generator) -> Pixels:
    if hand.random() < 0.5:
        return picture
    drops = np.zeros(r.shape, np.uint8)
    for _ in range(int(rng.integers(4, 22))):
        at = (int(rng.uniform(0, r.shape[1] * 16)), int(rng.uniform(0, r.shape[0] * 16)))
        cv2.circle(drops, at, int(rng.gamma(1.5, 0.9) * 16 + 6), 200, -1, cv2.LINE_AA, 4)
    cover = drops.astype(np.float32)[..., None] / 255 * 0.55
    colour = np.array(r.palette.accent(rng), np.float32)
    return np.asarray(picture * (1 - cover * (1 - colour)), np.float32)
