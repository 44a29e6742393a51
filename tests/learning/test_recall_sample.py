"""The sample below a threshold: who is asked, and how often its limits hold the number of positives."""

from itertools import pairwise

import numpy as np
import pytest

from bam_engine.errors import LearningError
from bam_engine.learning.intervals import population_bounds
from bam_engine.learning.recall_sample import PARTS, RecallSample, draw_recall_sample, missed_positives


def common(rng: np.random.Generator, n: int = 4000):
    """Probabilities of many likely images, and labels that follow them."""
    p = rng.beta(0.4, 2.0, n)
    return p, rng.random(n) < p


def rare(rng: np.random.Generator, n: int = 4000):
    p = rng.beta(0.02, 20.0, n)
    return p, rng.random(n) < p


def test_each_image_is_drawn_at_most_once_and_all_if_there_are_fewer() -> None:
    rng = np.random.default_rng(0)
    p, _ = common(rng)
    sample = draw_recall_sample(p, 200, rng=rng)
    assert len(np.unique(sample.places)) == len(sample.places) == 200
    assert sample.sizes.sum() == len(p)
    few = draw_recall_sample(p[:50], 200, rng=rng)
    assert sorted(few.places.tolist()) == list(range(50))


def test_common_positives_are_asked_where_labels_differ_and_rare_ones_everywhere() -> None:
    rng = np.random.default_rng(1)
    p, _ = common(rng)
    sample = draw_recall_sample(p, 200, rng=rng)
    assert len(sample.sizes) == PARTS
    doubt = np.sqrt(p * (1 - p))
    assert doubt[sample.places].mean() > 1.1 * doubt.mean()
    assert draw_recall_sample(rare(rng)[0], 200, rng=rng).plain


def test_parts_are_ranges_of_the_probability_and_do_not_know_the_labels() -> None:
    rng = np.random.default_rng(2)
    p, _ = common(rng)
    sample = draw_recall_sample(p, 200, rng=rng)
    asked = [p[sample.places[sample.parts == part]] for part in range(PARTS)]
    assert all(likelier.min() >= others.max() for likelier, others in pairwise(asked))


def test_a_plain_sample_has_the_exact_limits() -> None:
    sample = RecallSample(np.arange(200), np.zeros(200, np.int64), np.array([9800]))
    labels = np.arange(200) < 3
    low, high = population_bounds(3, 200, 9800)
    value, found_low, found_high = missed_positives(sample, labels)
    assert value == 3 * 9800 / 200
    assert (found_low, found_high) == pytest.approx((float(low), float(high)))


def test_all_labelled_leaves_nothing_open() -> None:
    rng = np.random.default_rng(3)
    p, truth = common(rng, 80)
    sample = draw_recall_sample(p, 100, rng=rng)
    number = float(truth.sum())
    assert missed_positives(sample, truth[sample.places]) == (number, number, number)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "wrong"), [(common, False), (common, True), (rare, False), (rare, True)])
def test_the_limits_hold_however_wrong_the_probabilities_are(make, wrong) -> None:
    held, repeats = 0, 400
    for seed in range(repeats):
        rng = np.random.default_rng([seed, wrong])
        p, truth = make(rng)
        if wrong:  # a fifth of the positives score like any other image
            hidden = truth & (rng.random(len(p)) < 0.2)
            p = np.where(hidden, rng.permutation(p), p)
        sample = draw_recall_sample(p, 200, rng=rng)
        _, low, high = missed_positives(sample, truth[sample.places])
        held += low <= truth.sum() <= high
    assert held / repeats >= 0.93


def test_what_cannot_be_drawn_or_counted_is_refused() -> None:
    rng = np.random.default_rng(4)
    with pytest.raises(LearningError, match="Give at least 1 of each"):
        draw_recall_sample([], 10, rng=rng)
    with pytest.raises(LearningError, match="Give at least 1 of each"):
        draw_recall_sample([0.5], 0, rng=rng)
    sample = draw_recall_sample([0.5, 0.1], 2, rng=rng)
    with pytest.raises(LearningError, match="Give one for each"):
        missed_positives(sample, [True])
