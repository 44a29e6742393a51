"""The workspace of schema 1 in ``schema_1/``, as a SQLite file or on a server, and rows as SQLite itself reads them."""

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine.database.migrations import revision_0001

Rows = dict[str, list[dict[str, Any]]]
DUMP = Path(__file__).parent / "schema_1" / "workspace.sql.gz"


def write_old(file: Path) -> Rows:
    """Write the workspace as its program left it, in WAL mode and closed; return its rows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(gzip.decompress(DUMP.read_bytes()).decode())
        database.execute("PRAGMA journal_mode=WAL")
    return read(file)


def write_old_to(url: str, rows: Rows) -> None:
    """Write the rows of a workspace of schema 1 to an empty database, into the tables that its program made."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        revision_0001.metadata.create_all(connection)
        for table in revision_0001.metadata.sorted_tables:
            kinds = {column.name for column in table.columns if isinstance(column.type, sa.Boolean)}
            lines = [
                {name: value if name not in kinds or value is None else bool(value) for name, value in row.items()}
                for row in rows[table.name]
            ]
            connection.execute(sa.insert(table), lines)
    engine.dispose()


def read(file: Path) -> Rows:
    """Return the rows of every table in a file, in the order of their keys, without touching the file."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: _rows(database, name) for name in names}


def read_from(engine: sa.Engine) -> Rows:
    """Return the rows of every table behind an engine, likewise."""
    found = sa.MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: in_order(dict(row) for row in connection.execute(sa.select(table)).mappings())
            for table in found.sorted_tables
        }


def in_order(rows: Any) -> list[dict[str, Any]]:
    """Return rows in an order that does not depend on the database."""
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row.values()])


def _rows(database: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    found = database.execute(f'SELECT * FROM "{table}"')
    names = [description[0] for description in found.description]
    return in_order(dict(zip(names, row, strict=True)) for row in found)
