"""From people's answers to one label for each audited image, by BAM's definition or by consensus."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.annotation.answers import NEGATIVE, POSITIVE, UNSURE, Answers, Decisions
from bam_engine.annotation.consensus import Consensus, consensus, judged_labels
from bam_engine.errors import AuditError
from bam_engine.formatting import count


@dataclass(frozen=True)
class AuditLabels:
    """Rows (n,), ascending and distinct, and their labels (n,): 1 positive, 0 negative, -1 not enough answers yet."""

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.int8]

    def of(self, rows: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Return the labels of ``rows``, in their order; -1 for rows that nobody answered."""
        row = np.asarray(rows, dtype=np.int64)
        if len(self.rows) == 0:
            return np.full(row.shape, -1, dtype=np.int8)
        place = np.minimum(np.searchsorted(self.rows, row), len(self.rows) - 1)
        return np.where(self.rows[place] == row, self.values[place], -1).astype(np.int8)


def labels_by_any(rows: npt.ArrayLike, answers: npt.ArrayLike, *, people: int = 1) -> AuditLabels:
    """Return labels by BAM's definition: positive if at least one annotator says so, negative if none does.

    This is the generous definition: the more people answer, the likelier an image counts as positive. An image is
    therefore open (-1) until ``people`` have answered. If everyone is unsure, it is negative, since nobody said it is
    positive.

    Parameters
    ----------
    rows, answers : (m,)
        One entry for each answer: 1 positive, 0 negative, -1 unsure.

    Examples
    --------
    >>> labels_by_any([4, 4, 7], [1, 0, 0]).values.tolist()
    [1, 0]
    """
    votes = _consensus(rows, answers, people)
    values = np.where(votes.counts.sum(axis=1) >= people, votes.counts[:, 0] > 0, -1)
    return AuditLabels(votes.rows, values.astype(np.int8))


def labels_by_consensus(
    rows: npt.ArrayLike, answers: npt.ArrayLike, *, redundancy: int = 1, decisions: Decisions | None = None
) -> AuditLabels:
    """Return labels by consensus: positive if ``redundancy`` annotators say so, and two more than say no if any does.

    An image is open (-1) until ``redundancy`` people have answered, and negative where they then disagree or are unsure
    (:func:`~bam_engine.annotation.judged_labels`). An adjudicator's decision counts whatever the others said.

    Parameters
    ----------
    rows, answers : (m,)
        One entry for each answer: 1 positive, 0 negative, -1 unsure.

    Examples
    --------
    >>> labels_by_consensus([4, 4, 7], [1, 1, 1], redundancy=2).values.tolist()
    [1, -1]
    """
    votes = _consensus(rows, answers, redundancy, decisions)
    return AuditLabels(votes.rows, judged_labels(votes))


def _consensus(
    rows: npt.ArrayLike, answers: npt.ArrayLike, redundancy: int, decisions: Decisions | None = None
) -> Consensus:
    row, answer = np.asarray(rows, dtype=np.int64), np.asarray(answers, dtype=np.int8)
    if row.shape != answer.shape or row.ndim != 1:
        raise AuditError(
            f"{row.size:,} rows do not match {count(answer.size, 'answer')}. Give one row for each answer."
        )
    invalid = np.setdiff1d(answer, [POSITIVE, NEGATIVE, UNSURE])
    if len(invalid):
        raise AuditError(f"Answers must be 1 (positive), 0 (negative) or -1 (unsure), but {invalid[0]} is among them.")
    anyone = np.zeros(len(row), dtype=np.int64)  # who answered does not matter here
    return consensus(Answers(row, anyone, answer), redundancy=redundancy, decisions=decisions)
