"""Choosing what a round asks: which images may be asked, which are looked at, and which strategy chooses.

Wires ``annotation`` and ``embedding`` to ``learning``'s queries. Nothing is stored here: ``rounds`` does that, and the
page shows the same choice before, since it comes from the same seed.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.labelling import bulk, tasks
from bam_engine.learning import Batch
from bam_engine.progress import Report, silent
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.training.neighbour_cache import neighbours_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import embedded_rows, text_vector, vectors_of

BATCH_SIZE = 100
MAX_EXAMPLES = 24  # a selection of more images is stood for by so many typical ones

LIKE_POSITIVES = "like the positives found so far"
NEIGHBOURS_SUFFIX = ", among neighbours"
CANDIDATES: Mapping[str, str] = MappingProxyType(
    {
        "everything": "every image that may be asked",
        "neighbours": "the neighbours of the labelled images, and a random share of the others",
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
    """Choose what to ask next without storing it; return the strategy that was used and the batch.

    ``text`` and ``seeds`` (rows of example images) start from what they name. Otherwise ``strategy`` is used; if it
    is empty, the mixture where there is a model, images like the positives where there are any, a spread sample
    where there is nothing.

    ``candidates`` is one of ``CANDIDATES``; if it is empty, the last round's (:func:`default_candidates`). It is for
    the strategies that go by score, and the strategy that is returned says where neighbours were looked at. A text,
    examples, a spread and a random batch begin anew and look at the pool itself.
    """
    _check_look(candidates)
    pool, vectors = query_pool(workspace, attribute), vectors_of(workspace)
    if len(pool) == 0:
        raise LearningError("no image is left to ask about: all were asked, or are in the validation set")
    rng = np.random.default_rng(seed)
    groups = workspace.catalogue.projects()[: len(vectors)]
    more: dict[str, Any] = {"groups": groups, "queried": queried_rows(workspace, attribute), "rng": rng}
    if text:
        wanted, reason = text_vector(workspace, text)[None], f"{learning.MATCHES_TEXT} “{text}”"
        return "text", learning.similar(vectors, wanted, pool, count, reason=reason, plain=True, **more)
    if len(seeds):
        return "examples", learning.similar(vectors, vectors[np.asarray(seeds, np.int64)], pool, count, **more)
    model = latest_model(workspace, attribute)
    if strategy == "random":
        return "random", learning.random(pool, count, **more)
    if model is not None and strategy != "spread":
        scores = scores_of(workspace, attribute, model)
        pool = pool[np.isfinite(scores[pool])]  # a vector that came after the scores has none yet
        strategy = strategy or "mixture"
        said = strategy
        if (candidates or default_candidates(workspace, attribute)) == "neighbours":
            near = neighbours_of(workspace, neighbour_seeds(workspace, attribute, model))
            pool, said = learning.choose_candidates(pool, near, rng=rng), strategy + NEIGHBOURS_SUFFIX
        return said, learning.select_batch(strategy, vectors, scores, pool, count, **more)
    rows, answers = training_labels(workspace, attribute)
    positive = rows[answers == 1]
    if len(positive) and strategy != "spread":
        batch = learning.similar(vectors, vectors[positive], pool, count, reason=LIKE_POSITIVES, **more)
        return "positives", batch
    return "spread", learning.spread(vectors, pool, count, **more)


def default_candidates(workspace: Workspace, attribute: Attribute) -> str:
    """Return what a round looks at unless it is told otherwise: as the round before, and everything at first.

    Everything is the better choice for a linear classifier, whatever the size (``benchmarks/candidates.py``).
    """
    table = db.rounds
    query = sa.select(table.c.strategy).where(table.c.attribute_id == attribute.id).order_by(table.c.number.desc())
    with workspace.engine.connect() as connection:
        last = connection.scalar(query.limit(1))
    return "neighbours" if last and last.endswith(NEIGHBOURS_SUFFIX) else "everything"


def _check_look(candidates: str) -> None:
    if candidates and candidates not in CANDIDATES:
        raise LearningError(f"a round cannot look at {candidates!r}: it can look at {' or '.join(CANDIDATES)}")


def neighbour_seeds(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> Rows:
    """Return the labelled images whose neighbours the next round looks at, the positives first."""
    rows, answers = round_labels(workspace, attribute)
    uncertainty = np.abs(scores_of(workspace, attribute, model)[rows] - float(model.details["separation"]))
    return learning.choose_seeds(rows, answers, uncertainty=uncertainty)


def prefetch_neighbours(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, *, report: Report = silent
) -> None:
    """Look up the neighbours that the next round will look at, so that nobody waits for them on a page.

    Nothing is done where the rounds look at everything.
    """
    if default_candidates(workspace, attribute) == "neighbours":
        neighbours_of(workspace, neighbour_seeds(workspace, attribute, model), report=report)


def examples_from(workspace: Workspace, rows: Sequence[int], *, most: int = MAX_EXAMPLES) -> list[int]:
    """Return the images of a selection that a round can start from: all with a vector, or ``most`` typical ones.

    Raises
    ------
    LearningError
        No image of the selection has a vector.
    """
    usable = np.intersect1d(np.asarray(rows, np.int64), embedded_rows(workspace))
    if len(usable) == 0:
        raise LearningError("no image of the selection has a vector: select others, or embed the collection again")
    if len(usable) > most:
        usable = learning.spread(vectors_of(workspace), usable, most, rng=np.random.default_rng(0)).rows
    return [int(row) for row in usable]


def queried_rows(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows that any round of ``attribute`` has asked about, sorted."""
    turns, asked = db.rounds, db.round_images
    query = (sa.select(asked.c.row).distinct().join(turns, turns.c.id == asked.c.round_id)).where(
        turns.c.attribute_id == attribute.id
    )
    with workspace.engine.connect() as connection:
        return np.array(sorted(connection.execute(query).scalars()), np.int64)


