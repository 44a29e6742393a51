"""Comic: heavy outlines, flat colour in two or three steps, dots for the rest; or black, white and a screen.

In:  a scene, the seed of a hand as a generator, a random generator. Out: pixels (h, w, 3), 0 … 1.
"""

import math

import numpy as np

from bam_engine.demo.art.canvas import LineStyle, Rendering
from bam_engine.demo.art.media.page import page
from bam_engine.demo.art.media.paper import Pixels, grain
from bam_engine.demo.art.noise import Plane, dyed, fractal, grey, thrice, tinted, turn_of


def line(hand: np.random.Generator, size: float) -> LineStyle:
    """A brush full of ink."""
    return LineStyle(size * hand.uniform(0.005, 0.012), size * 0.0008)


def render(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture as a comic's panel, in colour or in black and white, framed or not."""
    printed, aged, black_white = bool(hand.random() < 0.5), float(hand.uniform(0, 0.06)), bool(hand.random() < 0.3)
    pitch, rich = float(hand.uniform(4.2, 6.5)), float(hand.uniform(1.2, 1.7))
    flat = _flat(r, rich, pitch if printed else 0.0)
    if not printed and hand.random() < 0.6:  # coloured in washes under the ink
        pool = fractal(r.shape, float(min(r.shape)) / 5, rng)
        flat = flat * thrice(1 + np.float32(0.12) * pool + np.float32(0.05) * grain(r.shape, rng, 2.6)) + np.float32(
            0.02
        )
    if black_white:
        flat = _black_white(flat, r, pitch)
    black = np.maximum(_soft(0.2 - r.tone, 0.05) * 0.9, r.ink)
    black = np.asarray(black, np.float32)
    picture = flat * (1 - thrice(black)) + dyed(black, [0.06, 0.05, 0.08])
    picture = np.ascontiguousarray(picture, np.float32)
    if hand.random() < (0.3 if black_white else 0.5):
        picture = page(picture, r, hand, rng)
    tooth = grain(r.shape, rng, 1.4)
    yellow = [1.0, 1 - aged * 0.6, 1 - aged * 2.4]
    return np.asarray(tinted(picture, yellow) * thrice(1 + np.float32(0.012) * tooth), np.float32)


def _flat(r: Rendering, rich: float, pitch: float) -> Pixels:
    """Flat colours in two steps of light; with a ``pitch``, dots for the half tones."""
    mean = thrice(grey(r.colour))
    flat = np.clip((mean + (r.colour - mean) * np.float32(rich)) * np.float32(1.08), 0, 1)
    shade, bright = _soft(0.66 - r.tone, 0.04), _soft(r.tone - 1.06, 0.03)
    if pitch:
        dots = _dots(r.shape, pitch, 0.26)
        half = _soft((0.9 - r.tone) * 2.2 - dots, 0.18) * (1 - shade)
        sky = _soft(0.42 - dots, 0.15) * (r.subject == 0) * np.float32(0.16)
        flat = flat * thrice(1 - np.float32(0.2) * half) * (1 - thrice(sky) * (1 - flat * np.float32(0.6)))
    flat = flat * (1 - dyed(shade, [0.42, 0.4, 0.28]))
    return np.asarray(flat + thrice(bright * np.float32(0.55)) * (1 - flat), np.float32)


def _black_white(flat: Pixels, r: Rendering, pitch: float) -> Pixels:
    """Black, white and a screen of dots or lines between them."""
    value = np.clip(grey(np.asarray(flat, np.float32)) * np.clip(r.tone, 0.4, 1), 0, 1)
    screen = _dots(r.shape, pitch, 0.26) if pitch > 5.2 else _lines(r.shape, pitch)
    ink = np.maximum(_soft((0.72 - value) * 1.15 - screen, 0.2), _soft(0.2 - value, 0.05))
    return np.repeat((0.97 - 0.9 * ink)[..., None], 3, axis=2).astype(np.float32)


def _lines(shape: tuple[int, int], pitch: float) -> Plane:
    """Return the distance from the nearest of slanting lines, 0 … 1."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray(
        np.abs(turn_of(((columns + 0.8 * rows) / np.float32(pitch)).astype(np.float32)) - np.float32(0.5)) * 2,
        np.float32,
    )


def _dots(shape: tuple[int, int], pitch: float, turn: float) -> Plane:
    """Return the distance from the nearest point of a turned grid, 0 … 1."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] / np.float32(pitch)
    columns = np.arange(shape[1], dtype=np.float32)[None] / np.float32(pitch)
    u, v = columns * math.cos(turn) + rows * math.sin(turn), rows * math.cos(turn) - columns * math.sin(turn)
    u, v = turn_of(u.astype(np.float32)) - np.float32(0.5), turn_of(v.astype(np.float32)) - np.float32(0.5)
    return np.asarray(np.sqrt(u * u + v * v) * np.float32(1.42), np.float32)


def _soft(plane: Plane, width: float) -> Plane:
    return np.asarray(np.clip(plane / np.float32(width) + np.float32(0.5), 0, 1), np.float32)
