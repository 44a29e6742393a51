"""The workspace's database: its schema, and how it is opened.

In:  a SQLAlchemy URL. Out: an engine whose tables exist. This module defines the schema only; each package reads and
writes its own tables. Labels cannot be recomputed, so every commit is flushed to disk.
"""

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bam_engine.errors import BamError

SCHEMA_VERSION = 1
_BUSY_TIMEOUT = 30  # seconds that a writer waits for other writers
_CREATE_LOCK = 7_236_973  # the PostgreSQL advisory lock held while the tables are created

metadata = sa.MetaData()


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _attribute_id() -> sa.Column[int]:
    return sa.Column("attribute_id", sa.ForeignKey("attributes.id"), nullable=False, index=True)


def _made_at() -> sa.Column[str]:
    return sa.Column("made_at", sa.Text, nullable=False)


settings = sa.Table(
    "settings",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
images = sa.Table(
    "images",
    metadata,
    _id(),
    sa.Column("row", sa.Integer, nullable=False, unique=True),
    sa.Column("uri", sa.Text, nullable=False, unique=True),
    sa.Column("title", sa.Text),
    sa.Column("project_id", sa.Text, index=True),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("mature_content", sa.Boolean),
    sa.Column("license", sa.Text),
    sa.Column("status", sa.Text, nullable=False, default="ok"),
    _made_at(),
)
problems = sa.Table(
    "problems",
    metadata,
    _id(),
    sa.Column("stage", sa.Text, nullable=False),  # what failed: "ingest" or "embed:KEY"
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    _made_at(),
    sa.UniqueConstraint("stage", "uri"),
)
attributes = sa.Table(
    "attributes",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("instructions", sa.Text, nullable=False, default=""),
    _made_at(),
)
annotators = sa.Table(
    "annotators",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("simulated", sa.Boolean, nullable=False, default=False),
    _made_at(),
)
assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # a random UUID, which authorises a browser to answer
    _attribute_id(),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),  # "validation", "round", "audit", … or "import"
    sa.Column("source_id", sa.Integer, nullable=False),  # the draw, round or audit that the images come from
    _made_at(),
)
assignment_images = sa.Table(
    "assignment_images",
    metadata,
    sa.Column("assignment_id", sa.ForeignKey("assignments.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
)
annotations = sa.Table(
    "annotations",
    metadata,
    _id(),
    sa.Column("uid", sa.Text, nullable=False, unique=True),  # set by the browser, so that a retry is stored once
    sa.Column("assignment_id", sa.ForeignKey("assignments.id"), nullable=False, index=True),
    sa.Column("attribute_id", sa.ForeignKey("attributes.id"), nullable=False),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),  # "positive", "negative", "unsure", "withdrawn"
    sa.Column("seconds", sa.Float),
    _made_at(),
    sa.Index("annotations_by_image", "attribute_id", "row", "annotator_id", "id"),
)
captions = sa.Table(
    "captions",
    metadata,
    _id(),
    sa.Column("row", sa.Integer, nullable=False, index=True),
    sa.Column("annotator_id", sa.ForeignKey("annotators.id"), nullable=False),
    sa.Column("caption", sa.Text, nullable=False),
    _made_at(),
)
validation_images = sa.Table(
    "validation_images",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("probability", sa.Float, nullable=False),  # inclusion probability
    sa.Column("draw", sa.Integer, nullable=False),  # 0 for the first, 1 for the first top-up, …
    _made_at(),
    sa.UniqueConstraint("attribute_id", "row"),
)
rounds = sa.Table(
    "rounds",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("number", sa.Integer, nullable=False),  # from 1
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    _made_at(),
    sa.UniqueConstraint("attribute_id", "number"),
)
round_images = sa.Table(
    "round_images",
    metadata,
    sa.Column("round_id", sa.ForeignKey("rounds.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("score", sa.Float),
)
models = sa.Table(
    "models",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("round_id", sa.ForeignKey("rounds.id"), nullable=False),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("coefficients", sa.LargeBinary, nullable=False),  # float32 (d + 1,), the intercept last
    sa.Column("details", sa.Text, nullable=False),  # JSON: labels used, C ("strength"), seed, measurements
    _made_at(),
)
thresholds = sa.Table(
    "thresholds",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # JSON: target, confidence, evidence
    _made_at(),
)
certifications = sa.Table(
    "certifications",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("model_id", sa.ForeignKey("models.id"), nullable=False),
    sa.Column("target", sa.Float, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("planned", sa.Integer, nullable=False),  # the label budget
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("known", sa.LargeBinary, nullable=False),  # int64 rows that were labelled or queried before: excluded
    sa.Column("cuts", sa.Text),  # JSON, strictest first; null until the pilot is labelled
    _made_at(),
)
certification_images = sa.Table(
    "certification_images",
    metadata,
    sa.Column("certification_id", sa.ForeignKey("certifications.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("batch", sa.Integer, nullable=False),  # 0 for the pilot
)
audits = sa.Table(
    "audits",
    metadata,
    _id(),
    _attribute_id(),
    sa.Column("threshold_id", sa.ForeignKey("thresholds.id"), nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("n_accepted", sa.Integer, nullable=False),  # in the whole collection, at the threshold
    sa.Column("n_rejected", sa.Integer, nullable=False),
    _made_at(),
)
audit_images = sa.Table(
    "audit_images",
    metadata,
    sa.Column("audit_id", sa.ForeignKey("audits.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
)

saved_views = sa.Table(
    "saved_views",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("query", sa.Text, nullable=False),  # JSON: the gallery's query
    _made_at(),
)


def now() -> str:
    """Return the current UTC time in ISO 8601 with microseconds; strings sort chronologically."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def open_database(url: str) -> sa.Engine:
    """Open the database at ``url`` and create missing tables. Safe when several processes open it at once.

    SQLite runs in WAL mode with ``synchronous=FULL``: readers never wait for a writer, and a commit that has returned
    survives ``kill -9`` and a power cut.

    Raises
    ------
    BamError
        The database cannot be opened, or was created by another version of this program.
    """
    try:
        place = sa.engine.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError as error:
        raise BamError(
            "The address of the database is not a SQLAlchemy URL. Write it like sqlite:////data/bam.sqlite or "
            "postgresql://user@host/name."
        ) from error
    try:
        engine = sa.create_engine(url)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _tune_sqlite)
        elif engine.dialect.driver == "psycopg":
            sa.event.listen(engine, "connect", _tune_postgresql)
        try:
            _create_tables(engine)
            _check_version(engine)
        except BaseException:
            engine.dispose()
            raise
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise BamError(f"Cannot open the database {place}: {error}.") from error
    return engine


def _tune_sqlite(connection: Any, _record: Any) -> None:
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: Any) -> None:
    """Switch a new database to WAL mode, with retries: SQLite does not apply its busy timeout here."""
    deadline = time.monotonic() + _BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _tune_postgresql(connection: Any, _record: Any) -> None:
    """Replace NUL characters by U+FFFD: titles may hold them, and PostgreSQL stores no text that does."""
    from psycopg.types.string import StrDumperUnknown

    class WithoutNul(StrDumperUnknown):
        def dump(self, text: str) -> Any:
            return super().dump(text.replace("\0", "\ufffd"))

    connection.adapters.register_dumper(str, WithoutNul)


def _create_tables(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        lock(connection, None)
        metadata.create_all(connection)


def lock(connection: sa.Connection, table: sa.Table | None) -> None:
    """Block other writers of ``table`` until the transaction ends; readers continue. Call it first in a transaction.

    SQLite locks the whole database. PostgreSQL locks the table alone, and lets rows be written that refer to it. With
    ``table`` None, only processes that create the tables wait for each other.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif table is None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_CREATE_LOCK})")
    else:
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")


def _check_version(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        insert_new(connection, settings, [{"key": "schema", "value": json.dumps(SCHEMA_VERSION)}])
    version = read_setting(engine, "schema", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise BamError(
            f"This workspace has schema version {version}, but this program reads version {SCHEMA_VERSION}. "
            "Use the version of the program that created it, or start a new workspace."
        )


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that violate no unique constraint; return how many were inserted."""
    if not rows:
        return 0
    insert = _insert(connection, table).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return len(connection.execute(insert, list(rows)).all())


def _insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def read_setting(engine: sa.Engine, key: str, default: Any = None) -> Any:
    """Return the JSON value stored under ``key``, or ``default``."""
    with engine.connect() as connection:
        text = connection.execute(sa.select(settings.c.value).where(settings.c.key == key)).scalar()
    return default if text is None else json.loads(text)


def write_setting(engine: sa.Engine, key: str, value: Any) -> None:
    """Store ``value`` as JSON under ``key``, replacing any earlier value."""
    with engine.begin() as connection:
        insert = _insert(connection, settings).values(key=key, value=json.dumps(value))
        replacing = insert.on_conflict_do_update(index_elements=["key"], set_={"value": insert.excluded.value})
        connection.execute(replacing)
