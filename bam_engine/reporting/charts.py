"""The charts of a report, the same on its page and in its file."""

from collections.abc import Sequence
from math import floor

from bam_engine.audit.charts import audited_precision
from bam_engine.charts import Chart, Estimates, Names, Reference, Scale
from bam_engine.formatting import percent, percent_interval
from bam_engine.reporting.report import AttributeReport
from bam_engine.reporting.slices import Slices
from bam_engine.training.charts import LearningPoint, TruePoint, learning_curve, precision_recall, score_distribution


def report_charts(report: AttributeReport, truth: Sequence[TruePoint] = ()) -> dict[str, Chart]:
    """Return the charts by name, without those that have no data: learning, precision_recall, scores, audit."""
    evidence = None if report.threshold is None else report.threshold.evidence
    charts: dict[str, Chart] = {"learning": learning_curve(learning_points(report), truth)}
    if report.evaluation is not None:
        charts["precision_recall"] = precision_recall(
            report.evaluation.curve,
            target=0.90 if evidence is None else evidence.target,
            chosen=evidence,
        )
    cut = None if evidence is None else evidence.value
    charts["scores"] = score_distribution(report.scores, report.labelled, threshold=cut)
    charts["audit"] = audited_precision([] if report.audit is None else [report.audit])
    return {name: chart for name, chart in charts.items() if not chart.empty}


def learning_points(report: AttributeReport) -> list[LearningPoint]:
    """Return the trained rounds with their estimates."""
    return [
        LearningPoint(one.labels, one.average_precision, one.precision, one.recall)
        for one in report.rounds
        if one.labels is not None
    ]


def slice_chart(found: Slices) -> Chart:
    """Return the precision of each slice with its interval, the least precise first, beside that of the whole."""
    measured = [(each, each.figures) for each in found.slices if each.figures and each.figures.precision[0] >= 0]
    value, low, high = (tuple(figures.precision[part] for _, figures in measured) for part in range(3))
    at, whole = tuple(float(place) for place in range(len(measured))), found.whole.precision
    marks = (
        Estimates("precision of the slice", "accent", at, value, low, high),
        Reference(f"all images {percent(whole[0])}", "second", whole[0], "values"),
    )
    return Chart(
        "Precision by slice",
        f"Precision of all images {percent_interval(*whole)}; {found.summary}",
        Names(
            tuple(each.name + (", differs" if each.differs else "") for each, _ in measured),
            tuple(f"{figures.labels:,}" for _, figures in measured),
            "labels",
        ),
        Scale("precision, with 95% intervals", (floor(10 * min([*low, whole[0], 0.9])) / 10, 1), "percent"),
        marks,
        missing="No slice has a label.",
        horizontal=True,
    )
