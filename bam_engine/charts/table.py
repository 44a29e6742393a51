"""The numbers of a chart as CSV."""

import io
from collections.abc import Iterator
from itertools import pairwise, zip_longest

from bam_engine.charts.chart import Bars, Chart, Curve, Mark, Names, Reference
from bam_engine.spreadsheets import write_lines

HEAD = ("series", "position", "until", "value", "low", "high", "note")


def csv_file(chart: Chart, *, raw_text: bool = False) -> bytes:
    """Return a line for each point, bar and reference line under a header, in UTF-8; numbers are not rounded.

    No name starts a formula in a spreadsheet (:mod:`bam_engine.spreadsheets`), unless ``raw_text`` is asked for.
    """
    text = io.StringIO()
    write_lines(text, [HEAD, *(line for mark in chart.marks for line in _lines(chart, mark))], raw_text=raw_text)
    return text.getvalue().encode()


def _lines(chart: Chart, mark: Mark) -> Iterator[tuple[object, ...]]:
    if isinstance(mark, Reference):
        yield (
            (mark.name, mark.at, "", "", "", "", "")
            if mark.on == "positions"
            else (mark.name, "", "", mark.at, "", "", "")
        )
    elif isinstance(mark, Bars):
        for (start, end), value in zip(pairwise(mark.edges), mark.values, strict=True):
            yield mark.name, start, end, value, "", "", ""
    else:
        names = isinstance(chart.positions, Names)
        notes = mark.notes if isinstance(mark, Curve) else ()
        for at, *rest in zip_longest(mark.at, mark.values, mark.low, mark.high, notes, fillvalue=""):
            yield mark.name, chart.positions.text(float(at)) if names else at, "", *rest
