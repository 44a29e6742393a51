"""The change that the last round brought, and advice on another: a few lines that a page draws."""

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.formatting import count, decimal_interval
from bam_engine.training.rounds import DEFAULT_ROUNDS
from bam_engine.training.stopping import last_round
from web import ui
from web.engine import workspace

WORDS = {
    "likely": ("Another round is likely to pay", ":material/trending_up:"),
    "unlikely": ("Another round is unlikely to pay", ":material/trending_flat:"),
    "unknown": ("Whether another round pays cannot be told", ":material/question_mark:"),
}


def stopping_advice(attribute: Attribute) -> None:
    """Draw the change that the last round brought and the advice on another; nothing before the second training."""
    outcome = last_round(workspace(), attribute)
    if outcome is None:
        return
    words, icon = WORDS[outcome.advice.outcome]
    lines = [f"**{words}.** {ui.plain(outcome.advice.reason)}"]
    if outcome.change is not None:
        change = outcome.change
        gain = decimal_interval(change.gain, change.low, change.high, 3, signed=True)
        lines.append(
            f"The last round changed the average precision by {gain}, measured on "
            f"{count(change.n, 'validation image')}, and moved {change.flipped:,} of {count(change.decided, 'image')} "
            "to the other side."
        )
    lines.append(f"{DEFAULT_ROUNDS} rounds are the usual number, not a law.")
    st.info("  \n".join(lines), icon=icon)
