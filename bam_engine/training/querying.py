"""Choosing what a round queries: the pool, the candidates, and the strategy.

Wires the stores to the query strategies of :mod:`bam_engine.learning`. Nothing is stored here; ``rounds`` does that. A
page can preview the same choice, since it follows from the seed.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.labelling import bulk, tasks
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.labelling.guideline_examples import example_rows
from bam_engine.learning import Batch
from bam_engine.progress import Report, silent
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.training.neighbour_cache import neighbours_of
from bam_engine.training.prompts import Prompts, direction
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import askable_rows, embedded_rows, vectors_of

BATCH_SIZE = 100
MAX_EXAMPLES = 24  # representatives that stand for a larger selection

LIKE_POSITIVES = "similar to known positives"
NEIGHBOURS_SUFFIX = ", among neighbours"  # of a strategy's name in the database
CANDIDATES: Mapping[str, str] = MappingProxyType(
    {
        "everything": "all images that may be queried",
        "neighbours": "the neighbours of labelled images and a random part of the others",
    }
)

Rows = NDArray[np.int64]


def propose(
    workspace: Workspace,
    attribute: Attribute,
    *,
    count: int = BATCH_SIZE,
    strategy: str = "",
    seeds: Sequence[int] = (),
    text: str = "",
    candidates: str = "",
    seed: int = 0,
) -> tuple[str, Batch]:
    """Choose the next batch without storing it; return the strategy used and the batch.

    Parameters
    ----------
    count : int
        The size of the batch.
    strategy : str
        Empty: the mixture if there is a model, images similar to the positives if there are any, else a spread batch.
    seeds : rows
        Start from these example images instead.
    text : str
        Start from the images that fit this text best; it has a prompt in each line (:mod:`.prompts`).
    candidates : str
        A key of ``CANDIDATES``; empty: that of the last round (:func:`default_candidates`). Only strategies that use
        scores can be restricted to neighbours; the returned strategy then says so. A text, examples, spread and random
        batches search the whole pool.
    seed : int
        The same seed gives the same batch, so that a preview shows what a round will query.

    Raises
    ------
    LearningError
        No image is left to query, or ``strategy`` or ``candidates`` is unknown.
    """
    _check_candidates(candidates)
    pool, vectors = query_pool(workspace, attribute), vectors_of(workspace)
    if len(pool) == 0:
        raise LearningError(
            "No images are left to label: all have been queried or are held out. Add images, or stop here."
        )
    rng = np.random.default_rng(seed)
    groups = workspace.catalogue.projects()[: len(vectors)]
    options: dict[str, Any] = {"groups": groups, "queried": queried_rows(workspace, attribute), "rng": rng}
    if text:
        prompts = Prompts.parse(text)
        query, reason = direction(workspace, prompts)[None], f"{learning.MATCHES_TEXT} {prompts}"
        return "text", learning.similar(vectors, query, pool, count, reason=reason, plain=True, **options)
    if len(seeds):
        return "examples", learning.similar(vectors, vectors[np.asarray(seeds, np.int64)], pool, count, **options)
    model = latest_model(workspace, attribute)
    if strategy == "random":
        return "random", learning.random(pool, count, **options)
    if model is not None and strategy != "spread":
        scores = scores_of(workspace, attribute, model)
        pool = pool[np.isfinite(scores[pool])]  # images embedded after the last scoring have no score yet
        strategy = strategy or "mixture"
        used = strategy
        if (candidates or default_candidates(workspace, attribute)) == "neighbours":
            near = neighbours_of(workspace, neighbour_seeds(workspace, attribute, model))
            pool, used = learning.choose_candidates(pool, near, rng=rng), strategy + NEIGHBOURS_SUFFIX
        return used, learning.select_batch(strategy, vectors, scores, pool, count, **options)
    rows, answers = training_labels(workspace, attribute)
    positive = rows[answers == 1]
    if len(positive) and strategy != "spread":
        batch = learning.similar(vectors, vectors[positive], pool, count, reason=LIKE_POSITIVES, **options)
        return "positives", batch
    return "spread", learning.spread(vectors, pool, count, **options)


def default_candidates(workspace: Workspace, attribute: Attribute) -> str:
    """Return the candidates of a round unless others are given: those of the last round, initially "everything".

    For a linear classifier, "everything" is the better choice at any size (``benchmarks/candidates.py``).
    """
    rounds = workspace.snapshot.rows_with(db.rounds.c.attribute_id, attribute.id)
    last = max(rounds, key=lambda each: each.number, default=None)
    return "neighbours" if last is not None and last.strategy.endswith(NEIGHBOURS_SUFFIX) else "everything"


def _check_candidates(candidates: str) -> None:
    if candidates and candidates not in CANDIDATES:
        raise LearningError(f"Unknown candidates {candidates!r}. Choose {' or '.join(CANDIDATES)}.")


def neighbour_seeds(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> Rows:
    """Return the labelled images whose neighbours are the next round's candidates, positives first."""
    rows, answers = round_labels(workspace, attribute)
    uncertainty = np.abs(scores_of(workspace, attribute, model)[rows] - model.decision_threshold)
    return learning.choose_seeds(rows, answers, uncertainty=uncertainty)


