import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.audit import (
    BAM_MEAN_PRECISION,
    draw_audit,
    estimate_missed,
    estimate_precision,
    labels_by_any,
    labels_by_consensus,
    mean_over_attributes,
    positives_to_certify,
    size_to_certify,
    verdict,
)
from bam_engine.errors import AuditError
from bam_engine.learning import clopper_pearson, lower_bound


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30))
def test_an_audit_holds_distinct_free_images_of_both_halves(n, seed, n_accepted, n_rejected):
    rng = np.random.default_rng(seed)
    scores, exclude = rng.integers(0, 5, size=n).astype(np.float32), rng.choice(n, size=n // 3, replace=False)
    free = np.setdiff1d(np.arange(n), exclude)
    above, below = free[scores[free] >= 2], free[scores[free] < 2]
    if len(above) == 0:
        with pytest.raises(AuditError, match=r"no unlabelled image scores 2\.000 or more"):
            draw_audit(scores, 2.0, exclude=exclude, rng=rng)
        return
    sample = draw_audit(scores, 2.0, exclude=exclude, n_accepted=n_accepted, n_rejected=n_rejected, rng=rng)
    yes, no = sample.rows[sample.accepted], sample.rows[~sample.accepted]
    assert len(set(sample.rows.tolist())) == len(sample.rows)
    assert (len(yes), len(no)) == (min(n_accepted, len(above)), min(n_rejected, len(below)))
    assert set(yes.tolist()) <= set(above.tolist())
    assert set(no.tolist()) <= set(below.tolist())
    assert (sample.n_accepted, sample.n_rejected) == (len(above), len(below))


def test_an_audit_is_a_hundred_and_a_hundred_shuffled_and_the_same_for_the_same_seed():
    scores = np.random.default_rng(0).normal(size=5000)
    one, two = (draw_audit(scores, 0.5, rng=np.random.default_rng(7)) for _ in range(2))
    assert (one.accepted.sum(), (~one.accepted).sum()) == (100, 100)
    assert np.array_equal(one.rows, two.rows)
    place = np.flatnonzero(one.accepted)
    assert 80 < place.mean() < 120  # the halves are mixed...
    assert np.abs(np.corrcoef(place, np.arange(100))[0, 1]) > 0.9
    assert abs(np.corrcoef(np.arange(100), scores[one.rows[one.accepted]])[0, 1]) < 0.3  # ...and not sorted


def test_every_accepted_image_is_as_likely_to_be_judged():
    rng, scores = np.random.default_rng(0), np.arange(20.0)
    rows = [draw_audit(scores, 10.0, n_accepted=4, n_rejected=2, rng=rng).rows for _ in range(2000)]
    often = np.bincount(np.concatenate(rows), minlength=20) / 2000
    assert often[10:] == pytest.approx(np.full(10, 0.4), abs=0.045)
    assert often[:10] == pytest.approx(np.full(10, 0.2), abs=0.045)


def test_an_audit_needs_a_threshold():
    with pytest.raises(AuditError, match="Choose a threshold first"):
        draw_audit(np.zeros(3), float("nan"), rng=np.random.default_rng(0))


@settings(deadline=None)
@given(st.lists(st.sampled_from([1, 0, -1]), min_size=1, max_size=60))
def test_the_precision_is_the_share_of_the_settled_that_are_positive(judgements):
    n, k = sum(one >= 0 for one in judgements), judgements.count(1)
    if n == 0:
        with pytest.raises(AuditError, match="is judged yet"):
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
def test_a_promise_is_kept_open_or_broken(right, verdict):
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


answers = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([1, 0, -1])), max_size=40)


@settings(deadline=None)
@given(answers, st.integers(1, 3))
def test_bam_calls_positive_what_anybody_does_and_consensus_what_enough_agree_on(said, redundancy):
    rows, values = [row for row, _ in said], [answer for _, answer in said]
    generous, agreed = labels_by_any(rows, values), labels_by_consensus(rows, values, redundancy=redundancy)
    assert generous.rows.tolist() == agreed.rows.tolist() == sorted(set(rows))
    for row, any_value, agreed_value in zip(generous.rows, generous.values, agreed.values, strict=True):
        own = [answer for other, answer in said if other == row]
        positive, negative = own.count(1), own.count(0)
        assert any_value == (positive >= 1)
        agreed_on = positive >= redundancy and positive > negative
        assert agreed_value == (agreed_on if len(own) >= redundancy else -1)
        if agreed_value == 1:
            assert any_value == 1


