"""The figures of reports and exports: audited precision, learning curve, precision and recall, scores.

Every estimate is drawn with its interval, and every axis has a title.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.exchange.drawing import ACCENT, INK, SECOND, Area, Dot, Drawing, Line, Text, text_width
from bam_engine.formatting import MINUS, percent
from bam_engine.learning import Curve

Interval = tuple[float, float, float]  # value, low, high

_QUIET, _FAINT = 0.68, 0.16
_GREY = "#8a8f8c"  # visible on light and dark
_ROW, _TOP = 34, 60
_WIDE, _HIGH = 560, 330
_COUNTS = "positive / labelled"


@dataclass(frozen=True)
class PrecisionRow:
    """One attribute: its name, the counts, and its precision by consensus and by BAM's definition."""

    name: str
    note: str
    agreed: Interval
    by_any: Interval | None = None
    mean: bool = False


@dataclass(frozen=True)
class CurvePoint:
    """One round: the labels so far and the estimates by name, None where one could not be measured."""

    labels: int
    estimates: dict[str, Interval | None]


def precision_figure(
    rows: Sequence[PrecisionRow], *, reference: float, reference_name: str, title: str = "Audited precision"
) -> Drawing:
    """Return precision by attribute with intervals, highest first, the mean last, with a reference line.

    After the label-precision figure of BAM! (Wilber et al., 2017), which has no intervals.
    """
    ordered = sorted((row for row in rows if not row.mean), key=lambda row: (-row.agreed[0], row.name))
    ordered += [row for row in rows if row.mean]
    left = 24 + max([90.0, *(text_width(row.name, 13) for row in ordered)])
    right = 20 + max(text_width(text, 12) for text in (_COUNTS, *(row.note for row in ordered)))
    width, height = left + 420 + right, _TOP + _ROW * len(ordered) + 52
    drawing = Drawing(width, height, title)
    lowest = min([reference, *(estimate[1] for row in ordered for estimate in (row.agreed, row.by_any) if estimate)])
    start = float(min(0.8, np.floor(lowest * 10 + 1e-9) / 10))

    def x(value: float) -> float:
        return left + 420 * (value - start) / (1 - start)

    bottom = _TOP + _ROW * len(ordered)
    for tick in _ticks(start, 1.0, 5):
        at = x(tick)
        drawing.add(Line([(at, _TOP - 6), (at, bottom)], opacity=_FAINT))
        drawing.add(Text((at, bottom + 17), percent(tick), 12, "middle", opacity=_QUIET))
    drawing.add(Text((left + 210, bottom + 38), "precision, with 95% intervals", 12, "middle", opacity=_QUIET))
    drawing.add(Line([(x(reference), _TOP - 6), (x(reference), bottom)], SECOND, 1.6, dash=4))
    side = "end" if x(reference) > left + 210 else "start"
    shift = -6 if side == "end" else 6
    drawing.add(Text((x(reference) + shift, _TOP - 12), reference_name, 12, side, SECOND))  # type: ignore[arg-type]
    drawing.add(Text((width - 12, _TOP - 12), _COUNTS, 12, "end", opacity=_QUIET))
    _key(drawing, 16, 22)
    for place, row in enumerate(ordered):
        y = _TOP + _ROW * (place + 0.5)
        if row.mean:
            drawing.add(Line([(12, y - _ROW / 2), (width - 12, y - _ROW / 2)], opacity=0.5))
        drawing.add(Text((left - 12, y + 4.5), row.name, 13, "end", bold=row.mean))
        drawing.add(Text((width - 12, y + 4.5), row.note, 12, "end", opacity=_QUIET))
        _interval(drawing, x, row.agreed, y - (5 if row.by_any else 0), ACCENT, hollow=False)
        if row.by_any:
            _interval(drawing, x, row.by_any, y + 6, INK, hollow=True)
    return drawing


