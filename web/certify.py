"""The part of the Threshold page that certifies a precision, batch by batch."""

from dataclasses import replace

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.formatting import NOTHING, count, decimal, percent, percent_at_least
from bam_engine.labelling import tasks
from bam_engine.learning import Threshold
from bam_engine.training import certification, certification_store, extension
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.models import latest_model
from web import ui
from web.engine import workspace
from web.navigation import go, link


def certify(attribute: Attribute, target: float, confidence: float, *, choice: Threshold | None = None) -> None:
    """Draw how far the certification of ``target`` is at this confidence, and what starts or continues it.

    Nothing is offered where the ``choice`` is certified without one: a second test would add its risk.
    """
    ws = workspace()
    started = certification_store.current(ws, attribute, target=target)
    if started is None and choice is not None and choice.certified:
        return
    with st.container(border=True):
        st.subheader(f"Certify {percent(target)}", anchor=False)
        if started is None:
            _start(attribute, target, confidence)
            return
        state = certification.state(ws, replace(started, confidence=confidence))
        st.markdown(ui.plain(state.summary))
        if started.left_out:
            st.caption(f"{count(started.left_out, 'image')} without a readable file were left out when it started.")
        if abs(started.confidence - confidence) > 1e-9:
            st.caption(
                f"Started at {percent_at_least(started.confidence)} confidence and read at "
                f"{percent_at_least(confidence)} now: every label still counts. "
                "The more confidence is asked, the more labels a cut needs."
            )
        _numbers(state)
        _continue(attribute, state)


def extend_promise(attribute: Attribute) -> None:
    """Draw what extends the promise of the threshold in use over images that came later, and how far it is."""
    ws = workspace()
    state, later = extension.current(ws, attribute), len(extension.extendable_rows(ws, attribute))
    if state is not None and state.certified is None:
        st.caption("The promise is being extended over images that came later. " + ui.plain(state.summary))
        if not later:
            _continue(attribute, state)
    elif state is not None:
        st.caption(f"The promise was extended over images that came later: {ui.plain(state.summary)}")
    if later and st.button(
        f"Extend the promise over {count(later, 'image')} that came later",
        icon=":material/verified:",
        key=f"extend-promise-{attribute.id}",
        help="Asks for labels among these alone. What was promised stands, whatever they show.",
    ):
        with ui.guard():
            extension.extend(ws, attribute)
            go("annotate", attribute.name)


def _start(attribute: Attribute, target: float, confidence: float) -> None:
    st.markdown(
        "Labels are asked exactly where the decision is open, a small batch after the other. Stop or go on whenever "
        "you like: the promise holds however often you look, and assumes nothing of the classifier. It is about what "
        "is delivered: images labelled yes so far count as right, so less is asked of the others. All certifications "
        "of an attribute share one risk: each spends half of what the earlier ones left, so a later one needs more "
        "labels."
    )
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    planned = left.number_input(
        "Labels meant to be spent", 50, 20_000, certification.PLANNED, step=50, key=f"planned-{attribute.id}"
    )
    model = latest_model(workspace(), attribute)  # another model since has a button of its own
    key = f"certify-{attribute.id}-{model and model.id}"
    if right.button(f"Start certifying {percent(target)}", icon=":material/verified:", key=key):
        certification.start(workspace(), attribute, target=target, confidence=confidence, planned=int(planned))
        go("annotate", attribute.name)


def _numbers(state: CertificationState) -> None:
    cells = st.columns(4)
    labels = state.batch.answered
    cells[0].metric(
        "Labels", f"{labels:,}", f"of {state.certification.planned:,} meant", delta_color="off", delta_arrow="off"
    )
    progress = state.progress
    certified = None if progress is None else progress.certified
    cells[1].metric("Certain from a score of", NOTHING if certified is None else decimal(certified, 3))
    cells[2].metric("Accepted", f"{progress.accepted:,}" if progress is not None and certified is not None else NOTHING)
    missing = None if progress is None or progress.next_cut is None else progress.labels_needed
    cells[3].metric("To the next cut", NOTHING if missing is None else f"≈ {count(missing, 'label')}")


def _continue(attribute: Attribute, state: CertificationState) -> None:
    waiting, ws = state.batch.left, workspace()
    confirming = state.task.left - waiting
    asked = state.certification.batch if waiting else state.certification.task
    mine = state.task.left and len(tasks.rows_for(ws, asked, ws.annotations.annotator(ui.annotator())))
    if waiting > 0 and not mine:
        st.info(
            f"{ui.plain(ui.annotator())} has judged all of their share: the rest waits for another annotator.",
            icon=":material/group:",
        )
    elif waiting > 0:
        key = f"label-certification-{state.certification.id}"
        if st.button(f"Label {count(waiting, 'image')}", type="primary", icon=":material/check_box:", key=key):
            go("annotate", attribute.name)
    elif state.next_batch:
        key = f"extend-{state.certification.id}"
        if st.button(f"Ask {state.next_batch:,} more", type="primary", icon=":material/play_arrow:", key=key):
            certification.extend(ws, state.certification)
            go("annotate", attribute.name)
    elif state.in_rounds:
        st.caption("The next images are asked by a round already: label it, then go on here.")
        link("rounds", "Label the round", attribute.name)
    elif state.progress is not None and state.progress.next_cut is not None:
        st.caption("Every image that the next cut could be tested on is labelled: it does not pass.")
    else:
        st.caption("Every cut has passed.")
    if confirming > 0 and not waiting and mine and state.certified is None:
        link("annotate", f"Confirm {count(confirming, 'image')} labelled yes", attribute.name)