def test_judgements_are_looked_up_by_row_and_open_where_nobody_answered():
    judged = labels_by_any([5, 2, 5], [0, 1, 1])
    assert judged.of([2, 3, 5, 9]).tolist() == [1, -1, 1, -1]
    assert labels_by_any([], []).of([1]).tolist() == [-1]


def test_what_does_not_fit_together_is_refused_in_words():
    with pytest.raises(AuditError, match="one per image"):
        estimate_precision([1, 2])
    with pytest.raises(AuditError, match="2 judgements were given with 1 project codes"):
        estimate_precision([1, 0], groups=[1])
    with pytest.raises(AuditError, match="no attribute is audited yet"):
        mean_over_attributes([])
    with pytest.raises(AuditError, match="has another one"):
        mean_over_attributes([estimate_precision([1, 0], confidence=0.9)])
    with pytest.raises(AuditError, match="one row per answer"):
        labels_by_any([1], [1, 0])
    with pytest.raises(AuditError, match="7 is among them"):
        labels_by_any([1], [7])
    with pytest.raises(AuditError, match="sample of at least 1"):
        positives_to_certify(0)


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(1, 40), st.integers(0, 2**32))
def test_a_project_gives_its_share_of_the_images_rounded_up_or_down(sizes, count, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    sample = draw_audit(np.ones(len(groups)), 0.5, groups=rng.permutation(groups), n_accepted=count, rng=rng)
    drawn = min(count, len(groups))
    assert len(set(sample.rows.tolist())) == drawn
    shuffled = np.random.default_rng(seed).permutation(groups)
    found = np.bincount(shuffled[sample.rows], minlength=len(sizes))
    fair = np.array(sizes) * drawn / len(groups)
    assert (found >= np.floor(fair - 1e-9)).all()
    assert (found <= np.ceil(fair + 1e-9)).all()


def test_images_of_large_and_small_projects_are_equally_likely():
    rng, groups = np.random.default_rng(0), np.repeat([0, 1, 2, 3, 4], [12, 4, 2, 1, 1])
    rows = [draw_audit(np.ones(20), 0.5, groups=groups, n_accepted=5, rng=rng).rows for _ in range(3000)]
    often = np.bincount(np.concatenate(rows), minlength=20) / 3000
    assert often == pytest.approx(np.full(20, 0.25), abs=0.035)


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
        with pytest.raises(AuditError, match="no number of judged images"):
            size_to_certify(share, 0.90)


@pytest.mark.parametrize(
    ("right", "met", "words"),
    [
        (98, True, "keeps 0.9: 98 of 100 judged images are positive, so the precision is at least 0.938"),
        (80, False, "contradicts 0.9: 80 of 100"),
        (93, None, "To be sure, 96 of 100 are needed. If the share stays 0.930, an audit of 288"),
        (90, None, "never shows it, however many"),
    ],
)
def test_the_promise_says_what_the_audit_shows_and_what_it_would_take(right, met, words):
    found = verdict(_estimates([right])[0], 0.90, available=5000)
    assert found.met is met
    assert words in found.evidence
    assert found.sizes == ((100, 96), (200, 188), (400, 371))
    assert (found.enough is None) == (right <= 90)
    assert found.more == (None if right <= 90 else max(0, found.enough - 100))


def test_the_promise_says_when_the_collection_is_too_small():
    few = verdict(_estimates([93])[0], 0.90, available=200)
    assert "only 200 accepted ones were there" in few.evidence
    assert "Not even all of 20 would show it" in verdict(_estimates([19], n=20)[0], 0.90, available=9000).evidence


def test_where_every_accepted_image_was_judged_the_share_is_no_estimate():
    found = estimate_precision([1] * 96 + [0] * 4)
    assert "0.960 is no estimate" in verdict(found, 0.90, available=100).evidence
    assert "no estimate" not in verdict(found, 0.90, available=101).evidence


def test_an_image_on_which_people_do_not_agree_is_not_left_out_of_the_precision():
    rows, said = [1, 1, 2, 2, 3, 3, 4], [1, 1, 1, 0, -1, 1, 1]
    assert labels_by_consensus(rows, said, redundancy=2).of([1, 2, 3, 4]).tolist() == [1, 0, 0, -1]


def test_bams_definition_waits_until_everybody_who_was_asked_has_answered():
    rows, said = [1, 1, 2, 3, 3], [0, 1, 1, 0, -1]
    assert labels_by_any(rows, said, people=2).of([1, 2, 3]).tolist() == [1, -1, 0]
    assert labels_by_any(rows, said).of([1, 2, 3]).tolist() == [1, 1, 0]
