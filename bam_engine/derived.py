"""Derived files: what can be made again says what it was made of, and is used for nothing else.

A derived file ends in a seal: a digest of what it was made of, and a checksum of its content. Who reads it says what
it has to be made of. A file that is missing, cut, filled with zeros, foreign or of something else reads as None, and
its owner makes it again; what a power cut, a copied workspace or a restored backup leaves behind is therefore never
taken for what it is not. The seal follows the content, so that the file stays readable as what it is.
"""

import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from bam_engine.files import open_ordinary, replacing

_SEAL = struct.Struct("<16sI4s")  # the digest of what it was made of, the checksum, the mark
_MARK = b"bam\x01"
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)  # raised by numpy on an incomplete file


def sealed(content: bytes, made_of: str) -> bytes:
    """Return ``content`` with a seal that says what it was made of.

    Examples
    --------
    >>> content_of(sealed(b"scores", "model 7"), "model 7")
    b'scores'
    >>> content_of(sealed(b"scores", "model 7"), "model 8") is None
    True
    """
    return content + _seal(content, made_of)


def content_of(file: bytes, made_of: str) -> bytes | None:
    """Return the content of a sealed file, or None where it is damaged or made of something else."""
    if len(file) < _SEAL.size:
        return None
    content, seal = file[: -_SEAL.size], file[-_SEAL.size :]
    return content if seal == _seal(content, made_of) else None


def write(path: Path, content: bytes | memoryview, made_of: str, *, flush: bool = False) -> None:
    """Write a sealed file in place of an earlier one; see :func:`replacing` for ``flush``."""
    with replacing(path, flush=flush) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.write(_seal(content, made_of))
        file.flush()


def read(path: Path, made_of: str) -> bytes | None:
    """Return the content of a file, or None where it is missing, damaged or made of something else."""
    try:
        with open_ordinary(path) as file:
            return content_of(file.read(), made_of)
    except OSError:
        return None


def read_mapped(path: Path, made_of: str) -> NDArray[np.uint8] | None:
    """Return the content of a file as :func:`read` does, memory-mapped."""
    if not is_made_of(path, made_of):
        return None
    try:
        file = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError):
        return None
    content: NDArray[np.uint8] = np.asarray(file[: -_SEAL.size])
    return content if file[-_SEAL.size :].tobytes() == _seal(content.data, made_of) else None


def is_whole(file: bytes) -> bool:
    """Return whether the content of a sealed file is as it was written, whatever it was made of."""
    if len(file) < _SEAL.size:
        return False
    _, checksum, mark = _SEAL.unpack(file[-_SEAL.size :])
    return bool(mark == _MARK and checksum == zlib.crc32(memoryview(file)[: -_SEAL.size]))


def is_made_of(path: Path, made_of: str) -> bool:
    """Return whether a file ends in the seal of ``made_of``, without reading its content."""
    try:
        with open_ordinary(path) as file:
            file.seek(-_SEAL.size, os.SEEK_END)
            digest, _, mark = _SEAL.unpack(file.read(_SEAL.size))
    except (OSError, struct.error):
        return False
    return bool(mark == _MARK and digest == _digest(made_of))


def write_array(path: Path, array: NDArray[Any], made_of: str) -> None:
    """Write an array, flushed to disk."""
    with writing_array(path, array.shape, array.dtype, made_of) as append:
        append(array)


@contextmanager
def writing_array(
    path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike, made_of: str
) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Yield a function that writes the next part of an array, along its first axis; no part is kept in memory.

    When the block ends without an error, the array is in place of an earlier one, flushed to disk.
    """
    kind, checksum = np.dtype(dtype), 0
    with replacing(path, flush=True) as temporary, temporary.open("wb") as file:

        def put(content: bytes | memoryview) -> None:
            nonlocal checksum
            file.write(content)
            checksum = zlib.crc32(content, checksum)

        def append(part: NDArray[Any]) -> None:
            put(np.ascontiguousarray(part, kind).reshape(-1).view(np.uint8).data)

        head = io.BytesIO()
        about = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(head, about)
        put(head.getvalue())
        yield append
        file.write(_SEAL.pack(_digest(made_of), checksum, _MARK))
        file.flush()


def read_array(path: Path, made_of: str) -> NDArray[Any] | None:
    """Return an array, memory-mapped, or None where its file is missing, damaged or made of something else."""
    if read_mapped(path, made_of) is None:
        return None
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r")
    except _DAMAGED:
        return None
    return array


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], made_of: str) -> None:
    """Write named arrays, flushed to disk."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write(path, buffer.getvalue(), made_of, flush=True)


def read_arrays(path: Path, made_of: str) -> dict[str, NDArray[Any]] | None:
    """Return named arrays, or None where their file is missing, damaged or made of something else."""
    content = read(path, made_of) if is_made_of(path, made_of) else None
    if content is None:
        return None
    try:
        with np.load(io.BytesIO(content)) as stored:
            return dict(stored)
    except _DAMAGED:
        return None


def _seal(content: bytes | memoryview, made_of: str) -> bytes:
    return _SEAL.pack(_digest(made_of), zlib.crc32(content), _MARK)


def _digest(made_of: str) -> bytes:
    return hashlib.sha256(made_of.encode()).digest()[:16]
