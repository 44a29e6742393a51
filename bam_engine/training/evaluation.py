"""Quality of a model, measured on held-out labels: average precision and the precision-recall curve, with intervals."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError, NoThreshold
from bam_engine.formatting import count, decimal
from bam_engine.labelling import tasks
from bam_engine.learning import Curve, Threshold
from bam_engine.training import thresholds
from bam_engine.training.evaluation_set import evaluation_set, gather_evidence
from bam_engine.training.measurements import Estimate
from bam_engine.training.models import TrainedModel
from bam_engine.training.querying import training_labels
from bam_engine.training.validation import ValidationSet
from bam_engine.workspace import near_copies
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@dataclass(frozen=True)
class Evaluation:
    """Average precision, the precision-recall curve, and the threshold for the target or why there is none.

    Of the ``n`` images, ``copied`` are near-duplicates of images that the newest model was trained on, under another
    project or drawn later. They belong to the collection and are counted; ``without_copies`` is the average precision
    of the others, nan if none of these is positive.
    """

    n: int
    n_positive: int
    average_precision: Estimate
    curve: Curve
    threshold: Threshold | None
    no_threshold: str
    copied: int = 0
    without_copies: float = math.nan

    @property
    def copies(self) -> str:
        """What near-duplicates of training images do to the average precision; empty if there are none."""
        if not self.copied:
            return ""
        verb = "is a near-duplicate" if self.copied == 1 else "are near-duplicates"
        words = f"{count(self.copied, 'validation image')} {verb} of images that taught the model"
        if math.isnan(self.without_copies):
            return f"{words}, which may flatter the average precision."
        return f"{words}: without them the average precision is {decimal(self.without_copies)}."


@one_flow
def evaluate(
    workspace: Workspace,
    attribute: Attribute,
    model: TrainedModel | None = None,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
) -> Evaluation:
    """Measure ``model``, or the newest, on the held-out labels.

    All intervals hold at ``confidence``; those of the curve are described in
    :func:`bam_engine.learning.precision_recall`. :mod:`bam_engine.training.validation` says which images the sample
    represents.

    Raises
    ------
    LearningError
        There is no model yet, or no positive or no negative label.
    """
    sample = evaluation_set(workspace, attribute, model)
    n, n_positive = len(sample.labels), int((sample.labels == 1).sum())
    if n == 0:
        raise LearningError(
            "No validation image is labelled, so nothing can be measured. Draw a validation sample, then label it."
        )
    if n_positive in (0, n):
        missing = "positive" if n_positive == 0 else "negative"
        raise LearningError(
            f"None of {count(n, 'labelled validation image')} is {missing}, so nothing can be measured. Label more "
            "validation images, or start a certification, which looks where positives are."
        )
    curve = gather_evidence(workspace, attribute, model).curve(confidence)
    random = np.isin(sample.rows, tasks.validation_task(workspace, attribute).rows)
    average_precision = average_precision_of(sample, random, confidence)
    threshold, problem = None, ""
    try:
        threshold = thresholds.suggest(workspace, attribute, model, target=target, confidence=confidence)
    except NoThreshold as error:
        problem = str(error)
    copies = _copies(workspace, attribute, sample.rows)
    others = sample.subset(~copies)
    return Evaluation(
        n=n,
        n_positive=n_positive,
        average_precision=average_precision,
        curve=curve,
        threshold=threshold,
        no_threshold=problem,
        copied=int(copies.sum()),
        without_copies=learning.average_precision(others.scores, others.labels, weights=others.weights)
        if len(others.rows)
        else math.nan,
    )


def _copies(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of ``rows`` are near-duplicates of images that train."""
    trained = training_labels(workspace, attribute)[0]
    if not len(trained) or not len(rows):
        return np.zeros(len(rows), bool)
    return near_copies.copied(workspace, rows, trained)


def average_precision_of(sample: ValidationSet, random: NDArray[np.bool_], confidence: float = 0.95) -> Estimate:
    """Return the average precision of a sample, of which some images were drawn at ``random``, with its limits."""
    limits = learning.average_precision_limits(
        sample.scores,
        sample.labels,
        groups=sample.groups,
        weights=sample.weights,
        random=random,
        rng=np.random.default_rng(0),
        confidence=confidence,
    )
    value = learning.average_precision(sample.scores, sample.labels, weights=sample.weights)
    return Estimate(value, limits.low, limits.high)
