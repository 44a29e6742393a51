"""Threshold: the score that meets a target precision or recall, and what it costs in the other."""

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError, NoThreshold
from bam_engine.formatting import (
    NOTHING,
    count,
    decimal,
    decimal_interval,
    percent,
    percent_at_least,
    percent_interval,
)
from bam_engine.guidance.guidance import guidance_of
from bam_engine.learning import Threshold
from bam_engine.training import thresholds, validation
from bam_engine.training.charts import precision_recall
from bam_engine.training.delivered import counts_of, delivered_at
from bam_engine.training.error_correction import correction_at
from bam_engine.training.evaluation import Evaluation, evaluate
from bam_engine.training.models import latest_model
from bam_engine.training.thresholds import AttributeThreshold
from bam_engine.training.trade_offs import TARGETS, trade_offs
from bam_engine.workspace.membership import count_images, without_file
from web import charts, demo_controls, encoder_notes, ui
from web.advice import short_diagnosis
from web.certify import certify, extend_promise
from web.engine import workspace
from web.navigation import link
from web.recall import measure_recall
from web.set_threshold import discard, histogram, proportions, set_by_hand
from web.steps import attribute_in_focus

ALL_BY_PEOPLE = "People have labelled every image that is delivered: nothing is left to audit."

ws = workspace()
ui.head(
    "Threshold",
    "Images scoring at or above the threshold are accepted. Set a target, or drag the threshold over the scores.",
)


def measured(attribute: Attribute, target: float, confidence: float) -> tuple[Evaluation | None, Threshold | None, str]:
    """Return the evaluation, the threshold for the target precision, and the reason where one is missing."""
    try:
        evaluation = evaluate(ws, attribute, target=target, confidence=confidence)
    except LearningError as error:
        problem = str(error)
    else:
        return evaluation, evaluation.threshold, evaluation.no_threshold
    try:
        return None, thresholds.suggest(ws, attribute, target=target, confidence=confidence), problem
    except LearningError:
        return None, None, problem


def at_hand(attribute: Attribute, value: float) -> tuple[Threshold | None, str, str]:
    """Return what is measured at a threshold set by hand, the title, and the reason where nothing can be measured."""
    title = "Set manually"
    try:
        return thresholds.measure_at(ws, attribute, value, target=target, confidence=confidence), title, ""
    except LearningError as error:
        return None, title, str(error)


def numbers(attribute: Attribute, choice: Threshold, not_covered: int = 0) -> None:
    """Draw precision, recall and how much is accepted at a cut, and what wrong answers change of it.

    Precision and recall say nothing of ``not_covered`` of the accepted images, which is said beside them.
    """
    delivered = delivered_at(ws, attribute, choice.value).counts
    precision, recall = proportions(attribute, choice)
    with st.container(horizontal=True, gap="medium"):
        for name, (value, limits) in (("Precision", precision), ("Recall", recall)):
            metric(name, value, f"{limits}, of covered images" if not_covered else limits)
        metric(
            "Accepted",
            f"{delivered.accepted:,}",
            f"of {count_images(ws):,}" + (f", {not_covered:,} not covered" if not_covered else ""),
            meaning="What is delivered: images labelled yes, and those without a label that score at or above the "
            "threshold. Images labelled no never are.",
        )
        metric("Threshold", decimal(choice.value, 3), None)
    if correction := correction_at(ws, attribute, choice):
        st.caption(correction.summary)


def metric(name: str, value: str, below: str | None, *, meaning: str | None = None) -> None:
    """Draw a figure that is as wide as it needs."""
    st.metric(name, value, below, delta_color="off", delta_arrow="off", help=meaning, width="content")


def save_button(attribute: Attribute, choice: Threshold, label: str, *, primary: bool) -> None:
    """Draw the button that saves a threshold."""
    model = latest_model(ws, attribute)  # what was seen is kept: another model since has a button of its own
    key = f"keep-{label}-{attribute.id}-{model and model.id}"
    if st.button(label, type="primary" if primary else "secondary", icon=":material/check:", key=key):
        thresholds.save(ws, attribute, choice)
        if model is not None:
            discard(model)
        st.rerun()


