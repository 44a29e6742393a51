"""Setting a threshold by hand on the histogram of the Threshold page, and the figures that stand at a threshold."""

from collections.abc import Sequence

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import percent, percent_range
from bam_engine.learning import Threshold
from bam_engine.training import certified_cuts
from bam_engine.training.charts import score_distribution
from bam_engine.training.delivered import delivered_at
from bam_engine.training.models import TrainedModel
from bam_engine.training.score_counts import labelled_scores, score_counts
from bam_engine.training.thresholds import AttributeThreshold
from bam_engine.workspace.membership import count_images
from web import charts, ui
from web.answering import about
from web.components.threshold import Mark, Proportion, last_set, threshold_histogram
from web.engine import workspace
from web.image_panel import open_image
from web.navigation import focus_attribute


def set_by_hand(model: TrainedModel) -> float | None:
    """Return the threshold that was set by hand for a model, until it is saved or discarded; None without one."""
    last = last_set(_key(model))
    if last is not None and ui.is_new(f"{_key(model)}-event", last.event):
        st.session_state[by_hand_key(model)] = last.value
    value: float | None = st.session_state.get(by_hand_key(model))
    return value


def discard(model: TrainedModel) -> None:
    """Forget the threshold that was set by hand."""
    st.session_state.pop(by_hand_key(model), None)


def by_hand_key(model: TrainedModel) -> str:
    """Return the session key of the threshold that was set by hand for a model."""
    return f"threshold-by-hand-{model.id}"


def _key(model: TrainedModel) -> str:
    return f"threshold-histogram-{model.id}"


def proportions(attribute: Attribute, choice: Threshold) -> tuple[Proportion, Proportion]:
    """Return precision and recall of what a threshold delivers, each with its limits, as people read them."""
    value, low, high = choice.precision_interval
    precision = percent(value), percent_range(low, high)
    if delivered_at(workspace(), attribute, choice.value).counts.exhausted:
        precision = "100%", "all labelled yes"
    value, low, high = choice.recall_interval
    return precision, (percent(value), percent_range(low, high))


def histogram(
    attribute: Attribute,
    model: TrainedModel,
    value: float | None,
    *,
    measured: Threshold | None,
    suggested: Threshold | None,
    saved: AttributeThreshold | None,
    target: float,
    confidence: float,
) -> None:
    """Draw the histogram of the scores with the threshold ``value``, which can be moved, and its downloads.

    ``measured`` is the evidence at ``value``; None where nothing can be measured. Without a ``value``, the threshold
    stands in the middle of the scores.
    """
    ws, scores = workspace(), labelled_scores(workspace(), attribute)
    chart = score_distribution(scores.every, scores.by_name, threshold=value)
    if chart.empty:
        charts.show(chart, f"threshold-scores-{attribute.name}")
        return
    if value is None:
        value = float(sum(chart.positions.limits) / 2)
    marks = _marks(suggested, saved)
    named = [value, *(mark.value for mark in marks)]
    picked = threshold_histogram(
        chart,
        score_counts(ws, attribute, named, certified=_certified(attribute, target, confidence)),
        value,
        attribute=attribute.id,
        total=count_images(ws),
        target=percent(target),
        measured=None if measured is None else proportions(attribute, measured),
        marks=marks,
        version=ws.picture_version,
        key=_key(model),
        answering=about(attribute),
    )
    charts.downloads(chart, f"threshold-scores-{attribute.name}")
    if picked is not None and ui.is_new(f"{_key(model)}-picked", picked.event):
        focus_attribute(attribute.name)
        open_image(picked.row, picked.among)


def _marks(suggested: Threshold | None, saved: AttributeThreshold | None) -> list[Mark]:
    """Return the threshold in use and the one suggested; once where they are the same."""
    in_use = saved.value if saved is not None and saved.saved else None
    if suggested is None:
        return [] if in_use is None else [Mark("In use", in_use)]
    words = "suggested, certified" if suggested.certified else "suggested"
    if in_use == suggested.value:
        return [Mark(f"In use, {words}", in_use)]
    marks = [] if in_use is None else [Mark("In use", in_use)]
    return [*marks, Mark(words.capitalize(), suggested.value)]


def _certified(attribute: Attribute, target: float, confidence: float) -> Sequence[float]:
    try:
        cuts = certified_cuts.current_cuts(workspace(), attribute, target=target, confidence=confidence)
    except LearningError:  # no validation image is labelled
        return ()
    return [float(cut) for cut in cuts]
