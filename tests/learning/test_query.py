from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.errors import LearningError
from bam_engine.learning import (
    MATCHES_TEXT,
    STRATEGIES,
    diverse,
    margin,
    mixture,
    random,
    select_batch,
    similar,
    spread,
    top,
)
from tests.drawn_pictures import draw_collection


@st.composite
def collections(draw):
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    vectors = rng.integers(0, 3, size=(n, 3)).astype(np.float16)  # duplicates abound
    scores = rng.integers(-3, 4, size=n).astype(np.float32)  # and ties
    pool = np.sort(rng.choice(n, size=draw(st.integers(1, n)), replace=False))
    return vectors, scores, pool, rng.integers(0, 6, size=n), draw(st.integers(1, 70))


def all_but_equal(vectors, pool):
    """The definition: at most 4 % of the mean squared distance to the centre of the pool."""
    wide = vectors.astype(float)
    centre = wide[pool].mean(axis=0)
    limit = 0.04 * np.mean(np.sum((wide[pool] - centre) ** 2, axis=1)) + 1e-4
    return lambda one, other: np.sum((wide[one] - wide[other]) ** 2) <= limit


@given(collections(), st.sampled_from(sorted(STRATEGIES)), st.integers(0, 99), st.integers(1, 4), st.integers(0, 9))
def test_every_batch_meets_its_contract(collection, strategy, seed, cap, n_queried):
    vectors, scores, pool, groups, count = collection
    queried = np.setdiff1d(np.arange(len(vectors)), pool)[:n_queried]

    def batch():
        limits = {"groups": groups, "cap_per_group": cap, "queried": queried, "rng": np.random.default_rng(seed)}
        return select_batch(strategy, vectors, scores, pool, count, centre=0.5, **limits)

    one, two = batch(), batch()
    assert np.array_equal(one.rows, two.rows)
    assert one.reasons == two.reasons
    assert len(one.reasons) == len(one.rows) == len(set(one.rows.tolist())) <= count
    assert set(one.rows.tolist()) <= set(pool.tolist())
    if strategy == "random":
        assert len(one.rows) == min(count, len(pool))  # a plain random sample leaves nothing out
        return
    same, known = all_but_equal(vectors, pool), [*queried, *one.rows]
    assert max(Counter(groups[one.rows].tolist()).values(), default=0) <= cap
    if all(any(same(row, other) for other in queried) for row in pool):
        assert len(one.rows) > 0  # better known images than none
        return
    assert not any(same(row, other) for row in one.rows for other in known if other != row)
    if len(one.rows) < count:  # only what is barred is left over
        full, left = Counter(groups[one.rows].tolist()), np.setdiff1d(pool, one.rows)
        assert all(full[groups[row]] >= cap or any(same(row, other) for other in known) for row in left)


def test_near_duplicates_are_recognised_by_what_distinguishes_images_not_by_what_all_share():
    rng = np.random.default_rng(0)
    common = np.concatenate([[40.0], np.zeros(16)])  # every cosine is above 0.98: a narrow cone of vectors
    vectors = common + np.concatenate([np.zeros((300, 1)), rng.normal(size=(300, 16))], axis=1)
    vectors[200:] = vectors[:100] + 0.02 * rng.normal(size=(100, 17))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    assert (vectors @ vectors.T).min() > 0.95
    scores = rng.normal(size=300).astype(np.float32)
    batch = top(scores, np.arange(300), 300, vectors=vectors)
    assert len(batch.rows) == 200
    assert len({row % 200 for row in batch.rows.tolist()}) == 200
    later = top(scores, np.arange(100, 300), 300, vectors=vectors, queried=np.arange(100))
    assert set(later.rows.tolist()) == set(range(100, 200))


