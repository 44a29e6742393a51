"""The samples that tell how many positives are missed below a threshold: what is stored of them, and what they show.

A sample belongs to its model, its threshold and its population: the images below the threshold that had no label, could
be looked at, and were in no round, when it was drawn. Its images are held out, are asked about blind, and train
nothing. It describes every threshold of its model that accepts the same images, and no other.

Only whole batches count, as with every sample that judges. Images that a person decided to ask about no more leave it
in the order in which they were drawn, so that those asked about are a random sample of each part as before.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import NO_LABEL, Attribute
from bam_engine.labelling import tasks
from bam_engine.labelling.absent_images import absent_images
from bam_engine.labelling.drawn_images import stored_recall_samples, whole_recall_sample
from bam_engine.labelling.missing_images import missing_images
from bam_engine.learning import Threshold, is_rejected
from bam_engine.training.evaluation_set import judging_labels
from bam_engine.training.models import TrainedModel, all_scores_of, model_by_id, scores_of
from bam_engine.training.recall_evidence import BelowAndAbove, DrawnBelow
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import removed

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RecallSample:
    """A sample of the images below ``threshold``, by the scores of a model.

    Images that score at least ``boundary`` are drawn as a part of their own (None: all are one part). ``known`` are the
    rows below the threshold that could not be drawn; rows from ``images`` on came later and could not either.
    ``left_out`` images were outside only because they had no readable file. ``rows`` (n,) were drawn, in ``batches``
    (n,); the first ``asked`` of them are asked about.
    """

    id: int
    attribute: Attribute
    model_id: int
    threshold: float
    boundary: float | None
    seed: int
    known: Rows
    images: int
    left_out: int
    asked: int
    made_at: str
    rows: Rows
    batches: NDArray[np.int64]
    task: tasks.Task


def recall_samples(workspace: Workspace, attribute: Attribute) -> list[RecallSample]:
    """Return the recall samples of ``attribute``, oldest first."""
    stored = stored_recall_samples(workspace, attribute)
    return [_sample(workspace, attribute, each) for each in stored]


def _sample(workspace: Workspace, attribute: Attribute, stored: sa.Row[Any]) -> RecallSample:
    drawn = whole_recall_sample(workspace, stored.id)
    return RecallSample(
        id=stored.id,
        attribute=attribute,
        model_id=stored.model_id,
        threshold=stored.value,
        boundary=stored.boundary,
        seed=stored.seed,
        known=np.frombuffer(stored.known, np.int64),
        images=stored.images,
        left_out=stored.left_out,
        asked=stored.asked,
        made_at=stored.made_at,
        rows=drawn.rows,
        batches=drawn.batches,
        task=tasks.recall_task(workspace, attribute, stored.id, stored.asked),
    )


def samples_at(workspace: Workspace, attribute: Attribute, model: TrainedModel, value: float) -> list[RecallSample]:
    """Return the samples, oldest first, that describe a threshold: of its model, and accepting the same images."""
    samples = [each for each in recall_samples(workspace, attribute) if each.model_id == model.id]
    if not samples:
        return []
    scores = scores_of(workspace, attribute, model)
    accepted = learning.count_accepted(scores[np.isfinite(scores)], [value, *(each.threshold for each in samples)])
    return [each for each, number in zip(samples, accepted[1:], strict=True) if number == accepted[0]]


def population_of(workspace: Workspace, sample: RecallSample) -> tuple[Rows, NDArray[np.int64]]:
    """Return the rows that could be drawn, ascending, as they were, and the part of each."""
    scores = all_scores_of(workspace, sample.attribute, model_by_id(workspace, sample.model_id))[: sample.images]
    outside = np.zeros(len(scores), bool)
    outside[sample.known[sample.known < len(scores)]] = True
    rows = np.flatnonzero(is_rejected(scores, sample.threshold) & ~outside)
    if sample.boundary is None:
        return rows, np.zeros(len(rows), np.int64)
    return rows, is_rejected(scores[rows], sample.boundary).astype(np.int64)


def is_scored(workspace: Workspace, sample: RecallSample) -> bool:
    """Return whether its images have a score by its model: the vectors of its encoder are a cache that may be lost."""
    return bool(np.isin(sample.rows, population_of(workspace, sample)[0]).all())


@one_flow
def measured(workspace: Workspace, sample: RecallSample) -> BelowAndAbove | None:
    """Return what a sample shows by the labels of now, or None before its first batch is labelled.

    What cannot be looked at any more never raises the recall. A removed image leaves the population, unless people had
    labelled it positive, or were asked about it and had not answered yet.
    """
    rows = _whole_batches(workspace, sample)
    if not len(rows) or not is_scored(workspace, sample):
        return None
    attribute, model = sample.attribute, model_by_id(workspace, sample.model_id)
    answers = tasks.judged_labels_of(tasks.blind_labels(workspace, attribute), rows)
    absent = absent_images(workspace, attribute, rows)
    at = np.searchsorted(absent.rows, rows)
    is_absent = np.isin(rows, absent.rows)
    answers[is_absent] = absent.labels[at[is_absent]]
    population, parts = population_of(workspace, sample)
    gone = np.setdiff1d(removed(workspace).rows, rows[answers != 0])
    left, kept = ~np.isin(population, gone), ~np.isin(rows, gone)
    drawn = DrawnBelow(population[left], parts[left], rows[kept], answers[kept])
    scores = scores_of(workspace, attribute, model)[: sample.images]
    labels = judging_labels(workspace, attribute, model)[: sample.images]
    return BelowAndAbove(sample.threshold, scores, labels, drawn)


def _whole_batches(workspace: Workspace, sample: RecallSample) -> Rows:
    """Return the images of the batches, from the first on, that are fully labelled, in the order of the draw."""
    rows, batches = sample.rows[: sample.asked], sample.batches[: sample.asked]
    for number in np.unique(batches).tolist():
        present = removed(workspace).without(rows[batches == number])
        if len(present) and not tasks.state(workspace, replace(sample.task, rows=present)).complete:
            before: Rows = rows[batches < number]
            return before
    return rows


def answered_first(workspace: Workspace, sample: RecallSample) -> int:
    """Return how many images, from the first one on, need no further answer."""
    agreed = tasks.judged_labels_of(tasks.blind_labels(workspace, sample.attribute), sample.rows)
    unanswered = removed(workspace).without(sample.rows[agreed == NO_LABEL])
    waiting = np.isin(sample.rows, np.setdiff1d(unanswered, missing_images(workspace, unanswered)))
    return int(np.argmax(waiting)) if waiting.any() else len(sample.rows)


def newest_measured(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, value: float
) -> tuple[RecallSample, BelowAndAbove] | None:
    """Return the newest sample that describes a threshold and is labelled, with what it shows; None without one."""
    for sample in reversed(samples_at(workspace, attribute, model, value)):
        shown = measured(workspace, sample)
        if shown is not None:
            return sample, shown
    return None


def with_measured_recall(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, threshold: Threshold
) -> Threshold:
    """Return a threshold with the recall that a sample drawn for it shows, or as it is without one.

    Its precision must be that of what is delivered.
    """
    found = newest_measured(workspace, attribute, model, threshold.value)
    if found is None:
        return threshold
    precision = (threshold.precision, threshold.precision_low, threshold.precision_high)
    recall, low, high = found[1].recall(precision, threshold.confidence)
    return replace(threshold, recall=recall, recall_low=low, recall_high=high)
