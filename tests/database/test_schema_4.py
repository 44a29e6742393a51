"""A workspace of schema 4 opens with every row that it had, on either kind of database."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bam_engine import database as db
from bam_engine.collection.removals import Removals
from tests.database.old_workspace import in_order, read_from, write_old, write_old_to

ADDED: dict[str, dict[str, Any]] = {
    "thresholds": {"images": None},
    "audits": {"images": None},
    "certifications": {"risk_share": None},
}


def test_every_row_of_schema_4_is_kept(database_url: str, tmp_path: Path) -> None:
    old = write_old(tmp_path / "old.sqlite", schema=4)
    if database_url.startswith("sqlite"):
        (tmp_path / "old.sqlite").rename(tmp_path / "bam.sqlite")
    else:
        write_old_to(database_url, old, schema=4)
    engine = db.open_database(database_url)
    found = read_from(engine)
    for table in old.keys() - {"settings", "revisions"}:
        assert found[table] == in_order(row | ADDED.get(table, {}) for row in old[table]), table
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, db.metadata) == []
    newest, *_ = sorted(Removals(engine).all(), key=lambda one: -one.id)
    assert (newest.images, len(newest.returns), newest.annotator_id is None) == (1, 1, False)
    engine.dispose()


def test_the_stored_workspace_has_rows_in_the_tables_of_schema_4(tmp_path: Path) -> None:
    old = write_old(tmp_path / "old.sqlite", schema=4)
    tables = sa.MetaData()
    tables.reflect(sa.create_engine(f"sqlite:///{tmp_path / 'old.sqlite'}"))
    assert [name for name in tables.tables if not old[name]] == []
