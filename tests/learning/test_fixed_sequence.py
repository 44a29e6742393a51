import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.errors import LearningError, NoThreshold
from bam_engine.formatting import percent, percent_at_least, percent_interval
from bam_engine.learning import (
    certified_cuts,
    choose_threshold,
    clopper_pearson,
    fixed_cuts,
    is_certified,
    lower_bound,
    threshold_at,
)
from benchmarks.guarantee import CURVES, play

targets = st.sampled_from([0.5, 0.8, 0.9, 0.95])


@st.composite
def labelled(draw, smallest=2, largest=120):
    n = draw(st.integers(smallest, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scores = np.round(rng.normal(size=n), draw(st.integers(0, 3)))  # ties, too
    labels = rng.random(n) < 1 / (1 + np.exp(-draw(st.floats(0, 6)) * scores))
    labels[:2] = [True, False]
    return scores, labels


def _both_ways(scores, labels, target, pool):
    """The rule as the docstring says it, cut by cut."""
    passed = {}
    for cut in fixed_cuts(pool, len(scores), target):
        accepted = scores >= cut
        if lower_bound(int(labels[accepted].sum()), int(accepted.sum()), 0.95) < target:
            break
        passed[cut] = round(2 * labels[accepted].sum() / (accepted.sum() + labels.sum()), 10)  # F1
    if passed:
        return max(cut for cut in passed if passed[cut] == max(passed.values())), True
    kept = [cut for cut in scores if labels[scores >= cut].mean() >= target]
    if not kept:
        return None, False
    bounds = {cut: round(float(lower_bound(labels[scores >= cut].sum(), (scores >= cut).sum())), 10) for cut in kept}
    return min(cut for cut in kept if bounds[cut] == max(bounds.values())), False


@given(labelled(), targets)
def test_the_threshold_is_the_best_certified_cut_else_the_best_supported_one(sample, target):
    scores, labels = sample
    value, certified = _both_ways(scores, labels, target, scores)
    if value is None:
        with pytest.raises(NoThreshold):
            choose_threshold(scores, labels, target=target)
        return
    found = choose_threshold(scores, labels, target=target)
    assert (found.value, found.certified) == (value, certified)
    accepted = scores >= value
    assert found.precision == pytest.approx(labels[accepted].mean())
    assert found.precision >= target
    assert found.recall == pytest.approx(labels[accepted].sum() / labels.sum())
    exact = clopper_pearson(int(labels[accepted].sum()), int(accepted.sum()))
    assert (found.precision_low, found.precision_high) == pytest.approx((exact.low, exact.high))
    assert (found.n, found.n_accepted_sample) == (len(scores), int(accepted.sum()))
    assert not certified or found.bound >= target


def test_a_certified_threshold_is_not_loosened_where_that_only_adds_wrong_images():
    scores = np.arange(1000.0)
    labels = scores >= 300  # a cut at 230 still holds a precision of 0.9
    sample = np.arange(0, 1000, 2)
    found = choose_threshold(scores[sample], labels[sample], target=0.9, pool_scores=scores)
    loosest = certified_cuts(scores[sample], labels[sample], target=0.9, pool_scores=scores).min()
    assert found.certified
    assert loosest < 280, "it is certified, too"
    assert found.value >= 290
    assert found.recall > 0.95


def test_an_uncertified_cut_does_not_walk_down_into_the_negatives():
    scores = np.concatenate([np.linspace(3, 5, 18), np.linspace(-9, -3, 30)])
    labels = np.repeat([1, 0], [18, 30])
    found = choose_threshold(scores, labels, target=0.90)
    assert (found.certified, found.value, found.precision) == (False, 3.0, 1.0)


def test_a_cut_that_looks_good_alone_is_not_called_certified_after_a_stricter_one_failed():
    scores = np.arange(300.0)
    labels = scores >= 200
    labels[[-2, -5, -9, -12, -20]] = False  # the strictest cuts see these
    found = choose_threshold(scores, labels, target=0.90)
    assert not found.certified
    if found.bound >= 0.90:
        assert "the same labels chose it" in found.summary
    else:
        limits = percent_interval(found.precision, found.precision_low, found.precision_high)
        assert f"Not certified: as far as the labels tell, {limits} of what is delivered" in found.summary


@given(labelled(60), targets, st.integers(0, 2**32))
def test_the_order_of_the_sample_does_not_matter(sample, target, seed):
    scores, labels = sample
    order = np.random.default_rng(seed).permutation(len(scores))
    try:
        found = choose_threshold(scores, labels, target=target)
    except NoThreshold:
        return
    again = choose_threshold(scores[order], labels[order], target=target)
    assert (again.value, again.certified, again.precision) == (found.value, found.certified, found.precision)


@given(labelled(60), targets, st.integers(1, 12))
def test_projects_never_weaken_a_guarantee(sample, target, n_projects):
    scores, labels = sample
    groups = np.arange(len(scores)) % n_projects
    try:
        careful = choose_threshold(scores, labels, target=target, groups=groups)
        plain = choose_threshold(scores, labels, target=target)
    except NoThreshold:
        return
    if careful.certified:
        assert plain.certified
        assert plain.value <= careful.value


@given(st.integers(1, 400), st.integers(0, 2**32), targets)
def test_cuts_are_fixed_by_the_pool_alone_and_run_from_strict_to_loose(n, seed, target):
    pool = np.random.default_rng(seed).normal(size=1000).astype(np.float32)
    cuts = fixed_cuts(pool, n, target)
    assert (np.diff(cuts) < 0).all()
    if len(cuts):
        expected = n * (pool >= cuts[0]).mean()
        surviving = next(m for m in range(2, 10_000) if lower_bound(m - 1, m, 0.95) >= target)
        assert expected == pytest.approx(max(surviving, n / 10), abs=n / 1000 + 1e-9)
        shares = np.array([(pool >= cut).mean() for cut in cuts])
        assert (shares[1:] / shares[:-1] <= 1.11).all()


def test_a_sample_too_small_to_certify_anything_certifies_nothing():
    assert len(fixed_cuts(np.arange(100), 45, 0.90)) == 0
    assert len(fixed_cuts(np.arange(100), 46, 0.90)) > 0
    found = choose_threshold(np.arange(20.0), np.arange(20) > 5)
    assert not found.certified
    assert found.value == 6.0  # 14 of 14 are right; 14 of 15, at 5.0, would keep the target too, with a lower limit
    assert found.n_accepted_sample == 14
    assert "Not certified: as far as the labels tell, 100% (76.8–100%)" in found.summary


def test_a_clear_separation_is_certified_and_says_so():
    rng = np.random.default_rng(0)
    pool = rng.normal(size=20_000)
    scores = pool[:300]
    found = choose_threshold(scores, scores > 0, pool_scores=pool)
    assert found.certified
    assert -0.1 < found.value < 0.1
    assert found.n_accepted == (pool >= found.value).sum()
    assert found.summary.startswith("Precision is at least 90% with 95% confidence")


@pytest.mark.slow
@pytest.mark.parametrize("curve", ["plateau at 0.895", "falls 0.97 to 0.80"])
def test_a_certified_guarantee_fails_in_no_more_runs_than_it_says(curve):
    ours = play(CURVES[curve], n=300, repeats=400, rng=np.random.default_rng(1), rules=("fixed sequence",))
    assert ours["fixed sequence"].violations <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_the_naive_rule_misses_the_target_so_the_measurement_can_tell():
    naive = play(CURVES["plateau at 0.895"], n=300, repeats=100, rng=np.random.default_rng(1), rules=("naive",))
    assert naive["naive"].violations > 0.5


def test_no_threshold_names_the_best_that_was_reached():
    scores = np.array([0.9, 0.713, 0.5, 0.4])
    with pytest.raises(
        NoThreshold,
        match=r"No threshold reaches 95% precision\. The best is about 66\.7% \(at least 13\.5%\)\. "
        r"Should it really be 99\.\d%, which 3 labels cannot rule out, about \d+ more labels would show it\. "
        r"Otherwise it takes a better classifier or a lower target",
    ):
        choose_threshold(scores, [0, 1, 1, 0], target=0.95)


def test_the_best_named_if_none_qualifies_is_the_best_lower_limit_not_the_luckiest_few():
    scores, labels = np.arange(103.0)[::-1], np.concatenate([[1, 1, 0], np.arange(100) % 5 > 0]).astype(int)
    labels[0] = 0  # 1 of 2 and 2 of 3 never look as good as 80 of 100
    with pytest.raises(NoThreshold) as none:
        choose_threshold(scores, labels, target=0.95)
    limits = [(lower_bound(labels[:n].sum(), n), n) for n in range(1, 104)]
    best, n = max(limits)
    precision = labels[:n].mean()
    assert f"about {percent(precision)} (at least {percent_at_least(best)})" in str(none.value)
    assert "More validation labels won't change that" in str(none.value), "not even the upper limit reaches the target"


def test_only_the_first_draw_certifies_and_later_ones_measure():
    rng = np.random.default_rng(0)
    pool = rng.normal(size=20_000)
    scores, first = pool[:600], np.arange(600) < 300
    labels = scores > 0
    alone = choose_threshold(scores[first], labels[first], pool_scores=pool)
    topped = choose_threshold(scores, labels, pool_scores=pool, testing=first)
    assert (topped.certified, topped.value) == (True, alone.value)
    assert topped.n == 600
    nothing = choose_threshold(scores, labels, pool_scores=pool, testing=np.zeros(600, bool))
    assert not nothing.certified
    assert choose_threshold(scores, labels, pool_scores=pool).certified


@pytest.mark.slow
def test_a_guarantee_tested_after_each_top_up_at_will_fails_and_ours_does_not():
    rules = ("topped up at will", "topped up")
    found = play(CURVES["plateau at 0.895"], n=300, repeats=300, rng=np.random.default_rng(2), rules=rules)
    assert found["topped up"].violations < 0.05
    assert found["topped up at will"].violations > 2 * found["topped up"].violations


@pytest.mark.parametrize(("labels", "missing"), [([1, 1], "negative"), ([0, 0], "positive")])
def test_a_validation_set_of_one_class_is_refused_in_words(labels, missing):
    with pytest.raises(LearningError, match=f"None of 2 labelled validation images is {missing}"):
        choose_threshold([1.0, 2.0], labels)


@pytest.mark.parametrize("target", [0, 1, 90])
def test_a_target_is_a_share(target):
    with pytest.raises(LearningError, match="between 0 and 1"):
        choose_threshold([1.0, 2.0], [0, 1], target=target)


def test_weights_move_the_threshold_as_repetition_would():
    scores, labels = np.array([4.0, 3, 2, 1]), np.array([1, 0, 1, 0])
    assert choose_threshold(scores, labels, target=0.6, weights=[1, 1, 9, 1]).value == 1.0
    assert choose_threshold(scores, labels, target=0.6, weights=[1, 9, 1, 1]).value == 4.0


def test_no_more_labels_are_advised_than_there_are_images():
    """Twenty accepted images of a pool of thirty: what a sample of any size would need is more than there are."""
    scores = np.arange(40.0)
    labels = np.concatenate([np.zeros(20), np.ones(20)])
    few = threshold_at(20.0, scores, labels, target=0.9, pool_scores=np.arange(50.0))
    assert (few.n_accepted_sample, few.n_accepted) == (20, 30)
    assert "about 9 more labels" in few.summary.lower()
    few = threshold_at(20.0, scores, labels, target=0.95, pool_scores=np.arange(50.0))
    assert "10 accepted images have none yet: with all of them labelled, nothing is left to estimate" in few.summary
    rounds = np.arange(45.0)  # people have labelled further images for other purposes
    few = threshold_at(20.0, scores, labels, target=0.95, pool_scores=np.arange(50.0), labelled=rounds)
    assert "5 accepted images have none yet" in few.summary
    pool = [9.0, 8.0, 8.5, 8.6, 8.7, 8.8, 1.0]
    with pytest.raises(NoThreshold, match=r"4 images without a label score as high.* left to estimate"):
        choose_threshold([9.0, 8.0, 7.0, 0.0], [0, 1, 0, 0], target=0.9, pool_scores=pool)
    with pytest.raises(NoThreshold, match=r"1 image without a label scores as high.* left to estimate"):
        choose_threshold(
            [9.0, 8.0, 7.0, 0.0], [0, 1, 0, 0], target=0.9, pool_scores=pool, labelled=[9.0, 8.0, 8.6, 8.7, 8.8, 1.0]
        )


def test_a_certified_threshold_passes_its_test_again_until_an_answer_changes():
    scores = np.arange(200.0)
    labels = scores >= 100
    found = choose_threshold(scores, labels, target=0.9)
    assert found.certified
    assert is_certified(found.value, scores, labels, target=0.9, pool_scores=scores)
    assert is_certified(found.value + 20, scores, labels, target=0.9, pool_scores=scores), "stricter"
    assert not is_certified(90.0, scores, labels, target=0.9, pool_scores=scores), "looser than it was"
    changed = labels.copy()
    changed[-12:] = False
    assert not is_certified(found.value, scores, changed, target=0.9, pool_scores=scores)
    nobody = np.zeros(200, bool)
    assert not is_certified(found.value, scores, labels, target=0.9, pool_scores=scores, testing=nobody)
