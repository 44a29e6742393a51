"""The form that makes a map, and the notes below an existing map.

The form starts the job :data:`JOB`.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, TypedDict

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.annotation import readable
from bam_engine.errors import NotFound
from bam_engine.formatting import count, decimal_interval, percent_interval
from bam_engine.gallery import selections
from bam_engine.jobs import Job
from bam_engine.maps import layout_builder, layout_store
from bam_engine.projection.score_plane import BY
from bam_engine.team import Role
from bam_engine.training.models import scored_attributes
from bam_engine.workspace import Workspace
from web import people, ui

_DELETED = "layout-deleted"
JOB = "layout"
RECENT = 15.0  # seconds
Rows = NDArray[np.int64]
HOW = {
    "tsne": "Keeps what is most alike together best. About two minutes for 100,000 images.",
    "umap": "Keeps more of how groups lie to one another, fewer of the nearest. Runs on one core.",
    "pacmap": "A preview: large shapes in seconds, fewer of the nearest.",
    "pca": "The two directions in which the images differ most. Instant.",
    "scores": "One attribute's score to the right, another's upwards. Instant.",
}
_BY = {"rank": "By rank: evenly filled", "value": "By value: as the scores are"}


class Settings(TypedDict, total=False):
    """What a map's method and scope need; see :func:`layout_builder.build`."""

    attributes: tuple[str, str]
    by: str
    selection: str


def layout_form(ws: Workspace, *, first: bool, selection: Rows | None = None, key: str = "layout") -> None:
    """Draw the form and start the job; ``first``: there is no map yet; ``selection``: rows to lay out.

    A job that was stopped resumes with the same settings.
    """
    if first:
        st.markdown("There is no map of this encoder's vectors yet.")
    if not people.may(Role.REVIEWER):
        st.caption("Reviewers and owners make maps.")
        return
    scored = [one.name for one in scored_attributes(ws)]
    methods = [method for method in layout_store.METHODS if method != "scores" or len(scored) >= 2]
    scopes = [scope for scope in layout_store.SCOPES if _possible(scope, scored, selection)]
    with st.container(border=first, key=f"{key}-form"):
        method = st.segmented_control(
            "Method",
            methods,
            default="tsne",
            format_func=layout_store.METHODS.__getitem__,
            key=f"{key}-method",
            required=True,
        )
        st.caption(HOW[method])
        settings: Settings = {}
        if method == "scores":
            across, up = st.columns(2)
            right = across.selectbox("To the right", scored, format_func=readable, key=f"{key}-right")
            others = [name for name in scored if name != right]
            settings["attributes"] = (right, up.selectbox("Upwards", others, format_func=readable, key=f"{key}-up"))
            settings["by"] = st.radio("Scores", list(BY), format_func=_BY.__getitem__, key=f"{key}-by", horizontal=True)
        scope = st.radio("On the map", scopes, format_func=lambda one: _scope_words(one, selection), key=f"{key}-scope")
        if st.button("Make the map", type="primary", icon=":material/map:", key=f"{key}-make"):
            start(ws, method, scope, settings, selection)
            ui.close_popover(f"{key}-popover")


def layout_popover(
    ws: Workspace,
    label: str,
    *,
    icon: str,
    busy: bool,
    selection: Rows | None = None,
    key: str = "layout",
    width: Literal["content", "stretch"] = "content",
) -> None:
    """Draw the form in a popover, which closes when the job starts; ``busy``: a layout job is running."""
    with ui.popover(label, f"{key}-popover", icon=icon, disabled=busy, width=width):
        layout_form(ws, first=False, selection=selection, key=key)


def start(ws: Workspace, method: str, scope: str, settings: Settings, selection: Rows | None = None) -> None:
    """Start the job that makes a layout; ``settings`` is what else its method needs."""
    if scope == "selection":
        settings = {**settings, "selection": selections.save(ws, [] if selection is None else selection)}
    ws.jobs.start(
        JOB,
        f"Map of {layout_store.SCOPES[scope]} ({layout_store.METHODS[method]})",
        lambda report: layout_builder.build(ws, method=method, scope=scope, report=report, **settings),
        least=Role.REVIEWER,
    )


def map_notes(ws: Workspace, record: layout_store.LayoutRecord, *, busy: bool = False) -> None:
    """Draw the notes below a map: its quality, its axes, and newer images that are not on it.

    ``busy``: a layout job is running, so none can be started.
    """
    st.caption(f"{ui.plain(encoder_words(ws, record))} {quality_words(record)}")
    if problem := layout_builder.outdated_reason(ws, record):
        st.info(ui.plain(problem), icon=":material/update:")
        return
    if newer := layout_builder.count_unplaced(ws, record):
        note, action = st.columns([3, 2], vertical_alignment="center")
        note.info(f"{count(newer, 'image')} came after this map was made.", icon=":material/update:")
        busy = busy or not people.may(Role.REVIEWER)
        if action.button("Place them on it", icon=":material/add_location_alt:", disabled=busy, key="layout-place-new"):
            ws.jobs.start(
                JOB,
                f"Placing {count(newer, 'image')}",
                lambda report: layout_builder.extend(ws, record.id, report=report),
                least=Role.REVIEWER,
            )
            st.rerun()


