"""What a model is worth: measured on the validation set, which no model trains on.

Wires the validation labels and the scores to ``learning``. Every share comes with its interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError, NoThreshold
from bam_engine.learning import Curve, Threshold
from bam_engine.workspace import tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.models import TrainedModel, scores_of


@dataclass(frozen=True)
class ValidationSet:
    """The settled validation images that have a score: rows, scores, labels (1 or 0) and project codes, each (n,).

    ``pool_scores`` are the scores of the whole collection, without the images that have none.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    labels: NDArray[np.int8]
    groups: NDArray[np.int64]
    pool_scores: NDArray[np.float32]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """Average precision, the precision-recall curve, and the threshold for the target, or why there is none."""

    n: int
    n_positive: int
    average_precision: Estimate
    curve: Curve
    threshold: Threshold | None
    no_threshold: str


def validation_set(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> ValidationSet:
    """Return the labelled validation set with the scores of ``model``, or of the newest."""
    task = tasks.validation_task(workspace, attribute)
    labels = tasks.labels_of(tasks.labels(workspace, attribute), task.rows)
    scores = scores_of(workspace, attribute, model)
    usable = (labels >= 0) & (task.rows < len(scores))
    usable[usable] &= np.isfinite(scores[task.rows[usable]])
    rows = task.rows[usable]
    groups = workspace.catalogue.projects()[rows]
    return ValidationSet(rows, np.asarray(scores[rows]), labels[usable], groups, scores[np.isfinite(scores)])


def evaluate(
    workspace: Workspace,
    attribute: Attribute,
    model: TrainedModel | None = None,
    *,
    target: float = 0.90,
    confidence: float = 0.95,
) -> Evaluation:
    """Measure ``model``, or the newest, on the validation set.

    The intervals of the curve are described in :func:`bam_engine.learning.precision_recall`.

    Raises
    ------
    LearningError
        The validation set has no positive or no negative image, or nothing is trained yet.
    """
    sample = validation_set(workspace, attribute, model)
    n_positive = int((sample.labels == 1).sum())
    if n_positive in (0, len(sample.labels)):
        missing = "positive" if n_positive == 0 else "negative"
        raise LearningError(
            f"none of the {len(sample.labels)} labelled validation images is {missing}, so nothing can be measured. "
            "Label more validation images."
        )
    curve = learning.precision_recall(
        sample.scores, sample.labels, groups=sample.groups, confidence=confidence, pool_scores=sample.pool_scores
    )
    try:
        threshold, why = choose(sample, target=target, confidence=confidence), ""
    except NoThreshold as error:
        threshold, why = None, str(error)
    return Evaluation(len(sample.labels), n_positive, _average_precision(sample), curve, threshold, why)


def choose(sample: ValidationSet, *, target: float, confidence: float = 0.95) -> Threshold:
    """Return the threshold for a precision target; see :func:`bam_engine.learning.choose_threshold`."""
    return learning.choose_threshold(
        sample.scores,
        sample.labels,
        target=target,
        confidence=confidence,
        groups=sample.groups,
        pool_scores=sample.pool_scores,
    )


def choose_negative(sample: ValidationSet, *, target: float, confidence: float = 0.95) -> float | None:
    """Return the highest cut below which ``target`` of the images are negative, or None where there is none."""
    try:
        found = learning.choose_threshold(
            -sample.scores,
            1 - sample.labels,
            target=target,
            confidence=confidence,
            groups=sample.groups,
            pool_scores=-sample.pool_scores,
        )
    except LearningError:
        return None
    return -found.value


def _average_precision(sample: ValidationSet) -> Estimate:
    """Return the average precision with the wider, side by side, of two 95 % intervals.

    One is a bootstrap over projects, which collapses to a point where the sample is ranked without a fault; the other
    the exact binomial one for as many trials as there are projects with a positive (the binomial interval of Boyd, Eng
    and Page, 2013, made exact).
    """

    def statistic(positions: NDArray[np.intp]) -> float:
        if not sample.labels[positions].any():
            return float("nan")
        return learning.average_precision(sample.scores[positions], sample.labels[positions])

    value = learning.average_precision(sample.scores, sample.labels)
    drawn = learning.cluster_bootstrap(statistic, sample.groups, rng=np.random.default_rng(0), repeats=400)
    trials = len(np.unique(sample.groups[sample.labels == 1]))
    exact = learning.clopper_pearson(value * trials, trials)
    return Estimate(value, min(drawn.low, exact.low), max(drawn.high, exact.high))
