"""Regions of a map are its clusters, finer ones within coarser ones, named after distinctive traits."""

import numpy as np
import pytest

from bam_engine.formatting import percent
from bam_engine.projection.density_regions import MIN_IMAGES, RegionTree, find_regions
from bam_engine.projection.naming import PRIOR, Traits, distinctive_trait, log_odds_ratio, name_regions


def crowd(rng: np.random.Generator, x: float, y: float, width: float, count: int) -> np.ndarray:
    return np.array([x, y]) + width * rng.normal(size=(count, 2))


@pytest.fixture(scope="module")
def islands() -> tuple[np.ndarray, np.ndarray]:
    """Three crowds of 400, the third made of two close ones."""
    rng = np.random.default_rng(0)
    middles = [(0.2, 0.2), (0.8, 0.3), (0.5, 0.78), (0.58, 0.78)]
    parts = [crowd(rng, x, y, 0.015, count) for (x, y), count in zip(middles, (400, 400, 200, 200), strict=True)]
    return np.concatenate(parts).astype(np.float32), np.repeat(np.arange(4), [400, 400, 200, 200])


def regions_of(tree: RegionTree, level: int) -> list[int]:
    return [number for number, area in enumerate(tree.regions) if area.level == level]


def test_each_cluster_is_a_region_with_its_peak_inside(islands: tuple[np.ndarray, np.ndarray]) -> None:
    places, crowd_of = islands
    tree = find_regions(places)
    whose = np.minimum(crowd_of, 2)  # from afar the last two are one
    coarse = regions_of(tree, 1)
    assert len(coarse) == 3
    for number in coarse:
        members = tree.membership[1] == number
        (owner,) = set(whose[members].tolist())
        assert members.sum() == tree.regions[number].count > 0.8 * (whose == owner).sum()
        middle = places[whose == owner].mean(axis=0)
        assert np.hypot(tree.regions[number].x - middle[0], tree.regions[number].y - middle[1]) < 0.06


def test_finer_regions_lie_within_their_parents(islands: tuple[np.ndarray, np.ndarray]) -> None:
    places, crowd_of = islands
    tree = find_regions(places)
    for level in range(1, 4):
        for number in regions_of(tree, level):
            members = tree.membership[level] == number
            assert set(tree.membership[level - 1][members].tolist()) <= {tree.regions[number].parent} or (
                tree.regions[number].parent == -1
            )
    fine = [number for number in regions_of(tree, 2) if places[tree.membership[2] == number][:, 1].mean() > 0.6]
    assert sorted({int(one) for number in fine for one in set(crowd_of[tree.membership[2] == number])}) == [2, 3]
    assert len({tree.regions[number].parent for number in fine}) == 1, "both within the one crowd of the level above"


def test_regions_do_not_depend_on_the_order_of_the_images(islands: tuple[np.ndarray, np.ndarray]) -> None:
    places, _ = islands
    order = np.random.default_rng(1).permutation(len(places))
    tree, mixed = find_regions(places), find_regions(places[order])
    assert tree.regions == mixed.regions
    for one, other in zip(tree.membership, mixed.membership, strict=True):
        np.testing.assert_array_equal(one[order], other)


def test_a_uniform_map_has_hardly_any_regions() -> None:
    even = np.stack(np.meshgrid(np.linspace(0, 1, 60), np.linspace(0, 1, 60)), axis=2).reshape(-1, 2)
    assert len(regions_of(find_regions(even.astype(np.float32)), 0)) <= 1
    for places in (np.empty((0, 2)), np.full((1, 2), 0.5), np.full((30, 2), np.nan), np.array([[0, 0], [1, 1]])):
        tree = find_regions(places.astype(np.float32))
        assert tree.regions == ()
        assert all((inside == -1).all() for inside in tree.membership)


def test_all_images_in_one_point_are_one_area_of_each_level() -> None:
    tree = find_regions(np.full((50, 2), 0.25, np.float32))
    assert [area.count for area in tree.regions] == [50] * 6
    assert [area.parent for area in tree.regions] == [-1, 0, 1, 2, 3, 4]


def test_a_cluster_with_too_few_images_is_no_region() -> None:
    rng = np.random.default_rng(2)
    few = crowd(rng, 0.5, 0.5, 0.002, MIN_IMAGES - 1).astype(np.float32)
    assert find_regions(few).regions == ()
    assert regions_of(find_regions(np.concatenate([few, few[:1]])), 0) == [0]


