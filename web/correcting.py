"""Correcting the label of one image: the buttons in the dialog of an image and on its page."""

import numpy as np
import streamlit as st

from bam_engine.annotation import readable
from bam_engine.labelling import adjudication, tasks
from bam_engine.labelling.bulk import ANSWERS
from web import ui
from web.engine import workspace


def correct_label(row: int, *, key: str) -> bool:
    """Draw buttons that correct the label of the attribute last looked at, where it teaches; return if one was."""
    ws, name = workspace(), st.session_state.get("attribute_kept")
    attribute = next((one for one in ws.attributes.all() if one.name == name), None)
    if attribute is None or not adjudication.can_correct(ws, attribute, row):
        return False
    label = int(tasks.labels_of(tasks.labels(ws, attribute), np.array([row]))[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"“{ui.plain(readable(attribute.name))}” is labelled **{ANSWERS[label]}**. Correct it to")
        for answer, words in ANSWERS.items():
            if answer != label and st.button(words, key=f"{key}-correct-{words}"):
                adjudication.correct(ws, attribute, row, answer, ui.annotator())
                return True
    return False
