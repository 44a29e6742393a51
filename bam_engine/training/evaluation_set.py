"""What a model is measured on: the validation set, what certifications labelled, and what is known of misses."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import NO_LABEL, POSITIVE, Attribute, judged_labels
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows, validation_images
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import Curve, RandomSample, delivered_precision, precision_recall
from bam_engine.training import certification_population, certification_store, growth
from bam_engine.training.evidence import OUTSIDE, Certified, Draw, Selection, largest_part, select_evidence
from bam_engine.training.models import TrainedModel, model_by_id, newest_model, scores_of, scores_version
from bam_engine.training.validation import (
    ValidationSet,
    asked_before,
    labelled_sample,
    random_sample,
)
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import with_files


def evaluation_set(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> ValidationSet:
    """Return every labelled image held out for measuring, with the scores of ``model``, or of the newest.

    These are the random draws and the images of certifications. The weight of an image is one over the probability with
    which any of them included it; without a certification, and where the collection did not grow between the draws, all
    weights are equal. A certification of a model without scores is left out.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    random = random_sample(workspace, attribute, model)
    certifications = _scored_certifications(workspace, attribute)
    drawn = [random.rows, *(each.queried for each in certifications)]
    sample = (
        labelled_sample(workspace, attribute, np.unique(np.concatenate(drawn)), model) if certifications else random
    )
    left_out = 1 - _draw_probabilities(workspace, attribute, sample.rows)
    for each in certifications:
        left_out *= 1 - certification_population.inclusion_probabilities(workspace, each, sample.rows)
    if not certifications and len(np.unique(left_out)) < 2:
        return random
    return replace(sample, weights=1 / np.maximum(1 - left_out, 1e-9))


