"""The recall of what is delivered: what counts as missed, how wide its interval is, and how often it holds."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from bam_engine.errors import LearningError
from bam_engine.learning import Proportions, RandomSample, population_bounds, precision_recall, proportions, recall_of
from bam_engine.learning.intervals import Floats
from bam_engine.learning.recall_interval import never_rising

DRAWS = st.integers(1, 40).flatmap(
    lambda size: st.integers(0, size).flatmap(
        lambda drawn: st.integers(0, drawn).map(lambda hits: (hits, drawn, size)),
    )
)


@given(st.lists(DRAWS, min_size=1, max_size=5))
def test_the_limits_of_a_count_are_those_with_which_the_draw_is_not_too_unlikely(draws):
    low, high = population_bounds(*np.array(draws).T, 0.9)
    tail = (1 - 0.9) / 2
    for place, (hits, drawn, size) in enumerate(draws):
        possible = [
            total
            for total in range(hits, size - drawn + hits + 1)
            if hypergeom.sf(hits - 1, size, total, drawn) > tail and hypergeom.cdf(hits, size, total, drawn) > tail
        ]
        assert (low[place], high[place]) == (min(possible), max(possible))


def sure(precision: float) -> Callable[[Floats], Proportions]:
    """A precision that is known, the same at every cut."""

    def at(cuts: Floats) -> Proportions:
        each = np.full(len(cuts), precision)
        return Proportions(each, each, each, np.ones(len(cuts)))

    return at


def of_sample(scores: Floats, labels: np.ndarray) -> Callable[[Floats], Proportions]:
    """The precision of a random sample at each cut."""

    def at(cuts: Floats) -> Proportions:
        accepted = scores >= cuts[:, None]
        return proportions(np.broadcast_to(labels, accepted.shape), accepted)

    return at


def test_where_the_delivered_are_known_the_limits_are_those_of_the_missed_alone():
    pool = np.repeat([1.0, 0.0], [300, 9700])
    sample = RandomSample(np.repeat([1.0, 0.0], [6, 194]), np.arange(200) < 8, pool)  # two positives below the cut
    found = recall_of([0.5], sample, sure(1.0))
    low, high = population_bounds(2, 194, 9700)
    assert found.value[0] == pytest.approx(300 / (300 + 2 / 194 * 9700))
    assert found.low[0] == pytest.approx(300 / (300 + high))
    assert found.high[0] == pytest.approx(300 / (300 + low))


def test_labels_above_the_cut_say_nothing_of_what_is_missed():
    rng = np.random.default_rng(0)
    pool = np.concatenate([rng.uniform(1, 2, 300), rng.uniform(0, 1, 9700)])
    random = np.append(np.linspace(1, 2, 6), np.linspace(0, 0.999, 194)), np.arange(200) < 6
    sample = RandomSample(*random, pool)
    upper_limit = 300 / (300 + population_bounds(0, 194, 9700)[1])
    for labels_above in (0, 100, 5000):
        scores = np.concatenate([random[0], np.linspace(1, 2, labels_above)])
        labels = np.concatenate([random[1], np.ones(labels_above, bool)])
        curve = precision_recall(scores, labels, cuts=[1.0], random=sample)
        assert curve.recall_low[0] <= upper_limit
    assert curve.recall_low[0] == pytest.approx(upper_limit, rel=0.01)


def test_what_people_have_found_below_the_cut_is_delivered():
    pool = np.repeat([1.0, 0.0], [100, 900])
    random = np.repeat([1.0, 0.0], [20, 180]), np.arange(200) < 29  # nine positives below the cut
    before = recall_of([0.5], RandomSample(*random, pool), sure(1.0))
    after = recall_of([0.5], RandomSample(*random, pool, found=np.zeros(45)), sure(1.0))
    assert before.value[0] == pytest.approx(100 / 145)
    assert after.value[0] == 1
    assert before.high[0] < after.high[0] == 1
    assert before.low[0] < after.low[0] < 1


def test_where_everything_is_labelled_the_recall_is_known():
    rng = np.random.default_rng(3)
    pool, truth = rng.normal(size=80), rng.random(80) < 0.3
    random = rng.choice(80, 30, replace=False)
    sample = RandomSample(pool[random], truth[random], pool, found=pool[truth], refused=pool[~truth])
    found = recall_of([0.0], sample, of_sample(pool[random], truth[random]))
    assert found.low[0] == found.value[0] == found.high[0] == 1


def test_images_asked_about_before_the_draw_count_as_they_were_labelled():
    pool = np.repeat([1.0, 0.0], [100, 900])
    asked, answers = np.repeat([1.0, 0.0], [40, 60]), np.arange(100) % 2 == 0
    sample = RandomSample(np.zeros(900), np.zeros(900, bool), pool, asked=asked, answers=answers)
    found = recall_of([0.5], sample, sure(0.5), knots=pool)  # below, everything was drawn and nothing is positive
    assert found.value[0] == pytest.approx((0.5 * 100 + 20) / (0.5 * 100 + 20 + 30))
    assert found.low[0] == found.value[0] == found.high[0]


def test_without_a_known_positive_nothing_is_known():
    pool = np.repeat([1.0, 0.0], [100, 900])
    empty = RandomSample(np.empty(0), np.empty(0, bool), pool)
    found = recall_of([0.5], empty, of_sample(empty.scores, empty.labels))
    assert np.isnan(found.value[0])
    assert (found.low[0], found.high[0]) == (0, 1)
    none_positive = RandomSample(np.repeat([1.0, 0.0], [20, 180]), np.zeros(200, bool), pool)
    found = recall_of([0.5], none_positive, of_sample(none_positive.scores, none_positive.labels))
    assert np.isnan(found.value[0])
    assert (found.low[0], found.high[0]) == (0, 1)


@given(st.data())
def test_the_value_lies_within_its_limits(data):
    n = data.draw(st.integers(5, 60))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    pool, truth = rng.normal(size=n), rng.random(n) < data.draw(st.sampled_from([0.05, 0.5, 0.95]))
    random = rng.choice(n, data.draw(st.integers(1, n)), replace=False)
    known = np.union1d(random, rng.choice(n, data.draw(st.integers(0, n)), replace=False))
    sample = RandomSample(
        pool[random], truth[random], pool, found=pool[known][truth[known]], refused=pool[known][~truth[known]]
    )
    curve = precision_recall(pool[random], truth[random], random=sample, pool_scores=pool)
    some = ~np.isnan(curve.recall)
    assert (curve.recall_low[some] <= curve.recall[some] + 1e-9).all()
    assert (curve.recall[some] <= curve.recall_high[some] + 1e-9).all()
    assert ((curve.recall_low >= 0) & (curve.recall_high <= 1)).all()


@settings(max_examples=40)
@given(st.data())
def test_no_recall_rises_with_the_cut_and_none_depends_on_which_other_cuts_are_asked_about(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(5, 100))
    pool = rng.normal(size=n).round(data.draw(st.integers(0, 3)))  # with equal scores
    truth = rng.random(n) < np.where(pool > 0.5, data.draw(st.sampled_from([0.1, 0.9])), rng.uniform(0, 0.3))
    random = rng.choice(n, data.draw(st.integers(1, n)), replace=False)
    known = np.union1d(random, rng.choice(n, data.draw(st.integers(0, n)), replace=False))
    options = {
        "weights": rng.uniform(1, 30, len(known)) if data.draw(st.booleans()) else None,
        "groups": known // 3 if data.draw(st.booleans()) else None,
        "strata": rng.random(len(known)) < 0.5 if data.draw(st.booleans()) else None,
        "pool_scores": pool,
        "random": data.draw(
            st.sampled_from(
                [
                    None,
                    RandomSample(pool[random], truth[random], pool),
                    RandomSample(
                        pool[random],
                        truth[random],
                        pool,
                        found=pool[known][truth[known]],
                        refused=pool[known][~truth[known]],
                    ),
                ]
            )
        ),
    }
    sample = pool[known], truth[known]
    cuts = np.sort(np.concatenate([pool, rng.normal(size=20), [-9, 9]]))[::-1]
    curve = precision_recall(*sample, cuts=cuts, **options)
    for each in (curve.recall, curve.recall_low, curve.recall_high):
        assert (np.diff(each[~np.isnan(each)]) >= -1e-12).all()
    for place in rng.choice(len(cuts), 2):
        alone = precision_recall(*sample, cuts=[cuts[place]], **options)
        for name in ("recall", "recall_low", "recall_high"):
            assert np.array_equal(getattr(alone, name), getattr(curve, name)[[place]], equal_nan=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_the_never_rising_value_is_nowhere_farther_from_the_truth_than_the_measured_one_at_worst(true, seed):
    rng, scores = np.random.default_rng(seed), np.arange(len(true), dtype=float)
    truth = np.append(np.sort(true)[::-1], 0.0)
    measured = truth + np.append(rng.normal(0, 0.1, len(true)), 0.0)

    def measure(cuts: Floats) -> Proportions:
        value = measured[np.minimum(cuts, len(true)).astype(int)]
        return Proportions(value, value - 0.2, value + 0.2, np.ones(len(cuts)))

    found = never_rising(measure, scores, scores, scores)
    assert np.abs(found.value - truth[:-1]).max() <= np.abs(measured - truth).max() + 1e-12
    assert (found.low <= measured[:-1] - 0.2).all()
    assert (found.high >= measured[:-1] + 0.2).all()


@pytest.mark.parametrize("hidden", [0.0, 0.15])
def test_the_interval_holds_the_recall_although_the_labels_above_the_cut_are_many(hidden: float):
    rng, held, by_weights = np.random.default_rng(1), [], []
    for _ in range(300):
        truth = rng.random(10_000) < 0.03
        scores = 3 * (truth & (rng.random(10_000) >= hidden)) + rng.normal(size=10_000)
        random = rng.choice(10_000, 200, replace=False)
        above = rng.permutation(np.flatnonzero(scores >= 2))[:200]  # as a certification asks
        known = np.union1d(random, above)
        weights = np.where(scores[known] >= 2, (scores >= 2).sum() / len(above), 50.0)
        sample = RandomSample(scores[random], truth[random], scores)
        curve = precision_recall(scores[known], truth[known], cuts=[2.0], weights=weights, random=sample)
        held.append(curve.recall_low[0] <= (scores >= 2)[truth].mean() <= curve.recall_high[0])
        old = precision_recall(scores[known], truth[known], cuts=[2.0], weights=weights)
        by_weights.append(old.recall_low[0] <= (scores >= 2)[truth].mean() <= old.recall_high[0])
    assert np.mean(held) >= 0.95
    assert np.mean(by_weights) < 0.9  # what weighting every label by its probability would claim


def test_labels_that_do_not_match_their_scores_are_refused():
    with pytest.raises(LearningError, match="Give one label for each"):
        RandomSample(np.zeros(3), np.zeros(2, bool), np.zeros(5))
