"""The report of one attribute as one HTML file: no network, no script, pictures and charts inside.

In:  an :class:`~bam_engine.reporting.report.AttributeReport`. Out: the text of the file. What people wrote (questions,
titles, names) is escaped by the template engine; the file forbids scripts and requests besides.
"""

import base64
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bam_engine import exchange
from bam_engine.annotation import readable
from bam_engine.audit import Estimate
from bam_engine.audit.chart import figure
from bam_engine.demo import demo_workspace
from bam_engine.errors import BamError
from bam_engine.exchange import CurvePoint, Drawing
from bam_engine.reporting.report import AttributeReport, Share
from bam_engine.workspace.core import Workspace

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


def write_report(workspace: Workspace, report: AttributeReport) -> str:
    """Return the report as the text of one HTML file; images that cannot be read show a dash in their place."""
    template = _environment().get_template(_TEMPLATE.name)
    name, picture = readable(report.attribute.name), functools.partial(_picture, workspace)
    made = demo_workspace.demo(workspace)
    return str(
        template.render(
            report=report,
            name=name,
            charts=charts(report),
            picture=picture,
            generated="" if made is None else demo_workspace.notice(made),
            truth=demo_workspace.truth_of(workspace, report.attribute),
        )
    )


def charts(report: AttributeReport) -> dict[str, str]:
    """Return the charts by name as SVG elements, an empty text where the report has no numbers for one."""
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
    """Return the rounds that were measured, with their shares by name."""
    points = []
    for turn in report.rounds:
        shares: dict[str, Share | None] = {
            "average precision": turn.average_precision,
            "precision": turn.precision,
            "recall": turn.recall,
        }
        if turn.labels is not None and any(shares.values()):
            points.append(CurvePoint(turn.labels, shares))
    return points


def _picture(workspace: Workspace, row: int) -> str:
    """Return the thumbnail of ``row`` as a data URI, or nothing where the image is gone."""
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
        "share": _share_words,
        "estimate": _estimate_words,
        "time": _time_words,
        "verdict": _verdict_words,
    }
    environment.filters.update(filters)
    return environment


def _share_words(share: Share | None) -> str:
    return "–" if share is None else f"{share[0]:.3f} ({share[1]:.3f} to {share[2]:.3f})"


def _estimate_words(found: Estimate | None) -> str:
    return _share_words(None if found is None else (found.value, found.low, found.high))


def _time_words(moment: str | None) -> str:
    """Return an ISO time in UTC as date and minute."""
    return "–" if moment is None else moment[:16].replace("T", " ")


def _verdict_words(kept: bool | None) -> str:
    return "open" if kept is None else "kept" if kept else "contradicted"
