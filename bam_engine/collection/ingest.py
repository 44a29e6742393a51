"""From a folder of files to rows of the catalogue, with their thumbnails.

In:  a folder, maybe a metadata file. Out: records, thumbnails, problems, and a summary. Knows no model and no page. The
work goes in small batches, each added in one transaction: whatever ends it, the batches before stay, and the next run
goes on after them.
"""

import os
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bam_engine.collection.catalogue import Catalogue, NewImage, Problem, printable, storable
from bam_engine.collection.files import Details, FolderListing, check_folder, find_images, read_details
from bam_engine.collection.images import READABLE_SUFFIXES, ImageInfo, examine, read_image
from bam_engine.collection.thumbnails import Thumbnail, Thumbnails
from bam_engine.errors import CollectionError, DiskFull, ImageUnreadable
from bam_engine.progress import Report, silent

STAGE = "ingest"
PROJECTS = ("none", "folder")
_BATCH = 64
_LARGE = 50_000_000  # pixels; larger pictures are decoded one at a time, so that memory holds


@dataclass(frozen=True)
class IngestResult:
    """What became of a folder's files: ``found`` = ``added`` + ``known`` + ``moved`` + identical and unreadable ones.

    ``moved`` were known at a place where they are no more. ``identical`` pairs a file with the one in the collection
    that has exactly its bytes. ``unreadable`` may name folders as well. ``others`` were not named like pictures.
    ``updated`` known images got new details from the metadata file, ``unmatched`` of whose paths are no image of the
    folder.
    """

    found: int
    added: int
    known: int
    moved: int
    identical: list[tuple[str, str]]
    unreadable: list[Problem]
    others: int
    updated: int = 0
    unmatched: int = 0


def ingest_folder(
    catalogue: Catalogue,
    thumbnails: Thumbnails,
    folder: str | Path,
    *,
    metadata: str | Path | None = None,
    project: str = "none",
    report: Report = silent,
    workers: int | None = None,
) -> IngestResult:
    """Add the pictures of a folder and of the folders in it.

    A file whose path is in the catalogue is known and not read again. Of files with the same bytes one is added. One
    that has the bytes of an image whose own file is gone is that image, which has moved: it keeps its row. What cannot
    be read is noted as a problem of the stage "ingest", and forgotten when a later run finds it mended or gone.

    Parameters
    ----------
    metadata
        A CSV of details, see :func:`read_details`. It also completes images that are known already.
    project
        Where an image's project comes from when ``metadata`` names none: "none", or "folder" for the folder that the
        file lies in.
    report
        Called after each batch with the files done, of all that were found.
    workers
        Threads that decode; one for each processor by default.

    Raises
    ------
    CollectionError
        The folder or the metadata file cannot be used, and nothing was added; or a real image was to be added to a
        demo workspace, or a generated one to another: batches before it are kept.
    DiskFull
        There is no room; the message says how much was added and kept.
    Stopped
        Raised by ``report``: the finished batches are kept.
    """
    if project not in PROJECTS:
        raise CollectionError(f"project may be taken from {' or '.join(PROJECTS)}, not from {project!r}.")
    root = check_folder(folder)
    details = {} if metadata is None else read_details(metadata, root)
    found = find_images(root, report=report)
    _check_found(root, found)
    unmatched = _check_matched(root, details, found)
    run = _Run(catalogue, thumbnails, root, details, project, report)
    try:
        run.go(found, workers or os.cpu_count() or 1)
    except DiskFull as error:
        raise DiskFull(
            f"{error} The {run.added:,} images added so far are kept; add the folder again to go on."
        ) from error
    except CollectionError as error:
        if run.added == 0:
            raise
        raise CollectionError(f"{error} The {run.added:,} images added so far are kept.") from error
    return IngestResult(
        found=len(found.paths),
        added=run.added,
        known=run.known,
        moved=run.moved,
        identical=run.identical,
        unreadable=run.unreadable,
        others=found.others,
        updated=run.updated,
        unmatched=unmatched,
    )


def _check_found(root: Path, found: FolderListing) -> None:
    if found.paths:
        return
    if found.unreadable:
        path, why = found.unreadable[0]
        raise CollectionError(f"no images were found in {root}; {printable(path)}: {why}")
    if not found.others:
        raise CollectionError(f"the folder {root} is empty. Put images into it or give another folder.")
    suffixes = " ".join(sorted(READABLE_SUFFIXES))
    raise CollectionError(
        f"the folder {root} holds {found.others:,} files and none is named like a picture. Names that count: {suffixes}"
    )


def _check_matched(root: Path, details: Mapping[str, Details], found: FolderListing) -> int:
    unmatched = set(details).difference(found.paths)
    if details and len(unmatched) == len(details):
        raise CollectionError(
            f"none of the {len(details):,} paths in the metadata file is an image in {root}. The first is "
            f"{next(iter(details))}. Write paths relative to the folder, or absolute."
        )
    return len(unmatched)


