"""The colours of the map, for the light and the dark theme.

In:  what is coloured, and the theme.
Out: a table of RGBA colours (0 is "nothing"), and its legend. Knows nothing of points.

Ramps are uniform in OKLab (Ottosson 2020). Denser, more certain or higher values contrast more with the page: darker or
more saturated in the light theme, lighter in the dark one. Where marks overlap, the higher index is shown.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import NotFound

Table = NDArray[np.uint8]

THEMES = ("light", "dark")

ACCEPTED, REJECTED, UNLABELLED = 1, 0, -1
"""States of an image for an attribute, as in arrays of labels."""

BLOCK = 85
"""Shades of each of three groups: unlabelled from index 1, rejected from 86, accepted from 171."""

SHADES = 18
"""Shades of each group of a category: the first ("none") from index 1, the second from 19, and so on."""

CONTEXT = 64
"""Greys for images outside a selection."""

# lightness, chroma, hue in degrees, opacity
_Stop = tuple[float, float, float, float]
_Stops = tuple[_Stop, ...]
_DENSITY: dict[str, _Stops] = {
    "light": ((0.72, 0.09, 235, 0.60), (0.60, 0.15, 255, 0.90), (0.42, 0.19, 280, 1.0)),
    "dark": ((0.50, 0.10, 265, 0.65), (0.68, 0.14, 240, 0.90), (0.93, 0.08, 200, 1.0)),
}
_SCORE: dict[str, _Stops] = {
    "light": (
        (0.70, 0.05, 245, 0.55),
        (0.58, 0.15, 290, 0.85),
        (0.58, 0.21, 350, 0.95),
        (0.64, 0.20, 40, 1.0),
        (0.74, 0.16, 75, 1.0),
    ),
    "dark": (
        (0.50, 0.06, 260, 0.60),
        (0.60, 0.16, 295, 0.85),
        (0.66, 0.21, 350, 0.95),
        (0.75, 0.18, 45, 1.0),
        (0.90, 0.15, 95, 1.0),
    ),
}
_UNSCORED: dict[str, _Stops] = {"light": ((0.65, 0.01, 250, 0.35),), "dark": ((0.60, 0.01, 250, 0.40),)}
_NONE: dict[str, _Stops] = {
    "light": ((0.76, 0.01, 250, 0.40), (0.66, 0.015, 250, 0.75)),
    "dark": ((0.45, 0.01, 250, 0.45), (0.58, 0.015, 250, 0.80)),
}
_OTHERS: dict[str, _Stops] = {
    "light": ((0.62, 0.02, 90, 0.65), (0.50, 0.02, 90, 0.95)),
    "dark": ((0.62, 0.02, 90, 0.65), (0.76, 0.02, 90, 0.95)),
}
_REJECTED: dict[str, _Stops] = {
    "light": ((0.60, 0.03, 250, 0.65), (0.54, 0.04, 250, 0.95)),
    "dark": ((0.60, 0.05, 250, 0.70), (0.70, 0.06, 250, 0.95)),
}
_ACCEPTED: dict[str, _Stops] = {
    "light": ((0.66, 0.20, 40, 0.90), (0.64, 0.22, 36, 1.0)),
    "dark": ((0.70, 0.18, 45, 0.90), (0.78, 0.17, 55, 1.0)),
}

# hue, offset of the lightness, chroma: hues alone distinguish eight groups at most
_HUES = (
    (250, 0.00, 0.15),
    (45, 0.04, 0.17),
    (150, 0.02, 0.15),
    (350, 0.00, 0.20),
    (300, -0.05, 0.17),
    (95, 0.08, 0.14),
    (205, 0.06, 0.11),
    (22, -0.08, 0.17),
    (128, -0.09, 0.12),
    (325, 0.09, 0.14),
    (275, -0.13, 0.16),
    (65, -0.10, 0.09),
)
_ROLES = {"yes": (155, 0.0, 0.16), "no": (25, 0.0, 0.19), "unsure": (90, 0.06, 0.14), "waiting": (245, 0.0, 0.15)}
_ROLES |= {"disputed": (330, -0.02, 0.21), "calm": (245, 0.02, 0.08)}

MAX_GROUPS = len(_HUES)
"""Groups with a colour of their own; the rest are "others"."""


@lru_cache(maxsize=4)
def density(theme: str = "light") -> Table:
    """Return the colours of the density: 1 sparse to 255 dense."""
    return _table(_ramp(_of(_DENSITY, theme), 255))


@lru_cache(maxsize=4)
def score(theme: str = "light") -> Table:
    """Return the colours of scores: 1 not scored, 2 lowest to 255 highest."""
    return _table(_ramp(_of(_UNSCORED, theme), 1), _ramp(_of(_SCORE, theme), 254))


@lru_cache(maxsize=4)
def accepted(theme: str = "light") -> Table:
    """Return the colours of decisions: from 1 unlabelled, from 86 rejected, from 171 accepted, each by density."""
    return _table(*(_ramp(_of(each, theme), BLOCK) for each in (_NONE, _REJECTED, _ACCEPTED)))


@lru_cache(maxsize=64)
def groups(roles: tuple[str, ...], theme: str = "light") -> Table:
    """Return ``SHADES`` of each group of a category, in the order of ``roles``, each by density.

    A role is "none", "others", the number of a colour ("0" to "11"), or a fixed meaning: "yes", "no", "unsure",
    "waiting", "disputed", "calm".
    """
    return _table(*(_ramp(_group(role, theme), SHADES) for role in roles))


@lru_cache(maxsize=4)
def context(theme: str = "light") -> Table:
    """Return the greys (64, 4) of images outside a selection, by density."""
    light: _Stops = ((0.84, 0.0, 0, 0.35), (0.74, 0.0, 0, 0.75))
    dark: _Stops = ((0.36, 0.0, 0, 0.40), (0.48, 0.0, 0, 0.80))
    return _ramp(_of({"light": light, "dark": dark}, theme), CONTEXT)


def with_context(table: Table, theme: str = "light") -> Table:
    """Return a table whose first 64 colours are those of :func:`context`, followed by the colours of ``table``."""
    return np.concatenate([table[:1], context(theme), table[1:]])


def _of(stops: dict[str, _Stops], theme: str) -> _Stops:
    if theme not in stops:
        raise NotFound(f"There are no colours for the theme {theme!r}. Choose {' or '.join(THEMES)}.")
    return stops[theme]


def _group(role: str, theme: str) -> _Stops:
    if role in ("none", "others"):
        return _of(_NONE if role == "none" else _OTHERS, theme)
    hue, lighter, chroma = _ROLES[role] if role in _ROLES else _HUES[int(role)]
    middle = _of({"light": ((0.60, 0, 0, 0),), "dark": ((0.74, 0, 0, 0),)}, theme)[0][0] + lighter
    away = 0.06 if theme == "light" else -0.06
    return ((middle + away, chroma * 0.8, hue, 0.75), (middle, chroma, hue, 1.0))


def css(table: Table, index: int) -> str:
    """Return one colour of a table in CSS notation."""
    red, green, blue, alpha = (int(part) for part in table[index])
    return f"rgb({red} {green} {blue} / {alpha / 255:.2f})"


def ramp_legend(table: Table, *, title: str, first: int, low: str, high: str) -> dict[str, object]:
    """Return a legend with a ramp, from index ``first`` to the last, and the labels of its ends."""
    return {
        "title": title,
        "ramp": [css(table, int(i)) for i in np.linspace(first, 255, 9)],
        "low": low,
        "high": high,
    }


def swatch_legend(title: str, lines: Sequence[tuple[str, str, int]]) -> dict[str, object]:
    """Return a legend of groups, each given as (name, CSS colour, number of images)."""
    swatches = [{"label": name, "colour": colour, "count": count} for name, colour, count in lines]
    return {"title": title, "swatches": swatches}


def _table(*parts: Table) -> Table:
    table = np.concatenate([np.zeros((1, 4), dtype=np.uint8), *parts])
    table.setflags(write=False)
    return table


def _ramp(stops: tuple[_Stop, ...], steps: int) -> Table:
    lightness, chroma, hue, opacity = np.array(stops, dtype=np.float64).T
    angle = np.unwrap(np.radians(hue))
    lab = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle), opacity], axis=1)
    at = np.linspace(0, len(stops) - 1, steps)
    even = np.stack([np.interp(at, np.arange(len(stops)), column) for column in lab.T], axis=1)
    return np.asarray(np.round(255 * np.column_stack([_srgb(even[:, :3]), even[:, 3]])), dtype=np.uint8)


def _srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert OKLab to sRGB in [0, 1]; colours out of gamut are clipped."""
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
