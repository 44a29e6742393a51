"""Finding image files in a folder, and reading a metadata CSV.

In:  a folder's path, a CSV file's path. Out: absolute paths in natural order and counts of the rest; path → details.
Works on file names alone: no image is opened here.
"""

import csv
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bam_engine.collection.images import READABLE_SUFFIXES, UNSUPPORTED_SUFFIXES
from bam_engine.errors import CollectionError
from bam_engine.progress import Report, silent

_CANDIDATES = READABLE_SUFFIXES | UNSUPPORTED_SUFFIXES  # unsupported ones are tried too, so that they are reported
_REPORT_EVERY = 5_000  # files
_YES = frozenset({"1", "true", "t", "yes", "y"})
_NO = frozenset({"0", "false", "f", "no", "n"})


@dataclass(frozen=True)
class FolderListing:
    """The files below a folder: image ``paths``, the number of ``skipped`` other files, and unreadable folders."""

    paths: list[str]
    skipped: int
    unreadable: list[tuple[str, str]]  # folder, reason


@dataclass(frozen=True)
class Details:
    """The metadata of one image; None where the file has no value."""

    title: str | None = None
    project_id: str | None = None
    license: str | None = None
    mature_content: bool | None = None


def check_folder(folder: str | Path) -> Path:
    """Return ``folder`` as an absolute path with symbolic links resolved.

    Raises
    ------
    CollectionError
        It does not exist, is not a folder, or cannot be read.
    """
    if not str(folder).strip():
        raise CollectionError("No folder was given. Enter the path of the folder that holds the images.")
    try:
        root = Path(folder).expanduser().resolve()
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
    return root


def find_images(folder: str | Path, *, report: Report = silent) -> FolderListing:
    """Find the image files below ``folder`` by their suffix.

    Walks folders in natural order ("2.jpg" before "10.jpg"), follows each link to a folder once, and skips hidden
    files.

    Raises
    ------
    CollectionError
        The folder does not exist, is not a folder, or cannot be read.
    """
    root = check_folder(folder)
    paths: list[str] = []
    unreadable: list[tuple[str, str]] = []
    skipped = 0
    for path, problem in _walk(str(root)):
        if problem:
            unreadable.append((path, problem))
        elif os.path.splitext(path)[1].lower() in _CANDIDATES:  # noqa: PTH122 - a Path per file would cost a gigabyte
            paths.append(path)
        else:
            skipped += 1
        if (len(paths) + skipped) % _REPORT_EVERY == 0:
            report(0, None, f"looking for images, {len(paths):,} found")
    return FolderListing(paths, skipped, unreadable)


def _walk(root: str) -> Iterator[tuple[str, str]]:
    """Yield each file as (path, "") and each folder that cannot be listed as (path, reason)."""
    seen: set[tuple[int, int]] = set()
    stack: list[tuple[str, bool]] = [(root, True)]
    while stack:
        path, is_folder = stack.pop()
        if not is_folder:
            yield path, ""
            continue
        try:
            status = os.stat(path)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as entries:
                visible = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            yield path, f"Cannot read the folder ({error.strerror})."
            continue
        visible.sort(key=lambda entry: _natural(entry.name), reverse=True)
        stack.extend((entry.path, _is_folder(entry)) for entry in visible if _is_folder(entry) or _is_file(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file, not a pipe or device, which would block. Broken links count as files."""
    try:
        return entry.is_file() or entry.is_symlink()
    except OSError:
        return False


def _natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], name


def read_details(file: str | Path, root: Path) -> dict[str, Details]:
    """Read a metadata CSV into absolute path → :class:`Details`.

    Parameters
    ----------
    file
        A CSV in UTF-8 whose header has ``path`` (relative to ``root``, or absolute) and any of ``title``, ``project``,
        ``license``, ``mature_content`` (true/false, yes/no, 1/0). Other columns are ignored. If a path occurs more
        than once, its last row counts.
    root
        The folder of the images.

    Raises
    ------
    CollectionError
        The file cannot be read, has no column ``path``, or has an invalid value.
    """
    try:
        with Path(file).open(newline="", encoding="utf-8-sig") as lines:
            return dict(_details(lines, file, root))
    except UnicodeDecodeError as error:
        raise CollectionError(
            f"The metadata file {file} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8."
        ) from error
    except (csv.Error, ValueError) as error:
        raise CollectionError(f"The metadata file {file} is not a valid CSV: {error}.") from error
    except OSError as error:
        raise CollectionError(f"Cannot read the metadata file {file}: {error.strerror}.") from error


def _details(lines: TextIO, file: str | Path, root: Path) -> Iterator[tuple[str, Details]]:
    reader = csv.DictReader(lines)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if "path" not in names:
        columns = f"Its columns are: {', '.join(names)}." if names else "The file is empty."
        raise CollectionError(f'The metadata file {file} has no column "path". {columns}')
    reader.fieldnames = names
    for record in reader:
        path = (record["path"] or "").strip()
        if not path:
            continue
        mature = _yes_or_no(record.get("mature_content"), f"{file}, line {reader.line_num}")
        absolute = os.path.normpath(os.path.join(root, path))  # noqa: PTH118
        yield (
            absolute,
            Details(_text(record, "title"), _text(record, "project"), _text(record, "license"), mature),
        )


def _text(record: dict[str, str], name: str) -> str | None:
    return (record.get(name) or "").strip() or None


def _yes_or_no(text: str | None, place: str) -> bool | None:
    word = (text or "").strip().lower()
    if not word:
        return None
    if word not in _YES | _NO:
        raise CollectionError(f"{place}: mature_content is {text!r}. Write true or false, or leave it empty.")
    return word in _YES