@dataclass
class _Run:
    """One run: its parts, and what it counted so far."""

    catalogue: Catalogue
    thumbnails: Thumbnails
    root: Path
    details: Mapping[str, Details]
    project: str
    report: Report
    added: int = 0
    known: int = 0
    moved: int = 0
    updated: int = 0
    identical: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    large: threading.Lock = field(default_factory=threading.Lock)

    def go(self, found: FolderListing, workers: int) -> None:
        before = {problem.uri for problem in self.catalogue.problems(STAGE)}
        known = self.catalogue.rows_of(found.paths)
        self.known, total = len(known), len(found.paths)
        self._describe(known)
        self._note([Problem(path, why, STAGE) for path, why in found.unreadable])
        self._note([_unstorable(path) for path in found.paths if not storable(path)])
        new = [path for path in found.paths if storable(path) and path not in known]
        done = total - len(new)
        self.report(done, total, self._message())
        with ThreadPoolExecutor(workers, thread_name_prefix="ingest") as pool:
            for start in range(0, len(new), _BATCH):
                batch = new[start : start + _BATCH]
                bad = self._add(batch, pool)
                done += len(batch)
                self.catalogue.clear_problems(STAGE, before.intersection(batch).difference(bad))
                self.report(done, total, self._message())
        self._forget_mended(before)

    def _message(self) -> str:
        parts = [(self.added, "added"), (self.known, "known"), (self.moved, "moved")]
        parts += [(len(self.identical), "identical"), (len(self.unreadable), "unreadable")]
        return "Images: " + ", ".join(f"{count:,} {word}" for count, word in parts if count or word == "added")

    def _describe(self, there: Iterable[str]) -> None:
        """Complete images that are there by what the metadata file says of them."""
        self.updated += self.catalogue.update_details({u: asdict(self.details[u]) for u in there if u in self.details})

    def _note(self, problems: list[Problem]) -> None:
        self.catalogue.note_problems(problems)
        self.unreadable += [Problem(printable(p.uri), p.reason, p.stage) for p in problems]

    def _forget_mended(self, before: set[str]) -> None:
        inside = printable(str(self.root)).rstrip("/") + "/"
        bad = {problem.uri for problem in self.unreadable}
        self.catalogue.clear_problems(STAGE, [u for u in before if (u + "/").startswith(inside) and u not in bad])

    def _add(self, batch: list[str], pool: ThreadPoolExecutor) -> list[str]:
        """Add what of the batch is new and readable; return the files that are not readable."""
        looked = dict(zip(batch, pool.map(_try_examine, batch), strict=True))
        examined = {uri: outcome for uri, outcome in looked.items() if isinstance(outcome, ImageInfo)}
        there = self.catalogue.uris_by_digest({one.digest for one in examined.values()})
        self._move(examined, there)
        firsts: dict[str, str] = {}  # digest -> the first file of the batch that has it
        for uri, one in examined.items():
            if one.digest not in there:
                firsts.setdefault(one.digest, uri)
        fresh = list(firsts.values())
        drawn = dict(zip(fresh, pool.map(self._try_draw, fresh, [examined[u] for u in fresh]), strict=True))
        good = {uri: made for uri, made in drawn.items() if isinstance(made, Thumbnail)}
        self.added += self.catalogue.add([self._record(uri, examined[uri]) for uri in good])
        rows = self.catalogue.rows_of(good)
        list(pool.map(self.thumbnails.store, rows.values(), [good[uri] for uri in rows]))
        return self._settle(looked, firsts, drawn, rows)

    def _move(self, examined: Mapping[str, ImageInfo], places: Mapping[str, str]) -> None:
        """Give images whose own file is gone the place of the first file of the batch that has their bytes."""
        gone = {digest for digest, uri in places.items() if not Path(uri).exists()}
        found: dict[str, str] = {}  # old place -> new place
        for uri, one in examined.items():
            if one.digest in gone:
                gone.discard(one.digest)
                found[places[one.digest]] = uri
        self.catalogue.move(found)
        self.moved += len(found)
        self._describe(found.values())

    def _settle(
        self,
        looked: Mapping[str, ImageInfo | ImageUnreadable],
        firsts: Mapping[str, str],
        drawn: Mapping[str, Thumbnail | ImageUnreadable],
        rows: Mapping[str, int],
    ) -> list[str]:
        """Say of each file of the batch that was not added why not."""
        twins = self.catalogue.uris_by_digest({one.digest for one in looked.values() if isinstance(one, ImageInfo)})
        problems = []
        for uri, one in looked.items():
            if uri in rows or (isinstance(one, ImageInfo) and twins.get(one.digest) == uri):
                continue
            failed = drawn.get(firsts.get(one.digest, "")) if isinstance(one, ImageInfo) else one
            if isinstance(failed, ImageUnreadable):
                problems.append(Problem(uri, str(failed), STAGE))
            elif isinstance(one, ImageInfo):
                self.identical.append((uri, twins[one.digest]))
        self._note(problems)
        return [problem.uri for problem in problems]

    def _record(self, uri: str, examined: ImageInfo) -> NewImage:
        details = self.details.get(uri, Details())
        project = details.project_id
        if project is None and self.project == "folder":
            project = str(Path(self.root.name, Path(uri).relative_to(self.root)).parent)
        return NewImage(
            uri=uri,
            width=examined.width,
            height=examined.height,
            digest=examined.digest,
            title=details.title,
            project_id=project,
            mature_content=details.mature_content,
            license=details.license,
            generated=examined.generated,
        )

    def _try_draw(self, uri: str, examined: ImageInfo) -> Thumbnail | ImageUnreadable:
        with self.large if examined.width * examined.height > _LARGE else nullcontext():
            try:
                return self.thumbnails.draw(read_image(uri, size=self.thumbnails.size))
            except ImageUnreadable as error:
                return error


def _try_examine(uri: str) -> ImageInfo | ImageUnreadable:
    try:
        return examine(uri)
    except ImageUnreadable as error:
        return error


def _unstorable(path: str) -> Problem:
    return Problem(path, "the file's name holds bytes that are no valid text. Rename the file.", STAGE)
