"""The form for gold: whether images whose answer is known are mixed into assignments, how many, and of what."""

from functools import partial

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.annotation.mixing import Schedule
from bam_engine.labelling import gold
from web import ui, undo
from web.engine import workspace


def gold_form() -> None:
    """Draw by which schedule gold is mixed in, to be changed by an owner, and how many images have a known answer."""
    ws = workspace()
    now = gold.schedule(ws)
    st.subheader("Gold", anchor=False)
    st.caption(
        "Images whose answer is known, since three people, a reviewer or an owner gave it, mixed unmarked into what "
        "people are given: the share on which somebody is right tells how well they answer. These answers are no "
        "votes, nobody is given an image that they have answered, and nobody is told which images they were. Whoever "
        "looks an image up sees its label, though. Each one costs an answer."
    )
    mixes = st.toggle("Mix in gold", now is not None, key="gold-mixes")
    wanted = None
    if mixes:
        shown, columns = now or Schedule(), st.columns(3)
        shares = [
            column.number_input(label, 0.0, 90.0, round(100 * share, 3), 1.0, "%g", key=f"gold-{name}")
            for column, (label, name, share) in zip(
                columns,
                [
                    ("% of a person’s first 10", "first", shown.first),
                    ("% of the next 40", "next", shown.following),
                    ("% of all later ones", "later", shown.later),
                ],
                strict=True,
            )
        ]
        wanted = Schedule(*(share / 100 for share in shares))
    if wanted != now and st.button("Mix in gold" if wanted else "Mix in no gold", type="primary", key="gold-change"):
        with ui.guard():
            gold.set_schedule(ws, wanted)
            words = "No gold is mixed in any more." if wanted is None else f"Gold is mixed in: {gold.in_words(wanted)}."
            undo.done(words, partial(gold.set_schedule, ws, now))
    if mixes:
        for one in gold.states(ws):
            st.markdown(f"{ui.plain(readable(one.attribute.name))}: {one.text}")
