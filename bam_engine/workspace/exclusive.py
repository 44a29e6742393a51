"""One writer at a time, where what is written depends on what is there.

In:  the database and the table that is read and then written. Out: a transaction that no other writer of it overlaps.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bam_engine.database import lock


@contextmanager
def exclusive(engine: sa.Engine, table: sa.Table) -> Iterator[sa.Connection]:
    """Open a transaction in which ``table`` is what it was until the end; others wait to write, none to read.

    Whoever looks first and writes then (is there a round of this number? a model of these labels?) does both in here,
    whether the other one is a thread or a process of its own. Open no second transaction that writes inside: it would
    wait for this one.

    Examples
    --------
    >>> with exclusive(engine, rounds) as connection:  # doctest: +SKIP
    ...     last = connection.scalar(sa.select(sa.func.max(rounds.c.number)))
    ...     connection.execute(sa.insert(rounds).values(number=last + 1))
    """
    with engine.begin() as connection:
        lock(connection, table)
        yield connection
