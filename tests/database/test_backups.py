"""Backups of both kinds of database: of one moment, checked, and restored so that nothing is lost."""

import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import NewAnswer
from bam_engine.annotation.answer_log import answer_log
from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.database import backups, postgresql_backups
from bam_engine.errors import BamError
from tests.database.old_workspace import read, read_from, write_old
from tests.postgresql import PostgreSQL


def answer(engine: sa.Engine, rows: range, name: str = "Ada") -> None:
    """Answer "positive" to each of ``rows`` under an attribute that the first call adds."""
    attributes, annotations = Attributes(engine), Annotations(engine)
    if not attributes.all():
        attributes.add("kite", "own", "Is there a kite?")
    share = annotations.assign(1, annotations.annotator(name), rows, purpose="round", source_id=rows.start)
    annotations.record(share.id, [NewAnswer(f"{name}-{row}", row, 1) for row in rows])


def answered(engine: sa.Engine) -> list[int]:
    return sorted(answer_log(engine, 1).rows.tolist())


def rows_of(url: str) -> dict[str, list[dict[str, object]]]:
    """Return all rows of a database but its revisions, which count on."""
    engine = sa.create_engine(url)
    rows = {name: lines for name, lines in read_from(engine).items() if name != "revisions"}
    engine.dispose()
    return rows


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """A database with answers to rows 0 to 4."""
    opened = db.open_database(database_url)
    answer(opened, range(5))
    yield opened
    opened.dispose()


