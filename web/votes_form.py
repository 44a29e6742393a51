"""The form for the votes that images require: it shows what another number does before it is in use."""

from functools import partial

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.formatting import count
from bam_engine.labelling import required_votes
from bam_engine.labelling.required_votes import VotesEffect
from web import ui, undo
from web.engine import workspace


def votes_form() -> None:
    """Draw the numbers of required votes; a change is shown first, and made by a button."""
    ws = workspace()
    st.subheader("Votes required per image", anchor=False)
    st.caption(
        "How many people must agree before an image has a label. Working alone, 1 and 1. In a team, 1 for training and "
        "2 for evaluation: a wrong answer in training costs little, one in evaluation counts in full. A yes that "
        "anybody contradicts must lead by two."
    )
    now = ws.redundancy, ws.judging_redundancy
    teach, judge = st.columns(2)
    people = teach.number_input(
        "For training",
        min_value=1,
        max_value=9,
        value=now[0],
        help="Images of rounds. Raised, images with fewer votes wait for more; lowered, they have their label at once.",
    )
    judges = judge.number_input(
        "For evaluation",
        min_value=1,
        max_value=9,
        value=now[1],
        help="Images of the validation sample, of certifications and of audits, unless an audit says otherwise. Another"
        " number tests every guarantee again: one whose images wait for further votes is withdrawn until these are in.",
    )
    wanted = int(people), int(judges)
    if wanted == now:
        return
    _show(required_votes.effects(ws, *wanted))
    if st.button(f"Require {wanted[0]} and {wanted[1]}", type="primary", key="require-votes"):
        with ui.guard():
            required_votes.require(ws, *wanted)
            undo.done(
                f"{count(wanted[0], 'vote')} for training and {wanted[1]} for evaluation are required.",
                partial(required_votes.require, ws, *now),
            )


def _show(effects: list[VotesEffect]) -> None:
    """Draw what would happen to the attributes whose labels change."""
    changed = [one for one in effects if one.opened or one.closed]
    if not changed:
        st.info("No label changes: wherever people have answered, it is settled as before.", icon=":material/info:")
        return
    opened, closed = sum(one.opened for one in changed), sum(one.closed for one in changed)
    st.warning(
        f"{count(opened, 'image loses its label', 'images lose their labels')} until further votes are in, and "
        f"{count(closed, 'image gets one', 'images get one')}. No answer is changed.",
        icon=":material/how_to_vote:",
    )
    lines = [
        {
            "attribute": readable(one.attribute.name),
            "labelled now": one.settled,
            "lose their label": one.opened,
            "get a label": one.closed,
            "labelled then": one.then,
        }
        for one in changed
    ]
    st.dataframe(lines, hide_index=True, width="stretch")
