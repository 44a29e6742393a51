"""The digests of all images by row: what derived files are compared with.

A row keeps its digest for ever. So whatever was made of the first ``n`` rows can be used wherever the first ``n``
digests are the same, whatever has happened to the workspace; two copies of a workspace share what was made before they
parted.
"""

import hashlib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bam_engine.files import open_ordinary

LENGTH = 16
"""Bytes of a digest that are compared: the first of SHA-256."""

_HEX = 64  # letters of a SHA-256


@dataclass(frozen=True, eq=False)
class Digests:
    """The first 16 bytes of the digest of every image, uint64 (n, 2), by row."""

    array: NDArray[np.uint64]
    _fingerprints: dict[int, str] = field(default_factory=dict, repr=False)
    _room: "_Room | None" = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.array)

    def text(self, row: int) -> str:
        """Return the digest of an image, 32 letters and digits; "" beyond the collection."""
        return self.array[row].tobytes().hex() if 0 <= row < len(self.array) else ""

    def fingerprint(self, n: int | None = None) -> str:
        """Return a digest of the first ``n`` digests, by default of all; of more than there are, ""."""
        n = len(self) if n is None else n
        if n > len(self):
            return ""
        if n not in self._fingerprints:
            self._fingerprints[n] = fingerprint(self.array[:n])
        return self._fingerprints[n]

    def extended(self, more: NDArray[np.uint64]) -> "Digests":
        """Return these digests followed by ``more``; room is left, so that adding a few to millions copies none."""
        room = self._room if self._room is not None and self._room.append(len(self), more) else _Room(self.array, more)
        array = room.array[: len(self) + len(more)]
        array.setflags(write=False)
        return Digests(array, dict(self._fingerprints), room)


class _Room:
    """An array with room after what is used of it, which only one successor of some digests can have."""

    def __init__(self, start: NDArray[np.uint64], more: NDArray[np.uint64]) -> None:
        self.used = len(start) + len(more)
        self.array = np.empty((self.used + self.used // 8, 2), np.uint64)
        self.array[: self.used] = np.concatenate([start, more])
        self._lock = threading.Lock()

    def append(self, start: int, more: NDArray[np.uint64]) -> bool:
        """Add ``more`` after the first ``start`` digests; return False if there is no room, or it is used already."""
        with self._lock:
            if self.used != start or start + len(more) > len(self.array):
                return False
            self.used = start + len(more)
            self.array[start : self.used] = more
        return True


NONE = Digests(np.empty((0, 2), np.uint64))


def fingerprint(array: NDArray[np.uint64]) -> str:
    """Return a digest of some images' digests in their order, 20 letters and digits."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()[:20]


def parse(digests: Sequence[str]) -> NDArray[np.uint64]:
    """Return the first 16 bytes of SHA-256 digests in hexadecimal, uint64 (n, 2); other texts are hashed."""
    if any(len(digest) != _HEX for digest in digests):
        digests = [digest if len(digest) == _HEX else _hashed(digest) for digest in digests]
    try:
        whole = bytes.fromhex("".join(digests))
    except ValueError:
        whole = b""
    if len(whole) != len(digests) * _HEX // 2:  # not all are hexadecimal
        whole = bytes.fromhex("".join(map(_hashed, digests)))
    return np.frombuffer(whole, "<u8").reshape(-1, _HEX // LENGTH)[:, :2].astype(np.uint64)


def concatenated(pages: Iterable[Sequence[str]]) -> NDArray[np.uint64]:
    """Return the parsed digests of pages of texts."""
    return np.concatenate([NONE.array, *(parse(page) for page in pages)])


def of_files(paths: Iterable[Path]) -> NDArray[np.uint64]:
    """Return the digests of files in their order, as :attr:`Digests.array`; a file that cannot be read has one, too."""
    return parse([_of_file(path) for path in paths])


def _of_file(path: Path) -> str:
    try:
        with open_ordinary(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return _hashed(str(path))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
