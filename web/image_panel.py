"""The panel of one image over a page, and the way from one to the next in the list that it was opened from.

Opened from the gallery, the map, the rounds and the reports. In: a row, and the rows beside it. The image itself is
drawn by ``image_facts``; the page of an image uses the same list.
"""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.gallery.query import Query
from web import ui
from web.engine import workspace
from web.image_facts import draw_image
from web.navigation import go

_ROW, _AMONG = "panel_row", "panel_among"


def open_image(row: int, among: Sequence[int] | NDArray[np.int64] | None = None) -> None:
    """Open the panel of image ``row`` over the page; ``among`` is the list to go through from there, in its order."""
    st.session_state[_ROW] = row
    st.session_state[_AMONG] = None if among is None else np.asarray(among, np.int64)
    _panel()


@st.dialog("Image", width="large")
def _panel() -> None:
    with ui.guard():
        row = int(st.session_state[_ROW])
        wanted = steps(row, key="panel")
        clicked = draw_image(row, key="panel", wide=False)
        with st.container(horizontal=True):
            more_like(row, key="panel")
            st.page_link(
                st.session_state["pages"]["image"],
                label="Open as a page",
                icon=":material/open_in_full:",
                query_params={"row": str(row)},
            )
        wanted = clicked if wanted is None else wanted
        if wanted is not None:
            st.session_state[_ROW] = wanted
            st.rerun(scope="fragment")


def more_like(row: int, *, key: str) -> None:
    """Draw the way to all that is like an image, in the gallery."""
    if len(workspace().vectors()) <= row:
        return
    if st.button("More like this", key=f"{key}-more", icon=":material/image_search:"):
        names = [attribute.name for attribute in workspace().attributes.all()]
        kept = st.session_state.get("attribute_kept")
        st.session_state["gallery-next"] = Query(attribute=kept if kept in names else "", like=(row,), sort="found")
        go("gallery")


def steps(row: int, *, key: str, count: int | None = None) -> int | None:
    """Draw the steps to the previous and the next image; return the row that was asked for, or None.

    They go through the list that the image was opened from, if ``row`` is in it, else through the ``count`` images of
    the collection in their order, if that is given.
    """
    before, after, words = _beside(row, count)
    if not words:
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        gone_back = st.button("Previous", key=f"{key}-previous", disabled=before is None, shortcut="Left")
        gone_forth = st.button("Next", key=f"{key}-next", disabled=after is None, shortcut="Right")
        st.caption(words, width="content")
    return before if gone_back else after if gone_forth else None


def _beside(row: int, count: int | None) -> tuple[int | None, int | None, str]:
    """Return the rows before and after ``row``, and where it stands in words; no words where there is no list."""
    among = st.session_state.get(_AMONG)
    at = np.flatnonzero(among == row) if among is not None else np.empty(0, np.int64)
    if len(at):
        place = int(at[0])
        before = int(among[place - 1]) if place else None
        after = int(among[place + 1]) if place + 1 < len(among) else None
        return before, after, f"{place + 1:,} of {len(among):,} in the list"
    if count is None:
        return None, None, ""
    return (
        row - 1 if row else None,
        row + 1 if row + 1 < count else None,
        f"Number {row:,}; the numbers go from 0 to {count - 1:,}",
    )
