"""Selections: sets of images, stored under a short id that fits into a URL.

In:  rows. Out: an id, and the rows again. The same set of images has the same id. Only the most recently used are
stored, in the cache folder: a selection is a view, and its results (answers, a round, an export) are stored elsewhere.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine import derived
from bam_engine.errors import BamError, DiskFull, NotFound
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind

MAX_SELECTIONS = 500
"""Selections on disk; the least recently used is removed first."""

MAX_BYTES = 512 * 2**20
"""Bytes of all selections; the newest is stored whatever its size."""

SELECTIONS = Kind[NDArray[np.int64]]("selections", of="selection", until="never: the id is a digest", limit=8)
_ID = re.compile(r"[0-9a-f]{20}")


def save(workspace: Workspace, rows: Iterable[int] | NDArray[np.int64]) -> str:
    """Store a set of rows and return its id, 20 letters and digits; order and repetitions do not matter.

    Raises
    ------
    BamError
        A row is negative, or beyond the collection.
    DiskFull
        The cache cannot be written.

    Examples
    --------
    >>> save(workspace, [3, 1, 3]) == save(workspace, [1, 3])  # doctest: +SKIP
    True
    """
    chosen = np.unique(np.asarray(rows if isinstance(rows, np.ndarray) else list(rows), np.int64))
    n = len(workspace.catalogue)
    if len(chosen) and not 0 <= chosen[0] <= chosen[-1] < n:
        raise BamError(f"The selection has rows {chosen[0]} to {chosen[-1]}; the collection has rows 0 to {n - 1}.")
    selection_id = _id_of(workspace, chosen)
    path = _path(workspace, selection_id)
    try:
        if path.exists() and not is_damaged(workspace, selection_id):
            os.utime(path)
        else:
            derived.write_array(path, chosen.astype(np.int32), selection_id)
            _drop_old(path)
    except OSError as error:
        raise DiskFull(
            f"The selection cannot be saved in {path.parent}: {error.strerror}. Free some disk space."
        ) from error
    workspace.memory.put(SELECTIONS, selection_id, None, _read_only(chosen))
    return selection_id


def rows_of(workspace: Workspace, selection_id: str) -> NDArray[np.int64]:
    """Return the rows of a selection that are in the collection, ascending, read-only.

    Raises
    ------
    NotFound
        There is no such selection, or it has been removed from the cache.
    """
    if _ID.fullmatch(selection_id):
        path = _path(workspace, selection_id)
        with contextlib.suppress(OSError, ValueError, EOFError):
            rows = workspace.memory.get(SELECTIONS, selection_id, None, lambda: _read(path))
            if _id_of(workspace, rows) == selection_id:  # neither damaged nor of a collection with other images
                return _read_only(removed(workspace).without(rows))
    raise NotFound(
        f"The selection {selection_id[:40]!r} was not found. Only the last {MAX_SELECTIONS} are stored. "
        "Select the images again."
    )


def is_damaged(workspace: Workspace, selection_id: str) -> bool:
    """Return whether the file of a selection is not as it was written; earlier versions wrote it without a seal."""
    path = _path(workspace, selection_id)
    try:
        if derived.is_whole(path.read_bytes()):
            return False
        return _id_of(workspace, np.load(path).astype(np.int64)) != selection_id
    except FileNotFoundError:  # the least recently used is removed
        return False
    except (OSError, ValueError, EOFError, IndexError):
        return True


def _id_of(workspace: Workspace, rows: NDArray[np.int64]) -> str:
    images = workspace.catalogue.digests().array
    return hashlib.sha256(rows.tobytes() + images[rows[rows < len(images)]].tobytes()).hexdigest()[:20]


def _path(workspace: Workspace, selection_id: str) -> Path:
    return workspace.cache / "selections" / f"{selection_id}.npy"


def _read(path: Path) -> NDArray[np.int64]:
    rows = np.load(path).astype(np.int64)
    with contextlib.suppress(OSError):
        os.utime(path)
    return _read_only(rows)


def _read_only(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    rows.flags.writeable = False
    return rows


def _drop_old(newest: Path) -> None:
    """Remove the least recently used until the others fit; other processes may remove files meanwhile."""
    files = []
    for path in newest.parent.glob("*.npy"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            files.append((path == newest, stat.st_mtime_ns, stat.st_size, path))
    files.sort(key=lambda file: file[:2])
    total, count = sum(size for _, _, size, _ in files), len(files)
    for is_newest, _, size, path in files:
        if is_newest or (count <= MAX_SELECTIONS and total <= MAX_BYTES):
            return
        path.unlink(missing_ok=True)
        total, count = total - size, count - 1
