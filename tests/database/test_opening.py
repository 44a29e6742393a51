"""The database: opening, schema version, durability."""

import errno
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.errors import BamError
from tests.postgresql import PostgreSQL

SEVERAL = 6
T = TypeVar("T")


def together(work: Callable[[int], T]) -> list[T]:
    """Call ``work`` in several threads at the same moment; return what each returned."""
    barrier = threading.Barrier(SEVERAL)

    def started(number: int) -> T:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(SEVERAL) as pool:
        return list(pool.map(started, range(SEVERAL)))


def opened_version(url: str) -> int:
    engine = db.open_database(url)
    version = int(db.read_setting(engine, "schema"))
    engine.dispose()
    return version


def test_sqlite_is_durable_and_does_not_block_readers(tmp_path: Path) -> None:
    database = db.open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")
    with database.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"pragma {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    database.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


def test_concurrent_openers_of_a_new_database_all_succeed(tmp_path: Path) -> None:
    for number in range(8):
        url = f"sqlite:///{tmp_path / f'{number}.sqlite'}"
        assert together(lambda _, url=url: opened_version(url)) == [db.SCHEMA_VERSION] * SEVERAL


def test_concurrent_openers_of_a_new_postgresql_database_all_succeed(postgresql: PostgreSQL) -> None:
    for _ in range(2):
        with postgresql.database() as url:
            assert together(lambda _, url=url: opened_version(url)) == [db.SCHEMA_VERSION] * SEVERAL


def test_a_newer_schema_is_refused(database_url: str) -> None:
    engine = db.open_database(database_url)
    db.write_setting(engine, "schema", db.SCHEMA_VERSION + 1)
    engine.dispose()
    with pytest.raises(BamError, match=f"schema version {db.SCHEMA_VERSION + 1}"):
        db.open_database(database_url)


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


def test_of_concurrent_writers_of_a_setting_one_is_the_last(database: sa.Engine) -> None:
    def write(number: int) -> None:
        for step in range(10):
            db.write_setting(database, "x", [number, step])

    together(write)
    assert db.read_setting(database, "x") in [[number, 9] for number in range(SEVERAL)]


def test_a_locked_table_keeps_other_writers_out_and_lets_readers_in(database: sa.Engine) -> None:
    order: list[str] = []

    def add() -> None:
        with database.begin() as connection:
            db.lock(connection, db.annotators)
            order.append("the second writer has the lock")

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            db.lock(connection, db.annotators)
            second = pool.submit(add)
            with database.connect() as reader:
                assert reader.execute(sa.select(db.annotators)).all() == []
            with pytest.raises(TimeoutError):
                second.result(0.3)
            order.append("the first writer is done")
        second.result()
    assert order == ["the first writer is done", "the second writer has the lock"]


def test_on_postgresql_what_refers_to_a_locked_table_is_written_meanwhile(postgresql: PostgreSQL) -> None:
    values = {"name": "kite", "kind": "own", "question": "Is there a kite?", "made_at": db.now()}
    with postgresql.database() as url:
        engine = db.open_database(url)
        with engine.begin() as connection:
            key = connection.scalar(sa.insert(db.attributes).values(values).returning(db.attributes.c.id))
        sample = {"attribute_id": key, "row": 0, "probability": 0.5, "draw": 0, "made_at": db.now()}
        with engine.begin() as locking, engine.begin() as writing:
            db.lock(locking, db.attributes)
            writing.exec_driver_sql("SET lock_timeout = '2s'")
            writing.execute(sa.insert(db.validation_images).values(sample))
        engine.dispose()


def test_an_address_that_is_no_url_is_refused() -> None:
    with pytest.raises(BamError, match=r"not a SQLAlchemy URL\. Write it like sqlite:"):
        db.open_database("labels")


def test_a_new_database_where_nothing_can_be_made_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("bam_engine.database.sqlite_files.os.open", refuse)  # root may write anywhere
    with pytest.raises(BamError, match=r"Cannot make the database .*: Permission denied\. Make its folder writable"):
        db.open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")


def test_a_folder_in_the_place_of_the_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "bam.sqlite").mkdir()
    message = r"bam\.sqlite: it is a folder\. Set BAM_WORKSPACE to another folder, or move it away\."
    with pytest.raises(BamError, match=message):
        db.open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")
