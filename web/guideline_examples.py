"""The example pictures of an attribute's guidelines: chosen where an image is seen, shown, and put in order."""

import html
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.annotation import Attribute, readable
from bam_engine.database import read_only
from bam_engine.errors import BamError, NotFound
from bam_engine.formatting import count
from bam_engine.labelling.guideline_examples import (
    KINDS,
    MAX_EXAMPLES,
    MAX_NOTE_LENGTH,
    GuidelineExample,
    add_examples,
    change_example,
    examples_of,
    move_example,
    remove_example,
    restore_example,
)
from bam_engine.labelling.label_states import states
from bam_engine.team import Role
from web import people, ui, undo
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.navigation import link

_ICONS = {"good": ":material/thumb_up:", "bad": ":material/thumb_down:", "corner": ":material/help:"}
_PLACEHOLDER = "What to see in it (optional)"
_PROBLEM = "guideline-example-problem"
_THUMBNAIL = 72


def for_grid(attribute: Attribute) -> list[dict[str, Any]]:
    """Return the examples that the labelling grid shows."""
    examples = examples_of(workspace(), attribute)
    return [{"row": each.row, "kind": each.kind, "note": each.note} for each in examples if each.shown]


# Where an image is seen


def offer(attribute: Attribute, row: int, *, key: str) -> None:
    """Draw the button that makes an image an example of ``attribute``, or changes what it is an example of."""
    ws = workspace()
    if read_only(ws.engine) or not people.may(Role.REVIEWER):
        return
    example = next((each for each in examples_of(ws, attribute) if each.row == row), None)
    label, name = "Add to guidelines" if example is None else KINDS[example.kind].capitalize(), f"{key}-example"
    with ui.popover(label, name, icon=":material/menu_book:"):
        _about(attribute, example)
        note_key = f"{key}-example-note-{attribute.id}-{row}"
        st.text_input(
            "Note",
            "" if example is None else example.note,
            max_chars=MAX_NOTE_LENGTH,
            placeholder=_PLACEHOLDER,
            key=note_key,
        )
        for kind, words in KINDS.items():
            st.button(
                words.capitalize(),
                key=f"{key}-example-{kind}",
                icon=_ICONS[kind],
                type="primary" if example is not None and example.kind == kind else "secondary",
                width="stretch",
                on_click=_choose,
                args=(attribute, row, kind, note_key, name),
            )
        if example is not None:
            st.button(
                "Remove from guidelines",
                key=f"{key}-example-remove",
                icon=":material/delete:",
                width="stretch",
                on_click=_attempt,
                args=(partial(remove_example, ws, attribute, row), name),
            )


def _about(attribute: Attribute, example: GuidelineExample | None) -> None:
    problem = st.session_state.pop(_PROBLEM, "")
    if problem:
        st.error(ui.plain(problem), icon=":material/error:")
    if example is None:
        st.caption(
            f"Whoever labels “{ui.plain(readable(attribute.name))}” sees it above the images, and no sample that is "
            "drawn later holds it."
        )
    elif example.remark:
        st.caption(ui.plain(example.remark))


def _choose(attribute: Attribute, row: int, kind: str, note_key: str, popover: str) -> None:
    """Make an image an example, or change it; called by a button."""
    ws, note = workspace(), str(st.session_state.get(note_key, ""))

    def choose() -> None:
        try:
            change_example(ws, attribute, row, kind=kind, note=note)
        except NotFound:
            add_examples(ws, attribute, [row], kind, note)

    _attempt(choose, popover)


def _attempt(change: Callable[[], object], popover: str = "") -> None:
    """Make a change and close a popover; where it is refused, remember why."""
    try:
        change()
    except BamError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        if popover:
            ui.renew_popover(popover)


def offer_selection(attribute: Attribute, rows: Sequence[int] | NDArray[np.int64], *, popover: str) -> None:
    """Draw the buttons that make the selected images examples; ``popover`` is the one to close, in which they are."""
    if len(rows) > MAX_EXAMPLES or read_only(workspace().engine) or not people.may(Role.REVIEWER):
        return
    st.caption("Add to the guidelines, for whoever labels")
    note = st.text_input(
        "Note",
        max_chars=MAX_NOTE_LENGTH,
        placeholder=_PLACEHOLDER,
        key="gallery-example-note",
        label_visibility="collapsed",
    )
    with st.container(horizontal=True):
        for kind, words in KINDS.items():
            if st.button(words.capitalize(), icon=_ICONS[kind], key=f"gallery-example-{kind}"):
                with ui.guard():
                    _add_selection(attribute, [int(row) for row in rows], kind, note, popover)


def _add_selection(attribute: Attribute, rows: list[int], kind: str, note: str, popover: str) -> None:
    before = {each.row: each for each in examples_of(workspace(), attribute) if each.row in rows}
    add_examples(workspace(), attribute, rows, kind, note)
    ui.renew_popover(popover)
    _tell_added(attribute, rows, kind, before)


