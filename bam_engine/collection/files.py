"""Finding image files in a folder, and reading a metadata CSV.

In:  a folder's path, a CSV file's path. Out: absolute paths in natural order and counts of the rest; path → details.
No image is decoded here.
"""

import csv
import os
import re
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from bam_engine.collection.formats import DECIDES, READABLE_SUFFIXES, UNSUPPORTED_SUFFIXES, is_picture
from bam_engine.errors import CollectionError
from bam_engine.files import open_ordinary, text_lines
from bam_engine.progress import Report, silent
from bam_engine.spreadsheets import from_cell
from bam_engine.typed_paths import typed_path

_CANDIDATES = READABLE_SUFFIXES | UNSUPPORTED_SUFFIXES  # unsupported ones are tried too, so that they are reported
_REPORT_EVERY = 5_000  # files
_CACHE_TAG = "CACHEDIR.TAG"  # marks a folder whose content can be recomputed: https://bford.info/cachedir/
_CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
MAX_PROJECT = 500  # characters; a database indexes no text of any length
YES = frozenset({"1", "true", "t", "yes", "y"})
NO = frozenset({"0", "false", "f", "no", "n"})


@dataclass(frozen=True)
class FolderListing:
    """The files below a folder.

    Attributes
    ----------
    paths
        The files that may be images.
    skipped
        The number of other files.
    unreadable
        (folder, reason) of folders that cannot be read.
    links
        Those of ``paths`` that are links to a file outside of the folder.
    passed_over
        Folders in which nothing was looked for, since their files are no images of the folder.
    hidden
        The number of hidden files and folders, which are left alone.
    """

    paths: list[str]
    skipped: int
    unreadable: list[tuple[str, str]]
    links: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    hidden: int = 0


@dataclass(frozen=True)
class Details:
    """The metadata of one image; None where the file has no value."""

    title: str | None = None
    project_id: str | None = None
    license: str | None = None
    mature_content: bool | None = None
    url: str | None = None


def check_folder(folder: str | Path) -> Path:
    """Return ``folder`` as an absolute path with symbolic links resolved.

    Raises
    ------
    CollectionError
        It does not exist, is not a folder, or cannot be read, or it is in a cache.
    """
    if not str(folder).strip():
        raise CollectionError("No folder was given. Enter the path of the folder that holds the images.")
    try:
        root = typed_path(str(folder)).resolve()
        is_folder = stat.S_ISDIR(root.stat().st_mode)
        if is_folder:
            os.scandir(root).close()
    except FileNotFoundError as error:
        nearest = next(parent for parent in root.parents if parent.exists())
        raise CollectionError(f"The folder {root} does not exist. The nearest existing folder is {nearest}.") from error
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CollectionError(f"Cannot read the folder {folder}: {reason}. Check its path and permissions.") from error
    if not is_folder:
        raise CollectionError(f"{root} is a file, not a folder. Enter its folder instead: {root.parent}.")
    if cache := next((parent for parent in (root, *root.parents) if is_cache(parent)), None):
        raise CollectionError(f"{cache} is a cache of files made from others. Choose a folder of images.")
    return root


def mark_as_cache(folder: Path) -> None:
    """Mark a folder as a cache, so that neither a search for images nor a backup program looks into it."""
    if not is_cache(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _CACHE_TAG).write_bytes(_CACHE_SIGNATURE + b"\n# The files of this folder can be made again.\n")


def is_cache(folder: Path) -> bool:
    """Return whether a folder is marked as a cache (https://bford.info/cachedir/)."""
    try:
        with open_ordinary(folder / _CACHE_TAG) as file:
            return file.read(len(_CACHE_SIGNATURE)) == _CACHE_SIGNATURE
    except OSError:
        return False


def find_images(folder: str | Path, *, apart: Iterable[Path] = (), report: Report = silent) -> FolderListing:
    """Find the image files below ``folder`` by their suffix or, where it tells nothing, by their content.

    Walks folders in natural order ("2.jpg" before "10.jpg") and skips hidden files. What a link leads to is listed
    once: the content of a folder under its real path, a file that the walk meets anyway under its own, and any other
    file under the path of the link. The folders ``apart``, and those that are marked as caches, are passed over.

    Raises
    ------
    CollectionError
        The folder does not exist, is not a folder, or cannot be read.
    """
    root = check_folder(folder)
    listing = FolderListing([], 0, [])
    skipped, walk = 0, _Walk(apart)
    for found in walk.below(str(root)):
        if found.problem:
            listing.unreadable.append((found.path, found.problem))
        elif _may_be_image(found.path):
            listing.paths.append(found.path)
            if found.is_link:
                listing.links.append(found.path)
        else:
            skipped += 1
        if (len(listing.paths) + skipped) % _REPORT_EVERY == 0:
            report(0, None, f"looking for images, {len(listing.paths):,} found")
    return replace(listing, skipped=skipped, hidden=walk.hidden, passed_over=walk.passed_over)


def _may_be_image(path: str) -> bool:
    """Return whether a file is a picture by its name or by its content, or cannot be looked into."""
    if os.path.splitext(path)[1].lower() in _CANDIDATES:  # noqa: PTH122 - a Path per file would cost a gigabyte
        return True
    try:
        with open_ordinary(path) as file:
            return is_picture(file.read(DECIDES) or b"")
    except OSError:
        return not os.path.islink(path)  # noqa: PTH114


