"""The arrays that are derived from BAM's file, under ``cache/ID/bam/KEY/``, and which file a workspace has named.

In:  a workspace, a file. Out: memory-mapped arrays over the file's images. KEY is the digest of the file's state: its
size, its time and its columns. Each part is written when it is read, so reading that was stopped goes on with the next
part. The file itself is only read; whoever deletes the cache, or moves the file and names it again, loses nothing.
"""

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine import derived
from bam_engine.collection import bam_file
from bam_engine.database import put_setting, read_setting
from bam_engine.errors import CollectionError, NotFound
from bam_engine.files import PRIVATE_FOLDER
from bam_engine.progress import Report, silent
from bam_engine.published import parts
from bam_engine.published.contents import TABLES, Contents, contents_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

SETTING = "bam_file"
"""The setting that holds the path of the file."""

PICTURES_SETTING = "bam_file_pictures"
"""The setting that says how pictures of this file are fetched, since its hosts were shown to an owner."""

FOLDER = "bam"
"""The folder of the arrays in the cache."""

PICTURES = "bam_pictures"
"""The folder of its pictures in the cache; see :mod:`bam_engine.published.pictures`."""

_VERSION = 2
_PARTS = ("mids", "places", "automatic", "crowd")


@dataclass(frozen=True, eq=False)
class Arrays:
    """BAM's file as arrays over its images, which are in the order of their numbers.

    Attributes
    ----------
    key
        20 letters and digits, of the state of the file.
    mids : (n,) int64
        The numbers of the images in the file, ascending; an image's position is its index here.
    places : (n, k) float32
        The share of scored images with a lower score, nan without one, for the attributes ``scored``.
    automatic : (n, a) int8
        BAM's automatic labels for the attributes ``labelled``: 1 positive, 0 negative, -1 unsure, -2 none.
    asked, positions, labels, counts
        What the crowd said, a line for each image and attribute: the number of the attribute in ``crowd``, the
        position, the label (coded as above), and the choices yes, no and unsure, (m,), (m,), (m,) and (m, 3).
    """

    key: str
    file: Path
    contents: Contents
    scored: tuple[str, ...]
    labelled: tuple[str, ...]
    crowd: tuple[str, ...]
    mids: NDArray[np.int64]
    places: NDArray[np.float32]
    automatic: NDArray[np.int8]
    asked: NDArray[np.int16]
    positions: NDArray[np.int64]
    labels: NDArray[np.int8]
    counts: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.mids)

    def lines_of(self, attribute: str) -> slice:
        """Return the lines of what the crowd said about an attribute, in the order of positions."""
        if attribute not in self.crowd:
            return slice(0, 0)
        number = self.crowd.index(attribute)
        first, end = np.searchsorted(self.asked, [number, number + 1])
        return slice(int(first), int(end))

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection to the file that only reads.

        Raises
        ------
        CollectionError
            The file is not there any more, has changed since it was read, or is locked.
        """
        with bam_file.opened(self.file) as connection:
            if _key(connection, self.file) != self.key:
                raise CollectionError(f"{self.file} has changed since it was read. Run `bam ingest bam {self.file}`.")
            yield connection


_ARRAYS = Kind[Arrays]("arrays of BAM's file", of="workspace", until="the file changes, or another is named", limit=1)


def named_file(workspace: Workspace) -> Path | None:
    """Return the file of BAM's that the workspace has named; None without one."""
    path = read_setting(workspace.engine, SETTING)
    return None if path is None else Path(path)


def forget(workspace: Workspace) -> None:
    """Name no file any more, and delete the arrays and pictures that were derived; the file stays."""
    _name(workspace, None)
    for folder in (FOLDER, PICTURES):
        shutil.rmtree(workspace.cache / folder, ignore_errors=True)


def _name(workspace: Workspace, file: Path | None) -> None:
    """Name a file; pictures of another one are fetched no more until an owner has seen its hosts."""
    other = named_file(workspace) != file
    with workspace.engine.begin() as connection:
        if other:
            put_setting(connection, PICTURES_SETTING, None)
        put_setting(connection, SETTING, None if file is None else str(file))


def make_arrays(workspace: Workspace, file: Path, *, report: Report = silent) -> Arrays:
    """Read BAM's file into arrays, and name it as the file that the workspace browses.

    Parts that were read before are not read again, unless the file has changed. Arrays of other files are deleted.

    Parameters
    ----------
    report
        Called with the lines of a part that are read, and of all of them where that is known.

    Raises
    ------
    CollectionError
        The file cannot be read, is damaged, locked, changes meanwhile, or is none of BAM's: it has no table
        ``modules``, or a table lacks a column. What the workspace had named stays.
    Stopped
        Raised by ``report``; the parts that are finished stay.

    Examples
    --------
    >>> arrays = make_arrays(workspace, Path("bam.sqlite"))  # doctest: +SKIP
    >>> len(arrays), arrays.scored[:2]  # doctest: +SKIP
    (2289817, ('content_bicycle', 'content_bird'))
    """
    file = file.absolute()
    with _one_at_a_time(workspace), bam_file.opened(file) as connection:
        connection.execute("BEGIN")  # counts and lines are of one state
        key = _key(connection, file)
        folder = workspace.cache / FOLDER / key
        mids = _array(folder, key, "mids", lambda: parts.read_modules(connection, file, report))
        for name, read in (("places", parts.read_scores), ("automatic", parts.read_automatic)):
            _array(folder, key, name, lambda read=read: read(connection, file, mids, report))  # type: ignore[misc]
        _named(folder, key, "crowd", lambda: parts.read_crowd(connection, file, mids, report))
        absent = tuple(table for table in TABLES if not bam_file.has_table(connection, table))
        with _writing(folder):
            derived.write(folder / "absent.json", json.dumps(absent).encode(), _made_of(key, "absent"), flush=True)
        if _key(connection, file) != key:
            raise CollectionError(f"{file} has changed while it was read. Run the command again.")
        arrays = _read(folder, key, file)
        if arrays is None:
            raise CollectionError(f"The cache {folder} does not keep what is written to it. Check the disk.")
        _name(workspace, file)
        for other in folder.parent.iterdir():
            if other.name != key:
                shutil.rmtree(other, ignore_errors=True)
    return workspace.memory.put(_ARRAYS, None, (key, file), arrays)


