"""The bar above the gallery: the search, the order, and the button that shows the filters."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bam_engine.errors import BamError
from bam_engine.gallery import uploads
from bam_engine.gallery.query import Query
from web import ui
from web.components.fold import fold_button
from web.engine import workspace
from web.gallery_query import PREFIX, show, sorts_of

SORTS = {
    "score": "Best first",
    "closest": "Closest to threshold first",
    "contradicted": "Contradicted labels first",
    "found": "Best match first",
    "shuffled": "Shuffled",
    "spread": "Most varied first",
    "newest": "Newest first",
    "oldest": "Oldest first",
    "dark": "Darkest first",
    "over-bright": "Brightest first",
    "blurred": "Most blurred first",
    "blank": "Most uniform first",
    "odd aspect": "Oddest aspect first",
    "tiny": "Smallest first",
    "grey": "Greyest first",
}


def query_bar(query: Query, filters: int, beside: Callable[[Query], None]) -> DeltaGenerator:
    """Draw the bar; return the element at its end.

    Parameters
    ----------
    filters
        How many filters are set.
    beside
        Draws what comes before the end.
    """
    with st.container(key="gallery-line", horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        fold_button("gallery-filters", "Filters", filters)
        st.text_input(
            "Search",
            placeholder=ui.search_hint(),
            key=PREFIX + "search",
            on_change=_searched,
            icon=":material/search:",
            label_visibility="collapsed",
        )
        about = "Find images similar to a picture of yours"
        with st.popover("Image", icon=":material/image_search:", help=about, key="gallery-image"):
            _by_image(query)
        st.selectbox(
            "Order",
            sorts_of(query, list(SORTS)),
            key=PREFIX + "sort",
            format_func=SORTS.__getitem__,
            width=150,
            label_visibility="collapsed",
        )
        if query.sort == "shuffled":
            about = "Show them in another random order"
            st.button("Reshuffle", icon=":material/shuffle:", key="gallery-shuffle", help=about, on_click=_reshuffle)
        beside(query)
        return st.empty()


def _reshuffle() -> None:
    st.session_state[PREFIX + "seed"] = int(st.session_state.get(PREFIX + "seed") or 0) + 1


def _searched() -> None:
    text = str(st.session_state[PREFIX + "search"] or "").strip()
    st.session_state[PREFIX + "sort"] = "found" if text else "score"
    if text:
        st.session_state[PREFIX + "place"] = "all"


def _by_image(query: Query) -> None:
    """Draw the upload of a picture, and show the most similar images."""
    if len(workspace().vectors()) == 0:
        st.caption("Nothing is embedded yet, so images cannot be compared.")
        return
    uploaded = st.file_uploader("Find images similar to this", key="gallery-given", max_upload_size=64)
    st.caption("It is not added to the collection. For an image that is here, open it and choose More like this.")
    if uploaded is None or not ui.is_new("gallery-given", uploaded.file_id):
        return
    try:
        with st.spinner("Reading the picture …"):
            upload_id = uploads.save(workspace(), uploaded.getvalue())
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/broken_image:")
        return
    show(Query(attribute=query.attribute, upload=upload_id, sort="found"))
    st.rerun()
