"""Layouts keep similar images together, and no input makes them fail."""

import numpy as np
import pytest

from bam_engine.errors import ProjectionError, Stopped
from bam_engine.projection import (
    METHODS,
    InMemoryCheckpoints,
    Model,
    best_of_each,
    compute_layout,
    fit_layout,
    fit_unit_square,
    layout,
)
from bam_engine.projection.components import fit_components

COMPILED = ("umap", "pacmap")  # their libraries compile for up to a minute in each process
EVERY_METHOD = [pytest.param(method, marks=[pytest.mark.slow] if method in COMPILED else []) for method in METHODS]


@pytest.fixture(scope="module")
def groups() -> tuple[np.ndarray, np.ndarray]:
    """Three well-separated groups of 60 vectors."""
    rng = np.random.default_rng(0)
    middles = 4 * rng.normal(size=(3, 24))
    group = np.repeat(np.arange(3), 60)
    return (middles[group] + rng.normal(size=(180, 24))).astype(np.float16), group


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_every_image_stands_next_to_one_of_its_own_group(method: str, groups: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, group = groups
    layout = compute_layout(vectors, method=method, seed=3)
    apart = np.linalg.norm(layout[:, None] - layout[None], axis=2) + 9 * np.eye(len(layout))
    assert (group[apart.argmin(axis=1)] == group).mean() > 0.95


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_the_same_seed_gives_the_same_map(method: str, groups: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = (compute_layout(groups[0], method=method, seed=5, workers=1) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("method", EVERY_METHOD)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 12, 14])
def test_few_images_make_a_map_too(method: str, count: int) -> None:
    layout = compute_layout(np.random.default_rng(1).normal(size=(count, 8)).astype(np.float16), method=method)
    assert layout.shape == (count, 2)
    assert layout.dtype == np.float32
    assert ((layout >= 0) & (layout <= 1)).all()
    assert len(np.unique(layout, axis=0)) == count


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_equal_vectors_are_spread_out_when_all_are_equal(method: str) -> None:
    layout = compute_layout(np.ones((30, 4), dtype=np.float16), method=method)
    assert len(np.unique(layout, axis=0)) == 30


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_two_sets_of_equal_vectors_stay_apart(method: str) -> None:
    vectors = np.repeat(np.random.default_rng(2).normal(size=(2, 8)), 20, axis=0).astype(np.float16)
    layout = compute_layout(vectors, method=method)
    assert np.isfinite(layout).all()
    assert np.linalg.norm(layout[:20].mean(axis=0) - layout[20:].mean(axis=0)) > 0.1


def test_images_without_a_vector_are_in_the_corner_and_move_no_others(groups: tuple[np.ndarray, np.ndarray]) -> None:
    vectors = np.concatenate([np.zeros((2, 24)), groups[0], np.full((1, 24), np.nan)]).astype(np.float16)
    layout = compute_layout(vectors, method="pca")
    assert (layout[[0, 1, -1]] > 0.97).all()
    np.testing.assert_array_equal(layout[2:-1], compute_layout(groups[0], method="pca"))


def test_tsne_reports_progress_and_can_be_stopped(groups: tuple[np.ndarray, np.ndarray]) -> None:
    payload: list[tuple[int, int | None, str]] = []

    def stop_half_way(done: int, total: int | None, message: str = "") -> None:
        payload.append((done, total, message))
        if done >= 375:
            raise Stopped("asked to stop")

    with pytest.raises(Stopped):
        compute_layout(groups[0], method="tsne", report=stop_half_way)
    assert payload[-1][:2] == (375, 750)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "BLOCK", 16)


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_other_images_are_placed_in_their_group(
    method: str, groups: tuple[np.ndarray, np.ndarray], small_blocks: None
) -> None:
    vectors, group = groups
    drawn = fit_layout(vectors, np.arange(len(vectors)), method=method, sample=100, seed=2)
    apart = np.linalg.norm(drawn.places[:, None] - drawn.places[None], axis=2) + 9 * np.eye(len(group))
    assert (group[apart.argmin(axis=1)] == group).mean() > 0.95


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_sampled_images_have_their_fitted_places(
    method: str, groups: tuple[np.ndarray, np.ndarray], small_blocks: None
) -> None:
    vectors, rows = groups[0], np.arange(180)
    drawn = np.sort(np.random.default_rng(2).choice(180, 100, replace=False))
    made = fit_layout(vectors, rows, method=method, sample=100, seed=2, workers=1)
    alone = fit_layout(vectors, drawn, method=method, seed=2, workers=1)
    np.testing.assert_array_equal(made.places[drawn], alone.places)


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_the_place_of_a_new_image_does_not_depend_on_other_new_images(
    method: str, groups: tuple[np.ndarray, np.ndarray]
) -> None:
    vectors, group = groups
    drawn = fit_layout(vectors, np.arange(150), method=method, seed=2, workers=1)
    assert drawn.model is not None
    stored = Model(drawn.model.method, {name: np.array(array) for name, array in drawn.model.arrays.items()})
    new = stored.placer(workers=1)(vectors, np.arange(150, 180))
    apart = np.linalg.norm(new[:, None] - drawn.places[None], axis=2)
    assert (group[apart.argmin(axis=1)] == group[150:]).all()
    np.testing.assert_array_equal(new, stored.placer(workers=1)(vectors, np.arange(150, 180)))


def test_pca_places_new_images_exactly_and_unusable_ones_in_the_corner() -> None:
    vectors = np.random.default_rng(3).normal(size=(200, 6)).astype(np.float32)
    drawn = fit_layout(vectors[:150], np.arange(150), method="pca")
    assert drawn.model is not None
    again = drawn.model.placer()(vectors, np.arange(150))
    np.testing.assert_allclose(again, drawn.places, atol=1e-6)
    bad = np.stack([np.zeros(6), np.full(6, np.nan), 1e4 * np.ones(6)]).astype(np.float32)
    placed = drawn.model.placer()(bad, np.arange(3))
    assert (placed[:2] > 0.97).all()
    assert ((placed >= 0) & (placed <= 1)).all()


