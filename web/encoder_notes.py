"""Of which encoder the results on a page are: a quiet line where another one has results, too."""

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.reporting.results import better_elsewhere, other_encoders
from bam_engine.training.models import latest_model
from web import ui
from web.engine import workspace
from web.navigation import go


def belongs_to(attribute: Attribute, *, quiet: bool = False) -> bool:
    """Say of which encoder an attribute's results are; nothing where no other encoder has results of it.

    Return whether it is trained, but not with the encoder in use. Then what to do is said, too, unless ``quiet``.
    """
    ws = workspace()
    others = other_encoders(ws, attribute)
    if not others:
        return False
    name, trained = ui.plain(ws.encoder_name()), ui.plain(" and ".join(map(ws.encoder_name, others)))
    better = better_elsewhere(ws, attribute)
    if latest_model(ws, attribute) is not None:
        words = f"Trained with {trained}, too."
        if better is not None:
            words = ui.plain(f"With {better.result.source}: {better.result.words}.")
        st.caption(f"Results with {name}. {words}")
        return False
    if quiet:
        st.caption(f"Trained with {trained}, and not yet with {name}, the encoder in use.")
    else:
        earlier = "" if better is None or better.result.newest else "an earlier model: "
        _what_to_do(attribute, trained, "" if better is None else f"{earlier}{better.result.words}")
    return True


def _what_to_do(attribute: Attribute, trained: str, standing: str) -> None:
    """Draw the two ways on: training with the encoder in use, and going back to the other one."""
    with st.container(border=True, key="trained-elsewhere"):
        name = ui.plain(workspace().encoder_name())
        st.markdown(
            f"**Trained with {trained}** ({ui.plain(standing)}), not with {name}, the encoder in use. "
            "Train on the same labels with the encoder in use, or go back to the other; everything is kept."
        )
        with st.container(horizontal=True):
            if st.button("Train on the labels", type="primary", key="train-here", icon=":material/model_training:"):
                go("rounds", attribute.name)
            if st.button("Go to the encoders", key="go-to-encoders", icon=":material/hub:"):
                go("embed")
