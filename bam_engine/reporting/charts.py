"""The charts of a report, the same on its page and in its file."""

from collections.abc import Sequence

from bam_engine.audit.charts import audited_precision
from bam_engine.charts import Chart
from bam_engine.reporting.report import AttributeReport
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
