"""The panel of the selection beside the map: its images, their classes, and what can be done with them.

Bulk answers, examples for a round, a gallery, a saved view, another map, a CSV file.
"""

import html

import numpy as np
import streamlit as st

from bam_engine import formatting
from bam_engine.annotation import Attribute, readable
from bam_engine.errors import BamError
from bam_engine.gallery import selections
from bam_engine.gallery.class_balance import ClassBalance, class_balance
from bam_engine.gallery.query import Query
from bam_engine.labelling import bulk
from bam_engine.labelling.bulk import Rows
from bam_engine.labelling.label_states import states
from bam_engine.maps.places import places_of
from bam_engine.team import Role
from bam_engine.training import querying
from bam_engine.workspace import Workspace
from web import map_state, people, tagging, ui
from web.answering import by_key
from web.components.gallery import Picture, gallery
from web.gallery_actions import save_view
from web.image_panel import open_image
from web.layout_form import layout_popover
from web.navigation import focused_attribute, go

SHOWN = 60
_LAST = "map-bulk"
_CLICKS = {"place": "its place", "image": "the image"}
_ICONS = {1: ":material/check:", 0: ":material/close:", -1: ":material/question_mark:"}
_ATTRIBUTE = "map-attribute"
_SAVE, _RAW_TEXT = "map-save", "selection-raw-text"
_CSS = """<style>
.st-key-map-row { --map-height: clamp(640px, 100vh - 345px, 1200px); }
/* A tall window is filled by the map and what stands above it; a low one is filled once it is scrolled to. */
.st-key-map-window { flex: none; height: var(--map-height); }
.bam-map-full :is([data-testid="stSidebar"], [data-testid="stHeader"]) { display: none; }
.bam-balance { display: grid; gap: .5rem; font-size: .875rem; font-variant-numeric: tabular-nums; }
.bam-balance .name { font-weight: 600; overflow-wrap: anywhere; }
.bam-balance .quiet { color: color-mix(in srgb, currentColor 68%, transparent); }
.bam-balance .bar { display: flex; height: 8px; border-radius: 4px; overflow: hidden;
  background: color-mix(in srgb, currentColor 12%, transparent); }
.bam-balance .bar b { background: light-dark(#0b6e69, #5fd0c7); }
.bam-balance .bar i { background: color-mix(in srgb, currentColor 38%, transparent); }
</style>"""
_BESIDE = """<style>
:root { --bam-panel: clamp(280px, 26vw, 380px); }
.bam-map-full { --bam-panel-below: 45vh; }
.bam-map-full .st-key-map-side { position: fixed; z-index: 999990; inset: auto 0 0 0; height: 45vh; overflow-y: auto;
  padding: .75rem; background: light-dark(#fcfcfa, #15181a); }
@media (min-width: 1024px) {
  .st-key-map-row { display: grid; grid-template-columns: minmax(0, 1fr) var(--bam-panel); }
  .st-key-map-side { max-height: var(--map-height); overflow-y: auto; }
  .bam-map-full { --bam-panel-below: 0px; --bam-panel-beside: var(--bam-panel); }
  .bam-map-full .st-key-map-side { inset: 0 0 0 auto; width: var(--bam-panel); height: auto; max-height: none; }
}
</style>"""


def style() -> None:
    """Add the CSS of the map and its panel, before both: a map that was given its room does not move.

    The panel is beside the map, below it on a narrow window, and stays in the full window.
    """
    st.html(_CSS + (_BESIDE if map_state.selected() is not None else ""))


def selection_panel(ws: Workspace, map_id: str, *, busy: bool) -> None:
    """Draw the panel if there is a selection; ``busy``: a layout job is running."""
    chosen = map_state.selected()
    if chosen is None:
        _last_answer(ws)
        return
    rows = selections.rows_of(ws, chosen.id)
    with st.container(border=True, key="map-selection"):
        _head(ws, map_id, chosen, rows)
        if not len(rows):
            return
        _strip(ws, map_id, chosen, rows)
        _balance(class_balance(ws, rows))
        _ways(ws, map_id, chosen, rows, busy=busy)
        tagging.tag_selection(rows, key="map")
        _label(ws, rows)
        _last_answer(ws)