def _draw_probabilities(workspace: Workspace, attribute: Attribute, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability with which the random draws include each of ``rows``, if no round has queried it."""
    sample, left_out = validation_images(workspace, attribute), np.ones(len(rows))
    for number in np.unique(sample.draws):
        inside = sample.draws == number
        could_be_drawn = rows < growth.images_at(workspace, min(sample.made_at[inside].tolist()))
        left_out[could_be_drawn] *= 1 - sample.probabilities[inside].max()
    return 1 - left_out


@dataclass(frozen=True, eq=False)
class Evidence:
    """What tells how good a threshold is, as :class:`~bam_engine.training.evidence.Selection` explains it.

    The labels of ``sample``, with their weights, stand for all images of its pool but the ``known`` ones, (m,) scores
    and (m,) labels. ``strata`` (n,) tell where a certification stands for the others. The recall rests on ``random``.
    ``labelled`` are the scores of all images of the pool that have a label.
    """

    images: int
    sample: ValidationSet
    strata: NDArray[np.bool_] | None
    known: tuple[NDArray[np.float32], NDArray[np.bool_]]
    random: RandomSample
    labelled: NDArray[np.float32]

    def curve(self, confidence: float, cuts: NDArray[np.float64] | None = None) -> Curve:
        """Return precision and recall of what is delivered at ``cuts``, or at those that tell the labels apart."""
        of_all = precision_recall(
            self.sample.scores,
            self.sample.labels,
            cuts=cuts,
            weights=self.sample.weights,
            groups=self.sample.groups,
            confidence=confidence,
            pool_scores=self.sample.pool_scores,
            random=self.random,
            known=self.known,
            strata=self.strata,
        )
        precision = np.stack([of_all.precision, of_all.precision_low, of_all.precision_high])
        value, low, high = delivered_precision(precision, of_all.cuts, self.random)
        return replace(of_all, precision=value, precision_low=low, precision_high=high)


def gather_evidence(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> Evidence:
    """Return the evidence for the thresholds of ``model``, or of the newest, as ``select_evidence`` chooses it.

    The certification is the newest one whose images have scores. Labels are those of now, counted by
    :func:`bam_engine.annotation.judged_labels`.

    Raises
    ------
    LearningError
        The attribute has no model yet.
    """
    model = model or newest_model(workspace, attribute)
    scores, labels = scores_of(workspace, attribute, model), judging_labels(workspace, attribute, model)
    found = selected_evidence(workspace, attribute, model, labels)
    sample = labelled_sample(workspace, attribute, found.rows, model)
    sample = replace(sample, pool_scores=np.asarray(scores[found.pool]), weights=found.weights)
    known, labelled = (scores[found.known], labels[found.known] == POSITIVE), found.pool[labels[found.pool] != NO_LABEL]
    return Evidence(found.images, sample, found.strata, known, found.random, scores[labelled])


def selected_evidence(
    workspace: Workspace, attribute: Attribute, model: TrainedModel, labels: NDArray[np.int8]
) -> Selection:
    """Return which of the labels, those of :func:`judging_labels`, are the evidence for the thresholds of ``model``."""
    judging = random_sample(workspace, attribute, model).rows
    certifications = [each for each in _scored_certifications(workspace, attribute) if each.cuts]
    return select_evidence(
        scores_of(workspace, attribute, model),
        labels,
        draws(workspace, attribute),
        _certified(workspace, certifications[-1]) if certifications else None,
        left_out=np.setdiff1d(validation_images(workspace, attribute).rows, judging),
    )


def evidence_version(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> tuple[object, ...]:
    """Return what changes whenever the evidence for the thresholds of ``model`` may have changed.

    These are the labels, the files, the cuts of certifications, and the scores by ``model`` and by those of
    certifications, of which other encoders may have lost their vectors.
    """
    started = workspace.snapshot.rows_with(db.certifications.c.attribute_id, attribute.id)
    placed = [len(workspace.snapshot.rows_with(db.certification_cuts.c.certification_id, each.id)) for each in started]
    by_models = [scores_version(workspace, model_by_id(workspace, each.model_id)) for each in started]
    return (
        scores_version(workspace, model),
        label_version(workspace, attribute),
        workspace.catalogue.missing_version,
        by_models,
        placed,
    )


def _certified(workspace: Workspace, started: certification_store.Certification) -> Certified:
    """Return a certification as the selection of evidence takes it."""
    images = len(workspace.catalogue) if started.images is None else started.images
    likely = partial(certification_population.inclusion_probabilities, workspace, started)
    return Certified(started.queried, started.known, images, likely)


def draws(workspace: Workspace, attribute: Attribute) -> list[Draw]:
    """Return the random draws, oldest first."""
    sample = validation_images(workspace, attribute)
    whole = tasks.validation_task(workspace, attribute)
    result = []
    for number in np.unique(sample.draws):
        inside = sample.draws == number
        rows, since = sample.rows[inside], min(sample.made_at[inside].tolist())
        result.append(
            Draw(
                rows,
                asked_before(workspace, attribute, since),
                growth.images_at(workspace, since),
                tasks.state(workspace, replace(whole, rows=rows)).complete,
            )
        )
    return result


def images_measured(workspace: Workspace, attribute: Attribute) -> int:
    """Return how many images of the collection, from the first on, what is measured is about; all without a draw."""
    part = largest_part(draws(workspace, attribute))
    return len(workspace.catalogue) if part is None else part.images


def _scored_certifications(workspace: Workspace, attribute: Attribute) -> list[certification_store.Certification]:
    """Return the certifications of which is known how likely they were to ask about an image: it takes their scores.

    Those that extend a promise asked about images that came later alone, whose labels are known and stand for no other.
    """
    started = certification_store.certifications(workspace, attribute)
    return [each for each in started if each.since is None and certification_population.is_scored(workspace, each)]


def judging_labels(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> NDArray[np.int8]:
    """Return how each row with a score and a file counts where a sample judges; others are outside.

    Of images that are held out, direct answers say nothing.
    """
    scores, held_out = scores_of(workspace, attribute, model), held_out_rows(workspace, attribute)
    labels = np.full(len(scores), OUTSIDE, np.int8)
    labels[with_files(workspace, np.flatnonzero(np.isfinite(scores)))] = NO_LABEL
    by_all, blind = tasks.labels(workspace, attribute), tasks.blind_labels(workspace, attribute)
    for agreed, judging in ((by_all, False), (blind, True)):
        counted = (agreed.rows < len(scores)) & (np.isin(agreed.rows, held_out) == judging)
        rows, answers = agreed.rows[counted], judged_labels(agreed)[counted]
        labels[rows] = np.where(labels[rows] == OUTSIDE, OUTSIDE, answers)
    return labels
