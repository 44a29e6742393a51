"""The images that BAM's scores put first, as a list of URLs: what to download of 2.3 million.

In:  BAM's SQLite file, attributes. Out: lines of modules, the best first. BAM's scores come from a classifier that
nobody can run any more, and have no unit: only their order within one attribute is used. Knows no store.
"""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection import bam_file
from bam_engine.download.urls import is_url
from bam_engine.errors import CollectionError

_PAGE = 50_000  # scores read at a time
_KEYS = 500  # keys in one IN list


@dataclass(frozen=True)
class Best:
    """The images of a file that its scores put first.

    Attributes
    ----------
    lines
        URL, project, licence and mature flag of each, as :data:`bam_engine.collection.bam_file.MODULES`, best first.
    scored
        The number of images with a score for every attribute.
    unscored
        The number of those that lack one.
    left_out
        The number of better ones without a URL, or whose number is not in ``modules`` or is there twice.
    """

    lines: tuple[tuple[Any, ...], ...]
    scored: int
    unscored: int
    left_out: int


def best_of(file: Path, attributes: Sequence[str], *, without: Sequence[str] = (), count: int) -> Best:
    """Return the images that have ``attributes``, and not those of ``without``, the surest first, by BAM's scores.

    The place of an image for an attribute is the share of scored images with a lower score; for one of ``without``,
    with a higher score. Images are in the order of their lowest place, ties by the sum of the places, then by their
    number in the file.

    Parameters
    ----------
    count
        The most images to return, at least 1.

    Raises
    ------
    CollectionError
        The file cannot be read or has no scores; an attribute is none of the file, or both wanted and not wanted.
    """
    names = [*dict.fromkeys(attributes), *dict.fromkeys(without)]
    with bam_file.opened(file) as connection:
        bam_file.check_table(connection, file, "modules", ("mid", *bam_file.MODULES))
        bam_file.check_table(connection, file, "scores", ("mid",))
        _check_attributes(connection, file, names)
        mids, scores = _read(connection, names)
        wanted = len(set(attributes))  # the first columns are to be high, the others low
        places = places_of(np.where(np.arange(len(names)) < wanted, scores, -scores))
        whole = ~np.isnan(places).any(axis=1)
        mids, places = mids[whole], places[whole]
        order = best_first(places, mids)
        lines: list[tuple[Any, ...]] = []
        left_out = 0
        for line in _modules(connection, mids[order]):
            if len(lines) == count:
                break
            if line is not None and is_url(str(line[0] or "")):
                lines.append(line)
            else:
                left_out += 1
    return Best(tuple(lines), len(mids), int((~whole).sum()), left_out)


def _check_attributes(connection: sqlite3.Connection, file: Path, names: Sequence[str]) -> None:
    scored = [name for _, name, *_ in connection.execute("PRAGMA table_info(scores)") if name != "mid"]
    if not names:
        raise CollectionError(f"Name an attribute. {file.name} has scores of {', '.join(scored)}.")
    for name in names:
        if name not in scored:
            raise CollectionError(f"{file.name} has no scores of {name!r}. It has those of {', '.join(scored)}.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CollectionError(f"Images cannot be with and without {twice}. Leave one of them out.")


def _read(connection: sqlite3.Connection, names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the numbers (n,) of images and their scores (n, k), nan where there is none; each number once."""
    columns = ", ".join(f'"{name}"' for name in names)  # they are names of columns, so they hold no quote
    mids, scores = [np.empty(0, np.int64)], [np.empty((0, len(names)), np.float32)]
    with closing(connection.execute(f"SELECT mid, {columns} FROM scores WHERE typeof(mid) = 'integer'")) as cursor:
        while page := cursor.fetchmany(_PAGE):
            mids.append(np.array([line[0] for line in page], np.int64))
            scores.append(np.array([[_number(value) for value in line[1:]] for line in page], np.float32))
    unique, first = np.unique(np.concatenate(mids), return_index=True)
    return unique, np.concatenate(scores)[first]


def _number(value: object) -> float:
    """Return a score, nan for what is none."""
    return value if isinstance(value, float | int) and math.isfinite(value) else math.nan


def places_of(scores: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the place of each image for each attribute: the share of scored images with a lower score.

    Only the order within a column counts, so the places of ``-places_of(scores)`` are the shares with a *higher* score.

    Parameters
    ----------
    scores : (n, k) float
        nan where an image has no score.

    Returns
    -------
    (n, k) float32
        In [0, 1), in columns one after another; equal scores share a place. nan where there is no score.

    Examples
    --------
    >>> places_of(np.array([[-3.0], [-0.5], [-9.0], [-0.5]]))[:, 0].tolist()
    [0.25, 0.5, 0.0, 0.5]
    """
    places = np.full(scores.shape, np.nan, np.float32, order="F")
    for column, values in enumerate(scores.T):
        known = np.flatnonzero(~np.isnan(values))
        order = known[np.argsort(values[known])]
        starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
        lower = np.repeat(starts, np.diff(starts, append=len(order)))
        places[order, column] = lower / max(1, len(order))
    return places


def best_first(places: NDArray[np.float32], mids: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the order of images by their lowest place, highest first; ties by the sum of the places, then by number.

    Parameters
    ----------
    places : (n, k) float32
        Those for the attributes that images should have, and of the negated ones for those that they should not; an
        image without one of them comes last.
    mids : (n,) int64
        The numbers of the images.
    """
    lowest = np.nan_to_num(places.min(axis=1), nan=-1.0)
    order = np.argsort(-lowest)
    ascending = lowest[order]
    same = ascending[1:] == ascending[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))  # few, so most are sorted by one key
    among = order[tied]
    order[tied] = among[np.lexsort((mids[among], -places[among].sum(axis=1), -lowest[among]))]
    return order


def _modules(connection: sqlite3.Connection, mids: NDArray[np.int64]) -> Iterator[tuple[Any, ...] | None]:
    """Yield the line of each module, None where there is none or several."""
    columns = ", ".join(bam_file.MODULES)
    for first in range(0, len(mids), _KEYS):
        keys = mids[first : first + _KEYS].tolist()
        query = f"SELECT mid, {columns} FROM modules WHERE mid IN ({', '.join('?' * len(keys))})"
        found: dict[int, tuple[Any, ...] | None] = {}
        for mid, *line in connection.execute(query, keys):
            found[mid] = None if mid in found else tuple(line)
        yield from (found.get(mid) for mid in keys)
