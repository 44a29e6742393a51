"""The scores of an attribute as galleries use them: with the threshold in use and calibrated probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.learning import Calibration, is_accepted, is_rejected
from bam_engine.training.calibration import calibration_of
from bam_engine.training.delivered import Delivered, delivered_at, not_covered
from bam_engine.training.models import latest_model, scores_of, scores_version
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AttributeScores:
    """The scores (n,) of an attribute, one for each image of the collection, nan where there is none.

    ``cut`` is the threshold in use, or the model's decision threshold if there is none (``threshold`` is then None).
    ``delivered`` says what is accepted and rejected there, and ``not_covered`` (n,) which
    of the accepted the evidence for the threshold is not about. ``problem`` says why there is no calibration. ``state``
    identifies the scores: the model and the vectors.
    """

    attribute: Attribute
    scores: NDArray[np.float32]
    cut: float
    threshold: AttributeThreshold | None
    delivered: Delivered
    not_covered: Mask
    calibration: Calibration | None
    problem: str
    state: str

    @property
    def accepted(self) -> Mask:
        """The images that are delivered: labelled yes, or without a label and at or above the cut."""
        return self.delivered.accepted

    @property
    def rejected(self) -> Mask:
        """The images that are labelled no, or without a label and below the cut."""
        return self.delivered.rejected

    @property
    def sides(self) -> tuple[Mask, Mask]:
        """The images that score at or above the cut, and those below it, whatever people say of them."""
        return is_accepted(self.scores, self.cut), is_rejected(self.scores, self.cut)

    def probability(self, rows: NDArray[np.int64], *, accepted: bool) -> NDArray[np.float32]:
        """Return the probability that each of ``rows`` is positive, or negative if not ``accepted``.

        It is calibrated; without a calibration it is the logistic of the score's distance to the cut. It is nan without
        a score.
        """
        scores = self.scores[rows]
        if self.calibration is None:
            from scipy.special import expit

            positive = expit(scores - np.float32(self.cut))
        else:
            positive = learning.probability(self.calibration, scores)
        return np.asarray(positive if accepted else 1 - positive, np.float32)

    def version(self) -> list[object]:
        """Return values that change whenever the order, the cut or the probabilities do."""
        threshold_id = None if self.threshold is None else self.threshold.id
        return [
            self.attribute.name,
            self.state,
            len(self.scores),
            self.cut,
            self.delivered.version,
            int(self.not_covered.sum()),
            threshold_id,
            repr(self.calibration),
        ]


def attribute_scores(workspace: Workspace, name: str, n: int) -> AttributeScores | None:
    """Return the scores of the attribute ``name`` for ``n`` images, or None if nothing is trained yet.

    Raises
    ------
    NotFound
        There is no such attribute.
    """
    attribute = tasks.attribute_of(workspace, name)
    model = latest_model(workspace, attribute)
    if model is None:
        return None
    scores = scores_of(workspace, attribute, model)
    if len(scores) != n:
        padded = np.full(n, np.nan, np.float32)
        padded[: min(n, len(scores))] = scores[:n]
        scores = padded
    threshold = current_threshold(workspace, attribute)
    cut = model.decision_threshold if threshold is None else threshold.value
    calibration, problem = calibration_of(workspace, attribute, model)
    state = scores_version(workspace, model)
    delivered, uncovered = delivered_at(workspace, attribute, cut, n=n), not_covered(workspace, attribute, n=n)
    return AttributeScores(attribute, scores, cut, threshold, delivered, uncovered, calibration, problem, state)
