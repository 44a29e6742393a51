"""Audit: precision on a fresh, blind sample, beside BAM's, and whether it keeps what the threshold promised."""

import streamlit as st

from bam_engine.audit import BAM_MEAN_PRECISION, Estimate, Verdict, audits, chart
from bam_engine.audit.audits import AuditResult
from bam_engine.labelling import tasks
from bam_engine.training.thresholds import current_threshold
from web import demo_controls, ui
from web.components.drawing import show_drawing
from web.engine import workspace
from web.navigation import go, link

VERDICTS = {True: (st.success, "verified"), False: (st.error, "gpp_bad"), None: (st.info, "help")}
KEPT = {True: "kept", False: "contradicted", None: "open"}

ws = workspace()
ui.head(
    "Audit",
    "Accepted and rejected images that nobody has answered about, shuffled and unmarked, judged in the same grid: "
    "the precision that can be stated.",
)


def draw_form(found: AuditResult | None) -> None:
    """Draw the form that draws a fresh audit."""
    with st.form("draw", border=True):
        cells = st.columns(3)
        yes = cells[0].number_input("Accepted images", 1, 5000, audits.IMAGES_PER_SIDE, step=50)
        no = cells[1].number_input("Rejected images", 0, 5000, audits.IMAGES_PER_SIDE, step=50)
        people = cells[2].number_input(
            "People who judge each image",
            1,
            audits.MAX_PEOPLE,
            ws.redundancy,
            help="BAM asked two. It holds for this audit alone; a person is a name chosen in the sidebar.",
        )
        st.caption(
            "Drawn by project: every image of a half is equally likely, and as few as possible are of one project."
        )
        again = "Draw another audit" if found else "Draw the audit"
        if st.form_submit_button(again, type="secondary" if found else "primary"):
            audits.draw(ws, attribute, n_accepted=int(yes), n_rejected=int(no), people=int(people))
            go("annotate", attribute.name)


def under_way(found: AuditResult) -> None:
    """Draw how far the audit is and who has judged how much."""
    done, asked = found.state.answered, found.state.total
    st.progress(done / max(1, asked), text=f"{done} of {asked} images are judged")
    if found.people > 1:
        who = ", ".join(f"{ui.plain(name)} {count}" for name, count in found.judges) or "nobody yet"
        st.caption(f"{found.people} people judge each image, under their own names in the sidebar. So far: {who}.")
    if len(tasks.rows_for(ws, found.task, ws.annotations.annotator(ui.annotator()))):
        link("annotate", "Judge them", attribute.name)
    else:
        st.info(
            f"{ui.plain(ui.annotator())} has judged all of their share: the rest waits for another annotator. "
            "Change the name in the sidebar to be that person.",
            icon=":material/group:",
        )


def share(name: str, found: Estimate | None, meaning: str, cell: st.delta_generator.DeltaGenerator) -> None:
    """Draw one audited share with its interval and counts."""
    if found is None:
        cell.metric(name, "–", help=meaning)
        return
    words = f"{found.low:.1%} to {found.high:.1%} · {found.k} of {found.n}"
    cell.metric(name, f"{found.value:.1%}", words, delta_color="off", delta_arrow="off", help=meaning)


def numbers(found: AuditResult) -> None:
    """Draw the shares, whether the promise is kept, and what would show it."""
    cells = st.columns(4)
    share("Precision", found.precision, "Share of the accepted that annotators agree are positive.", cells[0])
    share("Precision, BAM's definition", found.by_any, "Share that at least one annotator calls positive.", cells[1])
    share("Missed", found.missed, "Share of the rejected that annotators agree are positive. Not recall.", cells[2])
    verdict = found.verdict
    if verdict is None:
        return
    effect = verdict.estimate.design_effect
    worth = f"{verdict.estimate.n} judged say as much as {verdict.estimate.n_effective:.0f}"
    meaning = "How many judged images say as much as one, since images of one project resemble each other."
    cells[3].metric("Design effect", f"{effect:.2f}", worth, delta_color="off", delta_arrow="off", help=meaning)
    draw_verdict, icon = VERDICTS[verdict.met]
    draw_verdict(ui.plain(verdict.evidence), icon=f":material/{icon}:")
    if not found.complete:
        st.caption(
            "These numbers will move. The verdict waits for all images, so that nobody stops where it looks best."
        )
    elif found.unsettled:
        st.caption(
            f"{ui.several(found.unsettled, 'image')} of both halves disputed: a further person finds them on the "
            "Annotate page."
        )
    with st.expander("How these numbers are made, and what would certify the target"):
        explain(found, verdict)


