"""The difference of two models: what is hard for both cancels out, and few projects show nothing."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from bam_engine.errors import LearningError
from bam_engine.learning import Difference, average_precision_limits, compare_models

RNG = np.random.default_rng(3)
LABELS = (RNG.random(200) < 0.4).astype(int)
GROUPS = np.arange(200) // 2
BETTER = LABELS + RNG.normal(0, 0.8, 200)
WORSE = BETTER + RNG.normal(0, 0.6, 200)


def interval(before: np.ndarray, after: np.ndarray, groups: np.ndarray) -> Difference:
    return compare_models(before, after, LABELS, groups=groups, rng=np.random.default_rng(1))


def test_the_difference_is_that_of_the_average_precisions_of_scikit_learn() -> None:
    found = interval(WORSE, BETTER, GROUPS)
    expected = average_precision_score(LABELS, BETTER) - average_precision_score(LABELS, WORSE)
    assert found.gain == pytest.approx(expected)
    assert (found.n, found.positive_projects) == (200, len(np.unique(GROUPS[LABELS == 1])))
    assert 0 < found.low < found.gain < found.high
    assert found.shown
    turned = interval(BETTER, WORSE, GROUPS)
    assert (turned.gain, turned.low, turned.high) == pytest.approx((-found.gain, -found.high, -found.low))
    assert not turned.shown


def test_what_is_hard_for_both_models_cancels_out() -> None:
    found = interval(WORSE, BETTER, GROUPS)

    def width(scores: np.ndarray) -> float:
        limits = average_precision_limits(scores, LABELS, groups=GROUPS, rng=np.random.default_rng(1))
        return limits.high - limits.low

    assert found.high - found.low < width(BETTER) + width(WORSE)


def test_positives_of_few_projects_show_less() -> None:
    few = np.where(LABELS == 1, np.arange(200) % 4, GROUPS + 10)
    many, found = interval(WORSE, BETTER, GROUPS), interval(WORSE, BETTER, few)
    assert found.positive_projects == 4
    assert found.high - found.low > many.high - many.low
    assert not found.shown


def test_without_a_positive_there_is_nothing_to_compare() -> None:
    with pytest.raises(LearningError, match="None of 200 validation images is positive"):
        compare_models(WORSE, BETTER, np.zeros(200, int), groups=GROUPS, rng=np.random.default_rng(1))
