"""Matching the paths of a table to images.

In:  a catalogue and user-written paths. Out: rows, and the paths that match no image or several.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bam_engine.collection.catalogue import Catalogue


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
    places = {path: _absolute(path, folder) for path in unique}
    existing = catalogue.rows_of([place for place in places.values() if place is not None])
    rows = {path: existing[place] for path, place in places.items() if place in existing}
    endings = {path: _ending(path) for path in unique if path not in rows and not Path(path).is_absolute()}
    by_ending = _rows_by_ending(catalogue, {ending for ending in endings.values() if ending})
    unmatched: list[str] = []
    ambiguous: list[str] = []
    for path in unique:
        if path in rows:
            continue
        candidates = by_ending.get(endings.get(path, ""), [])
        if len(candidates) == 1:
            rows[path] = candidates[0]
        else:
            (ambiguous if candidates else unmatched).append(path)
    return PathMatches(rows, unmatched, ambiguous)


def _absolute(path: str, folder: Path | None) -> str | None:
    if Path(path).is_absolute():
        return os.path.normpath(path)
    if folder is None:
        return None
    return os.path.normpath(folder / path.replace("\\", "/"))


def _ending(path: str) -> str:
    """Return a relative path normalised for comparison with the end of another: forward slashes, no dots."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    return "" if ".." in parts else "/".join(parts)


def _rows_by_ending(catalogue: Catalogue, endings: set[str]) -> dict[str, list[int]]:
    """Return the rows of the images whose path ends with each of ``endings``."""
    depths = sorted({ending.count("/") + 1 for ending in endings})
    rows: dict[str, list[int]] = {}
    if not depths:
        return rows
    for row, uri in enumerate(catalogue.uris()):
        for ending in _tails(uri, depths):
            if ending in endings:
                rows.setdefault(ending, []).append(row)
    return rows


def _tails(uri: str, depths: list[int]) -> Iterator[str]:
    parts = uri.rsplit("/", depths[-1])
    for depth in depths:
        yield "/".join(parts[-depth:])
