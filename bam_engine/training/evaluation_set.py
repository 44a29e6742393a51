"""What a model is measured on: the validation set, what certifications labelled, and what is known of misses."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import NEGATIVE, NO_LABEL, POSITIVE, Attribute, judged_labels
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.learning import RandomSample
from bam_engine.training import certification
from bam_engine.training.models import TrainedModel, newest_model, scores_of
from bam_engine.training.validation import (
    ValidationSet,
    asked_before_last_draw,
    draw_probability,
    labelled_sample,
    largest_random_part,
    random_sample,
)
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import with_files


def evaluation_set(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> ValidationSet:
    """Return every labelled image held out for measuring, with the scores of ``model``, or of the newest.

    These are the random draws and the images of certifications. The weight of an image is one over the probability with
    which any of them included it; without a certification all weights are equal. A certification of a model without
    scores is left out.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    random = random_sample(workspace, attribute, model)
    certifications = _scored_certifications(workspace, attribute)
    if not certifications:
        return random
    drawn = [tasks.validation_task(workspace, attribute).rows, *(each.queried for each in certifications)]
    sample = labelled_sample(workspace, attribute, np.unique(np.concatenate(drawn)), model)
    left_out = np.full(len(sample.rows), 1 - draw_probability(workspace, attribute))
    for each in certifications:
        left_out *= 1 - certification.inclusion_probabilities(workspace, each, sample.rows)
    return replace(sample, weights=1 / np.maximum(1 - left_out, 1e-9))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What tells how good a threshold is.

    The labels of ``sample``, with their weights, stand for all images but the ``known`` ones, (m,) scores and (m,)
    labels, which count as they are. ``strata`` (n,) tell where a certification stands for the others from where the
    random draws do, None without one. By the draws alone, the images ``asked`` about before the newest of them are
    known. ``random`` is what the recall rests on.
    """

    sample: ValidationSet
    strata: NDArray[np.bool_] | None
    known: tuple[NDArray[np.float32], NDArray[np.bool_]]
    asked: tuple[NDArray[np.float32], NDArray[np.bool_]]
    random: RandomSample


def gather_evidence(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> Evidence:
    """Return the evidence for the thresholds of ``model``, or of the newest.

    The random draws stand for what the newest of them could hold. Images that rounds, certifications and audits had
    asked about before it are known. The recall rests on the largest part of them that is one random sample. Where
    the newest certification asked about a larger fraction of the images of a score than the draws did, its labels
    stand for its population instead, and all images that were labelled when it started are known. Labels are those
    of now, counted by :func:`bam_engine.annotation.judged_labels`.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    model = model or newest_model(workspace, attribute)
    scores, labels = scores_of(workspace, attribute, model), _labels(workspace, attribute, model)
    drawn = random_sample(workspace, attribute, model)
    part, before_it = largest_random_part(workspace, attribute)
    asked = _mask(asked_before_last_draw(workspace, attribute), len(scores)) & (labels >= 0)
    asked_before = (scores[asked], labels[asked] == POSITIVE)
    known_before = _mask(before_it, len(scores)) & (labels >= 0)
    inside = np.isin(drawn.rows, part)
    random = RandomSample(
        drawn.scores[inside].astype(np.float64),
        drawn.labels[inside] == POSITIVE,
        scores[(labels != _OUTSIDE) & ~known_before],
        asked=scores[known_before],
        answers=labels[known_before] == POSITIVE,
        found=scores[labels == POSITIVE],
        refused=scores[labels == NEGATIVE],
    )
    certifications = [each for each in _scored_certifications(workspace, attribute) if each.cuts]
    if not certifications:
        return Evidence(drawn, None, asked_before, asked_before, random)
    newest, labelled = certifications[-1], np.flatnonzero(labels >= 0)
    fraction = len(drawn.rows) / max(int(((labels != _OUTSIDE) & ~asked).sum()), 1)
    dense = certification.inclusion_probabilities(workspace, newest, labelled) >= fraction
    queried, known_then = np.isin(labelled, newest.queried), np.isin(labelled, newest.known)
    known = labelled[np.where(dense, known_then & ~queried, asked[labelled])]
    stands_for = labelled[np.where(dense, queried, np.isin(labelled, drawn.rows))]
    sample = labelled_sample(workspace, attribute, stands_for, model)
    probabilities = certification.inclusion_probabilities(workspace, newest, sample.rows)
    sample = replace(sample, weights=1 / np.maximum(np.where(probabilities >= fraction, probabilities, fraction), 1e-9))
    return Evidence(sample, probabilities >= fraction, (scores[known], labels[known] == POSITIVE), asked_before, random)


def _scored_certifications(workspace: Workspace, attribute: Attribute) -> list[certification.Certification]:
    """Return the certifications of which is known how likely they were to ask about an image: it takes their scores."""
    started = certification.certifications(workspace, attribute)
    return [each for each in started if certification.is_scored(workspace, each)]


_OUTSIDE = -2


def _mask(rows: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    """Return which of ``n`` images are among ``rows``."""
    mask = np.zeros(n, bool)
    mask[rows[rows < n]] = True
    return mask


def _labels(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> NDArray[np.int8]:
    """Return how each row with a score and a file counts where a sample judges; others are outside.

    Of images that are held out, direct answers say nothing.
    """
    scores, held_out = scores_of(workspace, attribute, model), held_out_rows(workspace, attribute)
    labels = np.full(len(scores), _OUTSIDE, np.int8)
    labels[with_files(workspace, np.flatnonzero(np.isfinite(scores)))] = NO_LABEL
    by_all, blind = tasks.labels(workspace, attribute), tasks.blind_labels(workspace, attribute)
    for agreed, judging in ((by_all, False), (blind, True)):
        counted = (agreed.rows < len(scores)) & (np.isin(agreed.rows, held_out) == judging)
        rows, answers = agreed.rows[counted], judged_labels(agreed)[counted]
        labels[rows] = np.where(labels[rows] == _OUTSIDE, _OUTSIDE, answers)
    return labels
