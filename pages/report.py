"""Report: all the evidence for one attribute, on a page and as one file to hand on."""

import pandas as pd
import streamlit as st

from bam_engine.audit import Estimate, chart
from bam_engine.reporting.report import AttributeReport, Share, gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training.rounds import state
from web import charts, demo_controls, ui
from web.components.drawing import show_drawing
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.image_panel import open_image

ws = workspace()
ui.head("Report", "All that is known of an attribute: what was asked, of whom, what was learned, and what it is worth.")


def head(report: AttributeReport) -> None:
    """Draw what is asked, what is missing, and the numbers that matter."""
    st.markdown(f"**{ui.plain(report.attribute.question)}**")
    if report.attribute.instructions:
        st.markdown("  \n".join(ui.plain(line) for line in report.attribute.instructions.splitlines()))
    if report.missing:
        st.info("Not there yet:\n" + "\n".join(f"- {ui.plain(one)}" for one in report.missing), icon=":material/info:")
    cells = st.columns(5)
    embedded = f"{report.embedded:,} embedded · {report.projects:,} projects"
    number(cells[0], "Images", f"{report.images:,}", embedded)
    cut = None if report.threshold is None else report.threshold.evidence
    if cut is None:
        number(cells[1], "Accepted", "–", "no threshold")
    else:
        number(cells[1], "Accepted", f"{cut.n_accepted:,}", f"score ≥ {cut.value:.3f}")
        number(
            cells[2],
            "Precision, validation",
            f"{cut.precision:.3f}",
            f"{cut.precision_low:.3f} to {cut.precision_high:.3f}",
        )
        number(cells[3], "Recall, validation", f"{cut.recall:.3f}", f"{cut.recall_low:.3f} to {cut.recall_high:.3f}")
    if report.audit is not None and report.audit.precision is not None:
        found = report.audit.precision
        number(cells[4], "Audited precision", f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}")


def number(cell: st.delta_generator.DeltaGenerator, name: str, value: str, words: str) -> None:
    """Draw one number with what belongs to it."""
    cell.metric(name, value, words, delta_color="off", delta_arrow="off")


def audit(report: AttributeReport) -> None:
    """Draw the audit of the threshold in force."""
    found = report.audit
    if found is None or found.verdict is None:
        return
    st.subheader("Audit", anchor=False)
    st.markdown(ui.plain(found.verdict.evidence))
    show_drawing(chart.figure([found]), key=f"audit-{report.attribute.name}")
    shares = {
        "precision: annotators agree": found.precision,
        "precision, BAM's definition: at least one says yes": found.by_any,
        "missed: positive among the rejected": found.missed,
    }
    table([{"share": name, **estimate(one)} for name, one in shares.items() if one is not None])


def estimate(found: Estimate) -> dict[str, object]:
    """Return one line of the audit's table."""
    return {
        "value": f"{found.value:.3f}",
        "95 % interval": f"{found.low:.3f} to {found.high:.3f}",
        "positive": found.k,
        "judged": found.n,
        "open": found.open,
        "design effect": f"{found.design_effect:.2f}",
        "method": found.method,
    }


def threshold(report: AttributeReport) -> None:
    """Draw the threshold with its evidence, the curve and the scores."""
    if report.evaluation is None:
        return
    st.subheader("Threshold", anchor=False)
    name, cut = report.attribute.name, None if report.threshold is None else report.threshold.evidence
    if cut is not None:
        kept = f"kept on {time(report.threshold_at)} (UTC)" if report.threshold_at else "suggested, kept by nobody"
        st.markdown(f"{ui.plain(cut.evidence)} Target {cut.target:g}, confidence {cut.confidence:g}, {kept}.")
    certifications(report)
    left, right = st.columns(2, gap="large")
    chosen = None if cut is None else (cut.recall, cut.precision)
    with left:
        figure = charts.precision_recall(report.evaluation.curve, 0.90 if cut is None else cut.target, chosen)
        charts.show(figure, f"report-curve-{name}")
    with right:
        figure = charts.score_distribution(report.scores, report.labelled, None if cut is None else cut.value)
        charts.show(figure, f"report-scores-{name}")


