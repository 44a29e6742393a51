"""In which order the images of a gallery stand.

In:  rows, a query, the attributes it names, scored. Out: the same rows in order. Every order is total: ties go to the
lower row, so that a listing is the same whenever and wherever it is made.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.gallery.query import Query
from bam_engine.training.attribute_scores import AttributeScores
from bam_engine.workspace.core import Workspace

Rows = NDArray[np.int64]

SPREAD = 2000
"""Images, the first by score, that are put into the most different order; the others follow as they stand."""

_DIRECTIONS = 48  # that distances are kept over, by a random projection


def ordered(
    workspace: Workspace, rows: Rows, query: Query, known: Mapping[str, AttributeScores | None], found: Rows | None
) -> Rows:
    """Return ``rows``, rising, in the order that the query asks for.

    Closest: by the distance from the threshold of the attribute that is looked at; without one by score.

    By score: of one attribute, the highest first (of one that rejects, the lowest). Of several, by the least of their
    probabilities, so that the surest for all of them comes first; equal ones by the least distance from the cuts.
    Images without a score come last.

    Parameters
    ----------
    found
        What a search found, best first; ``sort`` ``found`` follows it. Without a search it is the order by score.
    """
    if query.sort == "newest":
        return rows[::-1]
    if query.sort == "oldest":
        return rows
    if query.sort == "shuffled":
        return _descending(rows, luck(rows, query.seed))
    if query.sort == "found" and found is not None:
        return found[np.isin(found, rows, kind="table")]
    about = known.get(query.attribute)
    if query.sort == "closest" and about is not None:
        return _descending(rows, -np.abs(_beyond(about, rows, accept=True)))
    best = _by_score(rows, wanted(query, known))
    return _spread(workspace, best) if query.sort == "spread" else best


def wanted(query: Query, known: Mapping[str, AttributeScores | None]) -> list[tuple[AttributeScores, bool]]:
    """Return the attributes that count for the order by score, each with whether it is to accept."""
    named = [(query.attribute, True)] if query.attribute not in (*query.yes, *query.no, "") else []
    named += [(name, True) for name in query.yes] + [(name, False) for name in query.no]
    return [(about, accept) for name, accept in named if (about := known[name]) is not None]


def luck(rows: Rows, seed: int) -> NDArray[np.uint64]:
    """Return a number for each row that looks like chance: SplitMix64 of the row and the seed.

    An image keeps its number whatever else is listed: a narrower query shuffles the same way.
    """
    start = (1 + seed * 0xD1342543DE82EF95) % 2**64
    mixed = rows.astype(np.uint64) + np.uint64(start)
    mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _by_score(rows: Rows, asked: list[tuple[AttributeScores, bool]]) -> Rows:
    if not asked:
        return rows
    if len(asked) == 1:
        about, accept = asked[0]
        scores = about.scores[rows]
        return _descending(rows, scores if accept else -scores)
    least = np.min([about.sureness(rows, accepted=accept) for about, accept in asked], axis=0)
    beyond = np.min([_beyond(about, rows, accept=accept) for about, accept in asked], axis=0)
    first = _descending(np.arange(len(rows)), beyond)
    return rows[first[_descending(np.arange(len(rows)), least[first])]]


def _beyond(about: AttributeScores, rows: Rows, *, accept: bool) -> NDArray[np.float32]:
    distance = about.scores[rows] - np.float32(about.cut)
    return distance if accept else -distance


def _descending(rows: Rows, keys: NDArray[Any]) -> Rows:
    """Return ``rows`` by their keys, the highest first, nan last, equal ones as they stand.

    Keys are float32, or uint64, of which the upper half counts. One sort of whole numbers, the key before the place.
    """
    if keys.dtype == np.uint64:
        high = ~(keys >> np.uint64(32)) & np.uint64(0xFFFFFFFF)
    else:
        bits = np.ascontiguousarray(keys, np.float32).copy()
        bits[bits == 0] = 0  # both zeros are one
        told = bits.view(np.uint32)
        rising = np.where(told >> 31, ~told, told | np.uint32(0x80000000))
        high = (~rising).astype(np.uint64)
        high[np.isnan(keys)] = 0xFFFFFFFF
    packed = (high << np.uint64(32)) | np.arange(len(rows), dtype=np.uint64)
    packed.sort()
    return rows[(packed & np.uint64(0xFFFFFFFF)).astype(np.int64)]


def _spread(workspace: Workspace, rows: Rows) -> Rows:
    """Put the first ``SPREAD`` of ``rows`` in an order in which each is far from all before it (Gonzalez, 1985).

    The first stays first. Distances are Euclidean, over a fixed random projection of the vectors. Images without a
    vector stay behind the others.
    """
    vectors = workspace.vectors().array()
    head = rows[:SPREAD]
    told = head[head < len(vectors)]
    own = np.asarray(vectors[told], np.float32)
    there = own.any(axis=1) if len(told) else np.empty(0, bool)
    told, own = told[there], own[there]
    if len(told) < 3:
        return rows
    if own.shape[1] > _DIRECTIONS:
        rng = np.random.default_rng(0)
        own = own @ rng.normal(size=(own.shape[1], _DIRECTIONS)).astype(np.float32)
    square = np.sum(own**2, axis=1)
    order = np.zeros(len(told), np.int64)
    nearest = np.full(len(told), np.inf, np.float32)
    for place in range(1, len(told)):
        last = order[place - 1]
        nearest = np.minimum(nearest, square + square[last] - 2 * (own @ own[last]))
        nearest[last] = -np.inf
        order[place] = int(np.argmax(nearest))
    others = head[~np.isin(head, told)]
    return np.concatenate([told[order], others, rows[SPREAD:]])
