"""The workspaces of ``schema_N/``, as SQLite files or on a server, and rows as SQLite reads them."""

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bam_engine.database import metadata, open_database
from bam_engine.database.migrating import migrate
from bam_engine.database.migrations import revision_0001

Rows = dict[str, list[dict[str, Any]]]
FOLDER = Path(__file__).parent


def write_old(file: Path, schema: int = 1) -> Rows:
    """Write the workspace of a schema as its program left it, in WAL mode and closed; return its rows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(
            gzip.decompress((FOLDER / f"schema_{schema}" / "workspace.sql.gz").read_bytes()).decode()
        )
        database.execute("PRAGMA journal_mode=WAL")
    return read(file)


def write_old_to(url: str, rows: Rows, schema: int = 1) -> None:
    """Write the rows of a workspace of a schema to an empty database, into the tables that its program made."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        revision_0001.metadata.create_all(connection)
        tables = revision_0001.metadata
        if schema > 1:
            connection.execute(sa.insert(tables.tables["settings"]).values(key="schema", value="1"))
            migrate(connection, 1, to=schema)
            tables = sa.MetaData()
            tables.reflect(connection)
            for table in reversed(tables.sorted_tables):
                connection.execute(sa.delete(table))
        for table in tables.sorted_tables:
            kinds = {column.name for column in table.columns if isinstance(column.type, sa.Boolean)}
            lines = [
                {name: value if name not in kinds or value is None else bool(value) for name, value in row.items()}
                for row in rows[table.name]
            ]
            if lines:
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


SINCE_7: dict[str, dict[str, Any]] = {"images": {"url": None}, "captions": {"hidden_at": None, "hidden_by": None}}
"""What later schemas add to the rows of every stored workspace."""


def opened(url: str, folder: Path, schema: int, added: dict[str, dict[str, Any]]) -> sa.Engine:
    """Write the workspace of a schema to an empty database and open it: each row is there, with what was ``added``.

    On SQLite the database is ``folder / "bam.sqlite"``.
    """
    old = write_old(folder / "old.sqlite", schema)
    if url.startswith("sqlite"):
        (folder / "old.sqlite").rename(folder / "bam.sqlite")
    else:
        write_old_to(url, old, schema)
    engine = open_database(url)
    found = read_from(engine)
    for table in old.keys() - {"settings", "revisions"}:
        new = SINCE_7.get(table, {}) | added.get(table, {})
        assert found[table] == in_order(row | new for row in old[table]), table
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    return engine


def empty_tables(folder: Path, schema: int) -> list[str]:
    """Return the tables of the stored workspace of a schema that have no row."""
    old = write_old(folder / "old.sqlite", schema)
    tables = sa.MetaData()
    tables.reflect(sa.create_engine(f"sqlite:///{folder / 'old.sqlite'}"))
    return [name for name in tables.tables if not old[name]]
