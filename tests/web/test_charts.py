"""A page's Plotly figure holds the same values, intervals, names and colours as the chart and its SVG."""

import html
import re
import tomllib
from typing import Any

import numpy as np
import pytest

from bam_engine.charts import Bars, Chart, Curve, Estimates, Mark, Names, Reference
from tests.browser import ROOT
from tests.charts.contrast import contrast
from tests.charts.examples import ALL, EMPTY, FOREIGN, FULL, ROWS
from web.charts import colour_of, figure
from web.ui import CSS


def drawn(chart: Chart) -> dict[str, Any]:
    """The figure as the browser gets it."""
    return figure(chart).to_dict()


def trace(chart: Chart, mark: Mark) -> dict[str, Any]:
    (found,) = [one for one in drawn(chart)["data"] if one.get("name") == html.escape(mark.name, quote=False)]
    return found


def axes(chart: Chart) -> tuple[str, str]:
    return ("y", "x") if chart.horizontal else ("x", "y")


MARKS = [(chart, mark) for chart in FULL.values() for mark in chart.marks]
IDS = [f"{name}: {mark.name}" for name, chart in FULL.items() for mark in chart.marks]


@pytest.mark.parametrize(("chart", "mark"), MARKS, ids=IDS)
def test_every_mark_is_a_trace_with_its_numbers_and_colour(chart: Chart, mark: Mark) -> None:
    found, (along, up) = trace(chart, mark), axes(chart)
    colour = colour_of(mark)
    assert found["line"]["color"] == colour
    if isinstance(mark, Estimates):
        assert found["marker"]["color"] == found["marker"]["line"]["color"] == colour
    if isinstance(mark, Reference):
        at, across = (along, up) if mark.on == "positions" else (up, along)
        assert list(found[at]) == [mark.at, mark.at]
        assert tuple(found[across]) == (chart.positions if across == along else chart.values).limits
    elif isinstance(mark, Bars):
        assert {value for value in found[up] if value is not None} - {chart.values.limits[0]} == set(mark.values) - {0}
    else:
        assert found[along] == pytest.approx([at + chart.shift(mark) for at in mark.at])
        assert tuple(found[up]) == mark.values


@pytest.mark.parametrize(("chart", "mark"), MARKS, ids=IDS)
def test_every_interval_reaches_from_its_lower_to_its_upper_limit(chart: Chart, mark: Mark) -> None:
    _, up = axes(chart)
    if isinstance(mark, Estimates) and mark.low:
        error = trace(chart, mark)[f"error_{up}"]
        assert np.subtract(mark.values, error["arrayminus"]) == pytest.approx(mark.low)
        assert np.add(mark.values, error["array"]) == pytest.approx(mark.high)
        assert error["color"] == colour_of(mark)
    if isinstance(mark, Curve):
        low, high = [one for one in drawn(chart)["data"] if one.get("showlegend") is False]
        assert (tuple(low[up]), tuple(high[up]), high["fill"]) == (mark.low, mark.high, "tonexty")


def test_what_is_pointed_at_is_read_with_its_interval() -> None:
    agree = trace(ROWS, ROWS.marks[0])
    assert agree["hovertext"][0] == "agree: 97% (91–100%)<br>comic (media)"
    chart = FULL["precision and recall"]
    lines = trace(chart, chart.marks[0])["hovertext"][0].split("<br>")
    assert lines[0].startswith("precision with its interval: 100% (")
    assert lines[1].startswith("recall: ")
    assert lines[2].startswith("score ≥ ")
    chart = FULL["scores"]
    bars = chart.marks[0]
    assert isinstance(bars, Bars)
    pointed = next(one for one in drawn(chart)["data"] if one["type"] == "bar")
    assert tuple(pointed["y"]) == bars.values
    assert pointed["hovertext"][0].startswith(f"all images: {bars.values[0]}<br>−")


@pytest.mark.parametrize("name", list(ALL))
def test_the_axes_have_the_titles_and_limits_of_the_chart(name: str) -> None:
    chart = ALL[name]
    layout, (along, up) = drawn(chart)["layout"], axes(chart)
    values = layout[f"{up}axis"]
    limits = np.log10(chart.values.limits) if chart.values.logarithmic else chart.values.limits
    assert values["title"]["text"] == chart.values.title
    assert values["range"] == pytest.approx(limits)
    if not isinstance(chart.positions, Names):
        assert layout[f"{along}axis"]["title"]["text"] == chart.positions.title
        assert layout[f"{along}axis"]["range"] == pytest.approx(chart.positions.limits)


def test_rows_have_their_names_and_notes_as_plain_text_and_the_first_is_at_the_top() -> None:
    layout = drawn(ROWS)["layout"]
    assert isinstance(ROWS.positions, Names)
    shown = [html.unescape(label.replace("<br>", " ")) for label in layout["yaxis"]["ticktext"]]
    assert shown == [*ROWS.positions.names[:3], "<b>mean of 3</b>"]
    assert all(len(line) <= 30 for label in layout["yaxis"]["ticktext"] for line in label.split("<br>"))
    assert "<b>&" not in layout["yaxis"]["ticktext"][1], f"{FOREIGN} is no markup"
    assert layout["yaxis"]["range"] == [3.5, -0.5]
    assert {note["text"] for note in layout["annotations"]} >= set(ROWS.positions.notes)


@pytest.mark.parametrize("name", list(EMPTY))
def test_a_chart_without_data_says_so(name: str) -> None:
    found = drawn(EMPTY[name])
    assert "data" not in found or not found["data"]
    assert EMPTY[name].missing in [note["text"] for note in found["layout"]["annotations"]]


def test_every_colour_is_seen_on_the_ground_of_either_theme() -> None:
    themes = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    for ground in (themes["light"]["backgroundColor"], themes["dark"]["backgroundColor"]):
        for _, mark in MARKS:
            assert contrast(colour_of(mark), ground) >= 3, mark.name
    css = re.search(r"\.legendtext { fill: light-dark\((#\w+), (#\w+)\) !important", CSS)
    labels = re.search(r"\.annotation\) text\) {\s+fill: light-dark\((#\w+), (#\w+)\) !important", CSS)
    assert css
    assert labels
    for light, dark in (css.groups(), labels.groups()):
        assert contrast(light, themes["light"]["backgroundColor"]) >= 4.5
        assert contrast(dark, themes["dark"]["backgroundColor"]) >= 4.5
