"""The parts of the Duplicates page: which groups, a row of pictures for each, and what becomes of them.

The first group of the page answers to keys: A keeps all of it, S the suggested image, 1 to 9 that picture. A group that
is decided leaves the list, so the next one is the first.
"""

import html
from functools import partial
from typing import NoReturn

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.annotation import readable
from bam_engine.collection.removals import Removal
from bam_engine.database import read_only
from bam_engine.formatting import count, decimal, file_size
from bam_engine.gallery import duplicates, kept_duplicates
from bam_engine.gallery.duplicate_facts import DescribedGroup, Duplicate, describe
from bam_engine.gallery.duplicates import DuplicateGroups, Level, Order, State
from web import ui, undo
from web.engine import workspace
from web.gallery_actions import FOLDING, offer_grouping

GROUPS = 10
"""Groups on a page."""

PICTURES = 12
"""Pictures of a group; the others are counted."""

_LEVELS: dict[Level, str] = {"exact": "Exact", "near": "Exact and near"}
_STATES: dict[State, str] = {"open": "To decide", "disagreeing": "Disagreeing labels", "kept": "Kept"}
_ORDERS: dict[Order, str] = {"size": "Largest group", "similarity": "Most alike"}
_LEVEL_HELP = (
    "Files with the same bytes are never added twice. **Exact**: the encoder cannot tell the images apart, such as one "
    "picture in two formats. **Near**: their thumbnails show the same picture: compressed again, smaller, cropped or "
    "framed a little, a little lighter or darker. A mirrored picture is another one."
)
_KEYS = 9  # pictures of the first group that a key keeps
_MANY = "duplicates-many"
_STYLE = """<style>
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-duplicate-"]) { width: 172px; flex: 0 0 172px; min-width: 0; }
[class*="st-key-duplicate-"] { width: 100% !important; }
.bam-duplicate { margin: 0; font-size: .8125rem; line-height: 1.35; overflow-wrap: anywhere; }
.bam-duplicate a { display: block; }
.bam-duplicate img { display: block; width: 100%; height: 150px; object-fit: contain; border-radius: 6px;
  background: color-mix(in srgb, currentColor 6%, transparent); }
.bam-duplicate figcaption { margin-top: .35rem; }
.bam-duplicate .quiet { color: light-dark(#5b605d, #a9aca7); }
.bam-duplicate b { font-weight: 600; }
.bam-duplicate .yes { color: light-dark(#0b6e69, #5fd0c7); }
.bam-duplicate .no { color: light-dark(#a03a1c, #eb9a80); }
@media (max-width: 640px) { [data-testid="stLayoutWrapper"]:has(> [class*="st-key-duplicate-"]) {
  width: calc(50% - .5rem); flex-basis: calc(50% - .5rem); } }
</style>"""


def searched() -> bool:
    """Offer the search where some images have not been searched; return whether none is running."""
    offer_grouping()
    return not workspace().jobs.is_running(FOLDING)


