"""The images that somebody chose in the gallery as examples of an attribute that they propose."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.annotation.proposals import MAX_EXAMPLES
from bam_engine.database import read_only
from web import people
from web.engine import workspace
from web.navigation import go

_CHOSEN = "proposal-examples-chosen"


def offer(rows: Sequence[int] | NDArray[np.int64]) -> None:
    """Draw, on a team's server, the button that proposes an attribute with the selected images as examples."""
    if not people.team_mode() or len(rows) > MAX_EXAMPLES or read_only(workspace().engine):
        return
    if st.button("Propose an attribute", icon=":material/lightbulb:"):
        st.session_state[_CHOSEN] = tuple(int(row) for row in rows)
        go("proposals")


def chosen_examples() -> tuple[int, ...]:
    """Return the rows that were chosen last."""
    rows: tuple[int, ...] = st.session_state.get(_CHOSEN, ())
    return rows


def forget_examples() -> None:
    """Forget what was chosen."""
    st.session_state.pop(_CHOSEN, None)
