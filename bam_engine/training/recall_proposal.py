"""What measuring the recall of the threshold in use would ask, cost and tell, before anybody is asked.

In:  an attribute with a saved threshold. Out: the images that a sample below it could hold, and a proposal of its size.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import NO_LABEL, POSITIVE, Attribute
from bam_engine.errors import LearningError
from bam_engine.formatting import count as counted
from bam_engine.formatting import percent_range
from bam_engine.labelling.drawn_images import queried_rows
from bam_engine.labelling.guideline_examples import example_rows
from bam_engine.learning import is_rejected
from bam_engine.training.calibration import calibration_of
from bam_engine.training.evaluation_set import images_measured, judging_labels
from bam_engine.training.models import TrainedModel, model_by_id, scores_of
from bam_engine.training.recall_evidence import BelowAndAbove, DrawnBelow
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

Rows = NDArray[np.int64]

LABELS = 200
"""The most images that a sample asks about unless more are wanted."""
_SIZES = (50, 100, LABELS)
_NARROW = 0.10  # where an interval is expected to be no wider, more labels are not proposed
_NEARLY_ALL = 0.8  # of the images, from which on all are asked about


@dataclass(frozen=True)
class Proposal:
    """What a sample below the threshold in use would ask, and what it is expected to tell.

    ``count`` images of the ``below`` ones that have no label are asked about, each by ``votes`` people. ``expected``
    are the limits of the recall that the classifier's probabilities make likely, and ``known`` those of now. A
    ``plain`` sample is a random one, which tells as much for each label as further validation images do.
    """

    count: int
    below: int
    votes: int
    plain: bool
    expected: tuple[float, float]
    known: tuple[float, float]

    @property
    def answers(self) -> int:
        """The number of answers that it costs."""
        return self.count * self.votes

    @property
    def summary(self) -> str:
        """What it asks, costs and tells, in sentences."""
        if self.count == self.below:
            asked = f"All {counted(self.below, 'image')} below the threshold without a label are asked about"
            tells = "No positive is missed unseen then."
        else:
            asked = (
                f"{counted(self.count, 'image')} of {self.below:,} below the threshold without a label are asked about"
            )
            tells = (
                f"The recall is {percent_range(*self.known)} so far. If the classifier's probabilities are about "
                f"right, it would be {percent_range(*self.expected)} then."
            )
        each = "" if self.votes == 1 else f", {self.votes} for each"
        words = f"{asked}: {counted(self.answers, 'answer')}{each}. {tells}"
        if self.plain and self.count < self.below:
            words += (
                " Positives are rare there, so every image is as likely to be drawn: more validation images would tell "
                "as much of the recall for each answer, and narrow the other figures too."
            )
        return words


@dataclass(frozen=True, eq=False)
class Drawable:
    """The images below a threshold that a sample could hold, ascending, with their scores and probabilities."""

    model: TrainedModel
    threshold: AttributeThreshold
    images: int
    rows: Rows
    scores: NDArray[np.float32]
    labels: NDArray[np.int8]
    boundary: float | None

    @property
    def parts(self) -> NDArray[np.int64]:
        if self.boundary is None:
            return np.zeros(len(self.rows), np.int64)
        return is_rejected(self.scores[self.rows], self.boundary).astype(np.int64)


@one_flow
def propose(workspace: Workspace, attribute: Attribute, count: int | None = None) -> Proposal:
    """Return what a sample of ``count`` images, by default as many as are worth their labels, would ask and tell.

    Raises
    ------
    LearningError
        No threshold is saved, or no image below it is without a label.
    """
    below = drawable(workspace, attribute)
    rates = _probabilities(workspace, attribute, below)[1]
    n, evidence = len(below.rows), below.threshold.evidence
    sizes = [min(size, n) for size in ((count,) if count is not None else _SIZES)]
    sizes = [n if size >= _NEARLY_ALL * n else size for size in sizes]
    for size in sizes:
        low, high = _expected(below, rates, size)
        if high - low <= _NARROW:
            break
    known = evidence.recall_interval[1:]
    return Proposal(size, n, workspace.judging_redundancy, below.boundary is None, (low, high), known)


def _expected(below: Drawable, rates: NDArray[np.float64], count: int) -> tuple[float, float]:
    """Return the limits of the recall if as many images of a sample are positive as the probabilities make likely."""
    parts = below.parts
    places = learning.draw_below(parts, np.zeros(len(parts), bool), count, rng=np.random.default_rng(0))
    answers = np.zeros(len(places), np.int8)
    for part in range(int(parts.max()) + 1):
        drawn = np.flatnonzero(parts[places] == part)
        answers[drawn[: round(len(drawn) * float(rates[parts == part].mean()))]] = POSITIVE
    drawn_below, labels = DrawnBelow(below.rows, parts, below.rows[places], answers), below.labels.copy()
    labels[below.rows[places]] = answers  # what is found is delivered
    evidence = below.threshold.evidence
    shown = BelowAndAbove(below.threshold.value, below.scores, labels, drawn_below)
    precision = (evidence.precision, evidence.precision_low, evidence.precision_high)
    return shown.recall(precision, evidence.confidence)[1:]


def drawable(workspace: Workspace, attribute: Attribute) -> Drawable:
    """Return what can be drawn below the threshold in use: images that its evidence is about, without a label.

    Those of an open round are left to it, since their labels will train, and examples in the guidelines are left out,
    since their answer is shown.

    Raises
    ------
    LearningError
        No threshold is saved, or no image below it is without a label.
    """
    found = _drawable(workspace, attribute)
    calibrated, rates = _probabilities(workspace, attribute, found)
    at = learning.split_below(rates) if calibrated else None
    return found if at is None else replace(found, boundary=float(found.scores[found.rows][rates >= at].min()))


def count_drawable(workspace: Workspace, attribute: Attribute) -> int:
    """Return how many images a sample below the threshold in use could hold; 0 where none is saved."""
    try:
        return len(_drawable(workspace, attribute).rows)
    except LearningError:
        return 0


def _drawable(workspace: Workspace, attribute: Attribute) -> Drawable:
    """Return what can be drawn, as one part."""
    threshold = current_threshold(workspace, attribute)
    if threshold is None or not threshold.saved:
        raise LearningError(f"{attribute.name} has no saved threshold. Choose a threshold, then measure its recall.")
    model = model_by_id(workspace, threshold.model_id)
    images = images_measured(workspace, attribute)
    scores = scores_of(workspace, attribute, model)[:images]
    labels = judging_labels(workspace, attribute, model)[:images]
    free = is_rejected(scores, threshold.value) & (labels == NO_LABEL)
    for taken in (queried_rows(workspace, attribute), example_rows(workspace, attribute)):
        free[taken[taken < len(free)]] = False
    rows = np.flatnonzero(free)
    if not len(rows):
        raise LearningError(
            f"No image below the threshold of {attribute.name} is without a label: its misses are known already."
        )
    return Drawable(model, threshold, len(scores), rows, scores, labels, None)


def _probabilities(workspace: Workspace, attribute: Attribute, below: Drawable) -> tuple[bool, NDArray[np.float64]]:
    """Return the probability of each image to be positive, and whether it is calibrated; else all are alike."""
    calibration, _ = calibration_of(workspace, attribute, below.model)
    if calibration is not None:
        return True, learning.probability(calibration, below.scores[below.rows])
    known = below.labels[is_rejected(below.scores, below.threshold.value) & (below.labels >= 0)]
    positive = int((known == POSITIVE).sum())
    return False, np.full(len(below.rows), (positive + 1) / (len(known) + 2))
