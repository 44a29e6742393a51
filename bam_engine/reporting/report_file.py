"""The report of one attribute as one HTML file, with pictures and charts embedded.

The file needs no network and forbids scripts and requests. The template engine escapes what people wrote (questions,
titles, names).
"""

import base64
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bam_engine import exchange, formatting
from bam_engine.annotation import readable
from bam_engine.audit import Estimate
from bam_engine.audit.chart import figure
from bam_engine.demo import demo_workspace
from bam_engine.errors import BamError
from bam_engine.exchange import CurvePoint, Drawing
from bam_engine.reporting.report import AttributeReport, Interval
from bam_engine.workspace.core import Workspace

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


def write_report(workspace: Workspace, report: AttributeReport) -> str:
    """Return the report as the text of one HTML file; an unreadable image is shown as a dash."""
    template = _environment().get_template(_TEMPLATE.name)
    name, picture = readable(report.attribute.name), functools.partial(_picture, workspace)
    demo = demo_workspace.demo(workspace)
    return str(
        template.render(
            report=report,
            name=name,
            charts=charts(report),
            picture=picture,
            generated="" if demo is None else demo_workspace.notice(demo),
            truth=demo_workspace.ground_truth(workspace, report.attribute),
        )
    )


def charts(report: AttributeReport) -> dict[str, str]:
    """Return the charts by name as SVG elements; a chart without numbers is an empty string."""
    drawings: dict[str, Drawing | None] = dict.fromkeys(("learning", "precision_recall", "scores", "audit"))
    points = learning_points(report)
    if points:
        drawings["learning"] = exchange.learning_figure(points)
    if report.evaluation is not None:
        threshold = report.threshold
        chosen = None if threshold is None else (threshold.evidence.recall, threshold.evidence.precision)
        target = 0.90 if threshold is None else threshold.evidence.target
        drawings["precision_recall"] = exchange.precision_recall_figure(
            report.evaluation.curve, target=target, chosen=chosen
        )
    if len(report.scores):
        cut = None if report.threshold is None else report.threshold.value
        drawings["scores"] = exchange.score_figure(report.scores, report.labelled, threshold=cut)
    if report.audit is not None and report.audit.precision is not None:
        drawings["audit"] = figure([report.audit])
    return {name: exchange.svg_element(drawing) if drawing else "" for name, drawing in drawings.items()}


def learning_points(report: AttributeReport) -> list[CurvePoint]:
    """Return the measured rounds with their estimates by name."""
    points = []
    for summary in report.rounds:
        estimates: dict[str, Interval | None] = {
            "average precision": summary.average_precision,
            "precision": summary.precision,
            "recall": summary.recall,
        }
        if summary.labels is not None and any(estimates.values()):
            points.append(CurvePoint(summary.labels, estimates))
    return points


def _picture(workspace: Workspace, row: int) -> str:
    """Return the thumbnail of ``row`` as a data URI, or an empty string where the image cannot be read."""
    try:
        data = workspace.thumbnails.ensure(row, workspace.catalogue.image(row).path)
    except BamError:
        return ""
    return "data:image/webp;base64," + base64.b64encode(data).decode()


@functools.cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE.parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    filters: dict[str, Callable[..., str]] = {
        "number": "{:,}".format,
        "count": formatting.count,
        "percent": formatting.percent,
        "percent_at_least": formatting.percent_at_least,
        "percent_range": formatting.percent_range,
        "decimal": formatting.decimal,
        "decimal_interval": _decimal_interval,
        "decimal_estimate": lambda estimate: _decimal_interval((estimate.value, estimate.low, estimate.high)),
        "estimate": _percent_estimate,
        "time": _time,
        "verdict": _verdict,
    }
    environment.filters.update(filters)
    return environment


def _decimal_interval(interval: Interval | None) -> str:
    return formatting.NOTHING if interval is None else formatting.decimal_interval(*interval)


def _percent_estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return formatting.NOTHING
    return formatting.percent_interval(estimate.value, estimate.low, estimate.high)


def _time(moment: str | None) -> str:
    """Return an ISO time in UTC as date and minute."""
    return formatting.NOTHING if moment is None else moment[:16].replace("T", " ")


def _verdict(met: bool | None) -> str:
    return "inconclusive" if met is None else "met" if met else "missed"
