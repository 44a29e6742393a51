"""Charts as SVG and PNG: a chart becomes a Vega-Lite specification, which vl-convert draws without a browser.

What people wrote enters a specification as data or as a quoted string, never as an expression.
"""

import json
from typing import Any
from xml.etree import ElementTree

import numpy as np

from bam_engine.charts.chart import Bars, Chart, Curve, Estimates, Mark, Names, Reference, Scale
from bam_engine.charts.palette import PAGE, PALE, PALETTES, Palette, Theme

Spec = dict[str, Any]

WIDTH, HEIGHT = 560, 330
"""Of an upright chart with its axes and legend, in CSS pixels."""

PNG_SCALE = 3
"""Pixels of a PNG for each CSS pixel, which makes 288 per inch."""

_VERSION = "6.4"  # of Vega-Lite; vl-convert brings several
_ROW, _ROW_WIDTH = 34, 420  # of the plot of a horizontal chart, in CSS pixels
_FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"  # as wide as the font with which vl-convert measures
_WIDER = 1.2  # CSS pixels for each letter: room for the wider fonts of browsers that have none of these
_SVG = "http://www.w3.org/2000/svg"
_SHAPES = {"dot": "circle", "hollow": "circle", "diamond": "diamond"}
_DASHES = [4, 4]
_DASH = "M-1.7,0L1.7,0"  # a line, as the symbol of a legend


def svg_file(chart: Chart, theme: Theme = "light") -> bytes:
    """Return a chart as an SVG file on the ground of ``theme``."""
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + _svg(chart, PALETTES[theme], ground=True) + "\n").encode()


def svg_element(chart: Chart) -> str:
    """Return a chart as an ``<svg>`` element for an HTML page that defines --ink, --paper, --quiet and --line."""
    return _svg(chart, PAGE, ground=False)


def png_file(chart: Chart, theme: Theme = "light") -> bytes:
    """Return a chart as a PNG file, :data:`PNG_SCALE` times as large as its SVG."""
    import vl_convert

    svg = _svg(chart, PALETTES[theme], ground=True)
    return vl_convert.svg_to_png(svg, scale=72 / 96, ppi=96 * PNG_SCALE)


def _svg(chart: Chart, palette: Palette, *, ground: bool) -> str:
    import vl_convert

    spec = specification(chart, palette) | {"background": palette.paper if ground else None}
    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(spec, vl_version=_VERSION))
    root.set("role", "img")
    for place, (tag, words) in enumerate((("title", chart.title), ("desc", chart.description))):
        element = ElementTree.Element(f"{{{_SVG}}}{tag}")
        element.text = words
        root.insert(place, element)
    ElementTree.register_namespace("", _SVG)
    return ElementTree.tostring(root, encoding="unicode")


def specification(chart: Chart, palette: Palette) -> Spec:
    """Return a chart as a Vega-Lite specification."""
    size: Spec = {"width": WIDTH, "height": HEIGHT, "autosize": {"type": "fit", "contains": "padding"}}
    padding = dict.fromkeys(("left", "right", "top", "bottom"), 12)
    if isinstance(chart.positions, Names):
        padding["left"] += round(_WIDER * max(map(len, chart.positions.names), default=0))
        padding["right"] += round(_WIDER * len(chart.positions.notes_title))
    if chart.horizontal:
        low, high = chart.positions.limits
        size = {"width": _ROW_WIDTH, "height": _ROW * (high - low)}
    layers = [_frame(chart)]
    if chart.empty:
        layers.append(_in_the_middle(chart.missing, palette))
    else:
        layers += _rows(chart, palette)
        layers += [layer for mark in chart.marks for layer in _layers(chart, mark, palette)]
        layers.append(_legend(chart, palette))
    return {**size, "padding": padding, "config": _config(palette), "layer": layers}


def _config(palette: Palette) -> Spec:
    words = {"labelColor": palette.label, "titleColor": palette.label, "labelFontSize": 12, "titleFontSize": 12}
    lines = {"gridColor": palette.grid, "domainColor": palette.grid, "tickColor": palette.grid}
    return {
        "aria": False,  # one title and one description stand for the whole
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {**words, **lines, "titleFontWeight": "normal", "labelLimit": 0},
        "legend": {
            "orient": "top",
            "title": None,
            "labelColor": palette.ink,
            "labelFontSize": 12,
            "labelLimit": 0,
            "symbolSize": 70,
            "symbolStrokeWidth": 1.8,
            "symbolOpacity": 1,
            "columnPadding": 36,
            "labelOffset": 7,
        },
    }


