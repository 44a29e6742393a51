from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bam_engine.errors import LearningError
from bam_engine.learning import MATCHES_TEXT, STRATEGIES, ask, margin, mixture, random, similar, spread, top


@st.composite
def collections(draw):
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    vectors = rng.integers(0, 3, size=(n, 3)).astype(np.float16)  # duplicates abound
    scores = rng.integers(-3, 4, size=n).astype(np.float32)  # and ties
    pool = np.sort(rng.choice(n, size=draw(st.integers(1, n)), replace=False))
    return vectors, scores, pool, rng.integers(0, 6, size=n), draw(st.integers(1, 70))


@given(collections(), st.sampled_from(sorted(STRATEGIES)), st.integers(0, 99), st.integers(1, 4))
def test_every_batch_keeps_its_word(collection, strategy, seed, cap):
    vectors, scores, pool, groups, count = collection

    def batch():
        limits = {"groups": groups, "cap_per_group": cap, "rng": np.random.default_rng(seed)}
        return ask(strategy, vectors, scores, pool, count, centre=0.5, **limits)

    one, two = batch(), batch()
    assert np.array_equal(one.rows, two.rows)
    assert one.reasons == two.reasons
    assert len(one.reasons) == len(one.rows) == len(set(one.rows.tolist())) <= count
    assert set(one.rows.tolist()) <= set(pool.tolist())
    if strategy == "random":
        assert len(one.rows) == min(count, len(pool))  # a plain random sample has no caps
        return
    assert max(Counter(groups[one.rows].tolist()).values()) <= cap
    assert len({vectors[row].tobytes() for row in one.rows}) == len(one.rows)
    left = np.setdiff1d(pool, one.rows)
    if len(one.rows) < count:  # only what is barred is left over
        asked, full = {vectors[r].tobytes() for r in one.rows}, Counter(groups[one.rows].tolist())
        assert all(vectors[r].tobytes() in asked or full[groups[r]] >= cap for r in left)


@given(collections(), st.floats(-3, 3))
def test_margin_and_top_are_sorts_with_ties_by_row(collection, centre):
    _, scores, pool, _, count = collection
    nearest = sorted(pool.tolist(), key=lambda row: (abs(scores[row] - np.float32(centre)), row))
    assert margin(scores, pool, count, centre=float(np.float32(centre))).rows.tolist() == nearest[:count]
    highest = sorted(pool.tolist(), key=lambda row: (-scores[row], row))
    assert top(scores, pool, count).rows.tolist() == highest[:count]


def test_a_long_pool_is_ranked_as_a_full_sort_would():
    scores = np.random.default_rng(0).integers(0, 500, size=50_000).astype(np.float32)
    pool = np.arange(0, 50_000, 2)
    expected = pool[np.lexsort((pool, -scores[pool]))][:9000]
    assert np.array_equal(top(scores, pool, 9000).rows, expected)


def test_a_mixture_holds_its_four_parts_for_the_reasons_it_gives():
    rng = np.random.default_rng(0)
    vectors, scores = rng.normal(size=(5000, 8)).astype(np.float16), rng.normal(size=5000).astype(np.float32)
    batch = mixture(vectors, scores, np.arange(5000), 100, centre=1.0, rng=rng)
    assert Counter(batch.reasons) == {
        "near the class boundary": 40,
        "scores highest": 25,
        "unlike the others asked": 20,
        "random": 15,
    }
    why = np.array(batch.reasons)
    assert np.abs(scores[batch.rows[why == "near the class boundary"]] - 1).max() < 0.05
    assert scores[batch.rows[why == "scores highest"]].min() >= np.sort(scores)[-25]
    assert np.abs(scores[batch.rows[why == "unlike the others asked"]] - 1).max() < 0.2
    assert scores[batch.rows[why == "random"]].std() > 0.5


def test_the_diverse_part_comes_from_all_clusters_of_the_uncertain():
    rng = np.random.default_rng(0)
    cluster = np.arange(1000) % 10
    vectors = (np.eye(10)[cluster] + 0.01 * rng.normal(size=(1000, 10))).astype(np.float16)
    scores = (0.001 * rng.random(1000)).astype(np.float32)
    batch = mixture(vectors, scores, np.arange(1000), 100, centre=0.0, rng=rng)
    diverse = batch.rows[np.array(batch.reasons) == "unlike the others asked"]
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
    angles = np.linspace(0, np.pi, 181)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    pool, rng = np.arange(181), np.random.default_rng(0)
    one = similar(vectors, vectors[90], pool, 5, contrast=0, rng=rng)
    assert sorted(one.rows.tolist()) == [88, 89, 90, 91, 92]
    two = similar(vectors, vectors[[20, 160]], pool, 6, contrast=0, reason=MATCHES_TEXT, rng=rng)
    assert sorted(two.rows.tolist()) == [19, 20, 21, 159, 160, 161]
    assert set(two.reasons) == {"matches the text"}


def test_a_quarter_of_a_first_batch_by_example_is_random_so_that_it_holds_negatives():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(500, 8)).astype(np.float16)
    batch = similar(vectors, vectors[:2], np.arange(2, 500), 40, rng=rng)
    assert Counter(batch.reasons) == {"like your examples": 30, "random": 10}


def test_real_pictures_like_an_example_share_its_look(shared_images, shared_labels):
    from PIL import Image

    rows = [row for row in shared_labels if row["medium"] in ("watercolor", "vector art")][::12][:300]
    pixels = []
    for row in rows:
        with Image.open(shared_images / row["path"]) as picture:
            pixels.append(np.asarray(picture.convert("RGB").resize((16, 16)), dtype=np.float32).ravel() / 255 - 0.5)
    vectors = np.array(pixels)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    paint = np.array([row["medium"] == "watercolor" for row in rows])
    seed = int(np.argmax(paint))
    pool = np.setdiff1d(np.arange(len(rows)), [seed])
    rng = np.random.default_rng(0)
    batch = similar(vectors.astype(np.float16), vectors[seed], pool, 20, contrast=0, rng=rng)
    assert paint[batch.rows].mean() > 1.5 * paint.mean()


def test_few_large_projects_still_fill_a_batch_evenly():
    rng = np.random.default_rng(0)
    vectors, groups = rng.normal(size=(400, 4)).astype(np.float16), np.repeat([0, 1, 2, 3], 100)
    batch = mixture(vectors, vectors[:, 0].astype(np.float32), np.arange(400), 40, centre=0.0, groups=groups, rng=rng)
    assert len(batch.rows) == 40
    assert max(Counter(groups[batch.rows].tolist()).values()) <= 20


def test_what_cannot_be_asked_is_refused_in_words():
    rng = np.random.default_rng(0)
    with pytest.raises(LearningError, match="no image is left to ask"):
        random([], 5, rng=rng)
    with pytest.raises(LearningError, match="at least 1"):
        random([1], 0, rng=rng)
    with pytest.raises(LearningError, match="rows from 0 to 9; there are vectors for 0 to 2"):
        top(np.zeros(3, np.float32), [0, 9], 1)
    with pytest.raises(LearningError, match="no query strategy 'luck'; there are mixture, margin"):
        ask("luck", np.zeros((1, 1)), np.zeros(1), [0], 1, centre=0.0, rng=rng)
    with pytest.raises(LearningError, match="embedded by the same encoder"):
        similar(np.zeros((3, 4)), np.zeros(5), [0], 1, rng=rng)
