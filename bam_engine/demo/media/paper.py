"""Paper and canvas: the grounds that the media are laid on."""

import numpy as np
import numpy.typing as npt

from bam_engine.demo.noise import Plane, field

Pixels = npt.NDArray[np.float32]
"""A picture (h, w, 3), 0 … 1."""


def grain(shape: tuple[int, int], rng: np.random.Generator, size: float) -> Plane:
    """Return the tooth of a paper: hollows and hills about ``size`` pixels wide, mean 0, spread about 1."""
    return (0.75 * field(shape, size, rng) + 0.5 * field(shape, max(1.0, size / 2.2), rng)).astype(np.float32)


def weave(shape: tuple[int, int], pitch: float, rng: np.random.Generator) -> Plane:
    """Return a linen's threads, over and under, -1 … 1."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] * np.float32(np.pi / pitch)
    columns = np.arange(shape[1], dtype=np.float32)[None] * np.float32(np.pi / pitch)
    uneven = 0.35 * field(shape, pitch * 3, rng)
    return (np.sin(rows + uneven) * np.sin(columns + uneven)).astype(np.float32)
