"""Report: all the evidence for one attribute, on a page and as one file to share."""

import pandas as pd
import streamlit as st

from bam_engine.audit import Estimate
from bam_engine.formatting import NOTHING, count, decimal, decimal_interval, percent, percent_at_least, percent_range
from bam_engine.reporting.charts import report_charts
from bam_engine.reporting.report import AttributeReport, gather
from bam_engine.reporting.report_file import write_report
from web import charts, demo_controls, encoder_notes, guideline_examples, slices, ui
from web.answering import by_key
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.image_panel import open_image
from web.steps import attribute_in_focus

ws = workspace()
ui.head("Report", "Everything about this attribute: labels, training, threshold and audit.")


def head(report: AttributeReport) -> None:
    """Draw the question, what is missing, and the numbers that matter."""
    st.markdown(f"**{ui.plain(report.attribute.question)}**")
    if report.attribute.instructions:
        st.markdown("  \n".join(ui.plain(line) for line in report.attribute.instructions.splitlines()))
    picked = guideline_examples.strip(report.attribute, key=f"examples-{report.attribute.id}")
    if picked is not None:
        open_image(picked)
    if report.missing:
        st.info("Still missing:\n" + "\n".join(f"- {ui.plain(one)}" for one in report.missing), icon=":material/info:")
    if report.without_file:
        st.caption(report.without_file)
    cells = st.columns(5)
    embedded = f"{report.embedded:,} embedded · {report.projects:,} projects"
    number(cells[0], "Images", f"{report.images:,}", embedded)
    cut = None if report.threshold is None else report.threshold.evidence
    if cut is None:
        number(cells[1], "Accepted", NOTHING, "no threshold")
    else:
        accepted = report.delivered
        number(cells[1], "Accepted", NOTHING if accepted is None else f"{accepted.accepted:,}", _by_whom(report))
        about = ", of covered images" if accepted is not None and accepted.not_covered else ""
        for cell, name, (value, *limits) in (
            (cells[2], "Precision", cut.precision_interval),
            (cells[3], "Recall", cut.recall_interval),
        ):
            number(cell, name, percent(value), f"{percent_range(*limits)}{about}")
    if report.audit is not None and report.audit.precision is not None:
        audited = report.audit.precision
        number(cells[4], "Audited precision", percent(audited.value), percent_range(audited.low, audited.high))


def _by_whom(report: AttributeReport) -> str:
    counts, threshold = report.delivered, report.threshold
    if counts is None or threshold is None:
        return "no threshold"
    return counts.words


def number(cell: st.delta_generator.DeltaGenerator, name: str, value: str, words: str) -> None:
    """Draw one number with what belongs to it."""
    cell.metric(name, value, words, delta_color="off", delta_arrow="off")


def audit(report: AttributeReport) -> None:
    """Draw the audit of the threshold in use."""
    result = report.audit
    if result is None or result.verdict is None:
        return
    st.subheader("Audit", anchor=False)
    st.markdown(ui.plain(result.verdict.summary))
    st.caption(result.population)
    draw(report, "audit")
    estimates = {
        "precision: annotators agree": result.precision,
        "precision, BAM's definition: at least one says yes": result.by_any,
        "missed positives: share of the rejected": result.missed,
    }
    table([{"share": name, **estimate_cells(one)} for name, one in estimates.items() if one is not None])


def estimate_cells(estimate: Estimate) -> dict[str, object]:
    """Return one row of the audit's table."""
    return {
        "value": percent(estimate.value),
        "95% interval": percent_range(estimate.low, estimate.high),
        "positive": estimate.k,
        "labelled": estimate.n,
        "open": estimate.open,
        "absent": estimate.absent,
        "design effect": decimal(estimate.design_effect),
        "method": estimate.method,
    }


def threshold(report: AttributeReport) -> None:
    """Draw the threshold with its evidence, the curve and the scores."""
    if report.evaluation is None:
        return
    st.subheader("Threshold", anchor=False)
    threshold = report.threshold
    if threshold is not None:
        cut = threshold.evidence
        saved = f"chosen on {time(report.threshold_at)} (UTC)" if report.threshold_at else "suggested"
        st.markdown(
            f"{ui.plain(report.threshold_words)} Target {percent(cut.target)}, "
            f"confidence {percent_at_least(cut.confidence)}, {saved}."
        )
        if report.correction is not None:
            st.caption(report.correction.summary)
    certifications(report)
    left, right = st.columns(2, gap="large")
    with left:
        draw(report, "precision_recall")
    with right:
        draw(report, "scores")


