"""Facets: the colours of every image, its day, its project; how many images of a query have each.

In:  a workspace. Out: masks and counts. Colours and days are read off the thumbnails and files once, in the
background, and kept under the cache as one file of records that grows with the collection; projects come from the
catalogue and are kept until a description changes.
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

Mask = NDArray[np.bool_]

RECORD = np.dtype([("colours", "<u2"), ("day", "<i4"), ("day_from", "u1")])
UNKNOWN = "(not known)"
"""The value of an image whose colour, year or project is not known."""

MOST_PROJECTS = 200
"""Projects that are offered at most, the largest first."""

_BLOCK = 512
_WRITING = threading.Lock()


@dataclass(frozen=True)
class Projects:
    """The project of every image: ``codes`` (n,) int32 into ``names``; 0 is none."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(frozen=True)
class FacetScan:
    """How far the looking for colours and days is, and where the days were found."""

    done: int
    total: int
    from_exif: int
    from_file: int


def scan(workspace: Workspace, *, report: Report = silent) -> FacetScan:
    """Read colours and days of the images that were not looked at yet; goes on where it was stopped.

    An image whose thumbnail and file are gone has no colour; it is not looked at again.

    Raises
    ------
    Stopped
        Asked to stop; what was read is kept.
    DiskFull
        What was read cannot be kept.
    BamError
        It is being done already.
    """
    if not _WRITING.acquire(blocking=False):
        raise BamError("colours and dates are being looked up already: wait until that is done.")
    try:
        done, total = len(records(workspace)), len(workspace.catalogue)
        report(done, total, "colours and dates")
        with ThreadPoolExecutor(4) as pool:
            while done < total:
                images = workspace.catalogue.images(range(done, min(total, done + _BLOCK)))
                found = pool.map(lambda image: _read(workspace, image.row, image.path), images)
                _append(_file(workspace), done, np.array(list(found), RECORD))
                done += len(images)
                report(done, total)
    finally:
        _WRITING.release()
    return scan_progress(workspace)


def scan_progress(workspace: Workspace) -> FacetScan:
    """Return how far the looking is."""
    found = records(workspace)
    by = np.bincount(found["day_from"], minlength=3)
    return FacetScan(len(found), len(workspace.catalogue), int(by[EXIF]), int(by[FILE]))