def traits(
    owners: np.ndarray, *, template: str = "{}", min_share: float = 0.5, name: str = "cat", **more: bool
) -> Traits:
    return Traits((name,), template, min_share, owners.astype(np.int64), np.zeros(len(owners), np.int64), **more)


def test_a_region_is_named_after_a_trait_that_other_images_lack(islands: tuple[np.ndarray, np.ndarray]) -> None:
    places, crowd_of = islands
    tree = find_regions(places, levels=2)
    cats = np.flatnonzero((crowd_of == 0) & (np.arange(len(places)) % 10 != 0))  # nine tenths of the first crowd
    named = name_regions(tree, [traits(cats)], np.arange(len(places)))
    (result,) = [one for one in named if one.region.level == 1] or named
    members = tree.membership[result.region.level] == tree.regions.index(result.region)
    share = np.isin(np.flatnonzero(members), cats).mean()
    assert result.name == "cat"
    assert f"cat: {percent(share)} (" in result.why
    assert f" of {members.sum():,} images here, " in result.why
    assert result.why.endswith("elsewhere")
    assert {one.name for one in named} == {"cat"}


def test_a_trait_that_is_as_frequent_elsewhere_names_nothing(islands: tuple[np.ndarray, np.ndarray]) -> None:
    places, _ = islands
    rng = np.random.default_rng(3)
    everywhere = np.flatnonzero(rng.random(len(places)) < 0.8)
    assert name_regions(find_regions(places), [traits(everywhere)], np.arange(len(places))) == []


def test_many_copies_by_one_author_name_nothing(islands: tuple[np.ndarray, np.ndarray]) -> None:
    places, crowd_of = islands
    cats = np.flatnonzero(crowd_of == 1)
    tree = find_regions(places, levels=1)
    one_maker = np.where(crowd_of == 1, 0, np.arange(len(places)))
    assert name_regions(tree, [traits(cats)], one_maker) == []
    assert len(name_regions(tree, [traits(cats)], np.arange(len(places)))) == 1
    assert len(name_regions(tree, [traits(cats, grouped=False)], one_maker)) == 1, (
        "unless it is the maker that names it"
    )


def test_a_region_is_compared_with_the_rest_of_its_named_ancestor(
    islands: tuple[np.ndarray, np.ndarray],
) -> None:
    places, crowd_of = islands
    fruit, pears = np.flatnonzero(crowd_of >= 2), np.flatnonzero(crowd_of == 3)
    kinds = [traits(fruit, name="fruit"), traits(pears, name="pear", min_share=0.6)]
    named = name_regions(find_regions(places), kinds, np.arange(len(places)))
    assert [one.name for one in named if one.region.level <= 1].count("fruit") >= 1
    below = [one for one in named if one.name == "pear"]
    assert below
    assert all(one.why.endswith("in the rest of fruit") for one in below)
    assert [one.name for one in named if one.region.level >= 2 and one.region.x < 0.54 and one.region.y > 0.6] == []


def test_the_log_odds_ratio_is_that_of_monroe_and_others_less_its_error() -> None:
    within, without = np.array([30, 5]), np.array([10, 40])
    result = log_odds_ratio(within, without, 100, 900)
    for index in range(2):
        a, b = int(within[index]), int(without[index])
        prior = PRIOR * (a + b + 1) / 1002
        delta = np.log((a + prior) / (100 + PRIOR - a - prior)) - np.log((b + prior) / (900 + PRIOR - b - prior))
        assert result[index] == pytest.approx(delta - 1.959964 * np.sqrt(1 / (a + prior) + 1 / (b + prior)))


def test_the_trait_that_is_both_common_here_and_rare_elsewhere_is_chosen() -> None:
    within, without = np.array([900, 300, 850, 999]), np.array([450, 1, 20, 990])
    result = distinctive_trait(within, without, 1000, 1000, min_share=0.25)
    assert result is not None
    assert result.trait == 2
    assert result.inside[0] == 0.85
    assert result.inside[1] < 0.85 < result.inside[2]
    assert result.outside[0] == 0.02
    assert distinctive_trait(within, without, 1000, 1000, min_share=0.95) is None
    assert distinctive_trait(within[:1], without[:1], 1000, 1000, min_share=0.25) is not None
    assert distinctive_trait(within[3:], without[3:], 1000, 1000, min_share=0.25) is None


def test_without_others_to_compare_with_there_is_no_name() -> None:
    assert distinctive_trait(np.array([50]), np.array([0]), 50, 0, min_share=0.5) is None
    assert distinctive_trait(np.array([], int), np.array([], int), 50, 50, min_share=0.5) is None
