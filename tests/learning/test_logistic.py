"""The solver finds the one minimum, whatever the start, the shape of the features, and the company of other fits."""

import numpy as np
import pytest

from bam_engine.learning.logistic import fit_many, spectrum_of


def _problem(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = np.column_stack([rng.normal(size=(n, d)) / np.sqrt(d), np.full(n, 10.0)])
    label = rng.random(n) < 1 / (1 + np.exp(-4 * features[:, 0] * np.sqrt(d) + 1))
    label[:2] = [True, False]
    return features, label, rng.uniform(0.2, 3, size=(n, 3)) * (rng.random((n, 3)) < 0.8)


def _reference(features: np.ndarray, label: np.ndarray, weight: np.ndarray, c: float) -> np.ndarray:
    """The definition, minimised by another's method."""
    from scipy.optimize import minimize

    side = np.where(label, 1.0, -1.0)

    def height(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = side * (features @ w)
        missed = 1 / (1 + np.exp(margin))
        loss = weight @ np.logaddexp(0, -margin) + w @ w / (2 * c)
        return loss, -features.T @ (weight * missed * side) + w / c

    start = np.zeros(features.shape[1])
    return minimize(
        height, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 9999}
    ).x


@pytest.mark.parametrize(("n", "d"), [(200, 10), (30, 80), (60, 59), (5, 200)])
def test_every_fit_is_at_the_minimum_of_its_own_objective(n: int, d: int) -> None:
    features, label, weights = _problem(n, d)
    c_grid = [0.1, 10.0, 100.0]
    found = fit_many(features, label, weights, c_grid, spectrum=spectrum_of(features), tolerance=1e-7)
    for column, c in enumerate(c_grid):
        right = _reference(features, label, weights[:, column], c)
        assert features @ found[:, column] == pytest.approx(features @ right, abs=2e-4)


def test_the_start_changes_nothing_but_the_time() -> None:
    for n, d in ((300, 20), (40, 90)):
        features, label, weights = _problem(n, d)
        more = {"spectrum": spectrum_of(features), "tolerance": 1e-7}
        cold = fit_many(features, label, weights, [0.1, 1.0, 100.0], **more)
        for scale in (1.0, 100.0):
            start = scale * np.random.default_rng(1).normal(size=cold.shape)
            warm = fit_many(features, label, weights, [0.1, 1.0, 100.0], start=start, **more)
            assert features @ warm == pytest.approx(features @ cold, abs=1e-5)
            assert warm == pytest.approx(cold, abs=1e-4)


def test_a_fit_is_the_same_alone_and_among_others() -> None:
    features, label, weights = _problem(150, 12)
    spectrum = spectrum_of(features)
    together = fit_many(features, label, weights, [0.1, 1.0, 100.0], spectrum=spectrum, tolerance=1e-7)
    alone = fit_many(features, label, weights[:, 1:2], [1.0], spectrum=spectrum, tolerance=1e-7)
    assert together[:, 1] == pytest.approx(alone[:, 0], abs=1e-6)


def test_an_image_of_weight_zero_is_not_there() -> None:
    features, label, _ = _problem(100, 8)
    weight = np.ones((100, 1))
    weight[70:] = 0
    with_zeros = fit_many(features, label, weight, [10.0], spectrum=spectrum_of(features), tolerance=1e-7)
    without = fit_many(
        features[:70], label[:70], weight[:70], [10.0], spectrum=spectrum_of(features[:70]), tolerance=1e-7
    )
    assert with_zeros == pytest.approx(without, abs=1e-5)


def test_classes_that_part_without_a_fault_are_fitted_and_stay_finite() -> None:
    rng = np.random.default_rng(0)
    label = np.arange(400) % 2 == 0
    features = np.column_stack([np.where(label, 3.0, -3.0), rng.normal(size=(400, 3)), np.full(400, 10.0)])
    for dtype in (np.float32, np.float64):
        own = features.astype(dtype)
        found = fit_many(own, label, np.ones((400, 1)), [1e4], spectrum=spectrum_of(features), tolerance=1e-3)
        assert found.dtype == dtype
        assert np.isfinite(found).all()
        assert ((own @ found[:, 0] > 0) == label).all()


def test_float32_finds_nearly_the_same() -> None:
    features, label, weights = _problem(300, 40)
    spectrum = spectrum_of(features)
    wide = fit_many(features, label, weights, [0.1, 1.0, 100.0], spectrum=spectrum, tolerance=1e-7)
    narrow = fit_many(features.astype(np.float32), label, weights, [0.1, 1.0, 100.0], spectrum=spectrum, tolerance=1e-2)
    assert np.abs(features @ (wide - narrow)).max() < 0.05


@pytest.mark.parametrize(("n", "d"), [(50, 10), (10, 50), (20, 20)])
def test_the_spectrum_rebuilds_the_gram_matrix(n: int, d: int) -> None:
    features = np.random.default_rng(0).normal(size=(n, d))
    found = spectrum_of(features)
    assert (found.vectors * found.values) @ found.vectors.T == pytest.approx(features.T @ features, abs=1e-8)
    assert found.vectors.T @ found.vectors == pytest.approx(np.eye(len(found.values)), abs=1e-8)
