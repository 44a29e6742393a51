"""Gallery: the images of an attribute along their scores, or what a search finds."""

import streamlit as st

from bam_engine.workspace import search
from bam_engine.workspace.calibration import probabilities
from bam_engine.workspace.models import latest_model, scores_of
from bam_engine.workspace.thresholds import current_threshold
from web import ui
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.image_panel import open_image
from web.navigation import link

SHOWN = 300
SIZES = {"S": 96, "M": 150, "L": 230}

ws = workspace()
ui.head("Gallery", "The images of an attribute, best first, at its threshold, or anywhere along the scores.")
n = len(ws.catalogue)
if n == 0:
    ui.empty("There are no images yet.", "Add a folder of images", "images")
    st.stop()

attributes = ws.attributes.all()
bar = st.columns([5, 5, 6, 3])
with bar[0]:
    attribute = ui.pick_attribute() if attributes else None
with bar[1]:
    text = st.text_input("Search", placeholder=ui.search_hint(), key="gallery-search")
with bar[3]:
    size = st.segmented_control("Size", list(SIZES), default="M", key="gallery-size") or "M"

ranked = attribute is not None and latest_model(ws, attribute) is not None
threshold = current_threshold(ws, attribute) if ranked else None
marks = search.marks(ws, attribute) if attribute is not None else {}
if text.strip():
    rows, captions = search.find(ws, text, SHOWN), {}
    st.caption(f"{len(rows):,} images found" + (" (the first are shown)" if len(rows) == SHOWN else ""))
elif ranked:
    order, scores = search.ranking(ws, attribute), scores_of(ws, attribute)
    accepted = 0 if threshold is None else int((scores[order] >= threshold.value).sum())
    with bar[2]:
        place = st.segmented_control(
            "Show",
            ["best", "threshold", "anywhere"],
            default="best",
            format_func={"best": "Best first", "threshold": "At the threshold", "anywhere": "Anywhere"}.get,
            key="gallery-place",
        )
    start = 0
    if place == "threshold" and threshold is not None:
        start = max(0, accepted - SHOWN // 2)
    elif place == "anywhere" and len(order) > 1:
        start = st.slider("Start at rank", 1, len(order), 1, key=f"rank-{attribute.id}") - 1
    rows = [int(row) for row in order[start : start + SHOWN]]
    shown = probabilities(ws, attribute, rows)
    captions = {row: f"{scores[row]:.2f}" for row in rows}
    if not shown.problem:
        captions = {
            row: f"{captions[row]} · {ui.chance(chance)}" for row, chance in zip(rows, shown.value, strict=True)
        }
    words = f"Ranks {start + 1:,}–{start + len(rows):,} of {len(order):,}"
    if threshold is not None:
        words += f" · the first {accepted:,} are accepted (score ≥ {threshold.value:.2f}, precision "
        words += ui.interval(
            threshold.evidence.precision, threshold.evidence.precision_low, threshold.evidence.precision_high
        )
        words += ")" if threshold.kept else ", suggested)"
        captions |= {row: f"{captions[row]} · rejected" for row in rows if scores[row] < threshold.value}
    st.caption(words + ("" if shown.problem else " · the percentage is the probability that the answer is yes"))
else:
    start = st.slider("Start at image", 1, n, 1, key="gallery-start") - 1 if n > SHOWN else 0
    rows, captions = list(range(start, min(start + SHOWN, n))), {}
    if attribute is not None:
        st.info("This attribute has no scores yet: the images are shown in the order they were added.")
        link("rounds", "Label a first round", attribute.name)

pictures = [
    Picture(image.row, captions.get(image.row, ""), image.title or image.path.name, marks.get(image.row, ""))
    for image in ws.catalogue.images(rows)
]
picked = gallery(pictures, key="gallery", version=ws.id, size=SIZES[size])
if picked is not None:
    open_image(picked)
