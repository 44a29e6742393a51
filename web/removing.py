"""Removing images from the collection and bringing them back, offered wherever images are shown."""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.collection.removals import Removal
from bam_engine.formatting import count
from bam_engine.workspace.membership import removed
from web import ui, undo
from web.engine import workspace

HELP = "Removed images are asked, shown, counted and exported no more. Their answers are kept, and they can come back."


def remove(rows: Sequence[int] | NDArray[np.int64], reason: str, *, popover: str = "") -> NoReturn:
    """Remove images, and offer to undo it; ``popover`` is the one to close, in which the button was."""
    removal = workspace().removals.remove(rows, reason=reason)
    if popover:
        ui.renew_popover(popover)
    images = _name(int(rows[0])) if len(rows) == 1 else count(removal.images, "image")
    verb = "is" if removal.images == 1 else "are"
    words = f"{ui.plain(images)} {verb} not in the collection any more. The answers are kept."
    undo.done(words, partial(workspace().removals.undo, removal.id))


def _name(row: int) -> str:
    return workspace().catalogue.image(row).name


def pressed(key: str, label: str = "Remove") -> bool:
    """Draw a button to remove images; return whether it was pressed."""
    return st.button(label, icon=":material/delete:", key=key, help=HELP)


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
    if st.button("Bring back", icon=":material/undo:", key=f"{key}-return"):
        with ui.guard():
            ws.removals.bring_back([row])
            undo.done(f"{ui.plain(name)} is in the collection again.", partial(ws.removals.remove, [row], reason=name))


def removals_list() -> None:
    """Draw the removals, each with a button that brings its images back."""
    ws = workspace()
    stored = ws.removals.all()
    if not stored:
        return
    st.subheader("Removed", anchor=False)
    st.caption(HELP)
    for one in stored:
        words, button = st.columns([4, 1], vertical_alignment="center")
        words.markdown(f"{count(one.images, 'image')} · {ui.plain(one.reason)} · {one.made_at[:10]}")
        if button.button("Bring back", key=f"return-{one.id}", icon=":material/undo:", width="stretch"):
            with ui.guard():
                _bring_back(one)


def _bring_back(removal: Removal) -> NoReturn:
    removals = workspace().removals
    rows = removals.rows_of(removal.id)
    removals.undo(removal.id)
    verb = "is" if removal.images == 1 else "are"
    words = f"{count(removal.images, 'image')} {verb} in the collection again."
    undo.done(words, partial(removals.remove, rows, reason=removal.reason))
