"""The state of the Map page: map, colouring, pictures, selection and position, in the session and in the URL.

While the page is open, the browser writes the URL itself (``components/map/address.js``), so a URL changes the state
only where it differs from the one that the page wrote.
"""

import math
import uuid
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine import formatting
from bam_engine.errors import BamError, NotFound
from bam_engine.gallery import search, selections
from bam_engine.maps import view_cache
from bam_engine.maps.places import extent, places_of
from bam_engine.workspace import Workspace
from web import ui
from web.components.map import Goto, MapEvents, SwatchClick

MAP, COLOUR, PICTURES = "map-chosen", "map-colour", "map-pictures"  # keys of widgets
PICTURE_NAMES = {"best": "Highest score", "medoid": "Most typical", "newest": "Newest"}
PICTURES_HELP = (
    "Where many images share a spot, one picture stands for them. *Highest score*: the best of the attribute that the "
    "map is coloured by; where it is coloured by something else, the most typical. *Most typical*: the image in the "
    "middle of its spot. *Newest*: the image that was added last. At the deepest zoom every image has a picture."
)
COUNT = "map-search-count"
_SELECTED, _GOTO, _LAST_EVENT = "map-selected", "map-goto", "map-heard"
_SEEN, _WRITTEN, _LAST = "map-address-seen", "map-address-written", "map-kept"
_MOST = 4096  # characters of a URL parameter that are read


@dataclass(frozen=True)
class Selected:
    """A selection: its id, its origin (area, search, link, legend), its description, and the best rows first.

    ``best`` is empty where the images have no order.
    """

    id: str
    how: str
    words: str = ""
    best: tuple[int, ...] = ()


def selected() -> Selected | None:
    """Return the selection."""
    selection: Selected | None = st.session_state.get(_SELECTED)
    return selection


def select(chosen: Selected | None) -> None:
    """Set or clear the selection."""
    st.session_state[_SELECTED] = chosen


def select_results(ws: Workspace, rows: NDArray[np.int64], words: str) -> None:
    """Select the results of a search, best first."""
    select(Selected(selections.save(ws, rows), "search", words, tuple(int(row) for row in rows)))
    _tell_count(len(rows), f"found {ui.plain(words)}")


def goto() -> Goto | None:
    """Return the last target that the map was sent to."""
    target: Goto | None = st.session_state.get(_GOTO)
    return target


def go_to_selection(ws: Workspace, map_id: str) -> None:
    """Send the map to the selected images that are on it."""
    chosen = selected()
    if chosen is not None and (box := extent(places_of(ws, map_id, selections.rows_of(ws, chosen.id)))) is not None:
        st.session_state[_GOTO] = Goto(_new(), bounds=box)


def go_to_image(ws: Workspace, map_id: str, row: int) -> bool:
    """Send the map to an image and ring it; return False if it is not on the map."""
    x, y = (float(part) for part in places_of(ws, map_id, [row])[0])
    if not math.isfinite(x):
        return False
    st.session_state[_GOTO] = Goto(_new(), x, y, mark=True)
    return True


def follow_address(ws: Workspace, maps: Collection[str]) -> None:
    """Set the state from the URL if it changed; ``maps`` are the ids of the maps, newest first."""
    state, url = st.session_state, tuple(_given(name) for name in ("map", "colour", "pictures", "selection"))
    opened = COLOUR not in state  # the page was not open just now
    is_new = opened or url not in (state.get(_SEEN), state.get(_WRITTEN))
    state[_SEEN] = url
    if not is_new:
        return
    map_id, colour, shown, selection = url
    if map_id and map_id not in maps:
        st.warning("The map of this link no longer exists. Another one is shown.", icon=":material/link_off:")
    last = state.get(_LAST, ("", "", ""))
    candidates = (map_id, state.get(MAP), last[0], next(iter(maps)))
    state[MAP] = next(one for one in candidates if one in maps)
    state[COLOUR] = colour or state.get(COLOUR) or last[1] or "density"
    pictures = shown or ("best" if colour else state.get(PICTURES) or last[2])  # a full link without it: the default
    state[PICTURES] = pictures if pictures in PICTURE_NAMES else "best"
    state[_GOTO] = None
    select(None)
    if selection:
        _follow_selection(ws, selection)
    _follow_place(ws, state[MAP], ring=not colour)


