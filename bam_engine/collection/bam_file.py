"""BAM's published SQLite file, or one that this program exported, opened to be read.

In:  a path. Out: a connection that writes nothing, and the pictures of ``modules``; every failure as a sentence. Knows
no store.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bam_engine.errors import CollectionError
from bam_engine.files import check_ordinary

SUFFIXES = (".sqlite", ".sqlite3", ".db")
"""How such a file is called."""

MODULES = ("src", "project_id", "license", "mature_content")
"""What is read of each module."""

_FAILURES = {
    "SQLITE_NOTADB": "it is no SQLite database. Choose BAM's file, or one that `bam export` wrote",
    "SQLITE_BUSY": "another program is writing to it. Wait until it has finished, then try again",
    "SQLITE_READONLY": "a program that wrote to it did not finish, and left a journal beside it. Open it with that "
    "program, or copy it again",
    "SQLITE_CORRUPT": "it is damaged, or was not copied whole. Copy it again",
}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to the file that only reads.

    Raises
    ------
    CollectionError
        There is no such file, it is no database, it is damaged or locked; also while the caller reads.
    """
    try:
        check_ordinary(path)
        address = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            connection.text_factory = _text
            connection.execute("PRAGMA trusted_schema = OFF")  # a view of a stranger's file calls no function
            yield connection
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        why = next((words for start, words in _FAILURES.items() if name.startswith(start)), str(error))
        raise CollectionError(f"Cannot read {path}: {why}.") from error
    except OSError as error:
        raise CollectionError(f"Cannot read {path}: {error.strerror or error}.") from error


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether the file has a table or view of this name."""
    query = "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None


def check_table(connection: sqlite3.Connection, path: Path, table: str, columns: Sequence[str]) -> None:
    """Check that the file has a table with these columns.

    Raises
    ------
    CollectionError
        It lacks the table or one of the columns.
    """
    if not has_table(connection, table):
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        ]
        there = f"Its tables are {', '.join(sorted(names)[:20])}" if names else "It has no tables"
        raise CollectionError(f"{path.name} is not a file of BAM's: it has no table {table}. {there}.")
    there_are = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
    lacking = [name for name in columns if name not in there_are]
    if lacking:
        raise CollectionError(
            f"{path.name} is not a file of BAM's: its table {table} has no column {lacking[0]}. Its columns are "
            f"{', '.join(sorted(there_are))}."
        )


def modules(path: Path) -> Iterator[tuple[Any, ...]]:
    """Yield the values of :data:`MODULES` of each picture, in the order of the file.

    A project is named as the table ``projects`` of our own exports says, or else by its number.
    """
    with opened(path) as connection:
        check_table(connection, path, "modules", MODULES)
        columns, tables = modules_query(connection)
        yield from connection.execute(f"SELECT {columns} FROM {tables}")


def modules_query(connection: sqlite3.Connection) -> tuple[str, str]:
    """Return the columns that :func:`modules` yields, as SQL, and the tables they are of; ``m`` is ``modules``."""
    project, join = "m.project_id", ""
    names = {name for _, name, *_ in connection.execute("PRAGMA table_info(projects)")}
    if {"name", "project_id"} <= names:
        project, join = "coalesce(p.name, m.project_id)", " LEFT JOIN projects p ON p.project_id = m.project_id"
    return f"m.src, {project}, m.license, m.mature_content", f"modules m{join}"


def count_modules(path: Path) -> int:
    """Return the number of pictures."""
    with opened(path) as connection:
        check_table(connection, path, "modules", MODULES)
        return int(connection.execute("SELECT count(*) FROM modules").fetchone()[0])


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
