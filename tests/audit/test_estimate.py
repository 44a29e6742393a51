"""Estimates of precision: exact intervals, wider where images of a project resemble each other, and sample sizes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.audit import (
    BAM_MEAN_PRECISION,
    draw_audit,
    estimate_missed,
    estimate_precision,
    mean_over_attributes,
    positives_to_certify,
    size_to_certify,
)
from bam_engine.errors import AuditError
from bam_engine.learning import clopper_pearson, lower_bound


@settings(deadline=None)
@given(st.lists(st.sampled_from([1, 0, -1]), min_size=1, max_size=60))
def test_the_precision_is_the_share_of_the_settled_that_are_positive(judgements):
    n, k = sum(one >= 0 for one in judgements), judgements.count(1)
    if n == 0:
        with pytest.raises(AuditError, match="is labelled yet"):
            estimate_precision(judgements)
        return
    found = estimate_precision(judgements)
    exact = clopper_pearson(k, n)
    assert (found.value, found.k, found.n, found.open) == (k / n, k, n, len(judgements) - n)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert found.bound == pytest.approx(float(lower_bound(k, n)))
    assert (found.design_effect, found.method) == (1.0, "exact binomial")
    assert estimate_missed(judgements) == found


def test_near_copies_of_a_project_do_not_count_as_independent():
    judgements = np.repeat([1] * 9 + [0], 10)
    plain = estimate_precision(judgements)
    careful = estimate_precision(judgements, groups=np.repeat(np.arange(10), 10))
    assert careful.value == plain.value == 0.9
    assert careful.design_effect > 8
    assert careful.low < plain.low - 0.1
    assert careful.method == "exact binomial, by project"


@pytest.mark.parametrize(("right", "verdict"), [(96, True), (95, None), (90, None), (83, False)])
def test_a_target_is_met_open_or_missed(right, verdict):
    assert estimate_precision([1] * right + [0] * (100 - right)).meets(0.90) is verdict


def test_what_certifies_ninety_per_cent():
    assert [positives_to_certify(n) for n in (28, 29, 100, 200, 400)] == [None, 29, 96, 188, 371]
    for n in (30, 77, 250):
        k = positives_to_certify(n, 0.8, 0.9)
        assert lower_bound(k, n, 0.9) >= 0.8 > lower_bound(k - 1, n, 0.9)


def _estimates(ks, n=100):
    return [estimate_precision([1] * k + [0] * (n - k)) for k in ks]


def test_the_mean_counts_every_attribute_the_same():
    unequal = [*_estimates([90]), *_estimates([10], n=20)]
    found = mean_over_attributes(unequal)
    assert found.value == pytest.approx((0.9 + 0.5) / 2)
    assert (found.n, found.k) == (120, 100)
    assert found.low < found.value < found.high


def test_the_mean_of_one_attribute_is_that_attribute():
    (only,) = _estimates([93])
    found = mean_over_attributes([only])
    assert (found.value, found.low, found.high, found.bound) == pytest.approx(
        (only.value, only.low, only.high, only.bound)
    )


@pytest.mark.slow
def test_the_interval_of_the_mean_covers_the_true_mean_also_near_one():
    rng = np.random.default_rng(0)
    for truth in (np.linspace(0.82, 0.97, 20), np.array([0.97, 0.99, 0.995])):
        covered = above = 0
        for _ in range(300):
            found = mean_over_attributes(_estimates(rng.binomial(100, truth)))
            covered += found.low <= truth.mean() <= found.high
            above += found.bound <= truth.mean()
        assert min(covered, above) >= 0.93 * 300


def test_twenty_attributes_pin_the_mean_down_better_than_one():
    one, twenty = mean_over_attributes(_estimates([90])), mean_over_attributes(_estimates([90] * 20))
    assert (one.high - one.low) / (twenty.high - twenty.low) == pytest.approx(np.sqrt(20), rel=1e-6)
    assert twenty.low < BAM_MEAN_PRECISION < twenty.high


def test_inconsistent_labels_are_refused_in_words():
    with pytest.raises(AuditError, match="one for each image"):
        estimate_precision([1, 2])
    with pytest.raises(AuditError, match="1 project codes do not match 2 labels"):
        estimate_precision([1, 0], groups=[1])
    with pytest.raises(AuditError, match="No attribute is audited yet"):
        mean_over_attributes([])
    with pytest.raises(AuditError, match="at 95% confidence to be averaged"):
        mean_over_attributes([estimate_precision([1, 0], confidence=0.9)])
    with pytest.raises(AuditError, match="at least 1 image"):
        positives_to_certify(0)


@pytest.mark.parametrize("sizes", [[1] * 600, [10] * 60, [300] + [5] * 60])
def test_the_interval_covers_the_precision_of_the_collection_whatever_the_projects(sizes):
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    positive = (rng.random(len(groups)) < rng.beta(9, 1, size=len(sizes))[groups]).astype(int)
    truth, values, covered, above = positive.mean(), [], 0, 0
    for _ in range(400):
        rows = draw_audit(np.ones(len(groups)), 0.5, groups=groups, n_accepted=60, rng=rng).rows
        found = estimate_precision(positive[rows], groups=groups[rows])
        values.append(found.value)
        covered += found.low <= truth <= found.high
        above += found.bound <= truth
    assert np.mean(values) == pytest.approx(truth, abs=0.008)
    assert min(covered, above) >= 0.95 * 400


def test_a_project_that_holds_half_of_the_accepted_is_not_counted_as_many_makers():
    rng, groups = np.random.default_rng(0), np.concatenate([np.zeros(500, int), np.arange(1, 501)])
    rows = draw_audit(np.ones(1000), 0.5, groups=groups, rng=rng).rows
    assert (groups[rows] == 0).sum() == 50
    everything_right = estimate_precision(np.ones(100, int), groups=groups[rows])
    assert everything_right.design_effect > 20
    assert everything_right.meets(0.90) is None


def test_more_positives_are_needed_where_images_resemble_each_other():
    assert positives_to_certify(100, design_effect=1.0) == 96
    k = positives_to_certify(200, design_effect=2.0)  # worth 100
    assert lower_bound(k / 2, 100) >= 0.90 > lower_bound((k - 1) / 2, 100)
    assert k > positives_to_certify(200) == 188
    assert positives_to_certify(100, design_effect=4.0) is None


@pytest.mark.parametrize(("share", "target", "effect"), [(0.97, 0.9, 1.0), (0.93, 0.9, 1.7), (1.0, 0.95, 3.0)])
def test_the_size_that_certifies_is_the_smallest_that_does(share, target, effect):
    n = size_to_certify(share, target, design_effect=effect)
    assert lower_bound(share * n / effect, n / effect) >= target
    assert lower_bound(share * (n - 1) / effect, (n - 1) / effect) < target


def test_no_number_of_images_shows_a_target_that_the_share_does_not_exceed():
    for share in (0.90, 0.5, 1.2):
        with pytest.raises(AuditError, match="with any number of images"):
            size_to_certify(share, 0.90)
