"""Adding the images of a folder to the catalogue, with their thumbnails.

In:  a folder, optionally a metadata file. Out: records, thumbnails, problems, and a summary. The files themselves are
looked at in :mod:`.ingest_run`.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bam_engine.collection.catalogue import Catalogue
from bam_engine.collection.files import Details, FolderListing, check_folder, find_images, read_details
from bam_engine.collection.formats import SUPPORTED
from bam_engine.collection.ingest_run import IngestRun
from bam_engine.collection.matching import match_files
from bam_engine.collection.records import Problem
from bam_engine.collection.texts import printable
from bam_engine.collection.thumbnails import Thumbnails
from bam_engine.errors import CollectionError, DiskFull
from bam_engine.formatting import count
from bam_engine.progress import Report, silent

PROJECTS = ("none", "folder")


@dataclass(frozen=True)
class IngestResult:
    """The result for each of a folder's image files.

    Attributes
    ----------
    files
        Image files in the folder: added, existing, moved, duplicate and unreadable ones.
    added
        New images.
    existing
        Files that hold the image that they held before.
    moved
        Images of the collection that are in another file than before; they keep their rows.
    found_again
        Images that were missing or replaced before, and whose bytes were found; they keep their rows.
    replaced
        Files that have changed, so that they hold another picture than before, or none. The images that they held keep
        their rows and labels, and have no file.
    missing
        Files of the collection that are not in the folder any more, and were when it was last added.
    passed_over
        Folders that were left out: those ``apart``, and caches.
    duplicates
        (file, URI of the image in the collection with exactly the same bytes).
    unreadable
        Files, and folders, that cannot be read or added. A generated image among real ones is not added, nor a real one
        among those of the demo.
    skipped
        Other files in the folder.
    hidden
        Hidden files and folders, which are left alone.
    updated
        Existing images with new details from the metadata file, or with a project from their folder.
    unmatched
        Paths in the metadata file, as written, that name no image in the folder.
    other_project
        Existing images that keep a project other than their folder, which was asked for.
    removed
        Files that hold an image that was removed from the collection. Adding their folder does not bring it back.
    """

    files: int
    added: int
    existing: int
    moved: int
    found_again: int
    replaced: list[str]
    missing: list[str]
    duplicates: list[tuple[str, str]]
    unreadable: list[Problem]
    skipped: int
    updated: int = 0
    unmatched: tuple[str, ...] = ()
    other_project: int = 0
    passed_over: list[str] = field(default_factory=list)
    hidden: int = 0
    removed: int = 0


def ingest_folder(
    catalogue: Catalogue,
    thumbnails: Thumbnails,
    folder: str | Path,
    *,
    metadata: str | Path | None = None,
    project: str = "none",
    verify: bool = False,
    apart: Iterable[Path] = (),
    report: Report = silent,
    workers: int | None = None,
) -> IngestResult:
    """Add the images of a folder and its subfolders.

    An image is its bytes, and a path is where they were last seen. Known files with an unchanged stamp (size, times and
    number, see :mod:`bam_engine.collection.stamps`) are not read again. Of several files with the same bytes, one is
    added. If a file has the bytes of an image whose own file has not, that image has moved: it keeps its row and gets
    the new path. So however files are renamed, labels stay with their pictures, and a file with new bytes is a new
    image. Unreadable files are recorded as problems of the stage "ingest" until a later run reads them or no longer
    finds them.

    Parameters
    ----------
    metadata
        A CSV of details, see :func:`read_details`. It also updates existing images. Its paths are relative to
        ``folder`` or absolute, see :func:`bam_engine.collection.matching.match_files`.
    project
        The project of an image for which ``metadata`` names none: "none", or "folder" for the file's folder. An
        existing image keeps the project that it has.
    verify
        Read every byte of known files too.
    apart
        Folders to be left out: those of the workspace itself. Caches are left out anyway.
    report
        Called after each batch with the number of files done and in total.
    workers
        Decoding threads; by default one per processor.

    Raises
    ------
    CollectionError
        The folder or the metadata file cannot be used, or real and generated images would mix and no file of the folder
        belongs here. Nothing was added.
    DiskFull
        The disk is full; the message says how many images were added.
    Stopped
        Raised by ``report``; the finished batches stay.
    """
    if project not in PROJECTS:
        raise CollectionError(f"Unknown source of projects {project!r}: use {' or '.join(PROJECTS)}.")
    root = check_folder(folder)
    table = {} if metadata is None else read_details(metadata)
    listing = find_images(root, apart=apart, report=report)
    _check_listing(root, listing)
    files = match_files(listing.paths, listing.links, table, root)
    _check_matched(root, table, files)
    details = {files[path]: table[path] for path in table if path in files}
    run = IngestRun(catalogue, thumbnails, root, details, project, verify, report)
    catalogue.note_source(str(root))
    try:
        run.go(listing, workers or os.cpu_count() or 1)
    except DiskFull as error:
        raise DiskFull(
            f"{error} Added so far: {count(run.added, 'image')}. Add the folder again to continue."
        ) from error
    except CollectionError as error:
        if run.added == 0:
            raise
        raise CollectionError(f"{error} Added before: {count(run.added, 'image')}.") from error
    if len(run.misfits) == len(listing.paths):
        raise CollectionError(f"Nothing was added. {run.misfits[0].path}: {run.misfits[0].reason}")
    return IngestResult(
        files=len(listing.paths),
        added=run.added,
        existing=run.existing,
        moved=len(run.moved),
        found_again=run.found_again,
        replaced=run.replaced,
        missing=run.missing,
        duplicates=run.duplicates,
        unreadable=run.unreadable,
        skipped=listing.skipped,
        updated=run.updated,
        unmatched=tuple(path for path in table if path not in files),
        other_project=run.other_project,
        passed_over=listing.passed_over,
        hidden=listing.hidden,
        removed=run.removed,
    )


def ingest_files(
    catalogue: Catalogue,
    thumbnails: Thumbnails,
    details: Mapping[str, Details],
    *,
    folder: Path,
    workers: int | None = None,
) -> list[Problem]:
    """Add files whose places and details are known, as :func:`ingest_folder` adds those of a folder.

    Parameters
    ----------
    details
        Path → details of the files.
    folder
        The folder that they are in.

    Returns
    -------
    list of Problem
        The files that cannot be added, with the reasons. They are not recorded.

    Raises
    ------
    DiskFull
        The disk is full.
    """
    run = IngestRun(catalogue, thumbnails, folder, details, "none", False, silent)
    return run.add_files(list(details), workers or os.cpu_count() or 1)


def _check_listing(root: Path, listing: FolderListing) -> None:
    if listing.paths:
        return
    if listing.unreadable:
        path, reason = listing.unreadable[0]
        raise CollectionError(f"No images were found in {root}. {printable(path)}: {reason}")
    if not listing.skipped:
        raise CollectionError(f"The folder {root} is empty. Put images into it or choose another folder.")
    raise CollectionError(
        f"The folder {root} holds {count(listing.skipped, 'file')} but no image. Supported formats are "
        f"{', '.join(SUPPORTED)}."
    )


def _check_matched(root: Path, table: Mapping[str, Details], files: Mapping[str, str]) -> None:
    if table and not files:
        raise CollectionError(
            f"None of the {len(table):,} paths in the metadata file is an image in {root}. The first is "
            f"{printable(next(iter(table)))}. Use absolute paths, or paths relative to the folder."
        )
