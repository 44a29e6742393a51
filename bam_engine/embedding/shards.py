"""Shards: vectors that a cluster has computed before their turn, in files that a crash cannot half-write.

In:  parts of a run beyond the end of the store. Out: the same parts when it is their turn, also in a later run.

The store grows row by row in order, and workers finish in any order. What is ahead is kept in a folder beside the
vectors. The name of a shard has its first row and the SHA-256 digest of its content; a file whose content is not that
is no shard. So is one of other images, another encoder, or batches of another size: its vectors would not be the same.
"""

import contextlib
import errno
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.embedding.parts import Part
from bam_engine.errors import DiskFull, EmbeddingError
from bam_engine.files import replacing

FOLDER = "shards"
_NAME = re.compile(r"(\d{12})-([0-9a-f]{64})\.shard")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Shards:
    """The shards of one encoder.

    Parameters
    ----------
    folder
        Where they are kept; it is created with the first.
    key, dim, batch
        Of the encoder, and the images of a call of the model.
    image
        Gives what the digest of the image of a row begins with.
    """

    def __init__(self, folder: Path, *, key: str, dim: int, batch: int, image: Callable[[int], str]) -> None:
        self.folder, self._dim, self._image = folder, dim, image
        self._about: dict[str, Any] = {"key": key, "dim": dim, "batch": batch}
        self._files: dict[int, Path] = {}
        self._ends: dict[int, int] = {}

    def find(self, first: int) -> dict[int, int]:
        """Return the first and last row (exclusive) of the shards from row ``first`` on, ascending, none overlapping.

        The files of all others are removed.
        """
        self._files, self._ends, end = {}, {}, first
        for path in sorted(self.folder.glob("*")) if self.folder.is_dir() else ():
            part = self._read(path)
            if part is None or part.rows[0] < end or (part.rows[0] - first) % self._about["batch"]:
                path.unlink(missing_ok=True)
                continue
            end = part.rows[-1] + 1
            self._files[part.rows[0]], self._ends[part.rows[0]] = path, end
        return dict(self._ends)

    @property
    def images(self) -> int:
        """The number of images whose vectors are kept."""
        return sum(end - first for first, end in self._ends.items())

    def write(self, part: Part) -> None:
        """Keep a part, whose rows follow each other.

        Raises
        ------
        DiskFull
            The disk is full; all other shards are kept.
        EmbeddingError
            The folder cannot be written to.
        """
        first, end = part.rows[0], part.rows[-1] + 1
        head = {**self._about, "first": first, "end": end, "images": self._images(first, end), "failed": part.failed}
        vectors = np.ascontiguousarray(part.vectors, np.float16)
        content = json.dumps(head).encode() + b"\n" + vectors.tobytes()
        path = self.folder / f"{first:012d}-{hashlib.sha256(content).hexdigest()}.shard"
        try:
            with replacing(path, flush=True) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            if error.errno not in _DISK_FULL:
                raise EmbeddingError(f"Cannot write to {self.folder}: {error.strerror}.") from error
            raise DiskFull(
                f"The disk of {self.folder} is full. What was finished is saved. Free some space and start again to "
                "continue."
            ) from error
        self._files[first], self._ends[first] = path, end

    def end(self, first: int) -> int | None:
        """Return the last row (exclusive) of the shard whose first row is ``first``; None if there is none."""
        return self._ends.get(first)

    def take(self, first: int) -> Part | None:
        """Return the shard whose first row is ``first``, and forget it; None if its file was changed meanwhile."""
        del self._ends[first]
        return self._read(self._files[first])

    def drop(self, first: int) -> None:
        """Remove the file of a shard."""
        self._files.pop(first).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all shards, with their folder."""
        self._files, self._ends = {}, {}
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, path: Path) -> Part | None:
        """Return what a file holds; None if that is no shard of this encoder and these images."""
        name = _NAME.fullmatch(path.name)
        with contextlib.suppress(OSError):
            content = path.read_bytes() if name else b""
            if name and hashlib.sha256(content).hexdigest() == name[2]:
                return self._part(*content.split(b"\n", 1))
        return None

    def _part(self, head: bytes, body: bytes) -> Part | None:
        told: dict[str, Any] = json.loads(head)
        first, end = told["first"], told["end"]
        if any(told[name] != value for name, value in self._about.items()):
            return None
        if told["images"] != self._images(first, end):
            return None
        vectors = np.frombuffer(body, np.float16).reshape(end - first, self._dim)
        return Part(range(first, end), vectors, [(row, reason) for row, reason in told["failed"]])

    def _images(self, first: int, end: int) -> str:
        """Return a digest of the images of the rows; "" where the collection no longer has them."""
        try:
            return hashlib.sha256("".join(map(self._image, range(first, end))).encode()).hexdigest()
        except IndexError:
            return ""
