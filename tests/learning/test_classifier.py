import numpy as np
import pytest

from bam_engine.errors import LearningError, Stopped
from bam_engine.learning import (
    LinearModel,
    average_precision,
    decision_threshold,
    feature_scaling,
    score_all,
    score_many,
    train,
)


def _clouds(n, dim=32, share=0.3, shift=2.0, seed=0):
    """Two gaussian clouds on axes of very different widths, as embeddings have them."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < share
    truth[:2] = [True, False]
    width = np.geomspace(1, 0.01, dim)
    direction = np.random.default_rng(99).normal(size=dim)
    direction /= np.linalg.norm(direction)
    vectors = (rng.normal(size=(n, dim)) + shift * truth[:, None] * direction) * width + 0.3
    return vectors.astype(np.float16), truth


def _rng():
    return np.random.default_rng(3)


def test_scores_are_close_to_the_best_that_is_possible():
    direction = np.random.default_rng(99).normal(size=32) / np.geomspace(1, 0.01, 32)
    lost = []
    for seed in range(3):
        vectors, truth = _clouds(4000, seed=seed)
        model = train(vectors[:400], truth[:400], rng=_rng())
        ours = average_precision(score_all(vectors[400:], model), truth[400:])
        lost.append(average_precision(vectors[400:].astype(float) @ direction, truth[400:]) - ours)
    assert np.mean(lost) < 0.05


def _minimum(features, label, c):
    """The definition of the balanced logistic regression, minimised by another method; the intercept last."""
    from scipy.optimize import minimize

    features, side = np.column_stack([features, np.ones(len(label))]), np.where(label, 1.0, -1.0)
    weight = np.where(label, (~label).mean() / label.mean(), 1.0)
    weight *= len(label) / weight.sum()
    penalty = np.append(np.full(features.shape[1] - 1, 1 / c), 0.0)

    def objective(w):
        margin = side * (features @ w)
        missed = weight * side / (1 + np.exp(margin))
        return weight @ np.logaddexp(0, -margin) + w @ (penalty * w) / 2, penalty * w - features.T @ missed

    def curvature(w):
        likely = 1 / (1 + np.exp(-features @ w))
        return (features.T * (weight * likely * (1 - likely))) @ features + np.diag(penalty)

    start = np.zeros(features.shape[1])
    return minimize(objective, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-10}).x


@pytest.mark.parametrize(("n", "dim"), [(300, 32), (60, 200)])
def test_the_model_is_the_minimum_of_the_balanced_penalised_log_loss_on_standardised_vectors(n, dim):
    vectors, truth = _clouds(n, dim)
    scaling = feature_scaling(vectors)
    model = train(vectors, truth, scaling=scaling, rng=_rng())
    features = (vectors.astype(float) - scaling.mean) / scaling.scale
    best = _minimum(features, truth, model.c)
    assert score_all(vectors, model) == pytest.approx(features @ best[:-1] + best[-1], abs=5e-3)


@pytest.mark.parametrize("dim", [3, 200])
def test_classes_that_part_without_a_fault_are_fitted_and_stay_finite(dim):
    rng = np.random.default_rng(0)
    truth = np.arange(400) % 2 == 0
    vectors = np.column_stack([np.where(truth, 3.0, -3.0), 0.01 * rng.normal(size=(400, dim))]).astype(np.float16)
    model = train(vectors, truth, rng=_rng())
    scores = score_all(vectors, model)
    assert np.isfinite(scores).all()
    assert ((scores > model.decision_threshold) == truth).all()


def test_a_fit_that_does_not_converge_is_used_without_a_warning(monkeypatch):
    from bam_engine.learning import classifier

    monkeypatch.setattr(classifier, "_MAX_ITERATIONS", 1)
    vectors, truth = _clouds(200, shift=6.0)
    model = train(vectors, truth, rng=_rng())
    assert average_precision(score_all(vectors, model), truth) > 2 * truth.mean()


@pytest.mark.parametrize("block", [1, 7, 512, 10_000])
def test_a_score_is_the_vector_times_the_coefficients_whatever_the_block(block):
    vectors, truth = _clouds(700)
    model = train(vectors[:100], truth[:100], rng=_rng())
    scores = score_all(vectors, model, block=block)
    assert scores.dtype == np.float32
    assert scores == pytest.approx(vectors.astype(float) @ model.coefficients + model.intercept, abs=1e-3)


def test_a_memory_map_is_scored_like_an_array_and_reading_can_be_stopped(tmp_path):
    vectors, truth = _clouds(500)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    model = train(vectors[:100], truth[:100], rng=_rng())
    assert np.array_equal(score_all(mapped, model), score_all(vectors, model))

    def stop(done, total, message=""):
        raise Stopped("enough")

    with pytest.raises(Stopped):
        score_all(mapped, model, report=stop)
    assert len(score_all(vectors[:0], model)) == 0


def test_the_same_labels_and_seed_make_the_same_model():
    vectors, truth = _clouds(200)
    groups = np.arange(200) // 3
    one, two = (train(vectors, truth, groups=groups, rng=_rng()) for _ in range(2))
    assert np.array_equal(one.coefficients, two.coefficients)
    assert (one.intercept, one.c, one.seed, one.decision_threshold) == (
        two.intercept,
        two.c,
        two.seed,
        two.decision_threshold,
    )
    assert (one.n_positive, one.n_negative) == (truth.sum(), (~truth).sum())


def test_no_project_is_in_two_folds_and_every_fold_can_be_learned_from():
    from bam_engine.learning.classifier import assign_folds

    rng = np.random.default_rng(0)
    for _ in range(50):
        n = int(rng.integers(12, 120))
        label, group = rng.random(n) < 0.3, rng.integers(0, n // 2, size=n)
        fold = assign_folds(label, group, rng)
        if fold is None:
            continue
        assert all(len(np.unique(fold[group == g])) == 1 for g in np.unique(group))
        assert all(len(np.unique(label[fold != f])) == 2 for f in np.unique(fold))


def test_noisy_labels_are_regularised_more_than_clean_ones():
    clean, truth = _clouds(200, shift=12.0)
    noisy, guess = _clouds(200, shift=0.3)
    assert train(noisy, guess, rng=_rng()).c < train(clean, truth, rng=_rng()).c


def test_copies_in_one_project_do_not_talk_the_classifier_into_overfitting():
    vectors, truth = _clouds(60, shift=0.3)
    vectors, truth, groups = np.repeat(vectors, 5, axis=0), np.repeat(truth, 5), np.repeat(np.arange(60), 5)
    assert train(vectors, truth, groups=groups, rng=_rng()).c <= train(vectors, truth, rng=_rng()).c


def test_two_labels_are_enough_to_begin_with():
    vectors, truth = _clouds(2000, shift=6.0)
    rows = [int(np.argmax(truth)), int(np.argmin(truth))]
    model = train(vectors[rows], truth[rows], scaling=feature_scaling(vectors), rng=_rng())
    assert average_precision(score_all(vectors, model), truth) > 2 * truth.mean()


def test_the_separation_lies_between_the_classes():
    vectors, truth = _clouds(1000, share=0.1, shift=8.0)
    model = train(vectors[:300], truth[:300], rng=_rng())
    scores = score_all(vectors, model)
    assert np.median(scores[~truth]) < model.decision_threshold < np.median(scores[truth])
    assert ((scores >= model.decision_threshold) == truth).mean() > 0.95


def test_features_that_never_vary_do_no_harm():
    vectors, truth = _clouds(100)
    vectors[:, 5] = 0
    model = train(vectors, truth, rng=_rng())
    assert np.isfinite(model.coefficients).all()
    flat = train(np.ones((4, 3)), [0, 1, 0, 1], rng=_rng())
    assert np.isfinite(score_all(np.ones((2, 3), np.float16), flat)).all()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([1, 1, 1], "All 3 labelled images are positive, and a classifier needs negatives too"),
        ([0, 0, 0], "All 3 labelled images are negative, and a classifier needs positives too"),
        ([1, -1, 0], "-1 is among them"),
        ([1, 0], "2 labels do not match embeddings of shape"),
    ],
)
def test_labels_that_teach_nothing_are_refused_in_words(labels, words):
    with pytest.raises(LearningError, match=words):
        train(np.eye(3), labels, rng=_rng())


def test_no_labels_and_broken_embeddings_are_refused_in_words():
    with pytest.raises(LearningError, match="No images are labelled yet"):
        train(np.empty((0, 3)), [], rng=_rng())
    with pytest.raises(LearningError, match="not finite"):
        train(np.array([[np.nan], [1.0]]), [0, 1], rng=_rng())


def test_a_model_of_another_encoder_is_refused_in_words():
    model = LinearModel(np.ones(4, np.float32), 0.0, 1.0, 1, 1, 0, 0.0)
    with pytest.raises(LearningError, match="vectors of 4 components"):
        score_all(np.ones((2, 5), np.float16), model)


def test_the_decision_threshold_has_the_least_balanced_error_of_all_cuts():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(2, 30))
        scores, labels = rng.integers(0, 8, size=n).astype(float), rng.random(n) < 0.4
        labels[:2], scores[:2] = [True, False], [8.0, -1.0]

        def error(cut, scores=scores, labels=labels):
            return (scores[labels] < cut).mean() + (scores[~labels] >= cut).mean()

        middles = np.arange(-0.5, 8.5)
        assert error(decision_threshold(scores, labels)) == pytest.approx(min(error(cut) for cut in middles))


def test_with_one_class_the_decision_threshold_is_where_the_other_must_begin():
    assert decision_threshold([1, 2, 3], [1, 1, 1]) == 1
    assert decision_threshold([1, 2, 3], [0, 0, 0]) == 3
    assert decision_threshold([2, 2], [0, 1]) == 2
    with pytest.raises(LearningError, match="there are none"):
        decision_threshold([], [])


def test_many_models_in_one_pass_score_as_each_does_alone():
    vectors, truth = _clouds(1500)
    models = [train(vectors[at : at + 100], truth[at : at + 100], rng=_rng()) for at in (0, 100, 200)]
    together = score_many(vectors, models, block=64)
    assert together.dtype == np.float32
    assert together.shape == (3, 1500)
    for own, model in zip(together, models, strict=True):
        assert own == pytest.approx(score_all(vectors, model), abs=1e-4)
    assert score_many(vectors, []).shape == (0, 1500)
    with pytest.raises(LearningError, match="vectors of 32 components"):
        score_many(np.ones((2, 5), np.float16), models)


def test_a_project_that_holds_half_of_the_labels_is_in_one_fold():
    from bam_engine.learning.classifier import assign_folds

    vectors, truth = _clouds(300)
    groups = np.where(np.arange(300) < 150, 0, np.arange(300))
    fold = assign_folds(truth, groups, np.random.default_rng(0))
    assert len(np.unique(fold[:150])) == 1
    model = train(vectors, truth, groups=groups, rng=_rng())
    assert average_precision(score_all(vectors, model), truth) > truth.mean() + 0.2


def test_when_one_project_holds_every_positive_the_default_strength_is_used():
    vectors, truth = _clouds(200)
    model = train(vectors, truth, groups=np.where(truth, 0, np.arange(200)), rng=_rng())
    assert model.c == 10.0
    assert np.isfinite(model.decision_threshold)


def test_training_keeps_to_one_thread_so_that_the_model_does_not_depend_on_the_cores(monkeypatch):
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_info, threadpool_limits

    seen, fit = [], LogisticRegression.fit

    def spy(self, *data, **more):
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return fit(self, *data, **more)

    monkeypatch.setattr(LogisticRegression, "fit", spy)
    vectors, truth = _clouds(200)
    with threadpool_limits(2):
        model = train(vectors, truth, rng=_rng())
        after = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    assert set(seen) == {1}
    assert after == {2}
    with threadpool_limits(1):
        assert np.array_equal(train(vectors, truth, rng=_rng()).coefficients, model.coefficients)


def test_two_that_compute_at_once_leave_the_number_of_threads_as_it_was():
    from threadpoolctl import threadpool_info, threadpool_limits

    from bam_engine.learning.threads import single_threaded_blas

    def threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2):
        first, second = single_threaded_blas(), single_threaded_blas()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == {2}


def test_the_scores_behind_the_decision_threshold_are_those_of_folds_that_had_not_seen_the_image():
    from bam_engine.learning.classifier import _choose_c, assign_folds

    vectors, truth = _clouds(120)
    scaling = feature_scaling(vectors)
    features = (vectors.astype(float) - scaling.mean) / scaling.scale
    folds = assign_folds(truth, np.arange(120) // 2, np.random.default_rng(0))
    choice = _choose_c(features, truth, folds)
    losses = {}
    for c in (0.1, 1.0, 10.0, 100.0):
        unseen = np.empty(120)
        for fold in np.unique(folds):
            taught = folds != fold
            best = _minimum(features[taught], truth[taught], c)
            unseen[~taught] = features[~taught] @ best[:-1] + best[-1]
        weight = np.where(truth, (~truth).sum() / truth.sum(), 1.0)
        losses[c] = weight @ np.logaddexp(0, np.where(truth, -unseen, unseen))
        if c == choice.c:
            assert choice.out_of_fold == pytest.approx(unseen, abs=0.05)
    assert choice.c == min(losses, key=losses.get)


def test_a_single_label_is_refused_in_the_singular():
    with pytest.raises(LearningError, match="The only labelled image is negative, and a classifier needs positives"):
        train(np.eye(1), [0], rng=_rng())
