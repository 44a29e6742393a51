"""Measures of a picture, and the problems that they tell of: dark, blurred, of one colour. Needs no model.

In:  a small copy of an image, at most 256 pixels wide and high, and the size of the image. Out: numbers, and names.

Brightness, aspect and the limits of dark and odd are those of CleanVision (Cleanlab, 2022, https://github.com/cleanlab/
cleanvision), whose functions take whole data sets. Its entropy calls most icons of two colours low in information, and
its blur overlooks most (docs/benchmarks.md); the measures here look at what is drawn, not at the ground around it.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

_WINDOW = 9  # pixels across, within which the contrast of an edge is looked for
_FAINT = 0.02  # contrast below which an edge is noise
_GROUND = 0.04  # by how much of the range the border of a picture may vary where its ground is plain
_DRAWN = 0.1  # by how much a pixel differs from a plain ground that is drawn on
_BLOCK = 4  # pixels across, whose mean hides the noise of a camera or a codec
_FEW_BLOCKS = 16  # a smaller picture is not reduced below so many blocks


class Measures(NamedTuple):
    """The measures of one picture, from 0 to 1 where not said otherwise.

    Attributes
    ----------
    brightest, darkest
        The brightness of the brightest hundredth and of the darkest twentieth of what is drawn, see :func:`measure`.
    sharpness
        How much of its contrast an edge covers from one pixel to the next, among the strongest edges; nan where the
        picture has no edge.
    contrast
        The range of red, green or blue, the largest one. Like ``colour`` it is measured on the means of 4 × 4 pixels.
    colour
        The difference of the largest and the smallest of red, green and blue, where that is most.
    aspect
        The shorter side over the longer one, of the image itself.
    shorter
        The shorter side of the image itself, in pixels.
    """

    brightest: float
    darkest: float
    sharpness: float
    contrast: float
    colour: float
    aspect: float
    shorter: float


MEASURES = Measures._fields
"""The names of the measures, in order."""


@dataclass(frozen=True)
class Problem:
    """A problem: an image has it if ``measure`` is below ``limit``, or above it if ``above``.

    ``words`` say what is measured, after a number.
    """

    measure: str
    limit: float
    words: str
    above: bool = False

    def described(self, value: float) -> str:
        """Return the value and the limit in words.

        Examples
        --------
        >>> PROBLEMS["dark"].described(0.06)
        '0.06 of full brightness in its brightest hundredth, limit 0.32'
        """
        return f"{value:.{self.digits}f} {self.words}, limit {self.limit:g}"

    @property
    def digits(self) -> int:
        """The decimal places that a value is shown with."""
        return 0 if self.limit >= 1 else 2


PROBLEMS = {
    "dark": Problem("brightest", 0.32, "of full brightness in its brightest hundredth"),
    "over-bright": Problem("darkest", 0.9, "of full brightness in its darkest twentieth", above=True),
    "blurred": Problem("sharpness", 0.4, "of an edge between two pixels"),
    "blank": Problem("contrast", 0.08, "of the range of colours"),
    "odd aspect": Problem("aspect", 0.35, "as the shorter side over the longer one"),
    "tiny": Problem("shorter", 64, "pixels at its shorter side"),
    "grey": Problem("colour", 0.03, "of full colour"),
}
"""The problems by name; an image may have several."""


def measure(image: Image.Image, width: int, height: int) -> Measures:
    """Measure a picture.

    Brightness is that of HSP (Finley, 2006): the root of the weighted mean of the squares of red, green and blue. Where
    the border of a picture has one colour, as around an icon, its ground counts once and not by its size: a small icon
    on white is not over-bright, and one on black is not dark.

    Sharpness is the reciprocal of the width of an edge (Marziliano et al., "A no-reference perceptual blur metric",
    2002), from its steepest step: within 9 × 9 pixels the largest difference of neighbours over the whole range, of the
    fifth of the pixels with the strongest contrast the 90th percentile. So it depends on neither the contrast of a
    picture nor on how much of it is flat: an ideal edge has 1, one that is blurred by a Gaussian of 1.5 pixels 0.27.

    Limits of what is measured: a blur that is not seen in the small copy is not found, nor one behind a sharp frame,
    text or subject. Enlarged and very soft pictures count as blurred. A picture in black and white is grey, whether it
    was meant so or not.

    Parameters
    ----------
    image
        RGB; a small copy of the image.
    width, height
        The size of the image itself, in pixels.

    Examples
    --------
    >>> black = measure(Image.new("RGB", (64, 48)), 640, 480)
    >>> problems_of(black)
    ('dark', 'blank', 'grey')
    """
    rgb = np.asarray(image.convert("RGB"), np.float32) / np.float32(255)
    brightness = _brightness(rgb)
    low, high = _extremes(rgb, brightness)
    blocks = _blocks(rgb)
    flat = blocks.reshape(-1, 3)
    shorter, longer = sorted((max(width, 1), max(height, 1)))
    return Measures(
        brightest=high,
        darkest=low,
        sharpness=_sharpness(brightness),
        contrast=float(np.ptp(flat, axis=0).max()),
        colour=float(np.ptp(flat, axis=1).max()),
        aspect=shorter / longer,
        shorter=float(shorter),
    )


def problems_of(measures: Measures) -> tuple[str, ...]:
    """Return the names of the problems of a picture, in the order of :data:`PROBLEMS`, compared as float32."""
    values = {name: np.float32(getattr(measures, problem.measure)) for name, problem in PROBLEMS.items()}
    limits = {name: np.float32(problem.limit) for name, problem in PROBLEMS.items()}
    return tuple(
        name
        for name, problem in PROBLEMS.items()
        if (values[name] > limits[name] if problem.above else values[name] < limits[name])  # nan is neither
    )


def _brightness(rgb: Floats) -> Floats:
    weights = np.array([0.241, 0.691, 0.068], np.float32)
    return np.asarray(np.sqrt(rgb**2 @ weights), np.float32)


def _extremes(rgb: Floats, brightness: Floats) -> tuple[float, float]:
    """Return the 5th and the 99th percentile of the brightness of what is drawn, the ground being a part of it."""
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    ground = np.median(border, axis=0)
    if np.mean(np.abs(border - ground).max(axis=1) <= _GROUND) >= 0.9:
        drawn = brightness[np.abs(rgb - ground).max(axis=2) > _DRAWN]
        if len(drawn) >= brightness.size / 1000:
            low, high = np.percentile(drawn, [5, 99])
            at_ground = float(_brightness(ground))
            return min(float(low), at_ground), max(float(high), at_ground)
    low, high = np.percentile(brightness, [5, 99])
    return float(low), float(high)


def _blocks(rgb: Floats) -> Floats:
    """Return the means of blocks, (rows, columns, 3)."""
    import cv2

    height, width = (max(side // _BLOCK, min(side, _FEW_BLOCKS)) for side in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _sharpness(brightness: Floats) -> float:
    import cv2

    window = np.ones((_WINDOW, _WINDOW), np.uint8)
    contrast = cv2.dilate(brightness, window) - cv2.erode(brightness, window)
    most = contrast.max()
    if most < _FAINT:
        return math.nan
    across = np.abs(np.diff(brightness, axis=1, append=brightness[:, -1:]))
    down = np.abs(np.diff(brightness, axis=0, append=brightness[-1:]))
    step = cv2.dilate(np.maximum(across, down), window)
    strong = contrast >= max(_FAINT, most / 4)
    strong &= contrast >= np.percentile(contrast[strong], 80)
    return float(np.percentile(np.minimum(step[strong] / contrast[strong], 1), 90))
