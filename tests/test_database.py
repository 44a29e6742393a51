"""The database: opening, schema version, durability."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.errors import BamError


def test_sqlite_is_durable_and_does_not_block_readers(database: sa.Engine) -> None:
    with database.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"pragma {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


def test_concurrent_openers_of_a_new_database_all_succeed(tmp_path: Path) -> None:
    several = 6
    for number in range(8):
        together, url = threading.Barrier(several), f"sqlite:///{tmp_path / f'{number}.sqlite'}"

        def opened(together: threading.Barrier = together, url: str = url) -> int:
            together.wait()
            engine = db.open_database(url)
            version = int(db.read_setting(engine, "schema"))
            engine.dispose()
            return version

        with ThreadPoolExecutor(several) as pool:
            futures = [pool.submit(opened) for _ in range(several)]
        assert [one.result() for one in futures] == [db.SCHEMA_VERSION] * several


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bam.sqlite'}"
    engine = db.open_database(url)
    db.write_setting(engine, "schema", db.SCHEMA_VERSION + 1)
    engine.dispose()
    with pytest.raises(BamError, match=f"schema version {db.SCHEMA_VERSION + 1}"):
        db.open_database(url)


def test_a_file_that_is_not_a_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "bam.sqlite").write_text("these are not the bytes of a database " * 40)
    with pytest.raises(BamError, match=r"Cannot open the database .*bam\.sqlite"):
        db.open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")


def test_rows_that_exist_already_are_not_counted(database: sa.Engine) -> None:
    row = {"name": "ada", "simulated": False, "made_at": db.now()}
    with database.begin() as connection:
        assert db.insert_new(connection, db.annotators, [row]) == 1
        assert db.insert_new(connection, db.annotators, [row, {**row, "name": "ben"}]) == 1
        assert db.insert_new(connection, db.annotators, []) == 0


def test_settings_come_back_as_they_were(database: sa.Engine) -> None:
    assert db.read_setting(database, "x", 7) == 7
    db.write_setting(database, "x", {"a": [1, None]})
    db.write_setting(database, "x", {"a": [2, None]})
    assert db.read_setting(database, "x") == {"a": [2, None]}


def test_an_address_that_is_no_url_is_refused() -> None:
    with pytest.raises(BamError, match=r"not a SQLAlchemy URL\. Write it like sqlite:"):
        db.open_database("labels")
