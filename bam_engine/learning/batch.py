"""A batch of images to label: distinct, each with its reason, without near-duplicates, few of each project."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from bam_engine.learning.duplicate_filter import DuplicateFilter
from bam_engine.learning.sampling import Rows

Vectors = npt.NDArray[np.float16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]

_MIN_PER_GROUP = 3
_GROUP_SAMPLE = 4096
_MIN_LOOKUP = 16  # candidates checked together


@dataclass(frozen=True)
class Batch:
    """The rows to label (b,), in the order to show them, and the reason for each."""

    rows: Rows
    reasons: tuple[str, ...]


class BatchBuilder:
    """Builds a batch from candidates in order, skipping repeated rows, near-duplicates and images of a full project.

    Parameters
    ----------
    pool : rows
        The images that may be queried.
    count : int
        The size of the batch; a smaller pool is queried whole.
    vectors : (N, d), optional
        None: near-duplicates are not checked.
    groups : (N,) int, optional
        The project of each image. None: no limit by project.
    cap : int, optional
        The most images of one project. None: 3, or more where there are few projects.
    queried : rows, optional
        Images queried before."""

    def __init__(
        self,
        pool: Rows,
        count: int,
        vectors: Vectors | None,
        groups: npt.NDArray[np.int64] | None,
        cap: int | None,
        queried: npt.ArrayLike | None,
    ) -> None:
        self.count = min(count, len(pool))
        self._groups = groups
        self._cap = _default_cap(pool, count, groups) if cap is None else cap
        self._reasons: dict[int, str] = {}
        self._skipped: dict[int, str] = {}
        self._group_sizes: dict[int, int] = {}
        self._filter = None if vectors is None else DuplicateFilter(vectors, pool, queried)

    @property
    def rows(self) -> list[int]:
        return list(self._reasons)

    def add(self, candidates: Iterable[int], limit: int, reason: str) -> None:
        """Add up to ``limit`` of the candidates, for this reason."""
        end, remaining = min(len(self._reasons) + limit, self.count), iter(candidates)
        while len(self._reasons) < end:
            block = list(islice(remaining, max(end - len(self._reasons), _MIN_LOOKUP)))
            if not block:
                return
            self._add_block(block, end, reason)

    def _add_block(self, block: list[int], end: int, reason: str) -> None:
        """Add admissible candidates until the batch holds ``end``; checking a block at a time is faster."""
        new = [row for row in dict.fromkeys(block) if row not in self._reasons and not self._full(row)]
        known = set() if self._filter is None else self._filter.queried_before(new)
        for row in new:
            if len(self._reasons) >= end:
                return
            if row in known:
                if len(self._skipped) < self.count:
                    self._skipped.setdefault(row, reason)
            elif not self._full(row) and (self._filter is None or self._filter.add(row)):
                self._accept(row, reason)

    def _accept(self, row: int, reason: str) -> None:
        self._group_sizes[self._group(row)] = self._group_sizes.get(self._group(row), 0) + 1
        self._reasons[row] = reason

    def _group(self, row: int) -> int:
        return row if self._groups is None else int(self._groups[row])

    def _full(self, row: int) -> bool:
        return self._group_sizes.get(self._group(row), 0) >= self._cap

    def batch(self) -> Batch:
        """Return the batch; if it is empty, near-duplicates of images queried before, since nothing else is left."""
        if not self._reasons:
            for row, reason in self._skipped.items():
                if not self._full(row):
                    self._accept(row, reason)
        return Batch(np.fromiter(self._reasons, dtype=np.int64), tuple(self._reasons.values()))


def _default_cap(pool: Rows, count: int, groups: npt.NDArray[np.int64] | None) -> int:
    """Return 3, or twice a project's even part of the batch where there are few projects."""
    if groups is None:
        return count
    sample = pool[np.linspace(0, len(pool) - 1, min(len(pool), _GROUP_SAMPLE)).astype(np.int64)]
    projects = len(np.unique(groups[sample]))
    if _MIN_PER_GROUP * projects < 2 * count and len(sample) < len(pool):  # rare; sorting a long pool is slow
        projects = len(np.unique(groups[pool]))
    return max(_MIN_PER_GROUP, -(-2 * count // projects))
