"""Attributes: the yes/no questions of this collection."""

from functools import partial

import streamlit as st

from bam_engine.annotation import BAM_ATTRIBUTES, Attribute, readable
from bam_engine.workspace.core import MAX_ASSIGNMENT, MAX_CAPTIONS_ASKED, MAX_LEASE
from web import guideline_examples, ui, undo
from web.class_labels import class_labels
from web.engine import workspace
from web.navigation import link
from web.steps import attribute_in_focus
from web.votes_form import votes_form

ws = workspace()
ui.head("Attributes", "An attribute is a yes/no question about every image.")

existing = {attribute.name: attribute for attribute in ws.attributes.all()}
archived = {attribute.name: attribute for attribute in ws.attributes.archived()}
templates = {one.name: one for one in BAM_ATTRIBUTES if one.name not in existing.keys() | archived.keys()}


@ui.guard()
def rename(attribute: Attribute, name: str) -> None:
    """Give an attribute another name."""
    renamed = ws.attributes.rename(attribute.id, name.strip())
    if renamed.name == attribute.name:
        return
    undo.done(
        f"{ui.plain(attribute.name)} is called {ui.plain(renamed.name)}. Links with the old name find it.",
        partial(ws.attributes.rename, attribute.id, attribute.name),
    )


@ui.guard()
def archive(attribute: Attribute) -> None:
    """Put an attribute out of the way."""
    ws.attributes.archive(attribute.id)
    undo.done(
        f"{ui.plain(readable(attribute.name))} is archived. Nothing is deleted.",
        partial(ws.attributes.restore, attribute.id),
    )


@ui.guard()
def bring_back(attribute: Attribute) -> None:
    """Bring an archived attribute back."""
    ws.attributes.restore(attribute.id)
    undo.done(f"{ui.plain(readable(attribute.name))} is in use again.", partial(ws.attributes.archive, attribute.id))


focus = attribute_in_focus("attributes") if existing else None
if focus is None:
    st.info("There are no attributes yet. Add a template, or write a question of your own.", icon=":material/info:")
for attribute in existing.values():
    title = f"**{ui.plain(readable(attribute.name))}** · {ui.plain(attribute.question)}"
    with st.expander(title, expanded=attribute == focus):
        with st.form(f"edit-{attribute.id}", border=False):
            question = st.text_input("Question", attribute.question)
            instructions = st.text_area("Instructions for annotators", attribute.instructions, height=160)
            if st.form_submit_button("Save"):
                with ui.guard():
                    ws.attributes.update(attribute.id, question=question.strip(), instructions=instructions.strip())
                    st.rerun()
        if attribute == focus:
            guideline_examples.edit(attribute)
        with st.form(f"rename-form-{attribute.id}", border=False):
            field, button = st.columns([3, 1], vertical_alignment="bottom")
            new = field.text_input("Name", attribute.name, key=f"name-{attribute.id}-{attribute.name}")
            if button.form_submit_button("Rename", key=f"rename-{attribute.id}", width="stretch"):
                rename(attribute, new)
        with st.container(horizontal=True, vertical_alignment="center"):
            link("rounds", "Open its rounds", attribute.name)
            if st.button("Archive", key=f"archive-{attribute.id}", icon=":material/archive:"):
                archive(attribute)
start, own = st.columns([2, 3], gap="medium")
with start, st.form("bam", border=True):
    st.subheader("Templates", anchor=False)
    chosen = st.multiselect(
        "Attributes",
        list(templates),
        format_func=readable,
        placeholder="Pick one or more",
        help="The 20 attributes of the Behance Artistic Media dataset, with questions and instructions.",
    )
    if st.form_submit_button("Add selected", icon=":material/add:", type="secondary" if existing else "primary"):
        if not chosen:
            st.warning("Pick at least one attribute first.")
        with ui.guard():
            for name in chosen:
                template = templates[name]
                ws.attributes.add(template.name, template.kind, template.question, template.instructions)
            if chosen:
                st.rerun()
with own, st.form("own", border=True):
    st.subheader("New attribute", anchor=False)
    name = st.text_input(
        "Name", placeholder="watercolour", key="new-name", help="In exported files, “oil painting” is oil_painting."
    )
    kind = ui.choose_category()
    question = st.text_input("Question", placeholder="Is this a watercolour?", key="new-question")
    instructions = st.text_area("Instructions for annotators", placeholder="What counts, what does not, edge cases.")
    if st.form_submit_button("Add", icon=":material/add:"):
        with ui.guard():
            ws.attributes.add(name.strip(), kind, question.strip(), instructions.strip())
            st.rerun()

class_labels()
if existing:
    votes_form()
    st.subheader("Assignments", anchor=False)
    st.caption(
        "Whoever labels is given a few images at a time, which nobody else gets meanwhile unless they need more votes. "
        "Somebody alone does not notice: the next images follow at once."
    )
    size, lease, describe = st.columns(3)
    images = size.number_input(
        "Images per assignment", min_value=1, max_value=MAX_ASSIGNMENT, value=ws.assignment_size, help="BAM used 34."
    )
    minutes = lease.number_input(
        "Given to others after, in minutes",
        min_value=1,
        max_value=MAX_LEASE,
        value=ws.lease_minutes,
        help="Without an answer for so long, the rest of an assignment is given to others. Answers that come later "
        "are stored; they count where the image still needs a vote.",
    )
    descriptions = describe.number_input(
        "Images to describe",
        min_value=0,
        max_value=MAX_CAPTIONS_ASKED,
        value=ws.captions_asked,
        help="After an assignment, so many of its images are to be described in a sentence. BAM asked for 3. The "
        "gallery finds images by these words, and an export has them.",
    )
    if (images, minutes, descriptions) != (ws.assignment_size, ws.lease_minutes, ws.captions_asked):
        with ui.guard():
            ws.assignment_size, ws.lease_minutes = int(images), int(minutes)
            ws.captions_asked = int(descriptions)
            st.rerun()

if archived:
    st.subheader("Archived", anchor=False)
    for attribute in archived.values():
        words, button = st.columns([3, 1], vertical_alignment="center")
        words.markdown(f"{ui.plain(readable(attribute.name))} · {ui.plain(attribute.question)}")
        if button.button("Restore", key=f"restore-{attribute.id}", icon=":material/undo:", width="stretch"):
            bring_back(attribute)
