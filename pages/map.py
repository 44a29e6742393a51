"""Map: every image at its place, drawn by datashader, pictures when close."""

import streamlit as st

from bam_engine.workspace import asking, map_views, maps
from web import ui
from web.components.gallery import Picture, gallery
from web.components.map import Area, picture_map
from web.engine import workspace
from web.image_panel import open_image
from web.layout_form import JOB, layout_form, map_state

SHOWN = 60

ws = workspace()
ui.head(
    "Map",
    "Images that are alike lie close together. Drag to pan, scroll to zoom, hover to see, click to open; with Shift "
    "held, draw around an area to select it.",
)
if len(ws.vectors()) == 0:
    ui.empty("A map is made from the vectors, and there are none yet.", "Embed the images", "embed")
    st.stop()


def selection(area: Area, map_id: str) -> None:
    """Draw what lies in the selected area, and what can be done with it."""
    rows = map_views.rows_in(ws, map_id, area.corners).tolist()
    if ui.is_news("map-area", area.drawn):
        st.toast(f"{ui.several(len(rows), 'image')} selected: see below the map", icon=":material/arrow_downward:")
    with st.container(border=True):
        st.markdown(f"**{ui.several(len(rows), 'image')} selected**")
        if not rows:
            return
        if attributes := ws.attributes.all():
            names = {attribute.name: attribute for attribute in attributes}
            which, action = st.columns([2, 3], vertical_alignment="bottom")
            name = which.selectbox("Attribute", list(names), format_func=ui.readable, key="map-attribute")
            words = f"Use as examples for a round of {ui.readable(name)}"
            if action.button(words, type="primary", icon=":material/play_arrow:"):
                ui.start_from_examples(names[name], asking.examples_from(ws, rows))
        shown = rows[:: -(-len(rows) // SHOWN)]
        opened = gallery([Picture(row) for row in shown], key="map-selected", version=ws.id, size=84, height=200)
        if len(rows) > asking.EXAMPLES:
            st.caption(
                f"{len(shown)} of them are shown. A round starts from {asking.EXAMPLES} typical ones of the selection."
            )
        if opened is not None:
            open_image(opened)


busy = ui.show_job(JOB, unit="steps")
records = {record.id: record for record in maps.layouts(ws)}
if not records:
    if not busy:
        layout_form(ws, first=True)
    st.stop()

bar = st.columns([3, 3, 1], vertical_alignment="bottom")
with bar[0]:
    chosen = st.selectbox("Map", list(records), format_func=lambda key: records[key].title)
view = map_views.view(ws, chosen, fresh=True)
with bar[1]:
    kinds = {kind: ui.readable_kind(kind) for kind in view.kinds()}
    colour = st.selectbox("Colour by", list(kinds), format_func=kinds.get, key="map-colour")
with bar[2], st.popover("New map", icon=":material/add:", disabled=busy):
    layout_form(ws, first=False)

found = picture_map(
    chosen,
    version=view.version,
    colour=colour,
    picture_from_zoom=view.picture_from_zoom,
    max_zoom=view.max_zoom,
    count=len(view),
    bounds=view.bounds,
    legend=view.legend(colour),
    key="map",
)
map_state(ws, records[chosen], busy=busy)
if found.area is not None:
    selection(found.area, chosen)
if found.picked is not None and ui.is_news("map-picked", found.picked):
    open_image(found.picked.row)
