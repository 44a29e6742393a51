"""Strips of pictures whose labels are looked at again: what an audit found wrong, and what lies beside a threshold."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.audit.audits import AuditResult
from bam_engine.audit.mistakes import mistakes
from bam_engine.formatting import count, decimal
from bam_engine.labelling.label_states import states
from bam_engine.training.borderline import borderline
from bam_engine.training.contradictions import strongest_contradictions
from bam_engine.training.models import scores_of
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.image_panel import open_image
from web.navigation import focus_attribute

_CELL = 112
_MOST = 48


def audit_mistakes(result: AuditResult) -> None:
    """Draw what an audit found wrong and what it found missed, each to be opened and corrected."""
    found = mistakes(workspace(), result)
    if not len(found.wrong) and not len(found.missed):
        return
    st.subheader("What the audit found", anchor=False)
    st.caption(
        "Open a picture to look at it again: Y, N or U corrects its label. That changes what is delivered, not this "
        "audit, which counts blind answers alone. A picture that shows what was misunderstood can be added to the "
        "guidelines."
    )
    groups = [
        (f"{count(len(found.wrong), 'accepted image')} not positive", found.wrong, "wrong"),
        (f"{count(len(found.missed), 'rejected image')} positive", found.missed, "missed"),
    ]
    _strips(result.attribute, groups, f"audit-{result.id}")


def beside_threshold(attribute: Attribute, value: float) -> None:
    """Draw the pictures that score just above and just below a threshold."""
    above, below = borderline(workspace(), attribute, value)
    groups = [("Just above the threshold", above, "above"), ("Just below the threshold", below, "below")]
    _strips(attribute, groups, f"threshold-{attribute.id}")


def contradicted(attribute: Attribute) -> None:
    """Draw the labelled images that a model without their labels gets wrong, and so perhaps the label is."""
    rows = strongest_contradictions(workspace(), attribute, 12)
    if not len(rows):
        return
    st.subheader("What the model gets wrong without the label", anchor=False)
    st.caption(
        "Predicted from the labels of other projects, the surest mistakes first. Open an image to check its label: "
        "Y, N or U corrects it."
    )
    _strips(attribute, [("", rows, "contradicted")], f"rounds-{attribute.id}")


def _strips(attribute: Attribute, groups: Sequence[tuple[str, NDArray[np.int64], str]], key: str) -> None:
    """Draw each group with its title, and open the picture that is clicked."""
    ws = workspace()
    scores, labels = scores_of(ws, attribute), states(ws, attribute)
    for title, rows, name in groups:
        if not len(rows):
            continue
        if title:
            st.markdown(f"**{title}**" + (f" · the first {_MOST}" if len(rows) > _MOST else ""))
        shown = rows[:_MOST]
        pictures = [
            Picture(int(row), decimal(float(scores[row])) if np.isfinite(scores[row]) else "", mark=mark)
            for row, mark in zip(shown, labels.marks(shown), strict=True)
        ]
        picked = gallery(pictures, key=f"{key}-{name}", version=ws.picture_version, size=_CELL)
        if picked is not None:
            focus_attribute(attribute.name)
            open_image(picked, shown)
