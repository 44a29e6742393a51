"""The most alike are those with the largest inner products, ties by row: checked against sorting them all."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bam_engine.errors import LearningError
from bam_engine.learning import most_similar

SIXTEENTHS = st.integers(-16, 16).map(lambda whole: whole / 16)  # their products are exact in float32


def brute_force(vectors: np.ndarray, query: np.ndarray, count: int, searched: np.ndarray) -> list[int]:
    likeness = vectors.astype(np.float64) @ np.asarray(query, np.float64)
    rows = [row for row in np.argsort(-likeness, kind="stable") if row in searched and vectors[row].any()]
    return [int(row) for row in rows[:count]]


def there(found: np.ndarray) -> list[int]:
    return [int(row) for row in found if row >= 0]


def unit(count: int, dim: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


@settings(max_examples=60, deadline=None)
@given(
    vectors=arrays.arrays(np.float16, st.tuples(st.integers(1, 40), st.integers(1, 9)), elements=SIXTEENTHS),
    data=st.data(),
    count=st.integers(1, 45),
)
def test_they_are_the_first_of_all_sorted_by_product_then_row(
    vectors: np.ndarray, data: st.DataObject, count: int
) -> None:
    shape = st.tuples(st.integers(1, 11), st.just(vectors.shape[1]))
    queries = data.draw(arrays.arrays(np.float32, shape, elements=SIXTEENTHS))
    among = data.draw(st.lists(st.integers(0, len(vectors) - 1), unique=True))
    without = data.draw(st.lists(st.integers(0, len(vectors) + 3)))
    searched = np.setdiff1d(among, without)
    found = most_similar(vectors, queries, count, among=np.array(among, np.int64), without=without)
    assert found.rows.shape == (len(queries), count)
    for number, query in enumerate(queries):
        expected = brute_force(vectors, query, count, searched)
        assert there(found.rows[number]) == expected
        products = vectors[expected].astype(np.float64) @ query
        assert found.similarity[number, : len(expected)].tolist() == products.tolist()
        assert np.isneginf(found.similarity[number, len(expected) :]).all()


def test_a_large_collection_is_sorted_out_like_a_small_one() -> None:
    vectors = unit(300_000, 8)
    vectors[np.arange(0, 300_000, 3)] = vectors[0]  # ties across every span
    query = vectors[0].astype(np.float32)
    found = most_similar(vectors, query, 500)
    assert found.rows[0].tolist() == list(range(0, 1500, 3))
    far = most_similar(vectors, -query, 500)
    likeness = vectors.astype(np.float64) @ -query.astype(np.float64)
    assert np.allclose(far.similarity[0], np.sort(likeness)[::-1][:500], rtol=0, atol=1e-6)


def test_the_largest_may_all_lie_where_no_sample_sees_them() -> None:
    vectors = np.zeros((300_000, 2), np.float16)
    vectors[:, 1] = 1
    vectors[1:800:2] = [1, 0]  # between the places that are sampled
    found = most_similar(vectors, [1, 0], 600)
    assert found.rows[0].tolist() == [*range(1, 800, 2), 0, *range(2, 400, 2)]


def test_products_keep_their_value_for_every_float16() -> None:
    bits = np.arange(0x10000, dtype=np.uint32).astype(np.uint16)
    values = bits.view(np.float16)
    values = values[np.isfinite(values)].reshape(-1, 1)
    for queries in ([[1.0]], [[1.0], [0.5], [2.0], [-1.0], [4.0]]):
        found = most_similar(values, queries, len(values))
        rows = there(found.rows[0])
        assert len(rows) == len(values) - 2  # nought and minus nought are no vector
        assert found.similarity[0, : len(rows)].tolist() == sorted(
            values[values != 0].astype(float).tolist(), reverse=True
        )


def test_together_the_similarity_is_that_of_the_most_similar_query() -> None:
    vectors, queries = unit(500, 16), unit(13, 16, seed=1).astype(np.float32)
    likeness = (vectors.astype(np.float64) @ queries.T.astype(np.float64)).max(axis=1)
    found = most_similar(vectors, queries, 40, together=True)
    assert found.rows.shape == (1, 40)
    assert found.rows[0].tolist() == np.argsort(-likeness, kind="stable")[:40].tolist()


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, queries = unit(60_000, 33), unit(5, 33, seed=2)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    alone = most_similar(vectors, queries, 100)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    shared = most_similar(vectors, queries, 100)
    assert np.array_equal(alone.rows, shared.rows)
    assert np.array_equal(alone.similarity, shared.similarity)


def test_a_mask_says_the_same_as_its_rows() -> None:
    vectors, query = unit(100, 4), [1, 0, 0, 0]
    mask = np.arange(100) % 3 == 0
    by_mask = most_similar(vectors, query, 10, among=mask)
    by_rows = most_similar(vectors, query, 10, among=np.flatnonzero(mask)[::-1])
    assert by_mask.rows.tolist() == by_rows.rows.tolist()
    assert mask[by_mask.rows[0]].all()


def test_vectors_that_do_not_lie_side_by_side_are_read_all_the_same() -> None:
    vectors = unit(50, 16)[::2, ::2]
    likeness = vectors.astype(np.float64) @ np.ones(8)
    assert most_similar(vectors, np.ones(8), 5).rows[0].tolist() == np.argsort(-likeness, kind="stable")[:5].tolist()


def test_an_empty_collection_has_nothing_similar() -> None:
    assert most_similar(np.empty((0, 4), np.float16), np.ones(4), 3).rows.tolist() == [[-1, -1, -1]]


@pytest.mark.parametrize(
    ("wanted", "count", "among", "complaint"),
    [
        ([1.0, 0.0], 3, None, "shape"),
        ([1.0, np.nan, 0, 0], 3, None, "finite"),
        ([1e9, 0, 0, 0], 3, None, "unit vector"),
        ([1.0, 0, 0, 0], 0, None, "at least 1"),
        ([1.0, 0, 0, 0], 3, [0, 50], "50"),
        ([1.0, 0, 0, 0], 3, [-1], "there are"),
        ([1.0, 0, 0, 0], 3, [True, False], "does not match"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_with_a_reason(
    wanted: list[float], count: int, among: list[int] | None, complaint: str
) -> None:
    with pytest.raises(LearningError, match=complaint):
        most_similar(unit(50, 4), wanted, count, among=among)


def test_vectors_of_another_kind_are_refused() -> None:
    with pytest.raises(LearningError, match="float16"):
        most_similar(unit(5, 4).astype(np.float32), np.ones(4), 1)
