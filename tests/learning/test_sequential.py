"""Faults allowed in a growing sample: judged by playing the draws, and by counting them all where that can be done."""

from itertools import permutations

import numpy as np
import pytest

from bam_engine.errors import LearningError
from bam_engine.learning.intervals import lower_bound
from bam_engine.learning.sequential import allowed_defects, fewest_failing_defects


@pytest.mark.parametrize(("population", "target", "planned"), [(7, 0.6, 5), (6, 0.5, 6), (8, 0.7, 3)])
def test_every_order_of_a_small_population_is_counted(population, target, planned):
    allowed = allowed_defects(population, population, planned=planned, target=target, confidence=0.8)
    items = [1] * fewest_failing_defects(population, target) + [0] * population
    orders = list(permutations(range(population)))
    passed = [any(sum(items[i] for i in order[:n]) <= allowed[n] for n in range(1, population + 1)) for order in orders]
    assert np.mean(passed) <= 0.2


@pytest.mark.parametrize(("population", "planned", "length"), [(100_000, 150, 400), (400, 100, 400), (120, 300, 120)])
def test_a_population_just_below_the_target_passes_at_most_as_often_as_guaranteed(population, planned, length):
    rng, faults = np.random.default_rng(0), fewest_failing_defects(population, 0.9)
    allowed = allowed_defects(population, length, planned=planned)
    wrong = 0
    for _ in range(4000):
        drawn = rng.choice(population, size=length, replace=False) < faults
        wrong += bool((np.cumsum(drawn) <= allowed[1:]).any())
    assert wrong / 4000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_a_good_population_passes_and_a_census_is_exact():
    allowed = allowed_defects(60, 60, planned=300)
    assert allowed[60] == fewest_failing_defects(60, 0.9) - 1 == 6
    assert fewest_failing_defects(10, 0.9) == 2, "one of ten is exactly 0.90, which keeps it"


def test_no_look_allows_more_than_the_plain_exact_test():
    allowed = allowed_defects(10**6, 600, planned=300)
    n = np.flatnonzero(allowed >= 0)
    assert (lower_bound(n - allowed[n], n, 0.95) >= 0.9).all()


def test_a_longer_answer_begins_with_the_shorter_and_faults_never_get_fewer():
    long, short = allowed_defects(5000, 900, planned=200), allowed_defects(5000, 200, planned=200)
    np.testing.assert_array_equal(long[:201], short)
    assert (np.diff(long) >= -1).all()
    assert long[900] > long[200]


@pytest.mark.parametrize("wrong", [{"target": 1.0}, {"target": 0.0}, {"confidence": 1.0}, {"planned": 0}])
def test_an_impossible_guarantee_is_refused(wrong):
    with pytest.raises(LearningError):
        allowed_defects(100, 10, **({"planned": 10} | wrong))