def _follow_selection(ws: Workspace, selection: str) -> None:
    try:
        selections.rows_of(ws, selection)
    except NotFound as error:
        st.warning(ui.plain(str(error)), icon=":material/link_off:")
        return
    select(Selected(selection, "link"))


def _follow_place(ws: Workspace, map_id: str, *, ring: bool) -> None:
    x, y, z = (_number(_given(name)) for name in ("x", "y", "z"))
    if x is not None and y is not None:
        zoom = None if z is None else min(16, max(0, round(z)))
        here = Goto(_new(), min(1.0, max(0.0, x)), min(1.0, max(0.0, y)), zoom, mark=ring)
        st.session_state[_GOTO] = here
    else:
        go_to_selection(ws, map_id)


def keep_address(map_id: str, colour: str, shown: str) -> None:
    """Remember the URL that the browser is given, so that it is not taken for a new one."""
    chosen = selected()
    written = "" if shown == "best" else shown
    st.session_state[_WRITTEN] = (map_id, colour, written, chosen.id if chosen is not None else "")
    st.session_state[_LAST] = (map_id, colour, shown)


def take_events(ws: Workspace, map_id: str, events: MapEvents) -> bool:
    """Apply the events of the map to the state; return whether there was a new one."""
    state, new = st.session_state, False
    if events.selection_event is not None and events.selection_event != state.get(_LAST_EVENT):
        state[_LAST_EVENT], new = events.selection_event, True
        if events.area is None:
            select(None)
        else:
            rows = view_cache.rows_in_polygon(ws, map_id, events.area.corners)
            select(Selected(selections.save(ws, rows), "area"))
            _tell_count(len(rows), "selected")
    swatch = events.swatch
    if swatch is not None and swatch.click != state.get("map-swatch"):
        state["map-swatch"], new = swatch.click, True
        _filter_by(ws, map_id, swatch)
    picked = events.picked
    if picked is not None and picked.like and picked.click != state.get("map-like"):
        state["map-like"], new = picked.click, True
        more_like(ws, picked.row)
    return new


def _filter_by(ws: Workspace, map_id: str, swatch: SwatchClick) -> None:
    """Select the images of a swatch of the legend; a click on the swatch that is selected clears it."""
    chosen = selected()
    if chosen is not None and chosen.how == "legend" and chosen.words == swatch.label:
        select(None)
        return
    try:
        rows = view_cache.current_view(ws, map_id).rows_of_swatch(swatch.colour, swatch.label)
    except NotFound as error:  # the legend has changed since
        st.toast(ui.plain(str(error)), icon=":material/info:")
        return
    select(Selected(selections.save(ws, rows), "legend", swatch.label))


def _tell_count(count: int, words: str) -> None:
    """Tell how many images there are, and that they are shown by the map, which may be out of sight."""
    if count:
        st.toast(
            f"{formatting.count(count, 'image')} {words}: see the panel by the map", icon=":material/photo_library:"
        )
    else:
        st.toast(f"No image {words}", icon=":material/search_off:")


def last_event() -> str | None:
    """Return the id of the last event that was applied."""
    event: str | None = st.session_state.get(_LAST_EVENT)
    return event


def more_like(ws: Workspace, row: int) -> None:
    """Select the images most similar to one."""
    try:
        rows = search.by_image(ws, row, count=int(st.session_state.get(COUNT) or 200))
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/error:")
        return
    image = ws.catalogue.image(row)
    select_results(ws, np.concatenate([[row], rows]), f"most like “{image.title or image.name}”")


def _given(name: str) -> str:
    return str(st.query_params.get(name, ""))[:_MOST]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _new() -> str:
    return uuid.uuid4().hex
