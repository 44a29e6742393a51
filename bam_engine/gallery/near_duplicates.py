"""The near-duplicates of the collection: searched for once and cached, one image representing each group.

Wires the vectors to ``learning.near_duplicates``. A folder ``near/KEY`` for each encoder holds ``groups.npz``, the
representative of each row, and during a search ``tables.npz``, the pairs found so far, from which a stopped search
resumes. Images that were added or embedded later represent themselves until the next search.
"""

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import learning
from bam_engine.errors import DiskFull, NotFound
from bam_engine.files import replacing
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import missing_rows, vectors_of

Groups = NDArray[np.int32]

_GROUPS = Kind[Groups]("near-duplicate groups", of="encoder", until="a search ends or images are added", limit=2)


@dataclass(frozen=True)
class FoldSummary:
    """The effect of grouping: images searched, groups of two or more, images hidden by it, and images added since."""

    searched: int
    groups: int
    folded: int
    newer: int


def find_groups(workspace: Workspace, *, report: Report = silent) -> FoldSummary:
    """Search the whole collection for near-duplicates and store the groups.

    Raises
    ------
    EmbeddingError
        Nothing is embedded yet.
    Stopped
        By ``report``; the finished tables are stored and the next search resumes after them.
    DiskFull
        The result cannot be stored.
    """
    vectors, version = vectors_of(workspace), _version(workspace)
    total = learning.TABLES + 1
    report(0, total, "reading the vectors")
    search = learning.NearDuplicateSearch(vectors)
    pairs, done = _stored_pairs(workspace, version)
    report(done + 1, total, f"{len(pairs):,} pairs")
    while done < learning.TABLES and len(pairs) < learning.MAX_PAIRS:
        pairs = learning.unique_pairs(np.concatenate([pairs, search.find_pairs(done)]))
        done += 1
        _write(_folder(workspace) / "tables.npz", pairs=pairs, done=done, version=version)
        report(done + 1, total, f"{len(pairs):,} pairs")
    _write(_folder(workspace) / "groups.npz", groups=learning.representatives(search.first, pairs), version=version)
    (_folder(workspace) / "tables.npz").unlink(missing_ok=True)
    return fold_summary(workspace)


def group_of(workspace: Workspace) -> Groups:
    """Return the representative of each row's group, (n,) int32, read-only: the lowest row of the group.

    Each row is a near-duplicate of its representative. Rows without near-duplicates represent themselves, and so do
    rows without a vector and those added after the search.

    Raises
    ------
    NotFound
        There was no search with the encoder in use yet.
    """
    n, file = len(workspace.catalogue), _folder(workspace) / "groups.npz"
    try:
        version = (n, file.stat().st_mtime_ns)
    except OSError as error:
        raise NotFound("Near-duplicates have not been searched for yet. Search for them first.") from error
    return workspace.memory.get(_GROUPS, file, version, lambda: _read_groups(file, n))


def _read_groups(file: Path, n: int) -> Groups:
    with np.load(file) as stored:
        searched = stored["groups"][:n]
    groups: Groups = np.concatenate([searched, np.arange(len(searched), n, dtype=np.int32)])
    groups.flags.writeable = False
    return groups


def has_groups(workspace: Workspace) -> bool:
    """Return whether near-duplicates were searched for with the encoder in use."""
    return (_folder(workspace) / "groups.npz").exists()


def groups_version(workspace: Workspace) -> int:
    """Return a number that changes with each search; 0 before the first."""
    try:
        return (_folder(workspace) / "groups.npz").stat().st_mtime_ns
    except OSError:
        return 0


def fold_summary(workspace: Workspace) -> FoldSummary:
    """Return the effect of grouping the whole collection.

    Raises
    ------
    NotFound
        There was no search with the encoder in use yet.
    """
    groups = group_of(workspace)
    sizes = np.bincount(groups, minlength=1)
    with np.load(_folder(workspace) / "groups.npz") as stored:
        searched = int(stored["version"][0])
    return FoldSummary(searched, int((sizes > 1).sum()), int((sizes[sizes > 1] - 1).sum()), len(groups) - searched)


def duplicates_of(workspace: Workspace, row: int) -> NDArray[np.int64]:
    """Return the other images of the group of ``row``, ascending; empty before the first search."""
    if not has_groups(workspace):
        return np.empty(0, np.int64)
    groups = group_of(workspace)
    group = np.flatnonzero(groups == groups[row])
    others: NDArray[np.int64] = group[group != row]
    return others


def fold(workspace: Workspace, rows: Iterable[int] | NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first of ``rows`` from each group, in their order, and how many of ``rows`` each represents.

    Raises
    ------
    NotFound
        There was no search with the encoder in use yet.
    """
    rows = np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), np.int64)
    _, first, counts = np.unique(group_of(workspace)[rows], return_index=True, return_counts=True)
    order = np.argsort(first)
    return rows[first[order]], counts[order].astype(np.int64)


def _folder(workspace: Workspace) -> Path:
    return workspace.cache / "near" / workspace.choice.key


def _version(workspace: Workspace) -> NDArray[np.int64]:
    """Return a version of the vectors: how many there are, and how many are missing."""
    return np.array([len(workspace.vectors()), len(missing_rows(workspace))], np.int64)


def _stored_pairs(workspace: Workspace, version: NDArray[np.int64]) -> tuple[NDArray[np.int32], int]:
    """Return the pairs of a stopped search of the same vectors, and how many tables it finished."""
    try:
        with (_folder(workspace) / "tables.npz").open("rb") as file, np.load(file) as stored:
            if np.array_equal(stored["version"], version):
                return stored["pairs"], int(stored["done"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):  # missing or damaged: the search starts again
        pass
    return np.empty((0, 2), np.int32), 0


def _write(file: Path, **arrays: Any) -> None:
    try:
        with replacing(file) as temporary:
            np.savez(temporary, **arrays)
    except OSError as error:
        raise DiskFull(
            f"The near-duplicates cannot be saved in {file}: {error.strerror}. Free some disk space."
        ) from error
