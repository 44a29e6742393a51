"""How well a layout keeps neighbours: measured on a sample of its images, against all of them.

In:  vectors (n, d) and places (n, 2). Out: two shares, each with an interval. Knows nothing of how the layout was made.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.projection.frame import Places

NEAREST = 10
SAMPLED = 1000
MAX_PAIRS = 500_000_000
"""Comparisons at most: of a large collection fewer images are looked at, each still against all others."""

_MIN_SAMPLED = 50
_RESAMPLED = 1000
_BLOCK = 4096


@dataclass(frozen=True)
class Quality:
    """What a layout keeps, each with its 95 % interval by a bootstrap over the sampled images.

    ``kept`` is the share of the ``nearest`` neighbours on the map that are among as many nearest by the vectors;
    ``trust`` the trustworthiness [1]_: 1 less what images stand near one another that are not alike, weighted by rank.

    References
    ----------
    .. [1] Venna, Kaski: Neighborhood preservation in nonlinear projection methods. ICANN 2001.
    """

    kept: float
    kept_low: float
    kept_high: float
    trust: float
    trust_low: float
    trust_high: float
    nearest: int
    sampled: int
    against: int


def measure(
    vectors: NDArray[Any], rows: NDArray[np.int64], places: Places, *, rng: np.random.Generator, nearest: int = NEAREST
) -> Quality | None:
    """Measure a layout of ``rows`` of ``vectors``, read in blocks; None with too few images to tell.

    Parameters
    ----------
    rows, places : (m,) int, (m, 2) float
        What is on the map and where. Images without a usable vector must be left out.
    nearest : int
        Neighbours k that are looked at; with fewer than 3 k + 2 images there is no answer. Distances are Euclidean. Of
        images equally far from another the better rank counts, so that equal vectors are neighbours of one another.
    """
    count = len(rows)
    if 2 * count - 3 * nearest - 1 <= 0 or count <= nearest:
        return None
    sampled = min(count, SAMPLED, max(_MIN_SAMPLED, MAX_PAIRS // count))
    chosen = np.sort(rng.choice(count, sampled, replace=False))
    ranks = ranks_of(vectors, rows, chosen, nearest_places(places, chosen, nearest))
    kept = (ranks <= nearest).mean(axis=1)
    penalty = np.maximum(ranks - nearest, 0).sum(axis=1)
    trust = 1 - penalty * 2 / (nearest * (2 * count - 3 * nearest - 1))
    again = rng.integers(0, sampled, (_RESAMPLED, sampled))
    limits = [np.quantile(values[again].mean(axis=1), [0.025, 0.975]) for values in (kept, trust)]
    (kept_low, kept_high), (trust_low, trust_high) = ((float(low), float(high)) for low, high in limits)
    means = float(kept.mean()), float(trust.mean())
    return Quality(means[0], kept_low, kept_high, means[1], trust_low, trust_high, nearest, sampled, count)


def nearest_places(places: Places, chosen: NDArray[np.int64], nearest: int) -> NDArray[np.int64]:
    """Return the indices (k, nearest) of the others nearest to each of ``chosen`` on the map, in no order."""
    found = np.empty((len(chosen), nearest), np.int64)
    x, y = np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1])
    for number, index in enumerate(chosen):
        apart = (x - x[index]) ** 2 + (y - y[index]) ** 2
        apart[index] = np.inf
        found[number] = np.argpartition(apart, nearest - 1)[:nearest]
    return found


def ranks_of(
    vectors: NDArray[Any], rows: NDArray[np.int64], chosen: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return (k, c): the how-manieth nearest by its vector each of ``others`` (k, c) is to that of ``chosen`` (k,).

    1 is the nearest. As many are nearer as the rank says, less one; the image itself is not counted.
    """
    wanted = np.asarray(vectors[rows[chosen]], np.float32)
    limits = np.empty(others.shape, np.float32)
    for column in range(others.shape[1]):
        limits[:, column] = _apart(wanted, np.asarray(vectors[rows[others[:, column]]], np.float32))
    nearer = np.zeros(others.shape, np.int64)
    for start in range(0, len(rows), _BLOCK):
        block = np.asarray(vectors[rows[start : start + _BLOCK]], np.float32)
        apart = (block**2).sum(axis=1) - 2 * (wanted @ block.T)
        inside = np.flatnonzero((chosen >= start) & (chosen < start + len(block)))
        apart[inside, chosen[inside] - start] = np.inf  # no image is its own neighbour
        for column in range(others.shape[1]):
            nearer[:, column] += (apart < limits[:, column, None]).sum(axis=1)
    return nearer + 1


def _apart(wanted: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """The square of the distance less that of ``wanted`` itself, and less what rounding may add to it."""
    squares = (other**2).sum(axis=1)
    apart = squares - 2 * (wanted * other).sum(axis=1) - 1e-6 * (squares + (wanted**2).sum(axis=1))
    return np.asarray(apart, np.float32)
