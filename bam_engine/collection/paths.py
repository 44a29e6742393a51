"""The paths of a collection's images as a sequence that is read page by page.

In:  a database. Out: the path of a row. A list of all paths would take 20 GB for 65 million images.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import sqlalchemy as sa

from bam_engine.database import images as table

_PAGE = 50_000  # rows read at a time


class Paths(Sequence[Path]):
    """The paths of the first ``n`` images, by row: a page of them is in memory, however many there are.

    A path is what the database says when its page is read. Safe for threads.
    """

    def __init__(self, engine: sa.Engine, n: int) -> None:
        self._engine, self._n = engine, n
        self._page: tuple[int, list[str]] = (0, [])

    def __len__(self) -> int:
        """Return the number of images."""
        return self._n

    @overload
    def __getitem__(self, row: int) -> Path: ...

    @overload
    def __getitem__(self, row: slice) -> list[Path]: ...

    def __getitem__(self, row: int | slice) -> Path | list[Path]:
        """Return the path of an image, or those of a range."""
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(self._n))]
        place = range(self._n)[row]
        first, uris = self._page
        if not first <= place < first + len(uris):
            first = place - place % _PAGE
            uris = self._read(first, min(first + _PAGE, self._n))
            self._page = first, uris
        return Path(uris[place - first])

    def first(self, n: int) -> "Paths":
        """Return the first ``n`` of these paths."""
        return Paths(self._engine, min(n, self._n))

    def _read(self, first: int, end: int) -> list[str]:
        query = sa.select(table.c.uri).where(table.c.row >= first, table.c.row < end).order_by(table.c.row)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))
