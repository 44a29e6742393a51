"""Audit: precision on a fresh, blind sample, beside BAM's, and whether it meets the target of the threshold."""

from functools import partial

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.audit import BAM_MEAN_PRECISION, Estimate, Verdict, audits
from bam_engine.audit.audits import AuditResult
from bam_engine.audit.charts import audited_precision, chart_file
from bam_engine.formatting import NOTHING, count, decimal, percent, percent_at_least, percent_interval, percent_range
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import assigning
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from web import charts, demo_controls, encoder_notes, ui
from web.engine import workspace
from web.navigation import go, link
from web.people import team_mode
from web.picture_strips import audit_mistakes
from web.steps import attribute_in_focus

VERDICTS = {True: (st.success, "verified"), False: (st.error, "gpp_bad"), None: (st.info, "help")}
OUTCOMES = {True: "target met", False: "target missed", None: "inconclusive"}

ws = workspace()
ui.head(
    "Audit",
    "A blind check: label a fresh random sample of accepted and rejected images to measure precision.",
)


def draw_form(attribute: Attribute, saved: AttributeThreshold, result: AuditResult | None, *, asked_for: bool) -> None:
    """Draw the form that draws a new audit of a saved threshold; its button stands out where that is next."""
    with st.form(f"draw-{saved.id}", border=True):  # another threshold in use since has a form of its own
        cells = st.columns(3)
        facts = guidance_of(ws, attribute).facts
        each = audits.IMAGES_PER_SIDE if facts is None else facts.audit_size
        yes = cells[0].number_input("Accepted images", 1, 5000, each, step=10)
        no = cells[1].number_input("Rejected images", 0, 5000, each, step=10)
        people = cells[2].number_input(
            "Votes required per image",
            1,
            audits.MAX_PEOPLE,
            ws.judging_redundancy,
            help="For this audit alone. BAM asked two people, told apart by their names.",
        )
        st.caption("Sampled at random, spread over projects. Missing images are left out.")
        label = "New audit" if result else "Start audit"
        if st.form_submit_button(label, type="primary" if asked_for else "secondary"):
            audits.draw(ws, attribute, n_accepted=int(yes), n_rejected=int(no), people=int(people))
            go("annotate", attribute.name)


def progress(attribute: Attribute, result: AuditResult) -> None:
    """Draw how far the audit is, and who has judged how much."""
    answered, total = result.state.answered, result.state.total
    st.progress(answered / max(1, total), text=f"{answered:,} of {count(total, 'image')} labelled")
    if result.people > 1:
        who = ", ".join(f"{ui.plain(name)} {number}" for name, number in result.annotators) or "nobody yet"
        st.caption(f"{result.people} people label each image, each under their own name. So far: {who}.")
    if len(assigning.rows_for(ws, result.task, ws.annotations.annotator(ui.annotator()))):
        link("annotate", "Label them", attribute.name)
    else:
        st.info(
            f"{ui.plain(ui.annotator())} has labelled all of their share: the rest waits for other annotators."
            + ("" if team_mode() else " Change the name in the sidebar to answer as one of them."),
            icon=":material/group:",
        )


def metric(name: str, estimate: Estimate | None, meaning: str, cell: st.delta_generator.DeltaGenerator) -> None:
    """Draw one audited proportion with its limits and counts."""
    if estimate is None:
        cell.metric(name, NOTHING, help=meaning)
        return
    seen = f"{percent_range(estimate.low, estimate.high)} · {estimate.k:,} of {estimate.n:,}"
    cell.metric(name, percent(estimate.value), seen, delta_color="off", delta_arrow="off", help=meaning)


def numbers(result: AuditResult) -> None:
    """Draw the estimates, whether the target is met, and what would show it."""
    cells = st.columns(4)
    verdict = result.verdict
    agreed = "Share of the accepted, of those that had no label, that annotators agree are positive."
    by_any = "Share of the same images that at least one annotator calls positive."
    missed = "Share of the rejected images that annotators agree are positive. Not recall."
    metric("Precision", result.precision, agreed, cells[0])
    metric("Precision, BAM's definition", result.by_any, by_any, cells[1])
    metric("Missed positives", result.missed, missed, cells[2])
    if verdict is None:
        return
    effect = decimal(verdict.estimate.design_effect)
    size = f"of {count(verdict.estimate.tested, 'image')} · design effect {effect}"
    meaning = "Images of one project resemble each other, so that several of them count as fewer independent ones."
    effective = decimal(verdict.estimate.n_effective, 0)
    cells[3].metric("Effective sample size", effective, size, delta_color="off", delta_arrow="off", help=meaning)
    draw_verdict, icon = VERDICTS[verdict.met]
    draw_verdict(ui.plain(verdict.summary), icon=f":material/{icon}:")
    st.caption(result.population)
    if not result.complete:
        st.caption(
            "These figures will change. The result waits for all images, so that nobody stops where it looks best."
        )
    elif result.unsettled:
        st.caption(
            f"{count(result.unsettled, 'image')} of both halves disputed: a further person finds them on the "
            "Annotate page."
        )
    with st.expander("How this is measured"):
        explain(result, verdict)


