"""Overview: the collection, the quality of each attribute, and the next step."""

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.demo import demo_workspace
from bam_engine.gallery.search import random_rows
from bam_engine.reporting.overview import AttributeSummary, Overview, overview, waiting_for
from bam_engine.workspace.membership import member_rows
from web import backup, demo_controls, encoders, ui
from web.engine import workspace
from web.navigation import go, is_allowed, link
from web.overview_parts import quality_table, strip, waiting_table

STRIP = 24  # pictures; as many as fit are seen

ws = workspace()


def start() -> None:
    """Draw the two ways to start."""
    ui.head("Overview", "From unlabelled images to a dataset people can trust.")
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        st.subheader("Try the demo", anchor=False)
        st.markdown(
            "A generated collection: watercolours, comics, oil paintings, with cats, bicycles, moods. Because the "
            "images are generated, we know the right answers. Simulated annotators can label them, so you can see in "
            "minutes what would take a week to label by hand."
        )
        demo_controls.try_demo()
    with right, st.container(border=True, height="stretch"):
        st.subheader("Add your images", anchor=False)
        st.markdown(
            "Choose a folder on this computer. Nothing is copied, changed or sent anywhere. Then ask yes/no "
            "questions, label a few hundred images, and get the rest labelled with a precision you can prove."
        )
        busy = ws.jobs.is_running(demo_controls.JOB)
        if st.button(
            "Add your images", icon=":material/add_photo_alternate:", key="add-images", width="stretch", disabled=busy
        ):
            go("images")


def numbers(state: Overview) -> None:
    """Draw the counts."""
    cells = st.columns(5 if state.generated else 4)
    cells[0].metric("Images", f"{state.images:,}", help="generated" if state.generated else None)
    cells[1].metric("Embedded", f"{state.embedded:,}", help=f"with {ui.plain(ws.encoder_name())}")
    cells[2].metric("Answers by people", f"{state.by_people:,}")
    if state.generated:
        cells[3].metric("Answers by simulated annotators", f"{state.simulated:,}")
    cells[-1].metric("Unreadable files", f"{state.unreadable:,}")


def attributes(lines: tuple[AttributeSummary, ...]) -> None:
    """Draw the quality of the attributes that are under way, and the others to start with."""
    begun = [line for line in lines if line.started]
    if begun:
        st.subheader("Attribute quality", anchor=False)
        quality_table(begun)
    ahead = [line.name for line in lines if not line.started]
    if ahead and is_allowed("rounds"):
        st.subheader("Start another" if begun else "Start with an attribute", anchor=False)
        chosen = st.pills("Attributes", ahead, format_func=readable, label_visibility="collapsed", key="begin")
        if chosen is not None:
            go("rounds", chosen)


stopped = demo_workspace.unfinished(ws)
if len(ws.catalogue) == 0 or stopped is not None or ws.jobs.is_running(demo_controls.JOB):
    if stopped is None:
        start()
    else:
        words = "The demo is not complete yet. What is drawn is saved: continue at any time."
        if ws.jobs.is_running(demo_controls.JOB):
            words = "The demo is being created: drawn, added, embedded. You can stop at any time."
        ui.head("Overview", words)
        demo_controls.try_demo()
        strip(range(min(STRIP, len(ws.catalogue))))
    st.stop()

state = overview(ws)
ui.head("Overview", "What is in the collection, the quality of each attribute, and what to do next.")
strip(random_rows(ws, STRIP) if state.embedded else member_rows(ws)[:STRIP].tolist())
numbers(state)
encoders.preparation(linked=True)
ui.show_next(state.next)
if spellings := ws.annotators.spellings():
    names = "; ".join(" and ".join(f"“{ui.plain(one.name)}”" for one in group) for group in spellings)
    st.warning(f"{names}: spellings of one name that count as several people.", icon=":material/warning:")
    link("annotators", "View annotators")
waiting_table(waiting_for(ws, also=ui.annotator()), ui.annotator())
attributes(state.attributes)
backup.hint()
