"""What a round bought is measured on the same images before and after; the advice follows a stated rule."""

import numpy as np
import pytest

from bam_engine.errors import LearningError
from bam_engine.learning import average_precision
from bam_engine.learning.stopping import Change, advise, measure_change


def _pair(n=300, share=0.3, better=2.0, seed=0):
    """Labels, projects of three, and two scores of which the later parts the classes ``better`` times as well."""
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < share
    labels[:2] = [True, False]
    noise = rng.normal(size=n)
    return labels, np.arange(n) // 3, labels * 1.0 + noise, labels * better + noise


def _change(before, after, labels, groups, **more):
    decided = {"decided_before": before > 0.5, "decided_after": after > 0.5}
    return measure_change(before, after, labels, groups=groups, rng=np.random.default_rng(0), **{**decided, **more})


def test_the_gain_is_the_difference_of_the_average_precisions():
    labels, groups, before, after = _pair()
    weights = np.random.default_rng(1).uniform(1, 5, size=300)
    for weight in (None, weights):
        found = _change(before, after, labels, groups, weights=weight)
        expected = average_precision(after, labels, weights=weight) - average_precision(before, labels, weights=weight)
        assert found.gain == pytest.approx(expected)
        assert found.low <= found.gain <= found.high
    assert found.n == 300
    assert found.positive_projects == len(set(groups[labels].tolist()))


def test_two_models_of_the_same_order_bought_nothing_but_some_positives_may_have_moved_unseen():
    labels, groups, before, _ = _pair()
    found = _change(before, 3 * before + 1, labels, groups)
    k = found.positive_projects
    assert found.gain == 0
    assert found.high == -found.low == pytest.approx(1 - 0.025 ** (1 / k))


def test_pairing_makes_the_interval_shorter_than_two_samples_would():
    labels, groups, before, after = _pair(better=1.1)
    paired = _change(before, after, labels, groups)
    rng = np.random.default_rng(5)
    apart = [
        average_precision(after[one], labels[one]) - average_precision(before[two], labels[two])
        for one, two in (rng.integers(300, size=(2, 300)) for _ in range(200))
    ]
    assert paired.high - paired.low < 0.5 * np.subtract(*np.quantile(apart, [0.975, 0.025]))


@pytest.mark.slow
def test_the_interval_holds_the_true_gain_about_as_often_as_it_says():
    labels, _, before, after = _pair(n=200_000, better=1.5)
    truth = average_precision(after, labels) - average_precision(before, labels)
    held = []
    for seed in range(150):
        labels, groups, before, after = _pair(better=1.5, seed=seed + 1)
        found = _change(before, after, labels, groups, repeats=200)
        held.append(found.low <= truth <= found.high)
    assert 0.88 <= np.mean(held) <= 1


def test_near_copies_of_a_project_widen_the_interval():
    labels, _, before, after = (np.repeat(part, 5) for part in _pair(n=60, better=1.5))
    alone = _change(before, after, labels, np.arange(300))
    together = _change(before, after, labels, np.repeat(np.arange(60), 5))
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_flips_are_counted_and_kappa_is_cohens():
    from sklearn.metrics import cohen_kappa_score

    labels, groups, before, after = _pair()
    rng = np.random.default_rng(0)
    one = rng.random(1000) < 0.1
    other = one ^ (rng.random(1000) < 0.05)
    found = _change(before, after, labels, groups, decided_before=one, decided_after=other)
    assert found.flipped == (one != other).sum()
    assert found.decided == 1000
    assert found.kappa == pytest.approx(cohen_kappa_score(one, other))
    none = np.zeros(10, bool)
    assert _change(before, after, labels, groups, decided_before=none, decided_after=none).kappa == 1
    assert _change(before, after, labels, groups, decided_before=none, decided_after=~none).kappa == 0


def test_without_a_positive_or_with_other_images_it_cannot_be_measured():
    labels, groups, before, after = _pair()
    with pytest.raises(LearningError, match="None of 300 validation images is positive"):
        _change(before, after, np.zeros(300), groups)
    with pytest.raises(LearningError, match="not finite"):
        _change(before, np.full(300, np.nan), labels, groups)
    with pytest.raises(LearningError, match="cannot be compared"):
        _change(before, after, labels, groups, decided_before=np.zeros(3, bool))


def test_the_same_seed_gives_the_same_interval():
    labels, groups, before, after = _pair()
    assert _change(before, after, labels, groups) == _change(before, after, labels, groups)


def _made(gain=0.0, low=-0.05, high=0.05, projects=20, kappa=0.9):
    return Change(gain, low, high, 200, projects, 5, 1000, kappa)


@pytest.mark.parametrize(
    ("changes", "outcome", "words"),
    [
        ([], "unknown", "second trained round"),
        ([_made(0.001, -0.004, 0.009)], "unlikely", "less than 0.01"),
        ([_made(0.001, -0.004, 0.010)], "unknown", "too small to tell"),
        ([_made(0.0, 0.0, 0.0, projects=9)], "unknown", "from 9 projects"),
        ([_made(0.0, 0.0, 0.0, projects=1)], "unknown", "from 1 project,"),
        ([_made(kappa=0.95), _made(kappa=0.95)], "unlikely", "stabilised: kappa 0.95, then 0.95"),
        ([_made(kappa=0.5), _made(kappa=0.99), _made(kappa=0.99)], "unlikely", "stabilised"),
        ([_made(kappa=0.94), _made(kappa=0.99)], "unknown", "too small"),
        ([_made(kappa=0.99), _made(kappa=0.94)], "unknown", "too small"),
        ([_made(kappa=0.99)], "unknown", "too small"),
        ([_made(kappa=0.99), _made(kappa=0.99), _made(kappa=0.5)], "unknown", "too small"),
        ([_made(0.05, 0.01, 0.09)], "likely", "exceeds chance"),
        ([_made(0.05, 0.01, 0.09, projects=9)], "unknown", "from 9 projects"),
        ([_made(0.05, -0.01, 0.09, kappa=0.5)], "unknown", "between −0.010 and +0.090"),
        ([_made(-0.01, -0.03, 0.02, kappa=0.5)], "unknown", "too small"),
    ],
)
def test_the_advice_follows_the_rule(changes, outcome, words):
    found = advise(changes)
    assert found.outcome == outcome
    assert words in found.reason
    assert ("is likely to help" in found.summary) == (outcome == "likely")
