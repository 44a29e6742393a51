"""The pictures of a tar file, also of a compressed one and of a WebDataset shard, read in one pass.

In:  a tar file. Out: its members, as :mod:`.members` describes them. Files beside a picture that have its name up to
the first dot tell of it, as in a WebDataset: ``.json`` its details, ``.txt`` its caption.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

from bam_engine.archives.members import (
    MAX_RATIO,
    RATIO_FROM,
    Contents,
    Member,
    claims_picture,
    details_from,
    is_hidden,
    path_problem,
    read_member,
    words,
)
from bam_engine.collection import Details
from bam_engine.files import open_ordinary

_BESIDE = (".json", ".txt")
_MAX_BESIDE = 1_000_000  # bytes of a file beside a picture
_MAX_TOGETHER = 32 * 1024**2  # bytes of pictures that wait for the files beside them
_BLOCK = 512
_DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError)


def open_tar(path: Path) -> Contents:
    """Return the contents of a tar file; what is wrong with it shows on the way."""
    contents = Contents(iter(()))
    contents.members = _members(path, contents)
    return contents


class _Expanded(io.RawIOBase):
    """The bytes of a tar file after decompression; an ``OSError`` where they are too many for it."""

    def __init__(self, path: Path) -> None:
        self._packed = open_ordinary(path)
        head = self._packed.peek(6)[:6]
        self._file: BinaryIO = self._packed
        for start, module in ((b"\x1f\x8b", gzip), (b"BZh", bz2), (b"\xfd7zXZ", lzma)):
            if head.startswith(start):
                self._file = cast(BinaryIO, module.open(self._packed))
        self._most = max(RATIO_FROM, MAX_RATIO * os.fstat(self._packed.fileno()).st_size)
        self._size = 0
        self.end = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        content = self._file.read(size)
        self._size += len(content)
        if self._size > self._most:
            raise OSError(f"it expands to more than {MAX_RATIO} times its size, as only a decompression bomb does")
        self.end = (self.end + content)[-_BLOCK:]
        return content

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._packed.close()
        super().close()


@dataclass
class _Sample:
    """Pictures with one key, and what files beside them tell."""

    key: str
    pictures: list[Member] = field(default_factory=list)
    details: Details = field(default_factory=Details)
    caption: str | None = None

    def members(self) -> Iterator[Member]:
        known = replace(self.details, title=self.details.title or self.caption)
        yield from (replace(picture, details=known) for picture in self.pictures)


def _members(path: Path, contents: Contents) -> Iterator[Member]:
    sample = _Sample("")
    try:
        with _Expanded(path) as expanded, tarfile.open(fileobj=expanded, mode="r|") as tar:
            for entry in tar:
                key = _key(entry.name)
                waiting = sum(len(one.content) for one in sample.pictures)
                if key != sample.key or waiting > _MAX_TOGETHER:
                    yield from sample.members()
                    sample = _Sample(key)
                _take(tar, entry, sample, contents)
            while expanded.read(1 << 20):
                pass
            if expanded.end.strip(b"\0"):
                contents.damage = "The archive is cut short: its end is missing. What comes before was read."
    except _DAMAGED as error:
        contents.damage = f"The rest of the archive cannot be read ({error}). What comes before was read."
    yield from sample.members()


def _take(tar: tarfile.TarFile, entry: tarfile.TarInfo, sample: _Sample, contents: Contents) -> None:
    """Add an entry to a sample, or count it."""
    if entry.isdir():
        return
    if is_hidden(entry.name):
        contents.hidden += 1
        return
    problem = _problem(entry)
    if problem:
        sample.pictures.append(Member(entry.name, problem=problem))
    elif entry.name.lower().endswith(_BESIDE):
        contents.skipped += 1
        _read_beside(entry, _opened(tar, entry).read(_MAX_BESIDE), sample)
    else:
        member = read_member(entry.name, entry.size, None, lambda: _opened(tar, entry))
        if member is None:
            contents.skipped += 1
        else:
            sample.pictures.append(member)


def _problem(entry: tarfile.TarInfo) -> str:
    if entry.issym() or entry.islnk():
        return f"It is a {'symbolic' if entry.issym() else 'hard'} link, which is not followed."
    if not entry.isfile() or entry.issparse():
        return "It is no ordinary file."
    return path_problem(entry.name) if claims_picture(entry.name) else ""


def _opened(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> BinaryIO:
    return cast(BinaryIO, tar.extractfile(entry))


def _read_beside(entry: tarfile.TarInfo, content: bytes, sample: _Sample) -> None:
    text = content.decode(errors="replace")
    if entry.name.lower().endswith(".txt"):
        sample.caption = words(text)
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict):
        sample.details = details_from(found)


def _key(name: str) -> str:
    """Return what members of one sample have in common: the path up to the first dot of the name."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/{file.partition('.')[0]}"
