"""Facets: the colours and the date of every image, and how many images of a query have each value.

In:  a workspace. Out: masks and counts. A background job reads colours from the thumbnails and dates from the files
once; they are cached in a file of records that grows with the collection.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bam_engine.collection import Image as Record
from bam_engine.collection import State, look_at
from bam_engine.collection.appearance import COLOURS, EXIF, FILE, colour_mask, day_of
from bam_engine.errors import BamError
from bam_engine.gallery.categories import UNKNOWN
from bam_engine.gallery.record_file import RecordFile
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

Mask = NDArray[np.bool_]

RECORD = np.dtype([("colours", "<u2"), ("day", "<i4"), ("day_from", "u1"), ("check", "<u4")])
_BLOCK = 512
_SCANNING = threading.Lock()


_SCANNED = Kind[NDArray[np.void]]("colours and dates of images", of="workspace", until="images are scanned", limit=1)
_YEARS = Kind[NDArray[np.int32]]("years of images", of="workspace", until="images are added or scanned", limit=1)


def _fold(scanned: NDArray[np.void]) -> NDArray[np.uint32]:
    fields = (scanned["colours"].astype(np.uint32) << 8 | scanned["day_from"]) ^ scanned["day"].view(np.uint32)
    return np.asarray(fields, np.uint32)


LOOKED = RecordFile("looked-2.bin", RECORD, _SCANNED, "Colours and dates", _fold)


@dataclass(frozen=True)
class FacetScan:
    """The progress of the scan for colours and dates, and how many dates came from Exif data and from files."""

    done: int
    total: int
    from_exif: int
    from_file: int


def scan(workspace: Workspace, *, report: Report = silent) -> FacetScan:
    """Read colours and dates of the images that were not scanned yet; resumes after a stop.

    An image whose thumbnail and file are missing gets no colour and is not scanned again.

    Raises
    ------
    Stopped
        By ``report``; the results so far are stored.
    DiskFull
        The results cannot be stored.
    BamError
        A scan is running already.
    """
    if not _SCANNING.acquire(blocking=False):
        raise BamError("Colours and dates are already being indexed. Wait until that has finished.")
    try:
        done, total = len(records(workspace)), len(workspace.catalogue)
        report(done, total, "colours and dates")
        with ThreadPoolExecutor(4) as pool:
            while done < total:
                images = workspace.catalogue.images(range(done, min(total, done + _BLOCK)))
                block = [(*fields, 0) for fields in pool.map(lambda image: _read(workspace, image), images)]
                LOOKED.write(workspace, np.arange(done, done + len(images)), np.array(block, RECORD), cut=True)
                done += len(images)
                report(done, total)
    finally:
        _SCANNING.release()
    return scan_progress(workspace)


def scan_progress(workspace: Workspace) -> FacetScan:
    """Return the progress of the scan."""
    scanned = records(workspace)
    by = np.bincount(scanned["day_from"], minlength=3)
    return FacetScan(len(scanned), len(workspace.catalogue), int(by[EXIF]), int(by[FILE]))


def records(workspace: Workspace) -> NDArray[np.void]:
    """Return the records scanned so far, memory-mapped: (m,) of ``RECORD`` by row, up to the first of another image."""
    return LOOKED.read(workspace)


def in_colours(workspace: Workspace, names: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images have at least one of the colours; :data:`UNKNOWN` are those without any yet.

    Raises
    ------
    BamError
        There is no such colour.
    """
    scanned = records(workspace)[:n]
    inside = np.zeros(n, bool)
    bits = 0
    for name in names:
        if name == UNKNOWN:
            inside[len(scanned) :] = True
            inside[: len(scanned)] |= scanned["colours"] == 0
        elif name in COLOURS:
            bits |= 1 << COLOURS.index(name)
        else:
            raise BamError(f"There is no colour {name[:60]!r}. Choose one of {', '.join(COLOURS)}, {UNKNOWN}.")
    inside[: len(scanned)] |= (scanned["colours"] & bits) != 0
    return inside


def in_years(workspace: Workspace, names: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images are from one of the years, such as ``2019``, or :data:`UNKNOWN` ones.

    Raises
    ------
    BamError
        A name is no year.
    """
    inside: Mask = np.isin(years(workspace, n), [0 if name == UNKNOWN else _year(name) for name in names])
    return inside


def years(workspace: Workspace, n: int) -> NDArray[np.int32]:
    """Return the year of each of ``n`` images, 0 where it is unknown; cached until there are more images or records."""
    scanned = records(workspace)[:n]
    return workspace.memory.get(_YEARS, None, (n, len(scanned)), lambda: _years(scanned, n))


def _years(scanned: NDArray[np.void], n: int) -> NDArray[np.int32]:
    calendar_years = scanned["day"].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int32) + 1970
    by_row = np.zeros(n, np.int32)
    by_row[: len(scanned)] = np.where(scanned["day_from"] > 0, calendar_years, 0)
    return by_row


def version(workspace: Workspace) -> list[int]:
    """Return a version that changes whenever a facet of an image may."""
    return [len(records(workspace)), workspace.catalogue.details_version]


def colour_counts(workspace: Workspace, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` have each colour, :data:`UNKNOWN` last; an image may have several."""
    scanned = records(workspace)[: len(mask)]
    by_bits = np.bincount(scanned["colours"][mask[: len(scanned)]], minlength=1)
    bits = np.flatnonzero(by_bits)
    counts = {name: int(by_bits[bits[(bits >> place) & 1 == 1]].sum()) for place, name in enumerate(COLOURS)}
    return counts | {UNKNOWN: int(by_bits[0]) + int(mask[len(scanned) :].sum())}


def year_counts(workspace: Workspace, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` are from each year, newest first, :data:`UNKNOWN` last."""
    by_year = np.bincount(np.maximum(years(workspace, len(mask))[mask], 0), minlength=1)
    counts = {str(when): int(by_year[when]) for when in np.flatnonzero(by_year)[::-1] if when}
    return counts | {UNKNOWN: int(by_year[0])}


def _read(workspace: Workspace, record: Record) -> tuple[int, int, int]:
    try:
        with Image.open(BytesIO(workspace.thumbnails.ensure(record.row, record.path)), formats=("WEBP",)) as image:
            colours = colour_mask(image)
    except (BamError, OSError, ValueError):
        colours = 0
    is_there = look_at(record).state is State.SAME  # otherwise the date would be that of another picture
    return (colours, *(day_of(record.path) if is_there else (0, 0)))


def _year(name: str) -> int:
    if name.isascii() and name.isdigit() and len(name) == 4:
        return int(name)
    raise BamError(f"{name[:60]!r} is not a year. Write it like 2019, or {UNKNOWN}.")