def explain(found: AuditResult, verdict: Verdict) -> None:
    """Draw both definitions in words, and how many positives an audit needs."""
    left, right = st.columns(2, gap="large")
    with left:
        asked = ui.several(found.people, "person").replace("persons", "people")
        st.markdown(
            f"- **Precision** counts an accepted image as positive when the annotators agree that it is: "
            f"{asked} asked here, and more say yes than no. A disputed image counts as not positive until a "
            "further person settles it.\n"
            "- **BAM's definition** counts it when *at least one* says yes. With one annotator both are the same; the "
            "more people are asked, the more generous it is.\n"
            f"- **Intervals** hold with {verdict.estimate.confidence:.0%} confidence: {verdict.estimate.method} "
            "(Clopper and Pearson), the counts divided by the design effect. **Kept** means that the one-sided lower "
            f"limit, {verdict.estimate.bound:.3f}, reaches {verdict.target:g}."
        )
    with right:
        lines = [
            {"judged": n, "must be positive": "–" if needed is None else str(needed), "": ""}
            for n, needed in verdict.sizes
        ]
        needed = "not even all" if verdict.needed is None else str(verdict.needed)
        mine = {"judged": verdict.estimate.n, "must be positive": needed, "": f"this audit: {verdict.estimate.k}"}
        st.markdown(f"To be sure of **{verdict.target:g}**, so many of the judged images must be positive:")
        st.dataframe([mine, *lines], hide_index=True, width="stretch")


def history(found: list[AuditResult]) -> None:
    """Draw the audits of this attribute, newest first."""
    st.subheader("Audits of this attribute", anchor=False)
    lines = [
        {
            "drawn": one.made_at[:16].replace("T", " "),
            "threshold": round(one.threshold, 3),
            "in force": "yes" if one.current else "no",
            "target": one.target,
            "judged": f"{one.state.answered} of {one.state.total}",
            "people": ", ".join(name for name, _ in one.judges) or "–",
            "precision": "–" if one.share is None else ui.interval(*one.share),
            "target is": "–" if one.verdict is None else KEPT[one.verdict.met],
            "seed": str(one.seed),
        }
        for one in reversed(found)
    ]
    st.dataframe(lines, hide_index=True, width="stretch")


def everyone() -> None:
    """Draw the audited precision of every attribute, and the files to take away."""
    found = audits.finished_audits(ws)
    if not found:
        return
    st.subheader("Audited precision by attribute", anchor=False)
    show_drawing(chart.figure(found), key="audited-precision")
    means = [audits.mean_precision(found), audits.mean_precision(found, by_any=True)]
    agreed, by_any = (f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})" if one else "–" for one in means)
    st.caption(
        f"Mean over {ui.several(len(found), 'attribute')}: {agreed}; by BAM's definition {by_any}, beside BAM's own "
        f"{BAM_MEAN_PRECISION:.1%} over 20 attributes. Intervals hold with 95 % confidence, each on its own."
    )
    cells = st.columns([3, 3, 3, 10])
    for cell, form in zip(cells, chart.FORMS, strict=False):
        data = chart.chart(found, form)
        name = f"audited-precision.{form}"
        cell.download_button(form.upper(), data, name, icon=":material/download:", key=f"chart-{form}", width="stretch")


attribute = ui.pick_attribute()
if attribute is None:
    st.stop()
if demo_controls.offer(attribute):
    st.stop()
threshold = current_threshold(ws, attribute)
result = audits.latest_result(ws, attribute)
if threshold is None or not threshold.saved:
    ui.empty(
        "An audit judges a threshold that was kept, and this attribute has none for its newest model.",
        "Keep a threshold",
        "threshold",
        attribute.name,
    )
elif result is not None and not result.complete:
    under_way(result)
if result is not None and result.precision is not None:
    numbers(result)
    demo_controls.truth_note(attribute)
if threshold is not None and threshold.saved and (result is None or result.complete):
    draw_form(result)
drawn = audits.results(ws, attribute)
if drawn:
    history(drawn)
everyone()
