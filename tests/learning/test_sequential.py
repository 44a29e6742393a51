"""Faults allowed in a growing sample: judged by playing the draws, and by counting them all where that can be done."""

from itertools import permutations

import numpy as np
import pytest

from bam_engine.errors import LearningError
from bam_engine.learning.intervals import lower_bound
from bam_engine.learning.sequential import allowed_defects, fewest_failing_defects


@pytest.mark.parametrize(
    ("population", "target", "planned", "known"),
    [(7, 0.6, 5, 0), (6, 0.5, 6, 0), (8, 0.7, 3, 0), (7, 0.6, 5, 3), (8, 0.7, 3, 8), (7, 0.9, 4, 30), (6, 1.0, 6, 9)],
)
def test_every_order_of_a_small_population_is_counted(population, target, planned, known):
    allowed = allowed_defects(population, population, planned=planned, target=target, confidence=0.8, known_good=known)
    items = [1] * fewest_failing_defects(population, target, known) + [0] * population
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


@pytest.mark.parametrize(("population", "known"), [(2000, 150), (60, 300), (300, 60), (30, 100)])
def test_known_items_allow_more_defects_and_a_false_claim_stays_as_rare(population, known):
    rng, faults = np.random.default_rng(0), fewest_failing_defects(population, 0.9, known)
    good = (known + population - np.array([faults - 1, faults])) / (known + population)
    assert good[0] >= 0.9 - 1e-9 > good[1], "one defect less keeps the target for all together"
    length = min(population, 400)
    allowed = allowed_defects(population, length, planned=150, known_good=known)
    assert (allowed >= allowed_defects(population, length, planned=150)).all()
    drawn = np.argsort(rng.random((4000, population)), axis=1)[:, :length] < faults
    wrong = (np.cumsum(drawn, axis=1) <= allowed[1:]).any(axis=1).mean()
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_nothing_has_to_be_drawn_where_even_defects_alone_are_outweighed():
    assert allowed_defects(11, 11, planned=50, known_good=99).tolist() == list(range(12)), "99 of 110 are good"
    assert allowed_defects(11, 11, planned=50, known_good=98)[0] == -1, "98 of 109 are not enough"


def test_a_target_of_one_allows_no_defect_however_many_items_are_known():
    allowed = allowed_defects(40, 40, planned=40, target=1.0, known_good=500)
    assert set(allowed.tolist()) == {-1, 0}
    assert allowed[40] == 0
    assert allowed[37] == -1, "37 of 40 leave the one defect unseen in 7.5% of the draws"


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


@pytest.mark.parametrize(
    "wrong", [{"target": 1.1}, {"target": 0.0}, {"confidence": 1.0}, {"planned": 0}, {"known_good": -1}]
)
def test_an_impossible_guarantee_is_refused(wrong):
    with pytest.raises(LearningError):
        allowed_defects(100, 10, **({"planned": 10} | wrong))
