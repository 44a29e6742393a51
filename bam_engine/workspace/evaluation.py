"""What a model is worth: measured on the validation set, which no model trains on.

Wires the validation labels and the scores to ``learning``. Every share comes with its interval.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError, NoThreshold
from bam_engine.learning import Curve, Threshold
from bam_engine.workspace import certification, tasks
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.models import TrainedModel
from bam_engine.workspace.validation import ValidationSet, labelled_sample, random_probability, random_sample


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
    """Return every labelled image that judges, with the scores of ``model``, or of the newest.

    The random draws, and what certifications asked where their decision was open; an image's weight is one over the
    probability with which it came in by any of these ways. Without a certification all weigh the same.
    """
    random = random_sample(workspace, attribute, model)
    attempts = certification.certifications(workspace, attribute)
    if not attempts:
        return random
    asked = np.concatenate([tasks.validation_task(workspace, attribute).rows, *(one.task.rows for one in attempts)])
    sample = labelled_sample(workspace, attribute, np.unique(asked), model)
    left_out = np.full(len(sample.rows), 1 - random_probability(workspace, attribute))
    for one in attempts:
        left_out *= 1 - certification.probabilities(workspace, one, sample.rows)
    return replace(sample, weights=1 / np.maximum(1 - left_out, 1e-9))


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
        sample.scores,
        sample.labels,
        weights=sample.weights,
        groups=sample.groups,
        confidence=confidence,
        pool_scores=sample.pool_scores,
    )
    try:
        threshold, why = choose(workspace, attribute, model, target=target, confidence=confidence), ""
    except NoThreshold as error:
        threshold, why = None, str(error)
    return Evaluation(len(sample.labels), n_positive, _average_precision(sample), curve, threshold, why)


def choose(
    workspace: Workspace,
    attribute: Attribute,
    model: TrainedModel | None = None,
    *,
    target: float,
    confidence: float = 0.95,
) -> Threshold:
    """Return the threshold for a precision target.

    Where a certification of this model and target was started, its cut counts and no other: two tests of one promise
    would add up their risks. Else the test on the random draws decides (:func:`bam_engine.learning.choose_threshold`).

    Raises
    ------
    NoThreshold
        No cut reaches the target even by its point estimate.
    LearningError
        Nothing is trained, or the validation labels are of one kind only.
    """
    random = random_sample(workspace, attribute, model)
    found = learning.choose_threshold(
        random.scores,
        random.labels,
        target=target,
        confidence=confidence,
        groups=random.groups,
        pool_scores=random.pool_scores,
    )
    attempt = certification.current(workspace, attribute, target=target)
    if attempt is None or attempt.confidence < confidence or (model is not None and model.id != attempt.model_id):
        return found
    certified = certification.state(workspace, attempt).certified
    if certified is None:
        return replace(found, certified=False)
    return replace(measure(validation_set(workspace, attribute, model), certified, target=target), certified=True)


def measure(sample: ValidationSet, value: float, *, target: float, confidence: float = 0.95) -> Threshold:
    """Return what the validation set says of a cut that was chosen elsewhere."""
    return learning.threshold_at(
        value,
        sample.scores,
        sample.labels,
        target=target,
        confidence=confidence,
        weights=sample.weights,
        groups=sample.groups,
        pool_scores=sample.pool_scores,
    )


def keep_recall(
    workspace: Workspace, attribute: Attribute, *, target: float, confidence: float = 0.95
) -> learning.RecallThreshold:
    """Return the strictest cut that certainly keeps a recall; see :func:`bam_engine.learning.certify_recall`."""
    random = random_sample(workspace, attribute)
    return learning.certify_recall(
        random.scores, random.labels, target=target, confidence=confidence, groups=random.groups
    )


def choose_negative(
    workspace: Workspace, attribute: Attribute, *, target: float, confidence: float = 0.95
) -> float | None:
    """Return the highest cut below which ``target`` of the images are negative, or None where there is none."""
    sample = random_sample(workspace, attribute)
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
        part = sample.only(positions)
        if not part.labels.any():
            return float("nan")
        return learning.average_precision(part.scores, part.labels, weights=part.weights)

    value = learning.average_precision(sample.scores, sample.labels, weights=sample.weights)
    drawn = learning.cluster_bootstrap(statistic, sample.groups, rng=np.random.default_rng(0), repeats=400)
    trials = len(np.unique(sample.groups[sample.labels == 1]))
    exact = learning.clopper_pearson(value * trials, trials)
    return Estimate(value, min(drawn.low, exact.low), max(drawn.high, exact.high))
