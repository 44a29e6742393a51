"""BAM's file: the images of BAM's published SQLite, browsed where it lies."""

import streamlit as st

from bam_engine.errors import BamError, NotFound
from bam_engine.formatting import count
from bam_engine.published import Found, find, named_file, opened
from bam_engine.published.pictures import picture_settings
from web import bam_file_download, bam_file_reading, ui
from web.bam_file_filters import bar, panel, show_contents
from web.bam_file_image import open_image
from web.bam_file_query import open_query
from web.components.gallery import file_gallery
from web.engine import workspace
from web.gallery_filters import columns

ws = workspace()
ui.head("BAM's file", "Browse the images of BAM's published file, whether or not their pictures are here.")
if bam_file_reading.running():
    st.stop()
file = named_file(ws)
try:
    arrays = opened(ws)
except BamError as error:
    words = "No file of BAM's is named yet." if isinstance(error, NotFound) else str(error)
    st.info(ui.plain(words), icon=":material/database:")
    bam_file_reading.offer(file)
    st.stop()


def headline(found: Found) -> str:
    """Return what is shown, of how many."""
    words = f"**{count(len(found), 'image')}** of {len(arrays):,} in {ui.plain(arrays.file.name)}"
    if found.unscored:
        words += f" · {found.unscored:,} without a score are left out"
    return words


def reading(found: Found) -> str:
    """Return how to read what is shown."""
    shown = picture_settings(ws) is not None
    absent = (
        "Pictures that are not here are fetched from their URLs while you look; where there is none, it says why."
        if shown
        else "Of images whose bytes are not here, the end of their URL is shown."
    )
    if not found.query.names:
        return absent
    lowest = "its lowest place of these attributes" if len(found.query.names) > 1 else "its place"
    return (
        f"Under each image {lowest}: the share of images that BAM's own classifier puts lower. It is an order, no "
        f"probability, and nothing was measured of it here. {absent}"
    )


with st.expander("What is in the file", icon=":material/list_alt:"):
    show_contents(arrays.contents)
    bam_file_reading.offer(file)
query = open_query(arrays)
side, beside = columns()
with side:
    panel(arrays)
with beside:
    bar(query, arrays)
    try:
        with st.spinner("Finding the images …"):
            found = find(ws, arrays, query)
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/error:")
        st.stop()
    if not len(found):
        st.warning("Nothing in the file matches all of these conditions.", icon=":material/filter_alt_off:")
        st.stop()
    st.markdown(headline(found))
    st.caption(reading(found))
    picked = file_gallery(found, key="bamfile")
    bam_file_download.offer(arrays, found)
    if picked is not None:
        open_image(picked, found, arrays)
