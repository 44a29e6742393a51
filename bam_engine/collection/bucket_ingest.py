"""Adding the images of a bucket to the catalogue; they stay where they are.

In:  an address, optionally a metadata file. Out: records, thumbnails, problems, and a summary, as of a folder. Objects
are listed page by page, and each that is new or has changed is read once. A run that was stopped goes on after what is
in the catalogue: an object with the stamp that it had is not read again.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from bam_engine.collection.buckets import (
    Access,
    BucketObject,
    ObjectDenied,
    bucket_of,
    check_address,
    check_endpoint,
    is_address,
    objects_below,
)
from bam_engine.collection.catalogue import Catalogue
from bam_engine.collection.files import read_details
from bam_engine.collection.formats import READABLE_SUFFIXES, SUPPORTED, UNSUPPORTED_SUFFIXES
from bam_engine.collection.images import ImageInfo, examine_and_scale
from bam_engine.collection.ingest import PROJECTS, IngestResult
from bam_engine.collection.ingest_run import BATCH, STAGE, IngestRun, Outcome
from bam_engine.collection.known_files import KnownFiles
from bam_engine.collection.records import Place, Problem
from bam_engine.collection.texts import storable, why_not_storable
from bam_engine.collection.thumbnails import Thumbnail, Thumbnails
from bam_engine.errors import BucketUnavailable, CollectionError, DiskFull, ImageUnreadable
from bam_engine.formatting import count
from bam_engine.progress import Report, silent

_CANDIDATES = READABLE_SUFFIXES | UNSUPPORTED_SUFFIXES  # unsupported ones are tried too, so that they are reported
_AT_ONCE = 16  # objects that are read at the same time, at least
_HOPELESS = 16  # objects in one batch that may not be read, and none that may: the next would be no better


def ingest_bucket(
    catalogue: Catalogue,
    thumbnails: Thumbnails,
    address: str,
    *,
    endpoint_url: str | None = None,
    anonymous: bool | None = None,
    metadata: str | Path | None = None,
    project: str = "none",
    verify: bool = False,
    report: Report = silent,
    workers: int | None = None,
) -> IngestResult:
    """Add the images of a bucket, or of a folder in it, and leave them where they are.

    An image is its bytes, and an address is where they were last seen: what becomes of changed, moved, missing and
    unreadable objects is as with the files of a folder (:func:`.ingest_folder`). Objects are told by the end of their
    name; those whose name, or a folder of theirs, begins with a dot are left alone. A known object with the same size
    and entity tag, or time where there is no tag, is not read again.

    Parameters
    ----------
    address
        ``s3://BUCKET/FOLDER``, ``gs://`` or ``az://``. Credentials come from the environment or the provider's own
        configuration; none are stored.
    endpoint_url
        The server of the bucket if it is not the provider's own, such as MinIO. It is remembered for the bucket; None
        for what is remembered.
    anonymous
        Ask without credentials; remembered, and None, as ``endpoint_url``.
    metadata, project, verify
        As in :func:`.ingest_folder`; paths of ``metadata`` are relative to ``address``, or whole addresses.
    report
        Called after each batch with the number of images looked at; how many there are is not known before the end.
    workers
        Threads that read; by default two per processor, 16 at least.

    Raises
    ------
    BucketUnavailable
        The bucket does not answer, or refuses the credentials; the message says what to do, and how many images were
        added. What was added stays, and the next run goes on after it.
    CollectionError
        The address is none, or holds no image; a package is not installed; the metadata file cannot be used.
    DiskFull
        The disk is full; the message says how many images were added.
    Stopped
        Raised by ``report``; the finished batches stay.
    """
    if project not in PROJECTS:
        raise CollectionError(f"Unknown source of projects {project!r}: use {' or '.join(PROJECTS)}.")
    place = check_address(address)
    known = catalogue.buckets().get(bucket_of(place), Access())
    access = Access(
        known.endpoint_url if endpoint_url is None else check_endpoint(endpoint_url),
        known.anonymous if anonymous is None else anonymous,
    )
    table = {} if metadata is None else read_details(metadata)
    named = {path if is_address(path) else f"{place}/{path.lstrip('/')}": path for path in table}
    details = {uri: table[path] for uri, path in named.items()}
    run = _BucketRun(catalogue, thumbnails, place, details, project, verify, report)
    try:
        run.go_through(objects_below(place, access), access, workers or max(_AT_ONCE, 2 * (os.cpu_count() or 1)))
    except (DiskFull, BucketUnavailable) as error:
        words = f"{error} Added so far: {count(run.added, 'image')}." if run.files else str(error)
        raise type(error)(words) from None
    if not run.files:
        held = f"holds {count(run.skipped, 'object')} but no image" if run.skipped else "holds no objects"
        raise CollectionError(f"{place} {held}. Supported formats are {', '.join(SUPPORTED)}, by the ends of names.")
    if len(run.misfits) == run.files:
        raise CollectionError(f"Nothing was added. {run.misfits[0].path}: {run.misfits[0].reason}")
    return IngestResult(
        files=run.files,
        added=run.added,
        existing=run.existing,
        moved=len(run.moved),
        found_again=run.found_again,
        replaced=run.replaced,
        missing=run.missing,
        duplicates=run.duplicates,
        unreadable=run.unreadable,
        skipped=run.skipped,
        updated=run.updated,
        unmatched=tuple(path for uri, path in named.items() if uri not in run.named),
        other_project=run.other_project,
        hidden=run.hidden,
        removed=run.removed,
    )


@dataclass
class _BucketRun(IngestRun):
    """A run over the objects of a bucket; of those, a page is in memory."""

    files: int = 0
    skipped: int = 0
    hidden: int = 0
    named: set[str] = field(default_factory=set)  # addresses of the metadata that were found
    displaced: dict[int, str] = field(default_factory=dict)
    objects: dict[str, BucketObject] = field(default_factory=dict)  # of the page
    pictures: dict[str, Thumbnail] = field(default_factory=dict)  # of the batch
    denied: list[str] = field(default_factory=list)  # of the batch

    def go_through(self, pages: Iterator[list[BucketObject]], access: Access, workers: int) -> None:
        """Add all images; then mark those as missing that were not listed."""
        before = {problem.uri for problem in self.catalogue.problems(STAGE)}
        seen = np.zeros(len(self.catalogue), bool)
        with ThreadPoolExecutor(workers, thread_name_prefix="bucket") as pool:
            for page in pages:
                self.objects = {one.uri: one for one in page if self._is_wanted(one)}
                if self.objects and not self.files:
                    self.catalogue.note_bucket(str(self.root), access)
                    self.catalogue.note_source(str(self.root))
                self.files += len(self.objects)
                self._add_page(seen, before, pool)
                self.report(self.files, None, self.message())
        if not self.files:
            return
        if len(self.misfits) < self.files:
            self.record_problems(self.misfits)
        self.replaced = [uri for row, uri in self.displaced.items() if row not in self.moved]
        self.missing = self._find_missing(seen)
        self.removed += self.count_removed(KnownFiles(self.catalogue, pool, verify=False))
        self.clear_resolved(before)

    def _is_wanted(self, one: BucketObject) -> bool:
        """Return whether an object is an image by its name; count the others."""
        inside = one.uri.removeprefix(f"{self.root}/")
        if any(part.startswith(".") and part not in (".", "..") for part in inside.split("/")):
            self.hidden += 1
            return False
        if PurePosixPath(inside).suffix.lower() not in _CANDIDATES:
            self.skipped += 1
            return False
        return True

    def _add_page(self, seen: npt.NDArray[np.bool_], before: set[str], pool: ThreadPoolExecutor) -> None:
        unstorable = [uri for uri in self.objects if not storable(uri)]
        self.record_problems([Problem(uri, why_not_storable(uri), STAGE) for uri in unstorable])
        uris = [uri for uri in self.objects if storable(uri)]
        self.named.update(uri for uri in uris if uri in self.details)
        known = self._check_page(uris, seen, pool)
        new = [uri for uri in uris if uri not in known.rows and uri not in known.unreadable]
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            self.pictures.clear()
            self.denied.clear()
            bad = self.add_batch(batch, known, pool)
            self.catalogue.clear_problems(STAGE, before.intersection(batch).difference(bad))
            hopeless = len(self.denied) == len(batch) >= _HOPELESS and not known.rows
            if hopeless and not before.issuperset(batch):  # else some are denied among others, as was said before
                raise BucketUnavailable(
                    f"{batch[0]} and the {len(batch) - 1} objects after it may not be read with the credentials of the "
                    "environment. Allow it (in S3, s3:GetObject), and add the bucket again: it goes on from there."
                )
            self.report(self.files - len(new) + start + len(batch), None, self.message())

    def _check_page(self, uris: list[str], seen: npt.NDArray[np.bool_], pool: ThreadPoolExecutor) -> KnownFiles:
        """Find the objects of a page that are in the catalogue, and note them as seen."""
        known = KnownFiles(self.catalogue, pool, self.verify, stamp_of=lambda uri: self.objects[uri].stamp)
        known.check(uris, lambda: None)
        self.found_again += known.found_again
        self.existing += len(known.rows) - known.found_again
        self.record_problems([Problem(uri, reason, STAGE) for uri, reason in known.unreadable.items()])
        self.update_details(known.rows)
        rows = np.array([*known.rows.values(), *self.catalogue.rows_of(known.unreadable).values()], np.int64)
        seen[rows[rows < len(seen)]] = True
        self.removed += int(np.isin(list(known.rows.values()), self.catalogue.removed().rows).sum())
        self.displaced |= known.displaced
        known.displaced = self.displaced
        return known

    def _find_missing(self, seen: npt.NDArray[np.bool_]) -> list[str]:
        """Mark the images below the address that were there before and were not listed; return their addresses."""
        gone = {
            row: Place(uri)
            for page in self.catalogue.places_below(str(self.root))
            for row, uri in page
            if row < len(seen) and not seen[row] and row not in self.relocated
        }
        self.catalogue.mark_missing(gone)
        return [place.uri for place in gone.values()]

    def try_examine(self, uri: str) -> Outcome:
        """Read an object once: examine it, and keep its thumbnail for the batch."""
        try:
            info, image = examine_and_scale(self.objects[uri], size=self.thumbnails.size)
            self.pictures[uri] = self.thumbnails.render(image)
        except BucketUnavailable:
            raise
        except ImageUnreadable as error:
            if isinstance(error.__cause__, ObjectDenied):
                self.denied.append(uri)
            return error
        except MemoryError:
            return ImageUnreadable("There is not enough memory to scale the image.")
        return info

    def try_render(self, uri: str, info: ImageInfo) -> Thumbnail | ImageUnreadable:
        return self.pictures[uri]
