"""The vector store: memory-mapped float16 vectors of one encoder, each with the digest of the image it was made of.

In:  L2-normalised vectors (b, dim), in row order, and the digests of the images. Out: a read-only array (n, dim),
indexed by image row. A row of zeros means that the image has no vector.

``vectors.f16`` has a vector for each row, ``images.bin`` a record: the digest of its image, and a checksum of the
vector. A store is opened for the images of a collection. Its vectors count up to the first one of another image, which
is how a copied workspace or a restored backup finds those that it shares; the next append drops those that follow.

Appends are atomic: a vector counts once its record is on the disk, after the vector itself. What a killed process left
beyond that is truncated before the next write.
"""

import contextlib
import errno
import json
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.embedding.record_files import acquire_lock, keep_start, size_of, status_of, write_all, write_at
from bam_engine.errors import DiskFull, EmbeddingError, NotFound
from bam_engine.files import flush_to_disk, replacing
from bam_engine.formatting import count as counted

LAYOUT = 2
RECORD = np.dtype([("image", "<u8", 2), ("checksum", "<u4")])
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 4096
_SAMPLE = 256  # vectors that are looked at for damage

Images = npt.NDArray[np.uint64]


class VectorStore:
    """The vectors of one encoder, in a folder of their own; the index is the image row.

    Opening reads at most one small file and creates nothing: the folder is created with the first vectors. One process
    can write at a time; any number can read meanwhile.

    Parameters
    ----------
    folder
        Where ``vectors.f16``, ``images.bin`` and ``meta.json`` are or will be.
    dim
        Length of a vector; by default that of the stored vectors, or 0 while there are none.
    images
        The digests of all images of the collection by row, uint64 (n, 2). By default the images are those of the
        stored vectors, and there are no others to append for.

    Raises
    ------
    EmbeddingError
        The folder has vectors of a length other than ``dim``.

    Examples
    --------
    >>> store = VectorStore(cache / "vectors" / encoder.key, images=catalogue.digests().array)    # doctest: +SKIP
    >>> len(store), store.array().shape                                                          # doctest: +SKIP
    (6793, (6793, 512))
    """

    def __init__(self, folder: Path, dim: int | None = None, *, images: Images | None = None) -> None:
        self.folder = Path(folder)
        self.file = self.folder / "vectors.f16"
        self._records_file = self.folder / "images.bin"
        self._meta_file = self.folder / "meta.json"
        self._images = images
        self._depth = 0
        self._mutex = threading.RLock()
        self._valid: tuple[object, int] = (None, 0)
        stored = int(self.meta.get("dim", 0))
        self._dim = stored or int(dim or 0)
        if dim is not None and dim != self._dim:
            raise EmbeddingError(
                f"Cannot open {self.folder} for vectors of length {dim}: its vectors have length {self._dim}. "
                "Use a separate folder for each encoder."
            )

    @property
    def meta(self) -> dict[str, Any]:
        """The layout, dim and edition, and the encoder's spec and key; empty before the first use, or if damaged."""
        try:
            meta = json.loads(self._meta_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        is_ours = isinstance(meta, dict) and meta.get("layout") == LAYOUT and isinstance(meta.get("dim"), int)
        return meta if is_ours else {}

    @property
    def dim(self) -> int:
        """Length of a vector; 0 while unknown."""
        if not self._dim:
            self._dim = int(self.meta.get("dim", 0))
        return self._dim or self._dim_by_size()

    def _dim_by_size(self) -> int:
        """Return the length of a vector from the sizes of the files, for where ``meta.json`` is damaged.

        It is 0 where the first vectors of that length are not those that were stored, as in a file that is cut.
        """
        records, size = self._records(), size_of(self.file)
        if not len(records) or not size or size % (2 * len(records)):
            return 0
        dim = size // (2 * len(records))
        first = np.memmap(self.file, np.float16, "r", shape=(len(records), dim))[:_BLOCK]
        expected = records["checksum"][: len(first)]
        return dim if expected.any() and np.array_equal(_checksums(first), expected) else 0

    @property
    def version(self) -> object:
        """What changes whenever the vectors do."""
        return status_of(self._records_file), status_of(self.file), status_of(self._meta_file)

    def image(self, row: int) -> str:
        """Return what the SHA-256 digest of the image of a row begins with; "" where that is not known."""
        return "" if self._images is None else self._images[row].tobytes().hex()

    def __len__(self) -> int:
        """Return the number of vectors, from row 0 on, that are of the images of the collection."""
        version = (self.version, self.dim)
        if self._valid[0] != version:
            self._valid = (version, self._count_valid())
        return self._valid[1]

    def _count_valid(self) -> int:
        stored = self._records()
        count = min(len(stored), size_of(self.file) // (2 * self.dim)) if self.dim else 0
        if self._images is None or not count:
            return count
        count = min(count, len(self._images))
        first, second = (stored["image"][:count, part] != self._images[:count, part] for part in (0, 1))
        others = np.flatnonzero(first | second)
        return int(others[0]) if len(others) else count

    def _records(self) -> npt.NDArray[np.void]:
        """Return the stored records, memory-mapped."""
        count = size_of(self._records_file) // RECORD.itemsize
        return np.memmap(self._records_file, RECORD, "r", shape=(count,)) if count else np.empty(0, RECORD)

    def array(self) -> npt.NDArray[np.float16]:
        """Return all current vectors, float16 (n, dim), read-only and memory-mapped."""
        count = len(self)
        if count == 0:
            empty = np.empty((0, self.dim), np.float16)
            empty.flags.writeable = False
            return empty
        return np.memmap(self.file, np.float16, "r", shape=(count, self.dim))

    def missing(self) -> npt.NDArray[np.int64]:
        """Return the rows without a vector (all zero), ascending: images that could not be read.

        Where a sample shows that vectors were overwritten, those that are damaged are no vectors either.
        """
        vectors = self.array()
        blocks = [
            start + np.flatnonzero(~vectors[start : start + _BLOCK].any(axis=1))
            for start in range(0, len(vectors), _BLOCK)
        ]
        zero = np.concatenate(blocks).astype(np.int64) if blocks else np.empty(0, np.int64)
        return np.union1d(zero, self.damaged()) if self._looks_damaged() else zero

    def _looks_damaged(self) -> bool:
        """Return whether one of a few vectors, all over the file, is not the one that was stored."""
        vectors = self.array()
        rows = np.unique(np.linspace(0, len(vectors) - 1, min(_SAMPLE, len(vectors)), dtype=np.int64))
        return not np.array_equal(_checksums(vectors[rows]), self._records()["checksum"][rows])

    @property
    def others(self) -> int:
        """The number of stored vectors that are of no image of the collection, or follow one that is not."""
        return self.stored - self.incomplete - len(self)

    @property
    def stored(self) -> int:
        """The number of vectors or records in the files, whatever they are worth."""
        return max(len(self._records()), size_of(self.file) // (2 * self.dim) if self.dim else 0)

    @property
    def incomplete(self) -> int:
        """The number of vectors without a record, or the other way round: a process was killed, or a file was cut."""
        return self.stored - min(len(self._records()), size_of(self.file) // (2 * self.dim)) if self.dim else 0

    def damaged(self) -> npt.NDArray[np.int64]:
        """Return the rows whose vector is not the one that was stored, ascending. Reads the whole file."""
        vectors, expected = self.array(), self._records()["checksum"]
        blocks = [
            start + np.flatnonzero(_checksums(block) != expected[start : start + len(block)])
            for start in range(0, len(vectors), _BLOCK)
            if len(block := vectors[start : start + _BLOCK])
        ]
        return np.concatenate(blocks).astype(np.int64) if blocks else np.empty(0, np.int64)

    @property
    def edition(self) -> str:
        """What differs once damaged vectors were replaced: what was computed from them is not to be used any more."""
        return str(self.meta.get("edition", ""))

    def renew_edition(self) -> None:
        """Give the vectors a new edition."""
        self._write_meta({**self.meta, "edition": uuid.uuid4().hex[:8]})

    def drop_others(self) -> None:
        """Drop the vectors that are of no image of the collection, as the next append would."""
        if self.dim:
            with self.writing():
                self._drop_others(len(self))

    def state(self) -> str:
        """Return a digest of the images and of their vectors: what is computed from all vectors depends on it."""
        about = f"{self.dim}{self.edition}".encode()
        return sha256(about + self._records()[: len(self)].tobytes()).hexdigest()[:20]

    def claim(self, *, spec: str, key: str, dim: int) -> None:
        """Register the encoder of the vectors. Call it before the first append.

        Raises
        ------
        EmbeddingError
            The folder belongs to another encoder or has vectors of another length.
        """
        meta = self.meta
        owner = meta.get("key") or key
        if owner != key or self.dim not in (0, dim):
            raise EmbeddingError(
                f"Cannot write vectors of {key} (length {dim}) to {self.folder}: it has vectors of {owner} (length "
                f"{self.dim}). Use a separate folder for each encoder."
            )
        self._dim = dim
        new = {"layout": LAYOUT, "dim": dim, "spec": spec, "key": key, "edition": self.edition}
        if meta != new:
            self._write_meta(new)

    def _write_meta(self, meta: dict[str, Any]) -> None:
        with self._write_errors(None), replacing(self._meta_file, flush=True) as temporary:
            temporary.write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")

    def append(self, vectors: npt.ArrayLike) -> None:
        """Append the vectors (b, dim) of the next images and flush them to disk.

        Vectors of other images that follow the current ones are dropped. A reader that has them mapped keeps them.

        Raises
        ------
        DiskFull
            The disk is full; the store is unchanged.
        EmbeddingError
            The shape is wrong, values are not finite, there are fewer images, or another process is writing.
        """
        block = self._checked(vectors)
        with self.writing():
            start = len(self)
            records = self._records_of(np.arange(start, start + len(block)), block)
            self._drop_others(start)
            with self._write_errors(start):
                write_at(self.file, start * 2 * self.dim, block.tobytes())
                write_at(self._records_file, start * RECORD.itemsize, records.tobytes())
            self._valid = ((self.version, self.dim), start + len(block))  # known without a look: nobody else writes

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
            for file, size, values in (
                (self.file, 2 * self.dim, list(block)),
                (self._records_file, RECORD.itemsize, list(self._records_of(places, block))),
            ):
                with file.open("r+b", buffering=0) as opened:
                    for row, value in zip(places.tolist(), values, strict=True):
                        opened.seek(row * size)
                        write_all(opened.fileno(), value.tobytes())
                    os.fsync(opened.fileno())

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the store for writing (reentrant), and drop an incomplete last vector.

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
                    self._drop_incomplete()
                    yield
                finally:
                    self._depth = 0

    def _acquire(self, handle: int) -> None:
        try:
            acquire_lock(handle)
        except OSError as error:
            raise EmbeddingError(
                f"Another process or job is writing vectors to {self.folder}. Wait until it has finished, or stop it."
            ) from error

    def _drop_incomplete(self) -> None:
        with self._write_errors(None):
            if not (self.file.exists() and self._records_file.exists()):
                self.file.touch()
                self._records_file.touch()
                flush_to_disk(self.folder)
            if self.dim:
                for file, size in self._sizes(min(len(self._records()), size_of(self.file) // (2 * self.dim))):
                    if size_of(file) != size:
                        os.truncate(file, size)

    def _drop_others(self, count: int) -> None:
        """Drop the vectors after the first ``count``: they are of other images.

        They may be mapped by a reader for which they are right, so the files are replaced and not truncated.
        """
        with self._write_errors(None):
            for file, size in self._sizes(count):
                if size_of(file) > size:
                    keep_start(file, size)

    def _sizes(self, count: int) -> tuple[tuple[Path, int], tuple[Path, int]]:
        """Return each file with its size for ``count`` vectors."""
        return (self._records_file, count * RECORD.itemsize), (self.file, count * 2 * self.dim)

    @contextlib.contextmanager
    def _write_errors(self, count: int | None) -> Iterator[None]:
        """Turn ``OSError`` into errors of the engine, after truncating the files to ``count`` vectors."""
        try:
            yield
        except OSError as error:
            if count is not None:
                for file, size in self._sizes(count):
                    os.truncate(file, size)
            if error.errno not in _DISK_FULL:
                raise EmbeddingError(f"Cannot write to {self.folder}: {error.strerror}.") from error
            raise DiskFull(
                f"The disk of {self.folder} is full. {len(self):,} vectors are saved. Free some space and start "
                "again to continue."
            ) from error

    def _records_of(self, rows: npt.NDArray[np.int64], block: npt.NDArray[np.float16]) -> npt.NDArray[np.void]:
        images = self._records()["image"] if self._images is None else self._images
        if len(rows) and rows.max() >= len(images):
            raise EmbeddingError(
                f"Cannot store a vector of row {rows.max()}: the collection has {counted(len(images), 'image')}."
            )
        records = np.empty(len(block), RECORD)
        records["image"], records["checksum"] = images[rows], _checksums(block)
        return records

    def _checked(self, vectors: npt.ArrayLike) -> npt.NDArray[np.float16]:
        block = np.asarray(vectors)
        if block.ndim != 2 or block.shape[1] == 0 or self.dim not in (0, block.shape[1]):
            raise EmbeddingError(
                f"Vectors of shape {block.shape} do not fit {self.folder}, which needs shape (b, {self.dim or 'dim'})."
            )
        half = np.ascontiguousarray(block, np.float16)
        if not np.isfinite(half).all():
            raise EmbeddingError("Cannot store vectors with values that are not finite in float16.")
        if not self.meta:
            self.claim(spec="", key="", dim=block.shape[1])
        return half


def _checksums(vectors: npt.NDArray[np.float16]) -> npt.NDArray[np.uint32]:
    """Return a checksum of each vector: the sum of its bits as numbers, each times an odd number of its own."""
    weights = np.arange(1, vectors.shape[1] + 1, dtype=np.uint32) * np.uint32(2654435769) | np.uint32(1)
    return np.asarray((vectors.view(np.uint16) * weights).sum(axis=1, dtype=np.uint32))
