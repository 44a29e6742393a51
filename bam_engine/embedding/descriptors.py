"""Classical image descriptors: six blocks of features in one vector.

In:  8-bit RGB pixels. Out: float32 (DIM,), L2-normalised, never zero. Nothing is learned except the six block weights,
which were chosen by 10-NN accuracy (``benchmarks/encoder_quality.py``). OpenCV and compiled kernels do the work and
release the GIL.

The blocks are: a centre-weighted histogram of CIELAB colours; local binary patterns (Ojala et al. 2002) at two radii
for grain and line; a histogram of foreground gradient magnitudes, which separates smooth shading from flat areas;
histograms of oriented gradients on a grid (Dalal and Triggs 2005) for shape; and the standard deviation of colour on
that grid. Histograms are raised to a power below one (Hellinger; Arandjelović and Zisserman 2012), so that no bin
dominates.
"""

from types import ModuleType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 192
DIM = 571

Floats = npt.NDArray[np.float32]

_LIGHTNESSES, _CHROMAS = 5, 7
_CELLS, _DIRECTIONS = 4, 8
_STRENGTHS = 16
_EDGE = 6  # pixels along the border whose median colour is the background
_WEIGHTS = {"colour": 0.65, "fine": 0.21, "coarse": 1.05, "strength": 0.5, "spread": 0.7, "shape": 0.75}


def describe(rgb: npt.NDArray[np.uint8]) -> Floats:
    """Describe an image.

    Parameters
    ----------
    rgb
        uint8 (height, width, 3) of any size; it is resized to ``SIDE`` × ``SIDE`` without keeping the aspect ratio.

    Returns
    -------
    ndarray
        float32 (DIM,), L2-normalised.
    """
    shrinks = min(rgb.shape[:2]) >= SIDE
    square = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    lab = _floats(cv2.cvtColor(square.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))
    lightness = np.ascontiguousarray(lab[..., 0])
    grey = np.clip(lightness * 2.55, 0, 255).astype(np.uint8)
    blocks: dict[str, npt.NDArray[Any]] = {
        "colour": _colours(lab[::2, ::2]) ** 0.3,
        "fine": _patterns(grey, 1) ** 0.5,
        "coarse": _patterns(grey, 3) ** 0.5,
        "strength": _strengths(lightness, _foreground(lab)) ** 0.5,
        "spread": _spread(lab),
        "shape": _shape(_half(_half(lightness))) ** 0.5,
    }
    whole = np.concatenate([_WEIGHTS[name] * _unit(block) for name, block in blocks.items()])
    return _unit(whole).astype(np.float32)


def _kernels() -> ModuleType:
    """Return the compiled inner loops, which are imported when the first image is described."""
    from bam_engine.embedding import descriptor_kernels

    return descriptor_kernels


def _floats(plane: Any) -> Floats:
    return np.asarray(plane, np.float32)


def _half(plane: Floats) -> Floats:
    return _floats(cv2.pyrDown(plane))


