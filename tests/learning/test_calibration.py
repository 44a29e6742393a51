"""A score is shown as how often images of that score are positive, in the order of the scores."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize

from bam_engine.database import from_document, to_document
from bam_engine.errors import LearningError
from bam_engine.learning.calibration import Calibration, calibrate, probability, probability_limits


def _sample(n, seed=0, slope=1.5, intercept=-1.0):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, size=n)
    return scores, rng.random(n) < _truth(scores, slope, intercept)


def _truth(scores, slope=1.5, intercept=-1.0):
    return 1 / (1 + np.exp(-(slope * scores + intercept)))


def test_below_1000_labels_the_curve_minimises_platts_objective():
    scores, labels = _sample(300)
    found = calibrate(scores, labels)
    n_positive = labels.sum()
    target = np.where(labels, (n_positive + 1) / (n_positive + 2), 1 / (300 - n_positive + 2))

    def cross_entropy(line):
        shown = 1 / (1 + np.exp(-(line[0] * scores + line[1])))
        return -(target * np.log(shown) + (1 - target) * np.log(1 - shown)).sum()

    best = minimize(cross_entropy, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x
    assert found.method == "platt"
    assert (found.n, found.n_positive) == (300, n_positive)
    assert (found.slope, found.intercept) == pytest.approx(best, abs=1e-4)


def test_from_1000_labels_on_the_curve_is_free_and_is_the_best_rising_one():
    from sklearn.isotonic import isotonic_regression

    scores, labels = _sample(1000)
    found = calibrate(scores, labels)
    assert calibrate(scores[:999], labels[:999]).method == "platt"
    assert found.method == "isotonic"
    order = np.argsort(scores)
    n_positive = labels.sum()
    target = np.where(labels, (n_positive + 1) / (n_positive + 2), 1 / (1000 - n_positive + 2))
    assert probability(found, scores[order]) == pytest.approx(isotonic_regression(target[order]), abs=1e-9)


@pytest.mark.parametrize("n", [500, 5000])
def test_of_images_shown_as_p_a_share_of_p_is_positive(n):
    scores, labels = _sample(n)
    fresh, truth = _sample(200_000, seed=1)
    shown = probability(calibrate(scores, labels), fresh)
    for low in np.arange(0, 1, 0.1):
        there = (shown >= low) & (shown < low + 0.1)
        assert shown[there].mean() == pytest.approx(truth[there].mean(), abs=0.06)


@pytest.mark.parametrize("n", [60, 400, 1500])
def test_the_order_is_preserved_and_ties_stay_ties(n):
    for seed in range(20):
        scores, labels = _sample(n, seed, slope=0.1, intercept=0.0)  # next to nothing to learn
        found = calibrate(scores.round(1), labels)
        at = np.sort(np.concatenate([scores, [-100.0, 100.0]]))
        for values in (probability(found, at), *probability_limits(found, at)):
            assert ((values >= 0) & (values <= 1)).all()
        assert (np.diff(probability(found, at)) >= 0).all()
        assert len(set(probability(found, [0.5, 0.5, 0.5]).tolist())) == 1


def test_scores_that_run_against_the_labels_are_not_turned_round():
    scores, labels = _sample(300, slope=-2.0, intercept=0.0)
    found = calibrate(scores, labels)
    assert found.slope == 0
    assert probability(found, [-3.0, 3.0]) == pytest.approx([labels.mean()] * 2, abs=0.01)


@pytest.mark.parametrize("n", [300, 2000])
def test_weights_mend_a_sample_drawn_with_unequal_probabilities(n):
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, size=40 * n)
    near = np.abs(scores) < 1
    truth = rng.random(len(scores)) < np.where(near & (rng.random(len(scores)) < 0.5), 0.9, _truth(scores))
    drawn = rng.random(len(scores)) < np.where(truth, 0.05, 0.01)  # the labelled ones are richer in positives
    plain = calibrate(scores[drawn], truth[drawn])
    weighed = calibrate(scores[drawn], truth[drawn], weights=np.where(truth[drawn], 20, 100))
    expected = truth.mean()
    assert probability(weighed, scores).mean() == pytest.approx(expected, abs=0.05)
    assert probability(plain, scores).mean() > expected + 0.1
    scaled = calibrate(scores[drawn], truth[drawn], weights=np.where(truth[drawn], 2, 10))
    assert probability(scaled, scores[:50]) == pytest.approx(probability(weighed, scores[:50]), abs=1e-6)


def test_equal_weights_are_no_weights():
    scores, labels = _sample(400)
    one, two = calibrate(scores, labels), calibrate(scores, labels, weights=np.full(400, 7.0))
    assert probability(one, scores) == pytest.approx(probability(two, scores), abs=1e-7)
    assert probability_limits(one, scores)[0] == pytest.approx(probability_limits(two, scores)[0], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "repeats"), [(200, 200), (1500, 60)])
def test_the_limits_hold_the_true_probability_about_as_often_as_they_say(n, repeats):
    at = np.array([-2.0, 0.0, 0.7, 2.0])
    held = []
    for seed in range(repeats):
        low, high = probability_limits(calibrate(*_sample(n, seed)), at)
        held.append((low <= _truth(at)) & (_truth(at) <= high))
    assert np.mean(held, axis=0) == pytest.approx(0.95, abs=0.07)


def test_unequal_weights_widen_the_limits():
    for n in (400, 2000):
        scores, labels = _sample(n)
        weights = np.where(np.arange(n) % 10 == 0, 100.0, 1.0)
        narrow = np.subtract(*probability_limits(calibrate(scores, labels), [0.5])[::-1])
        wide = np.subtract(*probability_limits(calibrate(scores, labels, weights=weights), [0.5])[::-1])
        assert wide > 1.5 * narrow


def test_the_limits_of_the_free_curve_rise_with_the_score():
    for seed in range(5):
        found = calibrate(*_sample(1500, seed, slope=0.1, intercept=0.0))
        for limit in probability_limits(found, np.linspace(-5, 5, 400)):
            assert (np.diff(limit) >= -1e-12).all()


@pytest.mark.parametrize("makers", [60, 300])
def test_near_copies_in_projects_widen_the_limits(makers):
    scores, labels = _sample(makers)
    groups = np.repeat(np.arange(makers), 5)
    scores, labels = np.repeat(scores, 5), np.repeat(labels, 5)
    narrow = np.subtract(*probability_limits(calibrate(scores, labels), [0.5])[::-1])
    wide = np.subtract(*probability_limits(calibrate(scores, labels, groups=groups), [0.5])[::-1])
    assert wide > 1.5 * narrow


def test_a_perfect_sample_does_not_claim_certainty():
    for n in (40, 1200):
        scores = np.arange(n) - n / 2 + 0.5
        found = calibrate(scores, scores > 0)
        shown = probability(found, [-1e9 if n == 1200 else -5.0, 1e9 if n == 1200 else 5.0])
        assert 0 < shown[0] < 0.5 < shown[1] < 1
        assert probability_limits(found, [n / 4])[0][0] < 0.99


def test_nan_stays_nan_and_the_shape_is_preserved():
    for n in (200, 1200):
        found = calibrate(*_sample(n))
        shown = probability(found, [[0.0, np.nan], [np.nan, 1.0]])
        assert shown.shape == (2, 2)
        assert np.isnan(shown).tolist() == [[False, True], [True, False]]
        assert all(np.isnan(limit).tolist() == [True] for limit in probability_limits(found, [np.nan]))


def test_it_is_stored_as_json_and_comes_back():
    for n in (200, 1200):
        found = calibrate(*_sample(n), groups=np.arange(n) // 2)
        back = from_document(Calibration, json.loads(json.dumps(to_document(found))), what="it")
        assert back == found
        assert isinstance(back, Calibration)
        assert np.array_equal(probability(back, [0.3, 1.0]), probability(found, [0.3, 1.0]))


@pytest.mark.parametrize(("n_positive", "n"), [(0, 50), (4, 50), (46, 50), (50, 50)])
def test_too_few_labels_of_a_class_are_explained(n_positive, n):
    labels = np.arange(n) < n_positive
    with pytest.raises(LearningError, match=f"{n_positive} of {n} validation images are positive, and at least 5"):
        calibrate(np.arange(n), labels)
    with pytest.raises(LearningError, match="not finite"):
        calibrate([np.nan, 1.0], [0, 1])


def test_scores_that_are_all_equal_show_the_share_of_positives():
    for n in (100, 1200):
        found = calibrate(np.ones(n), np.arange(n) < n / 4)
        assert probability(found, [0.0, 1.0, 9.0])[1] == pytest.approx(0.25, abs=0.02)
