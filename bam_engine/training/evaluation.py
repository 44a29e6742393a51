"""What a model is worth: measured on the validation set, which no model trains on.

Wires the validation labels and the scores to ``learning``. Every share comes with its interval.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError, NoThreshold
from bam_engine.labelling import tasks
from bam_engine.learning import Curve, Threshold
from bam_engine.training import certification
from bam_engine.training.models import TrainedModel
from bam_engine.training.validation import (
    ValidationSet,
    complete_draws,
    draw_probability,
    labelled_sample,
    random_sample,
)
from bam_engine.workspace.core import Workspace


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
    left_out = np.full(len(sample.rows), 1 - draw_probability(workspace, attribute))
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

    The intervals of the curve are described in :func:`bam_engine.learning.precision_recall`, all hold with
    ``confidence``. What the sample speaks of is said in :mod:`bam_engine.training.validation`.

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
            "Label more validation images, or start a certification: it looks where positives are."
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
    return Evaluation(len(sample.labels), n_positive, _average_precision(sample, confidence), curve, threshold, why)


def choose(
    workspace: Workspace,
    attribute: Attribute,
    model: TrainedModel | None = None,
    *,
    target: float,
    confidence: float = 0.95,
) -> Threshold:
    """Return the threshold for a precision target.

    Where a certification of this model and target was started, its cut counts and no other, at whatever confidence is
    asked: two tests of one promise would add up their risks. It counts although the random draws hold no positive, or
    reach no target. Else the test on the first random draw decides, once that is labelled whole
    (:func:`bam_engine.learning.choose_threshold`); later draws measure, and certify nothing. Each of the two ways keeps
    its promise; whoever goes the second because the first had failed has had two chances, as with another model.

    Raises
    ------
    NoThreshold
        Nothing is certified, and no cut reaches the target even by its point estimate.
    LearningError
        Nothing is trained; or nothing is certified, and the validation labels are of one kind only.
    """
    attempt = certification.current(workspace, attribute, target=target, confidence=confidence)
    if attempt is not None and model is not None and model.id != attempt.model_id:
        attempt = None
    if attempt is not None:
        certified = _certified(workspace, attempt)
        if certified is not None:
            return certified
    random = random_sample(workspace, attribute, model)
    testing = np.zeros(len(random.rows), bool)
    if attempt is None:
        testing = complete_draws(workspace, attribute, random.rows) == 0
    return learning.choose_threshold(
        random.scores,
        random.labels,
        target=target,
        confidence=confidence,
        groups=random.groups,
        pool_scores=random.pool_scores,
        testing=testing,
    )


def _certified(workspace: Workspace, attempt: certification.Certification) -> Threshold | None:
    """Return the cut that a certification has shown by now, as the validation set measures it; None before."""
    now = certification.state(workspace, attempt)
    if now.progress is None or now.certified is None:
        return None
    sample = validation_set(workspace, attempt.attribute, certification.model_of(workspace, attempt))
    found = measure(sample, now.certified, target=attempt.target, confidence=attempt.confidence)
    return replace(found, certified=True, covers=now.progress.accepted)


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
    """Return the strictest cut that certainly keeps a recall; see :func:`bam_engine.learning.certify_recall`.

    Images were drawn, spread over the projects, so it holds with projects as it is. Every whole draw is a look with
    its own part of the risk. It is about the images that these draws could hold: after a top-up, those that no round
    had asked about.
    """
    random = random_sample(workspace, attribute)
    draws = complete_draws(workspace, attribute, random.rows)
    whole = draws >= 0
    return learning.certify_recall(
        random.scores[whole], random.labels[whole], target=target, confidence=confidence, draws=draws[whole]
    )


def choose_recall(
    workspace: Workspace, attribute: Attribute, *, recall: float, target: float = 0.90, confidence: float = 0.95
) -> Threshold:
    """Return the strictest cut that certainly keeps a recall, as a threshold to keep.

    ``target`` is the precision that an audit of it is compared with; none is promised.

    Raises
    ------
    NoThreshold
        No cut is certain to keep the recall; the message says what is missing.
    LearningError
        Nothing is trained, or no whole draw is labelled yet.
    """
    found = keep_recall(workspace, attribute, target=recall, confidence=confidence)
    if found.value is None:
        raise NoThreshold(found.evidence)
    sample = validation_set(workspace, attribute)
    measured = measure(sample, found.value, target=target, confidence=confidence)
    return replace(measured, recall_target=recall, promise=found.evidence)


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


def _average_precision(sample: ValidationSet, confidence: float) -> Estimate:
    """Return the average precision with the wider, side by side, of two intervals at ``confidence``.

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
    repeats = int(np.clip(10 / (1 - confidence), 400, 4000))  # ten beyond each limit, where that can be had
    options: dict[str, Any] = {"rng": np.random.default_rng(0), "repeats": repeats, "confidence": confidence}
    drawn = learning.cluster_bootstrap(statistic, sample.groups, **options)
    trials = len(np.unique(sample.groups[sample.labels == 1]))
    exact = learning.clopper_pearson(value * trials, trials, confidence)
    return Estimate(value, min(drawn.low, exact.low), max(drawn.high, exact.high))
