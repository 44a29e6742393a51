"""What the Map page shows: the map, its colour and pictures, the selection and the place, kept in the session and in
the address.

In:  the address, when somebody followed a link; what was done on the map. Out: the state of the session. While the page
is open the browser itself writes the address (``components/map/address.js``): a link is news, what we told is not.
"""

import math
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine import formatting
from bam_engine.errors import BamError, NotFound
from bam_engine.gallery import search, selections
from bam_engine.maps import view_cache
from bam_engine.maps.places import extent, places_of
from bam_engine.projection import MapView
from bam_engine.workspace import Workspace
from web import ui
from web.components.map import Goto, MapEvents

MAP, COLOUR, PICTURES = "map-chosen", "map-colour", "map-pictures"  # keys of widgets
PICTURE_NAMES = {"best": "Highest score", "medoid": "Most typical", "newest": "Newest"}
PICTURES_HELP = (
    "Where many images share a spot, one picture stands for them. *Highest score*: the best of the attribute that the "
    "map is coloured by; where it is coloured by something else, the most typical. *Most typical*: the image in the "
    "middle of its spot. *Newest*: the image that was added last. At the deepest zoom every image has a picture."
)
COUNT = "map-search-count"
_SELECTED, _GOTO, _HEARD = "map-selected", "map-goto", "map-heard"
_SEEN, _TOLD, _KEPT = "map-address-seen", "map-address-told", "map-kept"
_MOST = 4096  # letters of the address that are read


@dataclass(frozen=True)
class Selected:
    """What is selected: its id, how that came about (area, search, link), what to say of it, and the best rows first.

    ``best`` is empty where no image is a better one than another.
    """

    id: str
    how: str
    words: str = ""
    best: tuple[int, ...] = ()


def selected() -> Selected | None:
    """Return what is selected."""
    found: Selected | None = st.session_state.get(_SELECTED)
    return found


def select(chosen: Selected | None) -> None:
    """Make something the selection, or nothing."""
    st.session_state[_SELECTED] = chosen


def select_found(ws: Workspace, rows: NDArray[np.int64], words: str) -> None:
    """Make what a search has found the selection; ``rows`` come best first."""
    select(Selected(selections.save(ws, rows), "search", words, tuple(int(row) for row in rows)))
    _point_below(len(rows), f"found {ui.plain(words)}")


def goto() -> Goto | None:
    """Return where the map was sent last."""
    found: Goto | None = st.session_state.get(_GOTO)
    return found


def go_to_selection(ws: Workspace, map_id: str) -> None:
    """Send the map to what is selected, as far as it is on the map."""
    chosen = selected()
    if chosen is not None and (box := extent(places_of(ws, map_id, selections.rows_of(ws, chosen.id)))) is not None:
        st.session_state[_GOTO] = Goto(_new(), bounds=box)


def go_to_image(ws: Workspace, map_id: str, row: int) -> bool:
    """Send the map to an image, with a ring around it; return False where it is not on the map."""
    x, y = (float(part) for part in places_of(ws, map_id, [row])[0])
    if not math.isfinite(x):
        return False
    st.session_state[_GOTO] = Goto(_new(), x, y, mark=True)
    return True


def follow_address(ws: Workspace, maps: Collection[str]) -> None:
    """Set the state from the address, where it is news; ``maps`` are the ids there are, the newest first."""
    state, url = st.session_state, tuple(_given(name) for name in ("map", "colour", "pictures", "selection"))
    came = COLOUR not in state  # the page was not open just now
    news = came or url not in (state.get(_SEEN), state.get(_TOLD))
    state[_SEEN] = url
    if not news:
        return
    map_id, colour, shown, selection = url
    if map_id and map_id not in maps:
        st.warning("The map of this link is not there any more. Another is shown.", icon=":material/link_off:")
    kept = state.get(_KEPT, ("", "", ""))
    wanted = [one for one in (map_id, state.get(MAP), kept[0], next(iter(maps))) if one in maps]
    state[MAP] = wanted[0]
    state[COLOUR] = colour or state.get(COLOUR) or kept[1] or "density"
    asked = shown or ("best" if colour else state.get(PICTURES) or kept[2])  # a whole link without it means the default
    state[PICTURES] = asked if asked in PICTURE_NAMES else "best"
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
    """Note what the browser is told, so that its address is no news when it comes back."""
    chosen = selected()
    told = "" if shown == "best" else shown
    st.session_state[_TOLD] = (map_id, colour, told, chosen.id if chosen is not None else "")
    st.session_state[_KEPT] = (map_id, colour, shown)


def hear(ws: Workspace, map_id: str, found: MapEvents) -> bool:
    """Take what was done on the map into the state; return whether there was anything new."""
    state, news = st.session_state, False
    if found.selection_event is not None and found.selection_event != state.get(_HEARD):
        state[_HEARD], news = found.selection_event, True
        if found.area is None:
            select(None)
        else:
            rows = view_cache.rows_in_polygon(ws, map_id, found.area.corners)
            select(Selected(selections.save(ws, rows), "area"))
            _point_below(len(rows), "selected")
    picked = found.picked
    if picked is not None and picked.like and picked.click != state.get("map-like"):
        state["map-like"], news = picked.click, True
        more_like(ws, picked.row)
    return news


def _point_below(count: int, words: str) -> None:
    """Say how many images there are, and where they are shown: below the map, which may be out of sight."""
    if count:
        st.toast(f"{formatting.count(count, 'image')} {words}: see below the map", icon=":material/arrow_downward:")
    else:
        st.toast(f"No image {words}", icon=":material/search_off:")


def heard() -> str | None:
    """Return what was heard of the map last."""
    found: str | None = st.session_state.get(_HEARD)
    return found


def more_like(ws: Workspace, row: int) -> None:
    """Select the images most like one."""
    try:
        rows = search.by_image(ws, row, count=int(st.session_state.get(COUNT) or 200))
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/error:")
        return
    image = ws.catalogue.image(row)
    select_found(ws, np.concatenate([[row], rows]), f"most like “{image.title or image.path.name}”")


def legends(view: MapView, colour: str) -> dict[str, Mapping[str, object]]:
    """Return the legend of a colour as the map's component takes it, for a light and for a dark page."""
    return {"legend": view.legend(colour, theme="light"), "legend_dark": view.legend(colour, theme="dark")}


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