def test_near_duplicates_among_many_queried_images_are_found_wherever_they_are():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2000, 24)).astype(np.float16)
    vectors[1000:1300] = vectors[:300]
    batch = top(-np.arange(2000, dtype=np.float32), np.arange(1000, 2000), 50, vectors=vectors, queried=np.arange(1000))
    assert batch.rows.tolist() == list(range(1300, 1350))


@given(collections(), st.floats(-3, 3))
def test_margin_and_top_are_sorts_with_ties_by_row(collection, centre):
    _, scores, pool, _, count = collection
    nearest = sorted(pool.tolist(), key=lambda row: (abs(scores[row] - np.float32(centre)), row))
    assert margin(scores, pool, count, centre=float(np.float32(centre))).rows.tolist() == nearest[:count]
    highest = sorted(pool.tolist(), key=lambda row: (-scores[row], row))
    assert top(scores, pool, count).rows.tolist() == highest[:count]


def test_a_diverse_batch_is_uncertain_and_asks_no_kind_of_image_over_and_over():
    rng = np.random.default_rng(3)
    kind = rng.choice(20, size=4000, p=[0.81] + [0.01] * 19)
    vectors = (np.eye(20)[kind] + 0.05 * rng.normal(size=(4000, 20))).astype(np.float16)
    scores = rng.normal(size=4000).astype(np.float32)
    pool = np.arange(4000)
    batch = diverse(vectors, scores, pool, 40, centre=0.5, rng=rng)
    nearest = margin(scores, pool, 40, centre=0.5)
    shortlist = np.sort(np.abs(scores - 0.5))[:400]
    assert set(batch.reasons) == {"different from the rest of the batch"}
    assert np.abs(scores[batch.rows] - 0.5).max() <= shortlist[-1]
    assert len(set(kind[batch.rows].tolist())) > 1.5 * len(set(kind[nearest.rows].tolist()))


def test_a_diverse_batch_follows_the_gradients_not_the_vectors_alone():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = np.where(np.arange(200) % 2, 6.0, 0.0).astype(np.float32)  # half is in doubt, half is as good as known
    picked = [diverse(vectors, scores, np.arange(200), 20, centre=6.0, rng=np.random.default_rng(s)) for s in range(5)]
    assert np.mean([(one.rows % 2).mean() for one in picked]) > 0.9  # half, were it the vectors alone


def test_what_all_images_share_does_not_hide_what_an_example_shows():
    rng = np.random.default_rng(0)
    style, kind = rng.integers(0, 3, size=3000), rng.random(3000) < 0.03
    vectors = 3 * np.eye(30)[style] + 2.2 * np.outer(kind, np.eye(30)[10]) + 0.2 * rng.normal(size=(3000, 30))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    example = int(np.flatnonzero(kind)[0])
    pool, styles = np.setdiff1d(np.arange(3000), [example]), {}
    for plain in (False, True):
        batch = similar(vectors, vectors[[example]], pool, 60, contrast=0, plain=plain, rng=rng)
        styles[plain] = np.bincount(style[batch.rows[kind[batch.rows]]], minlength=3)
    assert np.count_nonzero(styles[True]) == 1  # images of its kind, in its own style alone
    assert styles[False].min() > 10


def test_if_only_near_duplicates_are_left_they_are_queried():
    rng = np.random.default_rng(0)
    vectors = np.tile(rng.normal(size=(30, 8)), (2, 1)).astype(np.float16)
    scores = rng.normal(size=60).astype(np.float32)
    some = top(scores, np.arange(20, 60), 20, vectors=vectors, queried=np.arange(20))
    assert sorted(row % 30 for row in some.rows.tolist()) == list(range(20, 30))
    last = top(scores, np.arange(30, 60), 20, vectors=vectors, queried=np.arange(30))
    assert last.rows.tolist() == (30 + np.argsort(-scores[30:])[:20]).tolist()


def test_plain_likeness_is_the_cosine():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    batch = similar(vectors, 7 * vectors[:1], np.arange(300), 20, contrast=0, plain=True, rng=rng)
    assert batch.rows.tolist() == np.argsort(-(vectors @ vectors[0]), kind="stable")[:20].tolist()


