"""Exclusive transactions for read-then-write operations.

In:  the database and the table that is read and then written. Out: a transaction that excludes other writers of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bam_engine.database import lock


@contextmanager
def exclusive(engine: sa.Engine, table: sa.Table) -> Iterator[sa.Connection]:
    """Open a transaction in which nobody else writes to ``table``; readers are not blocked.

    Use it where a write depends on a preceding read (does this round exist already? a model of these labels?). It
    excludes other threads and processes. Do not open a second writing transaction inside: it would deadlock.

    Examples
    --------
    >>> with exclusive(engine, rounds) as connection:  # doctest: +SKIP
    ...     last = connection.scalar(sa.select(sa.func.max(rounds.c.number)))
    ...     connection.execute(sa.insert(rounds).values(number=last + 1))
    """
    with engine.begin() as connection:
        lock(connection, table)
        yield connection