def records(workspace: Workspace) -> NDArray[np.void]:
    """Return what was read so far, (m,) of ``RECORD`` by row, m at most the size of the collection; mapped."""
    file = _file(workspace)
    try:
        count = min(file.stat().st_size // RECORD.itemsize, len(workspace.catalogue))
    except OSError:
        count = 0
    return np.memmap(file, RECORD, "r", shape=(count,)) if count else np.empty(0, RECORD)


def in_colours(workspace: Workspace, names: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images have at least one of the colours; :data:`UNKNOWN` are those not looked at yet.

    Raises
    ------
    BamError
        There is no such colour.
    """
    found = records(workspace)[:n]
    inside = np.zeros(n, bool)
    wanted = 0
    for name in names:
        if name == UNKNOWN:
            inside[len(found) :] = True
            inside[: len(found)] |= found["colours"] == 0
        elif name in COLOURS:
            wanted |= 1 << COLOURS.index(name)
        else:
            raise BamError(f"there is no colour {name[:60]!r}: there are {', '.join(COLOURS)}, {UNKNOWN}.")
    inside[: len(found)] |= (found["colours"] & wanted) != 0
    return inside


def in_years(workspace: Workspace, names: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images were made in one of the years, such as ``2019``, or have an :data:`UNKNOWN` day."""
    found = years(workspace, n)
    inside: Mask = np.isin(found, [0 if name == UNKNOWN else _year(name) for name in names])
    return inside


def years(workspace: Workspace, n: int) -> NDArray[np.int32]:
    """Return the year of each of ``n`` images, 0 where it is not known; worked out again only when there are more."""
    found = records(workspace)[:n]
    kept = workspace.memory_cache.get("years")
    if kept is None or kept[0] != (n, len(found)):
        whole = found["day"].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int32) + 1970
        result = np.zeros(n, np.int32)
        result[: len(found)] = np.where(found["day_from"] > 0, whole, 0)
        kept = workspace.memory_cache["years"] = ((n, len(found)), result)
    there: NDArray[np.int32] = kept[1]
    return there


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
            raise BamError(f"there is no project {name[:60]!r}: choose one of those there are.")
        codes.append(0 if name == UNKNOWN else known.names.index(name, 1))
    inside: Mask = np.isin(known.codes[:n], codes)
    return inside


def projects(workspace: Workspace) -> Projects:
    """Return the project of every image; kept under the cache, where new images are added, until descriptions change.

    Reading them for the first time takes about a second a million images.
    """
    version = (len(workspace.catalogue), workspace.catalogue.details_version)
    with workspace.lock_for("projects"):
        kept = workspace.memory_cache.get("projects")
        if kept is None or kept[0] != version:
            kept = workspace.memory_cache["projects"] = (version, _projects(workspace, *version))
    found: Projects = kept[1]
    return found


def version(workspace: Workspace) -> list[int]:
    """Return what differs as soon as a facet of an image may."""
    return [len(records(workspace)), workspace.catalogue.details_version]


def colour_counts(workspace: Workspace, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` have each colour, :data:`UNKNOWN` last; an image may have several."""
    found = records(workspace)[: len(mask)]
    masks = np.bincount(found["colours"][mask[: len(found)]], minlength=1)
    there = np.flatnonzero(masks)
    counts = {name: int(masks[there[(there >> place) & 1 == 1]].sum()) for place, name in enumerate(COLOURS)}
    return counts | {UNKNOWN: int(masks[0]) + int(mask[len(found) :].sum())}


def year_counts(workspace: Workspace, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` were made in each year, newest first, :data:`UNKNOWN` last."""
    counts = np.bincount(np.maximum(years(workspace, len(mask))[mask], 0), minlength=1)
    told = {str(when): int(counts[when]) for when in np.flatnonzero(counts)[::-1] if when}
    return told | {UNKNOWN: int(counts[0])}


def project_counts(workspace: Workspace, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` belong to each project, the ``MOST_PROJECTS`` largest of them."""
    known = projects(workspace)
    counts = np.bincount(known.codes[: len(mask)][mask], minlength=len(known.names))
    order = np.argsort(-counts[1:], kind="stable")[:MOST_PROJECTS] + 1
    told = {known.names[code]: int(counts[code]) for code in order if counts[code]}
    return told | {UNKNOWN: int(counts[0])}


def _file(workspace: Workspace) -> Path:
    return workspace.cache / "facets" / "looked-1.bin"


def _read(workspace: Workspace, row: int, path: Path) -> tuple[int, int, int]:
    try:
        with Image.open(BytesIO(workspace.thumbnails.ensure(row, path)), formats=("WEBP",)) as image:
            colours = colour_mask(image)
    except (BamError, OSError, ValueError):
        colours = 0
    return (colours, *day_of(path))


def _append(file: Path, done: int, found: NDArray[np.void]) -> None:
    """Write after the first ``done`` records; what a killed process left of a block is written over."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("r+b" if file.exists() else "w+b") as target:
            target.seek(done * RECORD.itemsize)
            target.write(found.tobytes())
            target.truncate()
    except OSError as error:
        raise DiskFull(f"colours and dates cannot be kept in {file.parent}: {error.strerror}. Free some room.") from (
            error
        )


def _year(name: str) -> int:
    if name.isascii() and name.isdigit() and len(name) == 4:
        return int(name)
    raise BamError(f"{name[:60]!r} is no year: write it like 2019, or {UNKNOWN}.")


def _projects(workspace: Workspace, n: int, descriptions: int) -> Projects:
    """Return the projects of ``n`` images: those that are kept, and the new ones read behind them."""
    folder = workspace.cache / "facets"
    file = folder / f"projects-{descriptions}.npz"
    kept = _kept_projects(file)
    if len(kept.codes) >= n:
        return Projects(kept.codes[:n], kept.names)
    known: dict[str | None, int] = {None: 0} | {name: code for code, name in enumerate(kept.names) if code}
    table = db.images.c
    query = sa.select(table.project_id).where(table.row >= len(kept.codes)).order_by(table.row)
    with workspace.engine.connect() as connection:
        told = connection.execution_options(yield_per=50_000).scalars(query)
        newer = np.fromiter((known.setdefault(name, len(known)) for name in told), np.int32)
    codes = np.concatenate([kept.codes, newer])
    found = Projects(codes, ("", *(name for name in known if name is not None)))
    try:
        with replacing(file) as temporary:
            np.savez(temporary, codes=codes, names=np.frombuffer(json.dumps(found.names).encode(), np.uint8))
        for old in folder.glob("projects-*.npz"):
            if old != file:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise DiskFull(f"the projects cannot be kept in {folder}: {error.strerror}. Free some room.") from error
    return Projects(codes[:n], found.names)


def _kept_projects(file: Path) -> Projects:
    try:
        with file.open("rb") as opened, np.load(opened) as kept:
            return Projects(kept["codes"], tuple(json.loads(bytes(kept["names"]))))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # not there, or not ours to read: it is derived
        return Projects(np.empty(0, np.int32), ("",))
