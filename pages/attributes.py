"""Attributes: the yes/no questions of this collection."""

import streamlit as st

from bam_engine.annotation import BAM_ATTRIBUTES, KINDS, readable
from web import ui
from web.engine import workspace
from web.navigation import link

ws = workspace()
ui.head("Attributes", "An attribute is a question that is answered with yes or no for every image.")

existing = {attribute.name: attribute for attribute in ws.attributes.all()}
templates = {template.name: template for template in BAM_ATTRIBUTES if template.name not in existing}

if not existing:
    st.info("There are no attributes yet. Pick some of BAM's, or write your own.", icon=":material/info:")
for attribute in existing.values():
    with st.expander(f"**{ui.plain(readable(attribute.name))}** · {ui.plain(attribute.question)}"):
        with st.form(f"edit-{attribute.id}", border=False):
            question = st.text_input("Question", attribute.question)
            instructions = st.text_area("Instructions for annotators", attribute.instructions, height=160)
            if st.form_submit_button("Save"):
                ws.attributes.update(attribute.id, question=question.strip(), instructions=instructions.strip())
                st.rerun()
        link("rounds", "Work on it", attribute.name)
start, own = st.columns(2, gap="large")
with start, st.form("bam", border=True):
    st.subheader("From BAM's twenty", anchor=False)
    chosen = st.multiselect(
        "Attributes",
        list(templates),
        format_func=readable,
        placeholder="Pick one or more",
        help="The 20 attributes of the Behance Artistic Media dataset, with questions and instructions.",
    )
    if st.form_submit_button("Add these", icon=":material/add:", type="primary"):
        if not chosen:
            st.warning("Pick at least one attribute first.")
        for name in chosen:
            template = templates[name]
            ws.attributes.add(template.name, template.kind, template.question, template.instructions)
        if chosen:
            st.rerun()
with own, st.form("own", border=True):
    st.subheader("Your own", anchor=False)
    name = st.text_input(
        "Name", placeholder="media_watercolor", key="new-name", help="Lower-case letters, digits and underscores."
    )
    kind = st.segmented_control("Kind", KINDS, default="own")
    question = st.text_input("Question", placeholder="Is this a watercolour?", key="new-question")
    instructions = st.text_area("Instructions for annotators", placeholder="What counts, what does not, edge cases.")
    if st.form_submit_button("Add", icon=":material/add:", type="primary"):
        ws.attributes.add(name.strip(), kind or "own", question.strip(), instructions.strip())
        st.rerun()

if existing:
    st.subheader("Agreement", anchor=False)
    people = st.number_input(
        "How many people must agree on an image?",
        min_value=1,
        max_value=9,
        value=ws.redundancy,
        help="1 for a person alone, 2 for a team, as in BAM. Until enough people agree, an image has no label.",
    )
    if people != ws.redundancy:
        ws.redundancy = int(people)
        st.rerun()
