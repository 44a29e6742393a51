"""Scores as probabilities: a calibration fitted on the held-out labels and stored with the model.

Wires the labels and scores to :mod:`bam_engine.learning.calibration`. The calibration is refitted when a label or a
validation image has been added since.
"""

import json
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import ArrayLike, NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import Calibration
from bam_engine.training.evaluation_set import evaluation_set
from bam_engine.training.models import TrainedModel, newest_model, scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.exclusive import exclusive
from bam_engine.workspace.flow import one_flow


@dataclass(frozen=True)
class Probabilities:
    """Probabilities with their 95% limits, each (n,), nan without a score; or ``problem``, why there are none."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    problem: str


def probabilities(workspace: Workspace, attribute: Attribute, rows: ArrayLike) -> Probabilities:
    """Return the probability that each of ``rows`` (n,) is positive, by the newest model.

    All are nan, and ``problem`` says why, if nothing is trained or the validation set is too small or of one class.
    """
    row = np.asarray(rows, np.int64)
    nothing = np.full(len(row), np.nan)
    try:
        scores = scores_of(workspace, attribute)
    except LearningError as error:
        return Probabilities(nothing, nothing, nothing, str(error))
    calibration, problem = calibration_of(workspace, attribute)
    if calibration is None:
        return Probabilities(nothing, nothing, nothing, problem)
    score = nothing.copy()
    embedded = row < len(scores)
    score[embedded] = scores[row[embedded]]
    limits = learning.probability_limits(calibration, score)
    return Probabilities(learning.probability(calibration, score), *limits, "")


@one_flow
def calibration_of(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None
) -> tuple[Calibration | None, str]:
    """Return the calibration of ``model``, or of the newest, and ""; or None and the reason.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    model = model or newest_model(workspace, attribute)
    seen = json.dumps(label_version(workspace, attribute))
    for stored in workspace.snapshot.rows_with(db.calibrations.c.model_id, model.id):
        if stored.labels_seen == seen:
            return _read(stored.fit), stored.problem
    calibration, problem = _fit(workspace, attribute, model)
    store_calibration(workspace, model, calibration, problem, seen=seen)
    return calibration, problem


def _fit(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> tuple[Calibration | None, str]:
    sample = evaluation_set(workspace, attribute, model)
    try:
        calibration = learning.calibrate(sample.scores, sample.labels, weights=sample.weights, groups=sample.groups)
    except LearningError as error:
        return None, str(error)
    return calibration, ""


def _read(fit: str | None) -> Calibration | None:
    return None if fit is None else db.from_document(Calibration, json.loads(fit), what="a calibration")


def store_calibration(
    workspace: Workspace, model: TrainedModel, calibration: Calibration | None, problem: str, *, seen: str
) -> None:
    """Store the calibration of a model, or why there is none, in place of an earlier one.

    ``seen`` is the :func:`label_version` that it was fitted to, as JSON.
    """
    table = db.calibrations
    fit = None if calibration is None else json.dumps(db.to_document(calibration))
    values = {"model_id": model.id, "labels_seen": seen, "fit": fit, "problem": problem, "made_at": db.now()}
    with exclusive(workspace.engine, table) as connection:
        connection.execute(sa.delete(table).where(table.c.model_id == model.id))
        connection.execute(sa.insert(table).values(values))
