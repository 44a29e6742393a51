"""A workspace of schema 4 opens with every row that it had, on either kind of database."""

from pathlib import Path
from typing import Any

from bam_engine.collection.removals import Removals
from tests.database.old_workspace import empty_tables, opened

ADDED: dict[str, dict[str, Any]] = {
    "thresholds": {"images": None, "known_positives": None},
    "measured_thresholds": {"known_positives": None},
    "audits": {"images": None},
    "certifications": {"risk_share": None, "counted": None, "since": None},
    "certification_images": {"made_at": None, "teaches": None},
}


def test_every_row_of_schema_4_is_kept(database_url: str, tmp_path: Path) -> None:
    engine = opened(database_url, tmp_path, 4, ADDED)
    newest, *_ = sorted(Removals(engine).all(), key=lambda one: -one.id)
    assert (newest.images, len(newest.returns), newest.annotator_id is None) == (1, 1, False)
    engine.dispose()


def test_the_stored_workspace_has_rows_in_the_tables_of_schema_4(tmp_path: Path) -> None:
    assert empty_tables(tmp_path, 4) == []
