"""Galleries of thumbnails: a short one of given pictures, and an endless one of a whole listing.

In:  rows with captions, a listing of the engine, or what was found in BAM's file. Out: the clicked row, once, and the
selected rows. Thumbnails come from ``/thumbs``, the data of a listing from ``/api/gallery``, those of BAM's file from
``/api/bam-file``; answers go to ``/api/attributes``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.gallery.listing import Listing
from bam_engine.published import Found
from web.engine import workspace
from web.modules import component
from web.routes import bam_file
from web.routes.gallery import summary

_component = component("bam_gallery", "gallery/gallery.js", ["keys/keys.css", "gallery/gallery.css"])
_endless = component(
    "bam_endless_gallery", "gallery/endless_mount.js", ["keys/keys.css", "gallery/gallery.css", "gallery/endless.css"]
)


@dataclass(frozen=True)
class Picture:
    """One thumbnail: its row, its caption, its tooltip, and its mark (``yes``, ``no``, ``unsure`` or none)."""

    row: int
    caption: str = ""
    title: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Guidelines:
    """Which images the guidelines have as examples; ``add`` is called with the row of one that is to be added."""

    examples: tuple[int, ...]
    add: Callable[[int], object]


@dataclass(frozen=True)
class Answering:
    """What a key answers about the picture of a gallery that has the focus.

    ``attribute`` is its id, ``annotator`` whose answers they are. With ``guidelines``, buttons below each picture
    answer too, and add it to them. One gallery of a page, or of a group, names the keys in a line below it.
    """

    attribute: int
    question: str
    annotator: str
    guidelines: Guidelines | None = None
    names_keys: bool = True


def gallery(
    pictures: Sequence[Picture],
    *,
    key: str,
    version: str,
    size: int = 150,
    height: int | None = None,
    selected: Sequence[int] | None = None,
    answering: Answering | None = None,
) -> int | None:
    """Show thumbnails in reading order; return the row that was just clicked, or None.

    Parameters
    ----------
    pictures
        In reading order.
    version
        The version of the workspace's pictures, so that thumbnails can be cached as immutable.
    size
        Side of a cell in CSS pixels.
    height
        Height in CSS pixels, within which the gallery scrolls; None grows with the pictures.
    selected
        Rows drawn as selected.
    answering
        With it, a key answers about a picture; with its guidelines, one click below a picture does, and another one
        adds it to them.
    """
    result = _component(
        key=key,
        data={
            "pictures": [[p.row, p.caption, p.title, p.mark] for p in pictures],
            "version": version,
            "size": size,
            "height": height,
            "selected": list(selected or ()),
            "answering": None if answering is None else _about(answering),
        },
        on_picked_change=lambda: None,
        on_guided_change=lambda: None,
    )
    guided = _new_click(f"{key}-guided", result.guided)
    if answering is not None and answering.guidelines is not None and guided is not None:
        answering.guidelines.add(guided)
    return _new_click(key, result.picked)


def _about(answering: Answering) -> dict[str, Any]:
    guidelines = answering.guidelines
    return {
        "attribute": answering.attribute,
        "question": answering.question,
        "annotator": answering.annotator,
        "examples": None if guidelines is None else list(guidelines.examples),
        "namesKeys": answering.names_keys,
    }


def endless_gallery(
    listing: Listing,
    *,
    key: str,
    version: str,
    line_text: str = "",
    height: int | None = None,
    answering: Mapping[str, Any] | None = None,
) -> tuple[int | None, NDArray[np.int64]]:
    """Show a listing of any length; return the row that was just clicked, or None, and the selected rows.

    Parameters
    ----------
    version
        The version of the workspace's pictures, so that thumbnails can be cached as immutable.
    line_text
        The text on the line between accepted and rejected images.
    height
        In CSS pixels; None fills the window.
    answering
        What single images can be answered about: the ``attribute``'s id, its ``question``, and the ``annotator``.
    """
    result = _endless(
        key=key,
        data={
            "listing": summary(listing),
            "version": version,
            "line_text": line_text,
            "height": height,
            "answering": answering,
        },
        default={"chosen": None},
        on_picked_change=lambda: None,
        on_chosen_change=lambda: None,
    )
    return _new_click(key, result.picked), selected_rows(listing, result.chosen)


def file_gallery(found: Found, *, key: str) -> int | None:
    """Show images of BAM's file; return the number of the one that was just clicked, or None."""
    ws = workspace()
    result = _endless(
        key=key,
        data={
            "listing": bam_file.summary(ws, found),
            "version": ws.picture_version,
            "line_text": "",
            "height": None,
            "answering": None,
        },
        default={"chosen": None},
        on_picked_change=lambda: None,
        on_chosen_change=lambda: None,
    )
    return _new_click(key, result.picked)


def selected_rows(listing: Listing, state: dict[str, Any] | None) -> NDArray[np.int64]:
    """Return the selected rows of the browser's state; none where it belongs to another listing."""
    if not state or state["id"] != listing.id or not state["ranges"]:
        return np.empty(0, np.int64)
    return np.concatenate([listing.rows[int(first) : int(end)] for first, end in state["ranges"]])


def _new_click(key: str, picked: dict[str, Any] | None) -> int | None:
    """Return the row of a click that was not handled before: after st.rerun a script sees the same click again."""
    if picked is None or st.session_state.get(f"{key}-click") == picked["click"]:
        return None
    st.session_state[f"{key}-click"] = picked["click"]
    return int(picked["row"])
