"""The neighbours of labelled images, looked up once and cached on disk.

Wires the vectors to :mod:`bam_engine.learning.neighbours`. One file for each encoder, ``neighbours/KEY.npz``, serves
all attributes. Images added since the last look are searched then, and only they.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import derived, learning
from bam_engine.learning import Neighbours
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import missing_rows, vectors_fingerprint, vectors_of

_VERSION = "neighbours 2"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Cached:
    """The neighbours of the images ``seeds`` (m,), ascending, among ``n`` vectors without the ``missing`` ones."""

    seeds: NDArray[np.int64]
    neighbours: Neighbours
    n: int
    missing: NDArray[np.int64]


def neighbours_of(workspace: Workspace, rows: NDArray[np.int64], *, report: Report = silent) -> NDArray[np.int32]:
    """Return the nearest images of each of ``rows``, (m, k), nearest first, -1 where there are fewer.

    Only rows not in the cache are looked up, in one pass over the vectors.

    Raises
    ------
    EmbeddingError
        Nothing is embedded yet.
    """
    vectors, missing = vectors_of(workspace), missing_rows(workspace)
    before = cached = _read(workspace, len(vectors))
    new = np.union1d(np.arange(cached.n, len(vectors)), np.setdiff1d(cached.missing, missing))
    if len(new) and len(cached.seeds):
        additions = learning.nearest_neighbours(vectors, cached.seeds, among=new)
        cached = _Cached(cached.seeds, learning.merge_neighbours(cached.neighbours, additions), len(vectors), missing)
    uncached = np.setdiff1d(rows, cached.seeds)
    if len(uncached):
        cached = _add(
            cached, uncached, learning.nearest_neighbours(vectors, uncached, report=report), len(vectors), missing
        )
    if cached is not before:
        _write(workspace, cached)
    return cached.neighbours.rows[np.searchsorted(cached.seeds, rows)]


def _add(cached: _Cached, rows: NDArray[np.int64], added: Neighbours, n: int, missing: NDArray[np.int64]) -> _Cached:
    seeds = np.concatenate([cached.seeds, rows])
    order = np.argsort(seeds)
    neighbours = Neighbours(
        np.concatenate([cached.neighbours.rows, added.rows])[order],
        np.concatenate([cached.neighbours.similarity, added.similarity])[order],
    )
    return _Cached(seeds[order], neighbours, n, missing)


def _read(workspace: Workspace, n: int) -> _Cached:
    stored = derived.read_arrays(_file(workspace), _VERSION)
    if stored is not None:
        cached = _Cached(
            stored["seeds"], Neighbours(stored["rows"], stored["likeness"]), int(stored["n"]), stored["missing"]
        )
        same_vectors = str(stored["images"]) == vectors_fingerprint(workspace, cached.n)
        if cached.n <= n and same_vectors and cached.neighbours.rows.shape[1] == learning.NEIGHBOURS:
            return cached
    shape = (0, learning.NEIGHBOURS)
    nothing = Neighbours(np.empty(shape, np.int32), np.empty(shape, np.float32))
    return _Cached(np.empty(0, np.int64), nothing, n, missing_rows(workspace))


def _write(workspace: Workspace, cached: _Cached) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "seeds": cached.seeds,
        "rows": cached.neighbours.rows,
        "likeness": cached.neighbours.similarity,
        "n": np.array(cached.n),
        "missing": cached.missing,
        "images": np.array(vectors_fingerprint(workspace, cached.n)),
    }
    try:
        derived.write_arrays(_file(workspace), arrays, _VERSION)
    except OSError as error:
        _log.warning("The neighbours of labelled images cannot be cached: %s.", error.strerror or error)


def _file(workspace: Workspace) -> Path:
    return workspace.cache / "neighbours" / f"{workspace.choice.key}.npz"