def add(attribute: Attribute, row: int) -> None:
    """Add an image to the guidelines at once, and run the page again, which offers the undo.

    It is a good example if it is labelled yes, a bad one if it is labelled no, and a corner case otherwise.
    """
    kind = {"yes": "good", "no": "bad"}.get(states(workspace(), attribute).marks(np.array([row]))[0], "corner")
    with ui.guard():
        add_examples(workspace(), attribute, [row], kind)
        _tell_added(attribute, [row], kind, {})


def _tell_added(
    attribute: Attribute, rows: Sequence[int], kind: str, before: Mapping[int, GuidelineExample]
) -> NoReturn:
    undo.done(
        f"Added to the guidelines of {ui.plain(readable(attribute.name))}: {count(len(rows), KINDS[kind])}.",
        partial(_as_before, attribute, rows, before),
    )


def _as_before(attribute: Attribute, rows: Sequence[int], before: Mapping[int, GuidelineExample]) -> None:
    for row in rows:
        with suppress(NotFound):
            remove_example(workspace(), attribute, row)
        if row in before:
            restore_example(workspace(), attribute, before[row])


# All of them


def strip(attribute: Attribute, *, key: str) -> int | None:
    """Draw the examples of an attribute; return the row that was just clicked, or None."""
    examples = examples_of(workspace(), attribute)
    pictures = [Picture(each.row, KINDS[each.kind].capitalize(), each.note) for each in examples if not each.removed]
    if gone := len(examples) - len(pictures):
        st.caption(f"{count(gone, 'example')} of the guidelines removed from the collection.")
    if not pictures:
        return None
    return gallery(pictures, key=key, version=workspace().picture_version, size=112)


def edit(attribute: Attribute) -> None:
    """Draw the examples of an attribute to be changed, put in order and removed."""
    examples = examples_of(workspace(), attribute)
    st.markdown("**Example pictures**")
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(ui.plain(problem), icon=":material/error:")
    if not examples:
        st.caption("None yet. Open a picture in the gallery and choose “Add to guidelines”.")
    for example in examples:
        same = [each.row for each in examples if each.kind == example.kind]
        _line(attribute, example, first=same[0] == example.row, last=same[-1] == example.row)
    link("gallery", "Choose pictures in the gallery", attribute.name)


def _line(attribute: Attribute, example: GuidelineExample, *, first: bool, last: bool) -> None:
    """Draw one example with its fields and buttons."""
    ws, row, key = workspace(), example.row, f"example-{attribute.id}-{example.row}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-line"):
        st.html(_thumbnail(example), width=_THUMBNAIL)
        kind_key, note_key = f"{key}-kind-{example.kind}", f"{key}-note-{example.note}"
        st.selectbox(
            "Kind",
            list(KINDS),
            list(KINDS).index(example.kind),
            format_func=lambda kind: KINDS[kind].capitalize(),
            key=kind_key,
            label_visibility="collapsed",
            width=160,
            on_change=lambda: _attempt(partial(change_example, ws, attribute, row, kind=st.session_state[kind_key])),
        )
        st.text_input(
            "Note",
            example.note,
            max_chars=MAX_NOTE_LENGTH,
            placeholder=_PLACEHOLDER,
            key=note_key,
            label_visibility="collapsed",
            width=320,
            on_change=lambda: _attempt(partial(change_example, ws, attribute, row, note=st.session_state[note_key])),
        )
        for words, by, icon, disabled in (("Earlier", -1, "up", first), ("Later", 1, "down", last)):
            st.button(
                "",
                icon=f":material/arrow_{icon}ward:",
                help=words,
                key=f"{key}-{icon}",
                disabled=disabled,
                on_click=_attempt,
                args=(partial(move_example, ws, attribute, row, by),),
            )
        if st.button("", icon=":material/delete:", help="Remove from guidelines", key=f"{key}-remove"):
            with ui.guard():
                taken = remove_example(ws, attribute, row)
                words = f"{ui.plain(ws.catalogue.image(row).name)} is no example any more."
                undo.done(words, partial(restore_example, ws, attribute, taken))
    if example.remark:
        st.caption(ui.plain(example.remark))


def _thumbnail(example: GuidelineExample) -> str:
    if not (example.removed or example.missing):
        address = f"/thumbs/{example.row}.webp?v={workspace().picture_version}"
        words = html.escape(f"{KINDS[example.kind]} {example.note}".strip())
        look = f"width:{_THUMBNAIL}px;height:{_THUMBNAIL}px;object-fit:cover;border-radius:4px"
        return f'<img src="{address}" alt="{words}" style="{look}">'
    look = f"width:{_THUMBNAIL}px;height:{_THUMBNAIL}px;border-radius:4px;border:1px dashed currentColor;opacity:.5"
    return f'<div role="img" aria-label="not shown" style="{look}"></div>'
