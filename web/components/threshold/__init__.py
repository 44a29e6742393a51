"""The histogram of scores with a threshold to drag.

In:  the chart of the scores, what each threshold would deliver, and what the engine has measured at the one that the
page is about. Out: the threshold that was set, and the picture that was clicked. While the threshold moves, the counts
follow in the browser, and pictures beside it come from ``/api/attributes/{id}/borderline.json``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from bam_engine.charts import Bars, Chart, Scale
from bam_engine.training.score_counts import ScoreCounts
from web.charts import colour_of
from web.modules import component

_component = component(
    "bam_threshold", "threshold/mount.js", ["keys/keys.css", "gallery/gallery.css", "threshold/threshold.css"]
)

Proportion = tuple[str, str]
"""A proportion and its limits as people read them."""


@dataclass(frozen=True)
class Mark:
    """A threshold with a name."""

    name: str
    value: float


@dataclass(frozen=True)
class SetThreshold:
    """A threshold that was set on the histogram, and a unique id of that."""

    value: float
    event: str


@dataclass(frozen=True)
class PictureClick:
    """A click on a picture beside the threshold: its row, the rows of its list in order, and a unique id."""

    row: int
    among: tuple[int, ...]
    event: str


def threshold_histogram(
    chart: Chart,
    counts: ScoreCounts,
    value: float,
    *,
    attribute: int,
    total: int,
    target: str,
    measured: tuple[Proportion, Proportion] | None,
    marks: Sequence[Mark],
    version: str,
    key: str,
    answering: Mapping[str, Any] | None = None,
) -> PictureClick | None:
    """Show a histogram with a threshold that a pointer or the arrow keys move; return the last click on a picture.

    Parameters
    ----------
    chart
        The histogram: its positions are scores, its marks at least one :class:`~bam_engine.charts.Bars`.
    counts
        What the thresholds that can be set would deliver; ``value`` and those of ``marks`` are among them.
    value
        The threshold that the page is about.
    attribute
        The id of the attribute.
    total
        Images of the collection.
    target
        The precision that thresholds are certified for, as people read it.
    measured
        Precision and recall at ``value``; None where nothing can be measured.
    marks
        Thresholds with a name.
    version
        The version of the workspace's pictures, so that thumbnails can be cached as immutable.
    answering
        What the pictures can be answered about, as an endless gallery has it; None where nothing can be changed.
    """
    data = {
        "attribute": attribute,
        "answering": answering,
        "value": value,
        "measured": None if measured is None else dict(zip(("precision", "recall"), measured, strict=True)),
        "thresholds": counts.thresholds.tolist(),
        "byClassifier": counts.by_classifier.tolist(),
        "noAbove": counts.no_above.tolist(),
        "yesBelow": counts.yes_below.tolist(),
        "certified": counts.certified.tolist(),
        "byPeople": counts.by_people,
        "total": total,
        "target": target,
        "marks": [{"name": mark.name, "value": mark.value} for mark in marks],
        "histogram": _histogram(chart),
        "version": version,
    }
    result = _component(
        key=key,
        data=data,
        default={"cut": None, "picked": None},
        on_cut_change=_nothing,
        on_picked_change=_nothing,
    )
    picked = result.picked
    if picked is None:
        return None
    return PictureClick(int(picked["row"]), tuple(int(row) for row in picked["among"]), str(picked["event"]))


def last_set(key: str) -> SetThreshold | None:
    """Return the threshold that was last set on the histogram with ``key``, before it is drawn in this run."""
    cut = (st.session_state.get(key) or {}).get("cut")
    return None if cut is None else SetThreshold(float(cut["value"]), str(cut["event"]))


def _histogram(chart: Chart) -> dict[str, object]:
    if not isinstance(chart.positions, Scale):
        raise TypeError("A histogram of scores has an axis of numbers.")
    floor = chart.values.limits[0]
    return {
        "title": chart.positions.title,
        "limits": list(chart.positions.limits),
        "counts": list(chart.values.limits),
        "bars": [
            {"name": bars.name, "colour": colour_of(bars), "runs": bars.runs(floor)}
            for bars in chart.marks
            if isinstance(bars, Bars)
        ],
    }


def _nothing() -> None:
    """Do nothing: a callback makes the state, and the rerun is the effect."""