def certifications(report: AttributeReport) -> None:
    """Draw the certifications and their results."""
    if not report.certifications:
        return
    table(
        [
            {
                "certification (UTC)": time(one.made_at),
                "model": one.model_id,
                "target": percent(one.target),
                "confidence": percent_at_least(one.confidence),
                "covers": count(one.population, "image"),
                "left out": NOTHING if one.left_out is None else f"{one.left_out:,}",
                "absent": f"{one.absent:,}",
                "pilot": one.pilot,
                "batches": " + ".join(str(size) for size in one.batches[1:]) or NOTHING,
                "labels": f"{one.labels} of {one.planned}",
                "thresholds passed": f"{one.passed} of {len(one.cuts)}",
                "certified from": NOTHING if one.certified is None else decimal(one.certified, 3),
                "accepts": f"{one.accepted:,}",
                "seed": str(one.seed),
            }
            for one in report.certifications
        ]
    )


def rounds(report: AttributeReport) -> None:
    """Draw the queries of each round, their reasons, and the result."""
    if not report.rounds:
        return
    st.subheader("Rounds", anchor=False)
    st.markdown("  \n".join(ui.plain(line) for line in report.diagnosis))
    draw(report, "learning")
    table(
        [
            {
                "round": one.number,
                "strategy": one.strategy,
                "answered": f"{one.answered} of {one.queried}",
                "positive": one.positive,
                "labels": NOTHING if one.labels is None else str(one.labels),
                "average precision": NOTHING
                if one.average_precision is None
                else decimal_interval(*one.average_precision),
                "decisions changed": NOTHING if one.flipped is None else f"{one.flipped:,}",
                "C": NOTHING if one.regularisation is None else f"{one.regularisation:.3g}",
                "seed": str(one.seed),
                "trained (UTC)": time(one.trained_at),
                "why": " · ".join(f"{number} {reason}" for reason, number in one.reasons),
            }
            for one in report.rounds
        ]
    )


def people(report: AttributeReport) -> None:
    """Draw the annotators, their agreement, and the validation set."""
    if not report.annotators:
        return
    st.subheader("People and labels", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        table(
            [
                {
                    "annotator": who.name + (" (simulated)" if who.simulated else ""),
                    "answers": who.answers,
                    "yes": who.positive,
                    "no": who.negative,
                    "unsure": who.unsure,
                }
                for who in report.annotators
            ]
        )
    with right:
        table(
            [
                {
                    "validation drawn (UTC)": time(one.made_at),
                    "images": one.images,
                    "positive": one.positive,
                    "negative": one.negative,
                    "left out": NOTHING if one.left_out is None else f"{one.left_out:,}",
                    "seed": "not stored" if one.seed is None else str(one.seed),
                }
                for one in report.draws
            ]
        )
    if report.agreement:
        table([{"agreement": measure, "value": words} for measure, words in report.agreement])


def examples(report: AttributeReport) -> None:
    """Draw images of both sides of the threshold."""
    for place, group in enumerate(report.examples):
        st.subheader(group.title, anchor=False)
        pictures = [Picture(one.row, decimal(one.score), one.name, one.label) for one in group.examples]
        picked = gallery(
            pictures,
            key=f"report-{report.attribute.id}-{place}",
            version=ws.picture_version,
            size=112,
            answering=by_key(report.attribute, names_keys=group is report.examples[-1]),
        )
        if picked is not None:
            open_image(picked)


def draw(report: AttributeReport, name: str) -> None:
    """Draw one of the report's charts, if there is anything to draw."""
    if name in drawn:
        charts.show(drawn[name], f"report-{name.replace('_', '-')}-{report.attribute.name}")


def table(lines: list[dict[str, object]]) -> None:
    """Draw a small table."""
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch", column_config=ui.counts(lines))


def time(moment: str | None) -> str:
    """Return an ISO time as date and minute."""
    return NOTHING if moment is None else moment[:16].replace("T", " ")


attribute = attribute_in_focus("report")
if attribute is None:
    st.stop()
report = gather(ws, attribute)
drawn = report_charts(report, demo_controls.true_points(attribute))
st.download_button(
    "Download report (HTML)",
    lambda: write_report(ws, report).encode(),
    f"{attribute.name}.html",
    mime="text/html",
    icon=":material/download:",
    type="primary" if report.guidance.step == "done" else "secondary",
)
head(report)
encoder_notes.belongs_to(attribute)
demo_controls.truth_note(attribute)
if report.guidance.step != "done":
    ui.show_next(report.guidance)
else:
    st.success(ui.plain(report.guidance.summary), icon=":material/verified:")
audit(report)
threshold(report)
if report.threshold is not None:
    slices.section(attribute)
rounds(report)
people(report)
examples(report)
st.caption(
    ui.plain(
        f"Encoder {report.encoder_name}, {report.encoder} · database schema {report.schema} · "
        + ", ".join(f"{program} {version}" for program, version in report.versions)
    )
)
