"""Tiles show their points, join without seams, and pictures are where the map says."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bam_engine.errors import NotFound
from bam_engine.projection import DEEPEST, MapView, TileSource, plan_zooms
from bam_engine.projection.categories import Categories
from bam_engine.projection.shading import DENSITY, DENSITY_LOG, Colouring, by_category, by_label, by_score, draw
from bam_engine.projection.zoom_plan import Zoom, ZoomPlan

COLOURS = {0: (200, 30, 30), 1: (30, 200, 30), 2: (30, 30, 200)}


def plain(row: int) -> Image.Image:
    return Image.new("RGB", (120, 90), COLOURS[row % 3])


def opened(tile: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(tile)).convert("RGBA"))


def with_radius(plan: ZoomPlan, radius: float) -> ZoomPlan:
    zooms = tuple(Zoom(radius, zoom.shade) for zoom in plan.zooms)
    return replace(plan, zooms=zooms)


@pytest.fixture(scope="module")
def cloud() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.clip(rng.normal(0.5, 0.15, size=(4000, 2)), 0, 1).astype(np.float32)


@pytest.mark.parametrize("z", [0, 1, 3])
def test_exactly_the_pixels_under_points_are_drawn(cloud: np.ndarray, z: int) -> None:
    source = TileSource.build(cloud)
    plan = with_radius(plan_zooms(source), 0)
    side = 256 * 2**z
    expected = np.zeros((side, side), dtype=bool)
    pixels = np.minimum((cloud.astype(float) * side).astype(int), side - 1)
    expected[pixels[:, 1], pixels[:, 0]] = True
    result = np.zeros_like(expected)
    for x in range(2**z):
        for y in range(2**z):
            tile = draw(source, plan, DENSITY, z, x, y)
            if tile is not None:
                result[256 * y : 256 * y + 256, 256 * x : 256 * x + 256] = tile[..., 3] > 0
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("kind", ["density", "density-log", "score", "unscored", "accepted"])
@pytest.mark.parametrize("radius", [0.0, 4.5])
@pytest.mark.parametrize("picked", [False, True])
def test_few_points_are_drawn_as_datashader_draws_them(
    cloud: np.ndarray, kind: str, radius: float, picked: bool
) -> None:
    """Both ways over the same points, many of them on one pixel, on an edge or at the end of the map."""
    rng = np.random.default_rng(5)
    layout = np.concatenate([np.round(cloud * 300) / 300, cloud[:300] * 0 + rng.choice([0, 0.25, 0.5, 1], (300, 2))])
    scores = rng.normal(size=len(layout))
    scores[rng.random(len(layout)) < 0.4] = np.nan
    source = TileSource.build(layout)
    built: Colouring = {
        "density": DENSITY,
        "density-log": DENSITY_LOG,
        "score": by_score(source, np.nan_to_num(scores)),
        "unscored": by_score(source, scores),
        "accepted": by_label(source, np.sign(scores)),
    }[kind]
    plan, only = with_radius(plan_zooms(source), radius), source.rows % 3 == 0 if picked else None
    for z, x, y in [(0, 0, 0), *((2, x, y) for x in range(4) for y in range(4)), (6, 32, 32), (6, 63, 63)]:
        drawn = [draw(source, plan, built, z, x, y, only=only, few=few) for few in (0, 10**9)]
        if drawn[0] is None or drawn[1] is None:
            assert drawn[0] is drawn[1]
        else:
            np.testing.assert_array_equal(drawn[1], drawn[0])


@pytest.mark.parametrize("kind", ["density", "density-log", "score", "accepted", "category"])
@pytest.mark.parametrize("picked", [False, True])
def test_four_tiles_join_without_a_seam(cloud: np.ndarray, kind: str, picked: bool) -> None:
    """Marks across an edge are the same in a tile whose middle the edge is: the map moved by half a tile."""
    half = 0.5 / 8
    cloud = cloud[(cloud < 1 - half).all(axis=1)][:800]
    scores = np.random.default_rng(1).normal(size=len(cloud))
    scores[::7] = np.nan
    pictures = []
    for layout in (cloud, cloud + np.float32(half)):
        source = TileSource.build(layout)
        plan = with_radius(plan_zooms(source), 4.5)
        built: Colouring = {
            "density": DENSITY,
            "density-log": DENSITY_LOG,
            "category": by_category(source, Categories("", tuple("abc"), np.arange(len(cloud)) % 4 - 1)),
            "score": by_score(source, scores),
            "accepted": by_label(source, np.sign(np.nan_to_num(scores))),
        }[kind]
        pictures.append((source, plan, built))

    def tile(moved: int, x: int, y: int) -> np.ndarray:
        source, plan, built = pictures[moved]
        only = source.rows % 3 == 0 if picked else None
        drawn = draw(source, plan, built, 3, x, y, only=only)
        return np.zeros((256, 256, 4), np.uint8) if drawn is None else drawn

    joined = np.block([[[tile(0, 3, 3)], [tile(0, 4, 3)]], [[tile(0, 3, 4)], [tile(0, 4, 4)]]])
    np.testing.assert_array_equal(joined[128:384, 128:384], tile(1, 4, 4))


def test_single_points_are_marks_of_a_size_and_crowded_ones_pixels() -> None:
    alone = plan_zooms(TileSource.build([[0.5, 0.5]]))
    assert alone.zooms[0].radius == 6
    crowd = plan_zooms(TileSource.build(np.random.default_rng(0).random((60_000, 2))))
    assert crowd.zooms[0].radius == 0
    assert crowd.zooms[6].radius > 0


def test_the_denser_pixel_has_the_stronger_shade_the_same_in_every_tile() -> None:
    layout = np.concatenate([np.full((9, 2), 0.2), np.full((3, 2), 0.8), np.random.default_rng(0).random((50, 2))])
    shade = plan_zooms(TileSource.build(layout)).zooms[4].shade
    assert shade[0] == 0 < shade[1] < shade[3] < shade[9]


def test_the_zoom_plan_counts_the_points_of_the_tiles(cloud: np.ndarray) -> None:
    """The zoom of pictures is the first whose median occupied 32-pixel cell holds twelve images at most."""
    result = plan_zooms(TileSource.build(cloud)).picture_from_zoom
    medians = []
    for z in range(result + 1):
        cells = (cloud.astype(float) * 8 * 2**z).astype(int)
        medians.append(np.median(np.unique(cells, axis=0, return_counts=True)[1]))
    assert medians[-1] <= 12
    assert all(median > 12 for median in medians[:-1])


def test_higher_scores_have_other_colours_and_unscored_images_are_grey() -> None:
    source = TileSource.build([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]])
    tile = draw(source, plan_zooms(source), by_score(source, [0.0, np.nan, 1.0]), 0, 0, 0)
    assert tile is not None
    low, unscored, high = (tile[at, at, :3].astype(int) for at in (25, 128, 230))
    assert np.ptp(unscored) < 20
    assert np.ptp(high) > 100
    assert (low != high).any()


def test_an_accepted_image_is_shown_above_others_on_its_pixel() -> None:
    source = TileSource.build([[0.5, 0.5]] * 3)
    every = draw(source, plan_zooms(source), by_label(source, [0, 1, -1]), 0, 0, 0)
    rejected = draw(source, plan_zooms(source), by_label(source, [0, 0, 7]), 0, 0, 0)
    assert every is not None
    assert rejected is not None
    assert int(every[128, 128, 0]) - int(every[128, 128, 2]) > 100
    assert np.ptp(rejected[128, 128, :3].astype(int)) < 40


def test_where_marks_overlap_the_accepted_image_is_the_one_seen() -> None:
    source = TileSource.build([[100.5 / 256, 0.5], [106.5 / 256, 0.5], [112.5 / 256, 0.5]])
    tile = draw(source, plan_zooms(source), by_label(source, [-1, 1, 0]), 0, 0, 0)
    assert tile is not None
    across = tile[128, 102:112, :3].astype(int)
    assert (across[:, 0] - across[:, 2] > 100).all()


def test_pictures_are_in_their_cells_and_a_position_on_one_gives_its_row() -> None:
    layout = [[0.1, 0.1], [0.15, 0.1], [0.9, 0.6]]
    view = MapView(layout, version="1", thumbnail=plain, scores={"media_comic": [0.0, 2.0, 1.0]})
    assert view.picture_from_zoom == 0
    tile = opened(view.tile("pictures-density", 0, 0, 0))
    assert tile.shape == (256, 256, 4)
    assert view.plan.pictures_across(0) == 2
    assert np.abs(tile[64, 64, :3].astype(int) - COLOURS[0]).max() < 12  # of two as near to the mean the first
    assert np.abs(tile[192, 192, :3].astype(int) - COLOURS[2]).max() < 12
    assert tile[..., 3][:128, 128:].max() == 0
    by_score = opened(view.tile("pictures-score-media_comic", 0, 0, 0))
    assert np.abs(by_score[64, 64, :3].astype(int) - COLOURS[1]).max() < 12  # the best of its cell
    assert view.row_at(0.02, 0.24, 0.0, kind="score-media_comic", zoom=0) == 1
    assert view.row_at(0.02, 0.24, 0.0, zoom=None) is None
    result = view.image_at(0.02, 0.24, 0.0, kind="score-media_comic", zoom=0)
    assert result is not None
    assert (result["row"], result["score"], result["box"]) == (1, 2.0, [0.0, 0.0, 0.5, 0.5])


def test_a_missing_picture_leaves_its_cell_empty() -> None:
    view = MapView([[0.1, 0.1]], version="1", thumbnail=lambda row: None)
    assert opened(view.tile("pictures-density", 0, 0, 0))[..., 3].max() == 0


@pytest.mark.parametrize("count", [0, 1])
def test_no_image_and_one_image_make_a_map(count: int) -> None:
    view = MapView(np.full((count, 2), 0.5), version="1", thumbnail=plain, scores={"a": []}, labels={"a": []})
    for kind in view.kinds():
        assert (opened(view.tile(kind, 0, 0, 0))[..., 3].max() > 0) == bool(count)
        assert view.legend(kind)["title"]
    assert view.row_at(0.5, 0.5, 0.1) == (0 if count else None)
    assert view.max_zoom >= view.picture_from_zoom


def test_identical_and_missing_places_make_a_map() -> None:
    layout = np.full((500, 2), 0.25)
    layout[::5] = np.nan
    view = MapView(layout, version="1", thumbnail=plain)
    assert len(view) == 400
    assert view.max_zoom <= DEEPEST
    assert opened(view.tile("density", view.max_zoom, *[2**view.max_zoom // 4] * 2))[..., 3].max() > 0
    assert view.row_at(0.25, 0.25, 0.01) == 1


@pytest.mark.parametrize(
    ("kind", "tile"),
    [
        ("density", (0, 0, 1)),
        ("density", (-1, 0, 0)),
        ("density", (DEEPEST + 1, 0, 0)),
        ("score-nothing", (0, 0, 0)),
        ("accepted-", (0, 0, 0)),
        ("pictures-score-nothing", (9, 0, 0)),
        ("pictures-density", (0, 0, 0)),
        ("pictures", (9, 0, 0)),
        ("", (0, 0, 0)),
    ],
)
def test_an_unknown_tile_or_kind_is_rejected(cloud: np.ndarray, kind: str, tile: tuple[int, int, int]) -> None:
    view = MapView(cloud, version="1", thumbnail=plain, scores={"media_comic": np.zeros(len(cloud))})
    with pytest.raises(NotFound):
        view.tile(kind, *tile)


def test_scores_and_labels_are_by_image_row_on_a_partial_map() -> None:
    source = TileSource.build([[0.1, 0.1], [0.9, 0.9]], rows=[5, 2])
    np.testing.assert_array_equal(by_score(source, [0, 1, 2, 3, 4, 5]).values, [5, 2])
    np.testing.assert_array_equal(by_label(source, [0, 0, 1]).values, [-1, 1])


def test_the_bounds_are_those_of_the_points():
    places = [[0.2, 0.3], [0.6, 0.4], [np.nan, 0.9]]
    result = MapView(places, version="1", thumbnail=lambda row: None).bounds
    assert result == pytest.approx((0.2, 0.3, 0.6, 0.4))
    assert MapView(np.empty((0, 2)), version="1", thumbnail=lambda row: None).bounds == (0, 0, 1, 1)
