"""Precision and recall at a threshold if answers may be wrong, by what several people answered about the same images.

In:  a threshold. Out: a second estimate beside the one that takes every label for right. It certifies nothing, and no
advice rests on it. The arithmetic is that of :func:`bam_engine.learning.correct_for_errors`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import POSITIVE, Attribute
from bam_engine.errors import LearningError
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.learning import AnsweredImages, ErrorCorrection, Threshold, is_accepted
from bam_engine.training.delivered import delivered_at
from bam_engine.training.evaluation_set import evidence_version, judging_labels, selected_evidence
from bam_engine.training.evidence import Selection
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.training.recall_evidence import DrawnBelow
from bam_engine.training.recall_samples import newest_measured
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.memory import Kind

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

MIN_OVERLAP = 50
"""Images of the samples that several people must have answered about before their errors are estimated."""


@dataclass(frozen=True, eq=False)
class GivenAnswers:
    """How many people said yes to each image, and how many answered about it, a decision included; both (n,)."""

    yes: NDArray[np.int64]
    answers: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sampled:
    """Labelled ``rows`` drawn at random ``among`` images on one side of the threshold, themselves included.

    ``weights`` (n,) are inverse inclusion probabilities, None if all are equal.
    """

    rows: Rows
    among: Rows
    weights: NDArray[np.float64] | None = None


def two_sides(above: Mask, labelled: Mask, found: Selection) -> list[Sampled]:
    """Return the samples of the images at or above a threshold, and of those below it, as the evidence has them.

    Parameters
    ----------
    above, labelled : (n,) bool
    found
        The evidence for the thresholds of the model.
    """
    measured = found.rows[above[found.rows] & labelled[found.rows]]
    weights = None if found.weights is None else found.weights[above[found.rows] & labelled[found.rows]]
    accepted = np.setdiff1d(found.pool[above[found.pool]], found.known)
    below = found.recall_rows[~above[found.recall_rows] & labelled[found.recall_rows]]
    rejected = np.setdiff1d(found.pool[~above[found.pool]], found.asked)
    return [Sampled(measured, np.union1d(accepted, measured), weights), Sampled(below, np.union1d(rejected, below))]


def answered_images(
    above: Mask,
    labelled: Mask,
    delivered: Mask,
    given: GivenAnswers,
    samples: Sequence[Sampled],
    *,
    judging: Mask,
    projects: Rows,
) -> AnsweredImages:
    """Return the labelled images as :func:`bam_engine.learning.correct_for_errors` takes them.

    Those that are in no sample stand for themselves. Those that teach are one group, whatever they score: the model
    has learned their labels, so that one with a wrong yes scores high. Others are in groups by their side.

    Parameters
    ----------
    above, labelled, delivered, judging : (n,) bool
        Which images score at or above the threshold; which people have answered about enough, of those that are
        measured; which are delivered; and which are held out.
    samples
        They stand for all images of either side that have no label.
    projects : (n,)
    """
    n = len(above)
    group, member, weights = np.where(judging, np.where(above, 1, 2), 0), np.full(n, -1), np.ones(n)
    for number, sample in enumerate(samples, start=3):
        member[sample.among] = number
        group[sample.rows], member[sample.rows] = number, -1
        weights[sample.rows] = _effective_weights(given.yes[sample.rows] > 0, sample, projects[sample.rows])
    rows = np.flatnonzero(labelled & (given.answers > 0))
    return AnsweredImages(
        yes=given.yes[rows],
        answers=given.answers[rows],
        delivered=delivered[rows],
        group=group[rows],
        member=member[rows],
        weights=weights[rows],
        above=np.array([False, True, False, *(bool(above[each.among].any()) for each in samples)]),
        others=np.array([0] * 3 + [len(each.among) - len(each.rows) for each in samples]),
    )


def _effective_weights(hits: Mask, sample: Sampled, projects: Rows) -> NDArray[np.float64]:
    """Return weights whose sum is the number of independent images that tell as much as the sample."""
    if not len(hits):
        return np.empty(0)
    everything = np.ones((1, len(hits)), bool)
    measured = learning.proportions(hits[None], everything, weights=sample.weights, groups=projects)
    weights = np.ones(len(hits)) if sample.weights is None else sample.weights
    of_all: NDArray[np.float64] = weights * measured.n_effective[0] / weights.sum()
    return of_all


_CORRECTIONS = Kind[ErrorCorrection | None](
    "estimates corrected for wrong answers",
    of="model and threshold",
    until="a label, a score or a file changes",
    limit=1000,
)


@one_flow
def correction_at(workspace: Workspace, attribute: Attribute, threshold: Threshold) -> ErrorCorrection | None:
    """Return precision and recall at a threshold of the newest model, corrected for wrong answers.

    None where fewer than ``MIN_OVERLAP`` images of its samples were answered by several people.
    """
    model = latest_model(workspace, attribute)
    if model is None:
        return None
    version, subject = evidence_version(workspace, attribute, model), (model.id, threshold.value, threshold.confidence)
    return workspace.memory.get(
        _CORRECTIONS, subject, version, lambda: _corrected(workspace, attribute, model, threshold)
    )


def _corrected(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, threshold: Threshold
) -> ErrorCorrection | None:
    scores, labels = scores_of(workspace, attribute, model), judging_labels(workspace, attribute, model)
    try:
        found = selected_evidence(workspace, attribute, model, labels)
    except LearningError:
        return None
    n, above = len(scores), is_accepted(scores, threshold.value)
    given = given_answers(workspace, attribute, n)
    labelled = (labels >= 0) & (given.answers > 0)
    samples = two_sides(above, labelled, found)
    measuring = newest_measured(workspace, attribute, model, threshold.value)
    if measuring is not None:
        samples[1:] = [Sampled(samples[1].rows, samples[1].rows), *_drawn_below(measuring[1].drawn, labelled)]
    sampled = np.concatenate([each.rows for each in samples])
    if (given.answers[sampled] > 1).sum() < MIN_OVERLAP:
        return None
    inside = np.zeros(n, bool)
    inside[np.concatenate([found.pool, *(each.among for each in samples)])] = True
    images = answered_images(
        above,
        labelled & inside,
        delivered_at(workspace, attribute, threshold.value, model, n=n).accepted,
        given,
        samples,
        judging=np.isin(np.arange(n), held_out_rows(workspace, attribute)),
        projects=workspace.catalogue.projects()[:n],
    )
    return learning.correct_for_errors(images, threshold.confidence)


def _drawn_below(drawn: DrawnBelow, labelled: Mask) -> list[Sampled]:
    """Return each part of a sample that was drawn below the threshold."""
    part = drawn.parts[np.searchsorted(drawn.population, drawn.rows)]
    inside = labelled[drawn.rows]
    return [
        Sampled(drawn.rows[inside & (part == number)], drawn.population[drawn.parts == number])
        for number in range(int(drawn.parts.max(initial=0)) + 1)
    ]


def given_answers(workspace: Workspace, attribute: Attribute, n: int) -> GivenAnswers:
    """Return how many people answered about each of ``n`` images; a decision counts as one more answer."""
    votes, agreed = tasks.votes(workspace, attribute), tasks.labels(workspace, attribute)
    decided, yes = agreed.rows[agreed.decided], agreed.rows[agreed.decided & (agreed.labels == POSITIVE)]
    positive = np.concatenate([votes.rows[votes.answers == POSITIVE], yes])
    every = np.concatenate([votes.rows, decided])
    return GivenAnswers(np.bincount(positive, minlength=n)[:n], np.bincount(every, minlength=n)[:n])
