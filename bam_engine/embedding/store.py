"""The vector store: one append-only, memory-mapped file of float16 vectors per encoder.

In:  L2-normalised vectors (b, dim), in row order. Out: a read-only array (n, dim), indexed by image row. A row of zeros
means that the image has no vector.

Records are atomic: only whole records count, a partial record left by a killed process is truncated before the next
write, and each append is flushed to disk before it returns.
"""

import contextlib
import errno
import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.errors import DiskFull, EmbeddingError, NotFound

LAYOUT = 1
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 4096


class VectorStore:
    """The vectors of one encoder, in a folder of their own; the index is the image row.

    Opening reads at most one small file and creates nothing: the folder is created with the first vectors. One process
    can write at a time; any number can read meanwhile.

    Parameters
    ----------
    folder
        Where ``vectors.f16`` and ``meta.json`` are or will be.
    dim
        Length of a vector; by default that of the stored vectors, or 0 while there are none.

    Raises
    ------
    EmbeddingError
        The folder has vectors of a length other than ``dim``, or an unknown layout.

    Examples
    --------
    >>> store = VectorStore(cache / "vectors" / encoder.key)    # doctest: +SKIP
    >>> len(store), store.array().shape                         # doctest: +SKIP
    (6793, (6793, 512))
    """

    def __init__(self, folder: Path, dim: int | None = None) -> None:
        self.folder = Path(folder)
        self.file = self.folder / "vectors.f16"
        self._meta_file = self.folder / "meta.json"
        self._depth = 0
        self._mutex = threading.RLock()
        self._dim = 0
        meta = self.meta
        self._dim = int(meta.get("dim", 0)) or int(dim or 0)
        if dim is not None and dim != self._dim:
            raise EmbeddingError(
                f"Cannot open {self.folder} for vectors of length {dim}: its vectors have length {self._dim}. "
                "Use a separate folder for each encoder."
            )

    @property
    def meta(self) -> dict[str, Any]:
        """The store's layout, dim, and the encoder's spec and key; empty before the first use."""
        try:
            meta: dict[str, Any] = json.loads(self._meta_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise EmbeddingError(
                f"Cannot read {self._meta_file} ({error}). Delete the folder {self.folder} and embed again."
            ) from error
        if meta.get("layout") != LAYOUT:
            raise EmbeddingError(
                f"The folder {self.folder} has layout {meta.get('layout')}, but this version reads layout {LAYOUT}. "
                "Delete the folder and embed again."
            )
        return meta

    @property
    def dim(self) -> int:
        """Length of a vector; 0 while unknown."""
        if not self._dim:
            self._dim = int(self.meta.get("dim", 0))
        return self._dim

    def __len__(self) -> int:
        """Return the number of whole vectors in the file."""
        try:
            size = self.file.stat().st_size
        except FileNotFoundError:
            return 0
        return size // (2 * self.dim) if self.dim else 0

    def array(self) -> npt.NDArray[np.float16]:
        """Return all current vectors, float16 (n, dim), read-only and memory-mapped."""
        count = len(self)
        if count == 0:
            empty = np.empty((0, self.dim), np.float16)
            empty.flags.writeable = False
            return empty
        return np.memmap(self.file, np.float16, "r", shape=(count, self.dim))

    def missing(self) -> npt.NDArray[np.int64]:
        """Return the rows without a vector (all zero), ascending: images that could not be read."""
        vectors = self.array()
        blocks = [
            start + np.flatnonzero(~vectors[start : start + _BLOCK].any(axis=1))
            for start in range(0, len(vectors), _BLOCK)
        ]
        return np.concatenate(blocks).astype(np.int64) if blocks else np.empty(0, np.int64)

    def claim(self, *, spec: str, key: str, dim: int) -> None:
        """Register the encoder of the vectors. Call it before the first append.

        Raises
        ------
        EmbeddingError
            The folder belongs to another encoder or has vectors of another length.
        """
        meta = self.meta
        if not meta and self.file.exists() and self.file.stat().st_size:
            raise EmbeddingError(
                f"The encoder of {self.file} is unknown because {self._meta_file.name} is missing. "
                f"Delete the folder {self.folder} and embed again."
            )
        owner = meta.get("key") or key
        if owner != key or self.dim not in (0, dim):
            raise EmbeddingError(
                f"Cannot write vectors of {key} (length {dim}) to {self.folder}: it has vectors of {owner} (length "
                f"{self.dim}). Use a separate folder for each encoder."
            )
        self._dim = dim
        new = {"layout": LAYOUT, "dim": dim, "spec": spec, "key": key}
        if meta != new:
            self._write_meta(new)

    def append(self, vectors: npt.ArrayLike) -> None:
        """Append vectors (b, dim) and flush them to disk.

        Raises
        ------
        DiskFull
            The disk is full; the file is unchanged.
        EmbeddingError
            The shape is wrong, values are not finite, or another process is writing.
        """
        block = self._checked(vectors)
        with self.writing():
            end = len(self) * 2 * self.dim
            with self._write_errors(end), self.file.open("r+b", buffering=0) as file:
                file.seek(end)
                _write_all(file.fileno(), block.tobytes())
                os.fsync(file.fileno())

    def replace(self, rows: Sequence[int] | npt.NDArray[np.int64], vectors: npt.ArrayLike) -> None:
        """Replace the vectors of ``rows`` by ``vectors`` (b, dim), in place; existing memory maps show the new values.

        Raises
        ------
        NotFound
            A row is not in the store.
        EmbeddingError
            As :meth:`append`.
        """
        block = self._checked(vectors)
        places = np.asarray(rows, np.int64)
        if places.shape != (len(block),):
            raise EmbeddingError(f"Cannot replace {places.size} rows by {len(block)} vectors. Give one per row.")
        with self.writing():
            outside = places[(places < 0) | (places >= len(self))]
            if len(outside):
                raise NotFound(f"Row {outside[0]} has no vector to replace. The store has rows 0 to {len(self) - 1}.")
            with self.file.open("r+b", buffering=0) as file:
                for row, vector in zip(places.tolist(), block, strict=True):
                    file.seek(row * 2 * self.dim)
                    _write_all(file.fileno(), vector.tobytes())
                os.fsync(file.fileno())

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the store for writing (reentrant) and truncate a partial last record.

        Raises
        ------
        EmbeddingError
            Another process or job is writing.
        """
        with self._mutex:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            with self._write_errors(None):
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = (self.folder / "lock").open("a+b")
            with lock:
                self._acquire(lock.fileno())
                self._depth = 1
                try:
                    self._truncate_partial_record()
                    yield
                finally:
                    self._depth = 0

    def _acquire(self, handle: int) -> None:
        try:
            _lock(handle)
        except OSError as error:
            raise EmbeddingError(
                f"Another process or job is writing vectors to {self.folder}. Wait until it has finished, or stop it."
            ) from error

    def _truncate_partial_record(self) -> None:
        with self._write_errors(None):
            self.file.touch()
        if self.dim:
            whole = len(self) * 2 * self.dim
            if self.file.stat().st_size != whole:
                os.truncate(self.file, whole)

    @contextlib.contextmanager
    def _write_errors(self, size: int | None) -> Iterator[None]:
        """Turn ``OSError`` into errors of the engine, after truncating the file to ``size`` bytes."""
        try:
            yield
        except OSError as error:
            if size is not None:
                os.truncate(self.file, size)
            if error.errno not in _DISK_FULL:
                raise EmbeddingError(f"Cannot write to {self.folder}: {error.strerror}.") from error
            raise DiskFull(
                f"The disk of {self.folder} is full. {len(self):,} vectors are saved. Free some space and start "
                "again to continue."
            ) from error

    def _checked(self, vectors: npt.ArrayLike) -> npt.NDArray[np.float16]:
        block = np.asarray(vectors)
        if block.ndim != 2 or block.shape[1] == 0 or self.dim not in (0, block.shape[1]):
            raise EmbeddingError(
                f"Vectors of shape {block.shape} do not fit {self.folder}, which needs shape (b, {self.dim or 'dim'})."
            )
        half = np.ascontiguousarray(block, np.float16)
        if not np.isfinite(half).all():
            raise EmbeddingError("Cannot store vectors with values that are not finite in float16.")
        if not self._meta_file.exists():
            self.claim(spec="", key="", dim=block.shape[1])
        return half

    def _write_meta(self, meta: dict[str, Any]) -> None:
        with self._write_errors(None):
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = self._meta_file.with_suffix(f".{os.getpid()}.part")
            partial.write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
            partial.replace(self._meta_file)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _lock(handle: int) -> None:
    """Acquire the lock or raise ``OSError``. The system releases it when the process ends."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
