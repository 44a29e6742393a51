"""Undo, offered where something was done: what happened in words, with a button, until the page is left."""

from collections.abc import Callable
from typing import NoReturn

import streamlit as st

from bam_engine.errors import TooLate
from web import ui

_DONE, _PAGE = "done-last", "done-page"


def done(message: str, undo: Callable[[], object]) -> NoReturn:
    """Rerun the page, which then says what was done, in Markdown, with a button; ``undo`` takes it back."""
    st.session_state[_DONE] = (message, undo)
    st.rerun()


def offer(page: str) -> None:
    """Draw what was done last on this page, with a button that undoes it; nothing if there is nothing to undo."""
    if st.session_state.get(_PAGE) != page:
        st.session_state.pop(_DONE, None)
    st.session_state[_PAGE] = page
    if _DONE not in st.session_state:
        return
    message, undo = st.session_state[_DONE]
    if undo is None:
        st.error(message, icon=":material/error:")
        return
    with st.container(key=ui.STICKY):
        words, button = st.columns([5, 1], vertical_alignment="center")
        words.success(message, icon=":material/check_circle:")
        if button.button("Undo", icon=":material/undo:", key="undo", width="stretch"):
            with ui.guard():
                _take_back(undo)


def _take_back(undo: Callable[[], object]) -> NoReturn:
    """Undo what was done last and rerun the page; where it is too late, the page says so and offers it no more."""
    try:
        undo()
    except TooLate as error:
        st.session_state[_DONE] = (ui.plain(str(error)), None)
    else:
        del st.session_state[_DONE]
    st.rerun()
