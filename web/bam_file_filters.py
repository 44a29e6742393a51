"""The filters of the page of BAM's file, beside its images, and the bar above them."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.formatting import NOTHING, decimal
from bam_engine.published import Arrays, AttributeContents, Contents, Query
from bam_engine.published.query import BY, SORTS
from web import bam_file_pictures, ui
from web.bam_file_query import PREFIX, RANGE, forget_others
from web.components.fold import fold_button

SORT_WORDS = {"best": "Best first", "worst": "Worst first", "number": "By number"}
_BY_WORDS = {"place": "Any", "automatic": "As above"}


def bar(query: Query, arrays: Arrays) -> None:
    """Draw the search of captions, the order, and the buttons for the filters and for pictures."""
    with st.container(key="gallery-line", horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        fold_button("gallery-filters", "Filters", _filters(query))
        st.text_input(
            "Search captions",
            placeholder="Words of a caption",
            key=PREFIX + "words",
            icon=":material/search:",
            label_visibility="collapsed",
        )
        st.selectbox(
            "Order",
            SORTS,
            key=PREFIX + "sort",
            format_func=SORT_WORDS.__getitem__,
            width=150,
            label_visibility="collapsed",
        )
        bam_file_pictures.switch(arrays)


def _filters(query: Query) -> int:
    limited = (query.place_from, query.place_to) != (0, 1)
    return len(query.names) + len(query.crowd_yes) + len(query.crowd_no) + limited + (query.by != "place")


def panel(arrays: Arrays) -> None:
    """Draw the filters."""
    contents = {one.name: one for one in arrays.contents.attributes}
    scored = [name for name in contents if name in arrays.scored or name in arrays.labelled]
    crowd = [name for name in contents if name in arrays.crowd]

    def score_words(name: str) -> str:
        return f"{readable(name)} · {contents[name].positive:,}" if name in arrays.labelled else readable(name)

    if scored:
        about = "Behind each name: how many images BAM's automatic labels call so."
        for words, key, other in (("With", "yes", "no"), ("Without", "no", "yes")):
            st.multiselect(
                words,
                scored,
                key=PREFIX + key,
                format_func=score_words,
                placeholder="any attribute",
                on_change=forget_others,
                args=(key, other),
                help=about if key == "yes" else None,
            )
        st.slider(
            "Lowest place",
            0.0,
            100.0,
            key=PREFIX + RANGE,
            step=0.1,
            format="%.1f%%",
            help="An image's place for an attribute is the share of images that BAM scores lower; for one that it "
            "should not have, higher. Of several attributes, the lowest place counts.",
        )
    if arrays.labelled:
        st.segmented_control(
            "BAM's automatic labels",
            BY,
            key=PREFIX + "by",
            required=True,
            format_func=_BY_WORDS.__getitem__,
            width="stretch",
            help="“As above”: only images that BAM's own thresholds call positive, or negative for what they should be "
            "without.",
        )
    for words, key, other, number in (
        ("The crowd says yes", "crowd_yes", "crowd_no", "crowd_positive"),
        ("The crowd says no", "crowd_no", "crowd_yes", "crowd_negative"),
    ):
        if crowd:
            st.multiselect(
                words,
                crowd,
                key=PREFIX + key,
                format_func=partial(_crowd_words, contents, number),
                placeholder="any attribute",
                on_change=forget_others,
                args=(key, other),
            )


def _crowd_words(contents: Mapping[str, AttributeContents], number: str, name: str) -> str:
    return f"{readable(name)} · {getattr(contents[name], number):,}"


def show_contents(contents: Contents) -> None:
    """Draw what is in the file: its counts, and a line for each attribute."""
    st.markdown("  \n".join(map(ui.plain, contents.lines())))
    head = ("Attribute", "Scores", "Range", "Automatic: yes", "unsure", "no", "Crowd: yes", "no", "Choices")
    lines = []
    for one in contents.attributes:
        limits = NOTHING if one.low is None or one.high is None else f"{decimal(one.low)} to {decimal(one.high)}"
        counts = (one.positive, one.unsure, one.negative, one.crowd_positive, one.crowd_negative, one.choices)
        lines.append([readable(one.name), f"{one.scored:,}", limits, *(f"{number:,}" for number in counts)])
    st.html(ui.table(head, lines, stacked=True))
    st.caption("Scores have no unit; only their order counts, within one attribute.")
