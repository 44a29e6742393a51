"""Drawing in lines: pen and ink, graphite; charcoal and coloured pencil, which are neither.

Tone is made of hatching that follows the form: lines a fixed distance apart, bent by the height of the surface, as an
engraver's burin bends them. Ink is black or nothing; graphite catches on the paper's tooth.

In:  a scene, the seed of a hand as a generator, a random generator. Out: pixels (h, w, 3), 0 … 1.
"""

import cv2
import numpy as np
import numpy.typing as npt

from bam_engine.demo.art.canvas import LineStyle, Rendering
from bam_engine.demo.art.media.paper import Pixels, edge_of_wash, grain
from bam_engine.demo.art.noise import Plane, blur, dyed, field, fractal, grey, moved, smeared, thrice, turn_of
from bam_engine.demo.art.palette import oklch

_LUMA = np.array([0.3, 0.59, 0.11], np.float32)


def ink_line(hand: np.random.Generator, size: float) -> LineStyle:
    """A nib that gives way, or a fineliner."""
    return LineStyle(
        size * hand.uniform(0.0038, 0.0085), size * hand.uniform(0.0008, 0.003), int(hand.choice([1, 1, 2]))
    )


def pencil_line(hand: np.random.Generator, size: float) -> LineStyle:
    """A line that is searched for in two or three passes."""
    return LineStyle(size * hand.uniform(0.004, 0.007), size * hand.uniform(0.002, 0.005), int(hand.choice([2, 3])))


_BEHIND = {"scary": 0.95, "gloomy": 0.85, "peaceful": 0.45, "happy": 0.32}  # how dark the sheet is around what is drawn
_WEIGHT = {"scary": 1.25, "gloomy": 1.15, "peaceful": 0.85, "happy": 0.85}


def _darkness(r: Rendering, local: float) -> Plane:
    """How dark each place is to be, 0 … 1: its own colour's share and the shade's, heavier in a dark mood."""
    behind = max((_BEHIND[mood] for mood in r.moods), default=0.5)
    weight = np.float32(max((_WEIGHT[mood] for mood in r.moods), default=1.0))
    own = 1 - np.asarray(cv2.transform(r.colour, _LUMA[None]), np.float32)
    shade = np.clip(1.0 - r.tone, 0, 1)
    cover = np.array([behind, *[weight] * len(r.subjects)], np.float32)[r.subject]
    dark = cover * (np.float32(local) * own + np.float32(0.95) * shade - np.float32(0.06))
    return np.asarray(np.clip(dark, 0, 0.93), np.float32)