def _channels(chart: Chart) -> tuple[str, str]:
    """Return the channels of positions and values."""
    return ("y", "x") if chart.horizontal else ("x", "y")


def _frame(chart: Chart) -> Spec:
    """Return an empty layer with both axes."""
    along, up = _channels(chart)
    positions = _names_axis(chart.positions) if isinstance(chart.positions, Names) else _axis(chart.positions, 6)
    values = _axis(chart.values, 5) | {"grid": not chart.empty, "domain": False, "ticks": False}
    limits = {"domain": list(chart.positions.limits), "nice": False, "zero": False, "reverse": chart.horizontal}
    return {
        "data": {"values": []},
        "mark": "point",
        "encoding": {
            along: _field("at") | {"axis": positions | {"grid": False}, "scale": limits},
            up: _field("value") | {"axis": values, "scale": _value_scale(chart.values)},
        },
    }


def _field(name: str) -> Spec:
    return {"field": name, "type": "quantitative"}


def _value_scale(scale: Scale) -> Spec:
    kind: Spec = {"type": "log"} if scale.logarithmic else {"zero": False}
    return kind | {"domain": list(scale.limits), "nice": False}


def _axis(scale: Scale, ticks: int) -> Spec:
    axis: Spec = {"title": scale.title, "format": scale.tick_format, "tickCount": ticks}
    if scale.logarithmic:
        lowest, highest = np.log10(scale.limits)
        axis["values"] = [10.0**power for power in range(int(np.ceil(lowest)), int(np.floor(highest)) + 1)]
    return axis


def _names_axis(names: Names) -> Spec:
    summary = f"datum.value === {len(names.names) - 1}" if names.summary else "false"
    return {
        "title": None,
        "values": list(range(len(names.names))),
        "labelExpr": f"{json.dumps(names.names)}[datum.value]",
        "labelFontSize": 13,
        "labelPadding": 10,
        "labelFontWeight": {"condition": {"test": summary, "value": "bold"}, "value": "normal"},
        "domain": False,
        "ticks": False,
    }


def _rows(chart: Chart, palette: Palette) -> list[Spec]:
    """Return the notes at the ends of the rows, and the line above a row that sums up."""
    names = chart.positions
    if not isinstance(names, Names):
        return []
    note = {"type": "text", "align": "left", "dx": 14, "fontSize": 12, "color": palette.label}
    end = {"value": _ROW_WIDTH}
    layers: list[Spec] = [
        {
            "data": {"values": [{"at": at, "note": words} for at, words in enumerate(names.notes)]},
            "mark": note,
            "encoding": {"x": end, "y": _field("at"), "text": {"field": "note"}},
        },
        {
            "data": {"values": [{"note": names.notes_title}]},
            "mark": note,
            "encoding": {"x": end, "y": {"value": -12}, "text": {"field": "note"}},
        },
    ]
    if names.summary:
        layers.append(_across("y", len(names.names) - 1.5, {"color": palette.label, "strokeWidth": 1}))
    return layers


def _across(channel: str, at: float, look: Spec) -> Spec:
    """Return a line across the whole plot."""
    return {
        "data": {"values": [{"at": at}]},
        "mark": {"type": "rule", **look},
        "encoding": {channel: _field("at")},
    }


def _layers(chart: Chart, mark: Mark, palette: Palette) -> list[Spec]:
    """Return the layers of one mark, the lowest first."""
    colour, (along, up) = palette.colour(mark.colour), _channels(chart)
    if isinstance(mark, Reference):
        channel = along if mark.on == "positions" else up
        return [_across(channel, mark.at, {"color": colour, "strokeWidth": 1.6, "strokeDash": _DASHES})]
    line = {along: _field("at"), up: _field("value")}
    if isinstance(mark, Bars):
        return _bars(chart, mark, line, colour)
    span = {along: _field("at"), up: _field("low"), f"{up}2": {"field": "high"}}
    shapes = _curve(line, span, colour) if isinstance(mark, Curve) else _estimates(mark, line, span, colour, palette)
    data = {"values": _points(mark, chart.shift(mark))}
    return [{"data": data, "mark": shape, "encoding": encoding} for shape, encoding in shapes]