def _key(drawing: Drawing, x: float, y: float) -> None:
    """Draw the legend of the two marks."""
    for words, colour, hollow in (
        ("annotators agree", ACCENT, False),
        ("at least one says yes (BAM's definition)", INK, True),
    ):
        drawing.add(Line([(x, y - 4), (x + 22, y - 4)], colour, 2), Dot((x + 11, y - 4), 3.6, colour, hollow))
        drawing.add(Text((x + 29, y), words, 12))
        x += 50 + text_width(words, 12)


def _interval(
    drawing: Drawing, x: Callable[[float], float], estimate: Interval, y: float, colour: str, *, hollow: bool
) -> None:
    value, low, high = (x(part) for part in estimate)
    drawing.add(Line([(low, y), (high, y)], colour, 2))
    for end in (low, high):
        drawing.add(Line([(end, y - 3.5), (end, y + 3.5)], colour, 1.4))
    drawing.add(Dot((value, y), 3.6, colour, hollow))


def _ticks(low: float, high: float, number: int) -> npt.NDArray[np.float64]:
    """Return about ``number`` round values from ``low`` to ``high``."""
    if not high > low:
        return np.array([low])
    rough = (high - low) / number
    power = 10 ** np.floor(np.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = np.ceil(low / step - 1e-9) * step
    return np.arange(first, high + step * 1e-6, step) + 0.0  # no minus zero


@dataclass(frozen=True)
class _Axes:
    """The frame of a chart with two axes; calling it maps a point to pixels."""

    drawing: Drawing
    x: tuple[float, float]
    y: tuple[float, float]

    left, right, top, bottom = 58.0, _WIDE - 16.0, 34.0, _HIGH - 50.0

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / max(self.x[1] - self.x[0], 1e-12)
        up = (y - self.y[0]) / max(self.y[1] - self.y[0], 1e-12)
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)

    def line(self, x: Sequence[float], y: Sequence[float], colour: str, width: float = 2.2, dash: float = 0.0) -> None:
        points = [self(a, b) for a, b in zip(x, y, strict=True)]
        if points:
            self.drawing.add(Line(points, colour, width, dash=dash))


def _plain_tick(tick: float) -> str:
    return f"{tick:,.4g}".replace("-", MINUS)


def _power_tick(exponent: float) -> str:
    return f"{10**exponent:,.0f}"


def _axes(
    title: str,
    x_name: str,
    y_name: str,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    x_tick: Callable[[float], str] = _plain_tick,
    y_tick: Callable[[float], str] = _plain_tick,
) -> _Axes:
    """Return the frame of a new drawing with titles and ticks, which ``x_tick`` and ``y_tick`` write."""
    axes = _Axes(Drawing(_WIDE, _HIGH, title), x, y)
    for tick in _ticks(*x, 6):
        at = axes(tick, y[0])
        axes.drawing.add(Text((at[0], at[1] + 17), x_tick(tick), 12, "middle", opacity=_QUIET))
        axes.drawing.add(Line([at, (at[0], at[1] + 4)], opacity=0.4))
    for tick in np.arange(np.ceil(y[0]), y[1] + 1e-9) if y_tick is _power_tick else _ticks(*y, 5):
        at = axes(x[0], tick)
        axes.drawing.add(Text((at[0] - 8, at[1] + 4), y_tick(tick), 12, "end", opacity=_QUIET))
        axes.drawing.add(Line([at, (axes.right, at[1])], opacity=_FAINT))
    axes.drawing.add(Text(((axes.left + axes.right) / 2, _HIGH - 10), x_name, 12, "middle", opacity=_QUIET))
    middle = (axes.top + axes.bottom) / 2
    axes.drawing.add(Text((14, middle), y_name, 12, "middle", opacity=_QUIET, upward=True))
    return axes


def _legend(drawing: Drawing, entries: Sequence[tuple[str, str]], x: float = 58.0) -> None:
    for name, colour in entries:
        drawing.add(Line([(x, 16), (x + 18, 16)], colour, 2.4), Text((x + 24, 20), name, 12))
        x += 44 + text_width(name, 12)


