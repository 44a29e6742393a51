"""Splits: which images train, which validate and which test, so that nothing is on two sides.

In:  which images belong together. Out: a split for each. The choice is by a digest and a seed, not by the order of the
images or their number: whoever splits a collection again that has grown since finds its images where they were, unless
new images join two groups. So the shares are those of groups on average, and exact for none.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import ExchangeError
from bam_engine.learning import linked_rows

_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)


def groups_of(*relations: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lowest row of the group of each row, int64 (n,): rows that any relation joins are in one group.

    Parameters
    ----------
    relations : (n,) int
        Each says of every row to which class it belongs; rows of one class belong together.

    Examples
    --------
    >>> groups_of(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])).tolist()
    [0, 0, 0, 3]
    """
    links = []
    for relation in relations:
        _, first, classes = np.unique(relation, return_index=True, return_inverse=True)
        links.append(np.column_stack([np.arange(len(relation)), first[classes]]))
    return linked_rows(np.concatenate(links), len(relations[0]))


def split_groups(
    groups: NDArray[np.int64], digests: NDArray[np.uint64], shares: Sequence[float], *, seed: int
) -> NDArray[np.int8]:
    """Return the split of each row, int8 (n,): all rows of a group are in one split.

    A group is placed by the digest of its lowest row and the seed alone, as uniform as the digests are: SHA-256, mixed
    by the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA
    2014).

    Parameters
    ----------
    groups : (n,)
        The lowest row of each row's group, as :func:`groups_of` returns it.
    digests : (n,)
        64 bits of the digest of each image.
    shares
        The shares of the groups in each split, in order.

    Raises
    ------
    ExchangeError
        The shares do not add up to 1, or one is negative.
    """
    if not np.isclose(sum(shares), 1) or min(shares) < 0:
        listed = ", ".join(f"{share:g}" for share in shares)
        raise ExchangeError(
            f"The shares of the splits, {listed}, do not add up to 1. Give shares of at least 0 that do."
        )
    limits = np.cumsum(shares)[:-1]
    places: NDArray[np.int8] = np.searchsorted(limits, _uniform(digests[groups], seed), side="right").astype(np.int8)
    return places


def _uniform(digests: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each digest; another seed gives others."""
    mixed = digests + np.array([seed % 2**64], np.uint64) * _MIX[0] + _MIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX[1]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX[2]
    mixed ^= mixed >> np.uint64(31)
    uniform: NDArray[np.float64] = (mixed >> np.uint64(11)) * 2.0**-53
    return uniform
