"""Gallery: the images of a query, however many: by attribute, by score, by search."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bam_engine.annotation import readable
from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.errors import BamError
from bam_engine.formatting import count, decimal, percent_interval
from bam_engine.gallery import problems
from bam_engine.gallery.listing import Listing, list_images
from bam_engine.labelling.tasks import attribute_of
from web import encoder_notes, ui
from web.answering import about
from web.components.gallery import endless_gallery
from web.engine import workspace
from web.gallery_actions import (
    last_answer,
    names_ready,
    offer_grouping,
    selection_popover,
    views_popover,
)
from web.gallery_bar import query_bar
from web.gallery_chips import chips_of, draw_chips
from web.gallery_filters import columns, filter_panel
from web.gallery_query import open_query
from web.image_panel import open_image
from web.navigation import link

ws = workspace()
ui.head("Gallery", "Browse, filter and search all images.")
if len(ws.catalogue) == 0:
    ui.empty("There are no images yet.", "Add a folder of images", "images")
    st.stop()


def precision(listing: Listing) -> str:
    """Return the precision of the images that score at least the threshold, in words."""
    about = listing.scored
    if about is None:
        return ""
    if about.threshold is None:
        return "no threshold yet"
    evidence = about.threshold.evidence
    interval = percent_interval(*evidence.precision_interval)
    standing = "certified" if evidence.certified else "not certified" if about.threshold.saved else "suggested"
    covered = " of covered images" if about.not_covered.any() else ""
    return f"precision {interval}{covered}, {standing}, at a score of {decimal(about.cut, 3)} or more"


def evidence(listing: Listing) -> str:
    """Return what stands behind the accepted images that are shown: people, the classifier, or both."""
    about = listing.scored
    by_people = 0 if about is None else int((about.delivered.labels[listing.rows] == 1).sum())
    not_covered = 0 if about is None else int(about.not_covered[listing.rows].sum())
    by_classifier = len(listing) - by_people
    if not by_classifier:
        return "all labelled yes by people"
    who = f"{by_people:,} labelled yes by people, {by_classifier:,} by the classifier" if by_people else ""
    if not_covered:
        who = f"{who}, {not_covered:,} of them not covered" if who else f"{not_covered:,} not covered"
    return f"{who}: {precision(listing)}" if who else precision(listing)


def headline(listing: Listing) -> str:
    """Return what is shown, of how many, and with which precision."""
    query = listing.query
    words = f"**{count(len(listing), 'image')}**"
    if listing.counts is not None:
        words = f"**{count(len(listing), 'group')}** ({count(listing.matched, 'image')})"
    if query.searched:
        words += " found"
    if listing.scored is None:
        return words
    name = f"**{ui.plain(readable(query.attribute))}**"
    if query.place == "uncovered":
        return f"{words} accepted as {name} · the evidence for the threshold is not about them: most came later"
    if query.place == "accepted":
        return f"{words} accepted as {name} · {evidence(listing)}"
    accepted = int(listing.scored.accepted.sum())
    return f"{words} · {name} accepts {accepted:,} of {listing.n:,} · {precision(listing)}"


def reading(listing: Listing) -> str:
    """Return how to read what is shown: its order, and the numbers under the pictures."""
    query, notes = listing.query, []
    if query.sort == "shuffled":
        notes.append("In random order: the first are a fair sample of all")
    elif query.sort == "contradicted":
        notes.append(
            "First the labels that the classifier contradicts most, by what other projects taught it. Labels that "
            "judge come last: a correction changes what is delivered, not what was measured"
        )
    elif query.sort in PROBLEMS:
        last = int((problems.flags(ws, len(ws.catalogue))[listing.rows] == 0).sum())
        notes.append(f"Sorted by simple measures of the pictures{f'; {last:,} not measured come last' if last else ''}")
    elif query.sort == "score" and (query.yes or query.no):
        notes.append("Sorted by the weakest match of all conditions")
    if listing.scored is not None:
        calibrated = listing.scored.calibration is not None
        notes.append(
            "under each picture its score"
            + (" and the probability that the answer is yes (hover for the interval)" if calibrated else "")
        )
    words = "; ".join(notes)
    return words[:1].upper() + words[1:] + "." if words else ""


def show_listing(listing: Listing, end: DeltaGenerator) -> None:
    """Draw what is known of the images that are listed, and the images; ``end`` is the end of the bar."""
    query = listing.query
    for note in listing.notes:
        st.info(ui.plain(note))
    elsewhere = bool(query.attribute) and encoder_notes.belongs_to(attribute_of(ws, query.attribute))
    if query.attribute and listing.scored is None and not elsewhere:
        link("rounds", "Label a first round", query.attribute)
    if query.folded:
        offer_grouping()
    if not len(listing):
        st.warning(f"Nothing is left: {ui.plain(listing.emptied_by)}.", icon=":material/filter_alt_off:")
        if query.words:
            ui.searched_note()
        return
    st.markdown(headline(listing))
    if query.words:
        ui.searched_note()
    if how_to_read := reading(listing):
        st.caption(how_to_read)
    line = (
        ""
        if listing.line is None
        else f"Threshold: {listing.line:,} score at least as much · {precision(listing)} · below, less"
    )
    answering = about(attribute_of(ws, query.attribute)) if query.attribute else None
    picked, selected = endless_gallery(
        listing, key="gallery", version=ws.picture_version, line_text=line, answering=answering
    )
    with end:
        selection_popover(query, selected)
    if picked is not None:
        open_image(picked, listing.rows)


names = [attribute.name for attribute in ws.attributes.all()]
query = open_query(names)
panel, beside = columns()
with beside:
    end = query_bar(query, len(chips_of(query)), views_popover)
    draw_chips(query)
    last_answer()
    if not names_ready(query):
        st.stop()
    try:
        with st.spinner("Finding the images …"):  # drawn only where it takes longer than a blink
            found = list_images(ws, query)
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/error:")
        st.stop()
    show_listing(found, end)
with panel:  # after the images, which do not wait for its counts
    filter_panel(query, names)
