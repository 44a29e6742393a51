"""The near-duplicates of the collection: searched for once and cached, one image representing each group.

:mod:`bam_engine.workspace.near_copies` says what a near-duplicate is; ``learning.near_duplicates`` finds the pairs to
be compared, by their vectors and by the outlines of their sprites. A folder ``near/KEY`` for each encoder holds
``groups.npz``, what the last search found about each row, and during a search ``tables.npz``, the pairs found so far,
from which a stopped one resumes, and ``outlines.npy``. Images that were added or embedded later represent themselves
until the next search.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import derived, learning
from bam_engine.errors import DiskFull, NotFound
from bam_engine.progress import Report, silent
from bam_engine.workspace import near_copies
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_encoder
from bam_engine.workspace.membership import members
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import missing_rows, vectors_fingerprint, vectors_of, vectors_state

Groups = NDArray[np.int32]
Pairs = NDArray[np.int32]

_GROUPS_VERSION = f"groups 4 {near_copies.VERSION}"
_OUTLINE_TABLES = 8
_STEPS = learning.TABLES + _OUTLINE_TABLES + 1


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found about each row: arrays (n,), which rows that were added later have no place in.

    Attributes
    ----------
    groups : int32
        The representative, as of :func:`group_of`.
    linked : int32
        The lowest row of those linked, as of :func:`linked_images`.
    identical : int32
        The lowest row with the same vector, bit for bit; its own without a vector.
    distances : float32
        How far it is from being a copy of the representative: 0 for the same vector, 1 at most.
    """

    groups: Groups
    linked: Groups
    identical: Groups
    distances: NDArray[np.float32]


_FOUND = Kind[Found | None]("near-duplicates", of="encoder", until="a search ends or images are added", limit=2)


@dataclass(frozen=True)
class FoldSummary:
    """The effect of grouping: images searched, groups of two or more, images hidden by it, and images added since."""

    searched: int
    groups: int
    folded: int
    newer: int


@one_encoder
def find_groups(workspace: Workspace, *, report: Report = silent) -> FoldSummary:
    """Search the whole collection for near-duplicates and store the groups.

    Raises
    ------
    EmbeddingError
        Nothing is embedded yet.
    Stopped
        By ``report``; the next search resumes after the finished tables, and compares all pictures of the pairs.
    DiskFull
        The result cannot be stored.
    """
    vectors, state = vectors_of(workspace), f"{_GROUPS_VERSION} {vectors_state(workspace)}"
    report(0, _STEPS, "reading the vectors")
    search = learning.NearDuplicateSearch(vectors, near_copies.VECTORS)
    pairs = _candidates(workspace, search, state, report)
    size = len(vectors)

    def compared(done: int, total: int | None, message: str = "") -> None:
        report(_STEPS - 1, _STEPS, f"{done:,} of {total:,} pairs of pictures compared")

    pairs, apart = near_copies.confirmed(workspace, pairs, size, report=compared)
    images = np.array(vectors_fingerprint(workspace, size))
    groups = learning.representatives(search.first, pairs)
    found = Found(groups, _linked(search.first, pairs), search.first, _distances(search.first, groups, pairs, apart))
    _write(_folder(workspace) / "groups.npz", _GROUPS_VERSION, **vars(found), images=images)
    for name in ("tables.npz", "outlines.npy"):
        (_folder(workspace) / name).unlink(missing_ok=True)
    return fold_summary(workspace)


def _candidates(workspace: Workspace, search: learning.NearDuplicateSearch, state: str, report: Report) -> Pairs:
    """Return the pairs (m, 2) to be compared, of images with different vectors; each finished table is stored.

    Outlines come first: where vectors give more pairs than are compared, those of outlines are among them.
    """
    pairs, done = _stored_pairs(workspace, state)
    report(done + 1, _STEPS, f"{len(pairs):,} pairs")
    outlines: tuple[learning.NearDuplicateSearch, Groups] | None = None
    while done < _STEPS - 1 and len(pairs) < learning.MAX_PAIRS:
        if done >= _OUTLINE_TABLES:
            new = search.find_pairs(done - _OUTLINE_TABLES)
        else:
            outlines = outlines or _by_outline(workspace, search.first, state)
            new = outlines[1][outlines[0].find_pairs(done)]
            new = np.concatenate([new, _same(*outlines)]) if done == 0 else new
            new = np.sort(new[new[:, 0] != new[:, 1]], axis=1)
        pairs = learning.unique_pairs(np.concatenate([pairs, new]))
        done += 1
        _write(_folder(workspace) / "tables.npz", state, pairs=pairs, done=np.array(done))
        report(done + 1, _STEPS, f"{len(pairs):,} pairs")
    return pairs


def _by_outline(workspace: Workspace, first: Groups, state: str) -> tuple[learning.NearDuplicateSearch, Groups]:
    """Return the search by outlines, and the lowest row with the vector of each row."""
    file, n = _folder(workspace) / "outlines.npy", len(first)
    without = np.zeros(n, bool)
    without[missing_rows(workspace)] = True
    done = 0
    try:
        with derived.writing_array(file, (n, near_copies.OUTLINE), np.float16, state) as append:
            for part in near_copies.outlines(workspace, n):
                part[without[done : done + len(part)]] = 0
                append(part)
                done += len(part)
    except OSError as error:
        raise _full(file, error) from error
    stored = derived.read_array(file, state)
    if stored is None:
        raise DiskFull(f"The near-duplicates cannot be saved in {file}: the file is not as it was written.")
    return learning.NearDuplicateSearch(stored, near_copies.SPRITES), first


