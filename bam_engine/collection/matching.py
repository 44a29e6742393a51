"""Matching the paths of a table to images.

In:  a catalogue or the files of a folder, and user-written paths. Out: rows or files, and the paths that match none or
several. A path may be written with backslashes, lead through links, or compose its accents in another way (NFC, NFD)
than the file's name does.
"""

import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bam_engine.collection.buckets import is_address
from bam_engine.collection.catalogue import Catalogue
from bam_engine.errors import NotFound

_T = TypeVar("_T")


@dataclass(frozen=True)
class PathMatches:
    """``rows`` by path, the paths that match no image, and the ``ambiguous`` ones that match several."""

    rows: dict[str, int]
    unmatched: list[str]
    ambiguous: list[str]


def match_paths(catalogue: Catalogue, paths: Iterable[str], folder: Path | None = None) -> PathMatches:
    """Find the image of each path.

    A path may be absolute, or relative to ``folder``. Otherwise it matches the one image whose path ends with it:
    ``birds/owl.png`` means ``/data/birds/owl.png`` if no other image ends with ``/birds/owl.png``. So a bare file name
    is enough if it is unique.

    Parameters
    ----------
    catalogue
        The images of the collection.
    paths
        Paths with slashes or backslashes; repetitions are ignored.
    folder
        The folder that relative paths are first resolved against, such as that of the table.

    Notes
    -----
    Paths that do not resolve directly cost one pass over all paths of the collection.
    """
    unique = list(dict.fromkeys(paths))
    rows = catalogue.rows_of(filter(is_address, unique))
    rows |= _match_places([path for path in unique if path not in rows], folder, catalogue.rows_of)
    endings = {path: _ending(path) for path in unique if path not in rows}
    by_ending = _rows_by_ending(catalogue, {ending for ending in endings.values() if ending})
    unmatched: list[str] = []
    ambiguous: list[str] = []
    for path, ending in endings.items():
        candidates = by_ending.get(ending, [])
        if len(candidates) == 1:
            rows[path] = candidates[0]
        else:
            (ambiguous if candidates else unmatched).append(path)
    return PathMatches(rows, unmatched, ambiguous)


def rows_of_paths(catalogue: Catalogue, paths: Iterable[str]) -> dict[str, int]:
    """Return the row of each path, as :func:`match_paths` finds it.

    Raises
    ------
    NotFound
        A path matches no image, or several.
    """
    matches = match_paths(catalogue, paths)
    for unclear, why in ((matches.unmatched, "no image"), (matches.ambiguous, "several images")):
        if unclear:
            raise NotFound(f"{unclear[0]} matches {why} of the collection. Give the row or the whole path.")
    return matches.rows


def match_files(files: Iterable[str], links: Iterable[str], paths: Iterable[str], folder: Path) -> dict[str, str]:
    """Return path → file for those of ``paths``, absolute or relative to ``folder``, that name one of ``files``.

    Parameters
    ----------
    files
        Absolute paths.
    links
        Those of ``files`` that are links; the paths of their targets name them, too.
    """
    by_name = {_composed(file): file for file in files}
    for link in links:
        by_name.setdefault(_composed(os.path.realpath(link)), link)

    def find(places: Iterable[str]) -> dict[str, str]:
        return {place: file for place in places if (file := by_name.get(_composed(place))) is not None}

    return _match_places(list(dict.fromkeys(paths)), folder, find)


def _match_places(
    paths: list[str], folder: Path | None, find: Callable[[Iterable[str]], Mapping[str, _T]]
) -> dict[str, _T]:
    """Return what ``find`` has for each path: as written, else by its other spellings."""
    found: dict[str, _T] = {}
    for spelled in (_as_written, _with_slashes, _without_links, _with_accents_composed, _with_accents_apart):
        places = {path: place for path in paths if path not in found and (place := spelled(path, folder)) is not None}
        there = find(dict.fromkeys(places.values()))
        found.update({path: there[place] for path, place in places.items() if place in there})
    return found


def _as_written(path: str, folder: Path | None) -> str | None:
    if not path or (folder is None and not Path(path).is_absolute()):
        return None
    return os.path.normpath(os.path.join(folder or "/", path))  # noqa: PTH118 - "a/../b" as a person means it


def _with_slashes(path: str, folder: Path | None) -> str | None:
    return _as_written(path.replace("\\", "/"), folder)


def _without_links(path: str, folder: Path | None) -> str | None:
    place = _with_slashes(path, folder)
    return None if place is None or "\0" in place else os.path.realpath(place)


def _with_accents_composed(path: str, folder: Path | None) -> str | None:
    place = _without_links(path, folder)
    return None if place is None or place.isascii() else _composed(place)


def _with_accents_apart(path: str, folder: Path | None) -> str | None:
    place = _without_links(path, folder)
    return None if place is None or place.isascii() else unicodedata.normalize("NFD", place)


def _composed(text: str) -> str:
    """Return ``text`` as it is compared: with each accent and its letter in one character."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _ending(path: str) -> str:
    """Return a path normalised for comparison with the end of another: forward slashes, no dots, accents composed.

    An absolute path compares with whole paths only.
    """
    if Path(path).is_absolute():
        return "" if path.isascii() else _composed(os.path.realpath(path))
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    return "" if ".." in parts else _composed("/".join(parts))


def _rows_by_ending(catalogue: Catalogue, endings: set[str]) -> dict[str, list[int]]:
    """Return the rows of the images whose path ends with each of ``endings``."""
    depths = sorted({ending.count("/") + 1 for ending in endings})
    rows: dict[str, list[int]] = {}
    if not depths:
        return rows
    for row, uri in enumerate(catalogue.uris()):
        for ending in _tails(_composed(uri), depths):
            if ending in endings:
                rows.setdefault(ending, []).append(row)
    return rows


def _tails(uri: str, depths: list[int]) -> Iterator[str]:
    parts = uri.rsplit("/", depths[-1])
    for depth in depths:
        yield "/".join(parts[-depth:])
