"""The cuts that are certified for a precision, by a certification or by the first random draw, and the best of them.

All cuts that passed are certified; the loosest adds images that the others do without. Which one is best is read off
the evidence, and decides nothing about the guarantee.
"""

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.training import certification, certification_population, certification_store, draw_tests
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.evaluation_set import gather_evidence
from bam_engine.training.models import TrainedModel, scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import members

Cuts = NDArray[np.float64]


def cuts_of(state: CertificationState) -> Cuts:
    """Return the cuts that a certification has certified so far, strictest first."""
    passed = 0 if state.progress is None else state.progress.n_passed
    return np.array(state.certification.cuts[:passed], np.float64)


def current_cuts(workspace: Workspace, attribute: Attribute, *, target: float, confidence: float = 0.95) -> Cuts:
    """Return the cuts of the newest model that are certified for a precision, strictest first.

    They are those of its certification for this target, if one was started, and otherwise those of the first random
    draw.

    Raises
    ------
    LearningError
        There is no model yet, or no draw.
    """
    started = certification_store.current(workspace, attribute, target=target, confidence=confidence)
    if started is not None:
        return cuts_of(certification.state(workspace, started))
    draws = draw_tests.labelled_draws(workspace, attribute)
    return learning.certified_cuts(**draws, target=target, confidence=confidence)


def best_of(workspace: Workspace, attribute: Attribute, model: TrainedModel, cuts: Cuts, *, confidence: float) -> float:
    """Return the cut with the highest F1 on the evidence; of equal ones the strictest."""
    return learning.best_cut(gather_evidence(workspace, attribute, model).curve(confidence, cuts))


def is_among(workspace: Workspace, attribute: Attribute, model: TrainedModel, value: float, cuts: Cuts) -> bool:
    """Return whether a cut accepts the same images as one of ``cuts``: it is then as certified as that."""
    scores = scores_of(workspace, attribute, model)
    scores = scores[np.isfinite(scores)]
    accepted = learning.count_accepted(scores, np.append(cuts, value).astype(np.float32))
    return bool((accepted[:-1] == accepted[-1]).any())


def covered_from(workspace: Workspace, started: certification_store.Certification, cut: float) -> int:
    """Return how many images of a certification's population a cut accepts."""
    rows, scores = certification_population.population_of(workspace, started)
    return int((scores[members(workspace)[rows]] >= cut).sum())
