"""Revisions: for each table a number that every transaction that writes to the table increases.

In:  an engine. Out: the numbers, in one statement. They are increased by the writing transaction itself, just before it
commits, so a rolled back one counts nothing, and any process sees which tables have changed since it last looked. A
table that nobody has written to has no number yet, which reads as 0.

A number is the time of the write in microseconds, or one more than the last where the clock is behind. So a copy and
its original, or a database before and after a backup was restored, do not give one number to two states.

Writes are recognised as SQLAlchemy constructs (insert, update, delete); SQL written as text is not counted.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bam_engine.database.schema import metadata, revisions

RESTORED = "backups restored"
"""Counts like a table how often a backup took the place of all rows: nothing read before can be read on from."""

_WRITTEN = "tables written"  # the names, in ``Connection.info``, which lasts as long as the connection


def count_writes(engine: sa.Engine, on_write: Callable[[], None]) -> None:
    """Count the writes of ``engine`` from here on; call ``on_write`` before each commit of a transaction that wrote."""

    def count(connection: sa.Connection) -> None:
        written: set[str] = connection.info.pop(_WRITTEN, set())
        if written:
            _increase(connection, written)
            on_write()

    sa.event.listen(engine, "before_execute", _note)
    sa.event.listen(engine, "commit", count)
    sa.event.listen(engine, "rollback", _forget)


def read_revisions(connection: sa.Connection) -> Mapping[str, int]:
    """Return the number of each table by its name."""
    return {row.name: row.number for row in connection.execute(sa.select(revisions))}


def count_restore(connection: sa.Connection) -> None:
    """Increase every number: a backup has taken the place of all rows."""
    _increase(connection, {RESTORED, *metadata.tables} - {revisions.name})


def _note(connection: sa.Connection, statement: Any, *_: object) -> None:
    if (
        isinstance(statement, sa.UpdateBase)
        and isinstance(table := statement.table, sa.Table)
        and table is not revisions
    ):
        connection.info.setdefault(_WRITTEN, set()).add(table.name)


def _forget(connection: sa.Connection) -> None:
    if not connection.invalidated:  # what was noted ends with the connection
        connection.info.pop(_WRITTEN, None)


def _increase(connection: sa.Connection, names: set[str]) -> None:
    """Increase the numbers, in the order of their names, so that two transactions never wait for each other."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    moment, last = _microseconds(), revisions.c.number
    insert = dialect.insert(revisions).values([{"name": name, "number": moment} for name in sorted(names)])
    later = {"number": sa.case((last < moment, moment), else_=last + 1)}
    connection.execute(insert.on_conflict_do_update(index_elements=[revisions.c.name], set_=later))


def _microseconds() -> int:
    return time.time_ns() // 1000
