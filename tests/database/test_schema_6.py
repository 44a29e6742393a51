"""A workspace of schema 6 opens with every row that it had, on either kind of database."""

from pathlib import Path
from typing import Any

from tests.database.old_workspace import empty_tables, opened

ADDED: dict[str, dict[str, Any]] = {"certification_images": {"made_at": None, "teaches": None}}


def test_every_row_of_schema_6_is_kept(database_url: str, tmp_path: Path) -> None:
    opened(database_url, tmp_path, 6, ADDED).dispose()


def test_the_stored_workspace_has_rows_in_the_tables_of_schema_6(tmp_path: Path) -> None:
    assert empty_tables(tmp_path, 6) == []
