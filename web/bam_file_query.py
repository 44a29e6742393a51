"""The query of the page of BAM's file: what its widgets hold, what its address says, and one from the other.

A URL that is opened sets the widgets; the widgets make the query and write the URL.
"""

from collections.abc import Mapping
from dataclasses import fields

import streamlit as st

from bam_engine.errors import BamError
from bam_engine.published import Arrays, Query, from_url
from web import ui

PREFIX = "bamfile-"
"""The keys of the page's widgets begin with it; the field of the query follows, but for the range of places."""

RANGE = "range"
"""The one widget for the two fields ``place_from`` and ``place_to``, in per cent."""

_URL, _BEFORE, _SHOWN = "bamfile-url", "bamfile-url-before", "bamfile-query"
_PLACES = ("place_from", "place_to")
_FIELDS = tuple(field.name for field in fields(Query) if field.name not in _PLACES)


def open_query(arrays: Arrays) -> Query:
    """Set the widgets from a new URL; return their query and write it to the URL."""
    url = _ours({name: st.query_params.get_all(name) for name in st.query_params})
    state = st.session_state
    late = state.get(_BEFORE) == url and state.get(_SHOWN) != _chosen()
    if PREFIX + "sort" not in state or (state.get(_URL) != url and not late):
        _set(_query_of(url, arrays))
    query = _chosen()
    _write(query)
    return query


def forget_others(name: str, other: str) -> None:
    """Take what was chosen in one widget out of the other: no image is with and without an attribute."""
    chosen = st.session_state[PREFIX + name]
    st.session_state[PREFIX + other] = [one for one in st.session_state[PREFIX + other] if one not in chosen]


def _query_of(url: Mapping[str, list[str]], arrays: Arrays) -> Query:
    """Return the query of a URL; by default, or where the file cannot answer it, the first attribute's best."""
    first = Query(yes=arrays.scored[:1])
    if not url:
        return first
    try:
        query = from_url(url)
        known = {one.name for one in arrays.contents.attributes}
        lacking = [name for name in (*query.names, *query.crowd_yes, *query.crowd_no) if name not in known]
        if lacking:
            raise BamError(f"{arrays.file.name} has no attribute {lacking[0][:60]!r}.")
    except BamError as error:
        st.error(f"This address cannot be opened. {ui.plain(str(error))}", icon=":material/link_off:")
        return first
    return query


def _set(query: Query) -> None:
    for name in _FIELDS:
        value = getattr(query, name)
        st.session_state[PREFIX + name] = list(value) if isinstance(value, tuple) else value
    st.session_state[PREFIX + RANGE] = (round(100 * query.place_from, 4), round(100 * query.place_to, 4))


def _chosen() -> Query:
    """Return the query of the widgets."""
    state = {name: st.session_state.get(PREFIX + name) for name in _FIELDS}
    low, high = st.session_state.get(PREFIX + RANGE) or (0.0, 100.0)
    lists = {name: tuple(state[name] or ()) for name in ("yes", "no", "crowd_yes", "crowd_no")}
    if not lists["yes"] and not lists["no"]:
        low, high = 0.0, 100.0  # there are no places but those for attributes
    return Query(
        **lists,
        by=state["by"] or "place",
        place_from=round(low / 100, 6),
        place_to=round(high / 100, 6),
        words=str(state["words"] or "").strip(),
        sort=state["sort"] or "best",
    )


def _ours(url: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in url.items() if name in Query.__dataclass_fields__}


def _write(query: Query) -> None:
    parameters = query.url() or {"sort": [query.sort]}  # an address without a query shows the first attribute
    current = {name: st.query_params.get_all(name) for name in st.query_params}
    others = {name: values for name, values in current.items() if name not in Query.__dataclass_fields__}
    if current != others | parameters:
        st.session_state[_BEFORE] = _ours(current)
        st.query_params.from_dict(others | parameters)
    st.session_state[_URL], st.session_state[_SHOWN] = parameters, query
