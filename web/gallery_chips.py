"""The filters that are set, one chip for each, which removes it, and the button that clears all."""

from collections.abc import Iterator
from dataclasses import replace

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.errors import BamError
from bam_engine.formatting import count, decimal
from bam_engine.gallery import uploads
from bam_engine.gallery.image_facets import FACETS
from bam_engine.gallery.query import Query
from web import ui
from web.engine import workspace
from web.gallery_query import show
from web.gallery_words import PLACES, STATES

Chip = tuple[str, Query]
"""The words of one filter, and the query without it."""


def chips_of(query: Query) -> list[Chip]:
    """Return the filters of a query, in the order of the panel."""
    return [*_of_attribute(query), *_of_facets(query), *_of_searches(query)]


def draw_chips(query: Query) -> None:
    """Draw a chip for each filter, and the button that clears all; nothing without a filter."""
    chips = chips_of(query)
    if not chips:
        return
    with st.container(key="gallery-chips", horizontal=True, vertical_alignment="center", gap="xsmall"):
        if query.upload:
            _uploaded_picture(query.upload)
        for place, (words, without) in enumerate(chips):
            st.button(
                ui.plain(words),
                key=f"gallery-chip-{place}",
                icon=":material/close:",
                icon_position="right",
                help="Remove this filter",
                on_click=show,
                args=(without,),
            )
        st.button(
            "Clear all",
            icon=":material/filter_alt_off:",
            type="tertiary",
            on_click=show,
            args=(Query(attribute=query.attribute, sort=query.sort, seed=query.seed),),
        )


def _of_attribute(query: Query) -> Iterator[Chip]:
    if query.place != "all":
        yield PLACES[query.place], replace(query, place="all")
    for state in query.label:
        yield f"label: {STATES[state]}", replace(query, label=_without(query.label, state))
    if query.score_from is not None or query.score_to is not None:
        low, high = (None if end is None else decimal(end) for end in (query.score_from, query.score_to))
        words = f"at most {high}" if low is None else f"at least {low}" if high is None else f"{low} to {high}"
        yield f"score: {words}", replace(query, score_from=None, score_to=None)
    for name in query.yes:
        yield f"accepted: {readable(name)}", replace(query, yes=_without(query.yes, name))
    for name in query.no:
        yield f"rejected: {readable(name)}", replace(query, no=_without(query.no, name))


def _of_facets(query: Query) -> Iterator[Chip]:
    for name in FACETS:
        values: tuple[str, ...] = getattr(query, name)
        for value in values:
            yield f"{name}: {value}", replace(query, **{name: _without(values, value)})  # type: ignore[arg-type]
    if query.folded:
        yield "near-duplicates grouped", replace(query, folded=False)


def _of_searches(query: Query) -> Iterator[Chip]:
    if query.text or query.words:
        yield f"“{query.text or query.words}”", replace(query, text="", words="")
    if query.like:
        yield f"like {count(len(query.like), 'image')}", replace(query, like=())
    if query.upload:
        yield "like this picture", replace(query, upload="")
    if query.selection:
        yield "one selection", replace(query, selection="")


def _without(values: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(value for value in values if value != one)


def _uploaded_picture(upload_id: str) -> None:
    """Draw the uploaded picture of a search."""
    try:
        st.image(uploads.upload_of(workspace(), upload_id).picture, width=40)
    except BamError:  # the page shows its error
        return
