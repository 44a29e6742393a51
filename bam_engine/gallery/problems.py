"""Problems of pictures as a facet: which images are dark, blurred or blank, how many, and which of them most.

In:  a workspace. Out: masks, counts, values to sort by. A job measures the thumbnails once
(:mod:`bam_engine.collection.picture_problems`); the measures are cached in a file of records that grows with the
collection. An image that was not measured is :data:`NOT_MEASURED`, and never without a problem.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bam_engine.collection import Image as Record
from bam_engine.collection.picture_problems import MEASURES, PROBLEMS, Measures, measure, problems_of
from bam_engine.errors import BamError, DiskFull
from bam_engine.gallery.record_file import RecordFile, Records
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import members
from bam_engine.workspace.memory import Kind

Flags = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

NONE = "none of these"
"""The value of images that were measured and have no problem."""

NOT_MEASURED = "not measured"
"""The value of images that were not measured, or cannot be read."""

VALUES = (*PROBLEMS, NONE, NOT_MEASURED)

IS_MEASURED = 1 << len(PROBLEMS)
"""The bit of an image that was measured; a problem's bit is its place in ``PROBLEMS``."""

RECORD = np.dtype([*((name, "<f4") for name in MEASURES), ("check", "<u4")])
_BLOCK = 512
_UNREADABLE = Measures(*[float("nan")] * len(MEASURES))
_RECORDS = Kind[Records]("measures of images", of="workspace", until="images are measured", limit=1)
_FLAGS = Kind[Flags]("problems of images", of="workspace", until="images are measured", limit=1)


def _fold(measured: Records) -> NDArray[np.uint32]:
    folded = np.zeros(len(measured), np.uint32)
    for name in MEASURES:
        folded = folded * np.uint32(31) ^ measured[name].view(np.uint32)
    return folded


MEASURED = RecordFile("measured-1.bin", RECORD, _RECORDS, "Measures of pictures", _fold)


@dataclass(frozen=True)
class Progress:
    """How many images are measured, of how many there are, and how many more cannot be, since they cannot be read."""

    measured: int
    total: int
    unreadable: int


def scan(workspace: Workspace, *, report: Report = silent) -> Progress:
    """Measure the images that were not measured yet, and try those again that could not be read; resumes after a stop.

    Raises
    ------
    Stopped
        By ``report``; the results so far are stored.
    DiskFull
        The results cannot be stored.
    BamError
        Images are being measured already.
    """
    with _alone(workspace):
        stored, total = MEASURED.read(workspace), len(workspace.catalogue)
        again = np.flatnonzero(~_is_measured(stored))
        rows = np.concatenate([again, np.arange(len(stored), total)])
        measured = len(stored) - len(again)
        with ThreadPoolExecutor(4) as pool:
            for start in range(0, len(rows), _BLOCK):
                report(measured + start, measured + len(rows), "pictures")
                block = rows[start : start + _BLOCK]
                images = workspace.catalogue.images(block)
                values = [(*each, 0) for each in pool.map(lambda image: _measured(workspace, image), images)]
                MEASURED.write(workspace, block, np.array(values, RECORD), cut=bool(block[-1] >= len(stored)))
        report(measured + len(rows), measured + len(rows), "pictures")
    return progress(workspace)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Let one program at a time measure: each would cut off what another has written further on."""
    folder = MEASURED.path(workspace).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise DiskFull(f"Measures of pictures cannot be saved in {folder}: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BamError("Pictures are being measured already. Wait until that has finished.") from error
        yield
    finally:
        os.close(lock)


def progress(workspace: Workspace) -> Progress:
    """Return how many images are measured."""
    there = members(workspace)
    measured = (flags(workspace, len(there)) & IS_MEASURED).astype(bool)
    looked_at = np.arange(len(there)) < len(MEASURED.read(workspace))
    counts = [int(np.count_nonzero(each & there)) for each in (measured, looked_at & ~measured)]
    return Progress(counts[0], int(np.count_nonzero(there)), counts[1])


def version(workspace: Workspace) -> tuple[int, int]:
    """Return a version that changes whenever a measure may."""
    return MEASURED.version(workspace)


def flags(workspace: Workspace, n: int) -> Flags:
    """Return the problems of ``n`` images, a bit for each, and :data:`IS_MEASURED`; 0 where nothing is measured."""
    stored = MEASURED.read(workspace)[:n]
    known = (n, *version(workspace), workspace.catalogue.digests().fingerprint(n))
    return workspace.memory.get(_FLAGS, None, known, lambda: _flags(stored, n))


def _flags(stored: Records, n: int) -> Flags:
    every = np.zeros(n, np.uint8)
    some = every[: len(stored)]
    some[_is_measured(stored)] = IS_MEASURED
    for place, problem in enumerate(PROBLEMS.values()):
        value, limit = stored[problem.measure], np.float32(problem.limit)
        some[value > limit if problem.above else value < limit] |= 1 << place
    return every


def _is_measured(stored: Records) -> Mask:
    return np.asarray(stored["shorter"] > 0)


def names_of(flag: int) -> tuple[str, ...]:
    """Return the problems of an image by its flags.

    Examples
    --------
    >>> names_of(IS_MEASURED | 0b101)
    ('dark', 'blurred')
    """
    return tuple(name for place, name in enumerate(PROBLEMS) if flag >> place & 1)


def problem_mask(workspace: Workspace, values: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images have at least one of the problems, :data:`NONE` of them, or are not measured.

    Raises
    ------
    BamError
        There is no such problem.
    """
    every = np.arange(256)
    wanted = np.zeros(256, bool)
    for value in values:
        if value not in VALUES:
            raise BamError(f"There is no problem {value[:60]!r}. Choose one of {', '.join(VALUES)}.")
        wanted |= _has(value, every)
    return wanted[flags(workspace, n)]


