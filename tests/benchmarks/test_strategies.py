"""The benchmark of the query strategies, on a small generated collection."""

import warnings

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks import first_batch, strategies
from benchmarks.pictures import Pictures
from benchmarks.strategies import COLD, OURS, PEERS, median, paired, table


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 20, size=900)
    vectors = rng.normal(size=(20, 16))[cluster] + 0.6 * rng.normal(size=(900, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Pictures(vectors.astype(np.float16), np.arange(900) // 2, {"bird": cluster == 0})


def world(small, seed):
    return strategies.world_of(small.vectors, small.truth["bird"], small.projects, seed)


def test_the_test_half_shares_no_project_with_the_pool_and_the_example_is_a_positive_of_the_pool(small):
    for seed in range(5):
        one = world(small, seed)
        assert not set(small.projects[one.pool]) & set(small.projects[one.test])
        assert len(one.pool) + len(one.test) == 900
        assert one.example in one.pool
        assert one.truth[one.example]


@pytest.mark.slow
@pytest.mark.parametrize("contestant", [OURS, "margin", "random", *PEERS, *COLD])
def test_every_contestant_plays_by_the_same_rules(small, contestant):
    if contestant in (*PEERS, *COLD):
        pytest.importorskip("modAL" if contestant.startswith("modAL") else "skactiveml")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own
        for seed in range(2):
            one = world(small, seed)
            found = strategies.run(one, "bird", contestant, one.supervised(), budget=100)
            assert found.labels is None or found.labels == 25 * len(found.curve) <= 100
            assert (found.labels is not None) == (found.curve[-1] >= 0.9)
            assert all(share < 0.9 for share in found.curve[:-1])
            assert found.positives[0] >= 1  # everybody has the seed image


def test_all_but_the_cold_ones_begin_with_the_same_batch(small):
    one = world(small, 0)
    known = strategies.SimulationState(one.pool, one.pool[:0], one.truth[:0], None, None)
    first = {who: strategies.query(one, who)(known, 25, np.random.default_rng(1)) for who in (OURS, "margin", "modAL")}
    assert np.array_equal(first[OURS], first["margin"])
    assert np.array_equal(first[OURS], first["modAL"])
    cold = strategies.query(one, "modAL cold")(known, 25, np.random.default_rng(1))
    assert one.example in cold
    assert len(set(cold.tolist())) == 25


@pytest.mark.parametrize("n", [6, 20, 25, 40])
def test_the_interval_of_a_median_is_the_narrowest_that_holds_it_often_enough(n):
    found = median(np.arange(1, n + 1))
    k = int(found.low)
    assert found.high == n + 1 - k
    assert 2 * binom.cdf(k - 1, n, 0.5) <= 0.05  # it misses when fewer than k values lie on one side
    assert 2 * binom.cdf(k, n, 0.5) > 0.05
    assert found.value == (n + 1) / 2


def test_runs_that_did_not_arrive_are_beyond_the_budget_and_never_help_ours():
    assert median([25, 50, np.inf]).value == 50
    assert median([25, np.inf, np.inf]).value == np.inf
    ours, rival = np.array([50, 50, np.inf, np.inf]), np.array([100, np.inf, 100, np.inf])
    assert paired(ours, rival, 400).tolist() == [0.5, 0.125, np.inf, 1.0]


def test_the_table_names_the_budget_where_a_median_lies_beyond_it():
    played = [
        strategies.Played("bird", seed, who, labels, 0.9, (1.0,), (5,))
        for who, labels in ((OURS, 50), ("random", None), ("modAL", 100))
        for seed in range(6)
    ]
    text, lines = table(played, {"bird": 0.02}, 400)
    assert ">400" in text
    assert lines[0]["ratios"]["modAL"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert lines[0]["ratios"]["random"]["value"] == 0.125
    assert "mixture / random: 0.13" in text


def test_a_first_batch_counts_what_was_found_beside_the_examples(small):
    for way, (count, _) in first_batch.WAYS.items():
        found = first_batch.run(small, "bird", way, 0)
        assert 0 <= found.positives <= found.left
        assert found.left + count <= small.truth["bird"].sum()
