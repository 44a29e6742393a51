"""Gallery: the images of a query, however many: by attributes, along the scores, by what a search finds."""

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.errors import BamError
from bam_engine.workspace.listing import Listing, listed
from web import ui
from web.components.gallery import endless_gallery
from web.engine import workspace
from web.gallery_actions import chosen_popover, last_answer, names_read, offer_folding, views_popover
from web.gallery_bar import SORTS, chips, query_bar
from web.image_panel import open_image
from web.navigation import link

ws = workspace()
ui.head("Gallery", "Every image: what an attribute accepts, its close calls, what a search finds, in any order.")
if len(ws.catalogue) == 0:
    ui.empty("There are no images yet.", "Add a folder of images", "images")
    st.stop()


def precision(listing: Listing) -> str:
    """Say what is known of the images that the attribute accepts."""
    about = listing.about
    if about is None:
        return ""
    if about.threshold is None:
        return "no threshold yet"
    told = about.threshold.evidence
    share = ui.interval(told.precision, told.precision_low, told.precision_high)
    standing = "certified" if told.certified else "not certified" if about.threshold.kept else "suggested"
    return f"score ≥ {about.cut:.2f}, precision {share}, {standing}"


def headline(listing: Listing) -> str:
    """Say what is shown, of how many, and how sure that is."""
    query, count = listing.query, ui.several(len(listing), "image")
    words = f"{count} found" if query.searched else count
    if listing.counts is not None:
        words += f", which stand for {listing.found:,}"
    if query.place == "accepted" and listing.about is not None:
        sample = (
            "in random order: the first are a fair sample" if query.sort == "shuffled" else SORTS[query.sort].lower()
        )
        words += f" accepted as {ui.plain(readable(query.attribute))} ({precision(listing)}), {sample}"
    elif listing.about is not None:
        accepted = int(listing.about.accepted.sum())
        words += (
            f" · {ui.plain(readable(query.attribute))} accepts {accepted:,} of {listing.n:,} ({precision(listing)})"
        )
    if query.sort == "score" and (query.yes or query.no) and len(listing):
        words += " · first the images whose least likely condition is likeliest"
    if listing.about is not None and listing.about.calibration is not None:
        words += " · the percentage is the probability that the answer is yes; point at an image for its limits"
    return words


query, end = query_bar(views_popover)
chips(query)
last_answer()
if not names_read(query):
    st.stop()
try:
    listing = listed(ws, query)
except BamError as error:
    st.error(ui.plain(str(error)), icon=":material/error:")
    st.stop()

for note in listing.notes:
    st.info(ui.plain(note))
if query.attribute and listing.about is None:
    link("rounds", "Label a first round", query.attribute)
if query.folded:
    offer_folding()
if not len(listing):
    st.warning(f"Nothing is left: {ui.plain(listing.emptied_by)}.", icon=":material/filter_alt_off:")
    st.stop()

st.caption(headline(listing))
line = (
    "" if listing.line is None else f"Threshold: {listing.line:,} accepted above ({precision(listing)}), rejected below"
)
picked, chosen = endless_gallery(listing, key="gallery", version=ws.id, line_text=line)
with end:
    chosen_popover(query, chosen)
if picked is not None:
    open_image(picked, listing.rows)
