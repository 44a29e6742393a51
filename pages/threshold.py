"""Threshold: the cut that keeps a promised precision, and what it costs in recall."""

import streamlit as st

from bam_engine.workspace import thresholds
from bam_engine.workspace.evaluation import evaluate, keep_recall
from bam_engine.workspace.models import latest_model
from web import charts, demo_controls, ui
from web.certify import certify
from web.engine import workspace
from web.navigation import link

ws = workspace()
ui.head("Threshold", "Images that score at least this much are accepted. Choose the precision that must be kept.")
attribute = ui.pick_attribute()
if attribute is None:
    st.stop()
if latest_model(ws, attribute) is None:
    ui.empty("Nothing is scored for this attribute yet.", "Label a first round", "rounds", attribute.name)
    st.stop()

bar = st.columns([1, 1, 1, 1], vertical_alignment="bottom")
target = bar[0].number_input("Precision to keep", 0.50, 0.99, 0.90, step=0.01, key=f"target-{attribute.id}")
recall = bar[1].number_input("Recall to keep", 0.50, 0.99, 0.90, step=0.01, key=f"recall-{attribute.id}")
by_hand = bar[2].toggle("Set the cut by hand", key=f"hand-{attribute.id}")
number = len(ws.attributes.all())
at_once = bar[3].toggle(
    "Sure of all attributes at once",
    key="at-once",
    disabled=number < 2,
    help="Each promise alone holds with 95 % confidence. Switched on, all of them hold together with 95 %: each then "
    "needs more labels.",
)
confidence = thresholds.confidence_for(number if at_once else 1)
found = evaluate(ws, attribute, target=target, confidence=confidence)
choice = found.threshold
if by_hand:
    cuts = found.curve.cuts
    start = choice.value if choice else float(cuts[len(cuts) // 2])
    low, high = float(cuts.min()), float(cuts.max())
    value = st.slider("Accept scores of at least", low, max(high, low + 1e-6), min(max(start, low), high))
    choice = thresholds.measure_at(ws, attribute, value, target=target)

if choice is None:
    st.warning(found.no_threshold, icon=":material/warning:")
else:
    cells = st.columns(4)
    cells[0].metric(
        "Precision",
        f"{choice.precision:.2f}",
        f"{choice.precision_low:.2f}–{choice.precision_high:.2f}",
        delta_color="off",
        delta_arrow="off",
    )
    cells[1].metric(
        "Recall",
        f"{choice.recall:.2f}",
        f"{choice.recall_low:.2f}–{choice.recall_high:.2f}",
        delta_color="off",
        delta_arrow="off",
    )
    cells[2].metric(
        "Accepted", f"{choice.n_accepted:,}", f"of {len(ws.catalogue):,} images", delta_color="off", delta_arrow="off"
    )
    cells[3].metric("Accept scores of at least", f"{choice.value:.3f}")
    if choice.certified:
        st.success(ui.plain(choice.evidence), icon=":material/verified:")
    else:
        st.info(ui.plain(choice.evidence), icon=":material/info:")
    if st.button("Keep this threshold", type="primary", icon=":material/check:"):
        thresholds.keep(ws, attribute, choice)
        st.rerun()
demo_controls.truth_note(attribute, None if choice is None else choice.value)
st.caption(ui.plain(keep_recall(ws, attribute, target=recall, confidence=confidence).evidence))
certify(attribute, target, confidence)
demo_controls.offer(attribute, certifying=True)
kept = thresholds.current_threshold(ws, attribute)
if kept is not None and kept.kept:
    st.caption(
        f"In force: scores of at least {kept.value:.3f}, kept for the newest model, "
        f"for a precision of {kept.evidence.target:.2f}."
    )
    links = st.columns(3)
    with links[0]:
        link("audit", "Next: audit it on a fresh sample", attribute.name)
    with links[1]:
        link("gallery", "Look at what it accepts", attribute.name)

charts.show(
    charts.precision_recall(found.curve, target, None if choice is None else (choice.recall, choice.precision)),
    f"precision-recall-{attribute.name}",
)
ap = found.average_precision
st.caption(
    f"Measured on {found.n} labelled validation images, {found.n_positive} of them positive. "
    f"Average precision {ui.interval(ap.value, ap.low, ap.high)}. "
    f"All intervals hold with {100 * confidence:.3g} % confidence, each on its own."
)
