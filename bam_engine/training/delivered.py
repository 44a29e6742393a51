"""What is delivered for an attribute, and why: the one place that decides.

In:  an attribute. Out: for every image whether it is accepted, which means delivered, rejected or undecided, and who
says so. Gallery, map, overview, audits, reports, exports, the command line and the Python interface all ask here.

People come before the classifier. Delivered are the images that people agree have the attribute and, of those about
which they have not said enough, the ones that score at least the threshold. So an answer only ever takes a fault out of
what is delivered, or adds what is right: a precision or a recall promised for all images at or above a threshold holds
for what is delivered (docs/decisions/0034-what-is-delivered.md).
"""

import hashlib
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bam_engine.annotation import NEGATIVE, NO_LABEL, POSITIVE, Attribute, answered_enough
from bam_engine.formatting import decimal
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows
from bam_engine.labelling.label_states import label_version
from bam_engine.learning import is_accepted, is_rejected
from bam_engine.training import population
from bam_engine.training.models import TrainedModel, latest_model, scores_of, scores_version
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members
from bam_engine.workspace.memory import Kind

Mask = NDArray[np.bool_]

ACCEPTED, REJECTED, UNDECIDED = 1, 0, -1
OUTCOMES = {ACCEPTED: "accepted", REJECTED: "rejected", UNDECIDED: "undecided"}
WITHOUT_AGREEMENT = -2
"""The label of an image that as many people as required have answered about, without agreeing on yes or no."""


class Reason(IntEnum):
    """Why an image is accepted, rejected or undecided."""

    REMOVED = 0
    NOT_SCORED = 1
    NO_THRESHOLD = 2
    PEOPLE_YES = 3
    PEOPLE_NO = 4
    PEOPLE_UNSURE = 5
    CLASSIFIER_YES = 6
    CLASSIFIER_NO = 7


REASONS = {
    Reason.REMOVED: "removed from the collection",
    Reason.NOT_SCORED: "not embedded, so not scored",
    Reason.NO_THRESHOLD: "no threshold yet",
    Reason.PEOPLE_YES: "by people: labelled yes",
    Reason.PEOPLE_NO: "by people: labelled no",
    Reason.PEOPLE_UNSURE: "by people: unsure or disputed",
    Reason.CLASSIFIER_YES: "by the classifier: score ≥ threshold",
    Reason.CLASSIFIER_NO: "by the classifier: score < threshold",
}

WHO = np.full(len(Reason), None, object)
"""Who decided, by reason, for exported datasets; None where nobody did."""
WHO[[Reason.PEOPLE_YES, Reason.PEOPLE_NO, Reason.PEOPLE_UNSURE]] = "by people"
WHO[[Reason.CLASSIFIER_YES, Reason.CLASSIFIER_NO]] = "by the classifier"
NOT_COVERED = "by the classifier, not covered"

_UNSURE = 2  # the code of a label

_OUTCOMES = np.full(len(Reason), UNDECIDED, np.int8)
_OUTCOMES[[Reason.PEOPLE_YES, Reason.CLASSIFIER_YES]] = ACCEPTED
_OUTCOMES[[Reason.PEOPLE_NO, Reason.CLASSIFIER_NO]] = REJECTED


@dataclass(frozen=True)
class DeliveredCounts:
    """How many images of the collection are delivered, ``by_people`` and ``by_classifier``, and how many are not.

    ``unsure`` images are undecided although people have answered; ``unlabelled`` ones because they have no score. The
    evidence for the threshold is not about ``not_covered`` of those that the classifier delivers (:func:`not_covered`).
    """

    by_people: int
    by_classifier: int
    rejected_by_people: int
    rejected_by_classifier: int
    unsure: int
    unlabelled: int
    not_covered: int = 0

    @property
    def accepted(self) -> int:
        """The number of images that are delivered."""
        return self.by_people + self.by_classifier

    @property
    def exhausted(self) -> bool:
        """Whether people have labelled all that is delivered, so that its precision is known."""
        return self.by_people > 0 and not self.by_classifier

    @property
    def rejected(self) -> int:
        """The number of images that are rejected."""
        return self.rejected_by_people + self.rejected_by_classifier

    @property
    def words(self) -> str:
        """Who delivers them: "12 by people, 388 by the classifier, 20 of them not covered"."""
        words = f"{self.by_people:,} by people, {self.by_classifier:,} by the classifier"
        return f"{words}, {self.not_covered:,} of them not covered" if self.not_covered else words