def query_pool(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows that a round may ask about, ascending.

    Left out: what is held out to judge (validation set, certifications, audits) with its projects, what earlier
    rounds asked, images whose imported label is settled, and images without a vector.
    """
    groups = workspace.catalogue.projects()
    pool = learning.training_pool(len(groups), tasks.held_out_rows(workspace, attribute), groups)
    pool = np.intersect1d(pool, embedded_rows(workspace))
    return np.setdiff1d(pool, np.union1d(queried_rows(workspace, attribute), _imported_labels(workspace, attribute)))


def _imported_labels(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows whose imported label is settled or decided."""
    rows, agreed = tasks.imported_rows(workspace, attribute), tasks.labels(workspace, attribute)
    return np.intersect1d(rows, agreed.rows[agreed.settled | agreed.decided])


def used_rows(workspace: Workspace, attribute: Attribute) -> Rows:
    """Return the rows that anything has asked about: rounds, the validation set, certifications and audits, sorted.

    Whatever draws images looks once more before it stores them, inside ``exclusive(engine, db.rounds)``: so no image
    both teaches and judges, whoever draws what at the same time.
    """
    return np.union1d(queried_rows(workspace, attribute), tasks.held_out_rows(workspace, attribute)).astype(np.int64)


def round_labels(workspace: Workspace, attribute: Attribute) -> tuple[Rows, NDArray[np.int8]]:
    """Return the rows of rounds and imports that a classifier may train on, sorted, and their settled labels (1 or 0).

    An image that judges as well, in the validation set, a certification or an audit, is left out, and of the imported
    labels those of its project too.
    """
    held_out = tasks.held_out_rows(workspace, attribute)
    rows, imported = queried_rows(workspace, attribute), tasks.imported_rows(workspace, attribute)
    if len(imported):
        groups = workspace.catalogue.projects()
        rows = np.union1d(rows, np.intersect1d(imported, learning.training_pool(len(groups), held_out, groups)))
    rows = np.setdiff1d(rows, held_out)
    found = tasks.labels_of(tasks.labels(workspace, attribute), rows)
    usable = (found >= 0) & np.isin(rows, embedded_rows(workspace))
    return rows[usable], found[usable]


def training_labels(workspace: Workspace, attribute: Attribute) -> tuple[Rows, NDArray[np.int8]]:
    """Return all that a training learns from, sorted: the labels of the rounds, and what was said in bulk of other
    images as far as that teaches (:func:`bulk.training_labels`).
    """
    rows, labels = round_labels(workspace, attribute)
    more, said = bulk.training_labels(workspace, attribute, without=queried_rows(workspace, attribute))
    both, answers = np.concatenate([rows, more]), np.concatenate([labels, said])
    order = np.argsort(both, kind="stable")
    return both[order], answers[order]
