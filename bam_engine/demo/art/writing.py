"""A generated collection on disk: its pictures, and a table of what is true of them.

In:  a folder, how many works, a seed. Out: ``images/STUDIO/NUMBER.jpg`` and ``truth.csv``. A picture carries its title
and its truth in a JPEG comment, so that a run that goes on need not draw it again to know them.
"""

import contextlib
import csv
import errno
import io
import json
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
from PIL import Image

from bam_engine.demo.art import kernels
from bam_engine.demo.art.artwork import draw
from bam_engine.demo.art.studio import TRUTHS, plan
from bam_engine.errors import BamError, DiskFull
from bam_engine.files import replacing
from bam_engine.processes import processes
from bam_engine.progress import Report, silent

COLUMNS = ("path", "project", "title", "license", "generator", *TRUTHS)

_VERSION = 2  # of the pictures: those of another are drawn anew
_FULL = (errno.ENOSPC, errno.EDQUOT)
_END = b"\xff\xd9"  # of a JPEG that is whole
_WAITING = 4  # works in hand for each process
_APART = 5  # loops between those with which two processes begin to compile
_FEW = 60  # works that are drawn sooner than processes start


@dataclass(frozen=True)
class Work:
    """One row of the table."""

    path: str
    project: str
    title: str
    truth: frozenset[str]


def write_collection(
    folder: Path, *, count: int = 2000, seed: int = 0, workers: int | None = None, report: Report = silent
) -> Path:
    """Draw the works 0 … ``count`` - 1 of the collection ``seed`` into a folder; return the path of its ``truth.csv``.

    The table has a row for each work in order: ``path`` (relative to the folder), ``project`` (the studio), ``title``,
    ``license`` ("generated"), ``generator`` ("bam demo, seed S"), and the twenty attributes of :data:`TRUTHS` as 0 or
    1.
    A work depends on the seed and its number alone: more works leave the first ones as they are. Pictures that are
    there already are not drawn again. The table is written last, whole.

    Parameters
    ----------
    workers
        How many processes draw side by side, beside this one; 0 draws in this one. None starts one for each core, and
        for a few works none. The pictures are the same whatever it is.

    Raises
    ------
    BamError
        A number is negative, the folder holds the collection of another seed or cannot be written to, or a process that
        draws was ended from outside.
    DiskFull
        There is no room; the pictures drawn so far are kept, none of them half.
    Stopped
        Raised by ``report``: the pictures drawn so far are kept, and a later run goes on from there.
    """
    if count < 0 or seed < 0:
        raise BamError(
            f"a demo of {count:,} works from the seed {seed} was asked for. Give numbers that are not negative."
        )
    folder = Path(folder).absolute()
    table, beside = folder / "truth.csv", (os.cpu_count() or 1) if count > _FEW else 0
    works: list[Work] = []
    try:
        _check_same(table, seed)
        report(0, count, "drawing")
        found = _drawn(folder, count, seed, beside if workers is None else workers)
        with contextlib.closing(found) as drawn:  # whatever happens, nothing draws on
            for work in drawn:
                works.append(work)
                report(len(works), count, "drawing")
        with replacing(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(COLUMNS)
            lines.writerows(_row(work, seed) for work in works)
    except OSError as error:
        if error.errno in _FULL:
            kept = f"The {len(works):,} works drawn so far are kept; free some room and start again to go on."
            raise DiskFull(f"the disk has no room for the demo in {folder}. {kept}") from error
        raise BamError(
            f"the demo cannot be written to {folder}: {error.strerror or error}. Give another folder."
        ) from error
    return table


def _check_same(table: Path, seed: int) -> None:
    """Refuse a folder whose table is that of another seed: its pictures would stay among ours."""
    if not table.exists():
        return
    with table.open(newline="", encoding="utf-8") as file:
        first = next(csv.DictReader(file), None)
    if first is not None and first.get("generator") != _generator(seed):
        there = first.get("generator") or "something else"
        raise BamError(f"{table.parent} holds {there}, not {_generator(seed)}. Give another folder or the same seed.")


def _generator(seed: int) -> str:
    return f"bam demo, seed {seed}"


def _row(work: Work, seed: int) -> list[str | int]:
    return [
        work.path,
        work.project,
        work.title,
        "generated",
        _generator(seed),
        *(int(name in work.truth) for name in TRUTHS),
    ]


def _drawn(folder: Path, count: int, seed: int, beside: int) -> Generator[Work, None, None]:
    """Yield the works in order, drawn or found, by so many processes, or by this one."""
    ensured = partial(ensure, folder, seed)
    if beside:
        with processes(beside, initializer=_begin) as workers:
            yield from workers.map(ensured, range(count), ahead=beside * _WAITING)
        return
    for index in range(count):
        with _one_thread():
            work = ensured(index)
        yield work


def _begin() -> None:
    """Make a process ready to draw: every core has one."""
    cv2.setNumThreads(1)
    kernels.prepare(os.getpid() * _APART)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let OpenCV not split its small tasks between threads: that costs more than it brings."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def ensure(folder: Path, seed: int, index: int) -> Work:
    """Return a work whose picture lies in the folder, drawn now unless it is there and whole."""
    project = plan(seed, index).studio.name
    path = f"images/{project}/{index:06d}.jpg"
    found = _read(folder / path, seed, index)
    if found is not None:
        return Work(path, project, *found)
    work = draw(seed, index)
    told = {"is": _mark(seed, index), "title": work.title, "truth": sorted(work.truth)}
    buffer = io.BytesIO()
    Image.fromarray(work.pixels).save(buffer, "JPEG", quality=88, comment=json.dumps(told).encode())
    with replacing(folder / path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return Work(path, project, work.title, work.truth)


def _mark(seed: int, index: int) -> str:
    return f"generated: {_generator(seed)}, work {index}, version {_VERSION}"


def _read(path: Path, seed: int, index: int) -> tuple[str, frozenset[str]] | None:
    """Return the title and the truth that a picture tells of itself, or None if it is not there or not this work."""
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            told = json.loads(image.info.get("comment", b"{}"))
        if told.get("is") != _mark(seed, index) or not data.endswith(_END):
            return None
        return str(told["title"]), frozenset(told["truth"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