def _hatch(
    r: Rendering, turn: float, spacing: float, bend: float, rng: np.random.Generator, *, follow: float = 0.5
) -> Plane:
    """Return a wave along the hatching, 0 (middle of a line) … 1 (between two), lines ``spacing`` pixels apart."""
    rows = np.arange(r.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(r.shape[1], dtype=np.float32)[None]
    angle = np.float32(turn) + np.float32(follow) * r.flow
    phase = columns * np.cos(angle) + rows * np.sin(angle)
    phase = phase + np.float32(bend) * r.bulge + np.float32(spacing * 0.22) * field(r.shape, spacing * 7, rng)
    wave = np.abs(turn_of(phase * np.float32(1 / spacing)) - np.float32(0.5)) * 2
    return np.asarray(wave, np.float32)


def ink(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture in pen and ink."""
    style = str(hand.choice(["hatch", "hatch", "engraved", "stipple", "wash", "wash"]))
    spacing = float(hand.uniform(3.0, 4.6))
    paper, black = _sheet_and_ink(hand)
    dark = np.clip((_darkness(r, hand.uniform(0.45, 0.7)) - 0.08) * 1.25, 0, 1)
    tooth = grain(r.shape, rng, 1.5)
    uneven = 0.03 * field(r.shape, 9, rng) + 0.04 * tooth
    if style == "stipple":
        covered = _dots(r.shape, dark, rng)
    else:
        covered = _hatching(r, dark, uneven, spacing, float(hand.uniform(0.5, 1.1)), rng, engraved=style == "engraved")
    covered = np.maximum(covered, _soft(dark - 0.9, 0.06))
    covered = np.maximum(covered, np.clip(r.ink * 1.25 + 0.25 * (r.ink > 0.2) * tooth, 0, 1))
    sheet = dyed(1 + np.float32(0.014) * tooth + np.float32(0.012) * fractal(r.shape, 60, rng), paper)
    if style == "wash":
        strength = float(hand.uniform(0.5, 1.0))
        pale = blur(np.asarray(np.clip(1 - strength * (1 - r.lit), 0, 1), np.float32), 2.0)
        wash = pale * thrice(
            1 + np.float32(0.05) * tooth + np.float32(0.1) * fractal(r.shape, float(min(r.shape)) / 5, rng)
        )
        if hand.random() < 0.5:  # the wash ends before the sheet does
            wash = 1 + thrice(edge_of_wash(r.shape, float(min(r.shape)), rng, rim=0.3)) * (wash - 1)
        sheet = sheet * wash
    cover = np.asarray(np.clip(covered, 0, 1), np.float32)
    return np.asarray(sheet * (1 - thrice(cover)) + dyed(cover, black), np.float32)


def _sheet_and_ink(hand: np.random.Generator) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Choose paper and ink: mostly black on white, now and then toned paper, or sepia, blue, red or green ink."""
    toned, coloured = hand.random() < 0.3, hand.random() < 0.35
    paper = oklch(hand.uniform(0.78, 0.9) if toned else hand.uniform(0.93, 0.985), hand.uniform(0.005, 0.05), 80)
    hue = float(hand.choice([45, 260, 25, 160] if coloured else [60, 60, 250, 40]))
    light, chroma = (0.36, 0.1) if coloured else (hand.uniform(0.14, 0.26), hand.uniform(0.0, 0.05))
    return np.array(paper, np.float32), np.array(oklch(light, chroma, hue), np.float32)


def _hatching(
    r: Rendering, dark: Plane, uneven: Plane, spacing: float, turn: float, rng: np.random.Generator, *, engraved: bool
) -> Plane:
    """Return layers of lines, each where it is dark enough for it; a line runs out thin where its layer begins."""
    covered = np.zeros(r.shape, np.float32)
    ragged = dark + np.float32(0.6) * uneven
    for lean, start in ((0.0, 0.03), (1.4, 0.6)) if engraved else ((0.0, 0.10), (1.25, 0.42), (0.62, 0.66)):
        wave = _hatch(r, turn + lean, spacing, 1.3 if engraved else 0.55, rng, follow=0.2 if engraved else 0.5)
        begun = np.clip((ragged - start) / 0.22, 0, 1)
        wide = np.clip((dark - start) / (1 - start), 0, 1) ** 0.8 * 0.72 + uneven * begun
        covered = np.maximum(covered, _soft(wide - wave - 0.17 * (1 - begun), 0.3) * np.minimum(1, begun * 2.5))
    return covered


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
    """Draw the picture in pencil; on toned paper with white heightening at times, or with a coloured lead."""
    spacing, toned, coloured = float(hand.uniform(2.6, 4.4)), hand.random() < 0.3, hand.random() < 0.25
    cover, tooth = _laid(r, hand, rng, spacing, float(hand.uniform(1.3, 2.0)), float(hand.uniform(0.72, 0.92)))
    cover, sheet = thrice(cover[..., 0]), _sheet(r, hand, rng, tooth, toned=toned)
    if toned and hand.random() < 0.6:
        chalk = _soft(r.tone - 1.0, 0.12) * (r.subject > 0) * np.clip(0.6 + 0.3 * tooth, 0, 0.9)
        sheet = sheet + (0.97 - sheet) * chalk[..., None]
    lead = oklch(0.34, 0.1 if coloured else hand.uniform(0, 0.03), float(hand.choice([35, 25, 260])))
    return np.asarray(sheet * (1 - cover) + cover * np.array(lead, np.float32) * np.float32(0.45), np.float32)


def charcoal(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture in charcoal: broad, black, rubbed with the hand. It is no graphite."""
    cover, tooth = _laid(r, hand, rng, float(hand.uniform(4.5, 7.5)), float(hand.uniform(2.0, 3.2)), 1.0)
    rubbed = blur(cover[..., 0], float(min(r.shape)) * float(hand.uniform(0.006, 0.014)))[..., None]
    cover = np.clip(0.55 * cover + 0.6 * rubbed, 0, 1)
    sheet = _sheet(r, hand, rng, tooth, toned=bool(hand.random() < 0.5))
    return np.asarray(sheet * (1 - cover) + cover * np.float32(0.09), np.float32)


def coloured_pencil(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture with coloured pencils; more or less of them, so that some look like graphite."""
    rich = float(hand.uniform(0.35, 1.1))
    cover, tooth = _laid(r, hand, rng, float(hand.uniform(2.6, 4.4)), float(hand.uniform(1.3, 2.0)), 0.95)
    mean = thrice(grey(r.colour))
    lead = np.clip((mean + np.float32(rich) * (r.colour - mean)) * np.float32(0.62), 0, 1)
    least = np.minimum(np.minimum(r.colour[..., 0], r.colour[..., 1]), r.colour[..., 2])[..., None]
    share = np.clip(cover * np.float32(0.9) + np.float32(0.3) * np.clip(1 - least, 0, 1), 0, 0.95)
    sheet = _sheet(r, hand, rng, tooth, toned=False)
    return np.asarray(sheet * (1 - share) + share * lead, np.float32)


def _sheet(r: Rendering, hand: np.random.Generator, rng: np.random.Generator, tooth: Plane, *, toned: bool) -> Pixels:
    light = hand.uniform(0.74, 0.85) if toned else hand.uniform(0.9, 0.97)
    paper = np.array(oklch(light, hand.uniform(0.0, 0.045), 75), np.float32)
    return np.asarray(paper * thrice(1 + np.float32(0.012) * tooth + np.float32(0.01) * fractal(r.shape, 70, rng)))


def _laid(
    r: Rendering, hand: np.random.Generator, rng: np.random.Generator, spacing: float, rough: float, depth: float
) -> tuple[Pixels, Plane]:
    """Return how much of the paper the lead covers, (h, w, 1), and the paper's tooth (h, w)."""
    rubbed, size = float(hand.uniform(0.2, 0.75)), float(min(r.shape))
    across, down = (np.float32(size * 0.0022) * field(r.shape, size / 20, rng) for _ in range(2))
    dark = moved(_darkness(r, float(hand.uniform(0.42, 0.62))), across, down)
    dark = np.clip((dark - 0.07) * 1.12, 0, 1)
    tooth = grain(r.shape, rng, rough)
    strokes = _strokes(r, spacing, float(hand.uniform(0.4, 1.0)), rng)
    laid = dark * (rubbed * 0.8 + (1 - rubbed * 0.5) * strokes * 0.85)
    laid = laid + 0.3 * dark * blur(dark, size * 0.02)
    caught = depth * 0.9 * np.clip(laid * np.clip(0.9 + 0.22 * tooth, 0.2, 1.5), 0, 1.05)
    pencil = np.clip(r.ink * (0.85 + 0.16 * tooth), 0, 1) * 0.9
    cover = caught + (0.92 - caught) * pencil
    cover = _fade_out(r.shape, size, rng, cover, 0.0) if hand.random() < 0.4 else cover
    return np.asarray(np.clip(cover, 0, 1)[..., None], np.float32), tooth


def _strokes(r: Rendering, spacing: float, turn: float, rng: np.random.Generator) -> Plane:
    """Return the pencil's strokes in three directions, broken off here and there: about 0 … 1.5."""
    strokes = np.zeros(r.shape, np.float32)
    for lean, weight in ((0.0, 1.0), (0.5, 0.6), (1.35, 0.45)):
        wave = _hatch(r, turn + lean, spacing * (1 + 0.3 * lean), 0.5, rng, follow=0.6)
        broken = np.clip(0.8 + 0.5 * field(r.shape, 14, rng), 0, 1.3)
        strokes += np.float32(weight) * np.clip(1.1 - wave * 1.5, 0, 1) * broken
    return strokes


def _fade_out(shape: tuple[int, int], size: float, rng: np.random.Generator, value: Plane, white: float) -> Plane:
    """The shading of a sketch ends before the sheet does, in strokes."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    inward = np.minimum(np.minimum(rows, shape[0] - 1 - rows), np.minimum(columns, shape[1] - 1 - columns)).astype(
        np.float32
    )
    turn = np.full(shape, 0.8, np.float32)
    streaks = smeared(field(shape, 2.0, rng), np.cos(turn), np.sin(turn), 12)
    share = np.clip((inward + size * 0.07 * streaks - size * 0.03) / (size * 0.05), 0, 1)
    return np.asarray(white + (value - white) * share, np.float32)


def _soft(plane: Plane, width: float) -> Plane:
    """Return 0 … 1: a step at 0 that takes ``width``."""
    return np.asarray(np.clip(plane / np.float32(width) + np.float32(0.5), 0, 1), np.float32)
