"""Strips of pictures whose labels are looked at again: what an audit or a model finds wrong."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.audit.audits import AuditResult
from bam_engine.audit.mistakes import mistakes
from bam_engine.formatting import count, decimal
from bam_engine.labelling.guideline_examples import examples_of
from bam_engine.labelling.label_states import states
from bam_engine.training.contradictions import strongest_contradictions
from bam_engine.training.models import scores_of
from web import guideline_examples
from web.answering import by_key
from web.components.gallery import Answering, Guidelines, Picture, gallery
from web.engine import workspace
from web.image_panel import open_image
from web.navigation import focus_attribute

_CELL = 152
_MOST = 48


def audit_mistakes(result: AuditResult) -> None:
    """Draw what an audit found wrong and what it found missed, each to be corrected by a click."""
    found = mistakes(workspace(), result)
    if not len(found.wrong) and not len(found.missed):
        return
    st.subheader("What the audit found", anchor=False)
    st.caption(
        "Look again: Yes, No or Unsure, by click or key, corrects the label. That changes what is delivered, not the "
        "audit, which counts blind answers alone. A picture that shows what was misunderstood belongs in the "
        "guidelines."
    )
    groups = [
        (f"{count(len(found.wrong), 'accepted image')} not positive", found.wrong, "wrong"),
        (f"{count(len(found.missed), 'rejected image')} positive", found.missed, "missed"),
    ]
    _strips(result.attribute, groups, f"audit-{result.id}")


def contradicted(attribute: Attribute) -> None:
    """Draw the labelled images that a model without their labels gets wrong, and so perhaps the label is."""
    rows = strongest_contradictions(workspace(), attribute, 12)
    if not len(rows):
        return
    st.subheader("What the model gets wrong without the label", anchor=False)
    st.caption(
        "Predicted from the labels of other projects, the surest mistakes first. Look again: Yes, No or Unsure, by "
        "click or key, corrects the label."
    )
    _strips(attribute, [("", rows, "contradicted")], f"rounds-{attribute.id}")


def _strips(attribute: Attribute, groups: Sequence[tuple[str, NDArray[np.int64], str]], key: str) -> None:
    """Draw each group with its title, and open the picture that is clicked."""
    ws = workspace()
    scores, labels = scores_of(ws, attribute), states(ws, attribute)
    groups = [group for group in groups if len(group[1])]
    for title, rows, name in groups:
        if title:
            st.markdown(f"**{title}**" + (f" · the first {_MOST}" if len(rows) > _MOST else ""))
        shown = rows[:_MOST]
        pictures = [
            Picture(int(row), decimal(float(scores[row])) if np.isfinite(scores[row]) else "", mark=mark)
            for row, mark in zip(shown, labels.marks(shown), strict=True)
        ]
        answering = correcting(attribute, names_keys=name == groups[-1][2])
        picked = gallery(pictures, key=f"{key}-{name}", version=ws.picture_version, size=_CELL, answering=answering)
        if picked is not None:
            focus_attribute(attribute.name)
            open_image(picked, shown)


def correcting(attribute: Attribute, *, names_keys: bool = True) -> Answering | None:
    """Return what a key, or a click below a picture, answers about; None where nothing can be changed."""
    answering = by_key(attribute, names_keys=names_keys)
    if answering is None:
        return None
    examples = tuple(example.row for example in examples_of(workspace(), attribute))
    return replace(answering, guidelines=Guidelines(examples, partial(guideline_examples.add, attribute)))
