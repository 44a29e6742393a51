"""A map of two scores: by rank, the fraction of images below; by value, the score itself."""

import numpy as np
import pytest

from bam_engine.errors import ProjectionError
from bam_engine.projection.score_plane import ScorePlane

SPAN = 1 - 2 * 0.03


def along(places: np.ndarray) -> np.ndarray:
    """From places to the share of the way to the right and upwards."""
    return np.stack([(places[:, 0] - 0.03) / SPAN, 1 - (places[:, 1] - 0.03) / SPAN], axis=1)


def test_by_rank_a_position_is_the_fraction_of_images_below_and_half_the_ties() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 9, 50).astype(float), rng.normal(size=50)
    result = along(ScorePlane.of(first, second).place(first, second))
    for axis, scores in enumerate((first, second)):
        expected = [(np.sum(scores < score) + np.sum(scores == score) / 2) / 50 for score in scores]
        np.testing.assert_allclose(result[:, axis], expected, atol=1e-6)


def test_by_value_a_place_is_linear_from_the_lowest_to_the_highest_score() -> None:
    first, second = np.array([0.0, 1.0, 4.0]), np.array([-3.0, -1.0, -2.0])
    result = along(ScorePlane.of(first, second, by="value").place(first, second))
    np.testing.assert_allclose(result, [[0, 0], [0.25, 1], [1, 0.5]], atol=1e-6)


@pytest.mark.parametrize("by", ["rank", "value"])
def test_the_higher_score_stands_further_right_and_further_up_on_the_screen(by: str) -> None:
    scores = np.array([-1.0, 0.0, 2.0])
    places = ScorePlane.of(scores, scores, by=by).place(scores, scores)
    assert (np.diff(places[:, 0]) > 0).all()
    assert (np.diff(places[:, 1]) < 0).all()


@pytest.mark.parametrize("by", ["rank", "value"])
def test_images_without_a_score_have_no_place_and_move_no_others(by: str) -> None:
    first, second = np.array([1.0, np.nan, 3.0, np.inf, 2.0]), np.array([5.0, 6.0, 7.0, 1.0, np.nan])
    plane = ScorePlane.of(first, second, by=by)
    places = plane.place(first, second)
    assert np.isnan(places).all(axis=1).tolist() == [False, True, False, True, True]
    there = [0, 2]
    np.testing.assert_array_equal(
        places[there], ScorePlane.of(first[there], second[there], by=by).place(first[there], second[there])
    )


@pytest.mark.parametrize("by", ["rank", "value"])
def test_later_images_get_the_places_of_a_full_fit_and_no_other_moves(by: str) -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 40))
    plane = ScorePlane.from_arrays(ScorePlane.of(first, second, by=by).arrays())
    np.testing.assert_array_equal(plane.place(first, second), ScorePlane.of(first, second, by=by).place(first, second))
    far = along(plane.place([-99.0, 99.0], [99.0, -99.0]))
    np.testing.assert_allclose(far, [[0, 1], [1, 0]], atol=1e-6)


@pytest.mark.parametrize("by", ["rank", "value"])
def test_equal_scores_stand_in_the_middle(by: str) -> None:
    same = np.full(5, 0.3)
    np.testing.assert_allclose(ScorePlane.of(same, same, by=by).place(same, same), 0.5, atol=1e-6)


def test_no_scores_at_all_make_no_places() -> None:
    plane = ScorePlane.of([np.nan, np.nan], [1.0, 2.0])
    assert np.isnan(plane.place([1.0], [1.0])).all()
    assert ScorePlane.of([], []).place([], []).shape == (0, 2)


def test_an_unknown_mode_and_scores_of_different_lengths_are_rejected() -> None:
    with pytest.raises(ProjectionError, match="rank, value"):
        ScorePlane.of([1.0], [1.0], by="colour")
    with pytest.raises(ProjectionError, match="two scores"):
        ScorePlane.of([1.0], [1.0, 2.0])
