"""Splits keep together what belongs together, stay where they are, and have their shares on average."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.errors import ExchangeError
from bam_engine.exchange.splits import groups_of, split_groups

CLASSES = st.integers(1, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 6), min_size=n, max_size=n) for _ in range(2)])
)
SHARES = (0.7, 0.2, 0.1)


def digests(n: int, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.random.default_rng(seed).integers(0, 2**64, n, np.uint64)


@given(CLASSES)
@settings(deadline=None)
def test_a_group_is_what_a_chain_of_relations_joins(relations: tuple[list[int], list[int]]) -> None:
    n = len(relations[0])
    reached = [{row} for row in range(n)]
    for _ in range(n):  # the definition: follow every relation until nothing is added
        for row in range(n):
            reached[row] |= {o for m in set(reached[row]) for o in range(n) if any(r[m] == r[o] for r in relations)}
    assert groups_of(*(np.array(relation) for relation in relations)).tolist() == [min(one) for one in reached]


@given(CLASSES, st.integers(0, 2**31))
@settings(deadline=None)
def test_no_project_and_no_near_duplicate_is_in_two_splits(relations: tuple[list[int], list[int]], seed: int) -> None:
    arrays = [np.array(relation) for relation in relations]
    splits = split_groups(groups_of(*arrays), digests(len(arrays[0])), SHARES, seed=seed)
    for relation in arrays:
        for part in np.unique(relation):
            assert len(np.unique(splits[relation == part])) == 1


def test_the_shares_hold_on_average_and_another_seed_gives_other_splits() -> None:
    n = 200_000
    groups = np.arange(n)
    splits = split_groups(groups, digests(n), SHARES, seed=1)
    counts = np.bincount(splits) / n
    assert counts == pytest.approx(SHARES, abs=4 * np.sqrt(0.25 / n))
    assert (split_groups(groups, digests(n), SHARES, seed=1) == splits).all()
    other = split_groups(groups, digests(n), SHARES, seed=2)
    assert (other == splits).mean() == pytest.approx(sum(share**2 for share in SHARES), abs=4 * np.sqrt(0.25 / n))


def test_images_stay_in_their_splits_when_others_are_added() -> None:
    before, after = digests(1000), digests(3000)
    after[:1000] = before
    small = split_groups(np.arange(1000) // 3 * 3, before, SHARES, seed=7)
    grown = split_groups(np.concatenate([np.arange(1000) // 3 * 3, np.arange(1000, 3000)]), after, SHARES, seed=7)
    assert (grown[:1000] == small).all()


@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.2), (1.2, -0.1, -0.1)])
def test_shares_that_are_none_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ExchangeError, match="do not add up to 1"):
        split_groups(np.arange(3), digests(3), shares, seed=0)


def test_a_share_of_nothing_is_an_empty_split() -> None:
    assert set(split_groups(np.arange(500), digests(500), (1.0, 0.0, 0.0), seed=0)) == {0}
