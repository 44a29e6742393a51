import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.errors import LearningError
from bam_engine.learning import (
    clopper_pearson,
    cluster_bootstrap,
    exact_bounds,
    lower_bound,
    proportions,
    upper_bound_at_any_time,
    wilson,
)

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def _scipy():
    from scipy.stats import binom, binomtest

    return binom, binomtest


@given(counts, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_both_intervals_are_those_of_scipy(pair, confidence):
    k, n = pair
    for ours, method in ((clopper_pearson, "exact"), (wilson, "wilson")):
        theirs = _scipy()[1](k, n).proportion_ci(confidence, method)
        assert (ours(k, n, confidence).low, ours(k, n, confidence).high) == pytest.approx(tuple(theirs), abs=1e-9)


@pytest.mark.parametrize(("n", "share"), [(7, 0.5), (30, 0.03), (60, 0.9), (100, 0.895)])
def test_the_exact_interval_covers_the_truth_at_least_as_often_as_it_says(n, share):
    k = np.arange(n + 1)
    probability = _scipy()[0].pmf(k, n, share)
    low, high = exact_bounds(k, n, 0.95)
    assert probability[(low <= share) & (share <= high)].sum() >= 0.95
    assert probability[lower_bound(k, n, 0.95) <= share].sum() >= 0.95


def test_without_observations_nothing_is_known():
    assert (clopper_pearson(0, 0).low, clopper_pearson(0, 0).high) == (0, 1)
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)


def test_what_must_be_right_of_a_hundred_two_hundred_and_four_hundred():
    needed = [int(np.argmax(lower_bound(np.arange(n + 1), n, 0.95) >= 0.90)) for n in (100, 200, 400)]
    assert needed == [96, 188, 371]


@given(counts, st.floats(1, 20))
def test_a_smaller_effective_count_never_shortens_the_exact_interval(pair, effect):
    k, n = pair
    low, high = exact_bounds(k, n)
    wider_low, wider_high = exact_bounds(k / effect, n / effect)
    assert wider_low <= low + 1e-9
    assert wider_high >= high - 1e-9


samples = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.booleans(), min_size=n, max_size=n),
        st.lists(st.booleans(), min_size=n, max_size=n).filter(any),
        st.lists(st.integers(0, 8), min_size=n, max_size=n),
        st.lists(st.floats(0.1, 10), min_size=n, max_size=n),
    )
)


@given(samples)
def test_a_share_is_hits_over_members_and_projects_only_widen_its_interval(sample):
    hits, members, groups, weights = (np.array(part) for part in sample)
    plain = proportions(hits[None], members[None])
    assert plain.value[0] == pytest.approx(hits[members].mean())
    exact = clopper_pearson(int((hits & members).sum()), int(members.sum()))
    assert (plain.low[0], plain.high[0]) == pytest.approx((exact.low, exact.high))
    by_project = proportions(hits[None], members[None], groups=groups)
    assert by_project.value[0] == pytest.approx(plain.value[0])
    assert by_project.low[0] <= plain.low[0] + 1e-9
    assert by_project.high[0] >= plain.high[0] - 1e-9
    weighted = proportions(hits[None], members[None], weights=weights, groups=groups)
    assert weighted.value[0] == pytest.approx((weights * hits)[members].sum() / weights[members].sum())
    assert weighted.low[0] - 1e-9 <= weighted.value[0] <= weighted.high[0] + 1e-9


def test_copies_of_an_image_count_once():
    once = np.array([[1, 1, 1, 0, 1, 0, 1, 1, 1, 1]], dtype=bool)
    thrice = np.repeat(once, 3, axis=1)
    found = proportions(thrice, np.ones_like(thrice), groups=np.repeat(np.arange(10), 3))
    assert found.n_effective[0] == pytest.approx(10 - 1)  # the linearised variance has n - 1 degrees of freedom
    sure = proportions(np.ones_like(thrice), np.ones_like(thrice), groups=np.repeat(np.arange(10), 3))
    assert sure.n_effective[0] == pytest.approx(10)


