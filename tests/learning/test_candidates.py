"""Which images a round looks at past a million: brute force over all pairs is the reference."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.errors import LearningError
from bam_engine.learning import choose_candidates, choose_seeds, merge_neighbours, nearest_neighbours

Half = npt.NDArray[np.float16]


def grid(n: int, d: int, seed: int) -> Half:
    """Vectors of few different, exact numbers: many are equally like one another."""
    return np.random.default_rng(seed).integers(-2, 3, size=(n, d)).astype(np.float16)


def by_hand(vectors: Half, seed: int, count: int, among: list[int]) -> list[int]:
    """All others, sorted by likeness, the lower row first among equals."""
    likeness = {row: float(vectors[row].astype(np.float64) @ vectors[seed].astype(np.float64)) for row in among}
    order = sorted(likeness, key=lambda row: (-likeness[row], row))
    return [row for row in order if row != seed][:count]


@given(st.integers(0, 40), st.integers(1, 6), st.integers(1, 12), st.integers(0, 99))
def test_neighbours_are_the_most_similar_of_all_ties_by_row(m: int, d: int, count: int, seed: int) -> None:
    vectors = grid(30, d, seed)
    seeds = np.random.default_rng(seed).permutation(30)[: min(m, 30)]
    found = nearest_neighbours(vectors, seeds, count=count)
    assert found.rows.shape == (len(seeds), count)
    for line, image in zip(found.rows, seeds, strict=True):
        assert line[line >= 0].tolist() == by_hand(vectors, int(image), count, list(range(30)))


def test_over_many_blocks_nothing_is_lost() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(9000, 8)).astype(np.float16)
    seeds = rng.choice(9000, 40, replace=False)
    vectors[8000:] = vectors[seeds[0]]  # a thousand equal ones, late
    found = nearest_neighbours(vectors, seeds, count=300)
    exact = vectors.astype(np.float32) @ vectors[seeds].astype(np.float32).T
    exact[seeds, np.arange(40)] = -np.inf
    for number in range(40):
        best = np.sort(exact[:, number])[::-1][:300]
        np.testing.assert_allclose(found.similarity[number], best, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(exact[found.rows[number], number], best, rtol=1e-5, atol=1e-5)
        assert len(set(found.rows[number].tolist())) == 300
        assert int(seeds[number]) not in found.rows[number]


def test_a_late_image_that_is_slightly_more_similar_takes_the_place_of_an_early_one() -> None:
    vectors = np.tile(np.array([[1, 0]], np.float16), (7000, 1))
    vectors[0] = [1, 2**-6]
    vectors[6900:6905, 1] = 2**-5
    assert nearest_neighbours(vectors, [0], count=8).rows[0].tolist() == [*range(6900, 6905), 1, 2, 3]


def test_with_fewer_images_than_requested_the_places_stay_empty() -> None:
    found = nearest_neighbours(grid(4, 3, 0), [2], count=6)
    assert found.rows[0, 3:].tolist() == [-1] * 3
    assert sorted(found.rows[0, :3].tolist()) == [0, 1, 3]
    assert found.similarity[0, 3:].tolist() == [-np.inf] * 3


@given(st.integers(0, 99), st.integers(1, 29))
def test_what_came_later_merged_in_is_what_one_look_at_all_finds(seed: int, old: int) -> None:
    vectors = grid(30, 3, seed)
    seeds = np.random.default_rng(seed).permutation(old)[:5]
    before = nearest_neighbours(vectors[:old], seeds, count=7)
    found = merge_neighbours(before, nearest_neighbours(vectors, seeds, count=7, among=np.arange(old, 30)))
    whole = nearest_neighbours(vectors, seeds, count=7)
    assert found.rows.tolist() == whole.rows.tolist()
    assert found.similarity.tolist() == whole.similarity.tolist()


def test_a_search_among_some_finds_only_those() -> None:
    vectors, among = grid(30, 3, 5), [1, 4, 8, 9, 20, 29]
    found = nearest_neighbours(vectors, [4, 7], count=4, among=among)
    assert found.rows[0].tolist() == by_hand(vectors, 4, 4, among)
    assert found.rows[1].tolist() == by_hand(vectors, 7, 4, among)


def test_an_image_without_a_vector_and_a_senseless_count_are_refused() -> None:
    with pytest.raises(LearningError, match="0 to 29"):
        nearest_neighbours(grid(30, 3, 0), [30])
    with pytest.raises(LearningError, match="at least 1"):
        nearest_neighbours(grid(30, 3, 0), [0], count=0)


def test_positives_come_first_then_those_in_doubt() -> None:
    rows, labels, uncertainty = [3, 5, 8, 9, 11], [0, 1, 0, 1, 0], [0.1, 9, 5, 8, np.nan]
    assert choose_seeds(rows, labels, uncertainty=uncertainty).tolist() == [9, 5, 3, 8, 11]
    assert choose_seeds(rows, labels).tolist() == [5, 9, 3, 8, 11]
    assert choose_seeds(rows, labels, uncertainty=uncertainty, limit=3).tolist() == [9, 5, 3]


@given(st.integers(1, 60), st.integers(0, 99), st.floats(0, 1), st.integers(0, 30))
def test_candidates_are_the_neighbours_in_the_pool_and_a_random_share(
    size: int, seed: int, share: float, fewest: int
) -> None:
    rng = np.random.default_rng(seed)
    pool = np.sort(rng.choice(80, size, replace=False))
    near = rng.integers(-1, 80, size=(4, 3))
    found = choose_candidates(pool, near, fraction=share, min_random=fewest, rng=np.random.default_rng(seed))
    assert found.tolist() == sorted(set(found.tolist()))
    assert set(found.tolist()) <= set(pool.tolist())
    wanted = set(near.ravel().tolist()) & set(pool.tolist())
    assert wanted <= set(found.tolist())
    drawn = min(size, max(fewest, round(share * size)))
    assert max(drawn, len(wanted)) <= len(found) <= drawn + len(wanted)


def test_the_random_share_comes_from_the_whole_pool_evenly() -> None:
    pool, rng = np.arange(100, 150), np.random.default_rng(1)
    times = np.zeros(150)
    for _ in range(2000):
        times[choose_candidates(pool, [[-1]], fraction=0.2, min_random=0, rng=rng)] += 1
    assert times[:100].sum() == 0
    np.testing.assert_allclose(times[100:] / 2000, 0.2, atol=0.05)


def test_a_pool_of_few_images_is_looked_at_whole() -> None:
    pool = np.arange(0, 5000, 2)
    assert choose_candidates(pool, [[1, 3]], rng=np.random.default_rng(0)).tolist() == pool.tolist()


def test_an_empty_pool_and_a_share_beyond_one_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(LearningError, match="No images are left"):
        choose_candidates([], [[1]], rng=rng)
    with pytest.raises(LearningError, match="between 0 and 1"):
        choose_candidates([1], [[1]], fraction=1.5, rng=rng)
