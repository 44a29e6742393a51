"""Adding the pictures of archives to the collection.

In:  an archive or a folder, and the folder of all originals. Out: one file for each picture, below a folder of the
archive and under the name that it has there, and images in the catalogue. What is known by its bytes is not written
again, so a run that was stopped goes on where it was.
"""

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from bam_engine.archives.members import Contents, Member
from bam_engine.archives.parquets import open_parquet
from bam_engine.archives.tars import open_tar
from bam_engine.archives.zips import open_zip
from bam_engine.collection import (
    Catalogue,
    Details,
    Image,
    IngestResult,
    Problem,
    Thumbnails,
    find_images,
    ingest_files,
    ingest_folder,
)
from bam_engine.collection.files import MAX_PROJECT, is_cache, natural_order, read_details
from bam_engine.collection.formats import DECIDES, format_of, is_picture, what_it_is
from bam_engine.collection.ingest_run import STAGE
from bam_engine.collection.originals import is_gone
from bam_engine.collection.texts import printable, storable
from bam_engine.errors import BucketUnavailable, CollectionError, DiskFull
from bam_engine.files import PRIVATE_FOLDER, open_ordinary, replacing
from bam_engine.formatting import count
from bam_engine.progress import Report, silent
from bam_engine.typed_paths import typed_path

FOLDER = "archives"
"""The folder of the originals in that of a workspace."""

SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".parquet")
"""The ends of the names by which archives are found in a folder."""

_BATCH = 64  # pictures
_BATCH_BYTES = 128 * 1024**2
_LONGEST_NAME = 200  # bytes of one part of a path
_WRITERS = 16
_FULL = (errno.ENOSPC, errno.EDQUOT)
_TAR_AT = 257
_EMPTY = IngestResult(0, 0, 0, 0, 0, [], [], [], [], 0)


def ingest_images(
    catalogue: Catalogue,
    thumbnails: Thumbnails,
    place: str | Path,
    *,
    home: Path,
    metadata: str | Path | None = None,
    project: str = "none",
    verify: bool = False,
    apart: Iterable[Path] = (),
    report: Report = silent,
) -> IngestResult:
    """Add the images of a folder and of the archives in it, or those of one archive.

    Parameters
    ----------
    home
        The folder of all originals, see :func:`ingest_archive`; other parameters as in
        :func:`bam_engine.collection.ingest_folder`. Where ``place`` is a folder, ``metadata`` is about its files.

    Raises
    ------
    CollectionError, DiskFull, Stopped
        As :func:`ingest_archive` and :func:`bam_engine.collection.ingest_folder`. In a folder, an archive that cannot
        be read is one of the unreadable files.
    """
    apart = tuple(apart)
    typed = typed_path(str(place)) if str(place).strip() else None
    if typed is not None and typed.is_file():
        return ingest_archive(
            catalogue, thumbnails, place, home=home, metadata=metadata, project=project, report=report
        )
    found = [] if typed is None else archives_in(typed, apart=apart)
    if found and not find_images(place, apart=apart, report=report).paths:
        total = _EMPTY
    else:
        total = ingest_folder(
            catalogue,
            thumbnails,
            place,
            metadata=metadata,
            project=project,
            verify=verify,
            apart=apart,
            report=report,
        )
    for archive in found:
        try:
            one = ingest_archive(catalogue, thumbnails, archive, home=home, project=project, report=report)
        except DiskFull:
            raise
        except CollectionError as error:
            problem = Problem(str(archive), str(error), STAGE)
            catalogue.record_problems([problem])
            one = replace(_EMPTY, unreadable=[problem])
        total = _sum(total, one)
    return replace(total, skipped=max(0, total.skipped - len(found)))


def archives_in(folder: Path, *, apart: Iterable[Path] = ()) -> list[Path]:
    """Return the archives below a folder, by the ends of their names, in natural order; hidden ones are left out."""
    found: list[Path] = []
    left_out = {place.resolve() for place in apart}
    for parent, folders, names in os.walk(folder.resolve()):
        here = Path(parent)
        folders[:] = [f for f in folders if not f.startswith(".") and (here / f) not in left_out]
        if is_cache(here):
            folders.clear()
            continue
        found += [here / n for n in names if n.lower().endswith(SUFFIXES) and not n.startswith(".")]
    return sorted(found, key=lambda path: natural_order(str(path)))


