"""Sets of images that somebody picked out, under a short name that fits into a URL.

In:  rows. Out: an id, and the rows again. The same set has the same id. Kept under the cache, the last used ones only:
a selection is a way of looking, and what it led to (answers, a round, an export) is kept where it belongs.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import BamError, DiskFull, NotFound
from bam_engine.files import replacing
from bam_engine.workspace.core import Workspace

KEPT = 500
"""Selections kept on the disk; the one used longest ago goes first."""

KEPT_BYTES = 512 * 2**20
"""Bytes they may take together; the newest is kept whatever its size."""

_REMEMBERED = 8  # in memory
_ID = re.compile(r"[0-9a-f]{20}")


def save(workspace: Workspace, rows: Iterable[int] | NDArray[np.int64]) -> str:
    """Keep a set of rows and return its id, 20 letters and digits; order and repetitions do not matter.

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
        raise BamError(f"rows {chosen[0]} to {chosen[-1]} were selected; the collection has 0 to {n - 1}.")
    selection_id = hashlib.sha256(chosen.tobytes()).hexdigest()[:20]
    path = _path(workspace, selection_id)
    try:
        if path.exists():
            os.utime(path)
        else:
            with replacing(path) as temporary:
                np.save(temporary, chosen.astype(np.int32))
            _drop_old(path)
    except OSError as error:
        raise DiskFull(f"the selection cannot be kept in {path.parent}: {error.strerror}. Free some room.") from error
    _remember(workspace, selection_id, chosen)
    return selection_id


def rows_of(workspace: Workspace, selection_id: str) -> NDArray[np.int64]:
    """Return the rows of a selection, rising; not to be written to.

    Raises
    ------
    NotFound
        There is no such selection, or no longer.
    """
    if _ID.fullmatch(selection_id):
        with workspace.lock:
            found: NDArray[np.int64] | None = workspace.memory_cache.get("selections", {}).get(selection_id)
        if found is not None:
            return found
        path = _path(workspace, selection_id)
        with contextlib.suppress(OSError, ValueError, EOFError):
            rows = np.load(path).astype(np.int64)
            os.utime(path)
            return _remember(workspace, selection_id, rows)
    raise NotFound(
        f"the selection {selection_id[:40]!r} is not there. Only the last {KEPT} are kept: select the images again."
    )


def _path(workspace: Workspace, selection_id: str) -> Path:
    return workspace.cache / "selections" / f"{selection_id}.npy"


def _remember(workspace: Workspace, selection_id: str, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    rows.flags.writeable = False
    with workspace.lock:
        kept: dict[str, NDArray[np.int64]] = workspace.memory_cache.setdefault("selections", {})
        kept.pop(selection_id, None)
        kept[selection_id] = rows
        while len(kept) > _REMEMBERED:
            kept.pop(next(iter(kept)))
    return rows


def _drop_old(newest: Path) -> None:
    """Remove what was used longest ago until the others fit; a file that another process removed is no matter."""
    found = []
    for path in newest.parent.glob("*.npy"):
        with contextlib.suppress(OSError):
            about = path.stat()
            found.append((path == newest, about.st_mtime_ns, about.st_size, path))
    found.sort(key=lambda line: line[:2])
    room, count = sum(size for _, _, size, _ in found), len(found)
    for is_newest, _, size, path in found:
        if is_newest or (count <= KEPT and room <= KEPT_BYTES):
            return
        path.unlink(missing_ok=True)
        room, count = room - size, count - 1
