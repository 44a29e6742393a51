"""Drawing in lines: pen and ink, and graphite.

Tone is made of hatching that follows the form: lines a fixed distance apart, bent by the height of the surface, as an
engraver's burin bends them. Ink is black or nothing; graphite catches on the paper's tooth.
"""

import cv2
import numpy as np

from bam_engine.demo.canvas import LineStyle, Rendering
from bam_engine.demo.media.paper import Pixels, grain
from bam_engine.demo.noise import Plane, blur, field, fractal, moved, smeared
from bam_engine.demo.palette import oklch

_LUMA = np.array([0.3, 0.59, 0.11], np.float32)


def ink_line(hand: np.random.Generator, size: float) -> LineStyle:
    """A nib that gives way, or a fineliner."""
    return LineStyle(
        size * hand.uniform(0.0038, 0.0085), size * hand.uniform(0.0008, 0.003), int(hand.choice([1, 1, 2]))
    )


def pencil_line(hand: np.random.Generator, size: float) -> LineStyle:
    """A line that is searched for in two or three passes."""
    return LineStyle(size * hand.uniform(0.004, 0.007), size * hand.uniform(0.002, 0.005), int(hand.choice([2, 3])))


def _darkness(r: Rendering, local: float) -> Plane:
    """How dark each place is to be, 0 … 1: its own colour's share and the shade's."""
    own = 1 - r.colour @ _LUMA
    shade = np.clip(1.0 - r.tone, 0, 1)
    behind = np.where(r.subject > 0, np.float32(1), np.float32(0.5))  # the sheet stays light around what is drawn
    return np.clip(behind * (local * own + 0.95 * shade - 0.06), 0, 1).astype(np.float32)


