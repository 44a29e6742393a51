"""Counts the SQL statements of a piece of work."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """Give a list to which every statement that ``engine`` sends to its database is added."""
    statements: list[str] = []

    def add(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(" ".join(statement.split()))

    sa.event.listen(engine, "before_cursor_execute", add)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", add)
