"""What is none of the seven media: cut paper, pastel, and pixels.

In:  a scene, the seed of a hand as a generator, a random generator. Out: pixels (h, w, 3), 0 … 1.
"""

import cv2
import numpy as np

from bam_engine.demo.art.canvas import Rendering
from bam_engine.demo.art.media.paper import Pixels, edge_of_wash, grain
from bam_engine.demo.art.noise import Plane, blur, field, fractal, moved, smeared, thrice
from bam_engine.demo.art.palette import oklch


def cut_paper(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Paste the picture from coloured paper: every sheet has its fibres and throws a shadow."""
    fibres = float(hand.uniform(0.5, 1.2))
    shape, size = r.shape, float(min(r.shape))
    across, down = (np.float32(size * 0.003) * field(shape, size / 30, rng) for _ in range(2))
    colour = moved(r.colour, across, down)
    numbers = (r.part.astype(np.int64) * 2654435761 % 1000).astype(np.float32) / np.float32(1000)
    turn = moved(numbers, across, down) * np.float32(3.14)
    fibre = smeared(field(shape, 1.2, rng), np.cos(turn), np.sin(turn), 8)
    tooth = grain(shape, rng, 1.8)
    level = np.asarray(cv2.medianBlur(r.part.astype(np.float32), 5), np.float32)
    lit = np.clip(blur(level, 2.2) - level, 0, None)
    shadow = np.clip((_shifted(blur(level, 2.6), 2 if r.light[0] < 0 else -2, 3) - level) / 3, 0, 1) * 0.38
    shadow += np.clip(lit, 0, 1) * 0.1
    edge = np.clip(level - _shifted(level, 1, 1), 0, 1) * 0.1
    picture = colour * thrice(1 + np.float32(0.07 * fibres) * fibre + np.float32(0.025) * tooth)
    picture = picture * (1 - shadow[..., None]) + edge[..., None]
    return np.asarray(picture * 1.02, np.float32)


def _shifted(plane: Plane, across: int, down: int) -> Plane:
    """Return the plane moved to the right and down; what comes in is as its edge."""
    move = np.array([[1, 0, across], [0, 1, down]], np.float32)
    size = (plane.shape[1], plane.shape[0])
    return np.asarray(cv2.warpAffine(plane, move, size, borderMode=cv2.BORDER_REPLICATE), np.float32)


def pastel(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture in chalks on tinted paper: strokes that break on the tooth and are rubbed in places."""
    shape, size = r.shape, float(min(r.shape))
    ground = np.array(oklch(hand.uniform(0.3, 0.62), 0.03, hand.uniform(0, 360)), np.float32)
    rubbed = float(hand.uniform(0.2, 0.6))
    across, down = (size * 0.0028 * field(shape, 6, rng) for _ in range(2))
    wanted = moved(np.clip(r.lit, 0, 1), across.astype(np.float32), down.astype(np.float32))
    wanted = blur(wanted, 0.9)
    turn = (r.flow + 0.7 + 0.3 * field(shape, size / 6, rng)).astype(np.float32)
    strokes = smeared(field(shape, 1.8, rng), np.cos(turn), np.sin(turn), 12) * 1.6
    tooth = grain(shape, rng, 1.7)
    wide = fractal(shape, size / 6, rng)
    cover = np.clip(0.8 + rubbed * 0.25 + 0.12 * wide + 0.2 * strokes + 0.2 * tooth, 0.12, 1)[..., None]
    chalk = np.clip(wanted * 1.12 + 0.035 + 0.05 * strokes[..., None], 0, 1)
    if hand.random() < 0.4:  # on light paper, which the chalk does not cover to its edge
        ground = np.array(oklch(hand.uniform(0.84, 0.95), 0.02, hand.uniform(40, 110)), np.float32)
        cover = cover * edge_of_wash(shape, size, rng, rim=0.0)[..., None]
    return np.asarray(ground * (1 - cover) + chalk * cover, np.float32)


def pixels(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Set the picture in large square pixels of a few colours, with ordered dither."""
    across = int(hand.integers(72, 112))
    levels = float(hand.integers(5, 8))
    high, wide = r.shape
    pitch = max(2, round(max(high, wide) / across))
    small = cv2.resize(np.clip(r.lit * 1.08, 0, 1), (wide // pitch, high // pitch), interpolation=cv2.INTER_AREA)
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47
    pattern = np.tile(bayer, (small.shape[0] // 4 + 1, small.shape[1] // 4 + 1))[: small.shape[0], : small.shape[1]]
    stepped = np.round(np.clip(small + pattern[..., None] / levels * 0.8, 0, 1) * levels) / levels
    return np.asarray(cv2.resize(stepped, (wide, high), interpolation=cv2.INTER_NEAREST), np.float32)
