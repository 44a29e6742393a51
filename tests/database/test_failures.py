"""What is said when the database is locked by another program, or its server does not answer."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.database import failures, opening
from bam_engine.errors import BamError, StoreUnavailable
from tests.postgresql import PostgreSQL


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers that give up at once."""
    monkeypatch.setattr(opening, "_PRAGMAS", (*opening._PRAGMAS, "busy_timeout=50"))


@contextmanager
def locked_by_another_program(url: str) -> Iterator[None]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "LOCK TABLE settings, annotators")
        yield
        connection.rollback()
    engine.dispose()


def test_writers_wait_a_few_seconds_for_others() -> None:
    assert 2 <= failures.LOCK_TIMEOUT <= 5


@pytest.mark.usefixtures("impatient")
def test_another_programs_lock_is_named_and_nothing_is_saved(tmp_path: Path) -> None:
    file = tmp_path / "bam.sqlite"
    engine = db.open_database(f"sqlite:///{file}")
    with locked_by_another_program(f"sqlite:///{file}"):
        with pytest.raises(StoreUnavailable, match=rf"^Nothing was saved: another program .* {file} .* try again\.$"):
            db.write_setting(engine, "x", 1)
        with pytest.raises(StoreUnavailable, match="another program"), engine.begin() as connection:
            db.lock(connection, db.annotators)
        assert db.read_setting(engine, "x") is None, "readers do not wait"
    db.write_setting(engine, "x", 1)
    assert db.read_setting(engine, "x") == 1
    engine.dispose()


@pytest.mark.slow
def test_a_file_that_another_program_keeps_for_itself_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bam.sqlite"
    db.open_database(f"sqlite:///{file}").dispose()
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="another program"):
            db.read_setting(db.open_database(f"sqlite:///{file}"), "x")


def test_on_postgresql_another_programs_lock_is_named(postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LOCK_TIMEOUT", 1)
    with postgresql.database() as url:
        engine = db.open_database(url)
        with (
            locked_by_another_program(url),
            pytest.raises(StoreUnavailable, match=r"^Nothing was saved: another program"),
        ):
            db.write_setting(engine, "x", 1)
        db.write_setting(engine, "x", 1)
        engine.dispose()


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"bam:\*\*\*@.* does not answer: .*\. Start its server") as raised:
        db.open_database(f"postgresql://bam:secret@/labels?host={tmp_path}")
    assert "secret" not in str(raised.value)


def test_other_failures_stay_what_they_are(database: sa.Engine) -> None:
    with pytest.raises(sa.exc.DBAPIError), database.connect() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")


def test_a_damaged_file_is_named_with_what_brings_it_back(tmp_path: Path) -> None:
    file = tmp_path / "bam.sqlite"
    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE settings AS SELECT zeroblob(80000)")
        made.commit()
    content = file.read_bytes()
    file.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    engine = sa.create_engine(f"sqlite:///{file}")
    failures.explain_failures(engine)
    message = r"bam\.sqlite is damaged .*Restore a backup or a daily copy with `bam restore"
    with engine.connect() as connection, pytest.raises(BamError, match=message):
        connection.exec_driver_sql("SELECT * FROM settings").all()
    engine.dispose()
