"""Scores as probabilities: a calibration fitted on the held-out labels and stored with the model.

Wires the labels and scores to :mod:`bam_engine.learning.calibration`. The calibration is refitted when a
label, a validation image, a file or a vector has changed since.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import ArrayLike, NDArray

from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.learning import Calibration
from bam_engine.training.evaluation_set import evaluation_set, evidence_version
from bam_engine.training.models import TrainedModel, check_scored, newest_model, scores_of
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


@dataclass(frozen=True)
class StoredCalibration:
    """The calibration of a model, None where there is none and ``problem`` says why.

    ``seen`` is the :func:`~bam_engine.training.evaluation_set.evidence_version` that it was fitted to, as JSON; ""
    where nothing could be scored, which is true only as long as there are no vectors and is therefore not stored.
    """

    model_id: int
    calibration: Calibration | None
    problem: str
    seen: str


def calibration_of(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None
) -> tuple[Calibration | None, str]:
    """Return the calibration of ``model``, or of the newest, and ""; or None and the reason.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    (known,) = calibrations_of(workspace, [(attribute, model or newest_model(workspace, attribute))])
    return known.calibration, known.problem


@one_flow
def calibrations_of(workspace: Workspace, models: Sequence[tuple[Attribute, TrainedModel]]) -> list[StoredCalibration]:
    """Return the calibration of each model of an attribute; those that are fitted again are stored together."""
    known = [_stored(workspace, attribute, model) for attribute, model in models]
    result = [
        _fit(workspace, attribute, model) if stored is None else stored
        for (attribute, model), stored in zip(models, known, strict=True)
    ]
    fitted = [one for one, stored in zip(result, known, strict=True) if stored is None and one.seen]
    if fitted and not db.read_only(workspace.engine):
        store_calibrations(workspace, fitted)
    return result


def _stored(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> StoredCalibration | None:
    """Return the stored calibration of a model unless a label, a file or a vector has changed since."""
    seen = _seen(workspace, attribute, model)
    for stored in workspace.snapshot.rows_with(db.calibrations.c.model_id, model.id):
        if stored.labels_seen == seen:
            return StoredCalibration(model.id, _read(stored.fit), stored.problem, seen)
    return None


def _seen(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> str:
    return json.dumps(evidence_version(workspace, attribute, model))


def _fit(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> StoredCalibration:
    try:
        check_scored(workspace, model)
    except LearningError as error:
        return StoredCalibration(model.id, None, str(error), "")
    sample, seen = evaluation_set(workspace, attribute, model), _seen(workspace, attribute, model)
    try:
        calibration = learning.calibrate(sample.scores, sample.labels, weights=sample.weights, groups=sample.groups)
    except LearningError as error:
        return StoredCalibration(model.id, None, str(error), seen)
    return StoredCalibration(model.id, calibration, "", seen)


def _read(fit: str | None) -> Calibration | None:
    return None if fit is None else db.from_document(Calibration, json.loads(fit), what="a calibration")


def store_calibrations(workspace: Workspace, fitted: Sequence[StoredCalibration]) -> None:
    """Store calibrations, or why there are none, in place of those that their models had before."""
    table, made_at = db.calibrations, db.now()
    values = [
        {
            "model_id": one.model_id,
            "labels_seen": one.seen,
            "fit": None if one.calibration is None else json.dumps(db.to_document(one.calibration)),
            "problem": one.problem,
            "made_at": made_at,
        }
        for one in fitted
    ]
    with exclusive(workspace.engine, table) as connection:
        connection.execute(sa.delete(table).where(table.c.model_id.in_([one.model_id for one in fitted])))
        connection.execute(sa.insert(table), values)
