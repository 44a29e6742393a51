"""A promised recall: the rule beside its definition, and how often it is broken, clusters and looks included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from bam_engine.errors import LearningError
from bam_engine.learning import certify_recall
from benchmarks.guarantee import PROJECTS, play_recall


@given(st.integers(1, 150), st.integers(0, 2**32), st.sampled_from([0.5, 0.9, 0.95]), st.integers(0, 2))
def test_the_cut_is_the_highest_score_below_which_so_few_would_be_seen(n, seed, target, digits):
    scores = np.round(np.random.default_rng(seed).normal(size=n), digits)
    found = certify_recall(scores, np.ones(n, int), target=target)
    passing = [s for s in scores if binom.cdf((scores < s).sum(), n, 1 - target) <= 0.05 * (1 + 1e-9)]
    assert found.value == (max(passing) if passing else None)
    if found.value is not None:
        assert found.n_below == (scores < found.value).sum()


@given(st.integers(1, 150), st.integers(0, 2**32), st.integers(1, 60))
def test_projects_never_make_a_recall_bolder(n, seed, makers):
    rng = np.random.default_rng(seed)
    scores, groups = rng.normal(size=n), rng.integers(makers, size=n) ** 2
    careful, plain = (certify_recall(scores, np.ones(n, int), groups=g) for g in (groups, None))
    if careful.value is not None:
        assert plain.value is not None
        assert careful.value <= plain.value


def test_a_project_that_holds_the_lowest_positives_does_not_raise_the_cut():
    scores, groups = np.arange(100.0), np.concatenate([np.zeros(40, int), np.arange(1, 61)])
    assert certify_recall(scores, np.ones(100, int)).value == 4.0
    assert certify_recall(scores, np.ones(100, int), groups=groups).value is None, "40 of one maker say little"
    pairs = certify_recall(scores, np.ones(100, int), groups=np.arange(100) // 2)
    assert pairs.value is not None
    assert pairs.value <= 4.0
    assert pairs.n_below == (scores < pairs.value).sum(), "images are counted, not projects"


@pytest.mark.slow
@pytest.mark.parametrize("design", ["spread over projects", "whole projects, by project", "topped up"])
@pytest.mark.parametrize("sizes", list(PROJECTS))
def test_the_recall_is_met_with_projects_of_unequal_sizes_whose_images_have_equal_scores(design, sizes):
    found = play_recall(sizes, design, repeats=200, rng=np.random.default_rng(5))
    assert found.violations <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


def test_counting_images_of_whole_projects_misses_the_target_so_the_measurement_can_tell():
    found = play_recall("unequal", "whole projects, by image", repeats=200, rng=np.random.default_rng(5))
    assert found.violations > 0.15


def test_a_later_draw_never_takes_a_cut_back_and_may_raise_it():
    scores = np.random.default_rng(1).normal(size=400)
    draws = np.arange(400) // 100
    cuts = [certify_recall(scores[draws <= d], np.ones((d + 1) * 100, int), draws=draws[draws <= d]) for d in range(4)]
    values = [one.value for one in cuts]
    assert values == sorted(values)
    assert values[-1] > values[0]
    alone = certify_recall(scores, np.ones(400, int)).value
    assert values[-1] <= alone, "looking between costs something"


def test_a_draw_too_small_to_show_anything_spends_nothing():
    scores = np.arange(100.0)
    small_first = certify_recall(scores, np.ones(100, int), draws=np.repeat([0, 1], [20, 80]))
    assert small_first.value == certify_recall(scores, np.ones(100, int), draws=np.zeros(100, int)).value


def test_with_draws_thirty_positives_do_for_the_first_and_what_is_missing_would_do():
    assert certify_recall(np.arange(30.0), np.ones(30, int), draws=np.zeros(30, int)).value == 0.0
    short = certify_recall(np.arange(25.0), np.ones(25, int), draws=np.zeros(25, int))
    assert (short.value, short.missing) == (None, 5)


@pytest.mark.parametrize("n_positive", [29, 60, 200])
def test_the_certified_recall_is_met_in_at_least_nineteen_of_twenty_samples(n_positive):
    rng, broken, runs = np.random.default_rng(3), 0, 2000
    for _ in range(runs):
        scores = rng.random(n_positive)  # of positives: the share above a cut is one minus it
        found = certify_recall(scores, np.ones(n_positive, int), target=0.9)
        broken += found.value is not None and 1 - found.value < 0.9
    assert broken / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_recall_needs_29_positives_and_says_how_many_images_that_is():
    scores, labels = np.arange(280.0), np.arange(280) % 10 == 0
    found = certify_recall(scores, labels, target=0.9)
    assert (found.value, found.n_positive, found.missing) == (None, 28, 10)
    assert "about 10 more random images" in found.summary
    assert certify_recall(np.arange(290.0), np.arange(290) % 10 == 0, target=0.9).value == 0.0


def test_where_whole_projects_are_drawn_their_images_are_worth_one_positive():
    scores = np.arange(60.0)
    assert certify_recall(scores, np.ones(60, int), groups=np.arange(60) // 3).value is None
    assert certify_recall(scores, np.ones(60, int), groups=np.arange(60)).value is not None


def test_recall_without_a_positive_is_explained_and_a_target_of_one_refused():
    assert certify_recall([1.0, 2.0], [0, 0]).missing is None
    with pytest.raises(LearningError):
        certify_recall([1.0, 2.0], [1, 0], target=1.0)
