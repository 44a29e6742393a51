"""The neighbours of labelled images, looked up once and kept under the cache.

Wires the vectors to ``learning.candidates``. One file for each encoder, ``neighbours/KEY.npz``, serves all attributes:
which images lie near one does not depend on the question. Images that came since the last look are looked at then,
and only they.
"""

import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.errors import DiskFull
from bam_engine.files import replacing
from bam_engine.learning import Neighbours
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import missing_rows, vectors_of


@dataclass(frozen=True, eq=False)
class _Kept:
    """What was found for the images ``seeds`` (m,), ascending, among ``n`` vectors without the ``missing`` ones."""

    seeds: NDArray[np.int64]
    found: Neighbours
    n: int
    missing: NDArray[np.int64]


def neighbours_of(workspace: Workspace, rows: NDArray[np.int64], *, report: Report = silent) -> NDArray[np.int32]:
    """Return the nearest images of each of ``rows`` (m, k), nearest first, -1 where there are fewer.

    Only rows that nobody asked for before are looked up, by one pass over the vectors.

    Raises
    ------
    EmbeddingError
        Nothing is embedded yet.
    DiskFull
        What was found cannot be kept.
    """
    vectors, missing = vectors_of(workspace), missing_rows(workspace)
    before = kept = _read(workspace, len(vectors))
    came = np.union1d(np.arange(kept.n, len(vectors)), np.setdiff1d(kept.missing, missing))
    if len(came) and len(kept.seeds):
        fresh = learning.nearest_neighbours(vectors, kept.seeds, among=came)
        kept = _Kept(kept.seeds, learning.merge_neighbours(kept.found, fresh), len(vectors), missing)
    wanted = np.setdiff1d(rows, kept.seeds)
    if len(wanted):
        kept = _with(kept, wanted, learning.nearest_neighbours(vectors, wanted, report=report), len(vectors), missing)
    if kept is not before:
        _write(workspace, kept)
    return kept.found.rows[np.searchsorted(kept.seeds, rows)]


def _with(kept: _Kept, rows: NDArray[np.int64], found: Neighbours, n: int, missing: NDArray[np.int64]) -> _Kept:
    seeds = np.concatenate([kept.seeds, rows])
    order = np.argsort(seeds)
    together = Neighbours(
        np.concatenate([kept.found.rows, found.rows])[order],
        np.concatenate([kept.found.similarity, found.similarity])[order],
    )
    return _Kept(seeds[order], together, n, missing)


def _read(workspace: Workspace, n: int) -> _Kept:
    path = workspace.cache / "neighbours" / f"{workspace.choice.key}.npz"
    try:
        with np.load(path) as file:
            kept = _Kept(file["seeds"], Neighbours(file["rows"], file["likeness"]), int(file["n"]), file["missing"])
        if kept.n <= n and kept.found.rows.shape[1] == learning.NEIGHBOURS:
            return kept
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):  # not there, or not ours to read: it is derived
        pass
    shape = (0, learning.NEIGHBOURS)
    nothing = Neighbours(np.empty(shape, np.int32), np.empty(shape, np.float32))
    return _Kept(np.empty(0, np.int64), nothing, n, missing_rows(workspace))


def _write(workspace: Workspace, kept: _Kept) -> None:
    path = workspace.cache / "neighbours" / f"{workspace.choice.key}.npz"
    try:
        with replacing(path) as temporary:
            np.savez(
                temporary,
                seeds=kept.seeds,
                rows=kept.found.rows,
                likeness=kept.found.similarity,
                n=kept.n,
                missing=kept.missing,
            )
    except OSError as error:
        raise DiskFull(f"the neighbours of the labelled images cannot be kept: {error.strerror}. Free room.") from error
