"""Looking at the files of a folder, and adding, moving and updating images in the catalogue.

In:  the files, and the details that a metadata file gives for them. Out: records, thumbnails, problems, and counts.
Works in small batches, one transaction each: if a run is interrupted, finished batches stay and the next run continues
after them.
"""

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from bam_engine.collection.catalogue import Catalogue
from bam_engine.collection.files import Details, FolderListing
from bam_engine.collection.images import ImageInfo, examine, read_image
from bam_engine.collection.known_files import KnownFiles, Sighting, State, look_at
from bam_engine.collection.originals import stamp_at
from bam_engine.collection.records import OK, Image, NewImage, Place, Problem
from bam_engine.collection.stamps import BEING_WRITTEN, Stamp
from bam_engine.collection.texts import printable, storable, why_not_storable
from bam_engine.collection.thumbnails import Thumbnail, Thumbnails
from bam_engine.errors import BucketUnavailable, ImageUnreadable
from bam_engine.progress import Report

STAGE = "ingest"
BATCH = 64
Outcome = ImageInfo | ImageUnreadable
_LARGE = 50_000_000  # pixels; larger images are decoded one at a time to bound memory


@dataclass
class IngestRun:
    """The inputs and counts of one run."""

    catalogue: Catalogue
    thumbnails: Thumbnails
    root: Path | str
    details: Mapping[str, Details]
    project: str
    verify: bool
    report: Report
    added: int = 0
    existing: int = 0
    moved: set[int] = field(default_factory=set)
    relocated: set[int] = field(default_factory=set)  # moved or found again, in another file than before
    found_again: int = 0
    replaced: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    updated: int = 0
    other_project: int = 0
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    misfits: list[Problem] = field(default_factory=list)  # generated images among real ones, or the other way round
    removed: int = 0
    large: threading.Lock = field(default_factory=threading.Lock)

    def go(self, listing: FolderListing, workers: int) -> None:
        before = {problem.uri for problem in self.catalogue.problems(STAGE)}
        total = len(listing.paths)
        self.record_problems([Problem(path, reason, STAGE) for path, reason in listing.unreadable])
        unstorable = [path for path in listing.paths if not storable(path)]
        self.record_problems([Problem(path, why_not_storable(path), STAGE) for path in unstorable])
        with ThreadPoolExecutor(workers, thread_name_prefix="ingest") as pool:
            known = self._check_known(listing.paths, pool)
            new = [p for p in listing.paths if storable(p) and p not in known.rows and p not in known.unreadable]
            done = total - len(new)
            self.report(done, total, self.message())
            for start in range(0, len(new), BATCH):
                batch = new[start : start + BATCH]
                bad = self.add_batch(batch, known, pool)
                done += len(batch)
                self.catalogue.clear_problems(STAGE, before.intersection(batch).difference(bad))
                self.report(done, total, self.message())
        if len(self.misfits) < total:
            self.record_problems(self.misfits)
        self.replaced = [path for row, path in known.displaced.items() if row not in self.moved]
        self.missing = known.find_missing(str(self.root))
        self.removed = self.count_removed(known)
        self.clear_resolved(before)

    def add_files(self, paths: list[str], workers: int) -> list[Problem]:
        """Add some files without a look at what else is in their folder; return those that cannot be added."""
        with ThreadPoolExecutor(workers, thread_name_prefix="ingest") as pool:
            known = self._check_known(paths, pool)
            new = [path for path in paths if path not in known.rows and path not in known.unreadable]
            for start in range(0, len(new), BATCH):
                self.add_batch(new[start : start + BATCH], known, pool)
        self.catalogue.clear_problems(STAGE, [problem.uri for problem in self.unreadable])
        return self.unreadable + self.misfits

    def count_removed(self, known: KnownFiles) -> int:
        """Return how many files hold a removed image: known files, moved ones, and exact duplicates."""
        gone = self.catalogue.removed().rows
        if not len(gone):
            return 0
        copies = self.catalogue.rows_of({uri for _, uri in self.duplicates})
        rows = [*known.rows.values(), *self.relocated, *(copies[uri] for _, uri in self.duplicates)]
        return int(np.isin(rows, gone).sum())

    def _check_known(self, paths: list[str], pool: ThreadPoolExecutor) -> KnownFiles:
        known = KnownFiles(self.catalogue, pool, self.verify)
        known.check(paths, lambda: self.report(len(known.rows), len(paths), "checking the known files"))
        self.found_again, self.existing = known.found_again, len(known.rows) - known.found_again
        self.record_problems([Problem(path, reason, STAGE) for path, reason in known.unreadable.items()])
        self.update_details(known.rows)
        return known

    def message(self) -> str:
        parts = [(self.added, "added"), (self.existing, "already in the collection"), (len(self.moved), "moved")]
        parts += [(len(self.duplicates), "duplicate"), (len(self.unreadable), "unreadable")]
        return "images: " + ", ".join(f"{number:,} {word}" for number, word in parts if number or word == "added")

    def update_details(self, rows: Mapping[str, int]) -> None:
        """Update existing images, URI → row, from the metadata file, and those without a project from their folder."""
        changes = {uri: asdict(self.details[uri]) for uri in rows if uri in self.details}
        if self.project == "folder":
            names, named = self.catalogue.project_names()
            for uri, row in rows.items():
                change = changes.setdefault(uri, {})
                if change.get("project_id") is not None:
                    continue
                project = self._folder_project(uri)
                if named[row] < 0:
                    change["project_id"] = project
                else:
                    self.other_project += names[named[row]] != project
        self.updated += self.catalogue.update_details(changes)

    def _folder_project(self, uri: str) -> str:
        """Return the project of a file by its folder: from the added folder on, or whole where a link leads outside."""
        folder, root = os.path.dirname(uri), str(self.root).rstrip("/")  # noqa: PTH120 - a Path per file costs time
        inside = (folder + "/").startswith(root + "/")
        name = os.path.basename(root)  # noqa: PTH119 - a root may be the address of a bucket
        return (name + folder[len(root) :]).lstrip("/") or "." if inside else folder

    def record_problems(self, problems: list[Problem]) -> None:
        self.catalogue.record_problems(problems)
        self.unreadable += [Problem(printable(p.uri), p.reason, p.stage) for p in problems]

    def clear_resolved(self, before: set[str]) -> None:
        inside = printable(str(self.root)).rstrip("/") + "/"
        bad = {problem.uri for problem in self.unreadable}
        self.catalogue.clear_problems(STAGE, [u for u in before if (u + "/").startswith(inside) and u not in bad])

    def add_batch(self, batch: list[str], known: KnownFiles, pool: ThreadPoolExecutor) -> list[str]:
        """Add the new, readable images of the batch; return the unreadable files."""
        outcomes = self._without_misfits(dict(zip(batch, pool.map(self.try_examine, batch), strict=True)))
        examined = {uri: outcome for uri, outcome in outcomes.items() if isinstance(outcome, ImageInfo)}
        existing = self.catalogue.images_with({info.digest for info in examined.values()})
        self._move(examined, self._elsewhere(existing, pool), known)
        firsts: dict[str, str] = {}  # digest -> the first file of the batch that has it
        for uri, info in examined.items():
            if info.digest not in existing:
                firsts.setdefault(info.digest, uri)
        new = list(firsts.values())
        rendered = dict(zip(new, pool.map(self.try_render, new, [examined[u] for u in new]), strict=True))
        readable = {uri: thumbnail for uri, thumbnail in rendered.items() if isinstance(thumbnail, Thumbnail)}
        self.added += self.catalogue.add([self._record(uri, examined[uri]) for uri in readable])
        added = self.catalogue.images_with({examined[uri].digest for uri in readable})  # by this run or by another one
        pictures = [readable[firsts[digest]] for digest in added]
        list(pool.map(self.thumbnails.store, [image.row for image in added.values()], pictures))
        return self._explain_rest(outcomes, firsts, rendered)

    def _without_misfits(self, outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
        """Return the outcomes without those of images that never mix with those of this workspace, and note these."""
        reasons = {kind: self.catalogue.why_apart(generated=kind) for kind in (True, False)}
        fitting = dict(outcomes)
        for uri, outcome in outcomes.items():
            if isinstance(outcome, ImageInfo) and (reason := reasons[outcome.generated]) is not None:
                self.misfits.append(Problem(uri, f"It is {reason}", STAGE))
                del fitting[uri]
        return fitting

    def _elsewhere(self, images: Mapping[str, Image], pool: ThreadPoolExecutor) -> dict[str, Image]:
        """Return those of ``images``, by digest, whose files do not hold them; mark those whose files hold others."""
        sightings = zip(images.values(), pool.map(self._look_at, images.values()), strict=True)
        states = [(image, seen.state) for image, seen in sightings]
        self.catalogue.displace(image for image, state in states if state is State.OTHER_BYTES)
        return {image.digest: image for image, state in states if state in (State.OTHER_BYTES, State.NOTHING)}

    def _look_at(self, image: Image) -> Sighting:
        """Look at a known image; where its bucket does not answer, nothing is known of it, and nothing fails."""
        try:
            return look_at(image, verify=self.verify)
        except BucketUnavailable as error:
            return Sighting(State.UNKNOWN, reason=str(error))

    def _move(self, examined: Mapping[str, ImageInfo], elsewhere: Mapping[str, Image], known: KnownFiles) -> None:
        """Move the images ``elsewhere``, by digest, to the first file of the batch with their bytes."""
        firsts: dict[str, str] = {}
        for uri, info in examined.items():
            firsts.setdefault(info.digest, uri)
        places = {
            image.row: Place(firsts[digest], examined[firsts[digest]].stamp.lasting)
            for digest, image in elsewhere.items()
        }
        rows = self.catalogue.move(places)
        lost = {image.row for image in elsewhere.values() if image.status != OK} - known.displaced.keys()
        self.found_again += len(lost.intersection(rows))
        self.moved.update(set(rows) - lost)
        self.relocated.update(rows)
        self.update_details({places[row].uri: row for row in rows})

    def _explain_rest(
        self,
        outcomes: Mapping[str, Outcome],
        firsts: Mapping[str, str],
        rendered: Mapping[str, Thumbnail | ImageUnreadable],
    ) -> list[str]:
        """Record for each file of the batch that was not added why it was not."""
        digests = {outcome.digest for outcome in outcomes.values() if isinstance(outcome, ImageInfo)}
        uris = {digest: image.uri for digest, image in self.catalogue.images_with(digests).items()}
        problems = []
        for uri, outcome in outcomes.items():
            if isinstance(outcome, ImageInfo) and uris.get(outcome.digest) == uri:
                continue
            error = rendered.get(firsts.get(outcome.digest, "")) if isinstance(outcome, ImageInfo) else outcome
            if isinstance(error, ImageUnreadable):
                problems.append(Problem(uri, str(error), STAGE))
            elif isinstance(outcome, ImageInfo) and outcome.digest in uris:
                self.duplicates.append((uri, uris[outcome.digest]))
            else:  # another run has added the file meanwhile, with other bytes
                problems.append(Problem(uri, BEING_WRITTEN, STAGE))
        self.record_problems(problems)
        return [problem.uri for problem in problems]

    def _record(self, uri: str, info: ImageInfo) -> NewImage:
        details = self.details.get(uri, Details())
        project = details.project_id
        if project is None and self.project == "folder":
            project = self._folder_project(uri)
        return NewImage(
            uri=uri,
            width=info.width,
            height=info.height,
            digest=info.digest,
            stamp=info.stamp.lasting,
            title=details.title,
            project_id=project,
            mature_content=details.mature_content,
            license=details.license,
            url=details.url,
            generated=info.generated,
        )

    def try_examine(self, uri: str) -> Outcome:
        try:
            return examine(uri)
        except ImageUnreadable as error:
            return error

    def try_render(self, uri: str, info: ImageInfo) -> Thumbnail | ImageUnreadable:
        with self.large if info.width * info.height > _LARGE else nullcontext():
            try:
                thumbnail = self.thumbnails.render(read_image(uri, size=self.thumbnails.size))
            except ImageUnreadable as error:
                return error
            except MemoryError:
                return ImageUnreadable("There is not enough memory to scale the image.")
        return thumbnail if _is_still(uri, info.stamp) else ImageUnreadable(BEING_WRITTEN)


def _is_still(uri: str, stamp: Stamp) -> bool:
    try:
        return stamp_at(uri).text == stamp.text
    except OSError:
        return False
