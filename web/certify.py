"""The part of the Threshold page that certifies a precision, batch by batch."""

from dataclasses import replace
from typing import Literal

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.formatting import NOTHING, count, decimal, percent, percent_at_least
from bam_engine.guidance.rules import Step
from bam_engine.guidance.sizes import sizes
from bam_engine.labelling import assigning
from bam_engine.learning import Threshold
from bam_engine.training import certification, certification_store, extension
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.models import latest_model
from bam_engine.workspace.membership import count_images
from web import ui
from web.engine import workspace
from web.navigation import go, link


def certify(
    attribute: Attribute, target: float, confidence: float, *, choice: Threshold | None = None, next_step: Step
) -> None:
    """Draw how far the certification of ``target`` is at this confidence, and what starts or continues it.

    Nothing is offered where the ``choice`` is certified without one: a second test would add its risk. A button stands
    out only where going on with it is the ``next_step``.
    """
    ws = workspace()
    started = certification_store.current(ws, attribute, target=target)
    if started is None and choice is not None and choice.certified:
        return
    with st.container(border=True):
        st.subheader(f"Certify {percent(target)}", anchor=False)
        if started is None:
            _start(attribute, target, confidence, stands_out=next_step == "certify")
            return
        state = certification.state(ws, replace(started, confidence=confidence))
        st.markdown(ui.plain(state.summary))
        if started.left_out:
            st.caption(f"Left out when it started: {count(started.left_out, 'image')} without a readable file.")
        if abs(started.confidence - confidence) > 1e-9:
            st.caption(
                f"Started at {percent_at_least(started.confidence)} confidence and read at "
                f"{percent_at_least(confidence)} now: every label still counts. "
                "More confidence needs more labels."
            )
        _numbers(state)
        _continue(attribute, state, stands_out=next_step == "certify")


def extend_promise(attribute: Attribute, *, next_step: Step) -> None:
    """Draw what extends the promise of the threshold in use over images that came later, and how far it is."""
    ws = workspace()
    state, later = extension.current(ws, attribute), len(extension.extendable_rows(ws, attribute))
    if state is not None:
        st.caption(ui.plain(state.summary))
        if state.certified is None and not later:
            _continue(attribute, state, stands_out=next_step == "extend")
    if later and st.button(
        f"Extend the guarantee to {count(later, 'image')} that came later",
        type=_kind(next_step == "extend"),
        icon=":material/verified:",
        key=f"extend-promise-{attribute.id}",
        help="Asks for labels among these alone. The guarantee of the others stands, whatever they show.",
    ):
        with ui.guard():
            extension.extend(ws, attribute)
            go("annotate", attribute.name)


def _start(attribute: Attribute, target: float, confidence: float, *, stands_out: bool) -> None:
    st.markdown(
        "Label small batches where the outcome is still undecided. You can stop at any time; the guarantee still "
        "holds. Images labelled yes so far count as right."
    )
    if workspace().judging_redundancy == 1:
        st.caption(
            "One person judges, whose mistakes nothing shows. Where positives are rare, a few wrong yes answers break "
            "what is guaranteed: let two people judge if you can."
        )
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    planned = left.number_input(
        "Label budget",
        50,
        20_000,
        max(50, sizes(count_images(workspace())).certification),
        step=50,
        key=f"planned-{attribute.id}",
        help="All certifications of an attribute share one risk: each spends half of what the earlier ones left, so a "
        "later one needs more labels.",
    )
    model = latest_model(workspace(), attribute)  # another model since has a button of its own
    key = f"certify-{attribute.id}-{model and model.id}"
    if right.button(f"Start certifying {percent(target)}", type=_kind(stands_out), icon=":material/verified:", key=key):
        certification.start(workspace(), attribute, target=target, confidence=confidence, planned=int(planned))
        go("annotate", attribute.name)


def _kind(stands_out: bool) -> Literal["primary", "secondary"]:
    return "primary" if stands_out else "secondary"


def _numbers(state: CertificationState) -> None:
    cells = st.columns(4)
    labels = state.batch.answered
    cells[0].metric(
        "Labels", f"{labels:,}", f"{state.certification.planned:,} planned", delta_color="off", delta_arrow="off"
    )
    progress = state.progress
    certified = None if progress is None else progress.certified
    cells[1].metric("Certified from", NOTHING if certified is None else decimal(certified, 3))
    cells[2].metric("Accepted", f"{progress.accepted:,}" if progress is not None and certified is not None else NOTHING)
    missing = None if progress is None or progress.next_cut is None else progress.labels_needed
    cells[3].metric("Labels to next threshold", NOTHING if missing is None else f"≈ {missing:,}")


def _continue(attribute: Attribute, state: CertificationState, *, stands_out: bool) -> None:
    kind = _kind(stands_out)
    waiting, ws = state.batch.left, workspace()
    confirming = state.task.left - waiting
    asked = state.certification.batch if waiting else state.certification.task
    mine = state.task.left and len(assigning.rows_for(ws, asked, ws.annotations.annotator(ui.annotator())))
    if waiting > 0 and not mine:
        st.info(
            f"{ui.plain(ui.annotator())} has labelled all of their share: the rest waits for other annotators.",
            icon=":material/group:",
        )
    elif waiting > 0:
        key = f"label-certification-{state.certification.id}"
        if st.button(f"Label {count(waiting, 'image')}", type=kind, icon=":material/check_box:", key=key):
            go("annotate", attribute.name)
    elif state.next_batch:
        key = f"extend-{state.certification.id}"
        if st.button(f"Label {state.next_batch:,} more", type=kind, icon=":material/play_arrow:", key=key):
            certification.extend(ws, state.certification)
            go("annotate", attribute.name)
    elif state.in_rounds:
        st.caption("The next images are in a round already: label it, then continue here.")
        link("rounds", "Label the round", attribute.name)
    elif state.progress is not None and state.progress.next_cut is not None:
        st.caption("Every image that could test the next threshold is labelled: it does not pass.")
    else:
        st.caption("Every threshold has passed.")
    if confirming > 0 and not waiting and mine and state.certified is None:
        link("annotate", f"Confirm {count(confirming, 'image')} labelled yes", attribute.name)
