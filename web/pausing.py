"""Pauses: what a paused person reads, an owner's buttons that pause and let go on, and the form of the rule."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from bam_engine.annotation import Annotator
from bam_engine.annotation.pauses import Pause
from bam_engine.labelling import gold, pausing
from bam_engine.labelling.pausing import OnGold, PauseRule
from web import people, ui, undo
from web.engine import workspace


def paused_notice(*, asks: bool) -> bool:
    """Tell whoever looks that they are paused, and return it; the rule is applied where they ask for images."""
    ws = workspace()
    known = ws.annotators.find(ui.annotator())
    pause = None
    if known is not None:
        pause = pausing.pause_of(ws, known.id) if asks else ws.pauses.now().get(known.id)
    if pause is None:
        return False
    alone = "" if people.team_mode() else " On a server for one person, that is done on the page Annotators."
    st.info(f"{ui.plain(pause.told)}{alone}", icon=":material/pause_circle:")
    return True


def standing(pause: Pause) -> None:
    """Say that a person is paused, since when and why."""
    by = "the rule" if pause.by_rule else "an owner"
    reason = f": {pause.reason}" if pause.reason else ""
    since = f"{pause.made_at[:10]} {pause.made_at[11:16]} UTC"
    st.warning(f"Paused since {since} by {by}{ui.plain(reason)}. Their answers count.", icon=":material/pause_circle:")


def soon(figures: OnGold) -> None:
    """Say that a person falls below the rule, which pauses them when they next ask for images."""
    st.warning(
        f"Falls below the rule, and is paused when they next ask for images: {ui.plain(figures.text)}.",
        icon=":material/pause_circle:",
    )


def pause_part(one: Annotator, pause: Pause | None) -> None:
    """Draw what pauses a person, or lets them go on."""
    if pause is not None:
        if st.button("Let them go on", key=f"resume-{one.id}", icon=":material/play_circle:"):
            _resume(one, pause)
        return
    with st.form(f"pause-form-{one.id}", border=False):
        words, button = st.columns([3, 1], vertical_alignment="bottom")
        reason = words.text_input(
            "Reason", max_chars=pausing.MAX_REASON, key=f"pause-reason-{one.id}", placeholder="They read it. Optional."
        )
        if button.form_submit_button(
            "Pause",
            key=f"pause-{one.id}",
            icon=":material/pause_circle:",
            width="stretch",
            help="They are given no images, and what they hold is given back. Their answers count as before.",
        ):
            _pause(one, reason)


@ui.guard()
def _pause(one: Annotator, reason: str) -> None:
    ws = workspace()
    before = ws.pauses.last(one.id)
    pausing.pause(ws, one, reason)
    undo.done(f"{ui.plain(one.name)} is paused. Their answers count.", partial(pausing.put_back, ws, one, before))


@ui.guard()
def _resume(one: Annotator, pause: Pause) -> None:
    ws = workspace()
    pausing.resume(ws, one)
    words = f"{ui.plain(one.name)} can go on. The rule looks at the gold that they answer from now on."
    undo.done(words, partial(pausing.put_back, ws, one, pause))


def rule_form(falling: Mapping[int, OnGold]) -> None:
    """Draw the rule by which people are paused, to be changed by an owner, and whom another one would pause.

    ``falling`` are those whom the rule of today pauses when they next ask for images.
    """
    ws = workspace()
    now = pausing.rule(ws)
    st.subheader("Pausing", anchor=False)
    st.caption(
        "Whoever answers gold badly is given no images until you let them go on; their answers count until you set "
        "them aside. Whoever is right on each image with at least the chance that you ask for is ever paused with a "
        "chance of 5% at most, however often one looks. “Unsure” is not right."
    )
    applies = st.toggle("Pause people by gold", now is not None, key="rule-applies")
    wanted = None
    if applies:
        shown, columns = now or PauseRule(), st.columns(2)
        after = columns[0].number_input(
            "After at least so many gold images", 1, 10_000, shown.after, 1, key="rule-after"
        )
        below = columns[1].number_input(
            "Right on surely less than % of them", 1.0, 99.0, round(100 * shown.below, 3), 1.0, "%g", key="rule-below"
        )
        wanted = PauseRule(int(after), below / 100)
        if gold.schedule(ws) is None:
            st.warning("No gold is mixed in, so there is nothing to judge by. Switch it on above.")
        names = ws.annotators.names()
        if would := falling if wanted == now else pausing.falling_below(ws, wanted):
            listed = "; ".join(f"{names[who]} is {figures.text}" for who, figures in would.items())
            st.info(f"Paused when they next ask for images: {ui.plain(listed)}.", icon=":material/pause_circle:")
        else:
            st.markdown("It pauses nobody just now.")
    if wanted != now and st.button("Apply this rule" if wanted else "Apply no rule", type="primary", key="rule-change"):
        with ui.guard():
            pausing.set_rule(ws, wanted)
            words = "No rule pauses anybody any more." if wanted is None else f"The rule: {wanted.text}."
            undo.done(words, partial(pausing.set_rule, ws, now))
