"""The near-duplicates of the collection: looked for once, kept under the cache, one image standing for each group.

Wires the vectors to ``learning.near``. A folder ``near/KEY`` for each encoder holds ``groups.npz``, what stands for
each row, and while the search runs ``tables.npz``: what the tables found so far, from which a search that was stopped
goes on. Images that came later, or got a vector later, stand for themselves until the search is run again.
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
from bam_engine.workspace.vectors import missing_rows, vectors_of

Groups = NDArray[np.int32]


@dataclass(frozen=True)
class FoldSummary:
    """What folding does: images looked at, groups of at least two, images folded away, and images that came since."""

    looked_at: int
    groups: int
    folded: int
    newer: int


def find_groups(workspace: Workspace, *, report: Report = silent) -> FoldSummary:
    """Look for the near-duplicates of the whole collection and keep the groups.

    Raises
    ------
    EmbeddingError
        Nothing is embedded yet.
    Stopped
        Asked to stop; the finished tables are kept and the next search goes on after them.
    DiskFull
        What was found cannot be kept.
    """
    vectors, version = vectors_of(workspace), _version(workspace)
    total = learning.TABLES + 1
    report(0, total, "reading the vectors")
    search = learning.NearDuplicateSearch(vectors)
    pairs, done = _begun(workspace, version)
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
    """Return for each row of the collection the row that stands for its group, (n,) int32: the lowest of the group.

    Each row is a near-duplicate of the one that stands for it. Without near-duplicates it stands for itself, as do rows
    without a vector and those that came after the search. Read-only.

    Raises
    ------
    NotFound
        The near-duplicates of the encoder in use were not looked for yet.
    """
    n, file = len(workspace.catalogue), _folder(workspace) / "groups.npz"
    try:
        version = (n, file.stat().st_mtime_ns)
    except OSError as error:
        raise NotFound("near-duplicates were not looked for yet. Look for them first.") from error
    kept = workspace.memory_cache.get(f"near:{file}")
    if kept is None or kept[0] != version:
        with np.load(file) as stored:
            found = stored["groups"][:n]
        groups = np.concatenate([found, np.arange(len(found), n, dtype=np.int32)])
        groups.flags.writeable = False
        kept = workspace.memory_cache[f"near:{file}"] = (version, groups)
    there: Groups = kept[1]
    return there


def has_groups(workspace: Workspace) -> bool:
    """Return whether the near-duplicates were looked for by the encoder in use."""
    return (_folder(workspace) / "groups.npz").exists()


def groups_version(workspace: Workspace) -> int:
    """Return a number that differs after each search; 0 before the first."""
    try:
        return (_folder(workspace) / "groups.npz").stat().st_mtime_ns
    except OSError:
        return 0


def fold_summary(workspace: Workspace) -> FoldSummary:
    """Return what folding the collection does.

    Raises
    ------
    NotFound
        The near-duplicates of the encoder in use were not looked for yet.
    """
    groups = group_of(workspace)
    sizes = np.bincount(groups, minlength=1)
    with np.load(_folder(workspace) / "groups.npz") as stored:
        looked_at = int(stored["version"][0])
    return FoldSummary(looked_at, int((sizes > 1).sum()), int((sizes[sizes > 1] - 1).sum()), len(groups) - looked_at)


def duplicates_of(workspace: Workspace, row: int) -> NDArray[np.int64]:
    """Return the other images of the group of ``row``, ascending; none where nothing was looked for yet."""
    if not has_groups(workspace):
        return np.empty(0, np.int64)
    groups = group_of(workspace)
    alike = np.flatnonzero(groups == groups[row])
    others: NDArray[np.int64] = alike[alike != row]
    return others


def fold(workspace: Workspace, rows: Iterable[int] | NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first of ``rows`` from each group, in their order, and how many of ``rows`` each stands for.

    Raises
    ------
    NotFound
        The near-duplicates of the encoder in use were not looked for yet.
    """
    asked = np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), np.int64)
    _, first, counts = np.unique(group_of(workspace)[asked], return_index=True, return_counts=True)
    order = np.argsort(first)
    return asked[first[order]], counts[order].astype(np.int64)


def _folder(workspace: Workspace) -> Path:
    return workspace.cache / "near" / workspace.choice.key


def _version(workspace: Workspace) -> NDArray[np.int64]:
    """What tells one array of vectors from another: how many there are, and how many are missing."""
    return np.array([len(workspace.vectors()), len(missing_rows(workspace))], np.int64)


def _begun(workspace: Workspace, version: NDArray[np.int64]) -> tuple[NDArray[np.int32], int]:
    """Return the pairs that a search of the same vectors found before it was stopped, and how many tables it did."""
    try:
        with (_folder(workspace) / "tables.npz").open("rb") as file, np.load(file) as kept:
            if np.array_equal(kept["version"], version):
                return kept["pairs"], int(kept["done"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):  # not there, or not ours to read: it is derived
        pass
    return np.empty((0, 2), np.int32), 0


def _write(file: Path, **arrays: Any) -> None:
    try:
        with replacing(file) as temporary:
            np.savez(temporary, **arrays)
    except OSError as error:
        raise DiskFull(f"the near-duplicates cannot be kept in {file}: {error.strerror}. Free some room.") from error
