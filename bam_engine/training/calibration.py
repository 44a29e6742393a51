"""Scores shown as probabilities: fitted on the validation set, kept with the model.

Wires the validation labels and the scores to ``learning``. A calibration is made again when an answer or a validation
image has come since, so that it speaks of the labels there are.
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
from bam_engine.training.evaluation import validation_set
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.exclusive import exclusive


@dataclass(frozen=True)
class Probabilities:
    """Probabilities of a positive with their 95 % limits, each (n,), nan without a score; or why there are none."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    problem: str


def probabilities(workspace: Workspace, attribute: Attribute, rows: ArrayLike) -> Probabilities:
    """Return how likely the images of ``rows`` are positive, by the newest model.

    Where nothing is trained, or the validation set is too small or of one kind, all are nan and ``problem`` says why.
    """
    wanted = np.asarray(rows, np.int64)
    nothing = np.full(len(wanted), np.nan)
    try:
        scores = scores_of(workspace, attribute)
    except LearningError as error:
        return Probabilities(nothing, nothing, nothing, str(error))
    found, problem = calibration_of(workspace, attribute)
    if found is None:
        return Probabilities(nothing, nothing, nothing, problem)
    own = nothing.copy()
    there = wanted < len(scores)
    own[there] = scores[wanted[there]]
    return Probabilities(learning.probability(found, own), *learning.probability_limits(found, own), "")


def calibration_of(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None
) -> tuple[Calibration | None, str]:
    """Return the calibration of ``model``, or of the newest, and "" ; or None and why there is none.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    model = model or latest_model(workspace, attribute)
    if model is None:
        raise LearningError(f"{attribute.name} has no scores yet. Label a first round and train.")
    seen = label_version(workspace, attribute)
    kept = model.details.get("calibration")
    if kept is None or kept["seen"] != seen:
        kept = _fit(workspace, attribute, model) | {"seen": seen}
        _keep(workspace, model, kept)
    return (learning.calibration_from(kept["fit"]) if kept["fit"] else None), kept["problem"]


def _fit(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> dict[str, Any]:
    sample = validation_set(workspace, attribute, model)
    try:
        found = learning.calibrate(sample.scores, sample.labels, weights=sample.weights, groups=sample.groups)
    except LearningError as error:
        return {"fit": None, "problem": str(error)}
    return {"fit": asdict(found), "problem": ""}


def _keep(workspace: Workspace, model: TrainedModel, calibration: dict[str, Any]) -> None:
    """Store with the model, which other flows add to as well: only the one entry is touched."""
    table = db.models
    with exclusive(workspace.engine, table) as connection:
        stored = connection.scalar(sa.select(table.c.details).where(table.c.id == model.id))
        details = json.loads(stored or "{}") | {"calibration": calibration}
        connection.execute(sa.update(table).where(table.c.id == model.id).values(details=json.dumps(details)))
    model.details["calibration"] = calibration