def test_a_backup_brings_every_row_back_and_keeps_what_was_there(
    engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    before = rows_of(database_url)
    file = backups.back_up(engine, tmp_path / "backup")
    answer(engine, range(5, 9))
    later = rows_of(database_url)
    assert later != before

    kept = backups.restore(database_url, file, tmp_path)
    assert rows_of(database_url) == before
    assert backups.contents(database_url) == backups.Contents(images=0, answers=5)
    assert kept is not None
    backups.restore(database_url, kept, tmp_path)
    assert rows_of(database_url) == later


def test_who_has_the_database_open_reads_what_was_restored(
    engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    forgotten: list[bool] = []
    db.on_restore(engine, lambda: forgotten.append(True))
    file = backups.back_up(engine, tmp_path / "backup")
    answer(engine, range(5, 9))
    assert answered(engine) == list(range(9))
    forgotten.clear()
    backups.restore(database_url, file, tmp_path)
    assert answered(engine) == list(range(5))
    assert forgotten
    answer(engine, range(20, 24), "Ben")  # as many as were lost, under the same ids
    assert answered(engine) == [0, 1, 2, 3, 4, 20, 21, 22, 23]


def test_a_backup_is_of_one_moment_while_others_write(engine: sa.Engine, database_url: str, tmp_path: Path) -> None:
    """Each writer adds an annotator and an attribute in one transaction: a backup holds both, or neither."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with engine.begin() as connection:
                made = {"name": f"writer {number}", "made_at": db.now()}
                connection.execute(sa.insert(db.annotators).values(made))
                time.sleep(0.001)
                connection.execute(sa.insert(db.attributes).values({**made, "kind": "own", "question": "?"}))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        files = [backups.back_up(engine, tmp_path / f"backup-{number}") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    for file in files:
        backups.restore(database_url, file, tmp_path)
        rows = rows_of(database_url)
        names = [{row["name"] for row in rows[name]} for name in ("annotators", "attributes")]
        assert names[0] - {"Ada"} == names[1] - {"kite"}


def test_a_backup_replaces_no_file_unless_it_is_told_to(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("something else")
    with pytest.raises(BamError, match="exists and is not replaced"):
        backups.back_up(engine, file)
    assert file.read_text() == "something else"
    backups.back_up(engine, file, replace=True)
    backups.check_backup(engine.url, file)


def test_a_folder_that_is_not_there_is_named_and_not_made(engine: sa.Engine, tmp_path: Path) -> None:
    with pytest.raises(BamError, match=r"The folder .*stick does not exist"):
        backups.back_up(engine, tmp_path / "stick" / "backup")
    with pytest.raises(BamError, match="is a folder"):
        backups.back_up(engine, tmp_path)
    assert not (tmp_path / "stick").exists()


def test_a_damaged_backup_is_refused_and_the_database_stays(
    engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    before = rows_of(database_url)
    file = backups.back_up(engine, tmp_path / "backup")
    whole = file.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"\0" * len(whole), b"no database " * 90):
        file.write_bytes(damaged)
        with pytest.raises(BamError, match=r"backup cannot be restored: "):
            backups.restore(database_url, file, tmp_path)
    with pytest.raises(BamError, match="there is no such file"):
        backups.restore(database_url, tmp_path / "nowhere", tmp_path)
    assert rows_of(database_url) == before


def test_a_backup_of_a_later_program_is_refused(engine: sa.Engine, database_url: str, tmp_path: Path) -> None:
    db.write_setting(engine, "schema", db.SCHEMA_VERSION + 1)
    file = tmp_path / "backup"
    if engine.dialect.name == "sqlite":
        backups.back_up(engine, file)
    else:
        with pytest.raises(BamError, match="schema version"):
            backups.back_up(engine, file)
        return
    db.write_setting(engine, "schema", db.SCHEMA_VERSION)
    with pytest.raises(BamError, match=f"cannot be restored: .* has schema version {db.SCHEMA_VERSION + 1}"):
        backups.restore(database_url, file, tmp_path)


# SQLite -------------------------------------------------------------------------------------------------------------


def test_a_backup_of_an_earlier_program_is_migrated(tmp_path: Path) -> None:
    old, live = tmp_path / "old" / "backup.sqlite", tmp_path / "new" / "bam.sqlite"
    write_old(old)
    stored = old.read_bytes()
    assert backups.restore(f"sqlite:///{live}", old, tmp_path) is None
    assert old.read_bytes() == stored
    assert [path.name for path in live.parent.iterdir()] == ["bam.sqlite"]
    db.open_database(f"sqlite:///{old}").dispose()
    restored, migrated = read(live), read(old)
    assert restored == migrated


def test_a_damaged_database_is_moved_aside(tmp_path: Path) -> None:
    live = tmp_path / "bam.sqlite"
    url = f"sqlite:///{live}"
    engine = db.open_database(url)
    answer(engine, range(300))
    file = backups.back_up(engine, tmp_path / "backup")
    engine.dispose()
    for damage in (b"\0" * 9000, live.read_bytes()[:5000] + b"\xff" * 30_000):
        live.write_bytes(damage)
        kept = backups.restore(url, file, tmp_path)
        assert kept is not None
        assert kept.read_bytes() == damage
        assert backups.contents(url) == backups.Contents(images=0, answers=300)
        kept.unlink()


def test_changes_that_are_only_in_the_log_are_in_the_backup(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bam.sqlite'}"
    engine = db.open_database(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint=0")
    answer(engine, range(5))
    assert (tmp_path / "bam.sqlite-wal").stat().st_size
    file = backups.back_up(engine, tmp_path / "backup.sqlite")
    engine.dispose()
    assert len(read(file)["annotations"]) == 5


def test_a_full_disk_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bam.sqlite'}"
    engine = db.open_database(url)
    answer(engine, range(300))
    file = backups.back_up(engine, tmp_path / "backup")
    before = rows_of(url)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        with pytest.raises(BamError, match=r"The backup .* cannot be written: .*\.$"):
            backups.back_up(engine, tmp_path / "another")
        with pytest.raises(BamError, match=r"cannot be restored: .* The database is as it was\.$"):
            backups.restore(url, file, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert rows_of(url) == before
    assert {path.name for path in tmp_path.iterdir() if "-wal" not in path.name and "-shm" not in path.name} == {
        "bam.sqlite",
        "backup",
    }
    engine.dispose()


def test_the_database_itself_is_no_backup(tmp_path: Path) -> None:
    live = tmp_path / "bam.sqlite"
    engine = db.open_database(f"sqlite:///{live}")
    with pytest.raises(BamError, match="is the database itself"):
        backups.back_up(engine, live, replace=True)
    with pytest.raises(BamError, match="is the database itself"):
        backups.restore(engine.url, live, tmp_path)
    engine.dispose()


def test_only_the_owner_can_read_a_backup_of_what_only_the_owner_can_read(tmp_path: Path) -> None:
    live = tmp_path / "bam.sqlite"
    engine = db.open_database(f"sqlite:///{live}")
    live.chmod(0o600)
    assert backups.back_up(engine, tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    engine.dispose()


def test_another_programs_database_is_no_backup(tmp_path: Path) -> None:
    other = tmp_path / "bookmarks.sqlite"
    with closing(sqlite3.connect(other)) as database, database:
        database.execute("CREATE TABLE bookmarks (address TEXT)")
    with pytest.raises(BamError, match=r"bookmarks\.sqlite cannot be restored: .* another program"):
        backups.restore(f"sqlite:///{tmp_path / 'bam.sqlite'}", other, tmp_path)
    assert not (tmp_path / "bam.sqlite").exists()


# PostgreSQL -----------------------------------------------------------------------------------------------------------


def test_tables_of_other_programs_stay_when_a_backup_is_restored(postgresql: PostgreSQL, tmp_path: Path) -> None:
    with postgresql.database() as url:
        engine = db.open_database(url)
        answer(engine, range(3))
        file = backups.back_up(engine, tmp_path / "backup")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE bookmarks (address text)")
        backups.restore(url, file, tmp_path)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM bookmarks").scalar() == 0
        engine.dispose()


def test_a_missing_pg_dump_is_named(postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgresql.database() as url:
        engine = db.open_database(url)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(BamError, match=r"pg_dump is not installed here\. Install PostgreSQL's client programs"):
            backups.back_up(engine, tmp_path / "backup")
        engine.dispose()


def test_no_other_user_sees_the_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[str] = []
    engine = sa.create_engine("postgresql://bam:secret@/labels?host=/nowhere")

    def run(command: list[str], env: dict[str, str], **_: object) -> None:
        seen.extend(command)
        assert env["PGPASSWORD"] == "secret"
        raise FileNotFoundError

    monkeypatch.setattr(postgresql_backups.subprocess, "run", run)
    with pytest.raises(BamError, match="not installed"):
        backups.back_up(engine, tmp_path / "backup")
    assert "secret" not in " ".join(seen)


def test_a_backup_of_the_other_kind_is_refused(postgresql: PostgreSQL, tmp_path: Path) -> None:
    engine = db.open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")
    file = backups.back_up(engine, tmp_path / "backup.sqlite")
    engine.dispose()
    with postgresql.database() as url, pytest.raises(BamError, match="no archive of PostgreSQL"):
        backups.restore(url, file, tmp_path)
