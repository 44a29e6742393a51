"""Descriptions of images in words: shown and written on the page of an image, and asked for after an assignment."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from bam_engine.annotation.caption_store import MAX_CAPTION, Caption
from bam_engine.database import read_only
from bam_engine.errors import AnnotationError
from bam_engine.team import Role
from web import identity, people, ui, undo
from web.components.gallery import Picture, gallery
from web.engine import workspace

_HINT = "What the picture shows, in a sentence"
_TO_DESCRIBE = "images-to-describe"


def draw(captions: Sequence[tuple[str, Caption]], row: int, *, key: str) -> None:
    """Draw the captions of an image, with a way to hide each, and the field for another one."""
    for annotator, caption in captions:
        words, button = st.columns([5, 1], vertical_alignment="center")
        text = f"“{ui.plain(caption.text)}” · {ui.plain(annotator)}"
        words.markdown(f":gray[Hidden: {text}]" if caption.hidden else text)
        if people.may(Role.REVIEWER) and not read_only(workspace().engine):
            name = f"{key}-caption-{caption.id}"
            if button.button("Show" if caption.hidden else "Hide", key=name, width="stretch"):
                _turn(caption)
    if read_only(workspace().engine) or not people.may(Role.ANNOTATOR):
        return
    with st.popover("Describe it", key=f"{key}-describe", icon=":material/edit_note:"):
        field = f"{key}-describe-{row}-{len(captions)}"
        st.text_input("Description", key=field, placeholder=_HINT, max_chars=MAX_CAPTION)
        if st.button("Save", key=f"{field}-save"):
            with ui.guard():
                workspace().captions.add(row, _author(), st.session_state[field])
                st.rerun()


def _turn(caption: Caption) -> None:
    """Hide a caption, or show it again."""
    store = workspace().captions
    with ui.guard():
        if caption.hidden:
            store.show(caption.id)
            st.rerun()
        store.hide(caption.id, _author())
        undo.done("The description is hidden.", partial(store.show, caption.id))


def ask_for(rows: Sequence[int]) -> None:
    """Have the Annotate page ask for descriptions of these images before anything else."""
    st.session_state[_TO_DESCRIBE] = list(rows)


def asked() -> bool:
    """Draw the form for descriptions that are asked for; return whether there is one."""
    rows = st.session_state.get(_TO_DESCRIBE)
    if not rows:
        return False
    st.subheader("Describe these in a few words", anchor=False)
    st.caption("What is to be seen, for somebody who does not see it. What you leave empty is left out.")
    with st.form("captions"):
        texts = {}
        for row in rows:
            picture, field = st.columns([1, 3], vertical_alignment="center")
            with picture:
                gallery([Picture(row)], key=f"describe-{row}", version=workspace().picture_version)
            texts[row] = field.text_input(
                "Description", key=f"description-{row}", placeholder=_HINT, max_chars=MAX_CAPTION
            )
        if st.form_submit_button("Save and go on", type="primary"):
            _save(texts)
    if st.button("Go on without"):
        del st.session_state[_TO_DESCRIBE]
        st.rerun()
    return True


def _save(texts: dict[int, str]) -> None:
    """Store the descriptions; those that are refused stay in their fields, with the reason."""
    refused = []
    for row, text in texts.items():
        try:
            if text.strip():
                workspace().captions.add(row, _author(), text)
        except AnnotationError as error:
            refused.append(row)
            st.warning(f"“{ui.plain(text)}”: {ui.plain(str(error))}")
    st.session_state[_TO_DESCRIBE] = refused
    if not refused:
        st.rerun()


def _author() -> int:
    return workspace().annotations.annotator(identity.annotator())
