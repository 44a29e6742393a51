"""The attributes that an image most likely has, fast enough for a pointer moving over the map.

Load the scorers once for each model and threshold; then each image takes microseconds.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import readable
from bam_engine.learning import Calibration
from bam_engine.training.calibration import calibrations_of
from bam_engine.training.delivered import ACCEPTED, REJECTED, Delivered, delivered_of
from bam_engine.training.models import latest_model, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

SHOWN = 3


@dataclass(frozen=True, eq=False)
class AttributeScorer:
    """The scores (n,) of an attribute, its threshold (nan without one), decision threshold, and calibration.

    ``delivered`` says what is accepted; None without a threshold.
    """

    name: str
    scores: NDArray[np.float32]
    threshold: float
    decision_threshold: float
    calibration: Calibration | None
    delivered: Delivered | None = None

    def describe(self, row: int) -> tuple[float, dict[str, Any]] | None:
        """Return the probability that image ``row`` has the attribute, and a summary for JSON; None without a score.

        The probability is calibrated; without a calibration it is the logistic of the distance to the threshold.
        """
        score = float(self.scores[row]) if row < len(self.scores) else math.nan
        if math.isnan(score):
            return None
        has_threshold = not math.isnan(self.threshold)
        summary = {"name": self.name, "score": score, "accepted": self._is_accepted(row)}
        if self.calibration is None:
            distance = score - (self.threshold if has_threshold else self.decision_threshold)
            return 1 / (1 + math.exp(-max(min(distance, 500.0), -500.0))), summary | {"probability": None}
        probability = float(learning.probability(self.calibration, np.array([score]))[0])
        return probability, summary | {"probability": probability}

    def _is_accepted(self, row: int) -> bool | None:
        """Return whether an image is delivered, or None where nothing is decided."""
        if self.delivered is None:
            return None
        return {ACCEPTED: True, REJECTED: False}.get(int(self.delivered.outcomes_of(np.array([row]))[0]))


@one_flow
def attribute_scorers(workspace: Workspace) -> list[AttributeScorer]:
    """Return the scorer of each attribute that has a model."""
    newest = [(attribute, latest_model(workspace, attribute)) for attribute in workspace.attributes.all()]
    models = [(attribute, model) for attribute, model in newest if model is not None]
    scorers = []
    for (attribute, model), known in zip(models, calibrations_of(workspace, models), strict=True):
        threshold = current_threshold(workspace, attribute)
        scorers.append(
            AttributeScorer(
                name=readable(attribute.name),
                scores=scores_of(workspace, attribute, model),
                threshold=math.nan if threshold is None else threshold.value,
                decision_threshold=model.decision_threshold,
                calibration=known.calibration,
                delivered=None if threshold is None else delivered_of(workspace, attribute),
            )
        )
    return scorers


def top_attributes(scorers: list[AttributeScorer], row: int) -> list[dict[str, Any]]:
    """Return the summaries of the most likely attributes of image ``row``, three at most, most likely first."""
    scored = [result for scorer in scorers if (result := scorer.describe(row)) is not None]
    return [summary for _, summary in sorted(scored, key=lambda result: -result[0])[:SHOWN]]
