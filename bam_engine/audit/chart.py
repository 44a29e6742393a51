"""The chart of audited precision over all attributes, and its numbers, as files."""

import csv
import io
from collections.abc import Sequence

from bam_engine import exchange
from bam_engine.annotation import readable
from bam_engine.audit import BAM_MEAN_PRECISION, Estimate, audits
from bam_engine.audit.audits import AuditResult
from bam_engine.errors import AuditError
from bam_engine.exchange import Drawing, PrecisionRow
from bam_engine.formatting import percent

FORMS = ("svg", "png", "csv")
_HEAD = ("attribute", "definition", "precision", "low", "high", "positive", "labelled", "open", "people")
_MORE = ("design_effect", "independent", "method", "target", "target_met", "seed", "drawn")


def figure(results: Sequence[AuditResult]) -> Drawing:
    """Return the chart: each audited attribute by both definitions, and their mean if there are several.

    Raises
    ------
    AuditError
        Nothing is labelled yet.
    """
    rows = [
        PrecisionRow(_name(each), _note(each.precision), _interval(each.precision), _optional_interval(each.by_any))
        for each in results
        if each.precision is not None
    ]
    if not rows:
        raise AuditError(
            "No attribute is audited yet, so there is nothing to chart. Start an audit and label it first."
        )
    mean = audits.mean_precision(results)
    if len(rows) > 1 and mean is not None:
        by_any = audits.mean_precision(results, by_any=True)
        rows.append(
            PrecisionRow(f"mean of {len(rows)}", _note(mean), _interval(mean), _optional_interval(by_any), mean=True)
        )
    name = f"BAM's mean {percent(BAM_MEAN_PRECISION)}"
    return exchange.precision_figure(rows, reference=BAM_MEAN_PRECISION, reference_name=name)


def _name(result: AuditResult) -> str:
    return readable(result.attribute.name) + ("" if result.complete else ", not finished")


def _note(estimate: Estimate) -> str:
    return f"{estimate.k:,} / {estimate.n:,}"


def _interval(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _optional_interval(estimate: Estimate | None) -> tuple[float, float, float] | None:
    return None if estimate is None else _interval(estimate)


def chart(results: Sequence[AuditResult], form: str) -> bytes:
    """Return the chart as the bytes of an ``svg`` or ``png`` file, or its numbers as ``csv``.

    Raises
    ------
    AuditError
        Nothing is labelled yet, or the form is unknown.
    """
    if form not in FORMS:
        raise AuditError(f"Cannot write a chart as {form!r}. Choose one of {', '.join(FORMS)}.")
    if form == "csv":
        return _table(results)
    drawing = figure(results)
    return exchange.svg_file(drawing) if form == "svg" else exchange.png_file(drawing)


def _table(results: Sequence[AuditResult]) -> bytes:
    """Return CSV with a header and a line for each attribute and definition, in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_HEAD, *_MORE])
    for result in results:
        for definition, estimate in (("consensus", result.precision), ("any", result.by_any)):
            if estimate is None:
                continue
            met = estimate.meets(result.target) if result.complete else None
            word = "open" if met is None else "yes" if met else "no"
            counts = (*_interval(estimate), estimate.k, estimate.n, estimate.open, result.people)
            method = (estimate.design_effect, estimate.n_effective, estimate.method)
            drawn = (result.target, word, result.seed, result.made_at)
            writer.writerow([result.attribute.name, definition, *counts, *method, *drawn])
    for definition, mean in (
        ("consensus", audits.mean_precision(results)),
        ("any", audits.mean_precision(results, by_any=True)),
    ):
        if mean is not None:
            line = [mean.value, mean.low, mean.high, mean.k, mean.n, mean.open, "", mean.design_effect]
            writer.writerow(["mean", definition, *line, mean.n_effective, mean.method, "", "", "", ""])
    return text.getvalue().encode()
