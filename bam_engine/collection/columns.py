"""Whole columns of the table ``images`` as arrays, by row.

In:  a connection. Out: read-only arrays that are indexed by row, and what they are read with. Nothing here is per image
in Python where SQL or numpy can do it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from bam_engine.collection import digests
from bam_engine.collection.digests import Digests
from bam_engine.collection.records import OK
from bam_engine.database import images as table

_PAGE = 50_000  # rows read at a time


@dataclass(frozen=True, eq=False)
class Projects:
    """The names of the projects, the index of each row's into them (-1 for none), and the code of each row's group.

    They are those of the images while the version of their details is ``version``.
    """

    names: tuple[str, ...]
    named: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    version: int


_NO_PROJECTS = Projects((), np.empty(0, np.int64), np.empty(0, np.int64), -1)


def next_row(connection: sa.Connection) -> int:
    """Return the number of rows, which is the row of the next image."""
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.row) + 1, 0))) or 0)


def read_present(connection: sa.Connection) -> npt.NDArray[np.bool_]:
    """Return which images have their file, as far as is known, bool (n,)."""
    absent = list(connection.scalars(sa.select(table.c.row).where(table.c.status != OK)))
    present = np.ones(next_row(connection), bool)
    present[np.array(absent, np.int64)] = False
    return _frozen(present)


def read_digests(connection: sa.Connection, known: Digests | None) -> Digests:
    """Return all digests, reading those after the ``known`` ones, unless these are of another database."""
    known = known or digests.NONE
    last = sa.select(table.c.digest).where(table.c.row == len(known) - 1)
    if len(known) and not np.array_equal(digests.parse([connection.scalar(last) or ""])[0], known.array[-1]):
        known = digests.NONE
    return known.extended(digests.concatenated(_pages(connection, table.c.digest, first=len(known))))


def read_projects(connection: sa.Connection, known: Projects | None, version: int) -> Projects:
    """Return the projects of all images, reading those after the ``known`` ones if these are of the same version."""
    known = known if known is not None and known.version == version else _NO_PROJECTS
    numbers: dict[str | None, int] = {None: -1} | {name: number for number, name in enumerate(known.names)}
    pages = [
        np.array([numbers.setdefault(name, len(numbers) - 1) for name in page], np.int64)
        for page in _pages(connection, table.c.project_id, first=len(known.named))
    ]
    named = np.concatenate([known.named, *pages])
    names = tuple(name for name in numbers if name is not None)
    return Projects(names, _frozen(named), _frozen(_codes(named, len(names))), version)


def _codes(named: npt.NDArray[np.int64], projects: int) -> npt.NDArray[np.int64]:
    """Return dense codes in order of first appearance; every image without a project gets its own."""
    rows = np.arange(len(named))
    inside = named >= 0
    first_of = np.empty(projects, np.int64)
    first_of[named[inside][::-1]] = rows[inside][::-1]  # of several rows the last written stays, which is the first
    first = rows.copy()
    first[inside] = first_of[named[inside]]
    codes: npt.NDArray[np.int64] = (np.cumsum(first == rows) - 1)[first]
    return codes


def _pages(connection: sa.Connection, column: sa.Column[Any], *, first: int = 0) -> Iterator[list[Any]]:
    """Yield a text column by row, straight from the driver: three times as fast for millions of rows."""
    statement = sa.select(column).where(table.c.row >= first).order_by(table.c.row)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(str(statement.compile(connection, compile_kwargs={"literal_binds": True})))
        while page := cursor.fetchmany(_PAGE):
            yield [record[0] for record in page]
    finally:
        cursor.close()


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.setflags(write=False)
    return array
