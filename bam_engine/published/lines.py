"""Images of BAM's file as lines of a table: their URLs, places and labels.

In:  arrays, positions. Out: a dict for each image, in the order of the positions. The URLs are read from the file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection import bam_file
from bam_engine.published.arrays import Arrays
from bam_engine.published.parts import NEGATIVE, POSITIVE, UNSURE

LABELS = {POSITIVE: "positive", NEGATIVE: "negative", UNSURE: "unsure"}
"""What the codes of labels are called."""

_KEYS = 500  # keys in one IN list


def lines_of(arrays: Arrays, positions: NDArray[np.integer], attributes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield what the file has of each image: ``mid``, ``url``, ``project``, ``license`` and ``mature``, and of each of
    ``attributes`` its ``NAME_place``, ``NAME_automatic`` and ``NAME_crowd``, None where there is none.

    Raises
    ------
    CollectionError
        The file cannot be read, or has changed since its arrays were made.
    """
    with arrays.connection() as connection:
        for first in range(0, len(positions), _KEYS):
            page = positions[first : first + _KEYS]
            modules = read_modules(connection, arrays.mids[page].tolist())
            columns = {name: _of(arrays, name, page) for name in attributes}
            for place, mid in enumerate(arrays.mids[page].tolist()):
                url, project, licence, mature = modules.get(mid, (None, None, None, None))
                line = {"mid": mid, "url": url, "project": project, "license": licence, "mature": mature}
                for name, values in columns.items():
                    line |= {f"{name}_{what}": value[place] for what, value in values.items()}
                yield line


def read_modules(connection: sqlite3.Connection, mids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """Return the values of :data:`bam_file.MODULES` of images by their numbers, at most 500 of them."""
    columns, tables = bam_file.modules_query(connection)
    query = f"SELECT m.mid, {columns} FROM {tables} WHERE m.mid IN ({', '.join('?' * len(mids))})"
    return {mid: tuple(line) for mid, *line in connection.execute(query, list(mids))}


def _of(arrays: Arrays, name: str, page: NDArray[np.integer]) -> dict[str, list[Any]]:
    """Return the places, the automatic and the crowd labels of images for one attribute."""
    places: list[float | None] = [None] * len(page)
    automatic: list[str | None] = [None] * len(page)
    crowd: list[str | None] = [None] * len(page)
    if name in arrays.scored:
        values = arrays.places[page, arrays.scored.index(name)].tolist()
        places = [None if value != value else round(value, 7) for value in values]
    if name in arrays.labelled:
        automatic = [LABELS.get(code) for code in arrays.automatic[page, arrays.labelled.index(name)].tolist()]
    lines = arrays.lines_of(name)
    at = arrays.positions[lines]
    if len(at):
        nearest = np.minimum(np.searchsorted(at, page), len(at) - 1)
        codes = np.where(at[nearest] == page, arrays.labels[lines][nearest], -2)
        crowd = [LABELS.get(code) for code in codes.tolist()]
    return {"place": places, "automatic": automatic, "crowd": crowd}