def ingest_archive(
    catalogue: Catalogue,
    thumbnails: Thumbnails,
    archive: str | Path,
    *,
    home: Path,
    metadata: str | Path | None = None,
    project: str = "none",
    report: Report = silent,
) -> IngestResult:
    """Add the pictures of a zip, tar or Parquet file. What it is, its content tells and not its name.

    Each picture becomes a file below ``home``: in a folder with the name of the archive and a digest of its path, under
    the name that it has in the archive. The archive is not needed afterwards. Pictures that the collection has are not
    written; of two members with one name both are kept. What is no picture is skipped; what looks like one and cannot
    be had is among the unreadable files, under the path of the archive with the name of the member.

    Parameters
    ----------
    metadata
        A CSV of details by the names in the archive. It has precedence over what the archive tells.
    project
        "folder" makes each folder in the archive a project, for images of which nothing else names one.
    report
        Called after each batch with the number of pictures done, and of all entries if the archive has a list.

    Raises
    ------
    CollectionError
        The file is no archive, holds no pictures, or real images do not belong into this collection.
    DiskFull
        The disk is full. What was added stays.
    Stopped
        Raised by ``report``. What was added stays.
    """
    path = typed_path(str(archive)).resolve()
    if (reason := catalogue.why_apart(generated=False)) is not None:
        raise CollectionError(f"Nothing was added from {path.name}: each of its pictures would be {reason}")
    table = {} if metadata is None else read_details(metadata)
    contents = _opener_of(path)(path)
    run = _Run(catalogue, thumbnails, path, home / _folder_of(path), table, project)
    try:
        run.go(contents, report)
    except OSError as error:
        if error.errno in _FULL:
            words = f"Added so far: {count(run.added, 'image')}. Make room and add the archive again to continue."
            raise DiskFull(f"The disk is full: originals are kept in {home}. {words}") from error
        raise CollectionError(f"Cannot store the pictures of {path.name} in {home}: {error.strerror}.") from error
    if not run.files and not contents.damage:
        others = f" It holds {count(contents.skipped, 'other file')}." if contents.skipped else " It is empty."
        raise CollectionError(f"{path.name} holds no pictures.{others}")
    return IngestResult(
        files=run.files,
        added=run.added,
        existing=run.existing,
        moved=0,
        found_again=run.found_again,
        replaced=[],
        missing=[],
        duplicates=run.duplicates,
        unreadable=run.unreadable,
        skipped=contents.skipped,
        updated=run.updated,
        unmatched=tuple(name for name in table if name not in run.named),
        hidden=contents.hidden,
        removed=run.removed,
    )


@dataclass
class _Run:
    """One run over an archive; the fields from ``files`` on are its own."""

    catalogue: Catalogue
    thumbnails: Thumbnails
    archive: Path
    root: Path
    table: Mapping[str, Details]
    project: str
    files: int = 0
    added: int = 0
    existing: int = 0
    found_again: int = 0
    updated: int = 0
    removed: int = 0
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # paths of this run, in small letters

    def go(self, contents: Contents, report: Report) -> None:
        """Add all pictures, batch by batch."""
        below = f"{printable(str(self.archive))}/"
        before = {one.uri for one in self.catalogue.problems(STAGE) if f"{one.uri}/".startswith(below)}
        gone = {int(row) for row in self.catalogue.removed().rows}
        for batch in _batches(contents.members):
            self.files += len(batch)
            self._note([(one.name, one.problem) for one in batch if one.problem])
            self._add([one for one in batch if not one.problem], gone)
            done = self.files + contents.skipped + contents.hidden
            report(done if contents.total is None else min(done, contents.total), contents.total, self._message())
        if contents.damage:
            self._note([("", contents.damage)])
        self.catalogue.clear_problems(STAGE, before.difference(one.uri for one in self.unreadable))
        if self.root.exists():
            self.catalogue.note_source(str(self.root))

    def _message(self) -> str:
        known = f", {self.existing:,} already in the collection" if self.existing else ""
        return f"{self.archive.name}: {count(self.added, 'image')} added{known}"

    def _note(self, problems: list[tuple[str, str]]) -> None:
        """Record what is wrong with members, or under the name "" with the archive."""
        found = [Problem(self._called(name), reason, STAGE) for name, reason in problems]
        self.catalogue.record_problems(found)
        self.unreadable += found

    def _called(self, name: str) -> str:
        """Return the path of the archive with the name of a member, which no file has."""
        return printable(f"{self.archive}/{name.lstrip('/')}" if name else str(self.archive))

    def _add(self, members: list[Member], gone: set[int]) -> None:
        digests = [hashlib.sha256(one.content).hexdigest() for one in members]
        images = self.catalogue.images_with(digests)
        present = {digest: image for digest, image in images.items() if not _is_gone(image)}
        new: dict[str, tuple[Member, Path]] = {}
        changes: dict[str, Details] = {}
        for member, digest in zip(members, digests, strict=True):
            details = self._details(member)
            if digest in present:
                self._count_known(member, present[digest].uri)
                self.removed += present[digest].row in gone
                changes.setdefault(present[digest].uri, details)
            elif digest in new:
                self.duplicates.append((self._called(member.name), str(new[digest][1])))
            else:
                new[digest] = member, self._place(member, digest)
        self._update(changes)
        self._write(list(new.values()))
        self._ingest(new, set(images))

    def _count_known(self, member: Member, uri: str) -> None:
        if Path(uri).is_relative_to(self.root):
            self.existing += 1
        else:
            self.duplicates.append((self._called(member.name), uri))

    def _details(self, member: Member) -> Details:
        """Return what is known of a member: from the table, else from the archive, else by its folder."""
        told = member.details
        if (own := self.table.get(member.name)) is not None:
            self.named.add(member.name)
            told = Details(
                own.title or told.title,
                own.project_id or told.project_id,
                own.license or told.license,
                told.mature_content if own.mature_content is None else own.mature_content,
                own.url or told.url,
            )
        if told.project_id is None and self.project == "folder":
            project = f"{self.archive.name}/{member.name.rpartition('/')[0]}".rstrip("/")
            told = replace(told, project_id=printable(project)[:MAX_PROJECT])
        return told

    def _update(self, changes: Mapping[str, Details]) -> None:
        self.updated += self.catalogue.update_details({uri: vars(details) for uri, details in changes.items()})

    def _place(self, member: Member, digest: str) -> Path:
        """Return where a picture is stored: under its name in the archive, or by its bytes if a file cannot have it."""
        parts = [part for part in member.name.split("/") if part not in ("", ".")]
        kind = (format_of(member.content[:DECIDES]) or "bin").lower()
        path = self.root.joinpath(*parts)
        long = any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts)
        blocked = any(parent.is_file() or str(parent).casefold() in self.taken for parent in path.parents)
        if not parts or long or blocked or not storable(str(path)) or any(not part.isprintable() for part in parts):
            return self.root / f"{digest[:32]}.{kind}"
        suffix = path.suffix or f".{kind}"
        path = path.with_name(f"{path.stem}{suffix}")
        if self._is_taken(path, member.content):
            path = path.with_name(f"{path.stem}-{digest[:16]}{suffix}")
        self.taken.add(str(path).casefold())
        return path

    def _is_taken(self, path: Path, content: bytes) -> bool:
        """Return whether another picture, or a folder, has this name; of some file systems case is no part of it."""
        if str(path).casefold() in self.taken or path.is_dir():
            return True
        return path.is_file() and path.read_bytes() != content

    def _write(self, files: list[tuple[Member, Path]]) -> None:
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="archive") as pool:
            list(pool.map(_store, files))

    def _ingest(self, new: Mapping[str, tuple[Member, Path]], lost: set[str]) -> None:
        details = {str(path): self._details(member) for member, path in new.values()}
        problems = ingest_files(self.catalogue, self.thumbnails, details, folder=self.root)
        bad = {problem.uri: problem.reason for problem in problems}
        self._note([(member.name, bad[str(path)]) for member, path in new.values() if str(path) in bad])
        for uri in bad:
            Path(uri).unlink(missing_ok=True)
        stored = {digest for digest, (_, path) in new.items() if str(path) not in bad}
        self.found_again += len(stored & lost)
        self.added += len(stored - lost)