def for_precision(attribute: Attribute, choice: Threshold, saved: AttributeThreshold | None) -> None:
    """Draw the threshold suggested for the target precision, or set by hand, and the button that saves it.

    The button is missing where the threshold is in use already.
    """
    st.subheader(title, anchor=False)
    used = saved is not None and saved.saved and is_same(saved.evidence, choice)
    if used:
        st.markdown("The threshold in use is the one suggested." if manual is None else "This threshold is in use.")
    else:
        numbers(attribute, choice)
        if choice.certified:
            st.success(ui.plain(choice.summary), icon=":material/verified:")
        elif delivered_at(ws, attribute, choice.value).counts.exhausted:
            st.success(ALL_BY_PEOPLE, icon=":material/verified:")
        else:
            st.info(ui.plain(choice.summary), icon=":material/info:")
    with st.container(horizontal=True):
        if not used:
            save_button(attribute, choice, "Use this threshold", primary=guidance.step == "decide")
        if manual is not None:
            discard_button()


def discard_button() -> None:
    """Draw the button that goes back from a threshold set by hand to the one suggested."""
    st.button("Discard", icon=":material/undo:", key="threshold-discard", on_click=discard, args=(model,))


def is_same(used: Threshold, choice: Threshold) -> bool:
    """Return whether the threshold in use is the chosen one, and promises as much."""
    promised = used.certified or not choice.certified
    return used.value == choice.value and used.target == choice.target and promised


def side_by_side(attribute: Attribute, choice: Threshold | None, saved: AttributeThreshold | None) -> None:
    """Draw the threshold in use beside the one suggested or set by hand, or why there is none."""
    left, right = st.columns(2, gap="large")
    with left:
        if saved is not None and saved.saved:
            in_use(attribute, saved)
        else:
            st.subheader("In use", anchor=False)
            st.markdown("No threshold has been chosen yet.")
    with right:
        if choice is not None:
            for_precision(attribute, choice, saved)
        elif problem:
            st.subheader(title, anchor=False)
            st.warning(ui.plain(problem), icon=":material/warning:")
            if manual is not None:
                discard_button()


def trades(attribute: Attribute) -> None:
    """Draw what each target costs: what is accepted, the recall, whether it is certified, and the labels needed."""
    lines = []
    found_at = trade_offs(ws, attribute, targets=tuple(sorted({*TARGETS, target})), confidence=confidence)
    if all(each.threshold is None for each in found_at):
        return
    for each in found_at:
        found = each.threshold
        if found is None:
            lines.append([percent(each.target), NOTHING, NOTHING, NOTHING, each.standing, NOTHING])
            continue
        needed = NOTHING if each.needed is None else "none" if each.needed == 0 else f"about {each.needed:,}"
        recall = percent_interval(*found.recall_interval)
        cut = decimal(found.value, 3)
        lines.append([percent(each.target), cut, f"{each.accepted:,}", recall, each.standing, needed])
    st.html(
        ui.table(
            ["Target precision", "Threshold", "Accepted", "Recall", "Guarantee", "Labels needed"], lines, stacked=True
        )
    )


def next_one(attribute: Attribute) -> None:
    """Draw the next step: where it is taken on this page, why, and what takes it."""
    if guidance.step in ("decide", "certify", "extend"):
        st.markdown(f"**Next:** {ui.plain(guidance.summary)}")
        if guidance.step == "extend":
            extend_promise(attribute, next_step=guidance.step)
    elif guidance.facts is None or guidance.facts.learned != "no" or guidance.facts.saved:
        ui.show_next(guidance)


def for_recall(attribute: Attribute) -> None:
    """Draw the threshold that certainly meets the target recall, and the button that saves it; or what is missing."""
    with st.container(border=True):
        st.subheader(f"Guarantee {percent(recall)} recall instead", anchor=False)
        try:
            choice = thresholds.suggest_recall(ws, attribute, recall=recall, target=target, confidence=confidence)
        except NoThreshold as error:
            st.markdown(ui.plain(str(error)))
            size = {} if error.images is None else {"images": str(error.images)}
            link("rounds", "Add validation images", attribute.name, **size)
            return
        except LearningError as error:
            st.markdown(ui.plain(str(error)))
            return
        st.markdown(ui.plain(choice.summary))
        numbers(attribute, choice)
        save_button(attribute, choice, "Use the threshold for this recall", primary=False)


