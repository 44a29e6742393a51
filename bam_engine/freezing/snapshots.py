"""Snapshots by their names: made, listed, read and removed.

In:  a workspace and a name. Out: a folder ``snapshots/NAME`` in the folder of the workspace. It takes its name once all
of it is on the disk, and nothing in it is changed after:

- ``dataset.sqlite`` has the tables of the dataset (:mod:`bam_engine.database.frozen_tables`), whatever the database;
- ``contents.npz`` has what the dataset says of each image (:mod:`.contents`), so that comparing needs nothing else;
- ``snapshot.json`` says what it is, with the digest of the tables.

Images are not copied: the tables hold their digests and places. Classifiers are in the tables.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine import __version__
from bam_engine import database as db
from bam_engine.annotation.answers import SKIPPED, WORDS
from bam_engine.database.frozen_tables import freeze
from bam_engine.errors import BamError, NotFound
from bam_engine.files import ABANDONED, PRIVATE_FILE, PRIVATE_FOLDER, TEMPORARY, flush_to_disk, private_files
from bam_engine.freezing.contents import Contents, Facts, contents_of, facts_from, read_arrays, write_arrays
from bam_engine.progress import Report, silent
from bam_engine.workspace.core import Workspace

FOLDER = "snapshots"
"""The folder of all snapshots, in that of the workspace."""

NOW = "now"
"""What stands for the dataset as it is, where a snapshot can be named; no snapshot is called so."""

MAX_NOTE = 2_000
"""Characters in a note."""

_TABLES, _ARRAYS, _ABOUT = "dataset.sqlite", "contents.npz", "snapshot.json"
_LAYOUT = 1  # of the folder
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FAILURES = (OSError, sqlite3.Error, sa.exc.DBAPIError)  # of the disk, above all


@dataclass(frozen=True)
class DatasetSnapshot:
    """A dataset as it was when somebody froze it.

    Attributes
    ----------
    name, note
        What it is called, and what it is for, in the words of whoever made it.
    made_at, made_by
        When, in UTC, and by whom; "" where nobody is known.
    version, schema
        Of the program that made it, and of its tables.
    images, answers
        How many images the collection had, and how many answers were stored.
    digest, contents_digest
        SHA-256 of the tables, by which two copies of a snapshot are known to be the same, and of what it says
        of images.
    layout
        Of its files.
    votes
        How many people had to agree on an image, and on one that judges.
    attributes
        What was decided and promised about each attribute.
    size
        Bytes on the disk.
    folder
        Where it is.
    """

    name: str
    note: str
    made_at: str
    made_by: str
    version: str
    schema: int
    images: int
    answers: int
    digest: str
    contents_digest: str
    layout: int
    votes: tuple[int, int]
    attributes: tuple[Facts, ...]
    size: int
    folder: Path

    @property
    def tables(self) -> Path:
        """The file of its tables."""
        return self.folder / _TABLES

    def contents(self) -> Contents:
        """Return what it says of every image.

        Raises
        ------
        BamError
            A file of it is missing or damaged, or of a later version of the program.
        """
        if self.layout > _LAYOUT or self.schema > db.SCHEMA_VERSION:
            raise BamError(
                f"The snapshot {self.name} was made by a later version of the program ({self.version}), and this one "
                f"is {__version__}. Use that version, or a later one."
            )
        file = self.folder / _ARRAYS
        if not file.is_file() or digest_of(file) != self.contents_digest:
            raise BamError(f"The file {file} of a snapshot is missing or damaged. Bring it back from a backup.")
        return read_arrays(file, list(self.attributes), self.votes)


def check_name(name: str) -> str:
    """Return the name of a snapshot.

    Raises
    ------
    BamError
        It is none.

    Examples
    --------
    >>> check_name("paper-2026")
    'paper-2026'
    """
    if not _NAME.fullmatch(name) or name.lower() == NOW:
        raise BamError(
            f"A snapshot cannot be called {name!r}. Use up to 64 letters (a to z), digits, hyphens, underscores and "
            f"full stops, such as paper-2026, beginning with a letter or a digit; {NOW!r} is the dataset as it is."
        )
    return name


def check_free(workspace: Workspace, name: str) -> None:
    """Raise ``BamError`` where :func:`check_name` does, or where a snapshot has the name."""
    if os.path.lexists(_home(workspace) / check_name(name)):
        raise BamError(f"There is a snapshot {name} already. Choose another name, or remove it first.")


def create(
    workspace: Workspace, name: str, *, note: str = "", by: str = "", report: Report = silent
) -> DatasetSnapshot:
    """Freeze the dataset as it is at this moment, under a name; others may go on working meanwhile.

    Parameters
    ----------
    note
        What it is for, in up to 2,000 characters.
    by
        Who makes it.

    Raises
    ------
    BamError
        There is nothing to freeze, the name is taken or none, or the files cannot be written.
    Stopped
        A stop was requested; nothing is left.
    """
    check_free(workspace, name)
    if not len(workspace.catalogue):
        raise BamError("There is nothing to freeze: the workspace has no images. Add a folder of images first.")
    made, _ = create_of_moment(workspace, name, note=note, by=by, report=report)
    return made


def create_of_moment(
    workspace: Workspace, name: str, *, note: str, by: str, report: Report
) -> tuple[DatasetSnapshot, Any]:
    """Do what :func:`create` does, also where there are no images; return the revisions of that moment as well."""
    if len(note) > MAX_NOTE:
        raise BamError(f"The note has {len(note):,} characters. Use at most {MAX_NOTE:,}.")
    if db.read_only(workspace.engine):
        raise BamError("This workspace is read-only, so no snapshot can be made in it. Copy it to a writable place.")
    check_free(workspace, name)
    home = _home(workspace)
    temporary = home / f".{name}-{uuid.uuid4().hex}"
    try:
        home.mkdir(PRIVATE_FOLDER, exist_ok=True)
        _remove_abandoned(home)
        temporary.mkdir(PRIVATE_FOLDER)
        with private_files():
            revisions = _write(workspace, temporary, name=name, note=note.strip(), by=by, report=report)
        with workspace.engine.begin() as connection:
            db.log_activity(connection, "made snapshot", name)
        _take_name(temporary, home / name)
    except _FAILURES as error:
        reason = error.orig if isinstance(error, sa.exc.DBAPIError) else getattr(error, "strerror", None) or error
        raise BamError(
            f"The snapshot {name} cannot be written in {home}: {str(reason).rstrip('.')}. Nothing is left of it."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return get(workspace, name), revisions


def _write(workspace: Workspace, folder: Path, *, name: str, note: str, by: str, report: Report) -> Any:
    """Write the files of a snapshot to its folder, flushed to the disk; return the revisions of its moment."""
    revisions = freeze(workspace.engine, folder / _TABLES, report=report)
    with opened(workspace, folder / _TABLES) as frozen:  # what it says is read from it: both are of one moment
        contents = contents_of(frozen, report=report)
        answers = _number_of_answers(frozen)
    write_arrays(contents, folder / _ARRAYS)
    about = {
        "layout": _LAYOUT,
        "name": name,
        "note": note,
        "made_at": db.now(),
        "made_by": by,
        "version": __version__,
        "schema": db.SCHEMA_VERSION,
        "images": contents.images,
        "answers": answers,
        "digest": digest_of(folder / _TABLES),
        "contents_digest": digest_of(folder / _ARRAYS),
        "votes": contents.votes,
        "attributes": [asdict(each.facts) for each in contents.attributes],
    }
    (folder / _ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
    for path in (folder / _TABLES, folder / _ARRAYS, folder / _ABOUT):
        path.chmod(PRIVATE_FILE & ~0o200)
        flush_to_disk(path)
    flush_to_disk(folder)
    report(1, 1, "")  # the last moment to stop
    return revisions


def _number_of_answers(workspace: Workspace) -> int:
    with workspace.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(db.annotations.c.answer != WORDS[SKIPPED])) or 0


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _take_name(temporary: Path, folder: Path) -> None:
    """Give a folder its name; where another process was first, it keeps the name."""
    try:
        temporary.rename(folder)  # replaces no folder that holds something
    except OSError as error:
        if os.path.lexists(folder):
            raise BamError(f"There is a snapshot {folder.name} already. Choose another name.") from error
        raise
    flush_to_disk(folder.parent)


def _remove_abandoned(home: Path) -> None:
    """Remove what processes that were killed have left, after a day; one may be writing now."""
    for path in home.iterdir():
        with contextlib.suppress(OSError):
            if TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path)


def _home(workspace: Workspace) -> Path:
    return workspace.folder / FOLDER


# Reading --------------------------------------------------------------------------------------------------------------


def snapshots(workspace: Workspace) -> list[DatasetSnapshot]:
    """Return the snapshots of a workspace, newest first; those that cannot be read are left out (:func:`damaged`)."""
    found = [_read(path) for path in _folders(workspace)]
    return sorted((one for one in found if one is not None), key=lambda one: one.made_at, reverse=True)


def damaged(workspace: Workspace) -> list[Path]:
    """Return the folders of snapshots that cannot be read."""
    return [path for path in _folders(workspace) if _read(path) is None]


def get(workspace: Workspace, name: str) -> DatasetSnapshot:
    """Return the snapshot with a name.

    Raises
    ------
    NotFound
        There is none; the message lists those that there are.
    BamError
        It is damaged.
    """
    folder = _home(workspace) / check_name(name)
    if not folder.is_dir():
        names = ", ".join(one.name for one in snapshots(workspace)) or "none yet"
        raise NotFound(f"There is no snapshot {name}. There are: {names}.")
    found = _read(folder)
    if found is None:
        raise BamError(f"The snapshot {name} is damaged: {folder / _ABOUT} cannot be read. Remove it.")
    return found


def remove(workspace: Workspace, name: str) -> None:
    """Remove a snapshot, also a damaged one. Images and the dataset as it is stay.

    Raises
    ------
    NotFound
        There is none.
    BamError
        Its files cannot be removed.
    """
    folder = _home(workspace) / check_name(name)
    if not folder.is_dir():
        get(workspace, name)
    with workspace.engine.begin() as connection:
        db.log_activity(connection, "removed snapshot", name)
    discard(folder)


def discard(folder: Path) -> None:
    """Remove the folder of a snapshot; of a link, the link alone.

    Raises
    ------
    BamError
        It cannot be removed.
    """
    aside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")  # removed in one step, whatever happens after
    try:
        if folder.is_symlink():
            folder.unlink()
            return
        folder.rename(aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise BamError(f"The snapshot {folder.name} cannot be removed: {error.strerror or error}.") from error


def _folders(workspace: Workspace) -> list[Path]:
    home = _home(workspace)
    if not home.is_dir():
        return []
    return sorted(path for path in home.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())


def _read(folder: Path) -> DatasetSnapshot | None:
    try:
        about: dict[str, Any] = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        size = sum((folder / name).stat().st_size for name in (_TABLES, _ARRAYS, _ABOUT))
        return DatasetSnapshot(
            name=folder.name,
            attributes=tuple(map(facts_from, about["attributes"])),
            votes=(int(about["votes"][0]), int(about["votes"][1])),
            size=size,
            folder=folder,
            **{key: _of_type(about[key], kind) for key, kind in _STORED.items()},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


_STORED: dict[str, Callable[[], Any]] = {
    **dict.fromkeys(("note", "made_at", "made_by", "version", "digest", "contents_digest"), str),
    **dict.fromkeys(("layout", "schema", "images", "answers"), int),
}


def _of_type(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


@contextlib.contextmanager
def opened(workspace: Workspace, tables: Path) -> Iterator[Workspace]:
    """Give the dataset of a snapshot as a workspace that can only be read, with the images and the cache of its own.

    Raises
    ------
    BamError
        The file is damaged, or of a later version of the program. One of an earlier version is migrated in a copy.
    """
    frozen = Workspace(
        workspace.folder,
        workspace.cache.parent,
        database_url=sa.URL.create("sqlite", database=str(tables)),
        only_read=True,
    )
    try:
        yield frozen
    finally:
        frozen.close()
