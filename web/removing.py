"""Removing images from the collection and bringing them back, offered wherever images are shown."""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.collection.removals import Removal
from bam_engine.formatting import count
from bam_engine.team import Role
from bam_engine.workspace.membership import removed
from web import people, ui, undo
from web.engine import workspace

HELP = "Removed images are asked, shown, counted and exported no more. Their answers are kept, and they can come back."


def remove(rows: Sequence[int] | NDArray[np.int64], reason: str, *, popover: str = "") -> NoReturn:
    """Remove images, and offer to undo it; ``popover`` is the one to close, in which the button was."""
    removal = workspace().removals.remove(rows, reason=reason, by=_actor())
    if popover:
        ui.renew_popover(popover)
    images = _name(int(rows[0])) if len(rows) == 1 else count(removal.images, "image")
    verb = "is" if removal.images == 1 else "are"
    words = f"{ui.plain(images)} {verb} not in the collection any more. The answers are kept."
    undo.done(words, partial(workspace().removals.undo, removal.id, by=_actor()))


def _actor() -> int:
    return workspace().annotators.actor(ui.annotator())


def _name(row: int) -> str:
    return workspace().catalogue.image(row).name


def pressed(key: str, label: str = "Remove") -> bool:
    """Draw a button to remove images, for owners; return whether it was pressed."""
    return people.may(Role.OWNER) and st.button(label, icon=":material/delete:", key=key, help=HELP)


def one_image(row: int, *, key: str) -> None:
    """Draw the button that removes an image from the collection, or, if it is removed, brings it back."""
    ws = workspace()
    name = _name(row)
    if row not in removed(ws).rows:
        if pressed(f"{key}-remove"):
            with ui.guard():
                remove([row], name)
        return
    st.caption("Removed from the collection", width="content")
    if people.may(Role.OWNER) and st.button("Bring back", icon=":material/undo:", key=f"{key}-return"):
        with ui.guard():
            ws.removals.bring_back([row], by=_actor())
            again = partial(ws.removals.remove, [row], reason=name, by=_actor())
            undo.done(f"{ui.plain(name)} is in the collection again.", again)


def removals_list() -> None:
    """Draw the removals, each with a button that brings its images back, and those that are wholly undone."""
    ws = workspace()
    stored = ws.removals.all()
    if not stored:
        return
    names = ws.annotators.names()
    st.subheader("Removed", anchor=False)
    st.caption(HELP)
    for one in stored:
        if one.images:
            words, button = st.columns([4, 1], vertical_alignment="center")
            history = ui.plain(one.history(names))
            words.markdown(f"{count(one.images, 'image')} · {ui.plain(one.reason)} · {history}")
            if button.button("Bring back", key=f"return-{one.id}", icon=":material/undo:", width="stretch"):
                with ui.guard():
                    _bring_back(one)
    undone = [one for one in stored if not one.images]
    if undone:
        with st.expander(f"Brought back ({len(undone):,})"):
            for one in undone:
                st.caption(f"{ui.plain(one.reason)} · {ui.plain(one.history(names))}")


def _bring_back(removal: Removal) -> NoReturn:
    removals = workspace().removals
    rows = removals.rows_of(removal.id)
    removals.undo(removal.id, by=_actor())
    verb = "is" if removal.images == 1 else "are"
    words = f"{count(removal.images, 'image')} {verb} in the collection again."
    undo.done(words, partial(removals.remove, rows, reason=removal.reason, by=_actor()))
