import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.errors import LearningError
from bam_engine.learning import (
    average_precision,
    average_precision_limits,
    clopper_pearson,
    count_accepted,
    precision_recall,
)
from bam_engine.learning.evaluation import checked_sample, resampled_average_precision

labelled = st.lists(st.tuples(st.integers(-5, 5), st.booleans(), st.floats(0.1, 9)), min_size=1, max_size=40)


def _columns(rows):
    scores, labels, weights = (np.array(column) for column in zip(*rows, strict=True))
    return scores.astype(float), labels.astype(int), weights


@settings(max_examples=20)
@given(labelled)
def test_average_precision_is_scikit_learns_ties_and_weights_included(rows):
    from sklearn.metrics import average_precision_score

    scores, labels, weights = _columns(rows)
    if not labels.any():
        assert np.isnan(average_precision(scores, labels))
        return
    assert average_precision(scores, labels) == pytest.approx(average_precision_score(labels, scores))
    theirs = average_precision_score(labels, scores, sample_weight=weights)
    assert average_precision(scores, labels, weights=weights) == pytest.approx(theirs)


@given(labelled, st.lists(st.integers(-6, 6), min_size=1, max_size=8))
def test_precision_and_recall_are_what_their_names_say(rows, cuts):
    scores, labels, _ = _columns(rows)
    curve = precision_recall(scores, labels, cuts=cuts)
    assert curve.cuts.tolist() == sorted(cuts, reverse=True)
    for i, cut in enumerate(curve.cuts):
        accepted = scores >= cut
        found, n_accepted, n_positive = int(labels[accepted].sum()), int(accepted.sum()), int(labels.sum())
        assert curve.accepted[i] == n_accepted
        for value, low, high, n in (
            (curve.precision[i], curve.precision_low[i], curve.precision_high[i], n_accepted),
            (curve.recall[i], curve.recall_low[i], curve.recall_high[i], n_positive),
        ):
            exact = clopper_pearson(found, n)
            assert (low, high) == pytest.approx((exact.low, exact.high))
            assert value == pytest.approx(found / n) if n else np.isnan(value)


@given(labelled)
def test_a_weight_counts_an_image_as_often_as_it_stands_for(rows):
    scores, labels, weights = _columns(rows)
    weights = np.ceil(weights).astype(int)
    weighted = precision_recall(scores, labels, weights=weights)
    repeated = precision_recall(np.repeat(scores, weights), np.repeat(labels, weights), cuts=weighted.cuts)
    assert weighted.precision == pytest.approx(repeated.precision)
    assert weighted.recall == pytest.approx(repeated.recall, nan_ok=True)


@given(labelled)
def test_recall_only_grows_and_ends_at_one_as_the_cut_loosens(rows):
    scores, labels, _ = _columns(rows)
    curve = precision_recall(scores, labels)
    if labels.any():
        assert (np.diff(curve.recall) >= 0).all()
        assert curve.recall[-1] == 1
    assert curve.accepted[-1] == len(scores)


@given(st.lists(st.integers(-5, 5), max_size=50), st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_accepted_are_counted_as_defined(scores, cuts):
    scores = np.array(scores, dtype=np.float32)
    assert count_accepted(scores, cuts).tolist() == [int((scores >= cut).sum()) for cut in cuts]


def test_the_accepted_are_those_of_the_pool_when_it_is_given():
    curve = precision_recall([1, 0], [1, 0], pool_scores=np.arange(10) / 10)
    assert curve.accepted.tolist() == [0, 10]


def test_a_long_sample_is_thinned_to_two_hundred_cuts_from_end_to_end():
    scores = np.arange(5000.0)
    curve = precision_recall(scores, scores > 3000)
    assert len(curve.cuts) == 200
    assert (curve.cuts[0], curve.cuts[-1]) == (4999, 0)


@pytest.mark.parametrize(
    ("scores", "labels", "weights", "words"),
    [
        ([1.0], [1, 0], None, "one of each for every image"),
        ([1.0, 2.0], [1, 2], None, "2 is among them"),
        ([1.0, np.nan], [1, 0], None, "not finite"),
        ([1.0, 2.0], [1, 0], [1, 0], "must be positive"),
        ([], [], None, "Label the validation set first"),
    ],
)
def test_input_that_does_not_fit_together_is_refused_in_words(scores, labels, weights, words):
    with pytest.raises(LearningError, match=words):
        average_precision(scores, labels, weights=weights)


def test_a_resampled_average_precision_is_that_of_the_projects_drawn():
    rng = np.random.default_rng(0)
    scores, labels, groups = np.round(rng.normal(size=60), 1), rng.random(60) < 0.2, rng.integers(0, 20, 60)
    sample = checked_sample(scores, labels, rng.random(60) + 0.5, groups)
    found = resampled_average_precision([scores, -scores], sample, rng=np.random.default_rng(1), repeats=20)
    projects, code = np.unique(groups, return_inverse=True)
    n = len(projects)
    drawn = np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), size=20)[:, code]
    for column, times in enumerate(drawn):
        for line, ranking in enumerate((scores, -scores)):
            rows = np.repeat(np.arange(60), times)
            expected = average_precision(ranking[rows], labels[rows], weights=sample.weights[rows])
            assert found[line, column] == pytest.approx(expected, nan_ok=True)


def test_positives_that_were_found_by_their_scores_do_not_narrow_the_average_precision():
    scores, labels = np.arange(60.0), np.arange(60) >= 40
    options = {"groups": np.arange(60), "rng": np.random.default_rng(0)}
    every = average_precision_limits(scores, labels, **options)
    some = average_precision_limits(scores, labels, random=np.arange(60) % 10 == 0, **options)
    assert every.low == clopper_pearson(20, 20).low
    assert some.low == clopper_pearson(2, 2).low


@given(st.integers(1, 60))
def test_a_perfect_ranking_has_an_average_precision_of_1_and_no_more_whatever_the_weights(n):
    scores, labels = np.arange(2.0 * n, 0, -1), np.arange(2 * n) < n
    weights = 1 / np.arange(3, 3 + 2 * n)  # their sums are rounded
    assert average_precision(scores, labels, weights=weights) <= 1
    options = {"groups": np.arange(2 * n), "weights": weights, "rng": np.random.default_rng(0)}
    limits = average_precision_limits(scores, labels, **options)
    assert (limits.low, limits.high) == (pytest.approx(clopper_pearson(n, n).low), 1)


def test_images_whose_labels_were_known_count_as_they_are():
    pool = np.repeat([1.0, 0.0], [60, 40])
    known = np.ones(20), np.arange(20) < 5
    curve = precision_recall(np.ones(40), np.arange(40) < 30, cuts=[0.5], pool_scores=pool, known=known)
    alone = precision_recall(np.ones(40), np.arange(40) < 30, cuts=[0.5])
    for name in ("precision", "precision_low", "precision_high"):
        assert getattr(curve, name)[0] == pytest.approx((40 * getattr(alone, name)[0] + 5) / 60)
    everything = precision_recall(np.ones(1), [1], cuts=[0.5], pool_scores=np.ones(20), known=known)
    assert everything.precision_low[0] == everything.precision[0] == everything.precision_high[0] == 0.25