@dataclass(frozen=True, eq=False)
class Delivered:
    """What is delivered for an attribute at a threshold, and why, for all n images.

    Attributes
    ----------
    threshold
        Images without a label are accepted from this score on; None where there is no threshold.
    reasons
        uint8 (n,), of :class:`Reason`, read-only.
    """

    threshold: float | None
    reasons: NDArray[np.uint8]

    @property
    def outcomes(self) -> NDArray[np.int8]:
        """int8 (n,): 1 accepted, 0 rejected, -1 undecided."""
        return _OUTCOMES[self.reasons]

    def outcomes_of(self, rows: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return the outcomes of ``rows``."""
        return _OUTCOMES[self.reasons[rows]]

    @property
    def accepted(self) -> Mask:
        """The images that are delivered, bool (n,)."""
        return self._by(Reason.PEOPLE_YES, Reason.CLASSIFIER_YES)

    @property
    def rejected(self) -> Mask:
        """The images that are rejected, bool (n,)."""
        return self._by(Reason.PEOPLE_NO, Reason.CLASSIFIER_NO)

    @property
    def by_classifier(self) -> Mask:
        """The images that are delivered by the classifier alone, bool (n,)."""
        return self._by(Reason.CLASSIFIER_YES)

    def _by(self, *reasons: Reason) -> Mask:
        among = np.zeros(len(Reason), bool)
        among[list(reasons)] = True
        return among[self.reasons]

    @property
    def labels(self) -> NDArray[np.int8]:
        """int8 (n,): what people agree on, 1 yes, 0 no, -1 no label."""
        table = np.full(len(Reason), NO_LABEL, np.int8)
        table[[Reason.PEOPLE_YES, Reason.PEOPLE_NO]] = POSITIVE, NEGATIVE
        return table[self.reasons]

    @cached_property
    def counts(self) -> DeliveredCounts:
        """How many images are accepted, rejected and undecided, by whom; removed images are in none."""
        number = np.bincount(self.reasons, minlength=len(Reason)).tolist()
        return DeliveredCounts(
            by_people=number[Reason.PEOPLE_YES],
            by_classifier=number[Reason.CLASSIFIER_YES],
            rejected_by_people=number[Reason.PEOPLE_NO],
            rejected_by_classifier=number[Reason.CLASSIFIER_NO],
            unsure=number[Reason.PEOPLE_UNSURE],
            unlabelled=number[Reason.NOT_SCORED] + number[Reason.NO_THRESHOLD],
        )

    @cached_property
    def version(self) -> str:
        """A digest that changes whenever an image is decided otherwise."""
        return hashlib.sha256(self.reasons.tobytes()).hexdigest()[:16]

    def why(self, row: int, score: float) -> str:
        """Return a sentence: the decision about an image of a score, and who made it."""
        reason = Reason(int(self.reasons[row]))
        outcome = OUTCOMES[int(_OUTCOMES[reason])].capitalize()
        if self.threshold is None or reason not in (Reason.CLASSIFIER_YES, Reason.CLASSIFIER_NO):
            return f"{outcome}: {REASONS[reason]}."
        side = "at least" if reason == Reason.CLASSIFIER_YES else "below"
        cut = decimal(self.threshold, 3)
        return f"{outcome} by the classifier: its score of {decimal(score, 3)} is {side} the threshold of {cut}."


def decide(scores: ArrayLike, threshold: float | None, labels: ArrayLike) -> NDArray[np.uint8]:
    """Return the reason of each decision, uint8 (n,), of :class:`Reason`.

    Parameters
    ----------
    scores : (n,)
        nan without a score.
    threshold : float or None
        None: nothing is decided by score.
    labels : (n,) int8
        1 yes, 0 no, -1 no label, -2 answered without agreement.

    Examples
    --------
    >>> reasons = decide(np.array([1.5, 1.5, -2.0, -2.0, np.nan]), 0.5, np.array([-1, 0, 1, -1, -1]))
    >>> [Reason(reason).name for reason in reasons]
    ['CLASSIFIER_YES', 'PEOPLE_NO', 'PEOPLE_YES', 'CLASSIFIER_NO', 'NOT_SCORED']
    """
    score, label = np.asarray(scores, np.float32), np.asarray(labels)
    reasons = np.full(score.shape, Reason.NOT_SCORED, np.uint8)
    if threshold is None:
        reasons[:] = Reason.NO_THRESHOLD
    else:
        reasons[is_accepted(score, threshold)] = Reason.CLASSIFIER_YES
        reasons[is_rejected(score, threshold)] = Reason.CLASSIFIER_NO
    for value, reason in (
        (POSITIVE, Reason.PEOPLE_YES),
        (NEGATIVE, Reason.PEOPLE_NO),
        (WITHOUT_AGREEMENT, Reason.PEOPLE_UNSURE),
    ):
        reasons[label == value] = reason
    return reasons


def label_codes(reasons: NDArray[np.uint8], scores: NDArray[np.float32], negative_to: float | None) -> NDArray[np.int8]:
    """Return the label that an exported dataset gives each image, int8 (n,).

    Delivered images are positive (1). Those that people rejected are negative (0), and so are those that the classifier
    rejected up to a score of ``negative_to`` (all of them if it is None); above it they are unsure (2), as are those on
    which people do not agree. -1 where nothing is decided.

    Examples
    --------
    >>> scores = np.array([2.0, 0.5, -3.0, np.nan], np.float32)
    >>> label_codes(decide(scores, 1.0, np.full(4, -1)), scores, -1.0).tolist()
    [1, 2, 0, -1]
    """
    codes = _OUTCOMES[reasons]
    codes[reasons == Reason.PEOPLE_UNSURE] = _UNSURE
    if negative_to is not None:
        codes[(reasons == Reason.CLASSIFIER_NO) & (scores > np.float32(negative_to))] = _UNSURE
    return codes


_DELIVERED = Kind[Delivered](
    "delivered sets",
    of="attribute, encoder and threshold",
    until="an answer, a score or a removal",
    limit=200,
    max_bytes=200_000_000,
    size=lambda delivered: delivered.reasons.nbytes,
)


def delivered_of(workspace: Workspace, attribute: Attribute) -> Delivered:
    """Return what is delivered at the threshold in use; without one, what people say alone."""
    threshold = current_threshold(workspace, attribute)
    return delivered_at(workspace, attribute, None if threshold is None else threshold.value)


@one_flow
def counts_of(workspace: Workspace, attribute: Attribute) -> DeliveredCounts:
    """Return how many images are delivered at the threshold in use, and of how many its evidence says nothing."""
    counts = delivered_of(workspace, attribute).counts
    return replace(counts, not_covered=int(not_covered(workspace, attribute).sum()))


@one_flow
def not_covered(
    workspace: Workspace, attribute: Attribute, model: TrainedModel | None = None, *, n: int | None = None
) -> Mask:
    """Return which of ``n`` images, by default of all, the classifier delivers beyond the evidence for the threshold.

    The threshold is that of ``model``, or of the newest. The evidence, and what is certified by it, is about the images
    that there were when its sample was drawn. Those that came later are not covered. Of a certification, neither are
    those that could not be looked at when it started, or that people had been asked about and have not labelled.
    """
    n, threshold = len(workspace.catalogue) if n is None else n, current_threshold(workspace, attribute, model)
    if threshold is None:
        return np.zeros(n, bool)
    by_classifier = delivered_at(workspace, attribute, threshold.value, model, n=n).by_classifier
    inside = population.covered(workspace, attribute, threshold.evidence, model, images=threshold.images, n=n)
    return by_classifier & ~inside


@one_flow
def delivered_at(
    workspace: Workspace,
    attribute: Attribute,
    threshold: float | None,
    model: TrainedModel | None = None,
    *,
    n: int | None = None,
) -> Delivered:
    """Return what would be delivered at a ``threshold`` on the scores of ``model``, or of the newest.

    With no threshold, people alone deliver. It says so of the first ``n`` images, by default of all.
    """
    n = len(workspace.catalogue) if n is None else n
    model = model or latest_model(workspace, attribute)
    version = (
        n,
        None if model is None else scores_version(workspace, model),
        label_version(workspace, attribute),
        len(held_out_rows(workspace, attribute)),  # where an imported label is no vote
    )
    subject = (attribute.id, None if model is None else model.encoder, threshold)

    def make() -> Delivered:
        scores = np.full(n, np.nan, np.float32)
        if model is not None:
            known = scores_of(workspace, attribute, model)[:n]
            scores[: len(known)] = known
        reasons = decide(scores, threshold, labels_by_people(workspace, attribute, n))
        reasons[~members(workspace, n)] = Reason.REMOVED
        reasons.flags.writeable = False
        return Delivered(threshold, reasons)

    return workspace.memory.get(_DELIVERED, subject, version, make)


def labels_by_people(workspace: Workspace, attribute: Attribute, n: int) -> NDArray[np.int8]:
    """Return what people say about ``n`` images, int8 (n,): 1 yes, 0 no, -1 no label, -2 answered without agreement.

    An image that fewer people than required have answered about has no label yet.
    """
    agreed = tasks.labels(workspace, attribute)
    answered = answered_enough(agreed) & (agreed.rows < n)
    labels = np.full(n, NO_LABEL, np.int8)
    labels[agreed.rows[answered]] = np.where(agreed.settled, agreed.labels, WITHOUT_AGREEMENT)[answered]
    return labels