def learning_figure(points: Sequence[CurvePoint]) -> Drawing:
    """Return the estimates on the validation set against the labels used, each with its interval."""
    names = list(dict.fromkeys(name for point in points for name in point.estimates))
    most = max([point.labels for point in points], default=1)
    axes = _axes("Learning curve", "labels used for training", "on the validation set", (0, most * 1.06), (0, 1.0))
    colours = dict(zip(names, (INK, ACCENT, SECOND), strict=False))
    for nudge, name in zip((-0.007, 0.0, 0.007), names, strict=False):  # keeps equal intervals apart
        measured = [(point.labels + nudge * most, one) for point in points if (one := point.estimates.get(name))]
        axes.line([at for at, _ in measured], [one[0] for _, one in measured], colours[name])
        for at, (value, low, high) in measured:
            axes.line([at, at], [low, high], colours[name], 1.3)
            axes.drawing.add(Dot(axes(at, value), 3.0, colours[name]))
    _legend(axes.drawing, [(name, colours[name]) for name in names])
    return axes.drawing


def precision_recall_figure(curve: Curve, *, target: float, chosen: tuple[float, float] | None) -> Drawing:
    """Return precision against recall with its interval, the target, and the ``chosen`` (recall, precision)."""
    axes = _axes("Precision and recall", "recall", "precision", (0, 1.0), (0, 1.0), x_tick=percent, y_tick=percent)
    finite = np.flatnonzero(np.isfinite(curve.precision) & np.isfinite(curve.recall))
    order = finite[np.argsort(curve.recall[finite], kind="stable")]
    recall = curve.recall[order].tolist()
    upper = [axes(x, y) for x, y in zip(recall, curve.precision_high[order].tolist(), strict=True)]
    lower = [axes(x, y) for x, y in zip(recall, curve.precision_low[order].tolist(), strict=True)]
    if len(order):
        axes.drawing.add(Area([*upper, *lower[::-1]], ACCENT, 0.18))
        axes.line(recall, curve.precision[order].tolist(), ACCENT)
    axes.line([0, 1], [target, target], SECOND, 1.6, 4)
    entries = [("precision with its interval", ACCENT), (f"target {percent(target)}", SECOND)]
    if chosen is not None:
        axes.drawing.add(Dot(axes(*chosen), 5.0, SECOND))
        axes.drawing.add(Text((axes.right, axes.bottom - 10), "dot: the threshold", 12, "end", opacity=_QUIET))
    _legend(axes.drawing, entries)
    return axes.drawing


def score_figure(
    scores: npt.NDArray[np.floating], labelled: dict[str, npt.NDArray[np.floating]], *, threshold: float | None
) -> Drawing:
    """Return the histogram of all scores and of the labelled ones on a logarithmic scale, with the threshold."""
    counts, edges = np.histogram(scores, bins=60)
    top = max(1.0, float(np.log10(max(1, counts.max()))) * 1.05)
    axes = _axes(
        "Scores",
        "score (log-odds; higher is more positive)",
        "images",
        (float(edges[0]), float(edges[-1])),
        (-0.3, top),
        y_tick=_power_tick,
    )
    colours = (ACCENT, SECOND)
    bars = [("all images", counts, _GREY, 0.55)]
    for (name, values), colour in zip(labelled.items(), colours, strict=False):
        bars.append((f"labelled {name}", np.histogram(values, bins=edges)[0], colour, 0.75))
    for _, heights, colour, opacity in bars:
        for count, a, b in zip(heights, edges, edges[1:], strict=False):
            if count:
                height = float(np.log10(count))
                corners = [axes(a, -0.3), axes(a, height), axes(b, height), axes(b, -0.3)]
                axes.drawing.add(Area(corners, colour, opacity))
    entries = [(name, colour) for name, _, colour, _ in bars]
    if threshold is not None and edges[0] <= threshold <= edges[-1]:
        axes.line([threshold, threshold], [-0.3, top], INK, 1.6, 4)
        entries.append(("threshold", INK))
    _legend(axes.drawing, entries, 20.0)
    return axes.drawing