def explain(result: AuditResult, verdict: Verdict) -> None:
    """Draw both definitions in words, and how many positives an audit needs."""
    left, right = st.columns(2, gap="large")
    with left:
        people = count(result.people, "person", "people")
        st.markdown(
            "- **Precision** is that of the accepted images that had no label when the audit was drawn; what people "
            "had labelled yes is known. It counts an image as positive when the annotators agree that it is: "
            f"{people} asked here, and a yes that anybody contradicts must lead by two. A disputed image counts as not "
            "positive until a further person settles it.\n"
            "- **BAM's definition** counts it when *at least one* says yes. With one annotator both are the same; the "
            "more people are asked, the more generous it is.\n"
            f"- **Intervals** hold with {percent_at_least(verdict.estimate.confidence)} confidence: "
            f"{verdict.estimate.method} (Clopper and Pearson), the counts divided by the design effect. A target is "
            f"**met** if the one-sided lower limit, "
            f"{percent_at_least(verdict.bound)}, reaches {percent(verdict.target)}."
        )
    with right:
        lines = [
            {"labelled": n, "must be positive": NOTHING if needed is None else str(needed), "": ""}
            for n, needed in verdict.sizes
        ]
        needed = "not even all" if verdict.needed is None else str(verdict.needed)
        mine = {"labelled": verdict.estimate.n, "must be positive": needed, "": f"this audit: {verdict.estimate.k}"}
        st.markdown(f"To be sure of **{percent(verdict.target)}**, so many of the labelled images must be positive:")
        st.dataframe([mine, *lines], hide_index=True, width="stretch")


def history(results: list[AuditResult]) -> None:
    """Draw the audits of this attribute, newest first."""
    st.subheader("Audits of this attribute", anchor=False)
    several = {one.encoder for one in results} != {ws.choice.key}
    lines = [
        {
            "drawn (UTC)": one.made_at[:16].replace("T", " "),
            "threshold": decimal(one.threshold, 3),
            "in use": "yes" if one.current else "no",
            **({"encoder": ws.encoder_name(one.encoder)} if several else {}),
            "target": percent(one.target),
            "labelled": f"{one.state.answered:,} of {one.state.total:,}",
            "left out": NOTHING if one.left_out is None else f"{one.left_out:,}",
            "people": ", ".join(name for name, _ in one.annotators) or NOTHING,
            "precision": NOTHING if one.precision_interval is None else percent_interval(*one.precision_interval),
            "result": NOTHING if one.verdict is None else OUTCOMES[one.verdict.met],
            "seed": str(one.seed),
        }
        for one in reversed(results)
    ]
    st.dataframe(lines, hide_index=True, width="stretch")


def all_attributes() -> None:
    """Draw the audited precision of every attribute, with its downloads."""
    results = audits.finished_audits(ws)
    if not results:
        return
    st.subheader("Audited precision by attribute", anchor=False)
    charts.show(audited_precision(results), "audited-precision", table=partial(chart_file, results, "csv"))
    means = [audits.mean_precision(results), audits.mean_precision(results, by_any=True)]
    agreed, by_any = (percent_interval(one.value, one.low, one.high) if one else NOTHING for one in means)
    st.caption(
        f"Mean over {count(len(results), 'attribute')}: {agreed}; by BAM's definition {by_any}, beside BAM's own "
        f"{percent(BAM_MEAN_PRECISION)} over 20 attributes. 95% confidence intervals."
    )


attribute = attribute_in_focus("audit")
if attribute is None:
    st.stop()
if demo_controls.offer_labelling(attribute):
    st.stop()
elsewhere = encoder_notes.belongs_to(attribute)
threshold = current_threshold(ws, attribute)
result, guidance = audits.latest_result(ws, attribute), guidance_of(ws, attribute)
if threshold is None or not threshold.saved:
    if not elsewhere:
        st.markdown("An audit checks the threshold in use, and none has been chosen yet.")
        ui.show_next(guidance)
elif result is not None and not result.complete:
    progress(attribute, result)
if result is not None and result.precision is not None:
    numbers(result)
    audit_mistakes(result)
    demo_controls.truth_note(attribute)
facts = guidance.facts
if threshold is not None and threshold.saved and (result is None or result.complete):
    if guidance.step not in ("audit", "label_audit"):
        ui.show_next(guidance)
    if facts is not None and facts.auditable:
        asked_for = guidance.step == "audit"
        with st.container() if asked_for else st.expander("More: new audit" if result else "More: start an audit"):
            draw_form(attribute, threshold, result, asked_for=asked_for)
results = audits.results(ws, attribute)
if results:
    history(results)
all_attributes()