STOPS = [
    (method, after) for method in METHODS for after in (1, 4, 9, 14, 25, 33, 37) if method == "tsne" or after <= 14
]
"""After how many reports a fit is stopped: t-SNE reports more of them than the others."""


@pytest.mark.slow
@pytest.mark.parametrize(("method", "after"), STOPS)
def test_stopped_work_resumes_to_the_same_map(
    method: str, after: int, groups: tuple[np.ndarray, np.ndarray], small_blocks: None
) -> None:
    payload = [0]

    def stop(done: int, total: int | None, message: str = "") -> None:
        payload[0] += 1
        if payload[0] == after:
            raise Stopped("asked to stop")

    vectors, rows, checkpoints = groups[0], np.arange(180), InMemoryCheckpoints()
    asked = {"method": method, "sample": 100, "seed": 4, "workers": 1}
    with pytest.raises(Stopped):
        fit_layout(vectors, rows, **asked, report=stop, checkpoints=checkpoints)
    blocks, more = checkpoints.load("blocks"), []
    resumed = fit_layout(vectors, rows, **asked, report=lambda done, *_: more.append(done), checkpoints=checkpoints)
    np.testing.assert_array_equal(resumed.places, fit_layout(vectors, rows, **asked).places)
    if blocks is not None:
        assert len(more) == 12 - blocks["done"][0] + 1, "what was placed is not placed again"
    elif method == "tsne" and after >= 9:
        assert sorted(more)[2] > 100, "iterations that were put aside are not done again"


def test_progress_never_goes_back_and_ends_at_its_total(
    groups: tuple[np.ndarray, np.ndarray], small_blocks: None
) -> None:
    payload: list[tuple[int, int | None]] = []
    fit_layout(groups[0], np.arange(180), sample=100, report=lambda done, total, _="": payload.append((done, total)))
    assert [done for done, _ in payload] == sorted(done for done, _ in payload)
    assert {total for _, total in payload} == {None, 750 + 12 * 10}
    assert payload[-1] == (870, 870)


def test_a_sample_of_equal_vectors_gives_a_grid() -> None:
    drawn = fit_layout(np.ones((60, 4), np.float16), np.arange(60), sample=20)
    assert drawn.model is None
    assert len(np.unique(drawn.places, axis=0)) == 60


def test_no_usable_vector_at_all_makes_a_map_of_nothing() -> None:
    drawn = fit_layout(np.zeros((30, 4), np.float16), np.arange(30))
    assert drawn.model is None
    assert (drawn.places > 0.97).all()


def test_an_unknown_method_and_a_flat_array_are_refused() -> None:
    with pytest.raises(ProjectionError, match="Choose one of tsne, umap, pacmap, pca"):
        compute_layout(np.ones((3, 4)), method="som")
    with pytest.raises(ProjectionError, match="shape"):
        compute_layout(np.ones(3))


def test_principal_components_are_those_of_the_singular_value_decomposition() -> None:
    vectors = np.random.default_rng(4).normal(size=(300, 20)) * np.arange(1, 21) + 100
    result = fit_components(vectors, rows=np.arange(300), count=5).of(vectors, np.arange(300))
    moved = vectors - vectors.mean(axis=0)
    expected = np.abs(moved @ np.linalg.svd(moved)[2][:5].T)
    np.testing.assert_allclose(np.abs(result), expected, atol=1e-3)


def test_scaling_keeps_the_aspect_and_the_margin() -> None:
    layout = fit_unit_square(np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 5.0]]), margin=0.05)
    np.testing.assert_allclose(layout, [[0.05, 0.275], [0.95, 0.275], [0.95, 0.725]], atol=1e-6)


def test_one_outlier_does_not_shrink_the_map_to_a_dot() -> None:
    rng = np.random.default_rng(5)
    cloud = rng.normal(size=(1000, 2))
    layout = fit_unit_square(np.concatenate([cloud, [[1e6, 0], [1e9, 0]]]))
    assert np.ptp(layout[:1000], axis=0).min() > 0.6
    assert layout[999 + 1, 0] < layout[999 + 2, 0] <= 1
    assert (np.argsort(layout[:1000, 0]) == np.argsort(cloud[:, 0])).mean() > 0.99


def test_best_of_each_takes_every_attributes_best_once() -> None:
    rng = np.random.default_rng(6)
    scores = {"content_cat": rng.normal(size=200), "media_comic": rng.normal(size=200)}
    scores["content_cat"][:50] = np.nan
    expected = set()
    for values in scores.values():
        expected |= set(sorted(range(200), key=lambda row: -np.nan_to_num(values[row], nan=-9))[:20])
    assert best_of_each(scores, count=20).tolist() == sorted(expected)
    assert best_of_each(np.stack(list(scores.values())), count=20).tolist() == sorted(expected)


def test_best_of_each_takes_the_smaller_row_on_a_tie_and_never_more_than_there_are() -> None:
    assert best_of_each({"content_cat": [1, 2, 2, 2]}, count=2).tolist() == [1, 2]
    assert best_of_each({"content_cat": [1, np.nan, np.inf]}, count=9).tolist() == [0]
    assert best_of_each({"content_cat": [1, 2]}, count=0).tolist() == []
    assert best_of_each({}).tolist() == []
    with pytest.raises(ProjectionError, match="lengths differ"):
        best_of_each({"content_cat": [1, 2], "media_comic": [1]})
