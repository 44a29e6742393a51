"""Galleries of thumbnails: a short one of pictures that the page names, and an endless one of a whole listing.

In:  the rows to show with a short caption each; or a listing of the engine. Out: the row that was clicked, once, and
what was chosen. Thumbnails come from ``/thumbs``, what stands beside those of a listing from ``/api/gallery``; nothing
about scores or labels is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.gallery.listing import Listing
from web.routes.gallery import summary

_FOLDER = Path(__file__).parent


def _read(*names: str) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


_component = st.components.v2.component("bam_gallery", css=_read("gallery.css"), js=_read("cells.js", "gallery.js"))
_endless = st.components.v2.component(
    "bam_endless_gallery",
    css=_read("gallery.css", "endless.css"),
    js=_read(
        "../picture_address.js",
        "cells.js",
        "layout.js",
        "scroll.js",
        "source.js",
        "choice.js",
        "endless.js",
        "endless_parts.js",
        "endless_keys.js",
        "endless_mount.js",
    ),
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
    return _news(key, result.picked)


def endless_gallery(
    listing: Listing, *, key: str, version: str, line_text: str = "", height: int | None = None
) -> tuple[int | None, NDArray[np.int64]]:
    """Draw a listing of any length; return the row that was just clicked, or None, and the rows that are chosen.

    Parameters
    ----------
    version
        Names the workspace, so that thumbnails can be cached for good.
    line_text
        What stands on the line between accepted and rejected images.
    height
        In CSS pixels; None fills the window.
    """
    result = _endless(
        key=key,
        data={"listing": summary(listing), "version": version, "line_text": line_text, "height": height},
        default={"chosen": None},
        on_picked_change=lambda: None,
        on_chosen_change=lambda: None,
    )
    return _news(key, result.picked), chosen_rows(listing, result.chosen)


def chosen_rows(listing: Listing, told: dict[str, Any] | None) -> NDArray[np.int64]:
    """Return the rows that stand for what the browser told, none where it speaks of another listing."""
    if not told or told["id"] != listing.id or not told["ranges"]:
        return np.empty(0, np.int64)
    return np.concatenate([listing.rows[int(first) : int(end)] for first, end in told["ranges"]])


def _news(key: str, picked: dict[str, Any] | None) -> int | None:
    """Return the row of a click that was not seen before: a script that calls st.rerun sees the same click again."""
    if picked is None or st.session_state.get(f"{key}-click") == picked["click"]:
        return None
    st.session_state[f"{key}-click"] = picked["click"]
    return int(picked["row"])