def _points(mark: Curve | Estimates, shift: float) -> list[Spec]:
    points = [{"at": at + shift, "value": value} for at, value in zip(mark.at, mark.values, strict=True)]
    if mark.low:
        for point, low, high in zip(points, mark.low, mark.high, strict=True):
            point.update(low=low, high=high)
    return points


def _curve(line: Spec, span: Spec, colour: str) -> list[tuple[Spec, Spec]]:
    edge = {"type": "line", "color": colour, "strokeWidth": 0.7}
    (channel,) = (name for name in line if f"{name}2" in span)
    return [
        ({"type": "area", "color": colour, "opacity": PALE}, span),
        *((edge, line | {channel: _field(end)}) for end in ("low", "high")),
        ({"type": "line", "color": colour, "strokeWidth": 2.2}, line),
    ]


def _estimates(mark: Estimates, line: Spec, span: Spec, colour: str, palette: Palette) -> list[tuple[Spec, Spec]]:
    shapes: list[tuple[Spec, Spec]] = []
    if mark.low:
        (channel,) = (name for name in line if f"{name}2" in span)
        cap = {"type": "tick", "orient": "vertical" if channel == "x" else "horizontal", "size": 7, "thickness": 1.4}
        shapes.append(({"type": "rule", "color": colour, "strokeWidth": 2}, span))
        shapes += [(cap | {"color": colour}, line | {channel: _field(end)}) for end in ("low", "high")]
    if mark.joined:
        shapes.append(({"type": "line", "color": colour, "strokeWidth": 2.2}, line))
    fill = colour if mark.symbol == "dot" else palette.paper
    point = {"type": "point", "shape": _SHAPES[mark.symbol], "size": 48, "strokeWidth": 1.8}
    shapes.append((point | {"fill": fill, "stroke": colour, "opacity": 1}, line))
    return shapes


def _bars(chart: Chart, mark: Bars, line: Spec, colour: str) -> list[Spec]:
    """Return a histogram as stepped outlines over a pale ground: one of each run of bars, so that no seams show."""
    _, up = _channels(chart)
    floor = chart.values.limits[0]
    runs = [{"run": run, "at": at, "value": value} for run, steps in enumerate(mark.runs(floor)) for at, value in steps]
    line = line | {"detail": {"field": "run", "type": "nominal"}}
    ground = {"type": "area", "interpolate": "step-after", "color": colour, "opacity": PALE}
    outline = {"type": "line", "interpolate": "step-after", "color": colour, "strokeWidth": 1.6}
    return [
        {"data": {"values": runs}, "mark": ground, "encoding": line | {f"{up}2": {"datum": floor}}},
        {"data": {"values": runs}, "mark": outline, "encoding": line},
    ]


def _legend(chart: Chart, palette: Palette) -> Spec:
    """Return an empty layer whose scales make the legend, one symbol for each mark."""
    looks = [_symbol(mark, palette) for mark in chart.marks]
    legend = {"columns": len(looks) if len(looks) <= 4 else 3, "offset": 32 if chart.horizontal else 14}
    domain = [mark.name for mark in chart.marks]
    channels = {
        channel: {
            "field": "series",
            "type": "nominal",
            "scale": {"domain": domain, "range": [look[channel] for look in looks]},
            "legend": legend,
        }
        for channel in ("stroke", "fill", "fillOpacity", "shape", "strokeDash")
    }
    return {"data": {"values": []}, "mark": "point", "encoding": channels}


def _symbol(mark: Mark, palette: Palette) -> Spec:
    """Return the channels of a mark in the legend."""
    colour = palette.colour(mark.colour)
    look: Spec = {"stroke": colour, "fill": colour, "fillOpacity": 1, "shape": _DASH, "strokeDash": [1, 0]}
    if isinstance(mark, Estimates):
        fill = colour if mark.symbol == "dot" else palette.paper
        return look | {"fill": fill, "shape": _SHAPES[mark.symbol]}
    if isinstance(mark, Bars):
        return look | {"fillOpacity": PALE, "shape": "square"}
    return look | {"strokeDash": [4, 3]} if isinstance(mark, Reference) else look


def _in_the_middle(words: str, palette: Palette) -> Spec:
    return {
        "data": {"values": [{"words": words}]},
        "mark": {"type": "text", "fontSize": 13, "color": palette.label},
        "encoding": {
            "x": {"value": {"expr": "width / 2"}},
            "y": {"value": {"expr": "height / 2"}},
            "text": {"field": "words"},
        },
    }
