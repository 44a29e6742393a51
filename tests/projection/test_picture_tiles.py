"""The pictures of a map: the representative of each cell, its size, and finally every image in a cell of its own."""

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bam_engine.errors import NotFound, ProjectionError
from bam_engine.projection import DEEPEST, MapView, TileSource, fit_unit_square, morton, picture_tiles, plan_zooms
from bam_engine.projection.arrangement import Arrangement
from bam_engine.projection.picture_store import SPRITE, PictureStore
from bam_engine.projection.view_sources import Sources

DEPTH = 4


def picture(row: int) -> Image.Image:
    return Image.new("RGB", (120, 90), (40 + row % 200, 30, 30))


def opened(tile: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(tile)).convert("RGBA"))


coordinates = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 0.4999, 0.26]), st.floats(0, 1, width=32))
layouts = st.lists(st.tuples(coordinates, coordinates), max_size=4**DEPTH).map(
    lambda places: np.array(places, np.float32).reshape(-1, 2)
)


def blocks(side: int) -> list[tuple[int, int]]:
    """Widths and heights of the blocks from the whole grid down to a cell: halved across, then along."""
    result = [(side, side)]
    while result[-1] != (1, 1):
        width, height = result[-1]
        result.append((width, height // 2) if height >= width else (width // 2, height))
    return result


@settings(max_examples=80, deadline=None)
@given(layouts, st.integers(1, 40))
def test_every_image_has_a_cell_of_its_own_and_leaves_only_a_crowd(layout: np.ndarray, copies: int) -> None:
    """By the definition: it stays within the largest block around it of which one half has more images than cells."""
    layout = np.concatenate([layout, np.repeat(layout[:1], copies, axis=0)])[: 4**DEPTH]
    source = TileSource.build(layout)
    drawn = Arrangement.of(source, DEPTH)
    cells = set(zip(drawn.column.tolist(), drawn.row.tolist(), strict=True))
    side = 2**DEPTH
    assert len(cells) == len(source)
    assert all(0 <= column < side and 0 <= row < side for column, row in cells)
    own = np.stack([morton.cells(source.x, DEPTH), morton.cells(source.y, DEPTH)], axis=1)
    sizes = blocks(side)
    for point in range(len(source)):
        bound = (1, 1)
        for size, half in pairwise(sizes):
            block = own // size == own[point] // size
            halves = (own // half)[block.all(axis=1)]
            if np.unique(halves, axis=0, return_counts=True)[1].max() > half[0] * half[1]:
                bound = size
                break
        at = np.array([drawn.column[point], drawn.row[point]])
        assert (at // bound == own[point] // bound).all()


def test_an_arrangement_is_the_same_each_time_and_finds_its_images_again() -> None:
    layout = np.random.default_rng(0).normal(0.5, 0.02, (900, 2)).clip(0, 1)
    source = TileSource.build(layout, rows=np.random.default_rng(1).permutation(900))
    drawn, again = Arrangement.of(source, 6), Arrangement.of(source, 6)
    np.testing.assert_array_equal(drawn.column, again.column)
    np.testing.assert_array_equal(drawn.row, again.row)
    np.testing.assert_array_equal(drawn.points_in(drawn.column.astype(int), drawn.row.astype(int)), np.arange(900))
    assert drawn.points_in(np.array([-1, 64]), np.array([0, 0])).tolist() == [-1, -1]
    moved = np.hypot(drawn.column / 64 - source.x, drawn.row / 64 - source.y)
    assert np.median(moved) < 0.25


def test_more_images_than_cells_are_rejected() -> None:
    with pytest.raises(ProjectionError, match="do not fit"):
        Arrangement.of(TileSource.build(np.full((5, 2), 0.5)), 1)


@pytest.mark.parametrize("where", ["cloud", "one point", "two points", "with lost ones"])
def test_the_deepest_zoom_shows_every_image_once_and_the_pointer_finds_it(where: str) -> None:
    rng = np.random.default_rng(3)
    layout = {
        "cloud": rng.normal(0.5, 0.1, (300, 2)).clip(0, 1),
        "one point": np.full((150, 2), 0.5),
        "two points": np.repeat([[0.1, 0.9], [1.0, 1.0]], 40, axis=0),
        "with lost ones": np.where(rng.random((200, 1)) < 0.2, np.nan, rng.random((200, 2))),
    }[where]
    view = MapView(layout, version="1", thumbnail=picture)
    z, result = view.max_zoom, view.arrangement()
    assert view.plan.pictures_across(z) == 1
    seen = []
    for point, (column, row) in enumerate(zip(result.column.tolist(), result.row.tolist(), strict=True)):
        tile = opened(view.tile("pictures-density", z, column, row))
        assert tile[128, 128, 3] == 255
        middle = ((column + 0.5) / 2**z, (row + 0.5) / 2**z)
        payload = view.image_at(*middle, 0.0, zoom=z)
        assert payload is not None
        assert payload["row"] == view.source.rows[point]
        assert payload["box"] == pytest.approx([column / 2**z, row / 2**z, (column + 1) / 2**z, (row + 1) / 2**z])
        seen.append(payload["row"])
    assert sorted(seen) == np.flatnonzero(np.isfinite(layout).all(axis=1)).tolist()


@pytest.mark.parametrize("n", [1, 2, 50, 3000, 60_000])
def test_pictures_grow_with_the_zoom_and_none_disappears(n: int) -> None:
    plan = plan_zooms(TileSource.build(np.random.default_rng(0).normal(0.5, 0.1, (n, 2)).clip(0, 1)))
    zooms = range(plan.picture_from_zoom, plan.max_zoom + 1)
    across = [plan.pictures_across(z) for z in zooms]
    assert across == sorted(across, reverse=True)
    assert across[-1] == 1
    depths = [plan.picture_depth(z) for z in zooms]
    assert depths == sorted(depths)
    assert depths[-1] == plan.max_zoom <= DEEPEST
    assert 4**plan.max_zoom >= n
    if n >= 3000:
        assert set(across) == {8, 4, 2, 1}


def test_the_picture_of_a_cell_is_the_best_the_medoid_or_the_newest() -> None:
    rng = np.random.default_rng(4)
    source = TileSource.build(rng.random((400, 2)), rows=rng.permutation(400))
    worth = rng.integers(0, 5, 400).astype(np.float32)
    worth[::9] = np.nan
    start, stop = (part.ravel() for part in source.grid(1, 0, 1, side=4))
    places = np.stack([source.x, source.y], axis=1).astype(float)
    for how, priority in (("best", worth), ("best", None), ("medoid", worth), ("newest", worth)):
        result = picture_tiles.Choice(how, priority).of(source, start, stop)
        for begin, end, point in zip(start, stop, result, strict=True):
            run = list(range(begin, end))
            if how == "best" and priority is not None:
                expected = min(run, key=lambda i: (-np.nan_to_num(worth[i], nan=-np.inf), source.rows[i]))
            elif how == "newest":
                expected = max(run, key=lambda i: source.rows[i])
            else:
                apart = ((places[run][:, None] - places[run][None]) ** 2).sum(axis=(1, 2))
                expected = run[int(apart.argmin())]
            assert point == expected
    assert picture_tiles.Choice().of(source, np.array([5]), np.array([5])).tolist() == [-1]


def test_an_unknown_representative_is_rejected() -> None:
    view = MapView([[0.5, 0.5]], version="1", thumbnail=picture)
    for kind in ("density", "pictures-density"):
        with pytest.raises(NotFound, match="best, medoid, newest"):
            view.tile(kind, 0, 0, 0, representative="worst")


class Tiles:
    """Tiles in memory."""

    def __init__(self) -> None:
        self.all: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.all.get(key)

    def put(self, key: str, tile: bytes) -> None:
        self.all[key] = tile


def test_the_requested_pictures_are_shown_hit_and_cached_separately() -> None:
    """Three images in one cell: the first is the best, the second in the middle, the third the newest."""
    layout = [[0.05, 0.1], [0.1, 0.1], [0.15, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]]
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (9, 9, 9), (9, 9, 9), (9, 9, 9)]
    tiles = Tiles()
    view = MapView(
        layout,
        version="1",
        thumbnail=lambda row: Image.new("RGB", (90, 90), colours[row]),
        scores={"a": [5.0, 1.0, 2.0, 0.0, 0.0, 0.0]},
        sources=Sources(tiles=tiles),
    )
    assert view.plan.pictures_across(0) == 2
    for _ in range(2):  # drawn, then from where they are kept
        for row, representative in enumerate(("best", "medoid", "newest")):
            tile = opened(view.tile("pictures-score-a", 0, 0, 0, representative=representative))
            assert tile[64, 64, :3].argmax() == row
            payload = view.image_at(0.1, 0.2, 0.0, kind="score-a", zoom=0, representative=representative)
            assert payload is not None
            assert payload["row"] == row
    assert len(tiles.all) == 3
    assert len({view.tile("score-a", 0, 0, 0, representative=how) for how in ("best", "newest")}) == 1
    assert len(tiles.all) == 4, "points are the same whichever picture is shown"


def test_pictures_of_a_selection_come_first_and_the_others_are_faded() -> None:
    layout = [[0.1, 0.1], [0.15, 0.1], [0.9, 0.6]]
    view = MapView(
        layout,
        version="1",
        thumbnail=picture,
        scores={"a": [5.0, 1.0, 2.0]},
        sources=Sources(selection=lambda _: [1]),
    )
    assert view.plan.pictures_across(0) == 2
    tile = opened(view.tile("pictures-score-a", 0, 0, 0, only="x"))
    assert tile[64, 64, 3] == 255
    assert 0 < tile[192, 192, 3] < 128
    assert view.image_at(0.1, 0.1, 0.1, kind="score-a", zoom=0, only="x")["row"] == 1  # type: ignore[index]
    assert view.image_at(0.1, 0.1, 0.1, kind="score-a", zoom=0)["row"] == 0  # type: ignore[index]


class Kept:
    """Sprites in memory."""

    def __init__(self) -> None:
        self.all: dict[int, np.ndarray] = {}

    def get(self, row: int) -> np.ndarray | None:
        return self.all.get(row)

    def put(self, row: int, made: np.ndarray) -> None:
        self.all[row] = made


def test_a_picture_is_decoded_once_and_the_smallest_not_even_in_the_next_run() -> None:
    decoded: list[int] = []

    def thumbnail(row: int) -> Image.Image | None:
        decoded.append(row)
        return picture(row) if row else None

    sprites = Kept()
    for _ in range(2):
        store = PictureStore(thumbnail, sprites=sprites)
        for _ in range(3):
            result = store.get(5, SPRITE)
            assert result is not None
            assert result.shape == (18, 24, 3)
            assert store.get(0, SPRITE) is None
        assert store.get(5, 56) is not None
    assert decoded.count(5) == 3  # once small, and once larger in each run
    assert decoded.count(0) == 2


def test_the_store_is_bounded() -> None:
    decoded: list[int] = []

    def thumbnail(row: int) -> Image.Image:
        decoded.append(row)
        return picture(row)

    size = 24 * 18 * 3
    store = PictureStore(thumbnail, room=3 * size)
    for row in (1, 2, 3, 1, 4, 1, 2):
        store.get(row, SPRITE)
    assert decoded == [1, 2, 3, 4, 2]


@pytest.mark.parametrize("n", [3000, 20_000])
def test_on_a_clustered_map_images_move_only_a_little(n: int) -> None:
    """Half of them by two cells at most, none by more than a fifteenth of the map."""
    rng = np.random.default_rng(0)
    middles, widths, crowd = rng.random((300, 2)), rng.gamma(2, 0.012, 300), rng.integers(0, 300, n)
    layout = fit_unit_square(middles[crowd] + rng.normal(size=(n, 2)) * widths[crowd, None])
    view = MapView(layout, version="1", thumbnail=picture)
    drawn, side = view.arrangement(), 2**view.max_zoom
    moved = np.hypot(drawn.column - np.floor(view.source.x * side), drawn.row - np.floor(view.source.y * side))
    assert np.median(moved) <= 2
    assert moved.max() <= side / 15