def problem_counts(workspace: Workspace, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` have each problem, none, and are not measured; several may hold."""
    by_flags = np.bincount(flags(workspace, len(mask))[mask], minlength=256)
    every = np.arange(256)
    return {value: int(by_flags[_has(value, every)].sum()) for value in VALUES}


def _has(value: str, every: NDArray[np.int64]) -> Mask:
    """Return which flags stand for a value."""
    if value == NOT_MEASURED:
        return np.asarray(every < IS_MEASURED)
    if value == NONE:
        return np.asarray(every == IS_MEASURED)
    return np.asarray((every >= IS_MEASURED) & (every >> list(PROBLEMS).index(value) & 1 == 1))


def values_of(workspace: Workspace, name: str, rows: Rows) -> NDArray[np.float32]:
    """Return for each of ``rows`` the value of what is measured for a problem; nan where it is not measured."""
    stored = MEASURED.read(workspace)
    values = np.full(len(rows), np.nan, np.float32)
    known = rows < len(stored)
    values[known] = stored[PROBLEMS[name].measure][rows[known]]
    return values


def severity(workspace: Workspace, name: str, rows: Rows) -> NDArray[np.float32]:
    """Return for each of ``rows`` how much it has a problem, more being worse; nan where that is not measured."""
    values = values_of(workspace, name, rows)
    return values if PROBLEMS[name].above else -values


def measures_of(workspace: Workspace, row: int) -> Measures | None:
    """Return the measures of image ``row``, None where it was not measured."""
    stored = MEASURED.read(workspace)[row : row + 1]
    if not _is_measured(stored).any():
        return None
    return Measures(*(float(stored[name][0]) for name in MEASURES))


def described(measures: Measures) -> list[str]:
    """Return the problems of a picture, each with its value and limit in words."""
    return [
        f"{name}: {PROBLEMS[name].described(getattr(measures, PROBLEMS[name].measure))}"
        for name in problems_of(measures)
    ]


def _measured(workspace: Workspace, record: Record) -> Measures:
    try:
        thumbnail = workspace.thumbnails.ensure(record.row, record.path)
        with Image.open(BytesIO(thumbnail), formats=("WEBP",)) as image:
            return measure(image, record.width, record.height)
    except (BamError, OSError, ValueError):
        return _UNREADABLE