def in_use(attribute: Attribute, saved: AttributeThreshold) -> None:
    """Draw the saved threshold, and where it leads."""
    evidence = saved.evidence
    st.subheader("In use", anchor=False)
    counts = counts_of(ws, attribute)
    numbers(attribute, evidence, counts.not_covered)
    goal = f"a precision of {percent(evidence.target)}"
    if evidence.recall_target is not None:
        goal = f"a recall of {percent(evidence.recall_target)}"
    words = f"Chosen for {goal}"
    audit = guidance.facts.audit if guidance.facts is not None else None
    met = audit is not None and audit.met is True
    guaranteed = evidence.certified or evidence.recall_target is not None
    if guaranteed:
        words += f", at {percent_at_least(evidence.confidence)} confidence."
    else:
        words += "." if counts.exhausted or met else ", not certified."
    words += f" An audit meets its target of {percent(evidence.target)}." if met else ""
    if guaranteed and evidence.confidence < confidence - 1e-9:
        words += (
            f" A joint guarantee for all {number} attributes needs {percent_at_least(confidence)}: until the threshold "
            "is chosen again, its guarantee stands alone."
        )
    st.caption(words)
    if saved.taken_back:
        st.warning(saved.taken_back, icon=":material/warning:")
    st.caption(f"Delivered: {counts.words}.")
    if counts.exhausted:
        st.success(ALL_BY_PEOPLE, icon=":material/verified:")
    if counts.not_covered:
        images, them = count(counts.not_covered, "delivered image"), "it" if counts.not_covered == 1 else "them"
        st.warning(f"Not covered: {images}. The evidence is not about {them}: most came later.", icon=":material/info:")
        link("gallery", "View images not covered", attribute.name, place="uncovered")
    if guidance.step != "extend":
        extend_promise(attribute, next_step=guidance.step)
    measure_recall(attribute, saved)
    link("gallery", "View accepted images", attribute.name)


def curve(attribute: Attribute, evaluation: Evaluation, choice: Threshold | None) -> None:
    """Draw precision over recall, and on what it is measured."""
    chart = precision_recall(evaluation.curve, target=target, chosen=choice)
    charts.show(chart, f"precision-recall-{attribute.name}")
    ap = evaluation.average_precision
    words = (
        f"Measured on {count(evaluation.n, 'labelled validation image')}, {evaluation.n_positive:,} of them positive. "
        f"Average precision {decimal_interval(ap.value, ap.low, ap.high)}. "
        f"{percent_at_least(confidence)} confidence intervals."
    )
    words += f" {evaluation.copies}" if evaluation.copies else ""
    if never_drawn := validation.count_never_drawn(ws, attribute):
        words += (
            f" {count(never_drawn, 'image')} that rounds had asked about could not be drawn when the sample grew: "
            "these figures are about the others."
        )
    st.caption(words)
    if left_out := without_file(ws):
        st.caption(left_out)


attribute = attribute_in_focus("threshold")
if attribute is None:
    st.stop()
elsewhere = encoder_notes.belongs_to(attribute)
model = latest_model(ws, attribute)
if model is None:
    if not elsewhere:
        st.markdown("Nothing is scored for this attribute yet.")
        ui.next_step(attribute)
    st.stop()

bar = st.columns([3, 3, 8], vertical_alignment="bottom")
target = bar[0].number_input("Target precision", 0.50, 0.99, 0.90, step=0.01, key=f"target-{attribute.id}")
recall = bar[1].number_input("Target recall", 0.50, 0.99, 0.90, step=0.01, key=f"recall-{attribute.id}")
number = len(ws.attributes.all())
joint = bar[2].toggle(
    "Joint guarantee for all attributes",
    key="at-once",
    disabled=number < 2,
    help="Off, each guarantee holds by itself with 95% confidence. On, all of them hold together with 95%, and each "
    "needs more labels. An attribute added later raises the confidence needed; certifications keep their labels.",
)
confidence = thresholds.joint_confidence(number if joint else 1)
short_diagnosis(attribute)
evaluation, suggested, problem = measured(attribute, target, confidence)
guidance, saved = guidance_of(ws, attribute), thresholds.current_threshold(ws, attribute)
choice, title, manual = suggested, f"Suggested for {percent(target)}", set_by_hand(model)
if suggested is not None and manual == suggested.value:
    manual = None
if manual is not None:
    choice, title, problem = at_hand(attribute, manual)
certifying = guidance.step in ("certify", "label_certification")
next_one(attribute)
if certifying:
    certify(attribute, target, confidence, choice=choice, next_step=guidance.step)
side_by_side(attribute, choice, saved)
shown = saved.evidence if choice is None and manual is None and saved is not None else choice
histogram(
    attribute,
    model,
    manual if shown is None else shown.value,
    measured=shown,
    suggested=suggested,
    saved=saved,
    target=target,
    confidence=confidence,
)
trades(attribute)
demo_controls.truth_note(attribute, None if choice is None else choice.value)
demo_controls.offer_labelling(attribute, certifying=True)
with st.expander("More: guarantee a recall" if certifying else "More: certify, guarantee a recall"):
    if not certifying:
        certify(attribute, target, confidence, choice=choice, next_step=guidance.step)
    for_recall(attribute)
if evaluation is not None:
    curve(attribute, evaluation, choice)