def _same(search: learning.NearDuplicateSearch, first: Groups) -> Pairs:
    """Return the pairs of images with one outline, by the lowest row with the vector of each."""
    return np.column_stack([first[search.first], first])


def _distances(first: Groups, groups: Groups, pairs: Pairs, apart: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far each row is from its representative (n,), of ascending pairs that are ``apart``."""
    if not len(pairs):
        return np.zeros(len(first), np.float32)
    keys = pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1]
    wanted = groups.astype(np.int64) << 32 | first
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, apart[at], 0).astype(np.float32)


def search_where_needed(workspace: Workspace, *, report: Report = silent) -> None:
    """Search as :func:`find_groups` does, unless every image that has been embedded was searched already."""
    found = last_search(workspace)
    if found is None or len(found.groups) < min(len(workspace.catalogue), len(workspace.vectors())):
        find_groups(workspace, report=report)


def group_of(workspace: Workspace) -> Groups:
    """Return the representative of each row's group, (n,) int32, read-only: the lowest row of the group.

    Each row is a near-duplicate of its representative. Rows without near-duplicates represent themselves, and so do
    rows without a vector and those added after the search.

    Raises
    ------
    NotFound
        There was no search with the encoder in use yet.
    """
    searched = last_search(workspace)
    if searched is None:
        raise NotFound("Near-duplicates have not been searched for yet. Search for them first.")
    return extended(searched.groups, len(workspace.catalogue))


def extended(groups: Groups, n: int) -> Groups:
    """Return the rows (n,) that those of a search are grouped under, read-only; those added later are their own."""
    every: Groups = np.concatenate([groups, np.arange(len(groups), n, dtype=np.int32)])
    every.flags.writeable = False
    return every


def last_search(workspace: Workspace) -> Found | None:
    """Return what the last search with the encoder in use found; None before one, and where its file is damaged."""
    file = _folder(workspace) / "groups.npz"
    version = (groups_version(workspace), vectors_fingerprint(workspace, len(workspace.catalogue)))
    return workspace.memory.get(_FOUND, file, version, lambda: _read(workspace, file))


def _read(workspace: Workspace, file: Path) -> Found | None:
    stored = derived.read_arrays(file, _GROUPS_VERSION)
    if stored is None:
        return None
    images = str(stored.pop("images"))
    found = Found(**stored)
    return found if vectors_fingerprint(workspace, len(found.groups)) == images else None


def linked_images(workspace: Workspace, *, report: Report = silent) -> Groups:
    """Return the lowest row (n,) int32 that each row is a near-duplicate of, directly or by way of others.

    Unlike in :func:`group_of`, a chain in which each image resembles only the next is one group: whoever must not have
    near-duplicates on two sides needs that. Images are searched first where some have not been.

    Raises
    ------
    EmbeddingError
        Nothing is embedded yet.
    """
    n = len(workspace.catalogue)
    search_where_needed(workspace, report=report)
    found = last_search(workspace)
    return extended(np.empty(0, np.int32) if found is None else found.linked, n)


def _linked(first: Groups, pairs: NDArray[np.int32]) -> Groups:
    identical = np.column_stack([np.arange(len(first), dtype=np.int32), first])
    return learning.linked_rows(np.concatenate([identical, pairs]), len(first)).astype(np.int32)


def has_groups(workspace: Workspace) -> bool:
    """Return whether near-duplicates were searched for with the encoder in use."""
    return last_search(workspace) is not None


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
    groups, inside = group_of(workspace), members(workspace)
    sizes = np.bincount(groups[inside], minlength=1)
    searched = len(groups if (found := last_search(workspace)) is None else found.groups)
    new = int(inside[searched:].sum())
    return FoldSummary(searched, int((sizes > 1).sum()), int((sizes[sizes > 1] - 1).sum()), new)


def duplicates_of(workspace: Workspace, row: int) -> NDArray[np.int64]:
    """Return the other images of the group of ``row``, ascending; empty before the first search."""
    if not has_groups(workspace):
        return np.empty(0, np.int64)
    groups = group_of(workspace)
    group = np.flatnonzero((groups == groups[row]) & members(workspace))
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


def _stored_pairs(workspace: Workspace, state: str) -> tuple[NDArray[np.int32], int]:
    """Return the pairs of a stopped search of the same vectors, and how many tables it finished."""
    stored = derived.read_arrays(_folder(workspace) / "tables.npz", state)
    return (np.empty((0, 2), np.int32), 0) if stored is None else (stored["pairs"], int(stored["done"]))


def _write(file: Path, made_of: str, **arrays: NDArray[Any]) -> None:
    try:
        derived.write_arrays(file, arrays, made_of)
    except OSError as error:
        raise _full(file, error) from error


def _full(file: Path, error: OSError) -> DiskFull:
    return DiskFull(f"The near-duplicates cannot be saved in {file}: {error.strerror}. Free some disk space.")
