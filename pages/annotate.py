"""Annotate: the grid of images to label, one task at a time."""

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import tasks
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.team import Role
from bam_engine.training.last_answers import last_answers
from web import demo_controls, jobs, people, ui
from web.components.label_grid import label_grid
from web.engine import workspace
from web.guideline_examples import for_grid
from web.navigation import link
from web.steps import attribute_in_focus

ws = workspace()
ui.unseen_head("Annotate")


def draw_last(attribute: Attribute) -> None:
    """Draw the answers that the annotator gave last, to be corrected."""
    last = last_answers(ws, attribute, ui.annotator())
    link("annotate", "Back to what is left", attribute.name)
    if last is None:
        st.info("You have no answers here that can be changed: those that judge the classifier stay as they are.")
        return
    st.caption(f"Your answers to {ui.plain(last.title)}. Change any of them, and save the page.")
    images = [{"row": row, "answer": answer} for row, answer in last.answers.items()]
    about = attribute.question, attribute.instructions
    if label_grid(
        last.assignment_id, *about, images=images, version=ws.picture_version, examples=for_grid(attribute), review=True
    ):
        st.rerun()


def correct_last(attribute: Attribute) -> None:
    """Draw the link to the answers that the annotator gave last, if there are any to be changed."""
    if last_answers(ws, attribute, ui.annotator()) is not None:
        link("annotate", "Correct your last answers", attribute.name, task="last")


attribute = attribute_in_focus("annotate")
if attribute is None:
    st.stop()
if st.query_params.get("task") == "last":
    draw_last(attribute)
    st.stop()

adjudicating = st.query_params.get("task") == "adjudication" and people.may(Role.REVIEWER)
waiting = {task.title: task for task in waiting_tasks(ws, attribute, ui.annotator(), adjudicating=adjudicating)}
if adjudicating and "Adjudication" not in waiting:
    st.success("No disputed image waits for a decision.", icon=":material/gavel:")
    link("agreement", "See what was decided", attribute.name)
if not waiting:
    guidance = guidance_of(ws, attribute)
    if guidance.step == "train":
        jobs.train_when_due(attribute, guidance.round)
    elif guidance.labelling is not None:
        other = "" if people.team_mode() else " (change the name at the left to be that person)"
        st.info(
            f"You have answered all that is yours, {ui.plain(ui.annotator())}. {guidance.labelling.votes} people must "
            f"agree on each image: the rest waits for another annotator{other}.",
            icon=":material/group:",
        )
        link("agreement", "See where people disagree", attribute.name)
    else:
        if guidance.round:
            jobs.show(jobs.training(attribute, guidance.round))
        ui.show_next(guidance)
        if guidance.facts is not None and guidance.facts.model:
            link("rounds", "See what changed", attribute.name)
    correct_last(attribute)
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    key, first = f"task-{attribute.id}-{adjudicating}", next(iter(waiting))
    title = st.segmented_control("Task", list(waiting), default=first, key=key, label_visibility="collapsed")
    correct_last(attribute)
task = waiting[title or next(iter(waiting))]
if task.purpose == "adjudication":
    st.info(
        "You decide these for everybody: people disagreed about them, and your answer settles each, whatever they "
        "said. What you leave unmarked is decided “no”; “unsure” leaves the image without a label.",
        icon=":material/gavel:",
    )
    link("agreement", "Back to what is disputed", attribute.name)
if not adjudicating and demo_controls.offer_labelling(attribute):
    st.stop()
assignment = tasks.open_task(ws, task, ui.annotator())
if assignment is None:
    st.rerun()

answered = ws.annotations.answered_rows(assignment.id)
images = [{"row": row, "answer": answered.get(row)} for row in assignment.rows]  # no titles: only the picture counts
about = attribute.question, attribute.instructions
if label_grid(assignment.id, *about, images=images, version=ws.picture_version, examples=for_grid(attribute)):
    st.rerun()
