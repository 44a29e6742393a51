"""The query of the Gallery page: what its widgets hold, what its address says, and one from the other.

A URL that is opened sets the widgets; the widgets make the query and write the URL.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.errors import BamError
from bam_engine.gallery import problems, search
from bam_engine.gallery.query import Query, from_url, with_names
from bam_engine.labelling.tasks import attribute_of
from bam_engine.training.models import latest_model
from bam_engine.training.thresholds import current_threshold
from web import ui
from web.engine import workspace
from web.navigation import focus_attribute, focused_attribute

PREFIX = "gallery-"
"""The keys of the gallery's widgets begin with it; the field of the query follows."""

SEARCH = "search"
"""The one widget for the two fields ``text`` and ``words``."""

_NEXT, _URL, _BEFORE, _SHOWN = "gallery-next", "gallery-url", "gallery-url-before", "gallery-query"
_FIELDS = tuple(name for name in Query.__dataclass_fields__ if name not in ("text", "words"))


def open_query(names: Sequence[str]) -> Query:
    """Set the widgets from a new URL, or from the query that a button set; return their query and write it to the URL.

    ``names`` are those of the attributes that there are.
    """
    _follow(names)
    _settle(names)
    query = chosen()
    _write_url(query)
    return query


def chosen() -> Query:
    """Return the query of the widgets."""
    state = {name: st.session_state.get(PREFIX + name) for name in _FIELDS}
    text = str(st.session_state.get(PREFIX + SEARCH) or "").strip()
    parameters: dict[str, Any] = {"text" if search.searches_by_meaning(workspace()) else "words": text}
    for name, value in state.items():
        default = Query.__dataclass_fields__[name].default
        parameters[name] = default if value is None else tuple(value) if isinstance(default, tuple) else value
    return Query(**parameters)


def show(query: Query) -> None:
    """Set the widgets to ``query`` in the next run."""
    st.session_state[_NEXT] = query


def sorts_of(query: Query, sorts: Sequence[str]) -> list[str]:
    """Return those of the orders that have a meaning for ``query``; by problems where pictures were measured."""
    meaningless = {"found": not query.searched, "closest": not query.attribute, "contradicted": not query.attribute}
    meaningless |= dict.fromkeys(PROBLEMS, not problems.version(workspace())[1])
    return [sort for sort in sorts if not meaningless.get(sort)]


def _follow(names: Sequence[str]) -> None:
    state = st.session_state
    query = state.pop(_NEXT, None)
    if query is None:
        url = {name: st.query_params.get_all(name) for name in st.query_params}
        if f"{PREFIX}attribute" in state and (state.get(_URL) == _ours(url) or _is_late(url)):
            return
        query = _from_url(url, names)
    for name in _FIELDS:
        value = getattr(query, name)
        state[PREFIX + name] = list(value) if isinstance(value, tuple) else value
    state[PREFIX + SEARCH] = query.text or query.words


def _settle(names: Sequence[str]) -> None:
    """Take back what has no meaning for the attribute and the search that are chosen."""
    state, query = st.session_state, chosen()
    if not query.attribute:
        state[PREFIX + "place"], state[PREFIX + "label"] = "all", []
        forget_range()
    for key in ("yes", "no"):
        state[PREFIX + key] = [name for name in getattr(query, key) if name in names and name != query.attribute]
    if query.sort not in sorts_of(query, [query.sort]):
        state[PREFIX + "sort"] = "score"


def forget_range() -> None:
    """Show every score: a range is about the scores of one attribute."""
    st.session_state[PREFIX + "score_from"] = st.session_state[PREFIX + "score_to"] = None


def _is_late(url: Mapping[str, list[str]]) -> bool:
    """Return whether a widget was used before the browser had the newest address, so that it asks with the one before.

    With the button "Back" it asks with that one too, but then the widgets are as they were.
    """
    return st.session_state.get(_BEFORE) == _ours(url) and st.session_state.get(_SHOWN) != chosen()


def _ours(url: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in url.items() if name in Query.__dataclass_fields__}


def _from_url(url: Mapping[str, list[str]], names: Sequence[str]) -> Query:
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
        parameters["attribute"] = [last if last and last in names else names[0]] if names else []
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
