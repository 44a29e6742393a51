"""What a chart shows and means, apart from how it is drawn.

A chart relates *values* to *positions*: the values run upwards over positions from left to right or, in a horizontal
chart, to the right beside positions from top to bottom. Drawers (:mod:`bam_engine.charts.vega` for files,
``web/charts.py`` for pages) read it and compute nothing but places on their sheet.
"""

from dataclasses import dataclass
from typing import Literal

from bam_engine import formatting

Interval = tuple[float, float, float]
"""A value and the limits of its interval."""

Colour = Literal["accent", "second", "quiet", "ink"]
Unit = Literal["percent", "decimal", "count"]
Symbol = Literal["dot", "hollow", "diamond"]
Numbers = tuple[float, ...]

_TICKS: dict[Unit, str] = {"percent": ".1~%", "decimal": "~r", "count": ",.0f"}
_BESIDE = 0.007  # of an axis of numbers: between the series that share its positions
_ROW_BESIDE = 0.3  # of a row, likewise


@dataclass(frozen=True)
class Scale:
    """An axis of numbers: its title, which names the unit, its limits, and how numbers on it are written."""

    title: str
    limits: tuple[float, float]
    unit: Unit = "decimal"
    logarithmic: bool = False

    @property
    def tick_format(self) -> str:
        """How numbers on the axis are written, in the language of d3-format, which Plotly and Vega share."""
        return _TICKS[self.unit]

    def text(self, value: float) -> str:
        """Return a value of the axis as people read it."""
        if self.unit == "percent":
            return formatting.percent(value)
        return f"{value:,.0f}" if self.unit == "count" else formatting.decimal(value)

    def interval_text(self, value: float, low: float, high: float) -> str:
        """Return a value of the axis with its interval."""
        write = formatting.percent_interval if self.unit == "percent" else formatting.decimal_interval
        return write(value, low, high)


@dataclass(frozen=True)
class Names:
    """An axis of names at the positions 0, 1, 2, …; ``notes`` stand at the other end, below ``notes_title``.

    With ``summary``, the last name sums up the others and is set apart.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    notes_title: str = ""
    summary: bool = False
    title: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        return -0.5, max(len(self.names), 1) - 0.5

    def text(self, value: float) -> str:
        """Return the name at a position."""
        return self.names[round(value)]


@dataclass(frozen=True)
class Estimates:
    """Points with intervals, or without where ``low`` and ``high`` are empty; a line if they are ``joined``."""

    name: str
    colour: Colour
    at: Numbers
    values: Numbers
    low: Numbers = ()
    high: Numbers = ()
    symbol: Symbol = "dot"
    joined: bool = False


@dataclass(frozen=True)
class Curve:
    """A line with the band of its intervals; ``notes`` say more about each of its points."""

    name: str
    colour: Colour
    at: Numbers
    values: Numbers
    low: Numbers
    high: Numbers
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bars:
    """A histogram: ``values[i]`` lies between ``edges[i]`` and ``edges[i + 1]``."""

    name: str
    colour: Colour
    edges: Numbers
    values: Numbers

    def runs(self, floor: float) -> list[list[tuple[float, float]]]:
        """Return the outline of each run of bars above ``floor``: the points at which it changes its height."""
        runs: list[list[tuple[float, float]]] = []
        below = True
        for at, value in zip(self.edges, (*self.values, floor), strict=True):
            if value > floor and below:
                runs.append([(at, floor)])
            if value > floor or not below:
                runs[-1].append((at, max(value, floor)))
            below = value <= floor
        return runs


@dataclass(frozen=True)
class Reference:
    """A line across the whole chart at one position or one value."""

    name: str
    colour: Colour
    at: float
    on: Literal["positions", "values"]


Mark = Estimates | Curve | Bars | Reference


@dataclass(frozen=True)
class Chart:
    """A chart: its accessible title, a sentence that describes it, its axes, and its marks, later ones on top.

    ``missing`` is the sentence that stands in a chart without data.
    """

    title: str
    description: str
    positions: Scale | Names
    values: Scale
    marks: tuple[Mark, ...]
    missing: str
    horizontal: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw but axes and reference lines."""
        return not any(mark.values for mark in self.marks if not isinstance(mark, Reference))

    def shift(self, mark: Mark) -> float:
        """Return how far beside its positions to draw a mark, so that the intervals of several series stay apart."""
        beside = [one for one in self.marks if isinstance(one, Estimates) and one.low]
        if mark not in beside:
            return 0.0
        low, high = self.positions.limits
        step = _ROW_BESIDE if isinstance(self.positions, Names) else _BESIDE * (high - low)
        return step * (beside.index(mark) - (len(beside) - 1) / 2)
