"""What the last round bought, and whether another is likely to pay: a few lines that a page draws."""

import streamlit as st

from bam_engine.annotation import Attribute
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
    found = last_round(workspace(), attribute)
    if found is None:
        return
    words, icon = WORDS[found.advice.outcome]
    lines = [f"**{words}:** {ui.plain(found.advice.reason)}"]
    if found.change is not None:
        change = found.change
        lines.append(
            f"The last round changed the average precision by {change.gain:+.3f} "
            f"({change.low:+.3f} to {change.high:+.3f}, {ui.several(change.n, 'validation image')}) and moved "
            f"{change.flipped:,} of {ui.several(change.decided, 'image')} to the other side."
        )
    lines.append(f"{DEFAULT_ROUNDS} rounds are the usual number, not a law.")
    st.info("  \n".join(lines), icon=icon)