@contextmanager
def _one_at_a_time(workspace: Workspace) -> Iterator[None]:
    """Let one process at a time make arrays: when it ends, it deletes those of other files."""
    folder = workspace.cache / FOLDER
    with _writing(folder):
        folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CollectionError("A file of BAM's is being read already. Wait until that has ended.") from error
        yield
    finally:
        os.close(handle)


def opened(workspace: Workspace) -> Arrays:
    """Return the arrays of the file that the workspace has named, opened once for each state of the file.

    Raises
    ------
    NotFound
        No file is named.
    CollectionError
        The file cannot be read, or its arrays are to be made first: the message says how.
    """
    file = named_file(workspace)
    if file is None:
        raise NotFound("No file of BAM's is named. Name one: `bam ingest bam FILE`.")
    with bam_file.opened(file) as connection:
        key = _key(connection, file)

    def read() -> Arrays:
        arrays = _read(workspace.cache / FOLDER / key, key, file)
        if arrays is None:
            raise CollectionError(f"{file} was not read yet, or has changed since. Run `bam ingest bam {file}`.")
        return arrays

    return workspace.memory.get(_ARRAYS, None, (key, file), read)


def _key(connection: sqlite3.Connection, file: Path) -> str:
    """Return a digest of the state of the file: its size and time, those of its log, and its columns."""
    states = []
    for path in (file, file.with_name(file.name + "-wal")):
        with suppress(FileNotFoundError):
            status = path.stat()
            if status.st_size:
                states.append([status.st_size, status.st_mtime_ns])
    columns = sorted(
        [table, name]
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        if table in ("modules", *TABLES)
        for _, name, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall()
    )
    return hashlib.sha256(json.dumps([_VERSION, states, columns]).encode()).hexdigest()[:20]


def _array(folder: Path, key: str, name: str, read: Callable[[], parts.Part]) -> NDArray[Any]:
    """Return the one array of a part, which is read unless it was before."""
    path = folder / f"{name}.npy"
    stored = derived.read_array(path, _made_of(key, name))
    if stored is None or _facts(folder, key, name) is None:
        part = read()
        with _writing(folder):
            derived.write_array(path, part.arrays[name], _made_of(key, name))
        _note(folder, key, name, part)
        stored = part.arrays[name]
    return stored


def _named(folder: Path, key: str, name: str, read: Callable[[], parts.Part]) -> None:
    """Write the arrays of a part, which is read unless it was before."""
    path = folder / f"{name}.npz"
    if derived.read_arrays(path, _made_of(key, name)) is None or _facts(folder, key, name) is None:
        part = read()
        with _writing(folder):
            derived.write_arrays(path, part.arrays, _made_of(key, name))
        _note(folder, key, name, part)


def _note(folder: Path, key: str, name: str, part: parts.Part) -> None:
    """Write what people want to know of a part, after its arrays: it says that they are whole."""
    content = json.dumps({"facts": part.facts, "left_out": part.left_out}).encode()
    with _writing(folder):
        derived.write(folder / f"{name}.json", content, _made_of(key, f"{name} facts"), flush=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Tell what keeps the cache from being written as such: BAM's file has no part in it."""
    try:
        yield
    except OSError as error:
        raise CollectionError(f"Cannot write to the cache {folder}: {error.strerror or error}.") from error


def _facts(folder: Path, key: str, name: str) -> dict[str, Any] | None:
    content = derived.read(folder / f"{name}.json", _made_of(key, f"{name} facts"))
    return None if content is None else dict(json.loads(content))


def _made_of(key: str, name: str) -> str:
    return f"BAM's file {key}: {name}"


def _read(folder: Path, key: str, file: Path) -> Arrays | None:
    """Return the arrays of a folder; None where a part is missing, damaged or of another state of the file."""
    arrays = {name: derived.read_array(folder / f"{name}.npy", _made_of(key, name)) for name in _PARTS[:3]}
    crowd = derived.read_arrays(folder / "crowd.npz", _made_of(key, "crowd"))
    noted = [_facts(folder, key, name) for name in _PARTS]
    absent = derived.read(folder / "absent.json", _made_of(key, "absent"))
    whole = [one for one in noted if one is not None]
    if crowd is None or absent is None or any(one is None for one in arrays.values()) or len(whole) < len(noted):
        return None
    facts: dict[str, Any] = {"left_out": [sentence for one in whole for sentence in one["left_out"]]}
    for one in whole:
        facts |= one["facts"]
    names = {name: tuple(facts[name]) for name in ("scored", "automatic", "crowd")}
    contents = contents_of(facts, tuple(json.loads(absent)))
    scored, labelled, of_crowd = names["scored"], names["automatic"], names["crowd"]
    return Arrays(key, file, contents, scored, labelled, of_crowd, **arrays, **crowd)  # type: ignore[arg-type]
