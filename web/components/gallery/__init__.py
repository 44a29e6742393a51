"""A gallery of thumbnails: hundreds at once, a click tells Python which.

In:  the rows to show with a short caption each. Out: the row that was clicked, once. Thumbnails come from ``/thumbs``;
nothing about scores or labels is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "bam_gallery",
    css=(_HERE / "gallery.css").read_text(encoding="utf-8"),
    js=(_HERE / "gallery.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Picture:
    """One thumbnail: its row, the words under it, its tooltip, and its mark (``yes``, ``no``, ``unsure`` or none)."""

    row: int
    caption: str = ""
    title: str = ""
    mark: str = ""


def gallery(
    pictures: Sequence[Picture],
    *,
    key: str,
    version: str,
    size: int = 150,
    height: int | None = None,
    selected: Sequence[int] | None = None,
) -> int | None:
    """Draw the thumbnails in reading order; return the row that was just clicked, or None.

    Parameters
    ----------
    pictures
        What to show, first to last.
    version
        Names the workspace, so that thumbnails can be cached for good.
    size
        Side of a cell in CSS pixels.
    height
        Scrolls inside this many pixels; None grows with the pictures.
    selected
        Rows drawn as chosen.
    """
    result = _component(
        key=key,
        data={
            "pictures": [[p.row, p.caption, p.title, p.mark] for p in pictures],
            "version": version,
            "size": size,
            "height": height,
            "selected": list(selected or ()),
        },
        on_picked_change=lambda: None,
    )
    picked = result.picked
    if picked is None or st.session_state.get(f"{key}-click") == picked["click"]:
        return None  # a script that calls st.rerun sees the same click again
    st.session_state[f"{key}-click"] = picked["click"]
    return int(picked["row"])
