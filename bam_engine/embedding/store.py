"""Vectors on disk: one file of float16 rows for one encoder, appended to and mapped into memory.

In:  L2-normalised vectors (b, dim), in row order.
Out: a read-only array (n, dim) whose index is the row of the image. A row of zeros says that the image has no vector
yet. Knows nothing of images or models; a folder is given to it.

A record is whole or it is not there: the length is the number of whole records in the file, a torn tail left by a
killed process is cut when the next one starts to write, and each append is on the disk before it returns.
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
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 4096


class VectorStore:
    """The vectors of one encoder, in a folder of their own; row = index.

    Opening reads at most a small file and creates nothing: the folder appears with the first vectors. One process may
    write at a time, any number may read meanwhile.

    Parameters
    ----------
    folder
        Where ``vectors.f16`` and ``meta.json`` are or will be.
    dim
        Length of a vector. May be left out: it is then what the folder says, or 0 until the first vectors come.

    Raises
    ------
    EmbeddingError
        The folder holds vectors of another length than ``dim``, or a layout this version does not know.

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
                f"vectors of {dim} numbers were asked for, but {self.folder} holds vectors of {self._dim}. "
                "Each encoder needs a folder of its own."
            )

    @property
    def meta(self) -> dict[str, Any]:
        """What the folder says of itself: layout, dim, and the encoder's spec and key; empty before the first use."""
        try:
            meta: dict[str, Any] = json.loads(self._meta_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise EmbeddingError(
                f"{self._meta_file} cannot be read ({error}). Delete the folder {self.folder} and embed again."
            ) from error
        if meta.get("layout") != LAYOUT:
            raise EmbeddingError(
                f"{self.folder} has layout {meta.get('layout')}, this version reads layout {LAYOUT}. "
                "Delete the folder and embed again."
            )
        return meta

    @property
    def dim(self) -> int:
        """Length of a vector; 0 while the store is empty and was opened without one."""
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
        """Return all vectors as they are now: float16 (n, dim), read-only, mapped and not loaded."""
        count = len(self)
        if count == 0:
            empty = np.empty((0, self.dim), np.float16)
            empty.flags.writeable = False
            return empty
        return np.memmap(self.file, np.float16, "r", shape=(count, self.dim))

    def missing(self) -> npt.NDArray[np.int64]:
        """Return the rows that have no vector (all zero), ascending: images that could not be read when embedded."""
        vectors = self.array()
        found = [
            start + np.flatnonzero(~vectors[start : start + _BLOCK].any(axis=1))
            for start in range(0, len(vectors), _BLOCK)
        ]
        return np.concatenate(found).astype(np.int64) if found else np.empty(0, np.int64)

    def claim(self, *, spec: str, key: str, dim: int) -> None:
        """Say whose vectors these are; do it once before the first append.

        Raises
        ------
        EmbeddingError
            The folder belongs to another encoder or holds vectors of another length.
        """
        meta = self.meta
        if not meta and self.file.exists() and self.file.stat().st_size:
            raise EmbeddingError(
                f"{self.file} is there without {self._meta_file.name}, so nobody knows whose vectors it holds. "
                f"Delete the folder {self.folder} and embed again."
            )
        held = meta.get("key") or key
        if held != key or self.dim not in (0, dim):
            raise EmbeddingError(
                f"vectors of {key} ({dim} numbers) were to be written, but {self.folder} holds those of {held} "
                f"({self.dim} numbers). Each encoder needs a folder of its own."
            )
        self._dim = dim
        wanted = {"layout": LAYOUT, "dim": dim, "spec": spec, "key": key}
        if meta != wanted:
            self._write_meta(wanted)

    def append(self, vectors: npt.ArrayLike) -> None:
        """Write vectors (b, dim) after the last one and wait until they are on the disk.

        Raises
        ------
        DiskFull
            The disk has no room; the file is as it was before the call.
        EmbeddingError
            Wrong shape, numbers that are not finite, or another process is writing.
        """
        block = self._checked(vectors)
        with self.writing():
            end = len(self) * 2 * self.dim
            with self._room_or_cut(end), self.file.open("r+b", buffering=0) as file:
                file.seek(end)
                _write_all(file.fileno(), block.tobytes())
                os.fsync(file.fileno())

    def replace(self, rows: Sequence[int] | npt.NDArray[np.int64], vectors: npt.ArrayLike) -> None:
        """Write vectors (b, dim) over those of ``rows``, in place; arrays handed out before show the new ones.

        Raises
        ------
        NotFound
            A row has no vector yet.
        EmbeddingError
            As :meth:`append`.
        """
        block = self._checked(vectors)
        places = np.asarray(rows, np.int64)
        if places.shape != (len(block),):
            raise EmbeddingError(f"{len(block)} vectors cannot be written over {places.size} rows.")
        with self.writing():
            outside = places[(places < 0) | (places >= len(self))]
            if len(outside):
                raise NotFound(f"row {outside[0]} has no vector to replace: rows 0 to {len(self) - 1} have.")
            with self.file.open("r+b", buffering=0) as file:
                for row, vector in zip(places.tolist(), block, strict=True):
                    file.seek(row * 2 * self.dim)
                    _write_all(file.fileno(), vector.tobytes())
                os.fsync(file.fileno())

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store for writing; nested use is free. A torn tail is cut on the way in.

        Raises
        ------
        EmbeddingError
            Another process (or another job of this one) holds it.
        """
        with self._mutex:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            with self._room_or_cut(None):
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = (self.folder / "lock").open("a+b")
            with lock:
                self._hold(lock.fileno())
                self._depth = 1
                try:
                    self._cut_torn_tail()
                    yield
                finally:
                    self._depth = 0

    def _hold(self, handle: int) -> None:
        try:
            _lock(handle)
        except OSError as error:
            raise EmbeddingError(
                f"vectors are being written to {self.folder} by another process or job. "
                "Wait until it has finished, or stop it."
            ) from error

    def _cut_torn_tail(self) -> None:
        with self._room_or_cut(None):
            self.file.touch()
        if self.dim:
            whole = len(self) * 2 * self.dim
            if self.file.stat().st_size != whole:
                os.truncate(self.file, whole)

    @contextlib.contextmanager
    def _room_or_cut(self, size: int | None) -> Iterator[None]:
        """Turn 'no room' into :class:`DiskFull`, after cutting the file back to ``size`` bytes."""
        try:
            yield
        except OSError as error:
            if size is not None:
                os.truncate(self.file, size)
            if error.errno not in _NO_ROOM:
                raise EmbeddingError(f"{self.folder} cannot be written: {error.strerror}.") from error
            raise DiskFull(
                f"no room on the disk of {self.folder}: {len(self)} vectors are kept. "
                "Make room and start again; it goes on where it stopped."
            ) from error

    def _checked(self, vectors: npt.ArrayLike) -> npt.NDArray[np.float16]:
        block = np.asarray(vectors)
        if block.ndim != 2 or block.shape[1] == 0 or self.dim not in (0, block.shape[1]):
            raise EmbeddingError(
                f"vectors of shape {block.shape} do not fit: (b, {self.dim or 'dim'}) is wanted in {self.folder}."
            )
        half = np.ascontiguousarray(block, np.float16)
        if not np.isfinite(half).all():
            raise EmbeddingError("vectors with numbers that are not finite (in float16) are not stored.")
        if not self._meta_file.exists():
            self.claim(spec="", key="", dim=block.shape[1])
        return half

    def _write_meta(self, meta: dict[str, Any]) -> None:
        with self._room_or_cut(None):
            self.folder.mkdir(parents=True, exist_ok=True)
            partial = self._meta_file.with_suffix(f".{os.getpid()}.part")
            partial.write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
            partial.replace(self._meta_file)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _lock(handle: int) -> None:
    """Take the lock or raise ``OSError``; the system lets go of it when the process ends, however it ends."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
