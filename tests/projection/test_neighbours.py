"""Nearest neighbours match an exhaustive search, and no point is its own neighbour."""

import numpy as np
import pytest

from bam_engine.projection.neighbours import EXACT, NeighbourIndex


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(60, 16))[rng.integers(0, 60, EXACT + 2000)] + 0.5 * rng.normal(size=(EXACT + 2000, 16))
    ).astype(np.float32)


def nearest(points: np.ndarray, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    apart = np.sqrt(((queries[:, None].astype(float) - points[None]) ** 2).sum(axis=2))
    order = np.argsort(apart, axis=1)[:, :count]
    return order, np.take_along_axis(apart, order, axis=1)


def test_few_points_are_searched_exactly(points: np.ndarray) -> None:
    few = points[:400]
    result, distances = NeighbourIndex(few).search(points[400:450], 7)
    expected, apart = nearest(few, points[400:450], 7)
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_allclose(distances, apart, atol=1e-3)


def test_among_many_points_nearly_all_nearest_neighbours_are_found(points: np.ndarray) -> None:
    near = NeighbourIndex(points, seed=3)
    result, distances = near.search(points[:200], 15)
    expected, _ = nearest(points, points[:200], 15)
    stored = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(result.tolist(), expected.tolist(), strict=True)])
    assert stored > 0.95
    assert (np.diff(distances, axis=1) >= 0).all()
    np.testing.assert_array_equal(result, NeighbourIndex(points, seed=3).search(points[:200], 15)[0])
    alone = np.concatenate([near.search(one[None], 15)[0] for one in points[:20]])
    np.testing.assert_array_equal(alone, result[:20])


def test_where_the_probed_cells_have_too_few_points_the_search_is_exhaustive() -> None:
    rng = np.random.default_rng(1)
    lonely = np.concatenate([rng.normal(size=(EXACT, 4)), 1e3 * rng.normal(size=(30, 4))]).astype(np.float32)
    result, _ = NeighbourIndex(lonely).search(lonely[-5:], EXACT // 2)
    assert (result >= 0).all()


def test_no_point_is_its_own_neighbour_even_among_equal_ones() -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate([np.ones((40, 3)), rng.normal(size=(40, 3))]).astype(np.float32)
    result, distances = NeighbourIndex(points).search_self(points, 6)
    assert result.shape == (80, 6)
    assert not (result == np.arange(80)[:, None]).any()
    assert (distances[:40] == 0).all()
    alone, apart = nearest(points[40:], points[40:], 7)
    far = apart[:, 6] < np.sqrt(((points[40:] - 1) ** 2).sum(axis=1))  # no equal is among the nearest
    np.testing.assert_array_equal(result[40:][far], alone[far][:, 1:] + 40)


def test_more_neighbours_than_points_are_all_points() -> None:
    points = np.random.default_rng(3).normal(size=(5, 2)).astype(np.float32)
    assert NeighbourIndex(points).search(points[:2], 50)[0].shape == (2, 5)
    assert NeighbourIndex(points).search_self(points, 50)[0].shape == (5, 4)
