"""The daily copies: made by the first writer of a day, seven of them, in nobody's way."""

import datetime
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.database import backups, daily_copies, sqlite_files
from tests.database.old_workspace import read
from tests.database.test_backups import answer
from tests.postgresql import PostgreSQL


class Clock(datetime.date):
    """A date whose today can be set."""

    now = datetime.date(2026, 11, 1)

    @classmethod
    def today(cls) -> datetime.date:
        return cls.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(daily_copies, "date", Clock)
    monkeypatch.setattr(Clock, "now", datetime.date(2026, 11, 1))
    return Clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bam.sqlite"


@pytest.fixture
def engine(file: Path, clock: type[Clock]) -> Iterator[sa.Engine]:
    """A database with one answer, on its first day."""
    opened = db.open_database(f"sqlite:///{file}")
    answer(opened, range(1))
    wait()
    yield opened
    wait()
    opened.dispose()


def wait() -> None:
    """Wait for the copies that are being made."""
    for thread in threading.enumerate():
        if thread.name == "daily-copy":
            thread.join()


def write_on(day: int, engine: sa.Engine, clock: type[Clock]) -> None:
    """Write twice on a day of November."""
    clock.now = datetime.date(2026, 11, day)
    for value in range(2):
        db.write_setting(engine, "day", [day, value])
    wait()


def copies(file: Path) -> list[str]:
    return [path.name for path in daily_copies.copies_of(file)]


def test_the_first_write_of_a_day_makes_one_copy(file: Path, engine: sa.Engine, clock: type[Clock]) -> None:
    assert copies(file) == [], "a new workspace has nothing to lose"
    write_on(2, engine, clock)
    assert copies(file) == ["bam.daily.2026-11-02.sqlite"]
    copy = file.with_name("bam.daily.2026-11-02.sqlite")
    stored = copy.read_bytes()
    assert len(read(copy)["annotations"]) == 1
    answer(engine, range(1, 4), "Ben")
    other = db.open_database(f"sqlite:///{file}")
    db.write_setting(other, "x", 1)
    other.dispose()
    wait()
    assert (copies(file), copy.read_bytes()) == (["bam.daily.2026-11-02.sqlite"], stored)
    write_on(3, engine, clock)
    assert len(read(file.with_name("bam.daily.2026-11-03.sqlite"))["annotations"]) == 4


def test_reading_makes_no_copy(file: Path, engine: sa.Engine, clock: type[Clock]) -> None:
    clock.now = datetime.date(2026, 11, 2)
    db.read_setting(engine, "day")
    wait()
    assert copies(file) == []


def test_seven_copies_are_kept_and_nothing_else_is_removed(file: Path, engine: sa.Engine, clock: type[Clock]) -> None:
    others = [file.with_name(name) for name in ("bam.schema-1.2026-01-01T000000.sqlite", "bam.daily.notes.txt")]
    abandoned, unfinished = (file.with_name(f".bam.daily.2026-10-0{day}-0123.sqlite") for day in (1, 2))
    for path in (*others, abandoned, unfinished):
        path.touch()
    os.utime(abandoned, (0, 0))
    for day in range(2, 12):
        write_on(day, engine, clock)
    assert copies(file) == [f"bam.daily.2026-11-{day:02}.sqlite" for day in range(5, 12)]
    assert all(path.exists() for path in others)
    assert not abandoned.exists()
    assert unfinished.exists(), "another process may be writing it"


def test_no_writer_waits_for_the_copy(
    file: Path, engine: sa.Engine, clock: type[Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    copy_to = sqlite_files.copy_to

    def slowly(source: Path, copy: Path) -> None:
        assert go.wait(60)
        copy_to(source, copy)

    monkeypatch.setattr(sqlite_files, "copy_to", slowly)
    clock.now = datetime.date(2026, 11, 2)
    db.write_setting(engine, "x", 1)
    answer(engine, range(1, 9), "Ben")
    assert copies(file) == []
    go.set()
    wait()
    assert len(copies(file)) == 1


def test_a_copy_that_cannot_be_made_is_logged_and_disturbs_nobody(
    file: Path, engine: sa.Engine, clock: type[Clock], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = shutil.disk_usage(file.parent)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    write_on(2, engine, clock)

    def fail(source: Path, copy: Path) -> None:
        raise OSError("no such device")

    monkeypatch.undo()
    monkeypatch.setattr(daily_copies, "date", clock)
    monkeypatch.setattr(sqlite_files, "copy_to", fail)
    write_on(3, engine, clock)
    assert copies(file) == []
    assert "There is no space for the daily copy" in caplog.text
    assert "was not made: no such device" in caplog.text
    assert db.read_setting(engine, "day") == [3, 1]


def test_a_server_is_copied_into_the_folder_of_the_workspace(
    postgresql: PostgreSQL, clock: type[Clock], tmp_path: Path
) -> None:
    with postgresql.database() as url:
        engine = db.open_database(url, copies=tmp_path)
        answer(engine, range(3))
        wait()
        assert daily_copies.daily_copies(engine) == [], "a new workspace has nothing to lose"
        for day in range(2, 11):
            write_on(day, engine, clock)
        copies = daily_copies.daily_copies(engine)
        assert [path.name for path in copies] == [f"bam.daily.2026-11-{day:02}.dump" for day in range(4, 11)]
        assert daily_copies.problem_of(engine) == ""
        answer(engine, range(3, 9), "Ben")
        engine.dispose()
        assert backups.contents(url) == backups.Contents(0, 9)
        backups.restore(url, copies[-1], tmp_path)
        assert backups.contents(url) == backups.Contents(0, 3)


def test_without_pg_dump_a_sentence_says_that_nothing_is_copied(
    postgresql: PostgreSQL,
    clock: type[Clock],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with postgresql.database() as url:
        engine = db.open_database(url, copies=tmp_path)
        answer(engine, range(1))
        write_on(2, engine, clock)
        assert daily_copies.daily_copies(engine) == []
        assert "pg_dump is not installed here. Install PostgreSQL's client programs" in daily_copies.problem_of(engine)
        assert "bam.daily.2026-11-02.dump was not made" in caplog.text
        assert db.read_setting(engine, "day") == [2, 1], "nobody is disturbed"
        engine.dispose()


def test_a_server_without_a_folder_has_no_copies(database: sa.Engine, tmp_path: Path) -> None:
    on_a_file = database.dialect.name == "sqlite"
    assert (daily_copies.keep_daily_copies(database, None) is not None) == on_a_file


def test_a_copy_of_a_clock_that_went_wrong_takes_the_place_of_none(
    file: Path, engine: sa.Engine, clock: type[Clock]
) -> None:
    strays = [file.with_name(f"bam.daily.20{year}-01-01.sqlite") for year in range(40, 48)]
    for stray in strays:
        stray.write_bytes(b"")
    for day in range(2, 12):
        write_on(day, engine, clock)
    made = [f"bam.daily.2026-11-{day:02}.sqlite" for day in range(5, 12)]
    assert copies(file) == [*made, *(stray.name for stray in strays)]
