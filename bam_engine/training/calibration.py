"""Scores as probabilities: a calibration fitted on the held-out labels and stored with the model.

Wires the labels and scores to :mod:`bam_engine.learning.calibration`. The calibration is refitted when a label or a
validation image has been added since.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

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
    version = label_version(workspace, attribute)
    stored = model.details.get("calibration")
    if stored is None or stored["seen"] != version:
        stored = _fit(workspace, attribute, model) | {"seen": version}
        _store(workspace, model, stored)
    return (learning.calibration_from(stored["fit"]) if stored["fit"] else None), stored["problem"]


def _fit(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> dict[str, Any]:
    sample = evaluation_set(workspace, attribute, model)
    try:
        calibration = learning.calibrate(sample.scores, sample.labels, weights=sample.weights, groups=sample.groups)
    except LearningError as error:
        return {"fit": None, "problem": str(error)}
    return {"fit": asdict(calibration), "problem": ""}


def _store(workspace: Workspace, model: TrainedModel, calibration: dict[str, Any]) -> None:
    """Store the calibration in the model's details, leaving entries that others may be writing untouched."""
    table = db.models
    with exclusive(workspace.engine, table) as connection:
        stored = connection.scalar(sa.select(table.c.details).where(table.c.id == model.id))
        details = json.loads(stored or "{}") | {"calibration": calibration}
        connection.execute(sa.update(table).where(table.c.id == model.id).values(details=json.dumps(details)))
    model.details["calibration"] = calibration
