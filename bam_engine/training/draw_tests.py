"""The tests on the random draws: what they certify of a precision, of a recall, and of the images that are negative.

All are about the images that there were at the first draw, without those that came later.
"""

from typing import Any

import numpy as np

from bam_engine import learning
from bam_engine.annotation import NEGATIVE, Attribute
from bam_engine.errors import LearningError
from bam_engine.labelling import tasks
from bam_engine.learning import RecallThreshold, Threshold
from bam_engine.training import growth
from bam_engine.training.models import TrainedModel, scores_of
from bam_engine.training.validation import ValidationSet, complete_draws, lost_images, random_sample
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import with_files


def certified(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, *, target: float, confidence: float
) -> Threshold | None:
    """Return the threshold that the first draw certifies for a precision, or None."""
    draws = labelled_draws(workspace, attribute, model)
    try:
        found = learning.choose_threshold(**draws, target=target, confidence=confidence)
    except LearningError:
        return None
    return found if found.certified else None


def labelled_draws(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> dict[str, Any]:
    """Return the labelled random draws as the tests take them: the first certifies, if it is complete."""
    random = _of_first(workspace, attribute, model)
    lost = lost_images(workspace, attribute, model)
    against = lost.against(0, draw=0)
    scores = scores_of(workspace, attribute, model)[: growth.images_at_draw(workspace, attribute)]
    pool = with_files(workspace, np.flatnonzero(np.isfinite(scores)))
    return {
        "scores": random.scores,
        "labels": random.labels,
        "groups": random.groups,
        "pool_scores": scores[pool],
        "testing": complete_draws(workspace, attribute, random.rows) == 0,
        "lost": (lost.scores[against], lost.groups[against]),
    }


def _of_first(workspace: Workspace, attribute: Attribute, model: TrainedModel | None) -> ValidationSet:
    """Return what the draws say of the images that there were at the first."""
    sample = random_sample(workspace, attribute, model)
    return sample.subset(sample.rows < growth.images_at_draw(workspace, attribute))


def certify_recall(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None, *, target: float, confidence: float
) -> RecallThreshold:
    """Certify a recall on the fully labelled draws.

    Images were drawn, spread over the projects, so projects need no correction. Each draw is one look with its own part
    of the risk. The guarantee covers the images that these draws could hold: those that there were at the first draw,
    that can be looked at and, after a top-up, that no round had queried. Images of the draws that cannot be looked at
    any more count against it.
    """
    random = _of_first(workspace, attribute, model)
    draws = complete_draws(workspace, attribute, random.rows)
    whole = draws >= 0
    lost = lost_images(workspace, attribute, model)
    against = lost.against(1)
    return learning.certify_recall(
        random.scores[whole],
        random.labels[whole],
        target=target,
        confidence=confidence,
        draws=draws[whole],
        lost=(lost.scores[against], lost.draws[against]),
    )


def suggest_negative(
    workspace: Workspace,
    attribute: Attribute,
    model: TrainedModel | None = None,
    *,
    target: float,
    confidence: float = 0.95,
) -> float | None:
    """Return the highest score at or below which ``target`` of the images are negative, or None if there is none.

    An image is negative if people agree on a no: unsure and disputed ones count against it, as do the images of the
    draws that cannot be looked at any more, unless people had agreed on a no.
    """
    lost, sample = lost_images(workspace, attribute, model), _of_first(workspace, attribute, model)
    settled = tasks.labels_of(tasks.blind_labels(workspace, attribute), sample.rows)
    options: dict[str, Any] = {
        "target": target,
        "confidence": confidence,
        "groups": sample.groups,
        "pool_scores": -sample.pool_scores,
        "lost": (-lost.scores[~lost.negative], lost.groups[~lost.negative]),
    }
    try:
        threshold = learning.choose_threshold(-sample.scores, settled == NEGATIVE, **options)
    except LearningError:
        return None
    if not threshold.certified:
        return -threshold.value
    return -float(learning.certified_cuts(-sample.scores, settled == NEGATIVE, **options)[-1])  # the loosest
