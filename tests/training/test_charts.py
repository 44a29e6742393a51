"""The charts of a classifier hold the numbers they are made of, and describe them in a sentence."""

import math

import numpy as np
import pytest

from bam_engine.charts import Bars, Curve, Estimates, Reference
from bam_engine.learning import RandomSample, threshold_at
from bam_engine.learning import precision_recall as measure
from bam_engine.training.charts import (
    LearningPoint,
    TruePoint,
    learning_curve,
    precision_recall,
    score_distribution,
)

POINTS = [
    LearningPoint(20, (0.5, 0.3, 0.7), (0.6, 0.4, 0.8)),
    LearningPoint(40),
    LearningPoint(60, (0.8, 0.7, 0.9), (0.9, 0.8, 1.0), (0.65, 0.5, 0.75)),
]


def test_the_learning_curve_has_each_estimate_with_its_interval_at_its_labels() -> None:
    average, precision, recall = learning_curve(POINTS).marks
    assert average == Estimates("average precision", "ink", (20, 60), (0.5, 0.8), (0.3, 0.7), (0.7, 0.9), joined=True)
    assert isinstance(precision, Estimates)
    assert (precision.at, precision.values) == ((20, 60), (0.6, 0.9))
    assert isinstance(recall, Estimates)
    assert (recall.at, recall.values, recall.low, recall.high) == ((60,), (0.65,), (0.5,), (0.75,))


def test_the_truth_is_marked_where_it_is_known() -> None:
    chart = learning_curve(POINTS, [TruePoint(20, 0.55, math.nan, 0.0), TruePoint(60, 0.82, 0.85, 0.6)])
    assert [(mark.name, mark.at, mark.values) for mark in chart.marks[3:] if isinstance(mark, Estimates)] == [
        ("true average precision", (20, 60), (0.55, 0.82)),
        ("true precision", (60,), (0.85,)),
        ("true recall", (20, 60), (0.0, 0.6)),
    ]


def test_the_learning_curve_reads_the_last_measured_round_aloud() -> None:
    words = "average precision 0.80 (0.70–0.90), precision 90% (80–100%), recall 65% (50–75%)."
    assert learning_curve(POINTS).description.endswith(f"after 2 rounds, with 95% intervals; with 60 labels: {words}")
    assert learning_curve([LearningPoint(40)]).empty


def test_precision_against_recall_is_the_curve_from_cut_to_cut() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=80)
    labels = (rng.random(80) < 1 / (1 + np.exp(-2 * scores))).astype(int)
    curve, reference = precision_recall(measure(scores, labels), target=0.9, chosen=None).marks
    assert isinstance(curve, Curve)
    assert list(curve.at) == sorted(curve.at)
    for cut, note, recall, precision, low, high in zip(
        np.sort(scores)[::-1], curve.notes, curve.at, curve.values, curve.low, curve.high, strict=True
    ):
        accepted = scores >= cut
        assert recall == pytest.approx(labels[accepted].sum() / labels.sum())
        assert precision == pytest.approx(labels[accepted].mean())
        assert low <= precision <= high
        assert note.endswith(f"; {accepted.sum()} image{'' if accepted.sum() == 1 else 's'} accepted")
    assert reference == Reference("target 90%", "second", 0.9, "values")


def test_the_curve_goes_through_the_threshold_although_it_is_measured_at_other_cuts() -> None:
    rng = np.random.default_rng(1)
    pool = rng.normal(size=2000)
    truth = rng.random(2000) < 1 / (1 + np.exp(-2 * pool))
    random = rng.choice(2000, 60, replace=False)
    options = {"pool_scores": pool, "random": RandomSample(pool[random], truth[random], pool)}
    threshold = threshold_at(0.777, pool[random], truth[random], **options)  # type: ignore[arg-type]
    every = measure(pool[random], truth[random], **options)  # type: ignore[arg-type]
    curve, _, chosen = precision_recall(every, target=0.9, chosen=threshold).marks
    assert isinstance(curve, Curve)
    assert chosen == Estimates("threshold", "second", (threshold.recall,), (threshold.precision,))
    assert (threshold.recall, threshold.precision) in zip(curve.at, curve.values, strict=True)
    assert list(curve.at) == sorted(curve.at)
    assert len(curve.at) == len(every.cuts) + 1
    on_it = threshold_at(every.cuts[7], pool[random], truth[random], **options)  # type: ignore[arg-type]
    same, *_ = precision_recall(every, target=0.9, chosen=on_it).marks
    assert isinstance(same, Curve)
    assert len(same.at) == len(every.cuts)


def test_the_histogram_counts_every_image_and_every_label_in_the_same_bins() -> None:
    scores = np.random.default_rng(2).normal(size=500).astype(np.float32)
    labelled = {"positive": scores[scores > 0.5][:20], "negative": scores[scores < 0][:30]}
    chart = score_distribution(scores, labelled, threshold=0.4)
    every, positive, negative, threshold = chart.marks
    for bars, values in ((every, scores), (positive, labelled["positive"]), (negative, labelled["negative"])):
        assert isinstance(bars, Bars)
        assert bars.edges == every.edges  # type: ignore[union-attr]
        inside = np.searchsorted(bars.edges[1:-1], values.astype(float), side="right")
        assert list(bars.values) == np.bincount(inside, minlength=len(bars.values)).tolist()
    assert (every.edges[0], every.edges[-1]) == (scores.min(), scores.max())  # type: ignore[union-attr]
    assert threshold == Reference("threshold", "ink", 0.4, "positions")
    assert f"; {(scores >= 0.4).sum()} reach the threshold of 0.400." in chart.description
    assert max(every.values) < chart.values.limits[1]  # type: ignore[union-attr]


def test_a_threshold_beyond_all_scores_is_not_drawn() -> None:
    scores = np.array([0.0, 1.0])
    assert [mark.name for mark in score_distribution(scores, {}, threshold=5.0).marks] == ["all images"]
    assert "; 0 reach the threshold" in score_distribution(scores, {}, threshold=5.0).description
