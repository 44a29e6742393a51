"""The report of one attribute as one HTML file, with pictures and charts embedded.

The file needs no network and forbids scripts and requests. The template engine escapes what people wrote (questions,
titles, names).
"""

import base64
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bam_engine import formatting
from bam_engine.annotation import readable
from bam_engine.audit import Estimate
from bam_engine.charts import svg_element
from bam_engine.demo import demo_workspace
from bam_engine.errors import BamError
from bam_engine.labelling.guideline_examples import KINDS
from bam_engine.reporting.charts import report_charts
from bam_engine.reporting.report import AttributeReport, Interval
from bam_engine.workspace.core import Workspace

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


def write_report(workspace: Workspace, report: AttributeReport) -> str:
    """Return the report as the text of one HTML file; an unreadable image is shown as a dash."""
    template = _environment().get_template(_TEMPLATE.name)
    name, picture = readable(report.attribute.name), functools.partial(_picture, workspace)
    demo, truth = demo_workspace.demo(workspace), demo_workspace.ground_truth(workspace, report.attribute)
    charts = report_charts(report, () if truth is None else truth.learning_points)
    return str(
        template.render(
            report=report,
            name=name,
            charts={name: svg_element(chart) for name, chart in charts.items()},
            picture=picture,
            kinds=KINDS,
            generated="" if demo is None else demo_workspace.notice(demo),
            truth=truth,
        )
    )


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
