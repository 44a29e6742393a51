"""The originals of a collection's images as a sequence that is read page by page.

In:  a database. Out: the path of the file of a row, or the object of a bucket. A list of all paths would take 20 GB for
65 million images.
"""

from collections.abc import Sequence
from typing import overload

import sqlalchemy as sa

from bam_engine.collection.buckets import Access, is_address
from bam_engine.collection.originals import Original, original_at
from bam_engine.collection.sources import buckets_of
from bam_engine.database import images as table

_PAGE = 50_000  # rows read at a time


class Paths(Sequence[Original]):
    """The paths of the first ``n`` images, by row: a page of them is in memory, however many there are.

    A path is what the database says when its page is read. Safe for threads.
    """

    def __init__(self, engine: sa.Engine, n: int) -> None:
        self._engine, self._n = engine, n
        self._page: tuple[int, list[str], dict[str, Access]] = (0, [], {})

    def __len__(self) -> int:
        """Return the number of images."""
        return self._n

    @overload
    def __getitem__(self, row: int) -> Original: ...

    @overload
    def __getitem__(self, row: slice) -> list[Original]: ...

    def __getitem__(self, row: int | slice) -> Original | list[Original]:
        """Return the path of an image, or those of a range."""
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(self._n))]
        place = range(self._n)[row]
        first, uris, buckets = self._page
        if not first <= place < first + len(uris):
            first = place - place % _PAGE
            uris = self._read(first, min(first + _PAGE, self._n))
            buckets = buckets_of(self._engine) if any(map(is_address, uris)) else {}
            self._page = first, uris, buckets
        return original_at(uris[place - first], buckets)

    def first(self, n: int) -> "Paths":
        """Return the first ``n`` of these paths."""
        return Paths(self._engine, min(n, self._n))

    def _read(self, first: int, end: int) -> list[str]:
        query = sa.select(table.c.uri).where(table.c.row >= first, table.c.row < end).order_by(table.c.row)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))