def encoder_words(ws: Workspace, record: layout_store.LayoutRecord) -> str:
    """Return of which encoder a map is, and what that means where another one is in use."""
    words = f"Laid out by {ws.encoder_name(record.encoder)}."
    if record.encoder == ws.choice.key:
        return words
    name = ws.encoder_name()
    return f"{words} In use is {name}: its scores colour the map, and new images are placed on maps of its own."


def quality_words(record: layout_store.LayoutRecord) -> str:
    """Return how well a layout preserves neighbours, in one line with intervals, and how it was computed.

    Examples
    --------
    >>> quality_words(record)  # doctest: +SKIP
    'Of the 10 nearest on the map, 47% (45–48%) are among the 10 most similar; trustworthiness 0.985 (0.983–0.987).'
    """
    parts = []
    if record.axes:
        parts.append(f"To the right: {record.axes[0]}. Upwards: {record.axes[1]}.")
    if record.quality is not None:
        quality = record.quality
        preserved = percent_interval(quality.kept, quality.kept_low, quality.kept_high)
        trust = decimal_interval(quality.trust, quality.trust_low, quality.trust_high, 3)
        parts.append(
            f"Of the {quality.nearest} nearest on the map, {preserved} are among the {quality.nearest} most similar; "
            f"trustworthiness {trust}; measured on {count(quality.sampled, 'image')} against all."
        )
    if 0 < record.fitted < record.n:
        parts.append(f"{record.fitted:,} images were laid out together, the others placed among them.")
    return " ".join(parts)


def titles(ws: Workspace, records: Iterable[layout_store.LayoutRecord]) -> dict[str, str]:
    """Return the titles of the maps, after the encoder of one that is not in use: the end of a title may be cut off.

    Maps with the same title get their time of creation.
    """
    layouts = list(records)
    named = {
        record.id: ("" if record.encoder == ws.choice.key else f"{ws.encoder_name(record.encoder)}: ") + record.title
        for record in layouts
    }
    uses = Counter(named.values())
    return {
        record.id: named[record.id]
        + (time.strftime(", made %d %b, %H:%M", time.localtime(record.made_at)) if uses[named[record.id]] > 1 else "")
        for record in layouts
    }


def new_map(ws: Workspace) -> str | None:
    """Return the id of a map that has just been made, once, or None."""
    job = ws.jobs.get(JOB)
    record = job.result if job is not None and job.state == "done" else None
    if not isinstance(record, layout_store.LayoutRecord):
        return None
    is_new = ui.is_new("map-made", (record.id, record.made_at))
    return record.id if is_new and job is not None and _recent(job) else None


def _recent(job: Job) -> bool:
    """Return whether the job ended while this page was open; a link that is followed later names its map."""
    return job.ended is not None and time.monotonic() - job.ended < RECENT


def delete_button(ws: Workspace, record: layout_store.LayoutRecord, *, busy: bool) -> None:
    """Draw the button that deletes a map; :func:`undo_deletion` offers to restore it."""
    words = "Delete this map, its places and names. Images, vectors and labels stay. It can be brought back."
    busy = busy or not people.may(Role.REVIEWER)
    if st.button("Delete", icon=":material/delete:", disabled=busy, width="stretch", key="layout-delete", help=words):
        layout_store.delete(ws, record.id)
        st.session_state[_DELETED] = record.id
        ws.jobs.forget(JOB)
        st.rerun()


def undo_deletion(ws: Workspace, key: str) -> None:
    """Draw the note that a map was deleted and the button that restores it and selects it under ``key``."""
    last = layout_store.last_deleted(ws) if _DELETED in st.session_state else None
    if last is not None and last.id == st.session_state[_DELETED]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"**{ui.plain(last.title)}** is deleted, and links to it do not open.", width="content")
            st.button("Undo", icon=":material/undo:", key="layout-bring-back", on_click=_back, args=(ws, key))


def _back(ws: Workspace, key: str) -> None:
    del st.session_state[_DELETED]
    try:
        st.session_state[key] = layout_store.restore(ws).id
    except NotFound as error:
        st.toast(ui.plain(str(error)), icon=":material/info:")


def _possible(scope: str, scored: Sequence[str], selection: Rows | None) -> bool:
    if selection is not None:
        return scope == "selection"
    return scope == "collection" or (scope == "best" and bool(scored))


def _scope_words(scope: str, selection: Rows | None) -> str:
    words = layout_store.SCOPES[scope]
    size = "" if selection is None else f": {count(len(selection), 'image')}"
    return words[0].upper() + words[1:] + size
