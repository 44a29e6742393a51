"""Dialogs over a page: while one is open, nothing that ends in the background draws the page again and closes it."""

from collections.abc import Callable
from typing import Literal

import streamlit as st

_OPEN = "dialog-open"


def open_dialog(title: str, draw: Callable[[], object], *, width: Literal["medium", "large"]) -> None:
    """Open a dialog, whose content ``draw`` draws; once it is closed, the page is drawn again."""
    st.session_state[_OPEN] = True
    st.dialog(title, width=width, on_dismiss=_closed)(draw)()


def page_begins() -> None:
    """Note that the whole page is drawn: a dialog that was open is gone, unless the page opens it again."""
    st.session_state[_OPEN] = False


def is_open() -> bool:
    """Return whether a dialog is open over the page."""
    return bool(st.session_state.get(_OPEN))


def _closed() -> None:
    st.session_state[_OPEN] = False
