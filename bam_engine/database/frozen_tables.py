"""The tables of the dataset in a SQLite file of their own, written from either kind of database.

In:  an opened database. Out: a file with the images, answers, decisions and evidence of one moment. Who may sign in,
who is signed in, what was logged, who is answering just now and who is paused stay out: they are no part of a dataset.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine.database import sqlite_files
from bam_engine.database.opening import migrate_file
from bam_engine.database.revisions import read_revisions
from bam_engine.database.schema import (
    accounts,
    activity,
    identities,
    invitations,
    join_requests,
    leases,
    metadata,
    pauses,
    revisions,
    sessions,
    settings,
)
from bam_engine.files import flush_to_disk
from bam_engine.progress import Report, silent

OF_PEOPLE = (accounts, identities, sessions, invitations, join_requests, activity, leases, pauses)
"""Who signs in, who did what, who is answering just now, and who may not: in no frozen file."""

FROZEN = tuple(table for table in metadata.sorted_tables if table not in (*OF_PEOPLE, revisions))
"""The tables of the dataset; a table comes after those that it refers to."""

_PAGE = 5_000  # rows that are copied at once


def freeze(engine: sa.Engine, file: Path, *, report: Report = silent) -> Mapping[str, int]:
    """Write the dataset as it is at this moment to a new SQLite file, flushed to the disk.

    Others may read and write meanwhile.

    Returns
    -------
    Mapping
        The revision of each table at that moment.

    Raises
    ------
    OSError, sqlalchemy.exc.DBAPIError, sqlite3.Error
        The file cannot be written; what there is of it is the caller's to remove.
    """
    sqlite_files.create(file)
    migrate_file(file)
    target = sa.create_engine(sa.URL.create("sqlite", database=str(file)))
    try:
        with _one_moment(engine) as source, target.begin() as copy:
            copy.execute(sa.delete(settings))
            total = sum(source.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in FROZEN)
            done = 0
            for table in FROZEN:
                for rows in pages(source, table):
                    copy.execute(sa.insert(table), rows)
                    done += len(rows)
                    report(done, total, "copying the database")
            moment = dict(read_revisions(source))
    finally:
        target.dispose()
    with closing(sqlite3.connect(file)) as written:
        written.execute("PRAGMA journal_mode=DELETE")  # one file, with no log beside it
    flush_to_disk(file)
    return moment


@contextmanager
def _one_moment(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection that reads the database as it is at one moment."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # Python's driver begins no transaction to read
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def pages(connection: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a table, by primary key, a page at a time, each as a dictionary."""
    query = sa.select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_PAGE)
    for page in connection.execute(query).mappings().partitions():
        yield [dict(row) for row in page]
