"""Annotate: the grid in which people answer, one task at a time."""

import streamlit as st

from bam_engine.workspace import rounds, tasks
from bam_engine.workspace.status import waiting_tasks
from web import ui
from web.components.label_grid import label_grid
from web.engine import workspace
from web.navigation import link

ws = workspace()
ui.head("Annotate", "Answer one question about many images. Keys are faster than the mouse; every answer is saved.")

bar = st.columns([2, 3])
with bar[0]:
    attribute = ui.pick_attribute()
if attribute is None:
    st.stop()

waiting = {task.title: task for task in waiting_tasks(ws, attribute, ui.annotator())}
if not waiting:
    found = rounds.state(ws, attribute)
    if found.step == "train":
        ui.train_when_due(attribute, found.rounds[-1].number)
    elif found.step in ("label_validation", "label_round"):
        st.info(
            f"You have answered all that is yours, {ui.plain(ui.annotator())}. {ws.redundancy} people must agree on "
            "each image: the rest waits for another annotator (change the name at the left to be that person).",
            icon=":material/group:",
        )
    else:
        if found.rounds:
            ui.show_job(ui.training(attribute, found.rounds[-1].number))
        ui.next_step(found)
        if found.model is not None:
            link("rounds", "See what changed", attribute.name)
    st.stop()

with bar[1]:
    title = st.segmented_control("Task", list(waiting), default=next(iter(waiting)), key=f"task-{attribute.id}")
task = waiting[title or next(iter(waiting))]
assignment = tasks.open_task(ws, task, ui.annotator())
if assignment is None:
    st.rerun()

answered = ws.annotations.answered_rows(assignment.id)
images = [{"row": row, "answer": answered.get(row)} for row in assignment.rows]  # no titles: judge the picture alone
if label_grid(assignment.id, attribute.question, attribute.instructions, images=images):
    st.rerun()
