"""A file of records, one for each image by row, that grows with the collection; it can be made again.

In:  records of new images. Out: an array, memory-mapped, up to the first record that is damaged or of another image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import DiskFull
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

Records = NDArray[np.void]


@dataclass(frozen=True, eq=False)
class RecordFile:
    """The records of one kind.

    Attributes
    ----------
    name
        Of the file, in the folder ``facets`` of the cache.
    dtype
        Of a record; its field ``check``, uint32, belongs to this class.
    kind
        Under which the array is kept in memory.
    what
        The records hold, for an error: ``"Colours and dates"``.
    fold
        Returns for records (m,) what all of their other fields are folded to, uint32 (m,).
    """

    name: str
    dtype: np.dtype[np.void]
    kind: Kind[Records]
    what: str
    fold: Callable[[Records], NDArray[np.uint32]]

    def path(self, workspace: Workspace) -> Path:
        """Return the path of the file, which need not exist."""
        return workspace.cache / "facets" / self.name

    def version(self, workspace: Workspace) -> tuple[int, int]:
        """Return what changes whenever a record is written: the time of the last one, and the size of the file."""
        try:
            status = self.path(workspace).stat()
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size

    def read(self, workspace: Workspace) -> Records:
        """Return the records (m,), memory-mapped, up to the first that is damaged or of another image."""
        version = self.version(workspace)
        if not version[1]:
            return np.empty(0, self.dtype)
        images = workspace.catalogue.digests().fingerprint()
        return workspace.memory.get(self.kind, None, (*version, images), lambda: self._valid(workspace, version[1]))

    def damaged(self, workspace: Workspace) -> int:
        """Return how many stored records are damaged, of other images, or follow one that is."""
        size = self.version(workspace)[1]
        return size // self.dtype.itemsize - len(self.read(workspace)) if size else 0

    def write(self, workspace: Workspace, rows: NDArray[np.int64], block: Records, *, cut: bool = False) -> None:
        """Write the records of ``rows`` (k,), ascending, in place of earlier ones; if ``cut``, drop what follows them.

        Raises
        ------
        DiskFull
            They cannot be written.
        """
        file = self.path(workspace)
        block["check"] = self._check(workspace.catalogue.digests().array[rows], block)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("r+b" if file.exists() else "w+b") as target:
                starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
                for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
                    target.seek(int(rows[start]) * self.dtype.itemsize)
                    target.write(block[start:end].tobytes())
                if cut:
                    target.truncate()
        except OSError as error:
            raise DiskFull(
                f"{self.what} cannot be saved in {file.parent}: {error.strerror}. Free some disk space."
            ) from error

    def _valid(self, workspace: Workspace, size: int) -> Records:
        images = workspace.catalogue.digests().array
        count = min(size // self.dtype.itemsize, len(images))
        if not count:
            return np.empty(0, self.dtype)
        stored: Records = np.memmap(self.path(workspace), self.dtype, "r", shape=(count,))
        wrong = stored["check"] != self._check(images[:count], stored)
        return stored[: int(np.argmax(wrong))] if wrong.any() else stored

    def _check(self, images: NDArray[np.uint64], records: Records) -> NDArray[np.uint32]:
        """Return what tells a record of an image from one of another, and from a damaged one."""
        return np.asarray(images[:, 0].astype(np.uint32) ^ self.fold(records) * np.uint32(2654435769), np.uint32)
