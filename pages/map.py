"""Map: all images by similarity, as density and, close up, as pictures, with selection and search."""

import streamlit as st

from bam_engine.gallery import selections
from bam_engine.maps import layout_store, sprite_packing, view_cache
from web import jobs, map_selection, map_state, ui
from web.components.map import last_map_events, picture_map
from web.engine import workspace
from web.image_panel import open_image
from web.layout_form import (
    JOB,
    delete_button,
    layout_form,
    layout_popover,
    map_notes,
    new_map,
    titles,
    undo_deletion,
)
from web.map_search import search_bar
from web.navigation import go

KEY = "map"
CSS = """<style>
@media (max-width: 1180px) { /* the map's name has a line of its own */
  .st-key-map-bar [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-map-bar [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]:first-child {
    min-width: 100% !important; }
}
</style>"""

ws = workspace()
ui.head(
    "Map",
    "Similar images are close together. Drag to pan, scroll to zoom, click to open, Shift-drag to select.",
)
records = {record.id: record for record in layout_store.all_layouts(ws)}
if len(ws.vectors()) == 0 and not records:
    ui.empty("A map is made from the vectors, and there are none yet.", "Embed the images", "embed")
    st.stop()

busy = jobs.show(JOB, unit="steps")
undo_deletion(ws, map_state.MAP)
if not records:
    if not busy:
        layout_form(ws, first=True)
    st.stop()

map_state.follow_address(ws, records)
if (created := new_map(ws)) in records:
    st.session_state[map_state.MAP] = created
elif st.session_state.get(map_state.MAP) not in records:  # it was deleted
    st.session_state[map_state.MAP] = next(iter(records))
st.html(CSS)
bar = st.container(key="map-bar").columns([3.6, 3.6, 2, 1.8, 1.5], vertical_alignment="bottom")
with bar[0]:
    chosen = st.selectbox("Map", list(records), key=map_state.MAP, format_func=titles(ws, records.values()).__getitem__)
with bar[3]:
    if len(ws.vectors()):
        layout_popover(ws, "New map", icon=":material/add:", busy=busy, width="stretch")
    elif st.button("Embed the images", help="A new map is made from the vectors, and there are none.", width="stretch"):
        go("embed")
with bar[4]:
    delete_button(ws, records[chosen], busy=busy)
view = view_cache.current_view(ws, chosen, fresh=True)
sprite_packing.start(ws, chosen)
kinds = {kind: ui.readable_kind(kind) for kind in view.kinds()}
if st.session_state[map_state.COLOUR] not in kinds:
    st.session_state[map_state.COLOUR] = next(iter(kinds))
with bar[1]:
    colour = st.selectbox("Colour by", list(kinds), key=map_state.COLOUR, format_func=kinds.__getitem__)
with bar[2]:
    names = map_state.PICTURE_NAMES
    pictures = st.selectbox(
        "Pictures", list(names), key=map_state.PICTURES, format_func=names.__getitem__, help=map_state.PICTURES_HELP
    )

map_state.take_events(ws, chosen, last_map_events(KEY, chosen))
search_bar(ws)
selected = map_state.selected()
shown = selected.id if selected is not None and len(selections.rows_of(ws, selected.id)) else ""
map_state.keep_address(chosen, colour, pictures)
map_selection.style()
row = st.container(key="map-row")
with row.container(key="map-window"):
    events = picture_map(
        chosen,
        version=view.version,
        colour=colour,
        pictures=pictures,
        picture_from_zoom=view.picture_from_zoom,
        max_zoom=view.max_zoom,
        count=len(view),
        bounds=view.bounds,
        legend=view.legend(colour, theme="light"),
        legend_dark=view.legend(colour, theme="dark"),
        selection=shown,
        handled=map_state.last_event(),
        show_area=selected is not None and selected.how == "area",
        goto=map_state.goto(),
        workspace=ws.id,
        swatch=selected.words if selected is not None and selected.how == "legend" else "",
        height="stretch",
        key=KEY,
    )
if map_state.take_events(ws, chosen, events):
    st.rerun()
with row.container(key="map-side"):
    map_selection.selection_panel(ws, chosen, busy=busy)
map_notes(ws, records[chosen], busy=busy)
if events.picked is not None and not events.picked.like and ui.is_new("map-picked", events.picked):
    open_image(events.picked.row)
