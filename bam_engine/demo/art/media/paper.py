"""Paper and canvas: the grounds that the media are laid on.

In:  a size or a picture, and random generators. Out: planes (h, w), or the picture (h, w, 3) as it was scanned.
"""

import numpy as np
import numpy.typing as npt

from bam_engine.demo.art.noise import Plane, blur, field, grey, thrice, tinted

Pixels = npt.NDArray[np.float32]
"""A picture (h, w, 3), 0 … 1."""

DARKEST, FLATTEST = 0.2, 0.085  # the least mean and the least spread of a picture's tones


def grain(shape: tuple[int, int], rng: np.random.Generator, size: float) -> Plane:
    """Return the tooth of a paper: hollows and hills about ``size`` pixels wide, mean 0, spread about 1."""
    return (0.75 * field(shape, size, rng) + 0.5 * field(shape, max(1.0, size / 2.2), rng)).astype(np.float32)


def weave(shape: tuple[int, int], pitch: float, rng: np.random.Generator) -> Plane:
    """Return a linen's threads, over and under, -1 … 1."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] * np.float32(np.pi / pitch)
    columns = np.arange(shape[1], dtype=np.float32)[None] * np.float32(np.pi / pitch)
    uneven = 0.35 * field(shape, pitch * 3, rng)
    return (np.sin(rows + uneven) * np.sin(columns + uneven)).astype(np.float32)


def edge_of_wash(shape: tuple[int, int], size: float, rng: np.random.Generator, rim: float = 0.55) -> Plane:
    """Return how much paint there is: it ends before the paper does, raggedly, with a rim that is darker."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    inward = np.minimum(np.minimum(rows, shape[0] - 1 - rows), np.minimum(columns, shape[1] - 1 - columns)).astype(
        np.float32
    )
    inward += (
        size * 0.014 * field(shape, size / 7, rng) + size * 0.0025 * field(shape, 7, rng) + 0.3 * field(shape, 2, rng)
    )
    distance = inward - size * float(rng.uniform(0.025, 0.06))
    inside = np.clip(distance / 1.3 + 0.5, 0, 1)
    return np.asarray(inside * (1 + rim * np.exp(-np.clip(distance, 0, None) / (size * 0.008))), np.float32)


def scanned(picture: Pixels, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Return the picture as it reached the collection: scanned, photographed or saved again, whatever its medium.

    A cast of the lamp, a little blur or noise, a crop of some pixels, flatter or steeper tones.
    """
    warm, faded = float(hand.normal(0, 0.018)), float(np.clip(hand.normal(0.02, 0.03), 0, 0.1))
    noisy, soft = bool(hand.random() < 0.4), float(hand.choice([0.0, 0.0, 0.55, 0.8]))
    steep = float(rng.normal(1.0, 0.05))
    cut = rng.integers(0, max(2, min(picture.shape[:2]) // 45), 4)
    picture = picture[cut[0] : picture.shape[0] - cut[1], cut[2] : picture.shape[1] - cut[3]]
    picture = blur(picture, soft)
    picture = picture * np.float32(steep) + np.float32(0.5 - 0.5 * steep)
    tint = np.array([1 + warm, 1, 1 - 1.4 * warm]) * (1 - faded)
    picture = tinted(picture, tint, faded * 0.9)
    if noisy:
        picture += thrice(np.float32(hand.uniform(0.008, 0.025)) * field(picture.shape[:2], 1.0, rng))
    return np.ascontiguousarray(picture, np.float32)


def readable(picture: Pixels) -> Pixels:
    """Lift what is too dark and stretch what is too flat, so that there is something to be seen in every picture."""
    small = grey(np.clip(picture[::4, ::4], 0, 1))
    mean = float(small.mean())
    if mean < DARKEST:
        picture = np.clip(picture, 0, 1) ** np.float32(max(np.log(DARKEST) / np.log(max(mean, 0.02)), 0.5))
        small = grey(np.clip(picture[::4, ::4], 0, 1))
        mean = float(small.mean())
        picture = picture * np.float32(max(1.0, DARKEST / mean))
    spread = float(small.std())
    if spread < FLATTEST:
        picture = (picture - np.float32(mean)) * np.float32(min(FLATTEST / max(spread, 0.01), 2.5)) + np.float32(mean)
    return np.asarray(picture, np.float32)
