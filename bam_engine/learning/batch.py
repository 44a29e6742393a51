"""A batch and its making: distinct rows, each with its reason, no project too often, no near-duplicates.

In:  candidates in the order of a query strategy. Out: the batch. Knows nothing of scores.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from bam_engine.learning.duplicate_filter import DuplicateFilter
from bam_engine.learning.sampling import Rows

Vectors = npt.NDArray[np.float16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]

_MIN_PER_GROUP = 3
_ENOUGH_OF_A_POOL = 4096
_AT_LEAST = 16  # candidates looked up together


@dataclass(frozen=True)
class Batch:
    """The rows to ask, in the order to show them, and why each is asked."""

    rows: Rows
    reasons: tuple[str, ...]


class BatchBuilder:
    """A batch in the making: takes candidates in order, past those that are there already or one too many."""

    def __init__(
        self,
        pool: Rows,
        count: int,
        vectors: Vectors | None,
        groups: npt.NDArray[np.int64] | None,
        cap: int | None,
        asked: npt.ArrayLike | None,
    ) -> None:
        self.count = min(count, len(pool))
        self._groups = groups
        self._cap = _default_cap(pool, count, groups) if cap is None else cap
        self._reasons: dict[int, str] = {}
        self._left_out: dict[int, str] = {}
        self._of_group: dict[int, int] = {}
        self._like = None if vectors is None else DuplicateFilter(vectors, pool, asked)

    @property
    def rows(self) -> list[int]:
        return list(self._reasons)

    def take(self, candidates: Iterable[int], wanted: int, reason: str) -> None:
        """Add up to ``wanted`` of the candidates."""
        end, coming = min(len(self._reasons) + wanted, self.count), iter(candidates)
        while len(self._reasons) < end:
            some = list(islice(coming, max(end - len(self._reasons), _AT_LEAST)))
            if not some:
                return
            self._add(some, end, reason)

    def _add(self, some: list[int], end: int, reason: str) -> None:
        """Add the candidates that may be asked until the batch holds ``end``; they are looked up together: faster."""
        new = [row for row in dict.fromkeys(some) if row not in self._reasons and not self._full(row)]
        known = set() if self._like is None else self._like.asked_before(new)
        for row in new:
            if len(self._reasons) >= end:
                return
            if row in known:
                if len(self._left_out) < self.count:
                    self._left_out.setdefault(row, reason)
            elif not self._full(row) and (self._like is None or self._like.add(row)):
                self._keep(row, reason)

    def _keep(self, row: int, reason: str) -> None:
        self._of_group[self._group(row)] = self._of_group.get(self._group(row), 0) + 1
        self._reasons[row] = reason

    def _group(self, row: int) -> int:
        return row if self._groups is None else int(self._groups[row])

    def _full(self, row: int) -> bool:
        return self._of_group.get(self._group(row), 0) >= self._cap

    def batch(self) -> Batch:
        """Return what was taken; where nothing was, the near-duplicates of what was asked before: they are all left."""
        if not self._reasons:
            for row, reason in self._left_out.items():
                if not self._full(row):
                    self._keep(row, reason)
        return Batch(np.fromiter(self._reasons, dtype=np.int64), tuple(self._reasons.values()))


def _default_cap(pool: Rows, count: int, groups: npt.NDArray[np.int64] | None) -> int:
    """Return 3, or twice a project's even share of the batch where projects are few."""
    if groups is None:
        return count
    some = pool[np.linspace(0, len(pool) - 1, min(len(pool), _ENOUGH_OF_A_POOL)).astype(np.int64)]
    projects = len(np.unique(groups[some]))
    if _MIN_PER_GROUP * projects < 2 * count and len(some) < len(pool):  # seldom; sorting a long pool takes a while
        projects = len(np.unique(groups[pool]))
    return max(_MIN_PER_GROUP, -(-2 * count // projects))
