"""A workspace of schema 7 opens with every row that it had, on either kind of database."""

from pathlib import Path

from tests.database.old_workspace import empty_tables, opened


def test_every_row_of_schema_7_is_kept(database_url: str, tmp_path: Path) -> None:
    opened(database_url, tmp_path, 7, {}).dispose()


def test_the_stored_workspace_has_rows_in_the_tables_of_schema_7(tmp_path: Path) -> None:
    assert empty_tables(tmp_path, 7) == []
