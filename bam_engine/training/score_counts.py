"""How many images score how much: the histogram of an attribute, and what each of many thresholds would deliver.

In:  an attribute whose newest model has scores. Out: the scores of all images and of the labelled ones, and counts at
thresholds, from one pass over the scores. What is delivered is decided in :mod:`bam_engine.training.delivered`, and the
counts are those of :func:`~bam_engine.training.delivered.delivered_at` at each threshold. It estimates nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.annotation import Attribute
from bam_engine.training.delivered import Reason, delivered_at
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

STEPS = 400
"""Thresholds over the range of the scores that counts are given for, beside the named ones."""

Scores = NDArray[np.float32]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """The scores of all images of the collection, and of those that people have labelled yes and no; none is nan."""

    every: Scores
    yes: Scores
    no: Scores
    unlabelled: Scores

    @property
    def by_name(self) -> dict[str, Scores]:
        """The labelled scores by the names that a chart gives them."""
        return {"positive": self.yes, "negative": self.no}


@dataclass(frozen=True, eq=False)
class ScoreCounts:
    """What would be delivered at each of k thresholds, and which labels are on the other side of it.

    Attributes
    ----------
    thresholds
        float64 (k,), ascending and distinct; an image is accepted if its score is at least the threshold.
    by_people
        Images labelled yes, with or without a score: they are delivered at every threshold.
    by_classifier
        int64 (k,): images without a label that score at least the threshold.
    no_above
        int64 (k,): images labelled no that score at least the threshold. They are not delivered.
    yes_below
        int64 (k,): images labelled yes that score less. They are delivered.
    certified
        bool (k,): whether the threshold accepts the same images as one that is certified.
    """

    thresholds: NDArray[np.float64]
    by_people: int
    by_classifier: Counts
    no_above: Counts
    yes_below: Counts
    certified: NDArray[np.bool_]


@one_flow
def labelled_scores(workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None) -> LabelledScores:
    """Return the scores by ``model``, or by the newest, parted by what people say; all empty without a model."""
    model = model or latest_model(workspace, attribute)
    if model is None:
        none = np.empty(0, np.float32)
        return LabelledScores(none, none, none, none)
    reasons = delivered_at(workspace, attribute, None, model).reasons
    scores = np.asarray(scores_of(workspace, attribute, model))[: len(reasons)]
    reasons = np.where(np.isfinite(scores), reasons[: len(scores)], Reason.REMOVED)
    return LabelledScores(
        every=scores[reasons != Reason.REMOVED],
        yes=scores[reasons == Reason.PEOPLE_YES],
        no=scores[reasons == Reason.PEOPLE_NO],
        unlabelled=scores[reasons == Reason.NO_THRESHOLD],
    )


def thresholds_over(scores: Scores, named: Iterable[float] = ()) -> NDArray[np.float64]:
    """Return thresholds from below all ``scores`` to above them, ascending, with the ``named`` ones among them.

    Those without a name have three decimals, as thresholds are shown. There are none without a score.

    Examples
    --------
    >>> steps = thresholds_over(np.array([-1.0, 2.0], np.float32), [0.12345])
    >>> float(steps[0]), float(steps[-1]), len(steps), 0.12345 in steps
    (-1.0, 2.001, 402, True)
    """
    if not len(scores):
        return np.empty(0)
    low, high = np.floor(1000 * float(scores.min())) / 1000, np.floor(1000 * float(scores.max()) + 1) / 1000
    return np.unique(np.append(np.round(np.linspace(low, high, STEPS + 1), 3), list(named)))


@one_flow
def score_counts(
    workspace: Workspace, attribute: Attribute, named: Iterable[float] = (), *, certified: Iterable[float] = ()
) -> ScoreCounts:
    """Return what thresholds over the range of the newest model's scores would deliver.

    Parameters
    ----------
    named
        Thresholds that are among them whatever the range.
    certified
        Those that are certified; they are named too.
    """
    scores, passed = labelled_scores(workspace, attribute), list(certified)
    thresholds = thresholds_over(scores.every, [*named, *passed])
    compared = thresholds.astype(np.float32)  # as scores are compared: learning.is_accepted
    accepted = learning.count_accepted(scores.every, compared)
    alike = learning.count_accepted(scores.every, np.array(passed, np.float32))
    return ScoreCounts(
        thresholds=thresholds,
        by_people=delivered_at(workspace, attribute, None).counts.by_people,
        by_classifier=learning.count_accepted(scores.unlabelled, compared),
        no_above=learning.count_accepted(scores.no, compared),
        yes_below=len(scores.yes) - learning.count_accepted(scores.yes, compared),
        certified=np.isin(accepted, alike),
    )
