"""The choice of the result that an export gives, for attributes with several: of other encoders, or earlier models."""

from collections.abc import Sequence

import streamlit as st

from bam_engine.annotation import Attribute, readable
from bam_engine.reporting.results import Result, overlooked, results_of
from web import ui
from web.engine import workspace


def result_choice() -> dict[str, str]:
    """Draw the choice where there is one; return the chosen results by attribute, without those in force."""
    ws = workspace()
    several = [
        (attribute, results)
        for attribute in ws.attributes.all()
        if len(results := results_of(ws, attribute)) > 1 or any(not result.in_use for result in results)
    ]
    if not several:
        return {}
    with st.container(border=True):
        st.markdown(
            "**Which result?** Several encoders, or models of one, have results; the files name encoder and model of "
            "each attribute."
        )
        better = len(overlooked(ws))
        if better:
            words = "One attribute has" if better == 1 else f"{better} attributes have"
            st.warning(
                f"{words} more behind the result of another encoder, or of an earlier model, than behind that of "
                f"{ui.plain(ws.encoder_name())}, which is in use.",
                icon=":material/compare_arrows:",
            )
        chosen = {attribute.name: _choose(attribute, results) for attribute, results in several}
    return {name: choice for name, choice in chosen.items() if choice and choice != ws.choice.key}


def _choose(attribute: Attribute, results: Sequence[Result]) -> str:
    """Draw the results of an attribute; return what the chosen one is found by, "" for no scores at all."""
    ws = workspace()
    words = {result.choice: f"{result.source}: {result.words}" for result in results}
    if ws.choice.key not in words:
        words = {"": f"{ws.encoder_name()}: nothing is trained, no scores", **words}
    return st.selectbox(
        readable(attribute.name),
        list(words),
        format_func=words.__getitem__,
        key=f"export-result-{attribute.id}-{ws.choice.key}",
    )
