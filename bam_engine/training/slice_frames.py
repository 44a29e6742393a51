"""What is known of every image of an attribute, for the figures of a slice: :mod:`bam_engine.learning.slices`.

The labels of the random draws and of the certification count, for the images that they stand for, exactly as for the
threshold of the whole collection (:mod:`bam_engine.training.evidence`). The labels of rounds, of audits and those that
were imported are known of their own images and say nothing of others.
"""

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import POSITIVE, Attribute
from bam_engine.learning import is_accepted
from bam_engine.learning.slices import Frame, Sampled, State, bands_of
from bam_engine.training.delivered import delivered_of
from bam_engine.training.evaluation_set import judging_labels, selected_evidence
from bam_engine.training.evidence import OUTSIDE, Selection
from bam_engine.training.models import newest_model, scores_of
from bam_engine.training.thresholds import AttributeThreshold
from bam_engine.workspace.core import Workspace

Mask = NDArray[np.bool_]


def slice_frame(workspace: Workspace, attribute: Attribute, threshold: AttributeThreshold) -> Frame:
    """Return the frame of the ``threshold`` in use.

    Raises
    ------
    LearningError
        The attribute has no model.
    """
    model = newest_model(workspace, attribute)
    labels = judging_labels(workspace, attribute, model)
    return frame_of(
        scores_of(workspace, attribute, model),
        labels,
        selected_evidence(workspace, attribute, model, labels),
        threshold.value,
        delivered=delivered_of(workspace, attribute).accepted,
        groups=workspace.catalogue.projects(),
    )


def frame_of(
    scores: NDArray[np.float32],
    labels: NDArray[np.int8],
    evidence: Selection,
    cut: float,
    *,
    delivered: Mask,
    groups: NDArray[np.int64],
) -> Frame:
    """Return the states of N images, and the samples.

    Parameters
    ----------
    scores, labels : (n,)
        Of the first n of them; labels as :func:`~bam_engine.training.evidence.select_evidence` takes them.
    evidence
        What that returned.
    cut
        The threshold.
    delivered, groups : (N,)
    """
    states = np.zeros(len(delivered), np.uint16)
    states[delivered] |= np.uint16(State.DELIVERED)
    scored = states[: len(scores)]
    scored[is_accepted(scores, cut)] |= np.uint16(State.ABOVE)
    scored[labels == POSITIVE] |= np.uint16(State.YES)
    scored[(labels >= 0) & (labels != POSITIVE)] |= np.uint16(State.NO)
    states[evidence.pool] |= np.uint16(State.COVERED)
    states[evidence.known] |= np.uint16(State.KNOWN)
    drawable = labels[: evidence.images] != OUTSIDE
    drawable[evidence.asked] = False
    scored[: len(drawable)][drawable] |= np.uint16(State.DRAWABLE)
    states[evidence.asked] |= np.uint16(State.ASKED)
    asked = np.empty(0, np.int64)
    chances = np.empty(0)
    if evidence.chance_of is not None:
        decided = State.ABOVE | State.COVERED
        above = np.flatnonzero((states & np.uint16(decided | State.KNOWN)) == decided)
        chances = evidence.chance_of(above)
        asked, chances = above[chances > 0], chances[chances > 0]
        states[asked] |= bands_of(chances)

    def sampled(rows: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> Sampled:
        return Sampled(rows, labels[rows] == POSITIVE, groups[rows], weights)

    precise = sampled(evidence.rows, evidence.weights)
    return Frame(states, precise, sampled(evidence.recall_rows), groups, evidence.drawn, asked, chances)
