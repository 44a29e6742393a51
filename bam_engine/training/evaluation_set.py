"""The labelled images that a model is measured on: the validation set, and what certifications labelled."""

from dataclasses import replace

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.training import certification
from bam_engine.training.models import TrainedModel
from bam_engine.training.validation import ValidationSet, draw_probability, labelled_sample, random_sample
from bam_engine.workspace.core import Workspace


def evaluation_set(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> ValidationSet:
    """Return every labelled image held out for measuring, with the scores of ``model``, or of the newest.

    These are the random draws and the images of certifications. The weight of an image is one over the probability with
    which any of them included it; without a certification all weights are equal.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    random = random_sample(workspace, attribute, model)
    certifications = certification.certifications(workspace, attribute)
    if not certifications:
        return random
    drawn = [tasks.validation_task(workspace, attribute).rows, *(each.task.rows for each in certifications)]
    sample = labelled_sample(workspace, attribute, np.unique(np.concatenate(drawn)), model)
    left_out = np.full(len(sample.rows), 1 - draw_probability(workspace, attribute))
    for each in certifications:
        left_out *= 1 - certification.inclusion_probabilities(workspace, each, sample.rows)
    return replace(sample, weights=1 / np.maximum(1 - left_out, 1e-9))
