"""Map: every image at its place, drawn by datashader, pictures when close."""

import streamlit as st

from bam_engine.workspace import maps
from bam_engine.workspace.embedding import embedded_rows
from web import ui
from web.components.map import picture_map
from web.engine import workspace
from web.image_panel import open_image

JOB = "layout"

ws = workspace()
ui.head(
    "Map",
    "Images that are alike lie close together. Drag to pan, scroll to zoom, hover to see, click to open.",
)
if len(ws.vectors()) == 0:
    ui.empty("A map is made from the vectors, and there are none yet.", "Embed the images", "embed")
    st.stop()


def make_form(*, first: bool) -> None:
    """Draw the form that computes a layout."""
    with st.form("layout", border=first):
        if first:
            st.markdown("There is no map of this encoder's vectors yet. t-SNE keeps neighbours best, PCA is instant.")
        method = st.segmented_control("Method", list(maps.METHODS), default="tsne", format_func=maps.METHODS.get)
        scope = st.radio("On the map", list(maps.SCOPES), format_func=lambda key: maps.SCOPES[key].capitalize())
        if st.form_submit_button("Make the map", type="primary", icon=":material/map:"):
            ws.jobs.start(
                JOB,
                f"{maps.METHODS[method or 'tsne']} of {maps.SCOPES[scope]}",
                lambda report: maps.make_layout(ws, method=method or "tsne", scope=scope, report=report),
            )
            st.rerun()


busy = ui.show_job(JOB, unit="steps")
records = {record.id: record for record in maps.layouts(ws)}
if not records:
    if not busy:
        make_form(first=True)
    st.stop()

bar = st.columns([3, 3, 1], vertical_alignment="bottom")
with bar[0]:
    chosen = st.selectbox("Map", list(records), format_func=lambda key: records[key].title)
view = maps.view(ws, chosen, fresh=True)
with bar[1]:
    kinds = {kind: ui.readable_kind(kind) for kind in view.kinds()}
    colour = st.selectbox("Colour by", list(kinds), format_func=kinds.get, key="map-colour")
with bar[2], st.popover("New map", icon=":material/add:", disabled=busy):
    make_form(first=False)

picked = picture_map(
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
newer = len(embedded_rows(ws)) - records[chosen].n if records[chosen].scope == "collection" else 0
if newer > 0:
    st.info(f"{ui.several(newer, 'image')} came after this map was made. Make it anew to see them.")
if picked is not None and ui.is_news("map-picked", picked):
    open_image(picked.row)
