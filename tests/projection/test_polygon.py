"""Points in a polygon: the reference counts crossed edges, one point at a time, in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.errors import ProjectionError
from bam_engine.projection import TileSource
from bam_engine.projection.polygon import points_in_polygon

eighths = st.integers(0, 8).map(lambda k: k / 8)
places = st.lists(st.tuples(eighths, eighths), min_size=0, max_size=40)
areas = st.lists(st.tuples(eighths, eighths), min_size=3, max_size=9)


def crossings(place: tuple[float, float], corners: list[tuple[float, float]]) -> int:
    """How many sides a ray from the place to the right meets; a side owns its upper end."""
    x, y = (Fraction(part) for part in place)
    count = 0
    for number, one in enumerate(corners):
        (x1, y1), (x2, y2) = ([Fraction(part) for part in end] for end in (one, corners[number - 1]))
        if min(y1, y2) <= y < max(y1, y2):
            count += x < x1 + (y - y1) * (x2 - x1) / (y2 - y1)
    return count


@settings(max_examples=300, deadline=None)  # the first call compiles
@given(places, areas)
def test_a_point_is_inside_when_a_ray_from_it_leaves_the_area_an_odd_number_of_times(
    points: list[tuple[float, float]], corners: list[tuple[float, float]]
) -> None:
    x, y = [point[0] for point in points], [point[1] for point in points]
    result = points_in_polygon(x, y, corners)
    for place, is_inside in zip(points, result.tolist(), strict=True):
        if not on_the_line(place, corners):
            assert is_inside == crossings(place, corners) % 2


def on_the_line(place: tuple[float, float], corners: list[tuple[float, float]]) -> bool:
    x, y = place
    for number, (x1, y1) in enumerate(corners):
        x2, y2 = corners[number - 1]
        beside = (x2 - x1) * (y - y1) == (y2 - y1) * (x - x1)
        if beside and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
    return False


def test_adjacent_polygons_share_no_point_and_miss_none() -> None:
    x, y = (part.ravel() for part in np.meshgrid(np.arange(8) / 8, np.arange(8) / 8))
    times = np.zeros(64, int)
    for column in range(4):
        for line in range(4):
            left, top = column / 4, line / 4
            square = [(left, top), (left + 0.25, top), (left + 0.25, top + 0.25), (left, top + 0.25)]
            times += points_in_polygon(x, y, square)
    assert times.tolist() == [1] * 64


def test_the_direction_in_which_an_area_is_drawn_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 500))
    corners = rng.random((7, 2))
    assert points_in_polygon(x, y, corners).tolist() == points_in_polygon(x, y, corners[::-1]).tolist()
    assert 0 < points_in_polygon(x, y, corners).sum() < 500


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 999), areas)
def test_a_map_returns_the_rows_inside_a_polygon_ascending(seed: int, corners: list[tuple[float, float]]) -> None:
    rng = np.random.default_rng(seed)
    layout, rows = rng.random((200, 2)).astype(np.float32), rng.permutation(400)[:200]
    result = TileSource.build(layout, rows=rows).in_polygon(corners)
    assert result.tolist() == sorted(rows[points_in_polygon(layout[:, 0], layout[:, 1], corners)].tolist())


@pytest.mark.parametrize("highest", [500, 2_000_000])
def test_the_rows_of_a_polygon_ascend_for_many_and_few_points(highest: int) -> None:
    rng = np.random.default_rng(0)
    layout, rows = rng.random((400, 2)), rng.choice(highest, 400, replace=False)
    result = TileSource.build(layout, rows=rows).in_polygon([(0, 0), (0.5, 0), (0.5, 1), (0, 1)])
    assert result.tolist() == sorted(rows[layout[:, 0].astype(np.float32) < 0.5].tolist())


def test_a_polygon_may_extend_beyond_the_map() -> None:
    layout = np.random.default_rng(1).random((50, 2)).astype(np.float32)
    source = TileSource.build(layout)
    assert source.in_polygon([(-3, -3), (4, -3), (4, 4), (-3, 4)]).tolist() == list(range(50))
    assert source.in_polygon([(2, 2), (3, 2), (3, 3)]).tolist() == []
    assert TileSource.build(np.empty((0, 2))).in_polygon([(0, 0), (1, 0), (1, 1)]).tolist() == []


@pytest.mark.parametrize("corners", [[], [(0, 0), (1, 1)], [(0, 0), (1, 1), (np.nan, 0)], [1, 2, 3]])
def test_an_invalid_polygon_is_rejected(corners: list[object]) -> None:
    source = TileSource.build([[0.5, 0.5]])
    with pytest.raises(ProjectionError, match="three corners"):
        source.in_polygon(corners)
