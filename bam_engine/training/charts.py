"""The charts of a classifier: its learning curve, its precision against recall, and its scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.charts import Bars, Chart, Curve, Estimates, Interval, Mark, Reference, Scale
from bam_engine.charts.chart import Colour
from bam_engine.formatting import count, decimal, decimal_interval, percent, percent_interval
from bam_engine.learning import Curve as PrecisionRecall
from bam_engine.learning import Threshold

_BINS = 60
_COLOURS: dict[str, Colour] = {"average precision": "ink", "precision": "accent", "recall": "second"}


@dataclass(frozen=True)
class LearningPoint:
    """One trained round: the labels so far, and its estimates, None where one could not be measured."""

    labels: int
    average_precision: Interval | None = None
    precision: Interval | None = None
    recall: Interval | None = None

    @property
    def estimates(self) -> dict[str, Interval | None]:
        """The estimates by name."""
        return dict(zip(_COLOURS, (self.average_precision, self.precision, self.recall), strict=True))


@dataclass(frozen=True)
class TruePoint:
    """One trained round and the true values of its estimates, nan where undefined; they are known in a demo."""

    labels: int
    average_precision: float
    precision: float = math.nan
    recall: float = math.nan

    @property
    def values(self) -> dict[str, float]:
        """The values by name."""
        return dict(zip(_COLOURS, (self.average_precision, self.precision, self.recall), strict=True))


def learning_curve(points: Sequence[LearningPoint], truth: Sequence[TruePoint] = ()) -> Chart:
    """Return average precision, precision and recall on the validation set against the labels, with 95% intervals."""
    marks: list[Mark] = []
    for name, colour in _COLOURS.items():
        measured = [(point.labels, one) for point in points if (one := point.estimates[name]) is not None]
        values, low, high = zip(*(one for _, one in measured), strict=True) if measured else ((), (), ())
        at = tuple(float(labels) for labels, _ in measured)
        marks.append(Estimates(name, colour, at, values, low, high, joined=True))
    for name, colour in _COLOURS.items():
        known = {float(point.labels): value for point in truth if np.isfinite(value := point.values[name])}
        if known:
            at, true = tuple(known), tuple(known.values())
            marks.append(Estimates(f"true {name}", colour, at, true, symbol="diamond"))
    most = max([one.labels for one in points] + [one.labels for one in truth], default=100)
    return Chart(
        "Learning curve",
        _learning_words(points),
        Scale("labels used for training", (0, most * 1.06), "count"),
        Scale("on the validation set", (0, 1)),
        tuple(marks),
        missing="No round is measured on the validation set yet.",
    )


def _learning_words(points: Sequence[LearningPoint]) -> str:
    measured = [point for point in points if any(point.estimates.values())]
    if not measured:
        return "Average precision, precision and recall on the validation set by the number of labels."
    last = measured[-1]
    write = {"average precision": decimal_interval, "precision": percent_interval, "recall": percent_interval}
    parts = [f"{name} {write[name](*one)}" for name, one in last.estimates.items() if one is not None]
    return (
        f"Estimates on the validation set after {count(len(measured), 'round')}, with 95% intervals; with "
        f"{count(last.labels, 'label')}: {', '.join(parts)}."
    )


def precision_recall(curve: PrecisionRecall, *, target: float, chosen: Threshold | None) -> Chart:
    """Return precision against recall with its interval at each cut, the target, and the threshold ``chosen``."""
    points = np.column_stack(
        [curve.cuts, curve.accepted, curve.recall, curve.precision, curve.precision_low, curve.precision_high]
    )
    if chosen is not None and chosen.value not in curve.cuts:
        found = (chosen.recall, chosen.precision, chosen.precision_low, chosen.precision_high)
        points = np.vstack([points, (chosen.value, chosen.n_accepted, *found)])
    points = points[np.isfinite(points).all(axis=1)]
    cuts, accepted, at, values, low, high = (tuple(column.tolist()) for column in points[np.argsort(-points[:, 0])].T)
    notes = tuple(
        f"score ≥ {decimal(cut, 3)}; {count(int(number), 'image')} accepted"
        for cut, number in zip(cuts, accepted, strict=True)
    )
    marks: list[Mark] = [Curve("precision with its interval", "accent", at, values, low, high, notes)]
    marks.append(Reference(f"target {percent(target)}", "second", target, "values"))
    words = f"Precision against recall at {count(len(cuts), 'threshold')}; the target is {percent(target)}"
    if chosen is not None:
        marks.append(Estimates("threshold", "second", (chosen.recall,), (chosen.precision,)))
        words += f"; the threshold has recall {percent(chosen.recall)} and precision {percent(chosen.precision)}"
    return Chart(
        "Precision and recall",
        f"{words}.",
        Scale("recall", (0, 1), "percent"),
        Scale("precision", (0, 1), "percent"),
        tuple(marks),
        missing="No threshold can be measured.",
    )


def score_distribution(
    scores: NDArray[np.floating], labelled: Mapping[str, NDArray[np.floating]], *, threshold: float | None
) -> Chart:
    """Return the histogram of all scores and of the labelled ones by name, and the threshold."""
    counts, edges = np.histogram(scores, bins=_BINS)
    bins = tuple(edges.tolist())
    marks: list[Mark] = [Bars("all images", "quiet", bins, tuple(counts.tolist()))] if len(scores) else []
    colours: tuple[Colour, ...] = ("accent", "second")
    for (name, values), colour in zip(labelled.items(), colours, strict=False):
        heights = np.histogram(values, bins=edges)[0]
        marks.append(Bars(f"labelled {name}", colour, bins, tuple(heights.tolist())))
    words = f"Scores of {count(len(scores), 'image')}"
    if len(scores):
        words += f", from {decimal(bins[0])} to {decimal(bins[-1])}"
    if threshold is not None:
        if bins[0] <= threshold <= bins[-1]:
            marks.append(Reference("threshold", "ink", threshold, "positions"))
        accepted = int((np.asarray(scores) >= threshold).sum())
        words += f"; {accepted:,} reach the threshold of {decimal(threshold, 3)}"
    top = max(10.0, 1.4 * float(counts.max(initial=1)))
    return Chart(
        "Scores",
        f"{words}.",
        Scale("score (log-odds; higher is more positive)", (bins[0], bins[-1])),
        Scale("images", (0.5, top), "count", logarithmic=True),
        tuple(marks),
        missing="No image has a score yet.",
    )
