"""The dialog with one image of BAM's file: its picture where the collection has it, and all that the file says."""

from html import escape

import numpy as np
import streamlit as st

from bam_engine.annotation import readable
from bam_engine.formatting import NOTHING, count, percent
from bam_engine.published import Arrays, Found
from bam_engine.published.detail import FileImage, agreement_about, image_of
from bam_engine.published.pictures import picture_settings, remembered
from bam_engine.published.window import rows_of
from web import ui
from web.engine import workspace
from web.navigation import link
from web.routes.bam_file import pictures_of

_MID, _FOUND, _ARRAYS = "bamfile-mid", "bamfile-found", "bamfile-arrays"
_CSS = """<style>
.bam-absent { display: grid; place-items: center; min-height: 9rem; padding: 1rem; border-radius: 6px;
  border: 1px dashed color-mix(in srgb, currentColor 40%, transparent); font-size: .875rem; text-align: center; }
.bam-shown { display: block; max-width: 100%; max-height: 60vh; margin: 0 auto; border-radius: 4px; }
.bam-url { font-size: .875rem; overflow-wrap: anywhere; }
</style>"""


def open_image(mid: int, found: Found, arrays: Arrays) -> None:
    """Open the dialog with image ``mid``; ``found`` is the list to step through."""
    st.session_state[_MID], st.session_state[_FOUND], st.session_state[_ARRAYS] = mid, found, arrays
    _panel()


@st.dialog("Image of BAM's file", width="large")
def _panel() -> None:
    with ui.guard():
        arrays: Arrays = st.session_state[_ARRAYS]
        mid = int(st.session_state[_MID])
        target = _steps(mid, st.session_state[_FOUND], arrays)
        _draw(arrays, image_of(arrays, mid))
        if target is not None:
            st.session_state[_MID] = target
            st.rerun(scope="fragment")


def _steps(mid: int, found: Found, arrays: Arrays) -> int | None:
    """Draw the buttons to the previous and next image; return the number of the one to go to, or None."""
    at = np.flatnonzero(arrays.mids[found.positions] == mid)
    if not len(at):
        return None
    place = int(at[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        previous = st.button("Previous", key="bamfile-previous", disabled=not place, shortcut="Left")
        last = place + 1 == len(found)
        following = st.button("Next", key="bamfile-next", disabled=last, shortcut="Right")
        st.caption(f"{place + 1:,} of {len(found):,} in the list", width="content")
    move = -1 if previous else 1 if following else 0
    return int(arrays.mids[found.positions[place + move]]) if move else None


def _draw(arrays: Arrays, image: FileImage) -> None:
    ws = workspace()
    st.html(_CSS)
    row = rows_of(ws, [image.url]).get(image.url)
    if row is None:
        _show_absent(arrays, image)
    else:
        st.html(f'<img class="bam-shown" src="/large/{row}.webp?v={ws.picture_version}" alt="">')
        link("image", "Open in the collection", row=str(row))
    st.html(f'<p class="bam-url">{escape(image.url or "no URL")}</p>')
    project, licence = image.project or "none", image.licence or "none stated"
    facts = [f"Number {image.mid}", f"project {project}", f"licence: {licence}"]
    facts += ["flagged as mature"] if image.mature else []
    st.caption(ui.plain(" · ".join(facts)))
    _captions(image)
    _attributes(image)
    _choices(image)
    _agreement(arrays, image)


def _show_absent(arrays: Arrays, image: FileImage) -> None:
    """Draw the picture from its URL where that is switched on, or why there is none."""
    ws = workspace()
    settings = picture_settings(ws)
    why = "The collection does not have this picture. It was at the URL below."
    if settings is not None:
        why = remembered(ws, arrays, image.mid, settings)
    if why:
        st.html(f'<div class="bam-absent">{escape(why)}</div>')
    else:
        alt = "There is no picture at this URL now."
        st.html(f'<img class="bam-shown" src="{pictures_of(arrays.key)}/{image.mid}.webp" alt="{alt}">')


def _attributes(image: FileImage) -> None:
    """Draw the place and the labels of each attribute, the highest place first."""
    known = [
        one for one in image.attributes if one.place is not None or one.automatic or one.crowd or one.yes or one.no
    ]
    if not known:
        st.caption("The file says nothing of its attributes.")
        return
    lines = []
    for one in sorted(known, key=lambda one: -1.0 if one.place is None else one.place, reverse=True):
        counts = f"{one.yes} yes, {one.no} no" + (f", {one.unsure} unsure" if one.unsure else "")
        choices = counts if one.yes or one.no or one.unsure else NOTHING
        place = NOTHING if one.place is None else percent(one.place)
        lines.append([readable(one.name), place, one.automatic or NOTHING, one.crowd or NOTHING, choices])
    st.html(ui.table(("Attribute", "Place", "Automatic", "Crowd", "Choices"), lines))


def _captions(image: FileImage) -> None:
    """Draw what workers wrote."""
    if image.captions:
        st.markdown("\n".join(f"> {ui.plain(text)} ({ui.plain(worker)})\n" for worker, text in image.captions))


def _choices(image: FileImage) -> None:
    """Draw the choice of each worker."""
    if image.choices:
        with st.expander(f"{count(len(image.choices), 'choice')} by workers"):
            lines = [[readable(attribute), worker, answer] for attribute, worker, answer in image.choices]
            st.html(ui.table(("Attribute", "Worker", "Answer"), lines))


def _agreement(arrays: Arrays, image: FileImage) -> None:
    """Draw how far the crowd agrees about the attributes that it was asked about this image."""
    names = list(dict.fromkeys(attribute for attribute, _, _ in image.choices))
    if not names:
        return
    if not st.toggle("Measure how far the crowd agrees", key="bamfile-agreement"):
        return  # it takes a second for each attribute at BAM's size
    for name in names:
        raw, alpha = agreement_about(workspace(), arrays, name)
        words = f"{raw.text} of pairs of answers agree; Krippendorff's alpha {alpha.text}"
        if raw.value is None:
            words = raw.text
        st.markdown(f"**{ui.plain(readable(name))}**: {ui.plain(words)}")
    st.caption("Over all images of the attribute, with 95% intervals by project. Alpha corrects for chance agreement.")
