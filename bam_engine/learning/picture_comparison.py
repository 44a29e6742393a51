"""Whether two small pictures show the same picture: recompressed, resized, cropped a little, framed, or recoloured.

One picture is laid on the other by the method of Lucas and Kanade ("An Iterative Image Registration Technique", IJCAI
1981): place, width and height are fitted, and the light. What is left is compared with the contrast, on the whole and
where it is largest, so that one small thing that differs makes two pictures of two icons. Arrays in, a number out.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIDE = 64
"""Pixels to which the longest side of a picture is reduced, or fewer: to those of the smaller of the two."""

MEAN, LARGEST = 0.10, 0.25
"""The largest difference of copies, as a share of the contrast: of all pixels (root mean square), of any 3 by 3."""

_LEAST = 16
_NOISE = 20.0  # variance in squared levels that is no contrast
_LIGHT, _PLAIN_LIGHT, _TINT = 40.0, 6.0, 15.0  # levels by which the means of copies differ
_LARGEST_COARSE = 0.25
_STARTS = (0.0, 0.06, -0.06)

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Look:
    """A picture as it is compared: a square (s, s, 3) of at most ``SIDE`` pixels, and its width by its height.

    A ``plain`` one shows too little at this size to be compared: one colour, or a pattern finer than its pixels.
    """

    square: Picture
    ratio: float
    plain: bool = False


def look_of(picture: Picture) -> Look:
    """Return what is compared of an RGB picture in sRGB, uint8 (h, w, 3); larger ones than ``SIDE`` are reduced."""
    import cv2

    height, width = picture.shape[:2]
    side = max(_LEAST, min(SIDE, max(height, width)))
    square = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    grey = square.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return Look(np.asarray(square, np.uint8), width / height, bool(grey.var() < _NOISE))


def difference(one: Look, other: Look) -> float:
    """Return how far two pictures are from being copies: 0 if they are equal, at most 1 for copies.

    Whether they are copies does not depend on the order. A mirrored or turned picture is another one. Pictures are not
    compared, and ``inf`` is returned, where the ratio of their sides differs by more than a quarter.

    Returns
    -------
    float
        The largest of: the difference on the whole as a share of :data:`MEAN`, that of the worst 3 by 3 pixels as a
        share of :data:`LARGEST`, and that of the light and of the colours as a share of the largest between copies.

    Examples
    --------
    >>> picture = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    >>> difference(look_of(picture), look_of(picture))
    0.0
    >>> difference(look_of(picture), look_of(picture[:, ::-1])) > 1
    True
    """
    from bam_engine.learning.picture_kernels import residuals

    if not 0.8 <= one.ratio / other.ratio <= 1.25:
        return float("inf")
    side = min(len(one.square), len(other.square))
    if np.array_equal(one.square, other.square):
        return 0.0
    a, b = _smoothed(one, side), _smoothed(other, side)
    straight = _share(residuals(a, b, np.zeros(6)))
    if straight <= 1:
        return straight
    laid = _laid(a, b)
    return laid if laid <= 1 else min(straight, laid, _laid(b, a))


def _laid(a: Floats, b: Floats) -> float:
    """Return the difference of two pictures (3, s, s), the first laid on the second."""
    from bam_engine.learning.picture_kernels import fit, residuals, smoothed

    coarse = [each.reshape(3, each.shape[1] // 2, 2, -1, 2).mean((2, 4)) for each in (a, b)]
    grey = [_grey(each) for each in coarse]
    blurred = [smoothed(each, 4) for each in grey]
    best, place = float("inf"), np.zeros(6)
    for start in _STARTS:
        found = np.array([start, 0, start, 0, 1, 0])
        for one, other in (blurred, grey):
            fit(one, other, found)
        mean, _, variance, *_ = residuals(*coarse, found)
        if mean / (variance + _NOISE) < best:
            best, place = mean / (variance + _NOISE), found
    if best > _LARGEST_COARSE**2:
        return float("inf")
    fit(_grey(a), _grey(b), place)
    return _share(residuals(a, b, place))


def _share(found: tuple[float, ...]) -> float:
    mean, largest, variance, light, tint = found
    contrast = variance + _NOISE
    allowed = _PLAIN_LIGHT + (_LIGHT - _PLAIN_LIGHT) * min(1.0, variance**0.5 / 10)
    whole, worst = (mean / contrast) ** 0.5 / MEAN, (largest / contrast) ** 0.5 / LARGEST
    return float(max(whole, worst, abs(light) / allowed, tint / _TINT))


def _grey(picture: Floats) -> Floats:
    grey: Floats = 0.299 * picture[0] + 0.587 * picture[1] + 0.114 * picture[2]
    return np.ascontiguousarray(grey, np.float32)


def _smoothed(look: Look, side: int) -> Floats:
    """Return a look as a square of even ``side``, smoothed once, channels first."""
    import cv2

    from bam_engine.learning.picture_kernels import smoothed

    side += side % 2
    square = (
        look.square if len(look.square) == side else cv2.resize(look.square, (side, side), interpolation=cv2.INTER_AREA)
    )
    floats = np.ascontiguousarray(np.asarray(square, np.float32).transpose(2, 0, 1))
    return np.stack([smoothed(channel, 1) for channel in floats])
