"""What a certification is about: its population, the labels that its test reads, and the positives that it counts.

In:  a certification. Out: rows, scores and labels, and how likely it was to ask about an image.
"""

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import POSITIVE, TASK_PURPOSES, Attribute, Consensus, judged_labels
from bam_engine.annotation.answer_log import answer_log
from bam_engine.labelling import tasks
from bam_engine.labelling.absent_images import covered_rows
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.labelling.missing_images import missing_images
from bam_engine.training.certification_store import Certification
from bam_engine.training.models import TrainedModel, all_scores_of, model_by_id, scores_of
from bam_engine.training.querying import used_rows
from bam_engine.training.validation import labelled_sample
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import members, removed


def known_rows(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the images that anyone has labelled or been asked about, ascending."""
    answered = answer_log(workspace.engine, attribute.id, set_aside=True).votes().rows
    answered = np.union1d(answered, tasks.ever_unqueried_rows(workspace, attribute))
    return np.union1d(answered, used_rows(workspace, attribute)).astype(np.int64)


def labelled_yes(workspace: Workspace, attribute: Attribute) -> NDArray[np.int64]:
    """Return the images labelled yes that a promise may count: those with imported labels alone judge nothing."""
    agreed = tasks.labels(workspace, attribute)
    rows: NDArray[np.int64] = agreed.rows[agreed.labels == POSITIVE]
    annotations = workspace.annotations
    looked_at = np.concatenate(
        [
            annotations.answers(attribute.id, purposes=TASK_PURPOSES).rows,
            annotations.decisions(attribute.id).rows,
            annotations.direct_answers(attribute.id).rows,
        ]
    )
    return rows[np.isin(rows, looked_at)]


def labels_for(workspace: Workspace, certification: Certification, agreed: Consensus) -> NDArray[np.int8]:
    """Return a label for each row of the collection: -1 unknown, 0 if people answered without agreeing on a yes.

    A label that was imported is none before people have been asked about the image.
    """
    attribute, labels = certification.attribute, np.full(len(workspace.catalogue), -1, np.int8)
    labels[agreed.rows] = judged_labels(agreed)
    queried = np.union1d(certification.queried, queried_rows(workspace, attribute)).astype(np.int64)
    asked = np.union1d(queried, held_out_rows(workspace, attribute)).astype(np.int64)
    labels[np.setdiff1d(tasks.imported_rows(workspace, attribute), asked, assume_unique=True)] = -1
    labels[missing_images(workspace, queried[labels[queried] < 0])] = 0
    labels[(labels < 0) & ~workspace.catalogue.present()] = 0
    labels[removed(workspace).rows] = 0
    return labels


def known_positives(workspace: Workspace, certification: Certification) -> int:
    """Return how many images outside its population the promise counts.

    They are delivered as labelled yes, and as many people as judge agree on that.
    """
    votes, attribute = workspace.judging_redundancy, certification.attribute
    yes, blind = (tasks.labels_by(workspace, attribute, votes, blind=each) for each in (False, True))
    delivered = tasks.labels_of(tasks.labels(workspace, attribute), certification.counted) == POSITIVE
    return int((delivered & counted_yes(workspace, certification, yes, blind)).sum())


def counted_yes(
    workspace: Workspace, certification: Certification, yes: Consensus, blind: Consensus
) -> NDArray[np.bool_]:
    """Return which of the counted images are labelled yes; of those that judge, a direct answer alone is no yes."""
    counted = certification.counted
    judging = np.isin(counted, held_out_rows(workspace, certification.attribute))
    agreed, blindly = (tasks.labels_of(each, counted) == POSITIVE for each in (yes, blind))
    counts: NDArray[np.bool_] = agreed & (~judging | blindly)
    return counts


def population_of(workspace: Workspace, certification: Certification) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows that a certification is about, and their scores."""
    scores = all_scores_of(workspace, certification.attribute, model_of(workspace, certification))
    scored = np.flatnonzero(np.isfinite(scores[: certification.images]))
    started_with = np.setdiff1d(scored, certification.known, assume_unique=True)
    rows = covered_rows(workspace, certification.attribute, started_with)
    return rows, np.asarray(scores[rows])


def model_of(workspace: Workspace, certification: Certification) -> TrainedModel:
    """Return the model that a certification belongs to."""
    return model_by_id(workspace, certification.model_id)


def is_scored(workspace: Workspace, certification: Certification) -> bool:
    """Return whether its images have a score by its model: the vectors of its encoder are a cache that may be lost."""
    scores = all_scores_of(workspace, certification.attribute, model_of(workspace, certification))
    outside = np.zeros(certification.images or 0, bool)  # None: an early version, which lists no later images
    outside[certification.known[certification.known < len(outside)]] = True
    last = int(np.flatnonzero(~outside).max(initial=0))
    return len(scores) > max(last, int(certification.pilot.max(initial=0)))


def population_rows(workspace: Workspace, certification: Certification) -> NDArray[np.int64]:
    """Return the images that are covered, ascending."""
    return population_of(workspace, certification)[0]


def population_size(workspace: Workspace, certification: Certification) -> int:
    """Return how many images are covered: those that could be looked at when it started, and had no label."""
    return int(members(workspace)[population_of(workspace, certification)[0]].sum())


def inclusion_probabilities(
    workspace: Workspace, certification: Certification, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the probability with which a certification queried each of ``rows``, had it not been labelled before.

    It is 0 for images that came after its start.
    """
    model = model_of(workspace, certification)
    scores, population = (
        scores_of(workspace, certification.attribute, model),
        population_of(workspace, certification)[1],
    )
    score = np.full(len(rows), np.nan)
    embedded = rows < len(scores[: certification.images])
    score[embedded] = scores[rows[embedded]]
    ordered = np.sort(np.concatenate([population, scores[certification.pilot]]))
    ranks = len(ordered) - np.searchsorted(ordered, np.nan_to_num(score), side="right")
    pilot = np.where(np.isnan(score), 0.0, learning.pilot_inclusion_probabilities(ranks, len(ordered)))
    later_rows = np.setdiff1d(certification.queried, certification.pilot)
    drawn = labelled_sample(workspace, certification.attribute, later_rows, model).scores
    later = learning.inclusion_probabilities(population, drawn, score, cuts=certification.cuts)
    return 1 - (1 - pilot) * (1 - later)
