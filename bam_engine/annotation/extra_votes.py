"""Extra votes: answers to images that had all their votes when they came.

In:  new answers of one person, and the stored ones about the same images. Out: which of the new ones are extra. Nobody
loses work by it: an extra vote is stored, and counts for nothing. Most come after a lease has expired.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from bam_engine.annotation.answers import (
    ADJUDICATION,
    NON_VOTING_PURPOSES,
    TASK_PURPOSES,
    UNSURE,
    Answers,
    Decisions,
)
from bam_engine.annotation.consensus import Redundancy, complete, consensus


@dataclass(frozen=True)
class Terms:
    """Under which answers to a task are stored: the votes that its images need, the time, how long a lease lasts.

    Whoever answers is not told how many were extra votes unless it ``tells_extra``: gold never is one. Where the task
    no longer ``asks`` anybody about its images, none is skipped: nobody else would be given it.
    """

    required: Redundancy
    moment: datetime
    lasts: timedelta
    tells_extra: bool = True
    asks: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as it is stored: ``number`` is 1 positive, 0 negative, -1 unsure, -2 withdrawn, -3 skipped."""

    id: int
    row: int
    annotator_id: int
    number: int
    uid: str
    purpose: str
    source_id: int


def extra_rows(
    rows: Sequence[int],
    stored: Sequence[StoredAnswer],
    annotator_id: int,
    required: Redundancy,
    merged: Mapping[int, int],
) -> frozenset[int]:
    """Return those of ``rows`` that have their votes without the annotator's.

    Parameters
    ----------
    stored
        The stored answers about these images, the oldest first.
    merged
        The annotators who count for another one, and for whom.

    Notes
    -----
    Whoever has a vote about an image already may change it. An imported label is a vote, but where the image judges.
    """
    judging = set(np.intersect1d(rows, required.judged).tolist())
    votes, decided = dict[tuple[int, int], int](), dict[tuple[int, int], int]()
    for one in stored:
        person = merged.get(one.annotator_id, one.annotator_id)
        if one.purpose == ADJUDICATION:
            decided[one.row, person] = one.number
        elif one.purpose in TASK_PURPOSES or (one.purpose not in NON_VOTING_PURPOSES and one.row not in judging):
            votes[one.row, person] = one.number
    standing = [(*who, number) for who, number in votes.items() if number >= UNSURE]
    ruled = {row: (row, person, number) for (row, person), number in decided.items() if number >= UNSURE}
    own = {row for row, person, _ in standing if person == merged.get(annotator_id, annotator_id)}
    agreed = consensus(
        Answers(*_columns(standing)),
        redundancy=required,
        decisions=Decisions(*_columns(list(ruled.values())), np.arange(len(ruled))),
    )
    return frozenset(agreed.rows[complete(agreed)].tolist()) & frozenset(map(int, rows)) - own


def _columns(lines: Sequence[tuple[int, ...]]) -> tuple[Any, Any, Any]:
    """Return rows, annotators and answers as arrays."""
    table = np.array(lines, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(np.int8)