def certifications(report: AttributeReport) -> None:
    """Draw what the certifications asked and what came of them."""
    if not report.certifications:
        return
    table(
        [
            {
                "certification (UTC)": time(one.made_at),
                "model": one.model_id,
                "target": one.target,
                "confidence": one.confidence,
                "promises about": f"{one.population:,} images",
                "pilot": one.pilot,
                "batches": " + ".join(str(size) for size in one.batches[1:]) or "–",
                "labels": f"{one.labels} of {one.planned} meant",
                "cuts passed": f"{one.passed} of {len(one.cuts)}",
                "certain from": "–" if one.certified is None else f"{one.certified:.3f}",
                "accepts": f"{one.accepted:,}",
                "seed": str(one.seed),
            }
            for one in report.certifications
        ]
    )


def rounds(report: AttributeReport) -> None:
    """Draw what each round asked, why, and what came of it."""
    if not report.rounds:
        return
    st.subheader("Rounds", anchor=False)
    lines = [
        {
            "labels": turn.labels,
            "average_precision": turn.average_precision,
            "precision": turn.precision,
            "recall": turn.recall,
        }
        for turn in report.rounds
        if turn.labels is not None
    ]
    if lines:
        charts.show(
            charts.learning_curve(lines, demo_controls.true_curve(report.attribute)),
            f"report-learning-{report.attribute.name}",
        )
    table(
        [
            {
                "round": turn.number,
                "asked by": turn.strategy,
                "answered": f"{turn.answered} of {turn.asked}",
                "positive": turn.positive,
                "labels": "–" if turn.labels is None else str(turn.labels),
                "average precision": share(turn.average_precision),
                "changed sides": "–" if turn.flipped is None else f"{turn.flipped:,}",
                "strength": "–" if turn.strength is None else f"{turn.strength:.3g}",
                "seed": str(turn.seed),
                "trained (UTC)": time(turn.trained_at),
                "why": " · ".join(f"{count} {reason}" for reason, count in turn.reasons),
            }
            for turn in report.rounds
        ]
    )


def people(report: AttributeReport) -> None:
    """Draw who answered, how far they agree, and the validation set."""
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
                    "seed": "not kept" if one.seed is None else str(one.seed),
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
        pictures = [Picture(one.row, f"{one.score:.2f}", one.name, one.label) for one in group.examples]
        picked = gallery(pictures, key=f"report-{report.attribute.id}-{place}", version=ws.id, size=112)
        if picked is not None:
            open_image(picked)


def table(lines: list[dict[str, object]]) -> None:
    """Draw a small table."""
    st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch")


def share(found: Share | None) -> str:
    """Say a share with its interval, or that it is not known."""
    return "–" if found is None else ui.interval(*found)


def time(moment: str | None) -> str:
    """Say an ISO time as date and minute."""
    return "–" if moment is None else moment[:16].replace("T", " ")


attribute = ui.pick_attribute()
if attribute is None:
    st.stop()
report = gather(ws, attribute)
st.download_button(
    "Download as one HTML file",
    lambda: write_report(ws, report).encode(),
    f"{attribute.name}.html",
    mime="text/html",
    icon=":material/download:",
    type="primary",
)
head(report)
demo_controls.truth_note(attribute)
if report.waits_for_audit:
    ui.empty("**Next:** audit the threshold on a fresh sample.", "Audit", "audit", attribute.name)
elif report.missing:
    ui.next_step(state(ws, attribute))
audit(report)
threshold(report)
rounds(report)
people(report)
examples(report)
st.caption(
    ui.plain(
        f"Encoder {report.encoder} · database schema {report.schema} · "
        + ", ".join(f"{program} {version}" for program, version in report.versions)
    )
)
