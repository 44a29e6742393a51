"""The bar above the gallery: what is shown and in which order.

A URL that is opened sets the widgets; the widgets make the query and write the URL.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bam_engine import formatting
from bam_engine.annotation import readable
from bam_engine.errors import BamError
from bam_engine.gallery import search, uploads
from bam_engine.gallery.conditions import NEAR
from bam_engine.gallery.listing import facet_counts
from bam_engine.gallery.query import Query, from_url, with_names
from bam_engine.labelling.tasks import attribute_of
from bam_engine.training.models import latest_model
from bam_engine.training.thresholds import current_threshold
from web import ui
from web.engine import workspace
from web.gallery_filters import PREFIX, chosen_words, filters_popover
from web.navigation import focus_attribute, focused_attribute

PLACES = {
    "all": "All",
    "accepted": "Accepted",
    "near": "Borderline",
    "rejected": "Rejected",
    "uncovered": "Not covered",
}
PLACES_HELP = (
    "Accepted are the images labelled yes and, of those without a label, the ones that score at the threshold or "
    "above; rejected those labelled no, and those that score below. Borderline is the tenth of either side that scores "
    "closest to the threshold, at most {near:,} images, where a mistake is likeliest. Not covered are accepted images "
    "that the evidence for the threshold is not about: most came later."
)
SORTS = {
    "score": "Best first",
    "closest": "Closest to threshold first",
    "contradicted": "Contradicted labels first",
    "found": "Best match first",
    "shuffled": "Shuffled",
    "spread": "Most varied first",
    "newest": "Newest first",
    "oldest": "Oldest first",
}
_URL, _BEFORE, _SHOWN = "gallery-url", "gallery-url-before", "gallery-query"
_FIELDS = ("attribute", "place", "sort", "seed", "search", "yes", "no", "label", "colour", "year", "project", "folded")
_CSS = """<style>
.st-key-gallery-line { gap: .6rem !important; }
.st-key-gallery-place [role="radio"] { min-height: 2.45rem; }
@media (max-width: 640px) { /* the first pictures are seen without scrolling */
  [data-testid="stMain"] .bam-lead { display: none; }
  .st-key-gallery-bar [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; }
  .st-key-gallery-bar [data-testid="stColumn"] { min-width: 0 !important; }
  .st-key-gallery-line label { display: none; }
  .st-key-gallery-bar [data-testid="stPopover"] p { position: absolute; width: 1px; height: 1px; clip-path: inset(50%);
    overflow: hidden !important; } /* its icon is seen, its name is read aloud */
  .st-key-gallery-place [role="radio"] { padding-inline: .45rem; }
  .st-key-gallery-place [role="radio"] p { font-size: .82rem; }
}
</style>"""
_HIDDEN = ("like", "upload", "selection")  # parameters without a widget


def query_bar(beside: Callable[[Query], None]) -> tuple[Query, DeltaGenerator]:
    """Draw the bar; return its query and the element at its end. ``beside`` draws what comes before that."""
    names = [attribute.name for attribute in workspace().attributes.all()]
    st.html(_CSS)
    _follow_url(names)
    _first_line(_chosen(), names)
    end = _second_line(_chosen(), names, beside)
    query = _chosen()
    _write_url(query)
    return query, end


def show(query: Query) -> None:
    """Set the widgets to ``query`` in the next run."""
    st.session_state["gallery-next"] = query


def chips(query: Query) -> None:
    """Draw the conditions beyond the first line of the bar, and the button that clears them."""
    conditions = chosen_words(query)
    conditions += [f"like {formatting.count(len(query.like), 'image')}"] if query.like else []
    conditions += ["like this picture"] if query.upload else []
    conditions += ["one selection"] if query.selection else []
    if not conditions and not (query.text or query.words):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if query.upload:
            _uploaded_picture(query.upload)
        if conditions:
            st.caption("Only " + ui.plain(" · ".join(conditions)), width="content")
        if st.button("Clear filters", icon=":material/filter_alt_off:", type="tertiary"):
            show(Query(attribute=query.attribute, place=query.place, sort=_sort_without_search(query), seed=query.seed))
            st.rerun()


def _uploaded_picture(upload_id: str) -> None:
    """Draw the uploaded picture of a search."""
    try:
        st.image(uploads.upload_of(workspace(), upload_id).picture, width=56)
    except BamError:  # the page shows its error
        return


def _sort_without_search(query: Query) -> str:
    return "score" if query.sort == "found" else query.sort


def _follow_url(names: list[str]) -> None:
    """Set the widgets from a new URL, or from the query that a button set."""
    state = st.session_state
    query = state.pop("gallery-next", None)
    if query is None:
        url = {name: st.query_params.get_all(name) for name in st.query_params}
        if f"{PREFIX}attribute" in state and (state.get(_URL) == _ours(url) or _is_late(url)):
            return
        query = _from_url(url, names)
    values = {name: getattr(query, name) for name in (*_FIELDS, *_HIDDEN) if name != "search"}
    values["search"] = query.text or query.words
    for name, value in values.items():
        state[PREFIX + name] = list(value) if isinstance(value, tuple) else value


def _is_late(url: Mapping[str, list[str]]) -> bool:
    """Return whether a widget was used before the browser had the newest address, so that it asks with the one before.

    With the button "Back" it asks with that one too, but then the widgets are as they were.
    """
    return st.session_state.get(_BEFORE) == _ours(url) and st.session_state.get(_SHOWN) != _chosen()


def _ours(url: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in url.items() if name in Query.__dataclass_fields__}


def _from_url(url: Mapping[str, list[str]], names: list[str]) -> Query:
    """Return the query of the URL; by default, a random sample of what the attribute's threshold accepts."""
    try:
        query = with_names(from_url(url), workspace().attributes.current_name)
        for name in (query.attribute, *query.yes, *query.no):
            if name:
                attribute_of(workspace(), name)
    except BamError as error:
        st.error(f"This address cannot be opened. {ui.plain(str(error))}", icon=":material/link_off:")
        query, url = Query(), {}
    parameters = dict(url)
    if "attribute" not in parameters and not _ours(parameters):
        last = focused_attribute()
        parameters["attribute"] = [last if last in names else names[0]] if names else []
    name = query.attribute or (parameters.get("attribute") or [""])[0]
    if name and not ({"place", "sort"} & set(parameters)) and not _narrowed(query):
        parameters |= _first_look(name)
    query = from_url({name: values for name, values in parameters.items() if values})
    return with_names(query, workspace().attributes.current_name)


