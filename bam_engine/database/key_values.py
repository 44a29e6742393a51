"""Key–value pairs of the workspace, as JSON."""

import json
from typing import Any

import sqlalchemy as sa

from bam_engine.database.schema import settings
from bam_engine.database.snapshots import snapshot_of
from bam_engine.database.writing import insert_into


def read_setting(engine: sa.Engine, key: str, default: Any = None) -> Any:
    """Return the JSON value stored under ``key``, or ``default``."""
    stored = snapshot_of(engine).rows_with(settings.c.key, key)
    return json.loads(stored[0].value) if stored else default


def write_setting(engine: sa.Engine, key: str, value: Any) -> None:
    """Store ``value`` as JSON under ``key``, replacing any earlier value."""
    with engine.begin() as connection:
        put_setting(connection, key, value)


def put_setting(connection: sa.Connection, key: str, value: Any) -> None:
    """Do what :func:`write_setting` does, inside a transaction."""
    insert = insert_into(connection, settings).values(key=key, value=json.dumps(value))
    replacing = insert.on_conflict_do_update(index_elements=["key"], set_={"value": insert.excluded.value})
    connection.execute(replacing)
