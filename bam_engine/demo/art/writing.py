"""A generated collection on disk: ``images/STUDIO/NUMBER.jpg`` and the ground truth in ``truth.csv``.

A picture carries its title and ground truth in a JPEG comment, so that a resumed run need not draw it again.
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

_VERSION = 2  # pictures of another version are drawn again
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
    A work depends on the seed and its number alone, so more works leave the others as they are. Existing pictures are
    not drawn again. The table is written last, atomically.

    Parameters
    ----------
    workers
        Number of worker processes; 0 draws in this process. The default is one per core, or 0 for a few works. The
        pictures do not depend on it.

    Raises
    ------
    BamError
        A number is negative, the folder holds the collection of another seed or cannot be written to, or a worker
        process was killed.
    DiskFull
        The disk is full; the pictures drawn so far are saved.
    Stopped
        Raised by ``report``; the pictures drawn so far are saved, and the next run resumes.
    """
    if count < 0 or seed < 0:
        raise BamError(f"Cannot draw {count:,} works with seed {seed}. Neither may be negative.")
    folder = Path(folder).absolute()
    table = folder / "truth.csv"
    default_workers = (os.cpu_count() or 1) if count > _FEW else 0
    works: list[Work] = []
    try:
        _check_same(table, seed)
        generator = _drawn(folder, count, seed, default_workers if workers is None else workers, report)
        with contextlib.closing(generator) as drawn:  # stops the workers in any case
            for work in drawn:
                works.append(work)
                report(len(works), count, "drawing")
        with replacing(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(COLUMNS)
            lines.writerows(_row(work, seed) for work in works)
    except OSError as error:
        if error.errno in _FULL:
            saved = f"The {len(works):,} works drawn so far are saved. Free some space and run it again to resume."
            raise DiskFull(f"The disk is full: cannot write the demo to {folder}. {saved}") from error
        raise BamError(
            f"Cannot write the demo to {folder}: {error.strerror or error}. Choose another folder."
        ) from error
    return table


def _check_same(table: Path, seed: int) -> None:
    """Refuse a folder with the collection of another seed, since the pictures would mix."""
    if not table.exists():
        return
    with table.open(newline="", encoding="utf-8") as file:
        first = next(csv.DictReader(file), None)
    if first is not None and first.get("generator") != _generator(seed):
        other = first.get("generator") or "another collection"
        raise BamError(
            f"The folder {table.parent} holds {other}, not {_generator(seed)}. Choose another folder or the same seed."
        )


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


def _drawn(folder: Path, count: int, seed: int, workers: int, report: Report) -> Generator[Work, None, None]:
    """Yield the works in order, drawn or read, with ``workers`` processes or in this one.

    The first report of a number of works comes once a process is ready: compiling takes longer than many works.
    """
    ensured = partial(ensure, folder, seed)
    if workers:
        report(0, None, "preparing to draw")
        with processes(workers, initializer=_begin) as pool:
            list(pool.map(abs, [0], ahead=1))
            report(0, count, "drawing")
            yield from pool.map(ensured, range(count), ahead=workers * _WAITING)
        return
    report(0, count, "drawing")
    for index in range(count):
        with _one_thread():
            work = ensured(index)
        yield work


def _begin() -> None:
    """Initialise a worker process; there is one per core."""
    cv2.setNumThreads(1)
    kernels.prepare(os.getpid() * _APART)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: splitting its small tasks costs more than it saves."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def ensure(folder: Path, seed: int, index: int) -> Work:
    """Return a work, drawing its picture unless the folder has it complete."""
    project = plan(seed, index).studio.name
    path = f"images/{project}/{index:06d}.jpg"
    existing = _read(folder / path, seed, index)
    if existing is not None:
        return Work(path, project, *existing)
    work = draw(seed, index)
    comment = {"is": _mark(seed, index), "title": work.title, "truth": sorted(work.truth)}
    buffer = io.BytesIO()
    Image.fromarray(work.pixels).save(buffer, "JPEG", quality=88, comment=json.dumps(comment).encode())
    with replacing(folder / path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return Work(path, project, work.title, work.truth)


def _mark(seed: int, index: int) -> str:
    return f"generated: {_generator(seed)}, work {index}, version {_VERSION}"


def _read(path: Path, seed: int, index: int) -> tuple[str, frozenset[str]] | None:
    """Read the title and ground truth of a picture, or return None if it is missing or another work."""
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            comment = json.loads(image.info.get("comment", b"{}"))
        if comment.get("is") != _mark(seed, index) or not data.endswith(_END):
            return None
        return str(comment["title"]), frozenset(comment["truth"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
