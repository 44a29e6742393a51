"""The quality of a layout matches its definition, and its interval contains it."""

import numpy as np
import pytest

from bam_engine.projection import compute_layout
from bam_engine.projection.quality import measure, nearest_places, ranks_of


@pytest.fixture(scope="module")
def laid_out() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(5, 20))[rng.integers(0, 5, 300)] + rng.normal(size=(300, 20))
    return vectors.astype(np.float32), compute_layout(vectors, method="pca")


def test_trustworthiness_is_that_of_scikit_learn(laid_out: tuple[np.ndarray, np.ndarray]) -> None:
    from sklearn.manifold import trustworthiness

    vectors, places = laid_out
    for nearest in (5, 10, 30):
        result = measure(vectors, np.arange(300), places, rng=np.random.default_rng(1), nearest=nearest)
        assert result is not None
        assert result.sampled == 300
        assert result.trust == pytest.approx(trustworthiness(vectors, places, n_neighbors=nearest), abs=1e-4)


def test_kept_is_the_fraction_of_neighbours_on_the_map_that_are_neighbours_by_vector(
    laid_out: tuple[np.ndarray, np.ndarray],
) -> None:
    vectors, places = laid_out
    true, shown = ([set(np.argsort(row)[:10]) for row in _apart(points)] for points in (vectors, places))
    expected = np.mean([len(a & b) / 10 for a, b in zip(true, shown, strict=True)])
    result = measure(vectors, np.arange(300), places, rng=np.random.default_rng(1))
    assert result is not None
    assert result.kept == pytest.approx(expected, abs=1e-9)
    assert 0 < result.kept_low < result.kept < result.kept_high < 1
    assert result.trust_low < result.trust < result.trust_high


def test_ranks_are_counted_among_the_rows_on_the_map_alone(laid_out: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, _ = laid_out
    rows = np.arange(10, 300, 3)
    chosen, others = np.array([0, 50]), np.array([[1, 2, 3], [4, 51, 96]])
    order = np.argsort(np.argsort(_apart(vectors[rows]), axis=1), axis=1) + 1
    expected = np.take_along_axis(order[chosen], others, axis=1)
    np.testing.assert_array_equal(ranks_of(vectors, rows, chosen, others), expected)


def test_a_layout_equal_to_the_vectors_preserves_all_neighbours() -> None:
    vectors = np.random.default_rng(2).random((200, 2)).astype(np.float32)
    result = measure(vectors, np.arange(200), vectors, rng=np.random.default_rng(0))
    assert result is not None
    assert (result.kept, result.kept_low, result.trust, result.trust_low) == (1, 1, 1, 1)


def test_equal_vectors_are_neighbours_of_one_another() -> None:
    places = np.random.default_rng(3).random((100, 2)).astype(np.float32)
    result = measure(np.ones((100, 8), np.float16), np.arange(100), places, rng=np.random.default_rng(0))
    assert result is not None
    assert result.kept == 1


def test_too_few_images_have_no_quality() -> None:
    for count in (0, 1, 5, 10):
        vectors = np.random.default_rng(4).random((count, 3)).astype(np.float32)
        assert measure(vectors, np.arange(count), vectors[:, :2], rng=np.random.default_rng(0)) is None


def test_a_large_collection_is_measured_on_fewer_images_within_the_interval(
    laid_out: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, places = laid_out
    whole = measure(vectors, np.arange(300), places, rng=np.random.default_rng(1))
    monkeypatch.setattr("bam_engine.projection.quality.MAX_PAIRS", 300 * 80)
    inside = []
    for seed in range(40):
        part = measure(vectors, np.arange(300), places, rng=np.random.default_rng(seed))
        assert part is not None
        assert whole is not None
        assert (part.sampled, part.against) == (80, 300)
        inside.append(part.kept_low <= whole.kept <= part.kept_high)
    assert np.mean(inside) > 0.85


def test_the_nearest_on_a_map_are_the_nearest_without_oneself() -> None:
    places = np.random.default_rng(5).random((50, 2)).astype(np.float32)
    result = nearest_places(places, np.array([7, 8]), 3)
    order = np.argsort(_apart(places), axis=1)
    assert [set(row) for row in result.tolist()] == [set(order[7, :3].tolist()), set(order[8, :3].tolist())]


def _apart(points: np.ndarray) -> np.ndarray:
    wide = points.astype(np.float64)
    return ((wide[:, None] - wide[None]) ** 2).sum(axis=2) + np.diag(np.full(len(points), np.inf))
