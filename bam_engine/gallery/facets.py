"""Facets: the colours, date and project of every image, and how many images of a query have each value.

In:  a workspace. Out: masks and counts. A background job reads colours from the thumbnails and dates from the files
once; they are cached in a file of records that grows with the collection. Projects come from the catalogue and are
cached until an image's details change.
"""

import json
import threading
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from PIL import Image

from bam_engine import database as db
from bam_engine.collection.appearance import COLOURS, EXIF, FILE, colour_mask, day_of
from bam_engine.errors import BamError, DiskFull
from bam_engine.files import replacing
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

Mask = NDArray[np.bool_]

RECORD = np.dtype([("colours", "<u2"), ("day", "<i4"), ("day_from", "u1")])
UNKNOWN = "(not known)"
"""The value of images whose colour, year or project is unknown."""

MAX_PROJECTS = 200
"""Projects that are listed, the largest ones."""

_BLOCK = 512
_SCANNING = threading.Lock()


@dataclass(frozen=True)
class Projects:
    """The project of every image: ``codes`` (n,) int32 index ``names``; 0 means none."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


_YEARS = Kind[NDArray[np.int32]]("years of images", of="workspace", until="images are added or scanned", limit=1)
_PROJECTS = Kind[Projects]("projects of images", of="workspace", until="images are added or details change", limit=1)


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
                block = pool.map(lambda image: _read(workspace, image.row, image.path), images)
                _append(_file(workspace), done, np.array(list(block), RECORD))
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
    """Return the records scanned so far, memory-mapped: (m,) of ``RECORD`` by row, m at most the collection's size."""
    file = _file(workspace)
    try:
        count = min(file.stat().st_size // RECORD.itemsize, len(workspace.catalogue))
    except OSError:
        count = 0
    return np.memmap(file, RECORD, "r", shape=(count,)) if count else np.empty(0, RECORD)


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


def in_projects(workspace: Workspace, names: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images belong to one of the projects; :data:`UNKNOWN` are those without one.

    Raises
    ------
    BamError
        There is no such project.
    """
    known = projects(workspace)
    codes = []
    for name in names:
        if name != UNKNOWN and name not in known.names[1:]:
            raise BamError(f"There is no project {name[:60]!r} in the collection. Choose another.")
        codes.append(0 if name == UNKNOWN else known.names.index(name, 1))
    inside: Mask = np.isin(known.codes[:n], codes)
    return inside


def projects(workspace: Workspace) -> Projects:
    """Return the project of every image; cached on disk, extended by new images, until an image's details change.

    The first read takes about one second per million images.
    """
    version = (len(workspace.catalogue), workspace.catalogue.details_version)
    return workspace.memory.get(_PROJECTS, None, version, lambda: _read_projects(workspace, *version))


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


def project_counts(workspace: Workspace, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` belong to each project, the ``MAX_PROJECTS`` largest of them."""
    known = projects(workspace)
    by_code = np.bincount(known.codes[: len(mask)][mask], minlength=len(known.names))
    largest = np.argsort(-by_code[1:], kind="stable")[:MAX_PROJECTS] + 1
    counts = {known.names[code]: int(by_code[code]) for code in largest if by_code[code]}
    return counts | {UNKNOWN: int(by_code[0])}


def _file(workspace: Workspace) -> Path:
    return workspace.cache / "facets" / "looked-1.bin"


def _read(workspace: Workspace, row: int, path: Path) -> tuple[int, int, int]:
    try:
        with Image.open(BytesIO(workspace.thumbnails.ensure(row, path)), formats=("WEBP",)) as image:
            colours = colour_mask(image)
    except (BamError, OSError, ValueError):
        colours = 0
    return (colours, *day_of(path))


def _append(file: Path, done: int, block: NDArray[np.void]) -> None:
    """Write a block after the first ``done`` records, over the incomplete block of a killed process."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("r+b" if file.exists() else "w+b") as target:
            target.seek(done * RECORD.itemsize)
            target.write(block.tobytes())
            target.truncate()
    except OSError as error:
        raise DiskFull(
            f"Colours and dates cannot be saved in {file.parent}: {error.strerror}. Free some disk space."
        ) from error


def _year(name: str) -> int:
    if name.isascii() and name.isdigit() and len(name) == 4:
        return int(name)
    raise BamError(f"{name[:60]!r} is not a year. Write it like 2019, or {UNKNOWN}.")


def _read_projects(workspace: Workspace, n: int, details_version: int) -> Projects:
    """Return the projects of ``n`` images: the stored ones, and those of newer images from the catalogue."""
    folder = workspace.cache / "facets"
    file = folder / f"projects-{details_version}.npz"
    stored = _stored_projects(file)
    if len(stored.codes) >= n:
        return Projects(stored.codes[:n], stored.names)
    known: dict[str | None, int] = {None: 0} | {name: code for code, name in enumerate(stored.names) if code}
    table = db.images.c
    query = sa.select(table.project_id).where(table.row >= len(stored.codes)).order_by(table.row)
    with workspace.engine.connect() as connection:
        names = connection.execution_options(yield_per=50_000).scalars(query)
        newer = np.fromiter((known.setdefault(name, len(known)) for name in names), np.int32)
    codes = np.concatenate([stored.codes, newer])
    projects = Projects(codes, ("", *(name for name in known if name is not None)))
    try:
        with replacing(file) as temporary:
            np.savez(temporary, codes=codes, names=np.frombuffer(json.dumps(projects.names).encode(), np.uint8))
        for old in folder.glob("projects-*.npz"):
            if old != file:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise DiskFull(f"The projects cannot be saved in {folder}: {error.strerror}. Free some disk space.") from error
    return Projects(codes[:n], projects.names)


def _stored_projects(file: Path) -> Projects:
    try:
        with file.open("rb") as opened, np.load(opened) as stored:
            return Projects(stored["codes"], tuple(json.loads(bytes(stored["names"]))))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # missing or damaged: read from the catalogue again
        return Projects(np.empty(0, np.int32), ("",))
