"""Draws charts of the engine with Plotly, and offers them as files.

In:  a :class:`bam_engine.charts.Chart`. Out: an interactive figure over the page's width, its description for screen
readers, and a menu of downloads, which the engine draws. Plotly is imported inside, since it takes a while.
"""

import html
import math
import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import streamlit as st

from bam_engine import charts
from bam_engine.charts import PALE, PALETTES, Bars, Chart, Curve, Estimates, Mark, Names, Reference, Scale, Theme
from web import ui

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT = 380
_ROW = 44  # of a horizontal chart, in pixels
_MARGIN = 18  # at the right, where the last number of an axis needs room
_NAME_LETTERS, _NOTE_LETTERS = 20, 10  # of a name and the title of notes before they break
_INK = "#777d7a"  # a browser can change its theme without a new figure
_CONFIG = {"displayModeBar": False, "scrollZoom": False}
_SYMBOLS = {"dot": "circle", "hollow": "circle-open", "diamond": "diamond-open"}


class Table(Protocol):
    """Makes the CSV of a chart."""

    def __call__(self, *, raw_text: bool) -> bytes: ...


def show(chart: Chart, key: str, *, table: Table | None = None) -> None:
    """Draw a chart and its downloads; ``table`` makes its CSV where the chart's own is too little.

    ``key`` names the widgets and the files.
    """
    with st.container(gap=None):
        st.html(f'<p class="{ui.UNSEEN}">{html.escape(f"{chart.title}. {chart.description}")}</p>')
        st.plotly_chart(figure(chart), width="stretch", key=key, config=_CONFIG)
        downloads(chart, key, table=table)


def downloads(chart: Chart, key: str, *, table: Table | None = None) -> None:
    """Draw the menu of a chart's downloads; parameters as for :func:`show`."""
    with st.popover("Download", icon=":material/download:", type="tertiary"):
        _downloads(chart, key, table or partial(charts.csv_file, chart))


def _downloads(chart: Chart, key: str, table: Table) -> None:
    """Draw the buttons that download a chart, light or dark, and its numbers."""
    dark = st.toggle("Dark", key=f"{key}-dark")
    raw_text = ui.raw_text(f"{key}-raw-text", "Raw text in the CSV")
    theme: Theme = "dark" if dark else "light"
    files: dict[str, Callable[[], bytes]] = {
        "svg": lambda: charts.svg_file(chart, theme),
        "png": lambda: charts.png_file(chart, theme),
        "csv": lambda: table(raw_text=raw_text),
    }
    for form, data in files.items():
        st.download_button(form.upper(), data, f"{key}.{form}", key=f"{key}-{form}", on_click="ignore", width="stretch")


