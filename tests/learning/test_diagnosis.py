"""Better than guessing or hardly: one rule, and the figures it is applied to, each against its definition."""

from itertools import permutations

import numpy as np
import pytest

from bam_engine.learning import (
    MIN_IN_GROUP,
    NEAREST,
    Share,
    average_precision,
    beats_guessing,
    feature_scaling,
    guessing_precision,
    near_identical,
    out_of_fold_scores,
    positive_agreement,
    score_all,
    scores_by_groups,
    scores_by_neighbours,
    train,
)


def test_guessing_gives_the_mean_average_precision_of_all_orders():
    labels = [1, 1, 0, 0, 0, 0]
    orders = [average_precision(range(6), order) for order in permutations(labels)]
    assert guessing_precision(2, 6) == pytest.approx(np.mean(orders))
    assert guessing_precision(1, 1) == 1
    assert guessing_precision(0, 1) == 0


@pytest.mark.parametrize(
    ("value", "low", "high", "guessing", "better"),
    [
        (0.20, 0.08, 0.40, 0.16, False),  # the issue of an encoder that cannot see dogs
        (0.20, 0.17, 0.24, 0.16, False),  # surely better than guessing, and of no use
        (0.79, 0.60, 0.91, 0.16, True),
        (0.35, 0.14, 0.60, 0.16, None),  # either may be so
        (0.35, 0.17, 0.60, 0.16, True),
        (0.20, 0.05, 0.30, 0.01, True),  # of one in a hundred, one in five
        (0.55, 0.45, 0.66, 0.51, False),
        (1.00, 0.88, 1.00, 0.50, True),
    ],
)
def test_better_than_guessing_hardly_better_or_not_to_be_told(value, low, high, guessing, better):
    assert beats_guessing(Share(value, low, high, guessing)) is better


def test_the_agreement_on_positives_is_that_of_all_ordered_pairs():
    rng = np.random.default_rng(0)
    of = rng.integers(1, 5, 200)
    yes = rng.binomial(of, 0.3)
    weights, both = [], []
    for k, n in zip(yes.tolist(), of.tolist(), strict=True):
        answers = [1] * k + [0] * (n - k)
        for one, other in permutations(answers, 2):
            if one:
                weights.append(1 / (n * (n - 1)))
                both.append(other)
    found = positive_agreement(yes, of)
    assert found is not None
    assert found.value == pytest.approx(np.average(both, weights=weights))
    assert found.low < found.value < found.high
    assert found.guessing == pytest.approx(np.mean((yes / of)[of > 1]))
    assert positive_agreement([1, 0], [1, 2]) is None  # nobody doubted a yes, or could have confirmed it


def test_answers_at_random_agree_no_more_than_guessing_and_equal_ones_do():
    rng = np.random.default_rng(1)
    two = rng.random((400, 2)) < 0.3
    chance, same = positive_agreement(two.sum(axis=1), [2] * 400), positive_agreement(2 * two[:, 0], [2] * 400)
    assert chance is not None
    assert same is not None
    assert beats_guessing(chance) is False
    assert beats_guessing(same) is True


def test_the_neighbours_tell_the_share_of_positives_among_the_nearest_labelled_images():
    rng = np.random.default_rng(2)
    taught, unseen = rng.normal(size=(60, 5)).astype(np.float32), rng.normal(size=(7, 5)).astype(np.float32)
    labels, scaling = rng.random(60) < 0.4, feature_scaling(taught)
    found = scores_by_neighbours(taught, labels, unseen, scaling)
    for place, vector in enumerate(unseen):
        distance = np.linalg.norm((taught - vector) / scaling.scale, axis=1)
        assert found[place] == pytest.approx(labels[np.argsort(distance)[:NEAREST]].mean())


def _between(rng, n):
    """Positives at both ends of the first direction, negatives between them."""
    labels = np.arange(n) % 4 < 2
    vectors = rng.normal(size=(n, 8)).astype(np.float32)
    vectors[:, 0] = np.where(labels, np.where(np.arange(n) % 4 == 0, 5.0, -5.0), 0.3 * vectors[:, 0])
    return vectors, labels


def test_two_classifiers_tell_two_things_that_one_cannot():
    rng = np.random.default_rng(3)
    (vectors, labels), (unseen, truth) = _between(rng, 120), _between(rng, 400)
    scaling = feature_scaling(vectors)
    one = score_all(unseen, train(vectors, labels, scaling=scaling, rng=rng))
    two = scores_by_groups(vectors, labels, np.arange(120), unseen, scaling)
    assert two is not None
    assert average_precision(two, truth) > 0.9
    assert average_precision(one, truth) < 0.8


def test_too_few_positives_are_not_parted():
    rng = np.random.default_rng(4)
    vectors, labels = _between(rng, 60)
    labels[np.flatnonzero(labels)[2 * MIN_IN_GROUP - 1 :]] = False
    assert scores_by_groups(vectors, labels, np.arange(60), vectors, feature_scaling(vectors)) is None


def test_copies_are_pairs_of_the_nearest_and_everything_else_is_alone():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(100, 16)).astype(np.float32)
    vectors[40], vectors[70] = vectors[3], vectors[3] + 1e-3
    rows = np.array([70, 5, 3, 40, 9])
    assert near_identical(vectors, rows, np.arange(100)).tolist() in ([[0, 2], [2, 3]], [[0, 3], [2, 3]])
    assert len(near_identical(vectors, np.array([5, 9]), np.arange(100))) == 0


def test_a_score_out_of_fold_does_not_know_the_label_of_its_image():
    rng = np.random.default_rng(6)
    vectors, labels = rng.normal(size=(200, 100)).astype(np.float32), rng.random(200) < 0.5
    scaling, groups = feature_scaling(vectors), np.arange(200) // 2
    model = train(vectors, labels, groups=groups, scaling=scaling, rng=rng)
    own = score_all(vectors, model)
    unseen = out_of_fold_scores(vectors, labels, model, groups=groups, scaling=scaling)
    assert unseen is not None
    assert average_precision(own, labels) > 0.8
    assert average_precision(unseen, labels) < 0.65
    assert out_of_fold_scores(vectors[:6], labels[:6], model, groups=groups[:6], scaling=scaling) is None
