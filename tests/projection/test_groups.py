"""Maps coloured by groups, in two themes, with the points outside a selection in grey."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from bam_engine.errors import NotFound, ProjectionError
from bam_engine.projection import MapView, TileSource, colours, plan_zooms, shading
from bam_engine.projection.categories import Categories, grouped
from bam_engine.projection.shading import DENSITY, DENSITY_LOG, by_category, by_score, draw
from bam_engine.projection.view_sources import Sources


def opened(tile: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(tile)).convert("RGBA"))


def crowd(n: int = 30_000, seed: int = 0) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(0.5, 0.15, (n, 2)), 0, 1).astype(np.float32)


def test_the_twelve_largest_groups_are_named_and_the_rest_are_others() -> None:
    rng = np.random.default_rng(1)
    codes = rng.choice(20, 5000, p=np.arange(1, 21) / 210) - 1  # -1 is the rarest
    names = tuple(f"project {code}" for code in range(19))
    result = grouped(np.arange(5000), Categories("Project", names, codes, none="no project"))
    sizes = Counter(codes.tolist())
    largest = sorted(range(19), key=lambda code: (-sizes[code], code))
    assert result.names == ("no project", "others", *(names[code] for code in largest[:12]))
    assert result.counts == (
        sizes[-1],
        sum(sizes[code] for code in largest[12:]),
        *(sizes[code] for code in largest[:12]),
    )
    assert [result.names[code] for code in result.codes[:50] if code > 1] == [
        names[code] for code in codes[:50].tolist() if code in largest[:12]
    ]


def test_a_group_code_without_a_name_is_rejected() -> None:
    with pytest.raises(ProjectionError, match="must be -1 to 0"):
        grouped(np.arange(3), Categories("", ("one",), np.array([0, 1, 0])))


@pytest.mark.parametrize("z", [0, 1, 2])
def test_each_pixel_shows_the_group_of_most_of_its_images(z: int) -> None:
    """Against the definition: a count of groups pixel by pixel, on a sheet as on tiles of their own."""
    layout = crowd()
    codes = np.random.default_rng(2).integers(-1, 5, len(layout)) * (layout[:, 0] > 0.45)
    source = TileSource.build(layout)
    drawn = by_category(source, Categories("", tuple("abcde"), codes))
    assert drawn.groups is not None
    side = 256 * 2**z
    tally = np.zeros((side, side, len(drawn.groups.names)), int)
    pixels = np.minimum((layout.astype(float) * side).astype(int), side - 1)
    own = np.empty(len(layout), int)
    own[source.rows] = drawn.groups.codes
    np.add.at(tally, (pixels[:, 1], pixels[:, 0], own), 1)
    expected = tally.shape[2] - 1 - tally[..., ::-1].argmax(axis=2)  # of as many the higher code
    plan = plan_zooms(source)
    plan = type(plan)(
        tuple(type(zoom)(0.0, zoom.shade) for zoom in plan.zooms),
        plan.picture_from_zoom,
        plan.max_zoom,
        plan.shown_depth,
    )
    sheet = shading.render_zoom(source, plan, drawn, z)
    np.testing.assert_array_equal(
        (sheet.astype(int) - 1) // colours.SHADES, np.where(tally.sum(axis=2) > 0, expected, -1)
    )
    for x in range(2**z):
        for y in range(2**z):
            alone, cut = (draw(source, plan, drawn, z, x, y, sheet=each) for each in (None, sheet))
            if alone is None:
                assert cut is None
            else:
                np.testing.assert_array_equal(alone, cut)


@pytest.mark.parametrize("kind", ["density", "log", "score", "category"])
@pytest.mark.parametrize("picked", [False, True])
def test_a_tile_cut_from_a_sheet_is_the_tile_drawn_alone(kind: str, picked: bool) -> None:
    layout = crowd(3000)
    source = TileSource.build(layout)
    drawn = {
        "density": DENSITY,
        "log": DENSITY_LOG,
        "score": by_score(source, layout[:, 0]),
        "category": by_category(source, Categories("", ("a", "b"), np.arange(3000) % 3 - 1)),
    }[kind]
    plan, only = plan_zooms(source), source.rows % 2 == 0 if picked else None
    assert plan.zooms[2].radius > 0, "marks reach over edges"
    sheet = shading.render_zoom(source, plan, drawn, 2, only=only)
    for x in range(4):
        for y in range(4):
            alone = draw(source, plan, drawn, 2, x, y, only=only)
            cut = draw(source, plan, drawn, 2, x, y, only=only, sheet=sheet)
            if alone is None or cut is None:
                assert cut is alone
            else:
                np.testing.assert_array_equal(cut, alone)


def test_the_logarithm_tells_a_hundred_from_a_thousand_where_equal_shares_do_not() -> None:
    layout = np.concatenate([np.full((1000, 2), 0.2), np.full((100, 2), 0.5), np.full((10, 2), 0.8), [[0.9, 0.1]]])
    shade = plan_zooms(TileSource.build(layout)).zooms[2].log_shade.astype(int)
    assert shade[0] == 0
    assert shade[1] == 1
    assert np.abs(np.diff(shade[[1, 10, 100, 1000]]) - 254 / 3).max() <= 1


def test_points_outside_a_selection_are_grey_and_those_inside_keep_their_colours() -> None:
    layout = [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75]]
    drawn = {"scores": {"a": [0.0, 1.0, 1.0]}, "thumbnail": lambda row: None, "version": "1"}
    view = MapView(layout, **drawn, sources=Sources(selection={"some": [0, 1]}.__getitem__))
    every, some = (opened(view.tile("score-a", 0, 0, 0, only=only)).astype(int) for only in (None, "some"))
    for at in ((64, 64), (64, 192)):
        np.testing.assert_array_equal(some[at], every[at])
    grey = some[192, 64]
    assert np.ptp(grey[:3]) < 6 < np.ptp(every[192, 64, :3])
    assert grey[3] > 0


def test_a_grey_mark_never_covers_a_coloured_one() -> None:
    layout = np.full((50, 2), 0.5)
    source = TileSource.build(layout)
    for only in (source.rows == 0, source.rows == 49):
        tile = draw(source, plan_zooms(source), by_score(source, np.ones(50)), 0, 0, 0, only=only)
        assert tile is not None
        assert np.ptp(tile[128, 128, :3].astype(int)) > 40


def test_an_unknown_selection_or_theme_is_rejected() -> None:
    view = MapView([[0.5, 0.5]], version="1", thumbnail=lambda row: None)
    with pytest.raises(NotFound, match="selection"):
        view.tile("density", 0, 0, 0, only="nothing")
    with pytest.raises(NotFound, match="theme"):
        view.tile("density", 0, 0, 0, theme="sepia")


def test_rows_of_a_selection_that_are_not_on_the_map_do_not_matter() -> None:
    view = MapView(
        [[0.5, 0.5]], rows=[7], version="1", thumbnail=lambda row: None, sources=Sources(selection=lambda _: [9, 7])
    )
    assert view.selected("x").tolist() == [True]


def luminance(colour: np.ndarray) -> float:
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(("theme", "page"), [("light", 1.0), ("dark", 0.07)])
def test_colours_stand_out_from_the_page_and_from_one_another(theme: str, page: float) -> None:
    """At least 2:1 against the page at full strength (a mark beside others, not text); hues that differ."""
    roles = tuple(str(number) for number in range(colours.MAX_GROUPS))
    table = colours.groups(roles, theme).astype(float)[colours.SHADES :: colours.SHADES, :3] / 255
    ground = luminance(np.full(3, page))
    for colour in table:
        light, dark = sorted((luminance(colour), ground), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 2
    apart = np.linalg.norm(table[:, None] - table[None], axis=2) + np.eye(len(table))
    assert apart.min() > 0.15


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_legend_counts_the_images_of_each_group(theme: str) -> None:
    codes = [0] * 3 + [1] * 5 + [-1] * 2
    categories = Categories("Project", ("few", "many", "nobody"), codes, none="no project")
    view = MapView(
        crowd(10),
        version="1",
        thumbnail=lambda row: None,
        labels={"media_comic": [1, 1, 0]},
        sources=Sources(categories={"project": lambda: categories}),
    )
    legend = view.legend("category-project", theme)
    assert legend["title"] == "Project"
    assert [(one["label"], one["count"]) for one in legend["swatches"]] == [
        ("many", 5),
        ("few", 3),
        ("no project", 2),
    ]
    accepted = view.legend("accepted-media_comic", theme)["swatches"]
    assert [(one["label"], one["count"]) for one in accepted] == [("accepted", 2), ("rejected", 1), ("not labelled", 7)]


def test_a_swatch_of_the_legend_stands_for_the_images_that_it_counts() -> None:
    codes = [*range(14), 0, 1, -1, -1]  # two groups have two images, the others one: the smallest two are "others"
    names = tuple(f"p{number}" for number in range(14))
    view = MapView(
        crowd(20),
        version="1",
        thumbnail=lambda row: None,
        labels={"media_comic": [1, 1, 0]},
        sources=Sources(categories={"project": lambda: Categories("Project", names, codes, none="no project")}),
    )
    for kind in ("category-project", "accepted-media_comic"):
        swatches = {one["label"]: one["count"] for one in view.legend(kind)["swatches"]}  # type: ignore[attr-defined]
        rows = {label: view.rows_of_swatch(kind, label).tolist() for label in swatches}
        assert {label: len(own) for label, own in rows.items()} == swatches
        assert sorted(row for own in rows.values() for row in own) == list(range(20)), "each image has one swatch"
        assert all(own == sorted(own) for own in rows.values())
    assert view.rows_of_swatch("category-project", "p0").tolist() == [0, 14]
    assert view.rows_of_swatch("category-project", "no project").tolist() == [16, 17, 18, 19]
    assert view.rows_of_swatch("accepted-media_comic", "rejected").tolist() == [2]
    for kind, label in (("category-project", "nobody"), ("density", "few")):
        with pytest.raises(NotFound, match=label):
            view.rows_of_swatch(kind, label)


def test_a_colouring_is_made_on_first_use_and_cached_until_its_data_change() -> None:
    asked = []

    def find() -> Categories:
        asked.append(1)
        return Categories("", ("a",), np.zeros(10, int))

    def view(stamp: str, earlier: MapView | None = None) -> MapView:
        sources = Sources(categories={"x": find}, kind_versions={"category-x": stamp})
        return MapView(crowd(10), version="v", thumbnail=lambda row: None, sources=sources, previous=earlier)

    first = view("1")
    assert first.kinds() == ("density", "density-log", "category-x")
    assert not asked
    first.tile("category-x", 0, 0, 0)
    first.tile("category-x", 1, 0, 0)
    view("1", first).tile("category-x", 0, 0, 0)
    assert len(asked) == 1
    view("2", first).tile("category-x", 0, 0, 0)
    assert len(asked) == 2
