"""The validation set: images drawn at random, by project, that people label and no classifier ever trains on.

Wires ``annotation`` to ``learning``'s draws. What is drawn later to certify a threshold joins it in ``evaluation``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.workspace import tasks
from bam_engine.workspace.asking import asked_rows
from bam_engine.workspace.core import Workspace, random_seed
from bam_engine.workspace.embedding import embedded_rows
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.models import TrainedModel, scores_of

VALIDATION = 200


@dataclass(frozen=True)
class ValidationSet:
    """The settled validation images that have a score: rows, scores, labels (1 or 0) and project codes, each (n,).

    ``weights`` (n,) are one over the probability with which each was drawn, None where all are equal. ``pool_scores``
    are the scores of the whole collection, without the images that have none.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    labels: NDArray[np.int8]
    groups: NDArray[np.int64]
    pool_scores: NDArray[np.float32]
    weights: NDArray[np.float64] | None = None

    def only(self, kept: NDArray[Any]) -> "ValidationSet":
        """Return the part of the set that is ``kept``: a mask (n,), or positions, which may repeat."""
        weights = None if self.weights is None else self.weights[kept]
        return ValidationSet(
            self.rows[kept], self.scores[kept], self.labels[kept], self.groups[kept], self.pool_scores, weights
        )


def random_sample(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> ValidationSet:
    """Return the labelled images of the random draws, every image as likely, with the scores of ``model``."""
    task = tasks.validation_task(workspace, attribute)
    return labelled_sample(workspace, attribute, task.rows, model)


def labelled_sample(
    workspace: Workspace, attribute: Attribute, drawn: NDArray[np.int64], model: TrainedModel | None = None
) -> ValidationSet:
    """Return those of the rows that have a settled label and a score by ``model``, or by the newest."""
    labels = tasks.labels_of(tasks.labels(workspace, attribute), drawn)
    scores = scores_of(workspace, attribute, model)
    usable = (labels >= 0) & (drawn < len(scores))
    usable[usable] &= np.isfinite(scores[drawn[usable]])
    rows = drawn[usable]
    groups = workspace.catalogue.projects()[rows]
    return ValidationSet(rows, np.asarray(scores[rows]), labels[usable], groups, scores[np.isfinite(scores)])


def random_probability(workspace: Workspace, attribute: Attribute) -> float:
    """Return the probability with which any one image came into the random draws, all draws together."""
    table = db.validation_images
    query = sa.select(table.c.draw, sa.func.max(table.c.probability)).where(table.c.attribute_id == attribute.id)
    with workspace.engine.connect() as connection:
        draws = connection.execute(query.group_by(table.c.draw)).all()
    return 1 - float(np.prod([1 - probability for _, probability in draws]))


def draw_validation(
    workspace: Workspace, attribute: Attribute, count: int = VALIDATION, *, seed: int | None = None
) -> int:
    """Draw ``count`` more validation images at random, with known probability; return how many were drawn.

    Images that a round, an audit or a certification has asked about are no longer a fair sample and are left out, as
    are images without a vector.

    Raises
    ------
    LearningError
        No image is left to draw, or somebody has started a round with one of them meanwhile.
    """
    taken = np.concatenate([tasks.held_out_rows(workspace, attribute), asked_rows(workspace, attribute)])
    usable = np.setdiff1d(embedded_rows(workspace), taken)
    if len(usable) == 0:
        raise LearningError("every embedded image is already in the validation set or was asked in a round")
    rng = np.random.default_rng(random_seed(seed))
    groups = workspace.catalogue.projects()
    sample = learning.draw_validation(usable, min(count, len(usable)), groups=groups, rng=rng)
    table = db.validation_images
    with exclusive(workspace.engine, db.rounds) as connection:
        if np.isin(asked_rows(workspace, attribute), sample.rows).any():
            raise LearningError("a round was started meanwhile with some of the images that were drawn: draw again")
        last = connection.scalar(sa.select(sa.func.max(table.c.draw)).where(table.c.attribute_id == attribute.id))
        made_at = db.now()
        lines = [
            {
                "attribute_id": attribute.id,
                "row": int(row),
                "probability": float(probability),
                "draw": 0 if last is None else last + 1,
                "made_at": made_at,
            }
            for row, probability in zip(sample.rows, sample.probabilities, strict=True)
        ]
        return db.insert_new(connection, table, lines)
