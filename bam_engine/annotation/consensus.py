"""Consensus: the label on which the annotators of an image agree.

In:  the latest answer of every (image, annotator), and the decisions of adjudicators. Out: at most one label per image.
"""

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation.answers import NEGATIVE, POSITIVE, UNSURE, Answers, Decisions
from bam_engine.errors import AnnotationError

NO_LABEL = -1
CONTESTED_LEAD = 2
"""How many more must say yes than no where anybody says no: two against one are worth no more than one answer."""


@dataclass(frozen=True, eq=False)
class Consensus:
    """The consensus labels, one entry per image with an answer or a decision.

    Attributes
    ----------
    rows
        int64 (m,), ascending and unique.
    labels
        int8 (m,): 1 positive, 0 negative, -1 (``NO_LABEL``) if not settled.
    counts
        int64 (m, 3): the number of positive, negative and unsure votes; decisions are not votes.
    settled
        bool (m,): whether the image has a label.
    decided
        bool (m,): whether an adjudicator decided. If the decision is *unsure*, the image has no label and needs none.
    required
        int64 (m,): how many annotators must agree on the image.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int8]
    counts: NDArray[np.int64]
    settled: NDArray[np.bool_]
    decided: NDArray[np.bool_]
    required: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Redundancy:
    """How many annotators must agree on an image: ``judging`` on the ``judged`` rows, ``otherwise`` on all others."""

    otherwise: int
    judging: int
    judged: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many must agree on each of ``rows``."""
        if self.judging == self.otherwise:
            return np.full(len(rows), self.judging, np.int64)
        return np.where(np.isin(rows, self.judged), self.judging, self.otherwise).astype(np.int64)


def consensus(answers: Answers, *, redundancy: int | Redundancy, decisions: Decisions | None = None) -> Consensus:
    """Return the label of each image on which at least ``redundancy`` annotators agree against fewer others.

    An image is negative if it has at least ``redundancy`` negative votes and more of them than positive ones, and
    likewise positive, but a yes that anybody contradicts must lead by two; otherwise it has no label and needs another
    annotator. *Unsure* counts for neither side. A decision overrides the votes.

    Parameters
    ----------
    answers
        At most one answer per (row, annotator), in any order.
    redundancy
        The number of annotators who must agree, at least 1, for all images or by image. BAM used two.
    decisions
        The decisions of adjudicators, at most one per row.

    Raises
    ------
    AnnotationError
        ``redundancy`` is below 1.

    Examples
    --------
    >>> answers = Answers(np.array([7, 7, 9]), np.array([1, 2, 1]), np.array([1, 1, 0], np.int8))
    >>> consensus(answers, redundancy=2).labels.tolist()
    [1, -1]

    Notes
    -----
    If everybody errs in the same share of images, only the difference of the votes is evidence (A. Wald, *Sequential
    Analysis*, 1947): two against one say as much as one answer alone. Of rare positives that is too little, since most
    images that one person calls positive by mistake are asked about because they are many, not because they are likely
    (docs/decisions/0043-a-contested-yes-leads-by-two.md).
    """
    if isinstance(redundancy, int):
        redundancy = Redundancy(redundancy, redundancy, np.array([], np.int64))
    if (fewest := min(redundancy.otherwise, redundancy.judging)) < 1:
        raise AnnotationError(f"Cannot require agreement of {fewest} annotators. Require at least 1.")
    decided_rows = np.array([], np.int64) if decisions is None else decisions.rows
    rows, places = np.unique(np.concatenate([answers.rows, decided_rows]), return_inverse=True)
    places, decided_places = places[: len(answers.rows)], places[len(answers.rows) :]
    counts = np.stack(
        [
            np.bincount(places[answers.answers == answer], minlength=len(rows))
            for answer in (POSITIVE, NEGATIVE, UNSURE)
        ],
        axis=1,
    ).astype(np.int64)
    required = redundancy.of(rows)
    labels = _labels_by_votes(counts, required)
    decided = np.zeros(len(rows), dtype=bool)
    if decisions is not None:
        decided[decided_places] = True
        labels[decided_places] = np.where(decisions.answers == UNSURE, NO_LABEL, decisions.answers)
    return Consensus(rows.astype(np.int64), labels, counts, labels != NO_LABEL, decided, required)


def _labels_by_votes(counts: NDArray[np.int64], required: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return the label of each image (m,) by its votes (m, 3) and how many must agree, before anybody decides."""
    positives, negatives = counts[:, 0], counts[:, 1]
    labels = np.full(len(counts), NO_LABEL, dtype=np.int8)
    lead = np.where(negatives > 0, CONTESTED_LEAD, 1)
    labels[(positives >= required) & (positives - negatives >= lead)] = POSITIVE
    labels[(negatives >= required) & (negatives > positives)] = NEGATIVE
    return labels


@cache
def rule() -> int:
    """Return a number that tells the rule of consensus from those of other versions of this program.

    It is a digest of the labels that follow from up to five votes of each answer where one to three must agree, and of
    how they count in a sample that judges. What is stored under the answers alone would outlive a change of the rule.
    """
    counts = np.indices((6, 6, 6)).reshape(3, -1).T.astype(np.int64)
    found = []
    for number in (1, 2, 3):
        required = np.full(len(counts), number, np.int64)
        labels = _labels_by_votes(counts, required)
        nobody = np.zeros(len(counts), bool)
        agreed = Consensus(np.arange(len(counts)), labels, counts, labels != NO_LABEL, nobody, required)
        found += [labels.tobytes(), judged_labels(agreed).tobytes()]
    return zlib.crc32(b"".join(found))


def judged_labels(agreed: Consensus) -> NDArray[np.int8]:
    """Return how each image counts in a sample that judges, int8 (m,): 1 positive, 0 not, -1 not answered enough.

    It counts once as many people as it requires have answered, or an adjudicator has decided.

    This is the one rule for validation samples, certifications and audits: an image is positive if its annotators agree
    that it is, and not positive in every other case, be the answer no, unsure, or disputed until it is settled. Leaving
    out what people doubt would make the rest look better than the whole. Training uses settled labels alone.

    Examples
    --------
    >>> answers = Answers(np.array([4, 7, 7, 9]), np.array([1, 1, 2, 1]), np.array([1, 1, 0, -1], np.int8))
    >>> judged_labels(consensus(answers, redundancy=1)).tolist()
    [1, 0, 0]
    """
    return np.where(answered_enough(agreed), agreed.labels == POSITIVE, NO_LABEL).astype(np.int8)


def answered_enough(agreed: Consensus) -> NDArray[np.bool_]:
    """Return which images as many people as required have answered about, or an adjudicator has decided, (m,)."""
    enough: NDArray[np.bool_] = agreed.settled | agreed.decided | (agreed.counts.sum(axis=1) >= agreed.required)
    return enough


def complete(agreed: Consensus) -> NDArray[np.bool_]:
    """Return which images need nobody any more, (m,): enough people agree, or one was enough, or it is decided."""
    enough = agreed.counts.sum(axis=1) >= agreed.required
    done: NDArray[np.bool_] = agreed.decided | (enough & (agreed.settled | (agreed.required == 1)))
    return done
