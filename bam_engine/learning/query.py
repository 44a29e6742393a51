"""Query strategies: which images to label next, and why.

Each strategy takes arrays of the whole collection and a pool, the rows that may be queried, and returns a batch of
distinct rows, each with a reason that a person can read. The caller leaves labelled, held-out and missing images out of
the pool.

All strategies are deterministic for the same input and generator; ties go to the lower row; a pool smaller than the
batch is queried whole. Given vectors, a batch holds no near-duplicates of one another, nor of images queried before
unless nothing else is left (see :mod:`bam_engine.learning.duplicate_filter`). Given projects, it holds at most
``cap_per_group`` images of each.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.learning.batch import Batch, BatchBuilder
from bam_engine.learning.clusters import kmeans_plus_plus, representative_rows
from bam_engine.learning.sampling import Rows
from bam_engine.learning.similarity import cosine_similarities, whitened_similarities

Scores = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]

NEAR_BOUNDARY = "near the class boundary"
HIGH_SCORE = "high score"
DIVERSE = "different from the rest of the batch"
RANDOM = "random"
REPRESENTATIVE = "representative"
LIKE_EXAMPLES = "similar to your examples"
MATCHES_TEXT = "matches the text"

STRATEGIES: Mapping[str, str] = MappingProxyType(
    {
        "mixture": "uncertain, high-scoring, diverse and random images together",
        "margin": "the images nearest to the class boundary",
        "top": "the images with the highest scores",
        "diverse": "uncertain images that differ from one another",
        "spread": "representative images of the whole pool, whatever their score",
        "random": "random images",
    }
)

BOUNDARY = 0.0  # where classes of balanced weight part; a probability of 0.5 in the collection lies elsewhere

# Chosen on seeds of the benchmark from 20 on. 40%, 25% and 20% around the decision threshold, which moves a lot while
# there are few labels, needed about a tenth more labels for six attributes.
_FRACTIONS = ((NEAR_BOUNDARY, 0.70), (HIGH_SCORE, 0.05), (DIVERSE, 0.20))  # of a mixture; the rest is random
_SPREAD_SAMPLE = 4096  # images of the pool that a spread batch clusters
_SHORTLIST = 10  # uncertain images considered for each diverse one


def spread(
    vectors: Vectors,
    pool: npt.ArrayLike,
    count: int,
    *,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    queried: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Query the most representative image of each of ``count`` clusters.

    This is a first batch without labels, text or examples.

    k-means over at most 4,096 images of the pool (the idea of TypiClust: Hacohen, Dekel and Weinshall, ICML 2022).
    """
    rows = _checked_pool(pool, len(vectors), count)
    builder = BatchBuilder(rows, count, vectors, groups, cap_per_group, queried)
    sample = np.sort(rng.choice(rows, size=min(len(rows), max(_SPREAD_SAMPLE, 4 * count)), replace=False))
    builder.add(_representative(vectors, sample, count, rng), count, REPRESENTATIVE)
    builder.add(_at_random(rows, count, rng), count, RANDOM)
    return builder.batch()


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
    queried: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Query the images most similar to the seeds: example images, or a text (``reason=MATCHES_TEXT``), embedded.

    Parameters
    ----------
    seeds : (m, d)
        Each seed in turn adds the image most similar to it that is not in the batch yet.
    contrast : float
        The fraction of the batch drawn at random, to give the classifier negatives to learn from.
    plain : bool
        True: rank by cosine similarity, for seeds that are not images, such as text. False: rank by what distinguishes
        the seed from the collection; see the notes.

    Notes
    -----
    What most images have in common, above all their style, makes up much of every vector, so by plain cosine similarity
    an example retrieves images of its style rather than of its kind. Directions in which the collection varies anyway
    are therefore weighted down: images are ranked by the cosine of ``image - mean`` with ``(M + kI)^-1 (seed - mean)``,
    where M is the covariance of at most 4,096 images of the pool and k five times its mean eigenvalue. This is the
    direction of linear discriminant analysis for a single example (Hariharan, Malik and Ramanan, "Discriminative
    Decorrelation for Clustering and Classification", ECCV 2012) with a shrunken covariance.
    """
    rows = _checked_pool(pool, len(vectors), count)
    examples = np.atleast_2d(np.asarray(seeds, dtype=np.float32))
    if examples.shape[0] == 0 or examples.shape[1] != vectors.shape[1]:
        raise LearningError(
            f"Examples of shape {examples.shape} do not match vectors of {vectors.shape[1]} components. Give at least "
            "one example, embedded by the same encoder."
        )
    builder = BatchBuilder(rows, count, vectors, groups, cap_per_group, queried)
    distance = -(
        cosine_similarities(vectors, examples, rows) if plain else whitened_similarities(vectors, examples, rows)
    )
    nearest = [_best_first(column, rows) for column in distance.T]
    builder.add(_round_robin(nearest), builder.count - round(contrast * builder.count), reason)
    builder.add(_at_random(rows, count, rng), count, RANDOM)
    return builder.batch()


def _round_robin(orders: list[Iterator[int]]) -> Iterator[int]:
    """Yield one row of each order in turn, repeated rows included."""
    for one_of_each in zip(*orders, strict=True):
        yield from one_of_each


def top(
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    vectors: Vectors | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    queried: npt.ArrayLike | None = None,
) -> Batch:
    """Query the images with the highest scores."""
    rows = _checked_pool(pool, len(scores), count)
    pool_scores = _checked_scores(scores, rows)
    builder = BatchBuilder(rows, count, vectors, groups, cap_per_group, queried)
    builder.add(_best_first(-pool_scores, rows), count, HIGH_SCORE)
    return builder.batch()


def margin(
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    centre: float = BOUNDARY,
    vectors: Vectors | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    queried: npt.ArrayLike | None = None,
) -> Batch:
    """Query the images whose scores are nearest to ``centre`` (uncertainty sampling: Lewis and Gale, 1994)."""
    rows = _checked_pool(pool, len(scores), count)
    pool_scores = _checked_scores(scores, rows)
    builder = BatchBuilder(rows, count, vectors, groups, cap_per_group, queried)
    builder.add(_best_first(np.abs(pool_scores - centre), rows), count, NEAR_BOUNDARY)
    return builder.batch()


def random(
    pool: npt.ArrayLike,
    count: int,
    *,
    vectors: Vectors | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    queried: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Query random images. Without vectors and groups, the batch is a simple random sample of the pool."""
    rows = _checked_pool(pool, None, count)
    builder = BatchBuilder(rows, count, vectors, groups, cap_per_group, queried)
    builder.add(_at_random(rows, count, rng), count, RANDOM)
    return builder.batch()


def mixture(
    vectors: Vectors,
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    centre: float = BOUNDARY,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    queried: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Query a mixed batch, the default strategy.

    70% of the images are nearest to the score where the balanced classes part. Under imbalance this is far from a
    probability of 0.5 (GALAXY, Zhang et al. 2022; DIRECT, Nuggehalli et al. 2023). 5% have the highest scores, which
    finds positives of a rare attribute. 20% represent clusters of the next most uncertain images, so that a batch does
    not repeat one question. 5% are random and reveal what the model is blind to.

    Parameters
    ----------
    vectors, scores : (N, d) and (N,)
    pool : rows
    count : int
    centre : float
        The score where the classes part; 0 for a classifier that balances them.
    groups : (N,) int, optional
        Projects; at most ``cap_per_group`` images of one are queried (None: 3, or more where there are few projects).
    """
    rows = _checked_pool(pool, len(scores), count)
    builder = BatchBuilder(rows, count, vectors, groups, cap_per_group, queried)
    near, high, diverse = (round(fraction * builder.count) for _, fraction in _FRACTIONS)
    pool_scores = _checked_scores(scores, rows)
    uncertainty = np.abs(pool_scores - centre)
    builder.add(_best_first(uncertainty, rows), near, NEAR_BOUNDARY)
    builder.add(_best_first(-pool_scores, rows), high, HIGH_SCORE)
    builder.add(_diverse(vectors, uncertainty, rows, builder.rows, diverse, rng), diverse, DIVERSE)
    builder.add(_at_random(rows, count, rng), count, RANDOM)
    return builder.batch()


def _diverse(
    vectors: Vectors, uncertainty: Scores, rows: Rows, chosen: list[int], count: int, rng: np.random.Generator
) -> Iterator[int]:
    already = set(chosen)
    shortlist: list[int] = []
    for row in _best_first(uncertainty, rows):
        if len(shortlist) >= _SHORTLIST * count:
            break
        if row not in already:
            shortlist.append(row)
    if shortlist:
        yield from _representative(vectors, np.sort(np.array(shortlist)), count, rng)


def diverse(
    vectors: Vectors,
    scores: Scores,
    pool: npt.ArrayLike,
    count: int,
    *,
    centre: float = BOUNDARY,
    groups: npt.NDArray[np.int64] | None = None,
    cap_per_group: int | None = None,
    queried: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Query uncertain images that differ from one another (BADGE: Ash et al., ICLR 2020).

    Of the ``10 * count`` images nearest to ``centre``, k-means++ chooses those whose gradients lie far apart. The
    gradient of a linear model's log-loss for the expected label is ``(p - label) * vector``, long where the model is
    uncertain. Here p is the logistic of ``score - centre``, and vectors are centred on the shortlist.
    """
    rows = _checked_pool(pool, len(scores), count)
    pool_scores = _checked_scores(scores, rows)
    builder = BatchBuilder(rows, count, vectors, groups, cap_per_group, queried)
    uncertainty = np.abs(pool_scores - centre)
    shortlist = np.fromiter(islice(_best_first(uncertainty, rows), _SHORTLIST * count), dtype=np.int64)
    features = np.asarray(vectors[shortlist], dtype=np.float32)
    length = 1 / (1 + np.exp(np.abs(scores[shortlist] - centre)))
    apart = kmeans_plus_plus(
        (features - features.mean(axis=0)) * length[:, None].astype(np.float32), len(features), rng=rng
    )
    builder.add(shortlist[apart].tolist(), count, DIVERSE)
    builder.add(_best_first(uncertainty, rows), count, NEAR_BOUNDARY)
    return builder.batch()


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
    queried: npt.ArrayLike | None = None,
    rng: np.random.Generator,
) -> Batch:
    """Return the batch that a strategy chooses.

    Parameters
    ----------
    strategy : str
        A name in ``STRATEGIES``.
    vectors, scores : (N, d) and (N,)
        Of the whole collection.
    pool : rows
        The images that may be queried; each needs a score.
    count : int
        The size of the batch; a smaller pool is queried whole.
    centre : float
        The score where the classes part; 0 for a classifier that balances them.
    groups, cap_per_group : (N,) int and int, optional
        Projects, and the most images of one project.
    queried : rows, optional
        Images queried before; their near-duplicates are left out, except by "random".

    Raises
    ------
    LearningError
        The strategy is unknown, the pool is empty, or a score in the pool is not finite.

    Examples
    --------
    >>> scores = np.array([0.1, 0.3, 0.2])
    >>> select_batch("top", np.eye(3), scores, [0, 2], 1, rng=np.random.default_rng(0)).rows
    array([2])
    """
    limits: dict[str, Any] = {"groups": groups, "cap_per_group": cap_per_group, "queried": queried}
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
    raise LearningError(f"Unknown query strategy {strategy!r}. Choose one of {', '.join(STRATEGIES)}.")


def _checked_pool(pool: npt.ArrayLike, n: int | None, count: int) -> Rows:
    rows = np.asarray(pool, dtype=np.int64)
    if count < 1:
        raise LearningError(f"A batch cannot hold {count} images. Ask for at least 1.")
    if len(rows) == 0:
        raise LearningError("No images are left to label: all are labelled or held out. Add images, or stop here.")
    if n is not None and not (rows.min() >= 0 and rows.max() < n):
        raise LearningError(
            f"The pool has rows {rows.min()} to {rows.max()}, but there are vectors for 0 to {n - 1} only."
        )
    return rows


def _checked_scores(scores: Scores, rows: Rows) -> Scores:
    """Return the scores of the rows, or raise LearningError if one is not finite."""
    pool_scores = scores[rows]
    missing = np.count_nonzero(~np.isfinite(pool_scores))
    if missing:
        raise LearningError(
            f"{missing:,} of {counted(len(rows), 'image')} in the pool have no score. Leave images without an "
            "embedding out of the pool, and score the others again."
        )
    return pool_scores


def _best_first(keys: Scores, rows: Rows) -> Iterator[int]:
    """Yield the rows by ascending key, ties by row, sorting no more of a long pool than is consumed."""
    size, done = 1024, 0
    while done < len(rows):
        near = np.arange(len(rows))
        if size < len(rows):
            near = np.flatnonzero(keys <= np.partition(keys, size - 1)[size - 1])
        order = near[np.lexsort((rows[near], keys[near]))]
        yield from rows[order[done:]].tolist()
        size, done = 8 * size, len(order)


def _at_random(rows: Rows, count: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield the rows in random order, drawing no more of a long pool than is likely to be consumed."""
    first = rng.choice(rows, size=min(len(rows), 4 * count), replace=False)
    yield from first.tolist()
    yield from rng.permutation(np.setdiff1d(rows, first)).tolist()


def _representative(vectors: Vectors, rows: Rows, count: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield a representative row of each of ``count`` clusters; rows with equal vectors count once."""
    content = np.ascontiguousarray(vectors[rows])
    keys = content.view(np.dtype((np.void, content.dtype.itemsize * content.shape[1]))).ravel()
    distinct = np.sort(np.unique(keys, return_index=True)[1])
    yield from rows[distinct[representative_rows(content[distinct].astype(np.float32), count, rng=rng)]].tolist()
