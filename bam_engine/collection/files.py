"""Which files of a folder are pictures, and what a table beside them says of each.

In:  a folder's path, a CSV file's path. Out: absolute paths in natural order, counts of the rest; path → details. Knows
names alone: no picture is opened here.
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

_CANDIDATES = READABLE_SUFFIXES | UNSUPPORTED_SUFFIXES  # the latter are tried too, so that they are listed and not lost
_EACH = 5_000
_YES = frozenset({"1", "true", "t", "yes", "y"})
_NO = frozenset({"0", "false", "f", "no", "n"})


@dataclass(frozen=True)
class FolderListing:
    """What a folder holds: ``paths`` of what is named like a picture, ``others`` that are not, folders left out."""

    paths: list[str]
    others: int
    unreadable: list[tuple[str, str]]  # folder, why it could not be looked into


@dataclass(frozen=True)
class Details:
    """What a metadata file says of one image; None where it says nothing."""

    title: str | None = None
    project_id: str | None = None
    license: str | None = None
    mature_content: bool | None = None


def check_folder(folder: str | Path) -> Path:
    """Return ``folder`` as an absolute path, links resolved.

    Raises
    ------
    CollectionError
        It is missing, not a folder, or may not be read.
    """
    if not str(folder).strip():
        raise CollectionError("no folder was given. Give the path of the folder that holds the images.")
    try:
        root = Path(folder).expanduser().resolve()
        is_folder = stat.S_ISDIR(root.stat().st_mode)
        if is_folder:
            os.scandir(root).close()
    except FileNotFoundError as error:
        nearest = next(parent for parent in root.parents if parent.exists())
        raise CollectionError(f"there is no folder {root}. The nearest that exists is {nearest}.") from error
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise CollectionError(f"the folder {folder} cannot be read: {why}. Check its path and permissions.") from error
    if not is_folder:
        raise CollectionError(f"{root} is a file, not a folder. Give the folder that it lies in: {root.parent}.")
    return root


def find_images(folder: str | Path, *, report: Report = silent) -> FolderListing:
    """Find the files below ``folder`` that are named like pictures.

    Folders are walked in natural order ("2.jpg" before "10.jpg"), links to folders are followed once each, and what
    begins with a dot is passed over.

    Raises
    ------
    CollectionError
        The folder is missing, no folder, or may not be read.
    """
    root = check_folder(folder)
    paths: list[str] = []
    unreadable: list[tuple[str, str]] = []
    others = 0
    for path, why in _walk(str(root)):
        if why:
            unreadable.append((path, why))
        elif os.path.splitext(path)[1].lower() in _CANDIDATES:  # noqa: PTH122 - a Path each would cost a gigabyte
            paths.append(path)
        else:
            others += 1
        if (len(paths) + others) % _EACH == 0:
            report(0, None, f"Looking for images: {len(paths):,} found")
    return FolderListing(paths, others, unreadable)


def _walk(root: str) -> Iterator[tuple[str, str]]:
    """Yield each file as (path, "") and each folder that cannot be listed as (path, why)."""
    seen: set[tuple[int, int]] = set()
    ahead: list[tuple[str, bool]] = [(root, True)]
    while ahead:
        path, is_folder = ahead.pop()
        if not is_folder:
            yield path, ""
            continue
        try:
            status = os.stat(path)  # noqa: PTH116
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as entries:
                inside = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            yield path, f"the folder cannot be read ({error.strerror})."
            continue
        inside.sort(key=lambda entry: _natural(entry.name), reverse=True)
        ahead.extend((entry.path, _is_folder(entry)) for entry in inside if _is_folder(entry) or _is_file(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Tell files from pipes, sockets and devices, which would block whoever opens them; broken links count as files."""
    try:
        return entry.is_file() or entry.is_symlink()
    except OSError:
        return False


def _natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], name


def read_details(file: str | Path, root: Path) -> dict[str, Details]:
    """Read a metadata CSV: absolute path → what it says of that image.

    Parameters
    ----------
    file
        A CSV in UTF-8 whose header has ``path`` (relative to ``root``, or absolute) and any of ``title``, ``project``,
        ``license``, ``mature_content`` (true/false, yes/no, 1/0). Other columns are ignored. Of several lines about
        one path the last counts.
    root
        The folder that the images lie in.

    Raises
    ------
    CollectionError
        The file cannot be read, has no column ``path``, or a line holds no sensible value.
    """
    try:
        with Path(file).open(newline="", encoding="utf-8-sig") as lines:
            return dict(_details(lines, file, root))
    except UnicodeDecodeError as error:
        raise CollectionError(
            f"the metadata file {file} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8."
        ) from error
    except (csv.Error, ValueError) as error:
        raise CollectionError(f"the metadata file {file} is not a valid CSV: {error}.") from error
    except OSError as error:
        raise CollectionError(f"the metadata file {file} cannot be read: {error.strerror}.") from error


def _details(lines: TextIO, file: str | Path, root: Path) -> Iterator[tuple[str, Details]]:
    reader = csv.DictReader(lines)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if "path" not in names:
        there = ", ".join(names) or "none: the file is empty"
        raise CollectionError(f"the metadata file {file} has no column path. Its columns are: {there}.")
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
