"""Overview: what is in the collection, what each attribute is worth, what to do next."""

import pandas as pd
import streamlit as st

from bam_engine.workspace.status import overview
from web import ui
from web.engine import workspace

ws = workspace()
found = overview(ws)
ui.head("Overview", "What is in the collection, what each attribute is worth, and what to do next.")

cells = st.columns(4)
cells[0].metric("Images", f"{found.images:,}")
cells[1].metric("Embedded", f"{found.embedded:,}", help=f"with {found.encoder}")
cells[2].metric("Answers by people", f"{found.annotations:,}")
cells[3].metric("Unreadable files", f"{found.unreadable:,}")

ui.empty(f"**Next:** {found.next_text}", found.next_action, found.next_page, found.next_attribute)

if found.attributes:
    st.subheader("Attributes", anchor=False)
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "attribute": ui.readable(line.name),
                    "rounds": line.rounds,
                    "labels": line.labels,
                    "precision": "" if line.precision is None else ui.interval(*line.precision),
                    "recall": "" if line.recall is None else ui.interval(*line.recall),
                    "accepted": "" if line.accepted is None else f"{line.accepted:,}",
                    "audited precision": "" if line.audited is None else ui.interval(*line.audited),
                    "next": line.step,
                }
                for line in found.attributes
            ]
        ),
        hide_index=True,
        width="stretch",
    )
    st.caption(
        "Precision and recall are measured on the validation sample at the threshold, with 95 % intervals; "
        "audited precision on a fresh blind sample."
    )
