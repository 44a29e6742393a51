"""Image: one image with all its facts, under a URL that can be shared."""

import streamlit as st

from web import removing, ui
from web.answering import answer_image
from web.engine import workspace
from web.image_facts import draw_image
from web.image_panel import more_like, steps
from web.navigation import link

ws = workspace()
ui.head("Image", "One image with its labels, scores and similar images.")
n = len(ws.catalogue)
if n == 0:
    ui.empty("There are no images yet.", "Add a folder of images", "images")
    st.stop()

number = st.query_params.get("row", "0")
if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number) < n):
    st.warning(
        f"This address cannot be opened. There is no image “{ui.plain(number[:40])}”: "
        f"their numbers are 0 to {n - 1:,}.",
        icon=":material/link_off:",
    )
    link("gallery", "Look for it in the gallery")
    st.stop()
row = int(number)
with st.container(horizontal=True, vertical_alignment="center"):
    target = steps(row, key="image", count=n)
    more_like(row, key="image")
    removing.one_image(row, key="image")
answer_image(row, key="image")
clicked = draw_image(row, key="image")
target = clicked if target is None else target
if target is not None:
    st.query_params["row"] = str(target)
    st.rerun()
