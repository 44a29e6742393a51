"""Near-duplicates of a whole collection: every pair is right, few are missed, and groups do not chain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.learning import TABLES, NearDuplicateSearch, representatives, unique_pairs
from bam_engine.learning.duplicate_filter import DuplicateFilter, squared_limit


def all_pairs(vectors: np.ndarray) -> set[tuple[int, int]]:
    """Every pair within the limit, by measuring all distances."""
    there = np.flatnonzero(vectors.any(axis=1))
    limit, wide = squared_limit(vectors, there), vectors.astype(np.float64)
    square = ((wide[there, None] - wide[None, there]) ** 2).sum(axis=2)
    return {(int(there[i]), int(there[j])) for i, j in np.argwhere(square <= limit) if i < j}


def found_pairs(search: NearDuplicateSearch, tables: int = TABLES) -> np.ndarray:
    return unique_pairs(np.concatenate([search.find_pairs(number) for number in range(tables)]))


def collection(count: int, copies: int, seed: int = 0, dim: int = 24) -> np.ndarray:
    """Clusters, of which some vectors are copied a little off."""
    rng = np.random.default_rng(seed)
    spread = np.arange(1, dim + 1) ** -0.5
    vectors = rng.normal(size=(20, dim))[rng.integers(0, 20, count)] * spread + rng.normal(size=(count, dim)) * spread
    vectors += 2
    if copies:
        chosen = rng.choice(count, copies, replace=False)
        off = rng.normal(size=(copies, dim)) * 0.1 * rng.random((copies, 1)) * np.sqrt(vectors.var(axis=0).sum() / dim)
        vectors[chosen] = vectors[rng.choice(count, copies)] + off
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def test_no_pair_is_wrong_and_hardly_one_is_missed() -> None:
    vectors = collection(1500, 300)
    expected = all_pairs(vectors)
    search = NearDuplicateSearch(vectors)
    found = {(int(i), int(j)) for i, j in found_pairs(search)}
    first = {pair for pair in expected if search.first[pair[0]] == pair[0] and search.first[pair[1]] == pair[1]}
    assert len(first) > 200
    assert found <= expected
    assert len(found) >= 0.99 * len(first)


def test_what_is_found_is_what_a_batch_calls_a_near_duplicate() -> None:
    vectors = collection(400, 100)
    for one, other in found_pairs(NearDuplicateSearch(vectors))[:50]:
        batch = DuplicateFilter(vectors, np.arange(400), [one])
        assert batch.queried_before([int(other)]) == {int(other)}


def test_identical_vectors_are_one_and_those_without_a_vector_are_like_none() -> None:
    vectors = collection(3000, 0)
    vectors[500:2500] = vectors[7]  # more than any bucket is compared
    vectors[100:120] = 0
    search = NearDuplicateSearch(vectors)
    groups = representatives(search.first, found_pairs(search))
    assert (groups[500:2500] == groups[7]).all()
    assert groups[100:120].tolist() == list(range(100, 120))


def test_a_minus_nought_is_no_vector() -> None:
    vectors = collection(50, 0)
    vectors[3], vectors[4] = -0.0, -0.0
    search = NearDuplicateSearch(vectors)
    assert representatives(search.first, found_pairs(search))[[3, 4]].tolist() == [3, 4]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.data())
def test_a_group_is_led_by_its_lowest_row_and_all_are_near_it(n: int, data: st.DataObject) -> None:
    higher = st.integers(0, n - 2).flatmap(lambda low: st.tuples(st.just(low), st.integers(low + 1, n - 1)))
    pairs = data.draw(st.lists(higher, max_size=20)) if n > 1 else []
    groups = representatives(np.arange(n, dtype=np.int32), np.array(pairs, np.int32).reshape(-1, 2))
    leader: dict[int, int] = {}
    for row in range(n):  # the definition
        if row not in leader:
            leader[row] = row
            for low, high in pairs:
                if low == row:
                    leader.setdefault(high, row)
    assert groups.tolist() == [leader[row] for row in range(n)]


def test_a_chain_does_not_become_one_group() -> None:
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 4]], np.int32)
    assert representatives(np.arange(5, dtype=np.int32), pairs).tolist() == [0, 0, 2, 2, 4]


def test_tables_are_the_same_each_time_and_differ_from_one_another() -> None:
    vectors = collection(4000, 1500)
    one, again = NearDuplicateSearch(vectors), NearDuplicateSearch(vectors)
    assert np.array_equal(one.find_pairs(3), again.find_pairs(3))
    assert len(found_pairs(one, 2)) > len(found_pairs(one, 1))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_handful_of_images_is_no_trouble(count: int) -> None:
    vectors = collection(5, 0)[:count]
    search = NearDuplicateSearch(vectors)
    assert representatives(search.first, found_pairs(search)).tolist() == list(range(count))


def test_a_collection_of_one_vector_is_one_group() -> None:
    vectors = np.tile(np.array([[0.6, 0.8]], np.float16), (300, 1))
    search = NearDuplicateSearch(vectors)
    assert not representatives(search.first, found_pairs(search)).any()
