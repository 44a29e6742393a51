"""Tiles contain the right points, and the nearest point is found."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bam_engine.errors import ProjectionError
from bam_engine.projection import DEEPEST, TileSource, morton

# Edges of tiles, the far edge, the floats beside them, and anything between.
edges = st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75, 1.0, float(np.nextafter(np.float32(0.5), np.float32(0))), 1e-9])
coordinates = st.one_of(edges, st.floats(0, 1, width=32))
layouts = st.integers(0, 60).flatmap(lambda n: arrays(np.float32, (n, 2), elements=coordinates))


def column_of(value: float, z: int) -> int:
    """The definition: a tile owns its left edge, the last one the coordinate 1 too."""
    return min(int(np.floor(float(value) * 2**z)), 2**z - 1)


@settings(max_examples=60, deadline=None)
@given(layouts, st.integers(0, 3))
@example(np.array([[1, 1], [0.5, 0.5], [0.5, 0.4999999]], dtype=np.float32), 1)
def test_each_point_is_in_exactly_the_one_tile_around_it(layout: np.ndarray, z: int) -> None:
    source = TileSource.build(layout)
    total = 0
    for x in range(2**z):
        for y in range(2**z):
            result = sorted(source.rows[source.slice(z, x, y)].tolist())
            assert result == [r for r, p in enumerate(layout) if (column_of(p[0], z), column_of(p[1], z)) == (x, y)]
            total += len(result)
    assert total == len(layout)


@settings(max_examples=60, deadline=None)
@given(layouts, st.integers(0, DEEPEST))
def test_at_any_zoom_the_tile_under_a_point_holds_it(layout: np.ndarray, z: int) -> None:
    source = TileSource.build(layout)
    for row, (x, y) in enumerate(layout):
        assert row in source.rows[source.slice(z, column_of(x, z), column_of(y, z))]


@settings(max_examples=60, deadline=None)
@given(layouts, st.integers(0, 4), st.sampled_from([1, 2, 4]), st.randoms())
def test_the_cells_of_a_tile_share_out_its_points(layout: np.ndarray, z: int, side: int, random) -> None:  # type: ignore[no-untyped-def]
    source = TileSource.build(layout)
    x, y = random.randrange(2**z), random.randrange(2**z)
    start, stop = source.grid(z, x, y, side=side)
    whole = source.slice(z, x, y)
    assert sorted(i for a, b in zip(start.ravel(), stop.ravel(), strict=True) for i in range(a, b)) == list(
        range(whole.start, whole.stop)
    )


@settings(max_examples=120, deadline=None)
@given(layouts, st.floats(-0.2, 1.2), st.floats(-0.2, 1.2), st.sampled_from([0.0, 1e-7, 0.01, 0.1, 0.3, 1.0, 5.0]))
def test_nearest_is_the_nearest_of_all_points_within_the_radius(
    layout: np.ndarray, x: float, y: float, radius: float
) -> None:
    source = TileSource.build(layout)
    squared = (layout[:, 0].astype(float) - x) ** 2 + (layout[:, 1].astype(float) - y) ** 2
    within = [row for row in range(len(layout)) if squared[row] <= radius * radius]
    expected = min(within, key=lambda row: (squared[row], row), default=None)
    index = source.nearest(x, y, radius)
    assert (None if index is None else source.rows[index]) == expected


@settings(max_examples=60, deadline=None)
@given(layouts, st.integers(0, 4), st.randoms())
def test_the_ring_holds_the_points_outside_the_tile_that_are_eight_pixels_near(layout: np.ndarray, z, random) -> None:  # type: ignore[no-untyped-def]
    source = TileSource.build(layout)
    x, y = random.randrange(2**z), random.randrange(2**z)
    columns, lines = morton.cells(layout[:, 0], z + 5), morton.cells(layout[:, 1], z + 5)
    near = (np.abs(columns - (32 * x + 15.5)) < 17) & (np.abs(lines - (32 * y + 15.5)) < 17)
    inside = (columns // 32 == x) & (lines // 32 == y)
    assert sorted(source.rows[source.ring(z, x, y)].tolist()) == np.flatnonzero(near & ~inside).tolist()


def test_given_rows_are_returned_and_break_ties() -> None:
    source = TileSource.build([[0.5, 0.5], [0.5, 0.5], [0.1, 0.1]], rows=[70, 30, 50])
    assert source.rows.tolist() == [50, 30, 70]
    assert source.rows[source.nearest(0.51, 0.5, 0.1)] == 30
    beside = TileSource.build([[0.25, 0.5], [0.75, 0.5]], rows=[9, 3])
    assert beside.rows[beside.nearest(0.5, 0.5, 0.25)] == 3


@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32))
def test_a_code_interleaves_the_bits_of_column_and_row(x: float, y: float) -> None:
    column, row = column_of(x, 24), column_of(y, 24)
    expected = sum(((column >> i & 1) << 2 * i) | ((row >> i & 1) << (2 * i + 1)) for i in range(24))
    assert int(morton.codes([x], [y])[0]) == expected


def test_points_without_a_place_are_left_out_and_counted() -> None:
    source = TileSource.build([[np.nan, 0.5], [0.5, 0.5], [0.2, np.inf]])
    assert source.rows.tolist() == [1]
    assert source.left_out == 2


@pytest.mark.parametrize("tile", [(-1, 0, 0), (0, 1, 0), (2, 0, 4), (2, -1, 0), (DEEPEST + 1, 0, 0), (99, 0, 0)])
def test_a_nonexistent_tile_is_rejected(tile: tuple[int, int, int]) -> None:
    with pytest.raises(ProjectionError, match="There is no tile"):
        TileSource.build([[0.5, 0.5]]).slice(*tile)


@pytest.mark.parametrize(
    ("layout", "rows", "message"),
    [
        ([[0.5, 1.5]], None, r"be in \[0, 1\]"),
        ([0.5, 0.5], None, r"shape \(n, 2\)"),
        ([[0.5, 0.5]], [1, 2], "needs as many rows"),
    ],
)
def test_an_invalid_layout_is_rejected_with_the_reason(layout, rows, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ProjectionError, match=message):
        TileSource.build(layout, rows=rows)


def test_a_search_without_a_finite_position_is_rejected() -> None:
    with pytest.raises(ProjectionError, match="needs a finite position"):
        TileSource.build([[0.5, 0.5]]).nearest(float("nan"), 0.5, 0.1)