def test_a_collection_of_one_vector_has_one_image_to_ask():
    vectors = np.ones((50, 4), np.float16)
    rng = np.random.default_rng(0)
    assert len(similar(vectors, vectors[:1], np.arange(50), 10, rng=rng).rows) == 1
    scores = np.zeros(50, np.float32)
    for strategy in set(STRATEGIES) - {"random"}:
        assert len(select_batch(strategy, vectors, scores, np.arange(50), 10, centre=0.0, rng=rng).rows) == 1


def test_a_project_of_half_the_collection_does_not_fill_the_batch():
    rng = np.random.default_rng(0)
    vectors, groups = rng.normal(size=(1000, 8)).astype(np.float16), np.arange(1000)
    groups[:500] = 0
    scores = np.where(groups == 0, 5.0, 0.0).astype(np.float32) + rng.normal(size=1000).astype(np.float32)
    for strategy in set(STRATEGIES) - {"random"}:
        batch = select_batch(strategy, vectors, scores, np.arange(1000), 50, centre=5.0, groups=groups, rng=rng)
        assert len(batch.rows) == 50
        assert (groups[batch.rows] == 0).sum() <= 3


def test_a_long_pool_is_ranked_as_a_full_sort_would():
    scores = np.random.default_rng(0).integers(0, 500, size=50_000).astype(np.float32)
    pool = np.arange(0, 50_000, 2)
    expected = pool[np.lexsort((pool, -scores[pool]))][:9000]
    assert np.array_equal(top(scores, pool, 9000).rows, expected)


def test_a_mixture_holds_its_four_parts_for_the_reasons_it_gives():
    rng = np.random.default_rng(0)
    vectors, scores = rng.normal(size=(5000, 8)).astype(np.float16), rng.normal(size=5000).astype(np.float32)
    batch = mixture(vectors, scores, np.arange(5000), 400, centre=1.0, rng=rng)
    assert Counter(batch.reasons) == {
        "near the class boundary": 280,
        "high score": 20,
        "different from the rest of the batch": 80,
        "random": 20,
    }
    why = np.array(batch.reasons)
    nearest = np.sort(np.abs(scores - 1))
    assert np.abs(scores[batch.rows[why == "near the class boundary"]] - 1).max() == nearest[279]
    assert scores[batch.rows[why == "high score"]].min() >= np.sort(scores)[-20]
    assert np.abs(scores[batch.rows[why == "different from the rest of the batch"]] - 1).max() <= nearest[280 + 10 * 80]
    assert scores[batch.rows[why == "random"]].std() > 0.5


def test_the_diverse_part_comes_from_all_clusters_of_the_uncertain():
    rng = np.random.default_rng(0)
    cluster = np.arange(1000) % 10
    vectors = (np.eye(10)[cluster] + 0.1 * rng.normal(size=(1000, 10))).astype(np.float16)
    scores = (0.001 * rng.random(1000)).astype(np.float32)
    batch = mixture(vectors, scores, np.arange(1000), 100, centre=0.0, rng=rng)
    diverse = batch.rows[np.array(batch.reasons) == "different from the rest of the batch"]
    assert len(set(cluster[diverse].tolist())) >= 9


def test_a_spread_batch_visits_neighbourhoods_that_a_random_one_misses():
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(20), [981] + [1] * 19)  # one large neighbourhood, nineteen single images
    vectors = (5 * np.eye(20)[cluster] + 0.01 * rng.normal(size=(1000, 20))).astype(np.float16)
    seen = dict.fromkeys(("spread", "random"), 0)
    for _ in range(10):
        seen["spread"] += len(set(cluster[spread(vectors, np.arange(1000), 40, rng=rng).rows].tolist()))
        seen["random"] += len(set(cluster[random(np.arange(1000), 40, rng=rng).rows].tolist()))
    assert seen["spread"] > 1.5 * seen["random"]


