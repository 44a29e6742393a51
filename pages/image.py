"""Image: one image with all that is known of it; its address can be kept and shared."""

import streamlit as st

from web import ui
from web.engine import workspace
from web.image_facts import draw_image
from web.image_panel import more_like, steps

ws = workspace()
ui.head("Image", "All that is known of one image. Click one of those near it to go on from there.")
n = len(ws.catalogue)
if n == 0:
    ui.empty("There are no images yet.", "Add a folder of images", "images")
    st.stop()

asked = st.query_params.get("row", "0")
if not (asked.isascii() and asked.isdigit() and len(asked) < 10 and int(asked) < n):
    st.warning(f"There is no image {ui.plain(asked[:40])}: their numbers are 0 to {n - 1:,}.")
    asked = "0"
row = int(asked)
with st.container(horizontal=True, vertical_alignment="center"):
    wanted = steps(row, key="image", count=n)
    more_like(row, key="image")
clicked = draw_image(row, key="image")
wanted = clicked if wanted is None else wanted
if wanted is not None:
    st.query_params["row"] = str(wanted)
    st.rerun()
