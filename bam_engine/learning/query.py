"""What is asked next, and why.

In:  vectors (N, d) and scores (N,) of the whole collection, and the pool: the rows that may be asked.
Out: a batch of distinct rows of the pool, each with a reason a person can read. Knows nothing of people or labels.

The pool is the caller's: it leaves out images that are labelled, held out, or could not be embedded. Ties go to the
lower row; the same input and generator give the same batch; a pool smaller than the batch is asked whole. Where vectors
are given, no batch holds near-duplicates of one another or, unless nothing else is left, of what was asked before (see
``duplicates``); where projects are, no more of one than the cap.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning.batch import Batch, BatchBuilder
from bam_engine.learning.clusters import kmeans_plus_plus, representative_rows
from bam_engine.learning.sampling import Rows
from bam_engine.learning.similarity import cosine_similarities, whitened_similarities

Scores = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]

NEAR_BOUNDARY = "near the class boundary"
SCORES_HIGHEST = "scores highest"
UNLIKE_OTHERS = "unlike the others asked"
RANDOM = "random"
TYPICAL = "typical of its neighbourhood"
LIKE_EXAMPLES = "like your examples"
MATCHES_TEXT = "matches the text"

STRATEGIES: Mapping[str, str] = MappingProxyType(
    {
        "mixture": "near the class boundary, top-scoring, diverse and random images together",
        "margin": "the images nearest to the class boundary",
        "top": "the images that score highest",
        "diverse": "uncertain images that differ from one another",
        "spread": "typical images of every neighbourhood, whatever their score",
        "random": "images at random",
    }
)

BOUNDARY = 0.0  # the score at which classes of balanced weight part; probability 0.5 of the collection lies elsewhere

# Chosen on seeds of the benchmark from 20 on. With 40, 25 and 20 % around the separation point of unseen folds, which
# moves about while labels are few, six attributes needed about a tenth more labels.
_PARTS = ((NEAR_BOUNDARY, 0.70), (SCORES_HIGHEST, 0.05), (UNLIKE_OTHERS, 0.20))  # of a mixture; the rest is random
_SPREAD_OVER = 4096  # a spread batch looks at so many images of the pool
_SHORTLIST = 10  # uncertain images for each diverse one asked


def spread(
    vectors: Vectors,
    pool: npt.ArrayLike,
    count: int,
    *,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    asked: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Ask the most typical image of each of ``count`` neighbourhoods (k-means over at most 4,096 images of the pool).

    A first batch without any hint (TypiClust's idea: Hacohen et al., 2022).
    """
    rows = _checked_pool(pool, len(vectors), count)
    picks = BatchBuilder(rows, count, vectors, groups, cap_per_group, asked)
    looked_at = np.sort(rng.choice(rows, size=min(len(rows), max(_SPREAD_OVER, 4 * count)), replace=False))
    picks.take(_typical(vectors, looked_at, count, rng), count, TYPICAL)
    picks.take(_at_random(rows, count, rng), count, RANDOM)
    return picks.batch()


