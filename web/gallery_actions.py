"""The actions of the gallery, on the selected images and on the view: bulk answers, selections, saved views."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.errors import BamError
from bam_engine.formatting import count
from bam_engine.gallery import near_duplicates, saved_views, search, selections
from bam_engine.gallery.query import Query
from bam_engine.labelling import bulk
from bam_engine.labelling.tasks import attribute_of
from bam_engine.team import Role
from bam_engine.training import querying
from web import guideline_examples, jobs, people, proposing, removing, tagging, ui
from web.engine import workspace
from web.gallery_query import show
from web.navigation import go

FOLDING = "near-duplicates"
NAMES = "names"
MANY_NAMES = 100_000  # more than this are read in a background job
_LAST, _CHOSEN, _VIEWS = "gallery-bulk", "gallery-chosen", "gallery-views"
_REMOVED = "gallery-removed"


def selection_popover(query: Query, rows: NDArray[np.int64]) -> None:
    """Draw the actions on the selected images."""
    label = f"{len(rows):,} selected" if len(rows) else "Select"
    with ui.popover(label, _CHOSEN, icon=":material/check_circle:", type="primary" if len(rows) else "secondary"):
        if not len(rows):
            st.caption("Select images with their circle, Ctrl- or Shift-click, or Space; Ctrl+A selects all.")
            return
        ws = workspace()
        attribute = attribute_of(ws, query.attribute) if query.attribute else None
        if attribute is not None and people.may(Role.REVIEWER):
            st.markdown(f"**{ui.plain(attribute.question)}**")
            with st.container(horizontal=True):
                _answers(attribute, rows)
            st.caption("Bulk answers are used for training only, never for evaluation.")
            guideline_examples.offer_selection(attribute, rows, popover=_CHOSEN)
        tagging.tag_selection(rows, key="gallery", popover=_CHOSEN)
        if st.button("Show on the map", icon=":material/map:"):
            go("map", selection=selections.save(ws, rows))
        if st.button("Show only these", icon=":material/filter_alt:"):
            show(Query(attribute=query.attribute, selection=selections.save(ws, rows)))
            ui.close_popover(_CHOSEN)
        if len(rows) <= search.MAX_EXAMPLES and st.button("Find more like these", icon=":material/image_search:"):
            show(Query(attribute=query.attribute, like=tuple(int(row) for row in rows), sort="found"))
            ui.close_popover(_CHOSEN)
        teaches = attribute is not None and people.may(Role.REVIEWER)
        if attribute is not None and teaches and st.button("Use as examples for a round", icon=":material/play_arrow:"):
            ui.start_from_examples(attribute, querying.examples_from(ws, rows.tolist()))
        proposing.offer(rows)
        if removing.pressed("gallery-remove", "Remove from the collection"):
            with ui.guard():
                removing.remove(rows, "a selection", popover=_CHOSEN)


def _answers(attribute: Attribute, rows: Sequence[int] | NDArray[np.int64]) -> None:
    for answer, words in bulk.ANSWERS.items():
        icon = {1: ":material/check:", 0: ":material/close:"}.get(answer, ":material/question_mark:")
        if not st.button(f"All {words}", icon=icon, key=f"gallery-all-{words}"):
            continue
        try:
            result = bulk.answer(workspace(), attribute, rows, answer, annotator=ui.annotator())
        except BamError as error:
            st.error(ui.plain(str(error)))
            return
        left_out = len(rows) - result.count
        st.session_state[_LAST] = (
            result.id,
            f"{count(result.count, 'image')} answered: {words}, in bulk."
            + (f" Left out: {left_out:,} that judge, or that somebody labelled one by one." if left_out else ""),
        )
        ui.close_popover(_CHOSEN)


def last_answer() -> None:
    """Draw the result of the last bulk answer, and the button that undoes it."""
    if _LAST not in st.session_state:
        return
    bulk_id, words = st.session_state[_LAST]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(words, icon=":material/check_circle:", width="stretch")
        if st.button("Undo", icon=":material/undo:"):
            bulk.undo(workspace(), bulk_id)
            del st.session_state[_LAST]
            st.rerun()


def views_popover(query: Query) -> None:
    """Draw the saved views: open, save, remove and restore one."""
    with ui.popover("Views", _VIEWS, icon=":material/bookmarks:"):
        ws = workspace()
        views = saved_views.load_all(ws)
        if not views:
            st.caption("A view is what the gallery shows now, under a name. There are none yet.")
        for view in views:
            name, remove_cell = st.columns([5, 1], vertical_alignment="center")
            if name.button(ui.plain(view.name), key=f"view-{view.name}", type="tertiary", icon=":material/bookmark:"):
                show(view.query)
                ui.close_popover(_VIEWS)
            if people.may(Role.ANNOTATOR) and remove_cell.button(
                "", key=f"remove-{view.name}", icon=":material/delete:", help=f"Remove {ui.plain(view.name)}"
            ):
                st.session_state[_REMOVED] = saved_views.remove(ws, view.name)
                st.rerun()
        removed = st.session_state.get(_REMOVED)
        if removed is not None and st.button(f"Undo: restore “{ui.plain(removed.name)}”", icon=":material/undo:"):
            saved_views.save(ws, removed.name, removed.query, replace=True)
            del st.session_state[_REMOVED]
            st.rerun()
        if people.may(Role.ANNOTATOR) and save_view(query, key="gallery-save"):
            st.rerun()


def save_view(query: Query, *, key: str) -> bool:
    """Draw the form that saves a query under a name; return whether it was just saved."""
    with st.form(key, border=False, clear_on_submit=True):
        name = st.text_input("Name of this view", max_chars=saved_views.MAX_NAME_LENGTH)
        if not st.form_submit_button("Save this view", icon=":material/bookmark_add:"):
            return False
    try:
        saved_views.save(workspace(), name, query)
    except BamError as error:
        st.error(ui.plain(str(error)))
        return False
    return True


def names_ready(query: Query) -> bool:
    """Return whether names can be searched now; if many are not read yet, start reading them and draw the progress."""
    ws = workspace()
    if not query.words:
        return True
    if ws.jobs.is_running(NAMES):
        return not jobs.show(NAMES, unit="names")
    names = search.names_of(ws)
    if names.behind() < MANY_NAMES:
        ws.jobs.forget(NAMES)
        return True
    if ws.jobs.get(NAMES) is not None:  # it was stopped or failed
        jobs.show(NAMES, unit="names")
        if not st.button("Read on", icon=":material/refresh:"):
            return False
        ws.jobs.forget(NAMES)
    ws.jobs.start_once(
        NAMES, "Reading titles and file names", lambda report: names.refresh(report=report), least=Role.VIEWER
    )
    jobs.show(NAMES, unit="names")
    return False


def offer_grouping() -> None:
    """Offer the search for near-duplicates where it is not up to date, and draw its progress."""
    ws = workspace()
    if jobs.show(FOLDING, unit="steps") or not people.may(Role.REVIEWER):
        return
    newer = near_duplicates.fold_summary(ws).newer if near_duplicates.has_groups(ws) else 0
    if near_duplicates.has_groups(ws) and not newer:
        return
    if newer:
        st.caption(f"Not grouped: {count(newer, 'image')} that came since near-duplicates were looked for.")
    words = "Look again" if newer else "Look for near-duplicates"
    if st.button(words, icon=":material/content_copy:", disabled=len(ws.vectors()) == 0):
        ws.jobs.forget(FOLDING)
        ws.jobs.start_once(
            FOLDING,
            "Looking for near-duplicates",
            lambda report: near_duplicates.find_groups(ws, report=report),
            least=Role.REVIEWER,
        )
        st.rerun()