def _unit(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
    norm = float(np.linalg.norm(block))
    return block / norm if norm > 1e-9 else block


def _places(values: Floats, low: float, high: float, count: int) -> Floats:
    """Return where each value lies among bins 0 to ``count`` - 1, just below the last at most."""
    return _floats(np.clip((values - low) * ((count - 1) / (high - low)), 0, count - 1 - 1e-4))


def _colours(lab: Floats) -> npt.NDArray[np.float64]:
    """Return the joint histogram of L, a and b, weighted towards the centre and interpolated between bins.

    The bins of a and b are narrow near grey, where most colours are: the scale is the square root.
    """
    side = lab.shape[0]
    offset = np.arange(side) - (side - 1) / 2
    fall = np.exp(-(offset**2) / (2 * (side / 4) ** 2))
    weight = np.outer(fall, fall).astype(np.float32).ravel()
    roots = np.sign(lab[..., 1:]) * np.sqrt(np.abs(lab[..., 1:]))
    places = np.empty((3, weight.size), np.float32)
    places[0] = _places(lab[..., 0].ravel(), 0, 100, _LIGHTNESSES)
    places[1] = _places(roots[..., 0].ravel(), -9, 9, _CHROMAS)
    places[2] = _places(roots[..., 1].ravel(), -9, 9, _CHROMAS)
    histogram = np.zeros((_LIGHTNESSES, _CHROMAS, _CHROMAS))
    _kernels().colour_counts(places, weight, histogram)
    return np.asarray(histogram.ravel() / histogram.sum())


def _uniform_patterns() -> npt.NDArray[np.intp]:
    """Map the 256 codes of eight neighbours to 59 bins: one per code with at most two transitions, one for the rest."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, uniform.sum())


_UNIFORM = _uniform_patterns()


def _patterns(grey: npt.NDArray[np.uint8], radius: int) -> npt.NDArray[np.float64]:
    """Return the histogram of local binary patterns: which of eight neighbours are lighter than the pixel."""
    near = max(1, round(radius * 0.7071))
    high, wide = grey.shape[0] - 2 * radius, grey.shape[1] - 2 * radius
    ring = [(0, radius), (near, near), (radius, 0), (near, -near)]
    ring += [(-down, -across) for down, across in ring]
    centre = np.ascontiguousarray(grey[radius : radius + high, radius : radius + wide])
    codes = np.zeros(centre.shape, np.uint8)
    for bit, (down, across) in enumerate(ring):
        top, left = radius + down, radius + across
        lighter = cv2.compare(np.ascontiguousarray(grey[top : top + high, left : left + wide]), centre, cv2.CMP_GT)
        codes |= np.asarray(lighter, np.uint8) & np.uint8(1 << bit)
    counts = np.bincount(codes.ravel(), minlength=256)
    return np.bincount(_UNIFORM, counts) / codes.size


def _foreground(lab: Floats) -> Floats:
    """Return how far each pixel's colour is from that of the border, 0 to 1."""
    edges = (lab[:_EDGE], lab[-_EDGE:], lab[:, :_EDGE], lab[:, -_EDGE:])
    background = np.median(np.concatenate([edge.reshape(-1, 3) for edge in edges]), axis=0).astype(np.float32)
    first, second, third = (np.square(plane - level) for plane, level in zip(cv2.split(lab), background, strict=True))
    return _floats(np.minimum(np.sqrt(first + second + third) / 30, 1))


def _gradient(lightness: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the gradient across, down, and its magnitude (``cv2.magnitude`` is not deterministic to the last bit)."""
    across = _floats(cv2.Sobel(lightness, cv2.CV_32F, 1, 0, ksize=3, scale=0.25))
    down = _floats(cv2.Sobel(lightness, cv2.CV_32F, 0, 1, ksize=3, scale=0.25))
    return across, down, np.sqrt(across * across + down * down)


def _strengths(lightness: Floats, weight: Floats) -> npt.NDArray[np.float64]:
    """Return histograms of the log gradient magnitude at two scales, weighted by foreground."""
    histograms = []
    for _ in range(2):
        places = _places(np.log2(_gradient(lightness)[2] + np.float32(0.05)).ravel(), -4.3, 5.5, _STRENGTHS)
        flat, counts = weight.ravel(), np.zeros(_STRENGTHS)
        _kernels().interpolated_counts(places, flat, counts)
        histograms.append(counts / max(float(flat.sum()), flat.size / 100))
        lightness, weight = _half(lightness), _half(weight)
    return np.concatenate(histograms)


def _grid(plane: Floats) -> Floats:
    """Return the mean of each grid cell."""
    return np.asarray(cv2.resize(plane, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA), np.float32)


def _spread(lab: Floats) -> Floats:
    """Return the standard deviation of L, a and b in each cell."""
    variance = _grid(lab * lab) - _grid(lab) ** 2
    return _floats(np.sqrt(np.maximum(variance, 0)) / np.array([50, 30, 30], np.float32)).ravel()


def _shape(lightness: Floats) -> Floats:
    """Return the histogram of unsigned gradient orientations in each cell."""
    across, down, strength = _gradient(lightness)
    strength = np.sqrt(strength)
    places = np.arctan2(down, across) % np.pi * (_DIRECTIONS / np.pi)
    planes = np.zeros((*lightness.shape, _DIRECTIONS), np.float32)
    _kernels().direction_planes(places, strength, planes)
    return np.maximum(_grid(planes), 0).ravel()