class _Found(NamedTuple):
    """A file, or with a ``problem`` a folder that cannot be listed."""

    path: str
    problem: str = ""
    is_link: bool = False


class _Walk:
    """A walk through folders: real ones first, then those that links lead to, then files that only links lead to."""

    def __init__(self, apart: Iterable[Path]) -> None:
        self.passed_over: list[str] = []
        self._apart = {_identity(folder) for folder in apart if folder.exists()}
        self._walked: set[tuple[int, int]] = set()  # device and inode of each folder
        self._links: deque[str] = deque()
        self.hidden = 0

    def below(self, root: str) -> Iterator[_Found]:
        """Yield each visible file below ``root`` once."""
        yield from self._real(root)
        links_to_files = []
        while self._links:
            link = self._links.popleft()
            if os.path.isdir(link):  # noqa: PTH112
                yield from self._real(os.path.realpath(link))
            else:
                links_to_files.append(link)
        yield from (_Found(link, is_link=True) for link in links_to_files if not self._is_listed(link))

    def _real(self, root: str) -> Iterator[_Found]:
        stack = [(root, True)]
        while stack:
            path, is_folder = stack.pop()
            if not is_folder:
                yield _Found(path)
                continue
            try:
                identity = _identity(path)
                if identity in self._walked:
                    continue
                self._walked.add(identity)
                with os.scandir(path) as entries:
                    found = list(entries)
                visible = [entry for entry in found if not entry.name.startswith(".")]
                if self._is_no_place_for_images(path, identity, visible):
                    self.passed_over.append(path)
                    continue
            except OSError as error:
                yield _Found(path, f"Cannot read the folder ({error.strerror}).")
                continue
            self.hidden += len(found) - len(visible)
            visible.sort(key=lambda entry: natural_order(entry.name))
            self._links += [entry.path for entry in visible if entry.is_symlink()]
            stack += [(entry.path, entry.is_dir()) for entry in reversed(visible) if _is_real(entry)]

    def _is_no_place_for_images(self, path: str, identity: tuple[int, int], entries: list[os.DirEntry[str]]) -> bool:
        if identity in self._apart and len(self._walked) > 1:  # the folder that was asked for is not passed over
            return True
        return any(entry.name == _CACHE_TAG for entry in entries) and is_cache(Path(path))

    def _is_listed(self, link: str) -> bool:
        """Return whether a link to a file needs no line of its own: its target has one, or is a pipe or a device."""
        try:
            if not stat.S_ISREG(os.stat(link).st_mode):  # noqa: PTH116
                return True
            folder, name = os.path.split(os.path.realpath(link))
            return not name.startswith(".") and _identity(folder) in self._walked
        except OSError:  # a broken link: reading it gives the reason
            return False


def _identity(path: str | Path) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116
    return status.st_dev, status.st_ino


def _is_real(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or a file itself, not a link, a pipe or a device, which would block."""
    try:
        return entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def natural_order(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a key that sorts names by the numbers in them, without regard to case: "2.jpg" before "10.jpg"."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], name


def read_details(file: str | Path) -> dict[str, Details]:
    """Read a metadata CSV into path → :class:`Details`; the paths are as written.

    Parameters
    ----------
    file
        A CSV in UTF-8 whose header has ``path`` and any of ``title``, ``project``, ``license``, ``mature_content``
        (true/false, yes/no, 1/0). Other columns are ignored. If a path occurs more than once, its last row counts.

    Raises
    ------
    CollectionError
        The file cannot be read, has no column ``path``, or has an invalid value.
    """
    try:
        return dict(_details(text_lines(Path(file)), file))
    except UnicodeDecodeError as error:
        raise CollectionError(
            f"The metadata file {file} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8."
        ) from error
    except (csv.Error, ValueError) as error:
        raise CollectionError(f"The metadata file {file} is not a valid CSV: {error}.") from error
    except OSError as error:
        raise CollectionError(f"Cannot read the metadata file {file}: {error.strerror}.") from error


def _details(lines: Iterator[str], file: str | Path) -> Iterator[tuple[str, Details]]:
    reader = csv.DictReader(lines)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if "path" not in names:
        # What the file holds is not repeated: whoever reaches the app could read any file so.
        columns = "Name the column of the paths so in its first line." if names else "The file is empty."
        raise CollectionError(f'The metadata file {file} has no column "path". {columns}')
    reader.fieldnames = names
    for record in reader:
        path = from_cell(record["path"] or "").strip()
        if not path:
            continue
        mature = _yes_or_no(record.get("mature_content"), f"{file}, line {reader.line_num}")
        project = _text(record, "project")
        if project and len(project) > MAX_PROJECT:
            place = f"{file}, line {reader.line_num}"
            raise CollectionError(f"{place}: the project has {len(project):,} characters. Use {MAX_PROJECT} at most.")
        yield path, Details(_text(record, "title"), project, _text(record, "license"), mature)


def _text(record: dict[str, str], name: str) -> str | None:
    return from_cell(record.get(name) or "").strip() or None


def _yes_or_no(text: str | None, place: str) -> bool | None:
    word = (text or "").strip().lower()
    if not word:
        return None
    if word not in YES | NO:
        raise CollectionError(f"{place}: mature_content is {text!r}. Write true or false, or leave it empty.")
    return word in YES
