"""Threshold: the cut that keeps a promised precision or recall, and what it costs in the other."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError, NoThreshold
from bam_engine.learning import Threshold
from bam_engine.training import thresholds, validation
from bam_engine.training.evaluation import Evaluation, evaluate
from bam_engine.training.models import latest_model
from web import charts, demo_controls, ui
from web.certify import certify
from web.engine import workspace
from web.navigation import link

ws = workspace()
ui.head(
    "Threshold",
    "Images that score at least this much are accepted. Choose the precision, or the recall, that must be kept.",
)


def measured(attribute: Attribute, target: float, confidence: float) -> tuple[Evaluation | None, Threshold | None, str]:
    """Return what the validation set says, the cut for the precision, and in words what cannot be had."""
    try:
        found = evaluate(ws, attribute, target=target, confidence=confidence)
    except LearningError as error:
        problem = str(error)
    else:
        return found, found.threshold, found.no_threshold
    try:
        return None, thresholds.suggest(ws, attribute, target=target, confidence=confidence), problem
    except LearningError:
        return None, None, problem


def set_by_hand(attribute: Attribute, found: Evaluation, start: Threshold | None) -> Threshold:
    """Draw the slider over the scores; return what is measured where it stands."""
    cuts = found.curve.cuts
    low, high = float(cuts.min()), float(cuts.max())
    begin = start.value if start else float(cuts[len(cuts) // 2])
    value = st.slider("Accept scores of at least", low, max(high, low + 1e-6), min(max(begin, low), high))
    return thresholds.measure_at(ws, attribute, value, target=target, confidence=confidence)


def numbers(choice: Threshold) -> None:
    """Draw precision, recall and how much is accepted at a cut."""
    cells = st.columns(4)
    share(cells[0], "Precision", choice.precision, choice.precision_low, choice.precision_high)
    share(cells[1], "Recall", choice.recall, choice.recall_low, choice.recall_high)
    cells[2].metric(
        "Accepted", f"{choice.n_accepted:,}", f"of {len(ws.catalogue):,} images", delta_color="off", delta_arrow="off"
    )
    cells[3].metric("Accept scores of at least", f"{choice.value:.3f}")


def share(cell: DeltaGenerator, name: str, value: float, low: float, high: float) -> None:
    """Draw one share with its interval."""
    cell.metric(name, f"{value:.2f}", f"{low:.2f}–{high:.2f}", delta_color="off", delta_arrow="off")


def keep(attribute: Attribute, choice: Threshold, label: str, *, primary: bool) -> None:
    """Draw the button that keeps a cut."""
    kind = "primary" if primary else "secondary"
    if st.button(label, type=kind, icon=":material/check:", key=f"keep-{label}-{attribute.id}"):
        thresholds.save(ws, attribute, choice)
        st.rerun()


def precision(attribute: Attribute, choice: Threshold) -> None:
    """Draw the cut that is chosen for its precision, and what keeps it."""
    numbers(choice)
    if choice.certified:
        st.success(ui.plain(choice.evidence), icon=":material/verified:")
    else:
        st.info(ui.plain(choice.evidence), icon=":material/info:")
    keep(attribute, choice, "Keep this threshold", primary=True)


def promised_recall(attribute: Attribute) -> None:
    """Draw the cut that certainly keeps the recall, and what keeps it; or what is missing."""
    with st.container(border=True):
        st.subheader(f"Keep a recall of {recall:.2f} instead", anchor=False)
        try:
            choice = thresholds.suggest_recall(ws, attribute, recall=recall, target=target, confidence=confidence)
        except NoThreshold as error:
            st.markdown(ui.plain(str(error)))
            link("rounds", "Draw more validation images", attribute.name)
            return
        except LearningError as error:
            st.markdown(ui.plain(str(error)))
            return
        st.markdown(ui.plain(choice.evidence))
        numbers(choice)
        keep(attribute, choice, "Keep the threshold of this recall", primary=False)


def in_force(attribute: Attribute) -> None:
    """Draw what was kept, and where it leads."""
    kept = thresholds.current_threshold(ws, attribute)
    if kept is None or not kept.saved:
        return
    evidence = kept.evidence
    wanted = f"a precision of {evidence.target:.2f}"
    if evidence.recall_target is not None:
        wanted = f"a recall of {evidence.recall_target:.2f}"
    words = f"In force: scores of at least {kept.value:.3f}, kept for the newest model, for {wanted}"
    promised = evidence.certified or evidence.recall_target is not None
    words += f", at {100 * evidence.confidence:.3g} % confidence." if promised else ", not certified."
    if promised and evidence.confidence < confidence - 1e-9:
        words += (
            f" For all {number} attributes at once {100 * confidence:.3g} % are needed: what it promises stands alone "
            "until it is kept anew."
        )
    st.caption(words)
    links = st.columns(3)
    with links[0]:
        link("audit", "Next: audit it on a fresh sample", attribute.name)
    with links[1]:
        link("gallery", "Look at what it accepts", attribute.name)


def curve(attribute: Attribute, found: Evaluation, choice: Threshold | None) -> None:
    """Draw precision over recall, and on what it is measured."""
    chosen = None if choice is None else (choice.recall, choice.precision)
    charts.show(charts.precision_recall(found.curve, target, chosen), f"precision-recall-{attribute.name}")
    ap = found.average_precision
    words = (
        f"Measured on {found.n} labelled validation images, {found.n_positive} of them positive. "
        f"Average precision {ui.interval(ap.value, ap.low, ap.high)}. "
        f"All intervals hold with {100 * confidence:.3g} % confidence, each on its own."
    )
    if left_out := validation.count_never_drawn(ws, attribute):
        words += (
            f" The {ui.several(left_out, 'image')} that rounds had asked about could not be drawn when the sample was "
            "topped up: these numbers speak of the others."
        )
    st.caption(words)


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
    "needs more labels. An attribute that is added later asks more confidence of all: certifications go on with the "
    "labels they have.",
)
confidence = thresholds.confidence_for(number if at_once else 1)
found, choice, problem = measured(attribute, target, confidence)
if by_hand and found is not None:
    choice = set_by_hand(attribute, found, choice)
if problem and (found is None or choice is None):
    st.warning(ui.plain(problem), icon=":material/warning:")
if choice is not None:
    precision(attribute, choice)
demo_controls.truth_note(attribute, None if choice is None else choice.value)
certify(attribute, target, confidence)
demo_controls.offer(attribute, certifying=True)
promised_recall(attribute)
in_force(attribute)
if found is not None:
    curve(attribute, found, choice)
