"""The chart of audited precision over all attributes, and its numbers, as files."""

import io
from collections.abc import Sequence

import numpy as np

from bam_engine import charts
from bam_engine.annotation import readable
from bam_engine.audit import BAM_MEAN_PRECISION, Estimate, audits
from bam_engine.audit.audits import AuditResult
from bam_engine.charts import Chart, Estimates, Mark, Names, Reference, Scale, Theme
from bam_engine.charts.chart import Colour, Symbol
from bam_engine.errors import AuditError
from bam_engine.formatting import count, percent, percent_interval
from bam_engine.spreadsheets import write_lines

FORMS = ("svg", "png", "csv")
_HEAD = ("attribute", "definition", "precision", "low", "high", "positive", "labelled", "open", "people")
_MORE = ("design_effect", "independent", "method", "target", "target_met", "seed", "drawn")

Row = tuple[str, Estimate, Estimate | None]
"""An attribute or a mean: its name, its precision by consensus, and by BAM's definition."""


def audited_precision(results: Sequence[AuditResult]) -> Chart:
    """Return precision by attribute with intervals, highest first, by both definitions, beside BAM's mean.

    The mean of several attributes stands last. After the label-precision figure of BAM! (Wilber et al., 2017), which
    has no intervals.
    """
    rows: list[Row] = [(_name(each), each.precision, each.by_any) for each in results if each.precision is not None]
    rows.sort(key=lambda row: (-row[1].value, row[0]))
    words = _words(rows)
    mean = audits.mean_precision(results) if len(rows) > 1 else None
    if mean is not None:
        rows.append((f"mean of {len(rows)}", mean, audits.mean_precision(results, by_any=True)))
    by_any = [(at, one) for at, (_, _, one) in enumerate(rows) if one is not None]
    marks: list[Mark] = [
        _estimates("annotators agree", "accent", "dot", [(at, one) for at, (_, one, _) in enumerate(rows)]),
        _estimates("at least one says yes (BAM's definition)", "ink", "hollow", by_any),
        Reference(f"BAM's mean {percent(BAM_MEAN_PRECISION)}", "second", BAM_MEAN_PRECISION, "values"),
    ]
    lowest = min([BAM_MEAN_PRECISION, *(low for mark in marks if isinstance(mark, Estimates) for low in mark.low)])
    return Chart(
        "Audited precision",
        words,
        Names(
            tuple(name for name, _, _ in rows),
            tuple(f"{one.k:,} / {one.n:,}" for _, one, _ in rows),
            "positive / labelled",
            summary=mean is not None,
        ),
        Scale("precision, with 95% intervals", (min(0.8, float(np.floor(lowest * 10 + 1e-9) / 10)), 1), "percent"),
        tuple(marks),
        missing="No attribute is audited yet.",
        horizontal=True,
    )


def _estimates(name: str, colour: Colour, symbol: Symbol, rows: Sequence[tuple[int, Estimate]]) -> Estimates:
    at = tuple(float(place) for place, _ in rows)
    values, low, high = (tuple(getattr(one, part) for _, one in rows) for part in ("value", "low", "high"))
    return Estimates(name, colour, at, values, low, high, symbol)


def _words(rows: Sequence[Row]) -> str:
    """Describe the attributes, the highest precision first."""
    bam = f"BAM's mean is {percent(BAM_MEAN_PRECISION)}"
    if not rows:
        return f"Audited precision by attribute; {bam}."
    first, last = (
        f"{percent_interval(one.value, one.low, one.high)} for {name}" for name, one, _ in (rows[0], rows[-1])
    )
    found = first if len(rows) == 1 else f"of {count(len(rows), 'attribute')}, from {first} to {last}"
    return f"Audited precision {found}, with 95% intervals; {bam}."


def _name(result: AuditResult) -> str:
    return readable(result.attribute.name) + ("" if result.complete else ", not finished")


def chart_file(results: Sequence[AuditResult], form: str, theme: Theme = "light", *, raw_text: bool = False) -> bytes:
    """Return the chart as the bytes of an ``svg`` or ``png`` file, or its numbers as ``csv``.

    No text of the CSV starts a formula in a spreadsheet (:mod:`bam_engine.spreadsheets`), unless ``raw_text`` is asked
    for.

    Raises
    ------
    AuditError
        Nothing is labelled yet, or the form is unknown.
    """
    if form not in FORMS:
        raise AuditError(f"Cannot write a chart as {form!r}. Choose one of {', '.join(FORMS)}.")
    if form == "csv":
        return _table(results, raw_text)
    chart = audited_precision(results)
    if chart.empty:
        raise AuditError(
            "No attribute is audited yet, so there is nothing to chart. Start an audit and label it first."
        )
    return charts.svg_file(chart, theme) if form == "svg" else charts.png_file(chart, theme)


def _table(results: Sequence[AuditResult], raw_text: bool) -> bytes:
    """Return CSV with a header and a line for each attribute and definition, in UTF-8."""
    text = io.StringIO()
    lines: list[list[object]] = [[*_HEAD, *_MORE]]
    for result in results:
        for definition, estimate in (("consensus", result.precision), ("any", result.by_any)):
            if estimate is None:
                continue
            met = result.verdict.met if definition == "consensus" and result.verdict is not None else None
            if definition == "any" and result.complete:
                met = estimate.meets(result.target)
            word = "open" if met is None else "yes" if met else "no"
            counts = (estimate.value, estimate.low, estimate.high, estimate.k, estimate.n, estimate.open, result.people)
            method = (estimate.design_effect, estimate.n_effective, estimate.method)
            drawn = (result.target, word, result.seed, result.made_at)
            lines.append([result.attribute.name, definition, *counts, *method, *drawn])
    for definition, mean in (
        ("consensus", audits.mean_precision(results)),
        ("any", audits.mean_precision(results, by_any=True)),
    ):
        if mean is not None:
            line = [mean.value, mean.low, mean.high, mean.k, mean.n, mean.open, "", mean.design_effect]
            lines.append(["mean", definition, *line, mean.n_effective, mean.method, "", "", "", ""])
    write_lines(text, lines, raw_text=raw_text)
    return text.getvalue().encode()
