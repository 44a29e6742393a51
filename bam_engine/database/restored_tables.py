"""The tables of a frozen file in the place of those of a database, which keeps its people.

In:  an opened database, and an opened file of :mod:`.frozen_tables`. Out: the database with the dataset of the file. It
happens in one transaction; who has the database open reads it anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bam_engine.database.activity_log import log_activity
from bam_engine.database.frozen_tables import FROZEN, pages
from bam_engine.database.key_values import put_setting, read_setting
from bam_engine.database.revisions import count_restore, read_revisions
from bam_engine.database.schema import (
    annotations,
    annotators,
    images,
    leases,
    merged_annotators,
    pauses,
    settings,
)
from bam_engine.database.writing import lock
from bam_engine.errors import BamError

_OF_THE_WORKSPACE = (
    *("schema", "workspace", "opened_dataset", "awaited encoder", "bam_file", "sources", "buckets"),
    *("bam_file_pictures", "lease_minutes", "assignment_size", "captions_asked", "gold", "pause_rule"),
)
"""Settings that stay: which workspace it is, what it has opened and where that is, and how people work in it."""

_ENCODERS = "encoders"
"""The setting that knows encoders: those of today and of the file."""

_PEOPLE = (annotators, merged_annotators)
"""Who somebody is, which is not undone."""

_places = sa.Table(  # a temporary table: where the files of images are
    "places_of_today",
    sa.MetaData(),
    *(sa.Column(name, sa.Text) for name in ("digest", "uri", "status", "stamp")),
)
_CHUNK = 500  # values in one condition


class DatasetChanged(BamError):
    """Somebody has written to the dataset meanwhile."""


def restore_tables(
    engine: sa.Engine, frozen: sa.Engine, *, unchanged_since: Mapping[str, int], action: str, subject: str
) -> None:
    """Replace the dataset of a database by that of a frozen file, and log it as ``action`` and ``subject``.

    Accounts, sessions and the log stay, and so do annotators, under their names of today and merged as today. An image
    that the database knows has its file where that is today. Nobody holds images after.

    Parameters
    ----------
    unchanged_since
        The revisions that the tables must still have.

    Raises
    ------
    DatasetChanged
        They have others; nothing has changed.
    """
    with frozen.connect() as source, engine.begin() as target:
        _lock(target)
        now = read_revisions(target)
        if any(now.get(table.name, 0) != unchanged_since.get(table.name, 0) for table in FROZEN):
            raise DatasetChanged("Somebody has changed the dataset meanwhile. Try again once nobody works on it.")
        ids = _annotators(source, target)
        _note_places(target)
        encoders = read_setting(engine, _ENCODERS, {})
        kept = target.execute(sa.select(settings).where(settings.c.key.in_(_OF_THE_WORKSPACE))).mappings().all()
        _empty(target)
        for table in FROZEN:
            for rows in pages(source, table):
                _insert(target, table, rows, ids)
        if kept:
            target.execute(sa.insert(settings), [dict(row) for row in kept])
        put_setting(target, _ENCODERS, read_setting(frozen, _ENCODERS, {}) | encoders)
        target.exec_driver_sql(f"DROP TABLE {_places.name}")
        _continue_ids(target)
        newest = target.scalar(sa.select(sa.func.max(annotations.c.id))) or 0
        later = sa.update(pauses).where(
            pauses.c.resumed_after > newest
        )  # whose later answers have lower ids from now on
        target.execute(later.values(resumed_after=newest))
        before = sa.select(sa.func.max(annotations.c.id)).where(annotations.c.made_at <= pauses.c.made_at)
        earlier = before.correlate(pauses).scalar_subquery()  # what the pause was about may have come back
        target.execute(sa.update(pauses).where(pauses.c.resumed_after < earlier).values(resumed_after=earlier))
        count_restore(target)
        log_activity(target, action, subject)


def _lock(connection: sa.Connection) -> None:
    """Block all other writers of the dataset until the transaction ends."""
    if connection.dialect.name == "sqlite":
        lock(connection, None)
    else:
        for table in (leases, *FROZEN):  # whoever takes images locks the leases first
            lock(connection, table)


def _annotators(source: sa.Connection, target: sa.Connection) -> dict[int, int]:
    """Add the annotators of a file that a database does not have; return the ids here by those in the file.

    A person is the same under the same id if they were added at the same time, and else under the same name: after a
    backup was restored, an id may be somebody else's.
    """
    here = {row.id: row for row in target.execute(sa.select(annotators))}
    names = {row.name: row.id for row in here.values()}
    ids: dict[int, int] = {}
    for row in source.execute(sa.select(annotators).order_by(annotators.c.id)).mappings():
        known = here.get(row["id"])
        if known is not None and known.made_at == row["made_at"]:
            ids[row["id"]] = known.id
        elif row["name"] in names:
            ids[row["id"]] = names[row["name"]]
        else:
            free = row["id"] if known is None and row["id"] not in ids.values() else max((0, *here, *ids.values())) + 1
            target.execute(sa.insert(annotators).values({**row, "id": free}))
            ids[row["id"]] = free
    if len(set(ids.values())) < len(ids):
        raise BamError(
            "Two annotators of the snapshot are one here: somebody was renamed to a name that another one had. Rename "
            "them apart, and try again."
        )
    return ids


def _note_places(connection: sa.Connection) -> None:
    columns = ", ".join(column.name for column in _places.c)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {_places.name} AS SELECT {columns} FROM {images.name}")
    for name in ("digest", "uri"):
        connection.exec_driver_sql(f"CREATE UNIQUE INDEX {_places.name}_{name} ON {_places.name} ({name})")
    if connection.dialect.name == "postgresql":  # which knows nothing of a temporary table by itself
        connection.exec_driver_sql(f"ANALYZE {_places.name}")


def _empty(connection: sa.Connection) -> None:
    for table in reversed((*FROZEN, leases)):
        if table not in _PEOPLE:
            connection.execute(sa.delete(table))


def _insert(
    connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]], annotator_ids: Mapping[int, int]
) -> None:
    if table in _PEOPLE:
        return
    if table is settings:
        rows = [row for row in rows if row["key"] not in _OF_THE_WORKSPACE]
    if table is images:
        rows = _placed(connection, rows)
    for column in table.columns:
        if any(key.column is annotators.c.id for key in column.foreign_keys):
            rows = [{**row, column.name: annotator_ids.get(row[column.name])} for row in rows]
    if rows:
        connection.execute(sa.insert(table), rows)


def _placed(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of images with the places where their files are today.

    Where the file of an image that is not known today holds another image, it is marked as replaced.
    """
    today = {row["digest"]: row for row in _noted(connection, _places.c.digest, [row["digest"] for row in rows])}
    taken = {row["uri"] for row in _noted(connection, _places.c.uri, [row["uri"] for row in rows])}
    placed = []
    for row in rows:
        if row["digest"] in today:
            row = {**row, **today[row["digest"]]}
        elif row["uri"] in taken:
            gone = {"uri": f"{row['uri']}#sha256={row['digest']}", "status": "replaced", "stamp": None}
            row = {**row, **gone}
        placed.append(row)
    return placed


def _noted(connection: sa.Connection, column: sa.Column[Any], values: Sequence[str]) -> list[sa.RowMapping]:
    chunks = (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
    return [
        row
        for chunk in chunks
        for row in connection.execute(sa.select(_places).where(column.in_(chunk))).mappings().all()
    ]


def _continue_ids(connection: sa.Connection) -> None:
    """Let a server count on from the newest ids; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in FROZEN:
        key = table.autoincrement_column
        if key is not None:
            sequence = f"pg_get_serial_sequence('{table.name}', '{key.name}')"
            newest = f"(SELECT coalesce(max({key.name}), 0) + 1 FROM {table.name})"
            connection.exec_driver_sql(f"SELECT setval({sequence}, {newest}, false)")
