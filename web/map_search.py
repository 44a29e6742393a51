"""Search on the map by meaning, by words of names or by an image; the results become the selection."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from bam_engine.errors import BamError
from bam_engine.gallery import search
from bam_engine.workspace import Workspace
from web import map_state, ui

COUNTS = (50, 200, 1000)
_TEXT, _HOW, _FILE, _DONE = "map-search-text", "map-search-how", "map-search-file", "map-searched"
_CSS = """<style>
.st-key-map-search { align-items: flex-end; }
</style>"""


def search_bar(ws: Workspace) -> None:
    """Draw the search bar, and run a new search."""
    st.html(_CSS)
    by_meaning = search.searches_by_meaning(ws)
    bar = st.container(horizontal=True, vertical_alignment="bottom", key="map-search")
    with bar:
        text = st.text_input(
            "Search", key=_TEXT, placeholder=ui.search_hint(), icon=":material/search:", width="stretch"
        )
        how: search.Ways = "words"
        if by_meaning:
            ways: dict[search.Ways, str] = {"meaning": "by meaning", "words": "in names"}
            chosen = st.segmented_control(
                "How", list(ways), default="meaning", key=_HOW, format_func=ways.__getitem__, required=True
            )
            how = chosen or "meaning"
        count = st.selectbox("Max results", COUNTS, index=1, key=map_state.COUNT, width=110)
        with st.popover("By image", icon=":material/image_search:"):
            st.caption("Images like one of yours. For images like one on the map, use its button there.")
            uploaded = st.file_uploader("A picture to look for", key=_FILE)
    _search(ws, (text.strip(), how, count) if text.strip() else None, uploaded, count)
    if map_state.selected() is not None:
        bar.button("Clear", icon=":material/close:", on_click=_clear, key="map-search-clear")


def _search(
    ws: Workspace, request: tuple[str, search.Ways, int] | None, uploaded: UploadedFile | None, count: int
) -> None:
    """Run a search if the text or file is new; a cleared text clears its results."""
    file = (uploaded.file_id, count) if uploaded is not None else None
    before = st.session_state.get(_DONE, (None, None))
    st.session_state[_DONE] = (request, file)
    try:
        if uploaded is not None and file != before[1]:
            rows = search.by_image(ws, uploaded.getvalue(), count=count)
            map_state.select_results(ws, rows, f"most like the picture {uploaded.name}")
        elif request is not None and request != before[0]:
            _by_text(ws, *request)
        elif request is None and before[0] is not None and _is_search():
            map_state.select(None)
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/error:")


def _by_text(ws: Workspace, text: str, by: search.Ways, count: int) -> None:
    found = search.find(ws, text, count, by=by)
    if by == "meaning":
        map_state.select_results(ws, found.rows, f"the best matches for “{text}”")
        return
    more = f", the first of {found.matches:,}" if len(found.rows) < found.matches else ""
    map_state.select_results(ws, found.rows, f"for “{text}”{more}; searched {found.searched}")


def _is_search() -> bool:
    chosen = map_state.selected()
    return chosen is not None and chosen.how == "search"


def _clear() -> None:
    map_state.select(None)
    st.session_state[_TEXT] = ""
