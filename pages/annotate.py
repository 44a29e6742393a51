"""Annotate: the grid of images to label, one task at a time."""

from functools import partial

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.formatting import count
from bam_engine.guidance.guidance import guidance_of
from bam_engine.guidance.rules import Step
from bam_engine.labelling import assigning, tasks
from bam_engine.labelling.adjudication import remarks_by
from bam_engine.labelling.assigning import Share
from bam_engine.labelling.tasks import Purpose, Task
from bam_engine.reporting.overview import held_by_others, skipped_images, waiting_tasks
from bam_engine.team import Role
from bam_engine.training.last_answers import last_answers
from web import captions, demo_controls, jobs, people, ui, undo
from web.components.label_grid import PER_PAGE, label_grid
from web.engine import workspace
from web.guideline_examples import for_grid
from web.navigation import link
from web.pausing import paused_notice
from web.steps import attribute_in_focus

_PURPOSES: dict[Step, Purpose] = {
    "label_validation": "validation",
    "label_round": "round",
    "label_certification": "certification",
    "label_extension": "certification",
    "label_audit": "audit",
}
"""Which task each step of the guidance is about."""
_TAKEN = "assignments-taken"  # the annotator's name, and what this tab has of theirs

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
    images = [{"row": one.row, "answer": one.answer, "assignment": one.assignment_id} for one in last.answers]
    about = attribute.question, attribute.instructions
    key = last.answers[0].assignment_id
    version, examples = ws.picture_version, for_grid(attribute)
    if label_grid(key, *about, images=images, version=version, examples=examples, review=True, skips=False):
        st.rerun()  # nothing is skipped: nobody else would be asked


def correct_last(attribute: Attribute) -> None:
    """Draw the link to the answers that the annotator gave last, if there are any to be changed."""
    if last_answers(ws, attribute, ui.annotator()) is not None:
        link("annotate", "Correct your last answers", attribute.name, task="last")


def offer_skipped(attribute: Attribute) -> None:
    """Draw the button by which the annotator is given what they skipped, if anything of it still needs them."""
    rows = skipped_images(ws, attribute, ui.annotator())
    if not len(rows):
        return
    those = count(len(rows), "image")
    st.caption(f"You skipped {those}: somebody else is asked, and a reviewer where several people skip an image.")
    if st.button(f"Look at the {those} again", icon=":material/undo:"):
        with ui.guard():
            who = ws.annotations.annotator(ui.annotator())
            back = assigning.take_skips_back(ws, attribute, who, rows)
            undo.done(f"You are asked about {those} again.", partial(assigning.skip_again, ws, back))


def describe(attribute: Attribute, rows: list[int]) -> None:
    """Ask for descriptions of these images, but of those that the annotator skipped."""
    known = ws.annotators.find(ui.annotator())
    skipped = set() if known is None else tasks.skipped_by(ws, attribute, known.id)
    captions.ask_for([row for row in rows if row not in skipped])


def take_over() -> None:
    """Give back what this tab has of images under another name."""
    annotator, taken = st.session_state.get(_TAKEN, ("", []))
    if taken and annotator != ui.annotator():
        ws.leases.give_back(taken)
        del st.session_state[_TAKEN]


def share_of(task: Task) -> Share | None:
    """Return the annotator's share of a task, and remember that this tab has it."""
    at_hand = 1 if ws.captions_asked else 2 * PER_PAGE  # descriptions are asked for between two assignments
    share = assigning.open_share(ws, task, ui.annotator(), at_hand=at_hand)
    if share is not None:
        before = st.session_state.get(_TAKEN, ("", []))[1]
        taken = [one.id for one in share.assignments if one.id not in before]
        st.session_state[_TAKEN] = (ui.annotator(), before + taken)
    return share


def asked_for(attribute: Attribute, waiting: dict[str, Task], *, adjudicating: bool) -> str:
    """Return the title of the task that was asked for, or that the next step is about; otherwise of the first."""
    if adjudicating and "Adjudication" in waiting:
        return "Adjudication"
    purpose = _PURPOSES.get(guidance_of(ws, attribute).step)
    return next((title for title, task in waiting.items() if task.purpose == purpose), next(iter(waiting)))


attribute = attribute_in_focus("annotate")
if attribute is None:
    st.stop()
take_over()
if paused_notice(asks=True):
    st.stop()
if captions.asked():
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
    elif guidance.labelling is not None and (held := held_by_others(ws, attribute, ui.annotator())):
        st.info(
            f"{count(held, 'image is', 'images are')} with others just now, {ui.plain(ui.annotator())}. What they do "
            f"not answer comes back after {count(ws.lease_minutes, 'minute')}.",
            icon=":material/hourglass_top:",
        )
        if st.button("Look again"):
            st.rerun()
    elif guidance.labelling is not None:
        other = "" if people.team_mode() else " (change the name in the sidebar to be that person)"
        votes = guidance.labelling.votes
        rest = f"{votes} people must agree on each image: the rest" if votes > 1 else "The rest"
        st.info(
            f"You have answered all that is yours, {ui.plain(ui.annotator())}. "
            f"{rest} waits for another annotator{other}.",
            icon=":material/group:",
        )
        link("agreement", "See where people disagree", attribute.name)
    else:
        if guidance.round:
            jobs.show(jobs.training(attribute, guidance.round))
        ui.show_next(guidance)
        if guidance.facts is not None and guidance.facts.model:
            link("rounds", "See what changed", attribute.name)
    offer_skipped(attribute)
    correct_last(attribute)
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    key, first = f"task-{attribute.id}-{adjudicating}", asked_for(attribute, waiting, adjudicating=adjudicating)
    title = st.segmented_control("Task", list(waiting), default=first, key=key, label_visibility="collapsed")
    correct_last(attribute)
task = waiting[title or first]
if task.purpose == "adjudication":
    st.info(
        "You decide these for everybody: people disagreed about them or flagged them, and your answer settles each, "
        "whatever they said. What you leave unmarked is decided “no”; “unsure” leaves the image without a label.",
        icon=":material/gavel:",
    )
    link("agreement", "Back to what is disputed", attribute.name)
if not adjudicating and demo_controls.offer_labelling(attribute):
    st.stop()
share = share_of(task)
if share is None:
    st.rerun()

remarks = remarks_by(ws, attribute, ui.annotator())
described = [] if adjudicating else assigning.to_describe(ws, share.current)
images = [  # no titles: only the picture counts
    {"row": row, "answer": share.answers.get(row), "assignment": one.id, "remark": remarks.get(row)}
    for one in share.assignments
    for row in one.rows
]
if label_grid(
    share.assignments[0].id,
    attribute.question,
    attribute.instructions,
    images=images,
    before=share.before,
    left=share.left,
    version=ws.picture_version,
    examples=for_grid(attribute),
    skips=task.purpose != "adjudication",
    on_finished=partial(describe, attribute, described),
):
    st.rerun()
