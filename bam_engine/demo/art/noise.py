"""Noise: smooth random fields, paper, and the smearing of a texture along a field of directions.

In:  a size and a random generator. Out: float32 planes. Knows nothing of pictures.
"""

import functools
import math

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]


_TILE = 704  # a stored field's side in pixels: larger than any picture, so that there are many places to cut from it
_FINE = 24.0  # fields with features up to this are cut from stored ones


def field(shape: tuple[int, int], size: float, rng: np.random.Generator) -> Plane:
    """Return a smooth random field of mean 0 and spread 1 whose features are about ``size`` pixels wide.

    Fine ones are cut from a stored field at a random place, turned or mirrored: a picture holds too many of their
    features for anyone to see that.
    """
    if size > _FINE or max(shape) > _TILE:
        return _new_field(shape, size, rng)
    tile = _stored(round(4 * math.log2(max(size, 1.0))))
    way, down, across = (int(rng.integers(end)) for end in (8, _TILE - shape[0] + 1, _TILE - shape[1] + 1))
    tile = tile.T if way & 4 else tile
    tile = tile[:: -1 if way & 1 else 1, :: -1 if way & 2 else 1]
    return np.ascontiguousarray(tile[down : down + shape[0], across : across + shape[1]])


@functools.lru_cache(maxsize=64)
def _stored(octave: int) -> Plane:
    """Return the stored field of a size, given in quarters of an octave. It must not be changed."""
    return _new_field((_TILE, _TILE), 2 ** (octave / 4), np.random.default_rng([20, octave]))


def _new_field(shape: tuple[int, int], size: float, rng: np.random.Generator) -> Plane:
    if size > _FINE:  # a quarter as large and stretched: it looks the same
        quarter = (shape[0] // 4 + 1, shape[1] // 4 + 1)
        small = _new_field(quarter, size / 4, rng)
        return np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    high, wide = (max(3, round(side / size) + 3) for side in shape)
    plane: Plane = rng.standard_normal((high, wide), dtype=np.float32) * np.float32(1.25)
    if size > 1.01:
        way = cv2.INTER_CUBIC if size > 4 else cv2.INTER_LINEAR
        plane = np.asarray(cv2.resize(plane, None, fx=size, fy=size, interpolation=way), np.float32)
    if plane.shape[0] < shape[0] or plane.shape[1] < shape[1]:
        larger = (max(shape[1], plane.shape[1]), max(shape[0], plane.shape[0]))
        plane = np.asarray(cv2.resize(plane, larger), np.float32)
    down, across = (plane.shape[0] - shape[0]) // 2, (plane.shape[1] - shape[1]) // 2
    return np.ascontiguousarray(plane[down : down + shape[0], across : across + shape[1]])


def fractal(shape: tuple[int, int], size: float, rng: np.random.Generator, *, octaves: int = 3) -> Plane:
    """Return a sum of fields, each half as wide and half as strong as the one before: clouds, paper, stone."""
    total, weight = field(shape, size, rng), 1.0
    for _ in range(octaves - 1):
        size, weight = max(1.0, size / 2), weight / 2
        total += np.float32(weight) * field(shape, size, rng)
    return total * np.float32(0.8)


def moved(picture: npt.NDArray[np.float32], across: Plane, down: Plane) -> npt.NDArray[np.float32]:
    """Return the picture with every pixel fetched from ``across`` and ``down`` pixels away."""
    high, wide = picture.shape[:2]
    columns = np.arange(wide, dtype=np.float32)[None] + across
    rows = np.arange(high, dtype=np.float32)[:, None] + down
    out = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.float32)


def smeared(texture: Plane, cosine: Plane, sine: Plane, length: int) -> Plane:
    """Return the texture averaged along the directions: line integral convolution (Cabral and Leedom 1993).

    ``length`` pixels to both sides; by doubling, so that the work grows with its logarithm. Directions are taken as
    straight over each step.
    """
    step, smooth_so_far = 1.0, texture
    while step <= length:
        ahead = moved(smooth_so_far, cosine * np.float32(step), sine * np.float32(step))
        behind = moved(smooth_so_far, -cosine * np.float32(step), -sine * np.float32(step))
        smooth_so_far = (smooth_so_far + ahead + behind) * np.float32(1 / 3)
        step *= 2.0
    return smooth_so_far


def blur(plane: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Return the plane blurred by a Gaussian; wide ones on a smaller copy, which looks the same and is quick."""
    if sigma <= 0.2:
        return plane
    if sigma > 2.4:
        high, wide = plane.shape[:2]
        shrink = sigma / 1.2
        small = cv2.resize(
            plane, (max(2, round(wide / shrink)), max(2, round(high / shrink))), interpolation=cv2.INTER_AREA
        )
        small = cv2.GaussianBlur(small, (0, 0), 1.15, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(small, (wide, high), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


_THIRDS = np.full((1, 3), 1 / 3, np.float32)


def grey(picture: npt.NDArray[np.float32]) -> Plane:
    """Return the mean of the three channels (h, w)."""
    return np.asarray(cv2.transform(picture, _THIRDS), np.float32)


def tinted(picture: npt.NDArray[np.float32], gain: npt.ArrayLike, lift: float = 0.0) -> npt.NDArray[np.float32]:
    """Return the picture with each channel multiplied by its gain, and ``lift`` added."""
    matrix = np.concatenate([np.diag(np.asarray(gain, np.float32)), np.full((3, 1), lift, np.float32)], axis=1)
    return np.asarray(cv2.transform(picture, matrix), np.float32)


def thrice(plane: Plane) -> npt.NDArray[np.float32]:
    """Return the plane as three equal channels (h, w, 3): multiplied sooner than a plane that is spread out."""
    return np.asarray(cv2.merge([plane, plane, plane]), np.float32)


def dyed(plane: Plane, colour: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return the plane times a colour (3,): (h, w, 3)."""
    return np.asarray(cv2.transform(plane, np.asarray(colour, np.float32)[:, None]), np.float32)


def turn_of(plane: Plane) -> Plane:
    """Return what is left of each value above the whole number below it, 0 … 1."""
    return plane - np.floor(plane)


def unit(plane: Plane) -> Plane:
    """Return the plane stretched to 0 … 1."""
    low, high = float(plane.min()), float(plane.max())
    return (plane - np.float32(low)) * np.float32(1 / max(high - low, 1e-6))
