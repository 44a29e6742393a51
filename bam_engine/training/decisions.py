"""What the threshold of an attribute decides about each image, and why.

Gallery, map, reports, exports and the Python interface all ask here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.annotation import NEGATIVE, POSITIVE, Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import decimal
from bam_engine.labelling import tasks
from bam_engine.learning import is_accepted, is_rejected
from bam_engine.training.models import scores_of
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace

ACCEPTED, REJECTED, UNDECIDED = 1, 0, -1

REASONS = {
    ACCEPTED: "by the classifier: score ≥ threshold",
    REJECTED: "by the classifier: score < threshold",
    UNDECIDED: "not embedded, so not scored",
}


def decide(scores: ArrayLike, threshold: float) -> NDArray[np.int8]:
    """Return the decision about each image: 1 accepted, 0 rejected, -1 undecided because it has no score.

    Examples
    --------
    >>> decide(np.array([1.5, -2.0, np.nan], np.float32), 0.5).tolist()
    [1, 0, -1]
    """
    decisions = np.full(np.shape(scores), UNDECIDED, np.int8)
    decisions[is_accepted(scores, threshold)] = ACCEPTED
    decisions[is_rejected(scores, threshold)] = REJECTED
    return decisions


def automatic_labels(scores: ArrayLike, positive_from: float, negative_to: float | None) -> list[str | None]:
    """Return the label that an exported dataset gives each image by its score.

    Accepted images are ``"positive"``. Rejected ones are ``"negative"`` up to a score of ``negative_to`` (all of them
    if it is None) and ``"unsure"`` above it. None without a score.

    Examples
    --------
    >>> automatic_labels(np.array([2.0, 0.5, -3.0, np.nan], np.float32), 1.0, -1.0)
    ['positive', 'unsure', 'negative', None]
    """
    words = np.array([None, "negative", "positive"], object)[decide(scores, positive_from) + 1]
    if negative_to is not None:
        between = is_rejected(scores, positive_from) & (np.asarray(scores, np.float32) > np.float32(negative_to))
        words[between] = "unsure"
    return list(words)


@dataclass(frozen=True, eq=False)
class Decisions:
    """The decisions of the threshold in use about all n images.

    Attributes
    ----------
    threshold
        The threshold in use; ``threshold.evidence`` holds its evidence.
    scores
        float32 (n,), nan without a score.
    outcomes
        int8 (n,): 1 accepted, 0 rejected, -1 undecided.
    labels
        int8 (n,): what people agree on, 1 yes, 0 no, -1 no label. They do not change the outcome.
    """

    attribute: Attribute
    threshold: AttributeThreshold
    scores: NDArray[np.float32]
    outcomes: NDArray[np.int8]
    labels: NDArray[np.int8]

    def why(self, row: int) -> str:
        """Return one or two sentences: the decision about an image, its score, and what people say."""
        score, cut = decimal(float(self.scores[row]), 3), decimal(self.threshold.value, 3)
        sentence = {
            ACCEPTED: f"Accepted by the classifier: its score of {score} is at least the threshold of {cut}.",
            REJECTED: f"Rejected by the classifier: its score of {score} is below the threshold of {cut}.",
            UNDECIDED: "Undecided: the image is not embedded, so it has no score.",
        }[int(self.outcomes[row])]
        people = {POSITIVE: " People say yes.", NEGATIVE: " People say no."}.get(int(self.labels[row]), "")
        return sentence + people


def decisions_of(workspace: Workspace, attribute: Attribute) -> Decisions:
    """Return the decisions of the threshold in use about every image of the collection.

    Raises
    ------
    LearningError
        There is no threshold: nothing is trained, or none was saved and none can be suggested.
    """
    threshold = current_threshold(workspace, attribute)
    if threshold is None:
        raise LearningError(f"{attribute.name} has no threshold yet, so nothing is decided. Train, then choose one.")
    n = len(workspace.catalogue)
    scores = np.full(n, np.nan, np.float32)
    scored = scores_of(workspace, attribute)[:n]
    scores[: len(scored)] = scored
    labels = tasks.labels_of(tasks.labels(workspace, attribute), np.arange(n))
    return Decisions(attribute, threshold, scores, decide(scores, threshold.value), labels)
