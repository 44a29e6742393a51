"""Which labels tell how good a threshold is, and for which images they stand: arrays in, arrays out.

In:  scores, labels, the random draws and a certification. Out: the sample that measures the precision, and the one that
measures the recall, both of one population: the images that the collection had when they were drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import NEGATIVE, POSITIVE
from bam_engine.learning import RandomSample

Rows = NDArray[np.int64]

OUTSIDE = -2
"""The label of an image that no sample could hold, being without a score or a file."""

_NO_ROWS: Rows = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Draw:
    """A random draw from the first ``images`` of the collection, all that there were.

    It could not hold the rows that people had been ``asked`` about before, in earlier draws or otherwise. ``complete``
    says whether all of its ``rows`` are labelled.
    """

    rows: Rows
    asked: Rows
    images: int
    complete: bool = True


@dataclass(frozen=True, eq=False)
class Certified:
    """A certification of the first ``images`` but the ``known`` ones: what it ``queried``, and how likely each was."""

    queried: Rows
    known: Rows
    images: int
    probability: Callable[[Rows], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Selection:
    """Which labels stand for which images.

    Attributes
    ----------
    images
        The ``pool`` (m,) are images before this row; where a certification counts, further ones too.
    rows, weights, strata : (n,)
        The labelled images that stand for all of the pool but the ``known`` ones, which count as they are; their
        inverse inclusion probabilities; and where a certification stands for the others. Without one the last two are
        None.
    chance_of
        Returns for rows of the pool how likely the certification was to ask about each, 0 where the draws stand for the
        others; None without one.
    drawn
        All rows of the draw that the recall rests on, also those that are not labelled or may not judge.
    random
        What the recall rests on: the labelled ``recall_rows`` of a draw, before which people were ``asked`` about
        others.
    """

    images: int
    pool: Rows
    rows: Rows
    known: Rows
    random: RandomSample
    recall_rows: Rows
    asked: Rows
    weights: NDArray[np.float64] | None = None
    strata: NDArray[np.bool_] | None = None
    chance_of: Callable[[Rows], NDArray[np.float64]] | None = None
    drawn: Rows = field(default_factory=lambda: _NO_ROWS)


def largest_part(draws: Sequence[Draw]) -> Draw | None:
    """Return the largest part of the draws, oldest first, that is one random sample; None without a draw.

    Draws between which people were not asked about other images, and the collection did not grow, are one random sample
    of what no one had been asked about before. A draw before a round and one after it are none: the round has taken
    likely positives that the first one could hold and the second could not. Nor are draws between which the collection
    grew: images that came in between had one chance to be drawn, and those that were there two.

    Draws that are not fully labelled count only where none is. Of several parts, the one of the most images of the
    collection is the largest, then the one with the most rows, then the latest.
    """
    parts: list[Draw] = []
    before, last = _NO_ROWS, None
    for draw in draws:
        if not draw.complete and any(each.complete for each in draws):
            continue
        if last is not None and (len(draw.asked), draw.images) == (len(last.asked), last.images):
            parts[-1] = replace(parts[-1], rows=np.concatenate([parts[-1].rows, draw.rows]))
        else:
            parts.append(replace(draw, asked=np.union1d(draw.asked, before)))
        before, last = np.union1d(before, draw.rows), draw
    return max(reversed(parts), key=lambda part: (part.images, len(part.rows)), default=None)


def select_evidence(
    scores: NDArray[np.float32],
    labels: NDArray[np.int8],
    draws: Sequence[Draw],
    certified: Certified | None = None,
    *,
    left_out: Rows = _NO_ROWS,
) -> Selection:
    """Return which labels stand for which images.

    The recall rests on the largest part of the draws, and everything is about the images that the collection had then.
    The precision rests on all draws but those of a smaller collection. They stand for what the newest labelled one
    could hold, and images that people had been asked about before it are known. Where a certification asked about a
    larger fraction of the images of a score than the draws did, its labels stand for its population instead, also for
    images of such scores that came after the draws, and all images that were labelled when it started are known.

    Parameters
    ----------
    scores : (N,)
    labels : (N,) int8
        How each image counts where a sample judges: 1 positive, 0 not, -1 no label, -2 outside.
    draws
        Oldest first.
    certified
        The newest one.
    left_out
        Drawn rows that may not judge.
    """
    drawn = _by_draws(scores, labels, draws, left_out)
    return drawn if certified is None else _by_certification(labels, drawn, certified, left_out)


def _by_draws(
    scores: NDArray[np.float32], labels: NDArray[np.int8], draws: Sequence[Draw], left_out: Rows
) -> Selection:
    part = largest_part(draws) or Draw(_NO_ROWS, _NO_ROWS, len(labels))
    inside = np.where(np.arange(len(labels)) < part.images, labels, np.int8(OUTSIDE))

    def judging(rows: Rows) -> Rows:
        rows = rows[rows < len(labels)]
        return rows[(inside[rows] >= 0) & ~np.isin(rows, left_out)]

    def labelled(rows: Rows) -> NDArray[np.bool_]:
        mask = np.zeros(len(labels), bool)
        mask[rows[rows < len(labels)]] = True
        return mask & (inside >= 0)

    covering = [draw for draw in draws if draw.images >= part.images and len(judging(draw.rows))] or [part]
    smaller = [draw.rows for draw in draws if draw.images < part.images]
    rows = np.concatenate([draw.rows for draw in covering])
    known = np.setdiff1d(np.concatenate([covering[-1].asked, *smaller]), rows)
    chosen, before = judging(part.rows), labelled(part.asked)
    random = RandomSample(
        scores[chosen].astype(np.float64),
        inside[chosen] == POSITIVE,
        scores[(inside != OUTSIDE) & ~before],
        asked=scores[before],
        answers=inside[before] == POSITIVE,
        found=scores[inside == POSITIVE],
        refused=scores[inside == NEGATIVE],
    )
    return Selection(
        images=part.images,
        pool=np.flatnonzero(inside != OUTSIDE),
        rows=judging(rows),
        known=np.flatnonzero(labelled(known)),
        random=random,
        recall_rows=chosen,
        asked=np.flatnonzero(before),
        drawn=part.rows[part.rows < len(labels)],
    )


def _by_certification(labels: NDArray[np.int8], drawn: Selection, certified: Certified, left_out: Rows) -> Selection:
    """Let a certification stand for the images of the scores that it asked about more densely than the draws."""
    fraction = len(drawn.rows) / max(len(drawn.pool) - len(drawn.known), 1)
    later = np.arange(drawn.images, min(certified.images, len(labels)))
    if len(later):
        later = later[(labels[later] != OUTSIDE) & (certified.probability(later) >= fraction)]
    pool = np.concatenate([drawn.pool, later])
    labelled = pool[labels[pool] >= 0]
    dense = certified.probability(labelled) >= fraction
    queried, known_then = np.isin(labelled, certified.queried), np.isin(labelled, certified.known)
    known = labelled[np.where(dense, known_then & ~queried, np.isin(labelled, drawn.known))]
    rows = np.setdiff1d(labelled[np.where(dense, queried, np.isin(labelled, drawn.rows))], left_out)
    probabilities = certified.probability(rows)
    dense = probabilities >= fraction

    def chance_of(asked: Rows) -> NDArray[np.float64]:
        chance = certified.probability(asked)
        return np.where(chance >= fraction, chance, 0.0)

    return replace(
        drawn,
        pool=pool,
        rows=rows,
        known=known,
        weights=1 / np.maximum(np.where(dense, probabilities, fraction), 1e-9),
        strata=dense,
        chance_of=chance_of,
    )