def _head(ws: Workspace, map_id: str, chosen: map_state.Selected, rows: Rows) -> None:
    verb = "found" if chosen.how == "search" else "selected"
    words = f"**{formatting.count(len(rows), 'image')} {verb}**"
    if chosen.words:
        words += f" in the legend: {ui.plain(chosen.words)}" if chosen.how == "legend" else f" {ui.plain(chosen.words)}"
    on_map = int((places_of(ws, map_id, rows)[:, 0] >= 0).sum()) if len(rows) else 0
    if on_map < len(rows):
        words += f" · {on_map:,} of them on this map"
    with st.container(horizontal=True, vertical_alignment="top"):
        st.markdown(words, width="stretch")
        st.button(
            "",
            help="Clear the selection",
            icon=":material/close:",
            type="tertiary",
            key="map-selection-clear",
            on_click=map_state.select,
            args=(None,),
        )


def _balance(balances: list[ClassBalance]) -> None:
    """Draw the classes of the selected images, a line for each attribute."""
    if not balances:
        return
    lines = "".join(_balance_line(balance) for balance in balances)
    st.html(f'<div class="bam-balance" role="list" aria-label="Classes of the selected images">{lines}</div>')


def _balance_line(balance: ClassBalance) -> str:
    total = max(1, balance.accepted + balance.rejected + balance.undecided)
    words = f"{balance.accepted:,} accepted, {balance.rejected:,} rejected"
    words += f", {balance.undecided:,} undecided" if balance.undecided else ""
    people = f"{balance.labelled_yes:,} labelled yes, {balance.labelled_no:,} labelled no"
    bar = "".join(
        f'<{tag} style="width:{100 * count / total:.2f}%"></{tag}>'
        for tag, count in (("b", balance.accepted), ("i", balance.rejected))
    )
    name = html.escape(readable(balance.attribute.name))
    return (
        f'<div role="listitem"><span class="name">{name}</span> {words}<div class="bar" aria-hidden="true">{bar}</div>'
        f'<span class="quiet">{people}</span></div>'
    )


