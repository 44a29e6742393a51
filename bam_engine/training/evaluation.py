"""Quality of a model, measured on held-out labels: average precision and the precision-recall curve, with intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError, NoThreshold
from bam_engine.formatting import count
from bam_engine.learning import Curve, Threshold
from bam_engine.training import thresholds
from bam_engine.training.evaluation_set import evaluation_set
from bam_engine.training.measurements import Estimate
from bam_engine.training.models import TrainedModel
from bam_engine.training.validation import ValidationSet
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow


@dataclass(frozen=True)
class Evaluation:
    """Average precision, the precision-recall curve, and the threshold for the target or why there is none."""

    n: int
    n_positive: int
    average_precision: Estimate
    curve: Curve
    threshold: Threshold | None
    no_threshold: str


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
    curve = learning.precision_recall(
        sample.scores,
        sample.labels,
        weights=sample.weights,
        groups=sample.groups,
        confidence=confidence,
        pool_scores=sample.pool_scores,
    )
    average_precision = _average_precision(sample, confidence)
    try:
        threshold = thresholds.suggest(workspace, attribute, model, target=target, confidence=confidence)
    except NoThreshold as error:
        return Evaluation(n, n_positive, average_precision, curve, None, str(error))
    return Evaluation(n, n_positive, average_precision, curve, threshold, "")


def _average_precision(sample: ValidationSet, confidence: float) -> Estimate:
    """Return the average precision with the wider, on each side, of two intervals at ``confidence``.

    One is a bootstrap over projects, which collapses to a point if the sample is ranked perfectly. The other is the
    exact binomial interval with one trial for each project with a positive (after the binomial interval of Boyd, Eng
    and Page, "Area under the Precision-Recall Curve", 2013).
    """

    def statistic(positions: NDArray[np.intp]) -> float:
        resampled = sample.subset(positions)
        if not resampled.labels.any():
            return float("nan")
        return learning.average_precision(resampled.scores, resampled.labels, weights=resampled.weights)

    value = learning.average_precision(sample.scores, sample.labels, weights=sample.weights)
    repeats = int(np.clip(10 / (1 - confidence), 400, 4000))  # ten values beyond each limit, if affordable
    options: dict[str, Any] = {"rng": np.random.default_rng(0), "repeats": repeats, "confidence": confidence}
    bootstrap = learning.cluster_bootstrap(statistic, sample.groups, **options)
    trials = len(np.unique(sample.groups[sample.labels == 1]))
    exact = learning.clopper_pearson(value * trials, trials, confidence)
    return Estimate(value, min(bootstrap.low, exact.low), max(bootstrap.high, exact.high))
