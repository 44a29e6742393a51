"""How well a layout preserves neighbourhoods, measured on a sample of its images against all of them.

In:  vectors (n, d) and places (n, 2). Out: two measures in [0, 1], each with an interval.
"""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.learning.products import for_each_block
from bam_engine.projection.frame import Places

NEAREST = 10
SAMPLED = 1000
MAX_PAIRS = 500_000_000
"""Comparisons at most: in a large collection fewer images are sampled, each still compared with all others."""

_MIN_SAMPLED = 50
_RESAMPLES = 1000
_BLOCK = 4096


@dataclass(frozen=True)
class Quality:
    """The quality of a layout: two measures with their 95% bootstrap intervals over the sampled images.

    ``kept`` is the fraction of the ``nearest`` neighbours on the map that are also among the ``nearest`` by vector;
    ``trust`` is the trustworthiness [1]_, which penalises false neighbours on the map by their rank.

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
    """Measure the quality of a layout of ``rows`` of ``vectors``, read in blocks; None with too few images.

    Parameters
    ----------
    rows, places : (m,) int, (m, 2) float
        The images on the map and their places, without images that have no usable vector.
    nearest : int
        The number of neighbours k; with fewer than 3 k + 2 images the result is None. Distances are Euclidean; equal
        distances share the best rank, so that equal vectors are neighbours of one another.
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
    resamples = rng.integers(0, sampled, (_RESAMPLES, sampled))
    limits = [np.quantile(values[resamples].mean(axis=1), [0.025, 0.975]) for values in (kept, trust)]
    (kept_low, kept_high), (trust_low, trust_high) = ((float(low), float(high)) for low, high in limits)
    means = float(kept.mean()), float(trust.mean())
    return Quality(means[0], kept_low, kept_high, means[1], trust_low, trust_high, nearest, sampled, count)


def nearest_places(places: Places, chosen: NDArray[np.int64], nearest: int) -> NDArray[np.int64]:
    """Return the indices (k, nearest) of the nearest neighbours of each of ``chosen`` on the map, unordered."""
    indices = np.empty((len(chosen), nearest), np.int64)
    x, y = np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1])
    for number, index in enumerate(chosen):
        squares = (x - x[index]) ** 2 + (y - y[index]) ** 2
        squares[index] = np.inf
        indices[number] = np.argpartition(squares, nearest - 1)[:nearest]
    return indices


def ranks_of(
    vectors: NDArray[Any], rows: NDArray[np.int64], chosen: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the ranks (k, c) by vector distance of ``others`` (k, c) among all neighbours of ``chosen`` (k,).

    1 is the nearest; the image itself is not counted. A rank is one more than the number of strictly nearer images.
    """
    queries = np.asarray(vectors[rows[chosen]], np.float32)
    limits = np.empty(others.shape, np.float32)
    for column in range(others.shape[1]):
        limits[:, column] = _distance_limit(queries, np.asarray(vectors[rows[others[:, column]]], np.float32))
    nearer, lock = np.zeros(others.shape, np.int64), threading.Lock()

    def compare(part: slice, block: NDArray[np.float32]) -> None:
        distances = (block**2).sum(axis=1) - 2 * (queries @ block.T)  # squared, without the square of the query
        inside = np.flatnonzero((chosen >= part.start) & (chosen < part.stop))
        distances[inside, chosen[inside] - part.start] = np.inf  # no image is its own neighbour
        found = np.stack([(distances < limit[:, None]).sum(axis=1) for limit in limits.T], axis=1)
        with lock:
            nearer[...] += found

    for_each_block(vectors, compare, rows=rows, block=_BLOCK)
    return nearer + 1


def _distance_limit(queries: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the squared distances, without the square of the query and minus a tolerance for rounding."""
    squares = (other**2).sum(axis=1)
    limit = squares - 2 * (queries * other).sum(axis=1) - 1e-6 * (squares + (queries**2).sum(axis=1))
    return np.asarray(limit, np.float32)