def _strip(ws: Workspace, map_id: str, chosen: map_state.Selected, rows: Rows) -> None:
    """Draw some of the images; a click goes to the place on the map or opens the image."""
    shown = chosen.best[:SHOWN] if chosen.best else tuple(int(row) for row in rows[:: -(-len(rows) // SHOWN)])
    usual = "place" if chosen.how == "search" else "image"
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(shown) < len(rows):
            st.caption(f"{'The best' if chosen.best else ''} {len(shown)} of them are shown.".strip(), width="content")
        click = st.segmented_control(
            "A click shows",
            list(_CLICKS),
            default=usual,
            format_func=_CLICKS.__getitem__,
            key=f"map-click-{usual}",
            required=True,
        )
    attribute = _attribute(ws)
    answering = None if attribute is None else by_key(attribute)
    marks = [""] * len(shown) if attribute is None else states(ws, attribute).marks(np.array(shown))
    opened = gallery(
        [Picture(row, mark=mark) for row, mark in zip(shown, marks, strict=True)],
        key="map-strip",
        version=ws.picture_version,
        size=72,
        height=200,
        answering=answering,
    )
    if answering is not None:
        st.caption(f"Keys answer about the picture in focus: {ui.plain(answering.question)}")
    if opened is None:
        return
    if click == "image":
        open_image(opened, rows if not chosen.best else chosen.best)
    elif map_state.go_to_image(ws, map_id, opened):
        st.rerun()
    else:
        st.info("This image is not on this map.", icon=":material/wrong_location:")


def _attribute(ws: Workspace) -> Attribute | None:
    """Return the attribute that is chosen below the strip, else the one in focus, else the first."""
    attributes = {attribute.name: attribute for attribute in ws.attributes.all()}
    wanted = (st.session_state.get(_ATTRIBUTE), focused_attribute(), *attributes)
    return next((attributes[name] for name in wanted if name in attributes), None)


def _ways(ws: Workspace, map_id: str, chosen: map_state.Selected, rows: Rows, *, busy: bool) -> None:
    """Draw the buttons that lead elsewhere with the selection."""
    with st.container(horizontal=True):
        st.button(
            "Zoom to it",
            icon=":material/center_focus_strong:",
            on_click=map_state.go_to_selection,
            args=(ws, map_id),
        )
        if st.button("Open in the gallery", icon=":material/photo_library:"):
            go("gallery", selection=chosen.id)
        key = "selection-layout"
        layout_popover(ws, "Make a map of it", icon=":material/map:", busy=busy, selection=rows, key=key)
        with ui.popover("Save", _SAVE, icon=":material/bookmark_add:"):
            st.caption("The selection is saved as a view, which the gallery lists under Views.")
            if save_view(Query(selection=chosen.id), key="map-save-view"):
                ui.close_popover(_SAVE)
        raw = "?raw-text=1" if st.session_state.get(_RAW_TEXT) else ""
        st.link_button("Save as CSV", f"/api/selections/{chosen.id}.csv{raw}", icon=":material/download:")
        ui.raw_text(_RAW_TEXT)


def _label(ws: Workspace, rows: Rows) -> None:
    """Draw the bulk answers, and what they would apply to."""
    attributes = {attribute.name: attribute for attribute in ws.attributes.all()}
    if not attributes or not people.may(Role.REVIEWER):
        return
    name = st.selectbox("Attribute", list(attributes), format_func=readable, key=_ATTRIBUTE)
    attribute = attributes[name]
    plan = bulk.plan(ws, attribute, rows)
    with st.container(horizontal=True):
        for answer, words in bulk.ANSWERS.items():
            if st.button(f"All {words}", icon=_ICONS[answer], key=f"map-all-{words}", disabled=not len(plan.rows)):
                _answer(ws, attribute, rows, answer)
        words = f"Use as examples for a round of {readable(name)}"
        if st.button(words, type="primary", icon=":material/play_arrow:"):
            ui.start_from_examples(attribute, querying.examples_from(ws, rows.tolist()))
    left_out = [
        f"{number:,} {why}"
        for number, why in ((plan.held_out, "held out to judge"), (plan.labelled, "labelled one by one"))
        if number
    ]
    st.caption(
        f"{ui.plain(attribute.question)} An answer would be given to {formatting.count(len(plan.rows), 'image')} as "
        f"{ui.plain(ui.annotator())}{'; left out: ' + ' and '.join(left_out) if left_out else ''}. It teaches "
        f"the next training and never judges. A round starts from at most {querying.MAX_EXAMPLES} typical ones."
    )


def _answer(ws: Workspace, attribute: Attribute, rows: Rows, answer: int) -> None:
    try:
        result = bulk.answer(ws, attribute, rows, answer, annotator=ui.annotator())
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/error:")
        return
    images, name = formatting.count(result.count, "image"), readable(attribute.name)
    words = f"{images} answered for {name}: {bulk.ANSWERS[answer]}, in bulk."
    st.session_state[_LAST] = (result.id, words)


def _last_answer(ws: Workspace) -> None:
    """Draw the result of the last bulk answer, and the button that undoes it."""
    if _LAST not in st.session_state:
        return
    bulk_id, words = st.session_state[_LAST]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(ui.plain(words), icon=":material/check_circle:", width="stretch")
        if st.button("Undo", icon=":material/undo:", key="map-take-back"):
            bulk.undo(ws, bulk_id)
            del st.session_state[_LAST]
            st.rerun()
