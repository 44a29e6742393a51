"""What a chart says of itself: its words, whether it is empty, what stands beside what, and its numbers as CSV."""

import csv
import io
from dataclasses import replace

import pytest

from bam_engine.charts import Bars, Chart, Estimates, Names, Scale, csv_file
from tests.charts.examples import ALL, EMPTY, FOREIGN, FULL, LEARNING, ROWS


def table(chart: Chart) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_file(chart).decode())))


def test_an_axis_writes_its_values_as_everything_else_does() -> None:
    assert Scale("", (0, 1), "percent").text(0.9712) == "97.1%"
    assert Scale("", (0, 1), "percent").interval_text(0.97, 0.83, 1.0) == "97% (83–100%)"
    assert Scale("", (0, 1)).interval_text(0.01, -0.08, 0.1) == "0.01 (−0.08 to 0.10)"
    assert Scale("", (0, 5000), "count").text(2000.0) == "2,000"
    assert Names(("a", "b")).text(1.0) == "b"


def test_a_chart_is_empty_where_only_axes_and_references_are_left() -> None:
    assert not any(chart.empty for chart in FULL.values())
    assert all(chart.empty for chart in EMPTY.values())
    assert all(chart.missing.endswith(".") for chart in ALL.values())


def test_series_with_intervals_stand_beside_each_other_around_their_positions() -> None:
    shifts = [ROWS.shift(mark) for mark in ROWS.marks]
    assert shifts == pytest.approx([-0.15, 0.15, 0.0])
    intervals = [mark for mark in LEARNING.marks if isinstance(mark, Estimates) and mark.low]
    shifts = [LEARNING.shift(mark) for mark in intervals]
    assert shifts[1] == 0
    assert shifts[0] == -shifts[2] < 0
    assert all(LEARNING.shift(mark) == 0 for mark in LEARNING.marks if mark not in intervals), "the truth stays"


def test_the_outline_of_a_histogram_goes_around_each_run_of_bars() -> None:
    bars = Bars("", "quiet", (0, 1, 2, 3, 4, 5), (2, 3, 0, 0, 4))
    assert bars.runs(0.5) == [[(0, 0.5), (0, 2), (1, 3), (2, 0.5)], [(4, 0.5), (4, 4), (5, 0.5)]]
    assert Bars("", "quiet", (0, 1), (0,)).runs(0.5) == []


def test_the_csv_has_every_number_of_a_chart() -> None:
    lines = table(ROWS)
    assert lines[1] == {
        "series": "agree",
        "position": FOREIGN,
        "until": "",
        "value": "0.84",
        "low": "0.75",
        "high": "0.91",
        "note": "",
    }
    assert lines[-1]["series"] == "BAM"
    assert float(lines[-1]["value"]) == 0.904
    bars = FULL["scores"].marks[0]
    assert isinstance(bars, Bars)
    lines = [line for line in table(FULL["scores"]) if line["series"] == "all images"]
    assert [float(line["position"]) for line in lines] == list(bars.edges[:-1])
    assert [float(line["until"]) for line in lines] == list(bars.edges[1:])
    assert sum(float(line["value"]) for line in lines) == 300
    notes = [line["note"] for line in table(FULL["precision and recall"])]
    assert notes[0].startswith("score ≥ ")
    assert all(csv_file(chart).startswith(b"series,") for chart in EMPTY.values())


def test_a_name_in_the_csv_starts_no_formula_unless_raw_text_is_asked_for() -> None:
    chart = replace(ROWS, positions=Names(("=1+1", "b", "c", "d"), ("", "", "", ""), "k / n", True))
    assert b"agree,'=1+1," in csv_file(chart)
    assert b"agree,=1+1," in csv_file(chart, raw_text=True)