def similar(
    vectors: Vectors,
    seeds: Vectors,
    pool: npt.ArrayLike,
    count: int,
    *,
    reason: str = LIKE_EXAMPLES,
    contrast: float = 0.25,
    plain: bool = False,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    asked: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Ask the images most like the seeds: embedded example images, or embedded text (``reason=MATCHES_TEXT``).

    Parameters
    ----------
    seeds : (m, d)
        Each seed in turn brings the image most like it that is not in the batch yet.
    contrast : float
        The share of the batch drawn at random, so that it holds negatives for the classifier to learn from.
    plain : bool
        True: alike by cosine; for seeds that are no images, such as text. False: by what sets the seed apart from the
        collection, see the notes.

    Notes
    -----
    What most images have in common, their style above all, fills much of every vector; by plain cosine an example
    brings images of its style rather than of its kind. Here the seed is compared less in the directions in which the
    collection varies anyway: ``(M + kI)^-1 (seed - mean)`` is matched, by cosine, with ``image - mean``, where M is the
    covariance of at most 4,096 images of the pool and k five times its mean eigenvalue. That is the direction of linear
    discriminant analysis for one example (Hariharan, Malik, Ramanan: "Discriminative decorrelation for clustering and
    classification", ECCV 2012) with a shrunken covariance.
    """
    rows = _checked_pool(pool, len(vectors), count)
    wanted = np.atleast_2d(np.asarray(seeds, dtype=np.float32))
    if wanted.shape[0] == 0 or wanted.shape[1] != vectors.shape[1]:
        raise LearningError(
            f"examples of shape {wanted.shape} were given for vectors of {vectors.shape[1]} numbers: "
            "give at least one, embedded by the same encoder."
        )
    picks = BatchBuilder(rows, count, vectors, groups, cap_per_group, asked)
    far = -(cosine_similarities(vectors, wanted, rows) if plain else whitened_similarities(vectors, wanted, rows))
    nearest = [_best_first(column, rows) for column in far.T]
    picks.take(_in_turn(nearest), picks.count - round(contrast * picks.count), reason)
    picks.take(_at_random(rows, count, rng), count, RANDOM)
    return picks.batch()


def _in_turn(orders: list[Iterator[int]]) -> Iterator[int]:
    """Yield one of each order after the other; whoever takes them skips what another order brought before."""
    for together in zip(*orders, strict=True):
        yield from together


def top(
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    vectors: Vectors | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    asked: npt.ArrayLike | None = None,
) -> Batch:
    """Ask the images of highest score."""
    rows = _checked_pool(pool, len(scores), count)
    own = _checked_scores(scores, rows)
    picks = BatchBuilder(rows, count, vectors, groups, cap_per_group, asked)
    picks.take(_best_first(-own, rows), count, SCORES_HIGHEST)
    return picks.batch()


def margin(
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    centre: float = BOUNDARY,
    vectors: Vectors | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    asked: npt.ArrayLike | None = None,
) -> Batch:
    """Ask the images whose score is nearest to ``centre``."""
    rows = _checked_pool(pool, len(scores), count)
    own = _checked_scores(scores, rows)
    picks = BatchBuilder(rows, count, vectors, groups, cap_per_group, asked)
    picks.take(_best_first(np.abs(own - centre), rows), count, NEAR_BOUNDARY)
    return picks.batch()


def random(
    pool: npt.ArrayLike,
    count: int,
    *,
    vectors: Vectors | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    asked: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Ask images at random. Without vectors and groups the batch is a simple random sample of the pool."""
    rows = _checked_pool(pool, None, count)
    picks = BatchBuilder(rows, count, vectors, groups, cap_per_group, asked)
    picks.take(_at_random(rows, count, rng), count, RANDOM)
    return picks.batch()


def mixture(
    vectors: Vectors,
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    centre: float = BOUNDARY,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    asked: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Ask a batch for several ends at once: the default.

    70 % lie nearest to where the balanced classes part (not to probability 0.5 of the collection, which under
    imbalance is far from there: GALAXY, Zhang et al. 2022; DIRECT, Nuggehalli et al. 2023), 5 % score highest (they
    find positives of a rare attribute), 20 % are typical of the clusters among the next uncertain ones (so that a
    batch does not ask one thing a hundred times), 5 % are random (so that what the model is blind to is found at
    all).

    Parameters
    ----------
    centre : float
        The score at which the classes part; 0 for a classifier that balances them.
    groups : (N,) int, optional
        Projects; at most ``cap_per_group`` of one are asked (None: 3, more where projects are few).
    """
    rows = _checked_pool(pool, len(scores), count)
    picks = BatchBuilder(rows, count, vectors, groups, cap_per_group, asked)
    near, high, diverse = (round(share * picks.count) for _, share in _PARTS)
    own = _checked_scores(scores, rows)
    doubt = np.abs(own - centre)
    picks.take(_best_first(doubt, rows), near, NEAR_BOUNDARY)
    picks.take(_best_first(-own, rows), high, SCORES_HIGHEST)
    picks.take(_diverse(vectors, doubt, rows, picks.rows, diverse, rng), diverse, UNLIKE_OTHERS)
    picks.take(_at_random(rows, count, rng), count, RANDOM)
    return picks.batch()


def _diverse(
    vectors: Vectors, doubt: Scores, rows: Rows, taken: list[int], count: int, rng: np.random.Generator
) -> Iterator[int]:
    already = set(taken)
    shortlist: list[int] = []
    for row in _best_first(doubt, rows):
        if len(shortlist) >= _SHORTLIST * count:
            break
        if row not in already:
            shortlist.append(row)
    if shortlist:
        yield from _typical(vectors, np.sort(np.array(shortlist)), count, rng)


def diverse(
    vectors: Vectors,
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    centre: float = BOUNDARY,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    asked: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Ask uncertain images that would teach different things (BADGE: Ash et al., ICLR 2020).

    Of the ``10 * count`` images nearest to ``centre``, k-means++ draws ones whose gradients lie apart. The gradient of
    a linear model's log-loss, for the answer it expects, is ``(p - answer) * vector``: long where the model is unsure,
    and pointing elsewhere where the images differ. p is the logistic of ``score - centre``; the vectors are taken from
    the shortlist's mean.
    """
    rows = _checked_pool(pool, len(scores), count)
    own = _checked_scores(scores, rows)
    picks = BatchBuilder(rows, count, vectors, groups, cap_per_group, asked)
    doubt = np.abs(own - centre)
    shortlist = np.fromiter(islice(_best_first(doubt, rows), _SHORTLIST * count), dtype=np.int64)
    near = np.asarray(vectors[shortlist], dtype=np.float32)
    unsure = 1 / (1 + np.exp(np.abs(scores[shortlist] - centre)))
    apart = kmeans_plus_plus((near - near.mean(axis=0)) * unsure[:, None].astype(np.float32), len(near), rng=rng)
    picks.take(shortlist[apart].tolist(), count, UNLIKE_OTHERS)
    picks.take(_best_first(doubt, rows), count, NEAR_BOUNDARY)
    return picks.batch()


def select_batch(
    strategy: str,
    vectors: Vectors,
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    centre: float = BOUNDARY,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    asked: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Return the batch of the strategy of that name in ``STRATEGIES``.

    Parameters
    ----------
    vectors, scores : (N, d) and (N,)
        Of the whole collection. A pool that holds an image without a score (NaN) is refused.
    pool : rows that may be asked
    centre : float
        The score at which the classes part; 0 for a classifier that balances them.
    asked : rows, optional
        What was asked before: near-duplicates of it are left out. "random" leaves nothing out.

    Raises
    ------
    LearningError
        The strategy is unknown, the pool empty, or a score that is needed is not a number.

    Examples
    --------
    >>> scores = np.array([0.1, 0.3, 0.2])
    >>> select_batch("top", np.eye(3), scores, [0, 2], 1, rng=np.random.default_rng(0)).rows
    array([2])
    """
    limits: dict[str, Any] = {"groups": groups, "cap_per_group": cap_per_group, "asked": asked}
    match strategy:
        case "mixture":
            return mixture(vectors, scores, pool, count, centre=centre, rng=rng, **limits)
        case "margin":
            return margin(scores, pool, count, centre=centre, vectors=vectors, **limits)
        case "top":
            return top(scores, pool, count, vectors=vectors, **limits)
        case "diverse":
            return diverse(vectors, scores, pool, count, centre=centre, rng=rng, **limits)
        case "spread":
            return spread(vectors, pool, count, rng=rng, **limits)
        case "random":
            return random(pool, count, rng=rng)
    raise LearningError(f"there is no query strategy {strategy!r}; there are {', '.join(STRATEGIES)}.")


def decision_threshold(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the score that best parts labelled negatives from positives.

    It is the cut of least balanced error (share of the positives below plus share of the negatives above), half-way
    between the two neighbouring scores; of several equally good ones the middle one. With one class alone it is
    the end of the scores beyond which the other must lie.

    Examples
    --------
    >>> decision_threshold([-3, -1, 2, 4], [0, 0, 1, 1])
    0.5
    """
    score, label = np.asarray(scores, dtype=np.float64), np.asarray(labels).astype(bool)
    if len(score) == 0:
        raise LearningError("a separation point needs labelled images; none is there. Label a batch first.")
    if label.all() or not label.any():
        return float(score.min() if label.all() else score.max())
    values, place = np.unique(score, return_inverse=True)
    positives_below = np.cumsum(np.bincount(place, weights=label))[:-1] / label.sum()
    negatives_below = np.cumsum(np.bincount(place, weights=~label))[:-1] / (~label).sum()
    if len(values) == 1:
        return float(values[0])
    error = positives_below + 1 - negatives_below
    best = np.flatnonzero(error <= error.min() + 1e-12)
    cut = best[len(best) // 2]
    return float((values[cut] + values[cut + 1]) / 2)


def _checked_pool(pool: npt.ArrayLike, n: int | None, count: int) -> Rows:
    rows = np.asarray(pool, dtype=np.int64)
    if count < 1:
        raise LearningError(f"a batch of {count} images was asked. Ask for at least 1.")
    if len(rows) == 0:
        raise LearningError("no image is left to ask: all are labelled or held out. Add images, or stop here.")
    if n is not None and not (rows.min() >= 0 and rows.max() < n):
        raise LearningError(
            f"the pool names rows from {rows.min()} to {rows.max()}; there are vectors for 0 to {n - 1}."
        )
    return rows


def _checked_scores(scores: Scores, rows: Rows) -> Scores:
    """Return the scores of the rows, or raise LearningError where one is not a number."""
    own = scores[rows]
    strange = np.count_nonzero(~np.isfinite(own))
    if strange:
        raise LearningError(
            f"{strange} of the {len(rows)} images that may be asked have no score (NaN or infinite): leave images "
            "without a vector out of the pool, and score the others again."
        )
    return own


def _best_first(keys: Scores, rows: Rows) -> Iterator[int]:
    """Yield the rows from the smallest key up, ties by row, sorting no more of a long pool than is looked at."""
    size, done = 1024, 0
    while done < len(rows):
        near = np.arange(len(rows))
        if size < len(rows):
            near = np.flatnonzero(keys <= np.partition(keys, size - 1)[size - 1])
        order = near[np.lexsort((rows[near], keys[near]))]
        yield from rows[order[done:]].tolist()
        size, done = 8 * size, len(order)


def _at_random(rows: Rows, count: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield the rows in random order, drawing no more of a long pool than is likely to be looked at."""
    first = rng.choice(rows, size=min(len(rows), 4 * count), replace=False)
    yield from first.tolist()
    yield from rng.permutation(np.setdiff1d(rows, first)).tolist()


def _typical(vectors: Vectors, rows: Rows, count: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield a typical row of each of ``count`` clusters; rows of equal vector count once."""
    content = np.ascontiguousarray(vectors[rows])
    keys = content.view(np.dtype((np.void, content.dtype.itemsize * content.shape[1]))).ravel()
    distinct = np.sort(np.unique(keys, return_index=True)[1])
    yield from rows[distinct[representative_rows(content[distinct].astype(np.float32), count, rng=rng)]].tolist()
