"""A workspace of schema 3 opens with every row that it had, on either kind of database."""

from pathlib import Path
from typing import Any

from bam_engine.collection.removals import Removals
from tests.database.old_workspace import empty_tables, opened

ADDED: dict[str, dict[str, Any]] = {
    "removals": {"annotator_id": None},
    "validation_draws": {"left_out": None},
    "certifications": {"images": None, "left_out": None, "risk_share": None, "counted": None, "since": None},
    "audits": {"left_out": None, "images": None},
    "thresholds": {"images": None, "known_positives": None},
    "measured_thresholds": {"known_positives": None},
    "certification_images": {"made_at": None, "teaches": None},
}


def test_every_row_of_schema_3_is_kept(database_url: str, tmp_path: Path) -> None:
    engine = opened(database_url, tmp_path, 3, ADDED)
    removals = Removals(engine)
    assert removals.removed().rows.tolist() == [3, 8, 13]
    assert [(one.images, one.annotator_id, one.returns) for one in removals.all()] == [(1, None, ()), (2, None, ())]
    engine.dispose()


def test_the_stored_workspace_has_rows_in_the_tables_of_schema_3(tmp_path: Path) -> None:
    assert empty_tables(tmp_path, 3) == []