def test_intervals_by_project_cover_a_clustered_truth_where_plain_ones_do_not():
    rng = np.random.default_rng(5)
    plain, by_project, repeats, truth = 0, 0, 300, 0.7
    groups = np.repeat(np.arange(40), 5)
    everyone = np.ones((1, 200), dtype=bool)
    for _ in range(repeats):
        hits = np.repeat(rng.random(40) < truth, 5)[None]
        one, other = proportions(hits, everyone), proportions(hits, everyone, groups=groups)
        plain += one.low[0] <= truth <= one.high[0]
        by_project += other.low[0] <= truth <= other.high[0]
    assert plain < 0.75 * repeats
    assert by_project >= 0.93 * repeats


def test_the_bootstrap_draws_whole_projects():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 4)
    hits = np.repeat(rng.random(50) < 0.5, 4).astype(float)
    seen = []

    def share(rows):
        seen.append(np.bincount(groups[rows], minlength=50))
        return hits[rows].mean()

    by_project = cluster_bootstrap(share, groups, rng=rng, repeats=400)
    by_image = cluster_bootstrap(lambda rows: hits[rows].mean(), np.arange(200), rng=rng, repeats=400)
    assert all((count % 4 == 0).all() for count in seen)
    assert by_project.high - by_project.low == pytest.approx(2 * (by_image.high - by_image.low), rel=0.2)


def test_undefined_draws_are_left_out_of_the_bootstrap():
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nowhere = cluster_bootstrap(lambda _: float("nan"), [0, 1], rng=rng, repeats=5)
    assert np.isnan(nowhere.low)


def test_impossible_counts_and_confidences_are_refused():
    with pytest.raises(LearningError, match="k is 3 and n is 2"):
        clopper_pearson(3, 2)
    with pytest.raises(LearningError, match="not 95"):
        clopper_pearson(1, 2, 95)
    with pytest.raises(LearningError, match="there are none"):
        cluster_bootstrap(lambda _: 0.0, [], rng=np.random.default_rng(0))


def test_strata_have_limits_of_their_own_that_are_combined():
    hits, strata = np.arange(30) % 3 == 0, np.repeat([0, 1], [20, 10])
    weights = np.where(strata == 0, 2.0, 50.0)
    whole = np.ones((1, 30), bool)
    found = proportions(hits[None], whole, weights=weights, strata=strata)
    one, other = (
        proportions(hits[None, strata == each], whole[:, strata == each], weights=weights[strata == each])
        for each in (0, 1)
    )
    share = np.array([40, 500]) / 540
    value = share @ [one.value[0], other.value[0]]
    below = np.hypot(share[0] * (one.value - one.low), share[1] * (other.value - other.low))[0]
    above = np.hypot(share[0] * (one.high - one.value), share[1] * (other.high - other.value))[0]
    assert found.value[0] == pytest.approx(value)
    assert (found.low[0], found.high[0]) == (pytest.approx(value - below), pytest.approx(value + above))
    nothing = proportions(hits[None], ~whole, weights=weights, strata=strata)
    assert np.isnan(nothing.value[0])
    assert (nothing.low[0], nothing.high[0]) == (0, 1)


@pytest.mark.parametrize("truth", [0.7, 0.9])
def test_the_limit_that_may_be_asked_at_every_answer_ever_misleads_as_rarely_as_it_says(truth):
    """The probability that the limit is ever below the truth, exactly: by the distribution of who is not misled yet."""
    alive, misled = np.array([1.0]), 0.0
    for n in range(1, 600):
        alive = np.append(alive * (1 - truth), 0) + np.append(0, alive * truth)
        wrong = upper_bound_at_any_time(np.arange(n + 1), n, 0.95) < truth
        misled += alive[wrong].sum()
        alive[wrong] = 0
    assert 0.005 < misled <= 0.05


def test_the_limit_that_may_be_asked_at_every_answer_is_wider_than_that_of_one_look_and_narrows():
    once = exact_bounds([6, 60, 600], [10, 100, 1000], 0.9)[1]
    often = upper_bound_at_any_time([6, 60, 600], [10, 100, 1000], 0.95)
    assert (often > once).all()
    assert (np.diff(often) < 0).all()
    assert upper_bound_at_any_time([0, 7], [0, 7]).tolist() == [1.0, 1.0]
