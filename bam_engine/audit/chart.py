"""The chart of audited precision over all attributes, and its numbers, as something to keep or to print.

Wires the audits to the figures of ``exchange``. Nothing is drawn here.
"""

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
_HEAD = ("attribute", "definition", "precision", "low", "high", "positive", "judged", "open", "people")
_MORE = ("design_effect", "independent", "method", "target", "kept", "seed", "drawn")


def figure(found: Sequence[AuditResult]) -> Drawing:
    """Return the chart: every audited attribute by both definitions, and their mean where there are several.

    Raises
    ------
    AuditError
        Nothing is judged yet.
    """
    rows = [
        PrecisionRow(_name(one), _note(one.precision), _share(one.precision), _maybe(one.by_any))
        for one in found
        if one.precision is not None
    ]
    if not rows:
        raise AuditError("no attribute is audited yet: there is no chart to draw. Draw an audit and judge it first.")
    mean = audits.mean_precision(found)
    if len(rows) > 1 and mean is not None:
        by_any = audits.mean_precision(found, by_any=True)
        rows.append(PrecisionRow(f"mean of {len(rows)}", _note(mean), _share(mean), _maybe(by_any), mean=True))
    name = f"BAM's mean {percent(BAM_MEAN_PRECISION)}"
    return exchange.precision_figure(rows, reference=BAM_MEAN_PRECISION, reference_name=name)


def _name(found: AuditResult) -> str:
    return readable(found.attribute.name) + ("" if found.complete else ", not finished")


def _note(found: Estimate) -> str:
    return f"{found.k:,} / {found.n:,}"


def _share(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def _maybe(found: Estimate | None) -> tuple[float, float, float] | None:
    return None if found is None else _share(found)


def chart(found: Sequence[AuditResult], form: str) -> bytes:
    """Return the chart as the bytes of an ``svg`` or ``png`` file, or its numbers as ``csv``.

    Raises
    ------
    AuditError
        Nothing is judged yet, or the form is none of these.
    """
    if form not in FORMS:
        raise AuditError(f"a chart cannot be written as {form!r}: choose one of {', '.join(FORMS)}.")
    if form == "csv":
        return _table(found)
    drawing = figure(found)
    return exchange.svg_file(drawing) if form == "svg" else exchange.png_file(drawing)


def _table(found: Sequence[AuditResult]) -> bytes:
    """Return a line for each attribute and definition, UTF-8 with a head."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_HEAD, *_MORE])
    for one in found:
        for definition, share in (("consensus", one.precision), ("any", one.by_any)):
            if share is None:
                continue
            kept = share.meets(one.target) if one.complete else None
            word = "open" if kept is None else "yes" if kept else "no"
            counts = (share.value, share.low, share.high, share.k, share.n, share.open, one.people)
            more = (share.design_effect, share.n_effective, share.method, one.target, word, one.seed, one.made_at)
            writer.writerow([one.attribute.name, definition, *counts, *more])
    for definition, mean in (
        ("consensus", audits.mean_precision(found)),
        ("any", audits.mean_precision(found, by_any=True)),
    ):
        if mean is not None:
            line = [mean.value, mean.low, mean.high, mean.k, mean.n, mean.open, "", mean.design_effect]
            writer.writerow(["mean", definition, *line, mean.n_effective, mean.method, "", "", "", ""])
    return text.getvalue().encode()