def _narrowed(query: Query) -> bool:
    return query.searched or bool(query.selection or query.label)


def _first_look(name: str) -> dict[str, list[str]]:
    attribute = attribute_of(workspace(), name)
    if latest_model(workspace(), attribute) is None or current_threshold(workspace(), attribute) is None:
        return {}
    return {"place": ["accepted"], "sort": ["shuffled"]}


def _write_url(query: Query) -> None:
    parameters = query.url() | {"attribute": [query.attribute], "place": [query.place], "sort": [query.sort]}
    others = {name: st.query_params.get_all(name) for name in st.query_params if name not in Query.__dataclass_fields__}
    current = {name: st.query_params.get_all(name) for name in st.query_params}
    if current != others | parameters:
        st.session_state[_BEFORE] = _ours(current)
        st.query_params.from_dict(others | parameters)
    st.session_state[_URL], st.session_state[_SHOWN] = parameters, query
    if query.attribute:
        focus_attribute(query.attribute)


def _chosen() -> Query:
    """Return the query of the widgets."""
    state = {name: st.session_state.get(PREFIX + name) for name in (*_FIELDS, *_HIDDEN)}
    text = str(state.pop("search") or "").strip()
    parameters: dict[str, Any] = {"text" if search.searches_by_meaning(workspace()) else "words": text}
    for name, value in state.items():
        default = Query.__dataclass_fields__[name].default
        parameters[name] = default if value is None else tuple(value) if isinstance(default, tuple) else value
    return Query(**parameters)


def _first_line(query: Query, names: list[str]) -> None:
    attribute, found = st.container(key="gallery-bar").columns([2, 3], vertical_alignment="bottom")
    with attribute:
        st.selectbox(
            "Attribute",
            ["", *names],
            key="gallery-attribute",
            format_func=lambda name: readable(name) if name else "All images",
        )
    if not st.session_state["gallery-attribute"]:
        st.session_state["gallery-place"], st.session_state["gallery-label"] = "all", []
    others = [name for name in names if name != st.session_state["gallery-attribute"]]
    for key in ("yes", "no"):
        st.session_state[PREFIX + key] = [name for name in getattr(query, key) if name in others]
    with found.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        st.text_input(
            "Search", placeholder=ui.search_hint(), key="gallery-search", on_change=_searched, icon=":material/search:"
        )
        with st.popover("Image", icon=":material/image_search:", help="Find images similar to a picture of yours"):
            _by_image(_chosen())


def _second_line(query: Query, names: list[str], beside: Callable[[Query], None]) -> DeltaGenerator:
    with st.container(key="gallery-line", horizontal=True, vertical_alignment="bottom"):
        counts = facet_counts(workspace(), query, ["place"])["place"] if query.attribute else {}
        st.segmented_control(
            "Threshold",
            [place for place in PLACES if place != "uncovered" or counts.get(place) or query.place == place],
            key="gallery-place",
            disabled=not query.attribute,
            required=True,
            help=PLACES_HELP.format(near=NEAR),
            format_func=lambda place: (
                PLACES[place] + (f" · {counts[place]:,}" if place in counts and place != "all" else "")
            ),
        )
        meaningless = {"found": not query.searched, "closest": not query.attribute, "contradicted": not query.attribute}
        sorts = [sort for sort in SORTS if not meaningless.get(sort)]
        if st.session_state["gallery-sort"] not in sorts:
            st.session_state["gallery-sort"] = "score"
        st.selectbox("Order", sorts, key="gallery-sort", format_func=SORTS.__getitem__, width=180)
        if st.session_state["gallery-sort"] == "shuffled":
            st.button("Reshuffle", icon=":material/shuffle:", on_click=_reshuffle)
        filters_popover(_chosen(), names)
        beside(_chosen())
        return st.empty()


def _reshuffle() -> None:
    st.session_state["gallery-seed"] = int(st.session_state.get("gallery-seed") or 0) + 1


def _searched() -> None:
    text = str(st.session_state["gallery-search"] or "").strip()
    st.session_state["gallery-sort"] = "found" if text else "score"
    if text:
        st.session_state["gallery-place"] = "all"


def _by_image(query: Query) -> None:
    """Draw the upload of a picture, and show the most similar images."""
    if len(workspace().vectors()) == 0:
        st.caption("Nothing is embedded yet, so images cannot be compared.")
        return
    uploaded = st.file_uploader("Find images similar to this", key="gallery-given", max_upload_size=64)
    st.caption("It is not added to the collection. For an image that is here, open it and choose More like this.")
    if uploaded is None or not ui.is_new("gallery-given", uploaded.file_id):
        return
    try:
        with st.spinner("Reading the picture …"):
            upload_id = uploads.save(workspace(), uploaded.getvalue())
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/broken_image:")
        return
    show(Query(attribute=query.attribute, upload=upload_id, sort="found"))
    st.rerun()
