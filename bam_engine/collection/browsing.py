"""Folders of this computer to choose one from, and those that the server's owner allows.

In:  a folder. Out: the folders in it that images can be added from, and how many image files it holds itself.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bam_engine.collection.files import check_folder, is_cache, natural_order
from bam_engine.collection.formats import READABLE_SUFFIXES
from bam_engine.errors import CollectionError
from bam_engine.typed_paths import typed_path

ROOTS = "BAM_IMAGE_FOLDERS"
"""The environment variable with the folders that images may be added from, separated as in PATH; unset: all."""


@dataclass(frozen=True)
class FolderContents:
    """What a folder holds.

    Attributes
    ----------
    path
        The folder, absolute, links resolved.
    parents
        The folders that lead to it and may be looked into, from the outermost; the folder itself is the last.
    folders
        The names of the folders in it that are neither hidden nor caches and may be looked into, in natural order
        ("2" before "10"). A name that is no Unicode text is left out, since no page can show it.
    images
        The number of names in it, not in folders below, with the suffix of an image.
    """

    path: Path
    parents: tuple[Path, ...]
    folders: tuple[str, ...]
    images: int


def image_roots() -> tuple[Path, ...]:
    """Return the folders that images may be added from, by the environment variable ``BAM_IMAGE_FOLDERS``; () for all.

    Raises
    ------
    CollectionError
        One of them is not a folder.
    """
    named = [part for part in os.environ.get(ROOTS, "").split(os.pathsep) if part.strip()]
    return tuple(check_folder(typed_path(part)) for part in named)


def check_allowed(folder: str | Path) -> Path:
    """Return ``folder`` resolved, as :func:`check_folder` does, if images may be added from it.

    Raises
    ------
    CollectionError
        It is no folder of images, or it is outside of :func:`image_roots`.
    """
    place, roots = check_folder(folder), image_roots()
    if not _is_inside(place, roots):
        allowed = ", ".join(str(root) for root in roots)
        raise CollectionError(
            f"Images may not be added from {place}: this server reads images below {allowed} ({ROOTS}). Choose a "
            "folder there, or ask whoever runs the server."
        )
    return place


def look_into(folder: str | Path) -> FolderContents:
    """List the folders in a folder, and count its images.

    Raises
    ------
    CollectionError
        It cannot be read, or is outside of :func:`image_roots`.

    Examples
    --------
    >>> look_into("/").parents[0].as_posix()
    '/'
    """
    place, roots = check_allowed(folder), image_roots()
    try:
        with os.scandir(place) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise CollectionError(f"Cannot read the folder {place}: {error.strerror}. Check its permissions.") from error
    images = sum(Path(entry.name).suffix.lower() in READABLE_SUFFIXES for entry in visible)
    named = [entry for entry in visible if _is_text(entry.name)]
    found = (entry.name for entry in named if _is_folder(entry, roots) and not is_cache(place / entry.name))
    folders = sorted(found, key=natural_order)
    parents = (*reversed([parent for parent in place.parents if _is_inside(parent, roots)]), place)
    return FolderContents(place, parents, tuple(folders), images)


def starting_folder() -> Path:
    """Return where a choice of folder starts: the first of :func:`image_roots`, or the home folder, or the root."""
    roots = image_roots()
    if roots:
        return roots[0]
    home = Path("~").expanduser()
    return home if home.is_dir() else Path(home.anchor or os.sep)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes of another encoding, which Python keeps as halves of characters
        return False
    return True


def _is_folder(entry: os.DirEntry[str], roots: Iterable[Path]) -> bool:
    try:
        return entry.is_dir() and _is_inside(Path(entry.path).resolve(), roots)
    except (OSError, RuntimeError):  # a link in a circle, or one whose target may not be seen
        return False


def _is_inside(place: Path, roots: Iterable[Path]) -> bool:
    roots = tuple(roots)
    return not roots or any(place == root or root in place.parents for root in roots)
