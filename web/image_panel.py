"""The panel of one image: the picture large, its scores, what people said, what is near.

Opened from the gallery, the map and the audit. In: a row. Knows how to draw, asks the engine for everything.
"""

import pandas as pd
import streamlit as st

from bam_engine.workspace.looking import ScoreLine, describe
from web import ui
from web.components.gallery import Picture, gallery
from web.engine import workspace

ENLARGED = 2.5


def open_image(row: int) -> None:
    """Open the panel of image ``row`` over the page."""
    st.session_state["panel_row"] = row
    _panel()


@st.dialog("Image", width="large")
def _panel() -> None:
    with ui.guard():
        _draw(int(st.session_state["panel_row"]))


def _draw(row: int) -> None:
    ws = workspace()
    found = describe(ws, row)
    picture, facts = st.columns([3, 2], gap="large")
    with picture:
        enlarged = f"min(62vh, {ENLARGED * found.height}px)"  # small pictures grow, but not to mush
        st.html(
            f'<img src="/large/{row}.webp?v={ws.id}" alt="The file of this image cannot be read." '
            'style="display:block;margin:auto;max-width:100%;object-fit:contain;border-radius:4px;'
            f'height:{enlarged}">'
        )
    with facts:
        st.markdown(f"**{ui.plain(found.title or found.name)}**")
        st.caption(f"{found.width} × {found.height} px · image {row}")
        st.text(found.uri)
        if found.scores:
            st.dataframe(
                pd.DataFrame([_score_line(line) for line in found.scores]),
                hide_index=True,
                width="stretch",
                column_config={"score": st.column_config.NumberColumn(format="%.2f")},
            )
            st.caption(
                "Probability: how often images of that score are positive, by the validation sample; 95 % limits."
            )
        else:
            st.caption("No attribute has scores yet.")
        if found.annotations:
            st.dataframe(
                pd.DataFrame(found.annotations, columns=["attribute", "annotator", "answer"]),
                hide_index=True,
                width="stretch",
            )
        else:
            st.caption("Nobody has answered a question about this image yet.")
    if found.neighbours:
        st.caption("Most like it, by the encoder in use")
        near = [Picture(other, f"{likeness:.2f}") for other, likeness in found.neighbours]
        picked = gallery(near, key=f"near-{row}", version=ws.id, size=84)
        if picked is not None:
            st.session_state["panel_row"] = picked
            st.rerun(scope="fragment")


def _score_line(line: ScoreLine) -> dict[str, object]:
    shown = "–" if line.probability is None else ui.interval(*line.probability)
    return {"attribute": line.attribute, "score": line.score, "probability": shown, "decision": line.decision}
