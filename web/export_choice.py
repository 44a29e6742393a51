"""The choice of the encoder whose result an export gives, for attributes that several encoders have results of."""

import streamlit as st

from bam_engine.annotation import Attribute, readable
from bam_engine.reporting.results import better_elsewhere, other_encoders, results_of
from web import ui
from web.engine import workspace


def result_choice() -> dict[str, str]:
    """Draw the choice where there is one; return the chosen encoders by attribute, without those of the one in use."""
    ws = workspace()
    attributes = [attribute for attribute in ws.attributes.all() if other_encoders(ws, attribute)]
    if not attributes:
        return {}
    with st.container(border=True):
        st.markdown("**Which result?** Several encoders have results; the files name the encoder of each attribute.")
        better = [found.note for attribute in attributes if (found := better_elsewhere(ws, attribute)) is not None]
        if better:
            words = "One attribute has" if len(better) == 1 else f"{len(better)} attributes have"
            st.warning(
                f"{words} more behind the result of another encoder than behind that of {ui.plain(ws.encoder_name())}, "
                "which is in use.",
                icon=":material/compare_arrows:",
            )
        chosen = {attribute.name: _choose(attribute) for attribute in attributes}
    return {name: key for name, key in chosen.items() if key and key != ws.choice.key}


def _choose(attribute: Attribute) -> str:
    """Draw the results of an attribute; return the key of the chosen one's encoder, "" for no scores at all."""
    ws = workspace()
    words = {result.key: f"{result.encoder}: {result.words}" for result in results_of(ws, attribute)}
    if ws.choice.key not in words:
        words = {"": f"{ws.encoder_name()}: nothing is trained, no scores", **words}
    return st.selectbox(
        readable(attribute.name),
        list(words),
        format_func=words.__getitem__,
        key=f"export-result-{attribute.id}-{ws.choice.key}",
    )