def figure(chart: Chart) -> "go.Figure":
    """Return a chart as a Plotly figure for a light or dark ground; its words take the colours of the page."""
    import plotly.graph_objects as go

    drawn = go.Figure()
    drawn.update_layout(
        height=HEIGHT,
        margin={"l": 8, "r": _MARGIN, "t": 8, "b": 8},
        legend={"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0, "traceorder": "normal"},
        legend_font_size=12,
        hovermode="closest",
        barmode="overlay",
        bargap=0,
        dragmode=False,
    )
    along, up = _axes(chart)
    if isinstance(chart.positions, Names):
        _name_rows(drawn, chart.positions)
    else:
        drawn.update_layout({f"{along}axis": _scale(chart.positions) | {"showgrid": False}})
    drawn.update_layout({f"{up}axis": _scale(chart.values) | {"showgrid": not chart.empty}})
    drawn.update_xaxes(tickfont_size=12, title_font_size=13)
    drawn.update_yaxes(tickfont_size=12, title_font_size=13)
    if chart.empty:
        drawn.add_annotation(text=_plain(chart.missing), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
        return drawn
    for mark in chart.marks:
        drawn.add_traces(_traces(chart, mark))
    return drawn


def colour_of(mark: Mark) -> str:
    """Return the colour of a mark, which is seen on the ground of either theme."""
    return _INK if mark.colour == "ink" else PALETTES["light"].colour(mark.colour)


def _axes(chart: Chart) -> tuple[str, str]:
    """Return the letters of the axes of positions and values."""
    return ("y", "x") if chart.horizontal else ("x", "y")


def _plain(text: str) -> str:
    """Return text that Plotly shows as it is: it reads some of HTML's tags."""
    return html.escape(text, quote=False)


def _lines(*lines: str) -> str:
    """Return lines of text as Plotly breaks them."""
    return "<br>".join(map(_plain, lines))


def _scale(scale: Scale) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": _plain(scale.title), "tickformat": scale.tick_format, "automargin": True}
    if scale.logarithmic:
        return axis | {"type": "log", "dtick": 1, "range": [math.log10(limit) for limit in scale.limits]}
    return axis | {"range": list(scale.limits), "zeroline": False}


def _name_rows(drawn: "go.Figure", names: Names) -> None:
    """Write the names of the rows at their left and the notes at their right, and set a summary apart."""
    labels = [_lines(*textwrap.wrap(name, _NAME_LETTERS)) for name in names.names]
    if names.summary:
        labels[-1] = f"<b>{labels[-1]}</b>"
        drawn.add_hline(len(labels) - 1.5, line={"color": _INK, "width": 1})
    low, high = names.limits
    axis = {"range": [high, low], "tickvals": list(range(len(labels))), "ticktext": labels, "showgrid": False}
    drawn.update_layout(
        yaxis=axis | {"automargin": True, "zeroline": False},
        height=_ROW * len(labels) + 150,
        margin={"r": 8 + 7 * max([_NOTE_LETTERS, *map(len, names.notes)])},
    )
    title = _lines(*textwrap.wrap(names.notes_title, _NOTE_LETTERS))
    right = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "align": "left", "showarrow": False}
    look = {**right, "font": {"size": 12}}
    drawn.add_annotation(text=title, y=low, yref="y", yanchor="bottom", **look)
    for at, note in enumerate(names.notes):
        drawn.add_annotation(text=_plain(note), y=at, yref="y", yanchor="middle", **look)


def _traces(chart: Chart, mark: Mark) -> list["go.Scatter | go.Bar"]:
    """Return the traces of one mark, the lowest first; the last one has its name in the legend."""
    colour = colour_of(mark)
    if isinstance(mark, Reference):
        return [_reference(chart, mark, colour)]
    if isinstance(mark, Bars):
        return _bars(chart, mark, colour)
    texts = [_hover(chart, mark, place) for place in range(len(mark.at))]
    if isinstance(mark, Curve):
        return _curve(chart, mark, colour, texts)
    return [_estimates(chart, mark, colour, texts)]


def _hover(chart: Chart, mark: Estimates | Curve, place: int) -> str:
    """Return what is said of one point."""
    value = chart.values.text(mark.values[place])
    if mark.low:
        value = chart.values.interval_text(mark.values[place], mark.low[place], mark.high[place])
    position = chart.positions.text(mark.at[place])
    if isinstance(chart.positions, Scale):
        position = f"{chart.positions.title}: {position}"
    lines = [f"{mark.name}: {value}", position]
    if isinstance(mark, Curve) and mark.notes:
        lines.append(mark.notes[place])
    return _lines(*lines)


def _line(chart: Chart, at: Sequence[float | None], values: Sequence[float | None], **look: Any) -> "go.Scatter":
    import plotly.graph_objects as go

    along, up = _axes(chart)
    return go.Scatter({along: list(at), up: list(values)}, **look)


def _reference(chart: Chart, mark: Reference, colour: str) -> "go.Scatter":
    line, ends = {"color": colour, "width": 1.6, "dash": "dash"}, (mark.at, mark.at)
    at, values = (ends, chart.values.limits) if mark.on == "positions" else (chart.positions.limits, ends)
    return _line(chart, at, values, mode="lines", line=line, name=_plain(mark.name), hoverinfo="name")


def _curve(chart: Chart, mark: Curve, colour: str, texts: list[str]) -> list["go.Scatter"]:
    edge: dict[str, Any] = {"mode": "lines", "line": {"color": colour, "width": 0.7}, "hoverinfo": "skip"}
    return [
        _line(chart, mark.at, mark.low, showlegend=False, **edge),
        _line(chart, mark.at, mark.high, showlegend=False, fill="tonexty", fillcolor=_pale(colour), **edge),
        _line(
            chart, mark.at, mark.values, mode="lines", line={"color": colour, "width": 2.2}, name=_plain(mark.name),
            hovertext=texts, hoverinfo="text",
        ),
    ]  # fmt: skip


def _estimates(chart: Chart, mark: Estimates, colour: str, texts: list[str]) -> "go.Scatter":
    _, up = _axes(chart)
    error = {}
    if mark.low:
        error[f"error_{up}"] = {
            "type": "data",
            "array": [high - value for high, value in zip(mark.high, mark.values, strict=True)],
            "arrayminus": [value - low for low, value in zip(mark.low, mark.values, strict=True)],
            "thickness": 1.6,
            "width": 4,
            "color": colour,
        }
    shift = chart.shift(mark)
    return _line(
        chart,
        [at + shift for at in mark.at],
        mark.values,
        mode="lines+markers" if mark.joined else "markers",
        line={"color": colour, "width": 2.2},
        marker={"symbol": _SYMBOLS[mark.symbol], "size": 9, "color": colour, "line": {"color": colour, "width": 1.8}},
        name=_plain(mark.name),
        hovertext=texts,
        hoverinfo="text",
        cliponaxis=False,
        **error,
    )


def _bars(chart: Chart, mark: Bars, colour: str) -> list["go.Scatter | go.Bar"]:
    """Return the stepped outline of a histogram, and bars that are seen only by the pointer."""
    import plotly.graph_objects as go

    along, up = _axes(chart)
    bins = list(pairwise(mark.edges))
    texts = [
        _lines(
            f"{mark.name}: {chart.values.text(value)}", f"{chart.positions.text(start)} to {chart.positions.text(end)}"
        )
        for value, (start, end) in zip(mark.values, bins, strict=True)
    ]
    pointed = go.Bar(
        {along: [(start + end) / 2 for start, end in bins], up: list(mark.values)},
        width=[end - start for start, end in bins],
        orientation="h" if chart.horizontal else "v",
        opacity=0,
        showlegend=False,
        hovertext=texts,
        hoverinfo="text",
    )
    points = [point for run in mark.runs(chart.values.limits[0]) for point in (*run, (None, None))]
    at, values = zip(*points, strict=True) if points else ((), ())
    step = {"shape": "vh" if chart.horizontal else "hv", "color": colour, "width": 1.6}
    look = {"mode": "lines", "line": step, "fill": "toself", "fillcolor": _pale(colour), "hoverinfo": "skip"}
    return [pointed, _line(chart, at, values, name=_plain(mark.name), **look)]


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{PALE})"
