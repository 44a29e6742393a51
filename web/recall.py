"""The part of the Threshold page that measures the recall of the threshold in use, on a sample drawn below it."""

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.formatting import count
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import assigning
from bam_engine.training import recall
from bam_engine.training.recall import RecallState
from bam_engine.training.recall_proposal import propose
from bam_engine.training.thresholds import AttributeThreshold
from web import ui
from web.engine import workspace
from web.navigation import go, link


def measure_recall(attribute: Attribute, saved: AttributeThreshold) -> None:
    """Draw what a sample below the saved threshold has shown, or what it would cost, and what starts or continues it.

    Nothing is drawn where no image below the threshold is without a label: its misses are known.
    """
    state = recall.current(workspace(), attribute)
    if state is None:
        _offer(attribute, saved)
        return
    with st.container(border=True):
        st.markdown("**Recall, measured below the threshold**")
        st.markdown(ui.plain(state.summary))
        _continue(attribute, state)


def _offer(attribute: Attribute, saved: AttributeThreshold) -> None:
    ws, facts, key = workspace(), guidance_of(workspace(), attribute).facts, f"recall-{attribute.id}-{saved.id}"
    if facts is None or not facts.below or not st.toggle("Measure its recall", key=f"{key}-open"):
        return
    with st.container(border=True), ui.guard():
        proposal = propose(ws, attribute)
        if recall.former(ws, attribute) is not None:
            st.caption(
                "The recall was measured at another threshold or by another model, which says nothing of this one. The "
                "labels are kept, and count as known."
            )
        size = st.number_input(
            "Images to label below the threshold", 1, proposal.below, proposal.count, step=1, key=f"{key}-size"
        )
        if size != proposal.count:
            proposal = propose(ws, attribute, int(size))
        st.markdown(ui.plain(proposal.summary))
        if proposal.plain and proposal.count < proposal.below:
            link("rounds", "Draw more validation images", attribute.name, place="recall")
        if st.button("Measure recall", icon=":material/search_insights:", key=f"{key}-start"):
            recall.start(ws, attribute, count=proposal.count)
            go("annotate", attribute.name)


def _continue(attribute: Attribute, state: RecallState) -> None:
    ws, key = workspace(), f"recall-sample-{state.sample.id}"
    if state.waiting > 0:
        mine = assigning.rows_for(ws, state.sample.task, ws.annotations.annotator(ui.annotator()))
        with st.container(horizontal=True):
            if not len(mine):
                st.info(
                    f"{ui.plain(ui.annotator())} has judged all of their share: the rest waits for another annotator.",
                    icon=":material/group:",
                )
            elif st.button(
                f"Label {count(len(mine), 'image')}", type="primary", icon=":material/check_box:", key=f"{key}-label"
            ):
                go("annotate", attribute.name)
            if st.button(
                "Stop here",
                icon=":material/stop:",
                key=f"{key}-stop",
                help="The images labelled so far count, in the order in which they were drawn. The others can be "
                "asked about later.",
            ):
                with ui.guard():
                    recall.stop(ws, attribute)
                    st.rerun()
        return
    left = state.stopped + state.more
    if not left:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        size = st.number_input(
            "More images", 1, left, min(left, state.stopped or 100), step=1, key=f"{key}-more-{state.sample.asked}"
        )
        go_on = "Go on" if state.stopped else "Measure more narrowly"
        if st.button(go_on, icon=":material/search_insights:", key=f"{key}-grow"):
            with ui.guard():
                recall.grow(ws, attribute, int(size))
                go("annotate", attribute.name)
