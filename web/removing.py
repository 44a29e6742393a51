"""Removing images from the collection and bringing them back, offered wherever images are shown."""

from collections.abc import Sequence
from functools import partial
from typing import NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.formatting import count
from bam_engine.workspace.membership import removed
from web import ui, undo
from web.engine import workspace

HELP = "They are asked, shown, counted and exported no more. Their answers are kept, and they can come back."


def remove(rows: Sequence[int] | NDArray[np.int64], reason: str) -> NoReturn:
    """Remove images, and offer to undo it."""
    removal = workspace().removals.remove(rows, reason=reason)
    verb = "is" if removal.images == 1 else "are"
    words = f"{count(removal.images, 'image')} {verb} not in the collection any more. The answers are kept."
    undo.done(words, partial(workspace().removals.undo, removal.id))


def remove_button(rows: Sequence[int] | NDArray[np.int64], reason: str, *, key: str, label: str = "Remove") -> None:
    """Draw the button that removes images."""
    if st.button(label, icon=":material/delete:", key=key, help=HELP):
        remove(rows, reason)


def one_image(row: int, *, key: str) -> None:
    """Draw the button that removes an image from the collection, or, if it is removed, brings it back."""
    ws = workspace()
    if row not in removed(ws).rows:
        remove_button([row], "an image", key=f"{key}-remove")
        return
    st.caption("This image was removed from the collection.", width="content")
    if st.button("Bring back", icon=":material/undo:", key=f"{key}-return"):
        ws.removals.bring_back([row])
        undo.done("The image is in the collection again.", partial(ws.removals.remove, [row], reason="an image"))


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
            rows = ws.removals.rows_of(one.id)
            ws.removals.undo(one.id)
            verb = "is" if one.images == 1 else "are"
            undo.done(
                f"{count(one.images, 'image')} {verb} in the collection again.",
                partial(ws.removals.remove, rows, reason=one.reason),
            )
