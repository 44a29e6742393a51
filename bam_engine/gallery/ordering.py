"""The order of a gallery's images.

In:  rows, a query, the scores of its attributes. Out: the same rows in order. Every order is total, ties by row, so
that a query always gives the same listing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.gallery import problems
from bam_engine.gallery.query import Query
from bam_engine.training.attribute_scores import AttributeScores
from bam_engine.training.contradictions import contradictions
from bam_engine.workspace.core import Workspace

Rows = NDArray[np.int64]

SPREAD = 2000
"""Images, the first by score, that are sorted by diversity; the others follow in their order."""

_DIRECTIONS = 48  # dimensions of the random projection in which distances are computed


def order_rows(
    workspace: Workspace, rows: Rows, query: Query, known: Mapping[str, AttributeScores | None], ranked: Rows | None
) -> Rows:
    """Return ``rows``, given in ascending order, in the order of the query.

    ``closest`` sorts by distance from the threshold of the query's attribute; without one, by score.

    ``contradicted`` sorts by how far the score of a label that teaches the query's attribute is on the other side
    (:mod:`bam_engine.training.contradictions`); images without one come last. Without an attribute, by score.

    The name of a problem of pictures sorts by its measure, the worst first.

    ``score`` sorts by the score of one attribute, highest first, or lowest first where the attribute must reject. With
    several attributes it sorts by the smallest of their probabilities, so that images that match all of them come
    first; ties by the smallest distance from the cuts. Images without a score come last.

    Parameters
    ----------
    ranked
        The result of a search, best first, which ``found`` follows; without a search, ``found`` sorts by score.
    """
    if query.sort == "newest":
        return rows[::-1]
    if query.sort == "oldest":
        return rows
    if query.sort == "shuffled":
        return _descending(rows, shuffle_keys(rows, query.seed))
    if query.sort in PROBLEMS:
        return _descending(rows, problems.severity(workspace, query.sort, rows))
    if query.sort == "found" and ranked is not None:
        return ranked[np.isin(ranked, rows, kind="table")]
    scored = known.get(query.attribute)
    if query.sort == "closest" and scored is not None:
        return _descending(rows, -np.abs(_beyond(scored, rows, accept=True)))
    if query.sort == "contradicted" and scored is not None:
        return _descending(rows, contradictions(workspace, scored.attribute).distance(rows))
    best = _by_score(rows, scoring_attributes(query, known))
    return _spread(workspace, best) if query.sort == "spread" else best


def scoring_attributes(query: Query, known: Mapping[str, AttributeScores | None]) -> list[tuple[AttributeScores, bool]]:
    """Return the attributes that determine the order by score, each with whether it must accept."""
    named = [(query.attribute, True)] if query.attribute not in (*query.yes, *query.no, "") else []
    named += [(name, True) for name in query.yes] + [(name, False) for name in query.no]
    return [(scored, accept) for name, accept in named if (scored := known[name]) is not None]


def shuffle_keys(rows: Rows, seed: int) -> NDArray[np.uint64]:
    """Return a pseudo-random number for each row: SplitMix64 of the row and the seed.

    It does not depend on the other rows: a narrower query shuffles in the same order.
    """
    start = (1 + seed * 0xD1342543DE82EF95) % 2**64
    mixed = rows.astype(np.uint64) + np.uint64(start)
    mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _by_score(rows: Rows, attributes: list[tuple[AttributeScores, bool]]) -> Rows:
    if not attributes:
        return rows
    if len(attributes) == 1:
        scored, accept = attributes[0]
        scores = scored.scores[rows]
        return _descending(rows, scores if accept else -scores)
    least = np.min([scored.probability(rows, accepted=accept) for scored, accept in attributes], axis=0)
    beyond = np.min([_beyond(scored, rows, accept=accept) for scored, accept in attributes], axis=0)
    first = _descending(np.arange(len(rows)), beyond)
    return rows[first[_descending(np.arange(len(rows)), least[first])]]


def _beyond(scored: AttributeScores, rows: Rows, *, accept: bool) -> NDArray[np.float32]:
    distance = scored.scores[rows] - np.float32(scored.cut)
    return distance if accept else -distance


def _descending(rows: Rows, keys: NDArray[Any]) -> Rows:
    """Return ``rows`` sorted by their keys, highest first, nan last, stable.

    Keys are float32, or uint64, of which the upper half counts. A single sort of integers, key and position packed.
    """
    if keys.dtype == np.uint64:
        high = ~(keys >> np.uint64(32)) & np.uint64(0xFFFFFFFF)
    else:
        bits = np.ascontiguousarray(keys, np.float32).copy()
        bits[bits == 0] = 0  # -0.0 equals 0.0
        pattern = bits.view(np.uint32)
        ascending = np.where(pattern >> 31, ~pattern, pattern | np.uint32(0x80000000))
        high = (~ascending).astype(np.uint64)
        high[np.isnan(keys)] = 0xFFFFFFFF
    packed = (high << np.uint64(32)) | np.arange(len(rows), dtype=np.uint64)
    packed.sort()
    return rows[(packed & np.uint64(0xFFFFFFFF)).astype(np.int64)]


def _spread(workspace: Workspace, rows: Rows) -> Rows:
    """Sort the first ``SPREAD`` of ``rows`` so that each is far from all before it (farthest-first, Gonzalez 1985).

    The first stays first. Distances are Euclidean, in a fixed random projection of the vectors. Images without a vector
    come last.
    """
    vectors = workspace.vectors().array()
    head = rows[:SPREAD]
    embedded = head[head < len(vectors)]
    own = np.asarray(vectors[embedded], np.float32)
    usable = own.any(axis=1) if len(embedded) else np.empty(0, bool)
    embedded, own = embedded[usable], own[usable]
    if len(embedded) < 3:
        return rows
    if own.shape[1] > _DIRECTIONS:
        rng = np.random.default_rng(0)
        own = own @ rng.normal(size=(own.shape[1], _DIRECTIONS)).astype(np.float32)
    square = np.sum(own**2, axis=1)
    order = np.zeros(len(embedded), np.int64)
    nearest = np.full(len(embedded), np.inf, np.float32)
    for place in range(1, len(embedded)):
        last = order[place - 1]
        nearest = np.minimum(nearest, square + square[last] - 2 * (own @ own[last]))
        nearest[last] = -np.inf
        order[place] = int(np.argmax(nearest))
    others = head[~np.isin(head, embedded)]
    return np.concatenate([embedded[order], others, rows[SPREAD:]])
