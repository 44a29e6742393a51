"""How an image stands for its best attributes, told fast enough for a pointer that moves over the map.

In:  an image row. Out: the attributes that it most likely has. What is needed is read once for each model
and threshold.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import readable
from bam_engine.learning import Calibration
from bam_engine.training.calibration import calibration_of
from bam_engine.training.models import latest_model, scores_of
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace

SHOWN = 3


@dataclass(frozen=True, eq=False)
class AttributeScorer:
    """One attribute: its scores (n,), the cut in force (nan where there is none), where the classes part, and odds."""

    name: str
    scores: NDArray[np.float32]
    threshold: float
    separation: float
    calibration: Calibration | None

    def of(self, row: int) -> tuple[float, dict[str, Any]] | None:
        """Return how surely image ``row`` has the attribute, and what to say of it; None without a score.

        That is the calibrated probability; without a calibration the logistic of the distance from the cut.
        """
        score = float(self.scores[row]) if row < len(self.scores) else math.nan
        if math.isnan(score):
            return None
        known = not math.isnan(self.threshold)
        told = {"name": self.name, "score": score, "accepted": score >= self.threshold if known else None}
        if self.calibration is None:
            away = score - (self.threshold if known else self.separation)
            return 1 / (1 + math.exp(-max(min(away, 500.0), -500.0))), told | {"probability": None}
        share = float(learning.probability(self.calibration, np.array([score]))[0])
        return share, told | {"probability": share}


def attribute_scorers(workspace: Workspace) -> list[AttributeScorer]:
    """Return what is known of each attribute that has a model."""
    found = []
    for attribute in workspace.attributes.all():
        model = latest_model(workspace, attribute)
        if model is None:
            continue
        threshold = current_threshold(workspace, attribute)
        calibration, _ = calibration_of(workspace, attribute, model)
        cut = math.nan if threshold is None else threshold.value
        separation = float(model.details["separation"])
        scores = scores_of(workspace, attribute, model)
        found.append(AttributeScorer(readable(attribute.name), scores, cut, separation, calibration))
    return found


def top_attributes(found: list[AttributeScorer], row: int) -> list[dict[str, Any]]:
    """Return the attributes for which image ``row`` stands highest, three at most, ready for JSON."""
    told = [one for standing in found if (one := standing.of(row)) is not None]
    return [line for _, line in sorted(told, key=lambda one: -one[0])[:SHOWN]]
