"""The colours of the map, which must be seen on a white page and on a dark one.

In:  what is coloured.
Out: a table of 256 RGBA colours (0 is "nothing"), and the legend that explains it. Knows nothing of points.

Ramps are even in OKLab (Ottosson 2020) and keep to middle lightness; what is rarer or surer is more saturated and more
opaque. Where points lie on one pixel, the higher index is shown.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.uint8]

ACCEPTED, REJECTED, UNLABELLED = 1, 0, -1
"""What an image can be under an attribute, as in the arrays of labels."""

BLOCK = 85
"""Shades of each of the three groups: unlabelled from index 1, rejected from 86, accepted from 171."""

# lightness, chroma, hue in degrees, opacity
_Stop = tuple[float, float, float, float]
_DENSITY: tuple[_Stop, ...] = ((0.70, 0.08, 235, 0.50), (0.64, 0.14, 250, 0.85), (0.60, 0.20, 280, 1.0))
_SCORE: tuple[_Stop, ...] = (
    (0.66, 0.05, 245, 0.50),
    (0.60, 0.15, 290, 0.80),
    (0.62, 0.21, 350, 0.95),
    (0.68, 0.20, 40, 1.0),
    (0.79, 0.16, 80, 1.0),
)
_UNSCORED: _Stop = (0.65, 0.01, 250, 0.35)
_UNLABELLED: tuple[_Stop, ...] = ((0.72, 0.01, 250, 0.35), (0.66, 0.015, 250, 0.70))
_REJECTED: tuple[_Stop, ...] = ((0.60, 0.03, 250, 0.65), (0.54, 0.04, 250, 0.95))
_ACCEPTED: tuple[_Stop, ...] = ((0.66, 0.20, 40, 0.90), (0.64, 0.22, 36, 1.0))


@lru_cache(maxsize=1)
def density() -> Table:
    """1 sparse to 255 dense."""
    return _table(_ramp(_DENSITY, 255))


@lru_cache(maxsize=1)
def score() -> Table:
    """1 not scored, 2 lowest to 255 highest."""
    return _table(_ramp((_UNSCORED,), 1), _ramp(_SCORE, 254))


@lru_cache(maxsize=1)
def accepted() -> Table:
    """1 unlabelled, 86 rejected, 171 accepted; each rises with density."""
    return _table(_ramp(_UNLABELLED, BLOCK), _ramp(_REJECTED, BLOCK), _ramp(_ACCEPTED, BLOCK))


def css(table: Table, index: int) -> str:
    """One colour of a table as CSS writes it."""
    red, green, blue, alpha = (int(part) for part in table[index])
    return f"rgb({red} {green} {blue} / {alpha / 255:.2f})"


def ramp_legend(table: Table, *, title: str, first: int, low: str, high: str) -> dict[str, object]:
    """A legend with a ramp: colours from ``first`` to the last, and what its ends mean."""
    return {
        "title": title,
        "ramp": [css(table, int(i)) for i in np.linspace(first, 255, 9)],
        "low": low,
        "high": high,
    }


def accepted_legend(title: str) -> dict[str, object]:
    """A legend with the three groups."""
    table = accepted()
    groups = (("accepted", 3 * BLOCK), ("rejected", 2 * BLOCK), ("not labelled", BLOCK))
    return {"title": title, "swatches": [{"label": name, "colour": css(table, index)} for name, index in groups]}


def _table(*parts: Table) -> Table:
    table = np.concatenate([np.zeros((1, 4), dtype=np.uint8), *parts])
    table.setflags(write=False)
    return table


def _ramp(stops: tuple[_Stop, ...], steps: int) -> Table:
    lightness, chroma, hue, opacity = np.array(stops, dtype=np.float64).T
    turn = np.unwrap(np.radians(hue))
    lab = np.stack([lightness, chroma * np.cos(turn), chroma * np.sin(turn), opacity], axis=1)
    at = np.linspace(0, len(stops) - 1, steps)
    even = np.stack([np.interp(at, np.arange(len(stops)), column) for column in lab.T], axis=1)
    return np.asarray(np.round(255 * np.column_stack([_srgb(even[:, :3]), even[:, 3]])), dtype=np.uint8)


def _srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab to sRGB in [0, 1]; what no screen can show is clipped."""
    to_cones = np.array(
        [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip((lab @ to_cones.T) ** 3 @ to_linear.T, 0, 1)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))