def _hatch(
    r: Rendering, turn: float, spacing: float, bend: float, rng: np.random.Generator, *, follow: float = 0.5
) -> Plane:
    """Return a wave along the hatching, 0 (middle of a line) … 1 (between two), lines ``spacing`` pixels apart."""
    rows = np.arange(r.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(r.shape[1], dtype=np.float32)[None]
    angle = np.float32(turn) + np.float32(follow) * blur(r.flow, 0.1)
    phase = columns * np.cos(angle) + rows * np.sin(angle)
    phase = phase + np.float32(bend) * r.bulge + np.float32(spacing * 0.22) * field(r.shape, spacing * 7, rng)
    wave = np.abs((phase / np.float32(spacing)) % 1 - np.float32(0.5)) * 2
    return wave.astype(np.float32)


def ink(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture in pen and ink."""
    style = str(hand.choice(["hatch", "hatch", "engraved", "stipple", "wash"]))
    spacing = float(hand.uniform(3.0, 4.6))
    hue = float(hand.choice([60, 60, 250, 40]))
    paper = np.array(oklch(hand.uniform(0.93, 0.985), hand.uniform(0.004, 0.035), 85), np.float32)
    black = np.array(oklch(hand.uniform(0.14, 0.26), hand.uniform(0.0, 0.05), hue), np.float32)
    dark = _darkness(r, hand.uniform(0.45, 0.7))
    dark = np.clip((dark - 0.08) * 1.25, 0, 1)
    tooth = grain(r.shape, rng, 1.5)
    uneven = 0.07 * field(r.shape, 9, rng) + 0.05 * tooth
    if style == "stipple":
        covered = _dots(r.shape, dark, rng)
    else:
        turn, bend = float(hand.uniform(0.5, 1.1)), 0.55 if style != "engraved" else 1.3
        covered = np.zeros(r.shape, np.float32)
        layers = ((0.0, 0.10), (1.25, 0.42), (0.62, 0.66)) if style != "engraved" else ((0.0, 0.03), (1.4, 0.6))
        for lean, start in layers:
            wave = _hatch(r, turn + lean, spacing, bend, rng, follow=0.5 if style != "engraved" else 0.2)
            wide = np.clip((dark - start) / (1 - start), 0, 1) ** 0.8 * 0.72 + uneven * (dark > start)
            covered = np.maximum(covered, _soft(wide - wave, 0.3) * (dark > start + 0.02))
    covered = np.maximum(covered, _soft(dark - 0.9, 0.06))
    covered = np.maximum(covered, np.clip(r.ink * 1.25 + 0.25 * (r.ink > 0.2) * tooth, 0, 1))
    sheet = paper * (1 + 0.014 * tooth + 0.012 * fractal(r.shape, 60, rng))[..., None]
    if style == "wash":
        tint = np.clip(0.25 * r.colour + 0.75 * (0.6 + 0.4 * r.colour), 0, 1)
        pale = blur(np.asarray(tint, np.float32), 2.0)
        sheet = sheet * (1 - 0.8 * (1 - pale)) * (1 + 0.03 * tooth)[..., None]
    cover = np.clip(covered, 0, 1)[..., None]
    return np.asarray(sheet * (1 - cover) + black * cover, np.float32)


def _dots(shape: tuple[int, int], dark: Plane, rng: np.random.Generator) -> Plane:
    """Return dots that stand the closer the darker it is: a jittered grid, each point kept with the tone's chance."""
    pitch = 2.6
    rows, columns = np.meshgrid(np.arange(1, shape[0], pitch), np.arange(1, shape[1], pitch), indexing="ij")
    y, x = (axis.ravel() + rng.uniform(-1.1, 1.1, axis.size) for axis in (rows, columns))
    tone = dark[np.clip(y, 0, shape[0] - 1).astype(int), np.clip(x, 0, shape[1] - 1).astype(int)]
    kept = rng.random(len(y)) < np.clip(tone * 1.15, 0, 1)
    cover = np.zeros((shape[0] * 2, shape[1] * 2), np.uint8)
    for at, size in zip(np.stack([x, y], axis=1)[kept].tolist(), (tone[kept] > 0.55).tolist(), strict=True):
        cv2.circle(cover, (int(at[0] * 2), int(at[1] * 2)), 2 if size else 1, 255, -1)
    return np.asarray(cv2.resize(cover, shape[::-1], interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)


def graphite(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture in pencil; nothing in it has a colour."""
    spacing, rubbed = float(hand.uniform(2.6, 4.4)), float(hand.uniform(0.2, 0.75))
    white = float(hand.uniform(0.9, 0.97))
    depth = float(hand.uniform(0.72, 0.92))
    size = float(min(r.shape))
    across, down = (size * 0.0022 * field(r.shape, size / 20, rng) for _ in range(2))
    dark = moved(_darkness(r, hand.uniform(0.4, 0.62)), across.astype(np.float32), down.astype(np.float32))
    dark = np.clip((dark - 0.07) * 1.12, 0, 1)
    tooth = grain(r.shape, rng, float(hand.uniform(1.3, 2.0)))
    turn = float(hand.uniform(0.4, 1.0))
    strokes = np.zeros(r.shape, np.float32)
    for lean, weight in ((0.0, 1.0), (0.5, 0.6), (1.35, 0.45)):
        wave = _hatch(r, turn + lean, spacing * (1 + 0.3 * lean), 0.5, rng, follow=0.6)
        broken = np.clip(0.8 + 0.5 * field(r.shape, 14, rng), 0, 1.3)
        strokes += np.float32(weight) * np.clip(1.1 - wave * 1.5, 0, 1) * broken
    laid = dark * (rubbed * 0.8 + (1 - rubbed * 0.5) * strokes * 0.85)
    laid = laid + 0.3 * dark * blur(dark, size * 0.02)
    caught = laid * np.clip(0.9 + 0.22 * tooth, 0.2, 1.5)
    pencil = np.clip(r.ink * (0.85 + 0.16 * tooth), 0, 1) * 0.9
    value = white * (1 + 0.012 * tooth) - depth * np.clip(caught, 0, 1.05) * 0.9
    value = value * (1 - pencil) + 0.16 * pencil
    value = _fade_out(r.shape, size, rng, value, white) if hand.random() < 0.5 else value
    return np.repeat(np.clip(value, 0.06, 1)[..., None], 3, axis=2).astype(np.float32)


def _fade_out(shape: tuple[int, int], size: float, rng: np.random.Generator, value: Plane, white: float) -> Plane:
    """The shading of a sketch ends before the sheet does, in strokes."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    inward = np.minimum(np.minimum(rows, shape[0] - 1 - rows), np.minimum(columns, shape[1] - 1 - columns)).astype(
        np.float32
    )
    turn = np.full(shape, 0.8, np.float32)
    streaks = smeared(field(shape, 2.0, rng), np.cos(turn), np.sin(turn), 12)
    share = np.clip((inward + size * 0.07 * streaks - size * 0.03) / (size * 0.05), 0, 1)
    return (white + (value - white) * share).astype(np.float32)


def _soft(plane: Plane, width: float) -> Plane:
    """Return 0 … 1: a step at 0 that takes ``width``."""
    return np.clip(plane / np.float32(width) + np.float32(0.5), 0, 1).astype(np.float32)
