"""What every write needs: the time, a lock, and inserts that return an id or skip the rows that exist."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bam_engine.database.snapshots import renew_snapshot

_SCHEMA_LOCK = 7_236_973  # the PostgreSQL advisory lock held while the schema is created or migrated


def now() -> str:
    """Return the current UTC time as :func:`time_text`."""
    return time_text(datetime.now(UTC))


def time_text(moment: datetime) -> str:
    """Return a time in UTC in ISO 8601 with microseconds; strings sort chronologically."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def lock(connection: sa.Connection, table: sa.Table | None, *others: sa.Table) -> None:
    """Block other writers of some tables until the transaction ends; readers continue. Call it first in a transaction.

    Snapshots taken from here on show what the others wrote. SQLite locks the whole database. PostgreSQL locks the
    tables alone, in the order given, and lets rows be written that refer to them. With ``table`` None, only processes
    that create or migrate the tables wait for each other.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif table is None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # a migration takes the time that it takes
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
    else:
        names = ", ".join(one.name for one in (table, *others))
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
    renew_snapshot(connection.engine)


def insert_row(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> int:
    """Insert a row; return its id."""
    return int(connection.execute(sa.insert(table).values(values).returning(table.c.id)).scalar_one())


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that violate no unique constraint; return how many were inserted."""
    if not rows:
        return 0
    insert = insert_into(connection, table).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return len(connection.execute(insert, list(rows)).all())


def insert_into(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """Return the dialect's INSERT, which knows ``ON CONFLICT``."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