def test_similar_images_come_nearest_first_and_every_example_has_its_turn():
    angles = np.linspace(0, np.pi, 13)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    pool, rng = np.arange(13), np.random.default_rng(0)
    one = similar(vectors, vectors[6], pool, 5, contrast=0, plain=True, rng=rng)
    assert sorted(one.rows.tolist()) == [4, 5, 6, 7, 8]
    two = similar(vectors, vectors[[2, 10]], pool, 6, contrast=0, plain=True, reason=MATCHES_TEXT, rng=rng)
    assert sorted(two.rows.tolist()) == [1, 2, 3, 9, 10, 11]
    assert set(two.reasons) == {"matches the text"}


def test_a_quarter_of_a_first_batch_by_example_is_random_so_that_it_holds_negatives():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(500, 8)).astype(np.float16)
    batch = similar(vectors, vectors[:2], np.arange(2, 500), 40, rng=rng)
    assert Counter(batch.reasons) == {"similar to your examples": 30, "random": 10}


def test_pictures_like_an_example_share_its_look(tmp_path):
    from PIL import Image

    rows = draw_collection(tmp_path, {"usda_pomological": 30, "photos": 60})
    pixels = []
    for row in rows:
        with Image.open(tmp_path / row.path) as picture:
            pixels.append(np.asarray(picture.convert("RGB").resize((16, 16)), dtype=np.float32).ravel() / 255 - 0.5)
    vectors = np.array(pixels)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    paint = np.array([row.medium == "watercolor" for row in rows])
    seed = int(np.argmax(paint))
    pool = np.setdiff1d(np.arange(len(rows)), [seed])
    rng = np.random.default_rng(0)
    batch = similar(vectors.astype(np.float16), vectors[seed], pool, 20, contrast=0, rng=rng)
    assert paint[batch.rows].mean() > 1.5 * paint.mean()


@pytest.mark.parametrize("n", [400, 20_000])
def test_few_large_projects_still_fill_a_batch_evenly(n):
    rng = np.random.default_rng(0)
    vectors, groups = rng.normal(size=(n, 8)).astype(np.float16), np.repeat([0, 1, 2, 3], n // 4)
    batch = mixture(vectors, vectors[:, 0].astype(np.float32), np.arange(n), 40, centre=0.0, groups=groups, rng=rng)
    assert len(batch.rows) == 40
    assert max(Counter(groups[batch.rows].tolist()).values()) <= 20


def test_what_cannot_be_queried_is_refused_in_words():
    rng = np.random.default_rng(0)
    with pytest.raises(LearningError, match="No images are left to label"):
        random([], 5, rng=rng)
    with pytest.raises(LearningError, match="at least 1"):
        random([1], 0, rng=rng)
    with pytest.raises(LearningError, match="rows 0 to 9, but there are vectors for 0 to 2"):
        top(np.zeros(3, np.float32), [0, 9], 1)
    with pytest.raises(LearningError, match=r"Unknown query strategy 'luck'\. Choose one of mixture, margin"):
        select_batch("luck", np.zeros((1, 1)), np.zeros(1), [0], 1, centre=0.0, rng=rng)
    lost = np.array([0.5, np.nan, np.inf, 1.0], np.float32)
    for strategy in ("mixture", "margin", "top", "diverse"):
        with pytest.raises(LearningError, match="2 of 3 images in the pool have no score"):
            select_batch(strategy, np.eye(4), lost, [0, 1, 2], 1, centre=0.0, rng=rng)
        assert select_batch(strategy, np.eye(4), lost, [0, 3], 1, centre=0.0, rng=rng).rows[0] in (0, 3)
    with pytest.raises(LearningError, match="embedded by the same encoder"):
        similar(np.zeros((3, 4)), np.zeros(5), [0], 1, rng=rng)
