"""From what people said to what counts: the label that the annotators of an image agree on.

In:  the latest answer of every (image, annotator), and what an adjudicator decided. Out: one label an image, or none.
Knows nothing of who they are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation.answers import NEGATIVE, POSITIVE, UNSURE, Answers, Decisions
from bam_engine.errors import AnnotationError

NO_LABEL = -1


@dataclass(frozen=True, eq=False)
class Consensus:
    """What the annotators agree on, one entry an image that was answered or decided at all.

    Attributes
    ----------
    rows
        int64 (m,), ascending, each once.
    labels
        int8 (m,): 1 positive, 0 negative, -1 (``NO_LABEL``) not settled.
    counts
        int64 (m, 3): how many said positive, negative, unsure; a decision is not among them.
    settled
        bool (m,): whether there is a label.
    decided
        bool (m,): whether an adjudicator decided. Where they decided *unsure*, there is no label and none is wanted.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int8]
    counts: NDArray[np.int64]
    settled: NDArray[np.bool_]
    decided: NDArray[np.bool_]


def consensus(answers: Answers, *, redundancy: int, decisions: Decisions | None = None) -> Consensus:
    """Return the label of each image on which at least ``redundancy`` annotators agree against fewer others.

    An image is positive if at least ``redundancy`` said positive and more said positive than negative; negative
    likewise; otherwise it has no label and another annotator is wanted. *Unsure* counts for neither side. A decision
    settles its image whatever the votes.

    Parameters
    ----------
    answers
        At most one answer for each (row, annotator); the order does not matter.
    redundancy
        How many must agree, at least 1. BAM asked two.
    decisions
        What stands decided by adjudication; at most one for each row.

    Raises
    ------
    AnnotationError
        ``redundancy`` below 1.

    Examples
    --------
    >>> said = Answers(np.array([7, 7, 9]), np.array([1, 2, 1]), np.array([1, 1, 0], np.int8))
    >>> consensus(said, redundancy=2).labels.tolist()
    [1, -1]
    """
    if redundancy < 1:
        raise AnnotationError(f"{redundancy} annotators cannot agree: ask for at least 1.")
    ruled = np.array([], np.int64) if decisions is None else decisions.rows
    rows, places = np.unique(np.concatenate([answers.rows, ruled]), return_inverse=True)
    places, ruled_places = places[: len(answers.rows)], places[len(answers.rows) :]
    counts = np.stack(
        [
            np.bincount(places[answers.answers == answer], minlength=len(rows))
            for answer in (POSITIVE, NEGATIVE, UNSURE)
        ],
        axis=1,
    ).astype(np.int64)
    positives, negatives = counts[:, 0], counts[:, 1]
    labels = np.full(len(rows), NO_LABEL, dtype=np.int8)
    labels[(positives >= redundancy) & (positives > negatives)] = POSITIVE
    labels[(negatives >= redundancy) & (negatives > positives)] = NEGATIVE
    decided = np.zeros(len(rows), dtype=bool)
    if decisions is not None:
        decided[ruled_places] = True
        labels[ruled_places] = np.where(decisions.answers == UNSURE, NO_LABEL, decisions.answers)
    return Consensus(rows.astype(np.int64), labels, counts, labels != NO_LABEL, decided)
