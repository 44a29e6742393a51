"""The dialog with one image over a page, and the steps through the list that it was opened from.

The gallery, the map, the rounds and the reports open it. ``image_facts`` draws the image itself; the Image page uses
the same list.
"""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.gallery.query import Query
from web import removing, ui
from web.answering import answer_image
from web.dialogs import open_dialog
from web.engine import workspace
from web.image_facts import draw_image
from web.navigation import focused_attribute, go

_ROW, _AMONG = "panel_row", "panel_among"


def open_image(row: int, among: Sequence[int] | NDArray[np.int64] | None = None) -> None:
    """Open the dialog with image ``row``; ``among`` is the list to step through, in order."""
    st.session_state[_ROW] = row
    st.session_state[_AMONG] = None if among is None else np.asarray(among, np.int64)
    open_dialog("Image", _panel, width="large")


def _panel() -> None:
    with ui.guard():
        row = int(st.session_state[_ROW])
        target = steps(row, key="panel")
        answer_image(row, key="panel")
        clicked = draw_image(row, key="panel", wide=False)
        with st.container(horizontal=True):
            more_like(row, key="panel")
            removing.one_image(row, key="panel")
            st.page_link(
                st.session_state["pages"]["image"],
                label="Open as a page",
                icon=":material/open_in_full:",
                query_params={"row": str(row)},
            )
        target = clicked if target is None else target
        if target is not None:
            st.session_state[_ROW] = target
            st.rerun(scope="fragment")


def more_like(row: int, *, key: str) -> None:
    """Draw the button that shows similar images in the gallery."""
    if len(workspace().vectors()) <= row:
        return
    if st.button("More like this", key=f"{key}-more", icon=":material/image_search:"):
        names = [attribute.name for attribute in workspace().attributes.all()]
        last = focused_attribute()
        st.session_state["gallery-next"] = Query(attribute=last if last in names else "", like=(row,), sort="found")
        go("gallery")


def steps(row: int, *, key: str, count: int | None = None) -> int | None:
    """Draw the buttons to the previous and next image; return the row to go to, or None.

    They step through the list that the image was opened from, if it contains ``row``, and otherwise through the
    ``count`` images of the collection, if given.
    """
    before, after, words = _beside(row, count)
    if not words:
        return None
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-steps"):
        previous = st.button("Previous", key=f"{key}-previous", disabled=before is None, shortcut="Left")
        following = st.button("Next", key=f"{key}-next", disabled=after is None, shortcut="Right")
        st.caption(words, width="content")
    return before if previous else after if following else None


def _beside(row: int, count: int | None) -> tuple[int | None, int | None, str]:
    """Return the rows before and after ``row``, and its position in words, empty without a list."""
    among: NDArray[np.int64] | None = st.session_state.get(_AMONG)
    if among is not None and len(at := np.flatnonzero(among == row)):
        place = int(at[0])
        before = int(among[place - 1]) if place else None
        after = int(among[place + 1]) if place + 1 < len(among) else None
        return before, after, f"{place + 1:,} of {len(among):,} in the list"
    if count is None:
        return None, None, ""
    return (
        row - 1 if row else None,
        row + 1 if row + 1 < count else None,
        f"Number {row:,} (0 to {count - 1:,})",
    )