def prefetch_neighbours(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, *, report: Report = silent
) -> None:
    """Cache the neighbours that the next round will need, so that no page waits for them.

    Does nothing if rounds use all images as candidates.
    """
    if default_candidates(workspace, attribute) == "neighbours":
        neighbours_of(workspace, neighbour_seeds(workspace, attribute, model), report=report)


def examples_from(workspace: Workspace, rows: Sequence[int], *, limit: int = MAX_EXAMPLES) -> list[int]:
    """Return the images of a selection that a round can start from: all embedded ones, or ``limit`` representatives.

    Raises
    ------
    LearningError
        No image of the selection is embedded.
    """
    usable = np.intersect1d(np.unique(np.asarray(rows, np.int64)), embedded_rows(workspace), assume_unique=True)
    if len(usable) == 0:
        raise LearningError("None of the selected images is embedded. Select others, or compute embeddings again.")
    if len(usable) > limit:
        usable = learning.spread(vectors_of(workspace), usable, limit, rng=np.random.default_rng(0)).rows
    return [int(row) for row in usable]


def query_pool(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows that a round may query, ascending.

    Left out are held-out images (validation set, certifications, audits) and their projects, images queried by earlier
    rounds, images whose imported label or direct answer settles them, and images without an embedding or a file.
    """
    groups = workspace.catalogue.projects()
    pool = learning.training_pool(len(groups), held_out_rows(workspace, attribute), groups)
    pool = pool[np.isin(pool, askable_rows(workspace), assume_unique=True)]
    used = np.union1d(queried_rows(workspace, attribute), _unqueried_labels(workspace, attribute))
    return np.setdiff1d(pool, used, assume_unique=True)


def _unqueried_labels(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows whose label no task asked for, and is settled or decided."""
    rows, agreed = tasks.unqueried_rows(workspace, attribute), tasks.labels(workspace, attribute)
    return np.intersect1d(rows, agreed.rows[agreed.settled | agreed.decided])


def used_rows(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows that no sample may hold any more, sorted.

    They are those of rounds, the validation set, certifications and audits, and the examples in the guidelines and of
    the proposals that became the attribute, whose answer is shown. Whatever draws images checks this again before it
    stores them, inside ``exclusive(engine, db.rounds)``, so that concurrent draws never use an image both for training
    and for measuring.
    """
    drawn = np.union1d(queried_rows(workspace, attribute), held_out_rows(workspace, attribute))
    shown = np.union1d(example_rows(workspace, attribute), workspace.proposals.rows_of(attribute.id))
    return np.union1d(drawn, shown).astype(np.int64)


def round_labels(workspace: Workspace, attribute: Attribute) -> tuple[Rows, NDArray[np.int8]]:
    """Return the rows labelled one by one that a classifier may train on, sorted, and their settled labels (1 or 0).

    They come from rounds, imports and direct answers. Held-out images (validation set, certifications, audits) are left
    out, and so are labels of their projects that no round asked for.
    """
    held_out = held_out_rows(workspace, attribute)
    rows, unqueried = queried_rows(workspace, attribute), tasks.unqueried_rows(workspace, attribute)
    if len(unqueried):
        groups = workspace.catalogue.projects()
        rows = np.union1d(rows, np.intersect1d(unqueried, learning.training_pool(len(groups), held_out, groups)))
    rows = np.setdiff1d(rows, held_out)
    labels = tasks.labels_of(tasks.labels(workspace, attribute), rows)
    usable = (labels >= 0) & np.isin(rows, embedded_rows(workspace))
    return rows[usable], labels[usable]


def training_labels(workspace: Workspace, attribute: Attribute) -> tuple[Rows, NDArray[np.int8]]:
    """Return the rows that a classifier trains on, sorted, and their labels (1 or 0).

    They are those of :func:`round_labels`, and bulk answers about other images (:func:`bulk.training_labels`).
    """
    rows, labels = round_labels(workspace, attribute)
    bulk_rows, bulk_labels = bulk.training_labels(workspace, attribute, without=queried_rows(workspace, attribute))
    both, answers = np.concatenate([rows, bulk_rows]), np.concatenate([labels, bulk_labels])
    order = np.argsort(both, kind="stable")
    return both[order], answers[order]