def draw() -> None:
    """Draw the choice of groups, those of one page, and what can be done with many at once."""
    every = {level: duplicates.duplicate_groups(workspace(), level) for level in duplicates.LEVELS}
    level, state, order = _choice(every)
    groups = every[level].only(state)
    if not len(groups):
        st.info(_nothing(level, state), icon=":material/check_circle:")
        return
    place = st.container()
    pages = -(-len(groups) // GROUPS)
    page = 1
    if pages > 1:
        page = min(int(st.session_state.get("duplicates-page", 1)), pages)
        with st.container(horizontal=True, horizontal_alignment="center"):
            page = st.pagination(pages, default=page, key="duplicates-page")
    shown = groups.ordered(order).take(np.arange((page - 1) * GROUPS, min(page * GROUPS, len(groups))))
    may_change = not read_only(workspace().engine)
    with place:
        if state == "open" and may_change:
            _many(groups, shown)
        st.html(_STYLE)
        for number, group in enumerate(describe(workspace(), shown, most=PICTURES)):
            with st.container(border=True):
                _group(group, keys=number == 0 and may_change, may_change=may_change)


def _choice(every: dict[Level, DuplicateGroups]) -> tuple[Level, State, Order]:
    """Draw what is looked at, with how many groups there are of each kind; return it."""
    st.session_state.setdefault("duplicates-level", "near")
    st.session_state.setdefault("duplicates-state", "open")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        level: Level = (
            st.segmented_control(
                "How similar",
                list(_LEVELS),
                format_func=lambda one: f"{_LEVELS[one]} ({len(every[one].only('open')):,})",
                key="duplicates-level",
                required=True,
                help=_LEVEL_HELP,
            )
            or "near"
        )
        state: State = (
            st.segmented_control(
                "Groups",
                list(_STATES),
                format_func=lambda one: f"{_STATES[one]} ({len(every[level].only(one)):,})",
                key="duplicates-state",
                required=True,
            )
            or "open"
        )
        order: Order = st.selectbox(
            "First", list(_ORDERS), format_func=lambda one: _ORDERS[one], key="duplicates-order", width=180
        )
    return level, state, order


def _nothing(level: Level, state: State) -> str:
    if state == "kept":
        return "No group is kept whole."
    if state == "disagreeing":
        return "In no group that is to be decided is one image labelled yes and another one no."
    return f"No group of {'exact' if level == 'exact' else 'exact or near'} duplicates is to be decided."


def _many(groups: DuplicateGroups, shown: DuplicateGroups) -> None:
    """Draw what is to be decided in numbers, and the suggestion for many groups at once."""
    left = int(groups.disagreeing.sum())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{count(len(groups), 'group')} of {count(len(groups.rows), 'image')}", width="content")
        with ui.popover("Keep the suggested ones", _MANY, icon=":material/done_all:"):
            st.markdown(f"One image of each group is kept, and the others are dropped. Suggested is {duplicates.RULE}.")
            if left:
                st.caption(f"{count(left, 'group')} with disagreeing labels left for you to decide.")
            of_page, of_all = (each.take(np.flatnonzero(~each.disagreeing)) for each in (shown, groups))
            _drop_button("page", "on this page", of_page)
            _drop_button("all", "of all pages", of_all)
    if workspace().attributes.all():
        st.caption(
            "Labels stay with their images: nothing is copied to the one that is kept, and guarantees are tested "
            "again, as after any removal."
        )


def _drop_button(key: str, where: str, groups: DuplicateGroups) -> None:
    words = f"{count(len(groups), 'group')} {where}: drop {count(groups.extra, 'image')}"
    if st.button(words, key=f"duplicates-suggested-{key}", disabled=not len(groups)):
        with ui.guard(), st.spinner("Dropping duplicates …"):
            _dropped(duplicates.keep_suggested(workspace(), groups, by=_actor()), popover=_MANY)


def _group(group: DescribedGroup, *, keys: bool, may_change: bool) -> None:
    """Draw a group: what is known of it, its pictures, and the buttons that decide."""
    key = int(group.rows.min())
    facts = [f"**{count(len(group.rows), 'image')}**"]
    facts.append("exact" if group.distance == 0 else f"distance {decimal(group.distance, 2)} of 1")
    st.markdown(" · ".join(facts))
    if group.disagreeing:
        names = ", ".join(ui.plain(readable(name)) for name in group.disagreeing)
        st.warning(
            f"The labels disagree: {names}. One of them is wrong, or the pictures differ in what is asked.",
            icon=":material/warning:",
        )
    with st.container(horizontal=True, key=f"row-of-duplicates-{key}"):
        for place, one in enumerate(group.duplicates):
            with st.container(key=f"duplicate-{one.image.row}", gap="small"):
                st.html(_figure(one, group.reason if not place else ""))
                if may_change and st.button(
                    "Keep this one",
                    key=f"keep-{key}-{one.image.row}",
                    type="primary" if not place else "secondary",
                    shortcut=str(place + 1) if keys and place < _KEYS else None,
                    help=f"Drop the other {count(len(group.rows) - 1, 'image')} of the group.",
                    width="stretch",
                ):
                    with ui.guard():
                        _dropped(duplicates.keep_one(workspace(), group.rows, one.image.row, by=_actor()))
    if len(group.rows) > len(group.duplicates):
        st.caption(f"{count(len(group.rows) - len(group.duplicates), 'more image')} of the group not shown.")
    if group.only_others:
        st.caption("Only the others have: " + ui.plain(", ".join(_readable(one) for one in group.only_others)))
    if may_change:
        _decide(group, key, keys=keys)


def _readable(name: str) -> str:
    return name if name == "captions" or name.startswith("“") else f"a label of {readable(name)}"


def _decide(group: DescribedGroup, key: int, *, keys: bool) -> None:
    """Draw the buttons that decide a whole group."""
    with st.container(horizontal=True):
        if group.kept:
            if st.button("Ask again", key=f"ask-{key}", icon=":material/undo:"):
                with ui.guard():
                    _asked_again(group.rows)
            return
        words = "Keep all" if len(group.rows) > 2 else "Keep both"
        if st.button(words, key=f"keep-all-{key}", shortcut="A" if keys else None, icon=":material/select_all:"):
            with ui.guard():
                _kept(group.rows)
        if keys:
            st.caption("Keys decide the first group: A keeps all, 1 to 9 one picture.", width="content")


def _kept(rows: NDArray[np.int64]) -> NoReturn:
    images = kept_duplicates.keep_together(workspace(), rows, by=_actor())
    undo.done(f"{count(images, 'image')} kept. The group is among the kept ones.", partial(_forget, rows))


def _forget(rows: NDArray[np.int64]) -> None:
    kept_duplicates.ask_again(workspace(), rows)


def _asked_again(rows: NDArray[np.int64]) -> NoReturn:
    kept_duplicates.ask_again(workspace(), rows)
    again = partial(kept_duplicates.keep_together, workspace(), rows, by=_actor())
    undo.done("The group is to be decided again.", again)


def _dropped(removal: Removal, *, popover: str = "") -> NoReturn:
    if popover:
        ui.renew_popover(popover)
    words = f"{count(removal.images, 'image')} dropped. The answers are kept, and the list on the Images page has them."
    undo.done(words, partial(workspace().removals.undo, removal.id, by=_actor()))


def _actor() -> int:
    return workspace().annotators.actor(ui.annotator())


def _figure(one: Duplicate, reason: str) -> str:
    """Return a picture with what it carries, as HTML; a click opens the image as a page."""
    image, version = one.image, workspace().picture_version
    size = "no readable file" if one.size is None else file_size(one.size)
    lines = [
        f"<b>Suggested</b>: {html.escape(reason)}" if reason else "",
        f"{image.width} × {image.height} px · {size}",
        f'<span class="quiet">{html.escape(image.uri)}</span>',
        *(f'{html.escape(readable(name))}: <span class="{mark.split()[0]}">{mark}</span>' for name, mark in one.labels),
        count(one.captions, "caption") if one.captions else "",
        html.escape(" ".join(f"“{tag}”" for tag in one.tags)),
    ]
    name = html.escape(image.name)
    return (
        f'<figure class="bam-duplicate"><a href="/image?row={image.row}" target="_blank" title="Open {name}">'
        f'<img src="/thumbs/{image.row}.webp?v={version}" alt="{name}" loading="lazy"></a>'
        f"<figcaption>{'<br>'.join(line for line in lines if line)}</figcaption></figure>"
    )
