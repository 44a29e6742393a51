"""The lists of URLs of a workspace: each has a folder with its table of statuses and, unless they go elsewhere, the
pictures.

In:  the folder of all lists. Out: lists by name, opened to be read or, by one process at a time, to be downloaded.
"""

import contextlib
import fcntl
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bam_engine.download.fetching import PARTIAL
from bam_engine.download.settings import Settings, from_text, to_text
from bam_engine.download.statuses import FILE, Counts, Statuses
from bam_engine.errors import CollectionError, DiskFull, NotFound
from bam_engine.files import PRIVATE_FOLDER

FOLDER = "downloads"
"""The folder of the lists in that of a workspace."""

_PICTURES = "images"
_LOCK = "lock"
_LONGEST_NAME = 80


@dataclass(frozen=True)
class UrlList:
    """A list of URLs that was begun: name, folder, how many URLs are in which state, settings, and its file."""

    name: str
    folder: Path
    counts: Counts
    settings: Settings
    source: str

    @property
    def pictures(self) -> Path:
        """The folder of its pictures."""
        return Path(self.settings.folder) if self.settings.folder else self.folder / _PICTURES


def name_of(file: Path, name: str | None = None) -> str:
    """Return what a list is called, or by default its file: letters, digits, dots, dashes and underscores.

    Examples
    --------
    >>> name_of(Path("/data/my urls (2).csv"))
    'my-urls-2'
    """
    words = re.sub(r"[^\w.-]+", "-", file.stem if name is None else name, flags=re.ASCII).strip("-.")
    return words[:_LONGEST_NAME] or "urls"


def url_lists(home: Path) -> list[UrlList]:
    """Return the lists in the folder ``home``, by name; a table that cannot be read is left out."""
    found = []
    for file in sorted(home.glob(f"*/{FILE}")):
        with contextlib.suppress(CollectionError):
            found.append(url_list(home, file.parent.name))
    return found


def url_list(home: Path, name: str) -> UrlList:
    """Return a list by its name.

    Raises
    ------
    NotFound
        There is none of this name.
    CollectionError
        Its table cannot be read.
    """
    with reading(home, name) as statuses:
        settings = from_text(statuses.read("settings") or "{}")
        return UrlList(name, home / name, statuses.counts(), settings, statuses.read("source") or "")


@contextlib.contextmanager
def reading(home: Path, name: str) -> Iterator[Statuses]:
    """Yield the statuses of a list to be read, also while it is downloaded.

    Raises
    ------
    NotFound
        There is none of this name.
    CollectionError
        The table cannot be read.
    """
    folder = home / name
    if name in ("", ".", "..") or Path(name).name != name or not (folder / FILE).is_file():
        names = ", ".join(sorted(file.parent.name for file in home.glob(f"*/{FILE}"))) or "none was begun"
        raise NotFound(f"There is no list of URLs called {name!r}. There are: {names}.")
    with _explained(folder), contextlib.closing(Statuses(folder)) as statuses:
        yield statuses


@contextlib.contextmanager
def working_on(home: Path, name: str) -> Iterator[Statuses]:
    """Yield the statuses of a list for one process alone; its folder is made if there is none.

    Raises
    ------
    CollectionError
        Another process works on the list, or its folder or table cannot be used.
    DiskFull
        The disk is full.
    """
    folder = home / name
    with _explained(folder):
        folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        with (folder / _LOCK).open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CollectionError(
                    f"The list {name} is being downloaded already. Wait until that has finished, or stop it."
                ) from error
            with contextlib.closing(Statuses(folder)) as statuses:
                yield statuses


def prepare(pictures: Path) -> None:
    """Make the folder of pictures, and remove what a run that was killed left unfinished."""
    pictures.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    shutil.rmtree(pictures / PARTIAL, ignore_errors=True)
    (pictures / PARTIAL).mkdir(PRIVATE_FOLDER)


def note_settings(statuses: Statuses, settings: Settings) -> None:
    """Store the settings of a list."""
    statuses.write("settings", to_text(settings))


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn errors of files and of the table into such that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        if "full" in str(error):
            raise _disk_full(folder) from error
        raise CollectionError(
            f"The table {folder / FILE} cannot be used ({error}). If it is damaged, move it away: the list is then "
            "read again, and what is in the collection stays."
        ) from error
    except OSError as error:
        if error.errno in (28, 122):  # no space left, or no quota
            raise _disk_full(folder) from error
        raise CollectionError(f"Cannot write to {error.filename or folder}: {error.strerror or error}.") from error


def _disk_full(folder: Path) -> DiskFull:
    return DiskFull(
        f"The disk of {folder} is full. What was downloaded is saved. Free some space and start again to go on."
    )
