"""Tags on pages: those of one image, each added and removed where the image is seen, and a tag for a selection."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.annotation.tag_store import Tag
from bam_engine.database import read_only
from bam_engine.errors import BamError
from bam_engine.formatting import count
from bam_engine.team import Role
from web import people, ui, undo
from web.engine import workspace

HELP = "Words of your own, to find images again: the gallery filters by them. They are no labels, and teach nothing."
_HINT = "Choose or type a tag"


def may_tag() -> bool:
    """Return whether whoever looks at the page may tag images."""
    return people.may(Role.ANNOTATOR) and not read_only(workspace().engine)


def image_tags(row: int, *, key: str) -> None:
    """Draw the tags of an image, and who added them; for who may, in a field that adds and removes them."""
    ws, field = workspace(), f"{key}-tags"
    tags = ws.tags.of(row)
    names = [tag.name for tag in tags]
    if may_tag():
        st.session_state[field] = names
        st.multiselect(
            "Tags",
            list(dict.fromkeys([*names, *ws.tags.rows_by_tag()])),
            key=field,
            accept_new_options=True,
            placeholder=_HINT,
            help=HELP,
            on_change=_change,
            args=(row, field, names),
        )
        problem = st.session_state.pop(f"{field}-problem", None)
        if problem:
            st.warning(ui.plain(problem), icon=":material/sell:")
    if tags:
        label = "" if may_tag() else "Tags: "
        st.caption(label + ui.plain(" · ".join(_origins(tags))))


def _change(row: int, field: str, before: Sequence[str]) -> None:
    """Store what was added to the field of an image's tags, or taken out of it, since it was drawn."""
    chosen: list[str] = st.session_state[field]
    try:
        for name in before:
            if name not in chosen:
                workspace().tags.remove([row], name)
        for name in chosen:
            if name not in before:
                workspace().tags.add([row], name, _actor())
    except BamError as error:
        st.session_state[f"{field}-problem"] = str(error)


def _origins(tags: Sequence[Tag]) -> list[str]:
    """Return for each tag who added it, and on which day."""
    names = workspace().annotators.names()
    added_by = {tag.name: "" if tag.annotator_id is None else f"by {names[tag.annotator_id]}, " for tag in tags}
    return [f"“{tag.name}” {added_by[tag.name]}{tag.made_at[:10]}" for tag in tags]


def tag_selection(rows: NDArray[np.int64], *, key: str, popover: str = "") -> None:
    """Draw the field and the buttons that give selected images a tag, or take it off them, for who may."""
    if not may_tag():
        return
    tags = workspace().tags
    by_tag = tags.rows_by_tag()
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"tag-{key}-line"):
        tag = st.selectbox(
            "Tag",
            list(by_tag),
            index=None,
            key=f"tag-{key}",
            accept_new_options=True,
            placeholder=_HINT,
            help=HELP,
        )
        tagged = len(np.intersect1d(by_tag.get(tag or "", rows[:0]), rows))
        if st.button("Add", key=f"tag-{key}-add", disabled=not tag or tagged == len(rows)):
            with ui.guard():
                new = tags.add(rows, tag or "", _actor())
                _done(f"{count(len(new), 'image')} tagged “{tag}”.", partial(tags.remove, new, tag or ""), popover)
        if tagged and st.button("Remove", key=f"tag-{key}-remove"):
            with ui.guard():
                had = tags.remove(rows, tag or "")
                again = partial(tags.add, had, tag or "", _actor())
                _done(f"“{tag}” taken off {count(len(had), 'image')}.", again, popover)


def _done(words: str, take_back: Callable[[], object], popover: str) -> None:
    if popover:
        ui.renew_popover(popover)
    undo.done(ui.plain(words), take_back)


def _actor() -> int:
    return workspace().annotators.actor(ui.annotator())
