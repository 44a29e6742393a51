"""From several people's answers to one judgement an image, by BAM's definition or by consensus.

In:  one entry an answer: image row, answer (1 positive, 0 negative, -1 unsure), each (m,).
Out: one entry an image. Knows nothing of scores or thresholds.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.annotation.answers import NEGATIVE, POSITIVE, UNSURE, Answers, Decisions
from bam_engine.annotation.consensus import Consensus, consensus
from bam_engine.errors import AuditError


@dataclass(frozen=True)
class Judgements:
    """Rows ascending, each once, and what was judged: 1 positive, 0 negative, -1 not by enough people yet."""

    rows: npt.NDArray[np.int64]
    values: npt.NDArray[np.int8]

    def of(self, rows: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """Return the judgements of the rows in their order; -1 for those that nobody judged."""
        wanted = np.asarray(rows, dtype=np.int64)
        if len(self.rows) == 0:
            return np.full(wanted.shape, -1, dtype=np.int8)
        place = np.minimum(np.searchsorted(self.rows, wanted), len(self.rows) - 1)
        return np.where(self.rows[place] == wanted, self.values[place], -1).astype(np.int8)


def labels_by_any(rows: npt.ArrayLike, answers: npt.ArrayLike, *, people: int = 1) -> Judgements:
    """Return BAM's definition: positive if at least one annotator says so, negative if nobody does.

    It is the generous one: the more people judge an image, the likelier it counts as positive. So an image is open (-1)
    until ``people`` have answered. One about which everybody is unsure is negative: nobody has said it is positive.
    """
    said = _agreed(rows, answers, people)
    values = np.where(said.counts.sum(axis=1) >= people, said.counts[:, 0] > 0, -1)
    return Judgements(said.rows, values.astype(np.int8))


def labels_by_consensus(
    rows: npt.ArrayLike, answers: npt.ArrayLike, *, redundancy: int = 1, decisions: Decisions | None = None
) -> Judgements:
    """Return the strict definition: positive if at least ``redundancy`` annotators say so and more than say no.

    An image is open (-1) until ``redundancy`` have answered. One on which they then do not agree, or about which they
    are unsure, is negative until further people settle it: to leave it out would leave out the doubtful ones and make
    the rest look better than the whole. What an adjudicator decided counts whatever the others said.
    """
    said = _agreed(rows, answers, redundancy, decisions)
    answered = said.decided | (said.counts.sum(axis=1) >= redundancy)
    return Judgements(said.rows, np.where(answered, said.labels == POSITIVE, -1).astype(np.int8))


def _agreed(
    rows: npt.ArrayLike, answers: npt.ArrayLike, redundancy: int, decisions: Decisions | None = None
) -> Consensus:
    row, answer = np.asarray(rows, dtype=np.int64), np.asarray(answers, dtype=np.int8)
    if row.shape != answer.shape or row.ndim != 1:
        raise AuditError(f"{row.size} rows were given with {answer.size} answers: give one row per answer.")
    strange = np.setdiff1d(answer, [POSITIVE, NEGATIVE, UNSURE])
    if len(strange):
        raise AuditError(f"an answer is 1 (positive), 0 (negative) or -1 (unsure); {strange[0]} is among them.")
    nobody = np.zeros(len(row), dtype=np.int64)  # who said it does not matter here
    return consensus(Answers(row, nobody, answer), redundancy=redundancy, decisions=decisions)