def _store(file: tuple[Member, Path]) -> None:
    """Write a picture, so that what the catalogue holds is on the disk."""
    member, path = file
    path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    with replacing(path, flush=True) as temporary:
        temporary.write_bytes(member.content)


def _batches(members: Iterable[Member]) -> Iterator[list[Member]]:
    """Yield members in batches that fit into memory."""
    batch: list[Member] = []
    size = 0
    for member in members:
        batch.append(member)
        size += len(member.content)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _folder_of(archive: Path) -> str:
    """Return the name of the folder of an archive: two archives of one name in different places have two."""
    name = re.sub(r"[^\w.-]+", "-", archive.name, flags=re.ASCII).strip("-.")[:80]
    return f"{name}-{hashlib.sha256(os.fsencode(archive)).hexdigest()[:8]}"


def _opener_of(path: Path) -> Callable[[Path], Contents]:
    """Return what opens an archive, by its first bytes."""
    try:
        with open_ordinary(path) as file:
            head = file.read(DECIDES)
    except OSError as error:
        raise CollectionError(f"Cannot read {path}: {error.strerror or error}.") from error
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return open_zip
    if head.startswith(b"PAR1"):
        return open_parquet
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")) or head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return open_tar
    if is_picture(head):
        raise CollectionError(f"{path} is a picture. Enter its folder instead: {path.parent}.")
    what = what_it_is(head).removesuffix(", not an image") if head else "empty"
    raise CollectionError(
        f"{path} is neither a folder nor an archive that can be read: it is {what}. Archives are zip, tar (also "
        ".tar.gz, .tar.bz2 and .tar.xz) and Parquet files with pictures in them. Unpack others, and add the folder."
    )


def _sum(first: IngestResult, second: IngestResult) -> IngestResult:
    """Return the result of two runs."""
    return IngestResult(**{one.name: getattr(first, one.name) + getattr(second, one.name) for one in fields(first)})


def _is_gone(image: Image) -> bool:
    try:
        return is_gone(image.path)
    except BucketUnavailable:  # nothing is known of it
        return False
