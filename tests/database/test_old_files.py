"""What a user is promised when an old file is opened: a copy of it, and a whole file whatever happens."""

import errno
import gc
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.database import opening, sqlite_files
from bam_engine.errors import BamError
from tests.browser import ROOT
from tests.database.old_workspace import Rows, read, write_old

OPEN = "import sys; from bam_engine.database import open_database; open_database(sys.argv[1]).dispose()"
KILLED = """
import os, signal, sys
from bam_engine.database import migrating, open_database
migrating._check_foreign_keys = lambda connection: os.kill(os.getpid(), signal.SIGKILL)
open_database(sys.argv[1])
"""
KILLED_WHILE_COPYING = """
import os, signal, sys
from bam_engine import files
from bam_engine.database import open_database
files.flush_to_disk = lambda path: os.kill(os.getpid(), signal.SIGKILL)
open_database(sys.argv[1])
"""
DISK_FULL_WHILE_COPYING = """
import resource, sys
from pathlib import Path
from bam_engine.database import open_database
size = Path(sys.argv[1].removeprefix("sqlite:///")).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
open_database(sys.argv[1])
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "workspace" / "bam.sqlite"


@pytest.fixture
def old(file: Path) -> Rows:
    """The rows of a workspace of schema 1, written to ``file``."""
    return write_old(file)


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, byte for byte."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def copies(file: Path) -> list[Path]:
    return sorted(file.parent.glob("bam.schema-*"))


def run(code: str, file: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, url(file)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def half_way(monkeypatch: pytest.MonkeyPatch, action: Callable[[], Any]) -> None:
    """Let ``action`` happen after the tables were rebuilt and before the transaction ends."""
    monkeypatch.setattr("bam_engine.database.migrating._check_foreign_keys", lambda connection: action())


# The copy -----------------------------------------------------------------------------------------------------------


def test_a_migration_leaves_a_copy_beside_the_file(file: Path, old: Rows) -> None:
    db.open_database(url(file)).dispose()
    (copy,) = copies(file)
    assert re.fullmatch(r"bam\.schema-1\.\d{4}-\d\d-\d\dT\d{6}\.sqlite", copy.name)
    assert read(copy) == old
    assert read(file) != old


def test_the_copy_holds_what_another_connection_has_not_yet_written_into_the_file(file: Path, old: Rows) -> None:
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("UPDATE images SET title = 'changed'")
        other.commit()
        db.open_database(url(file)).dispose()
    (copy,) = copies(file)
    assert {row["title"] for row in read(copy)["images"]} == {"changed"} != {row["title"] for row in old["images"]}


def test_the_copy_opens_as_the_workspace_that_it_was(file: Path, old: Rows) -> None:
    db.open_database(url(file)).dispose()
    migrated = read(file)
    (copy,) = copies(file)
    copy.replace(file)
    db.open_database(url(file)).dispose()
    assert read(file) == migrated


@pytest.mark.usefixtures("old")
def test_a_file_that_is_up_to_date_is_not_copied_again(file: Path) -> None:
    db.open_database(url(file)).dispose()
    db.open_database(url(file)).dispose()
    assert len(copies(file)) == 1


@pytest.mark.usefixtures("old")
def test_what_a_killed_copy_left_is_removed_before_the_next(file: Path) -> None:
    process = run(KILLED_WHILE_COPYING, file)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert any(path.name.startswith(".bam.schema-1") for path in file.parent.iterdir())
    db.open_database(url(file)).dispose()
    assert {path.name for path in file.parent.iterdir()} == {file.name, *(copy.name for copy in copies(file))}


def test_a_copy_that_fails_leaves_nothing(file: Path, old: Rows) -> None:
    process = run(DISK_FULL_WHILE_COPYING, file)
    errors = process.communicate()[1]
    assert "cannot be written" in errors, errors
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert read(file) == old


def test_without_space_for_the_copy_nothing_begins(file: Path, old: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(file.parent)._replace(free=file.stat().st_size)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(BamError, match=r"need .* of disk space in .* and .* are free\. Free some disk space\."):
        db.open_database(url(file))
    assert read(file) == old
    assert copies(file) == []


# Failure half-way ---------------------------------------------------------------------------------------------------


def test_a_migration_that_fails_leaves_the_old_file_whole(
    file: Path, old: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("a defect of the migration")

    half_way(monkeypatch, fail)
    with pytest.raises(RuntimeError, match="a defect"):
        db.open_database(url(file))
    assert read(file) == old
    assert copies(file) == []


def test_a_migration_that_is_killed_leaves_the_old_file_whole_and_runs_again(file: Path, old: Rows) -> None:
    process = run(KILLED, file)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert read(file) == old
    db.open_database(url(file)).dispose()
    assert "measurements" in read(file)


def test_a_full_disk_leaves_the_old_file_whole(file: Path, old: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(file)) as database:
        (pages,) = database.execute("PRAGMA page_count").fetchone()
    with monkeypatch.context() as patch:
        patch.setattr(opening, "_PRAGMAS", (*opening._PRAGMAS, f"max_page_count={pages}"))
        with pytest.raises(BamError, match="database or disk is full"):
            db.open_database(url(file))
    assert read(file) == old
    db.open_database(url(file)).dispose()
    assert "measurements" in read(file)


# Several at once ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("old")
def test_threads_that_open_an_old_file_at_once_migrate_it_once(file: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(lambda _: db.open_database(url(file)), range(4)))
    for engine in engines:
        db.write_setting(engine, "x", 1)
        engine.dispose()
    assert len(copies(file)) == 1


@pytest.mark.usefixtures("old")
def test_processes_that_open_an_old_file_at_once_migrate_it_once(file: Path) -> None:
    processes = [run(OPEN, file) for _ in range(3)]
    for process in processes:
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
    assert len(copies(file)) == 1
    assert "measurements" in read(file)


# What is refused ----------------------------------------------------------------------------------------------------


def newer(file: Path) -> None:
    write_old(file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA journal_mode=DELETE")
        database.execute("UPDATE settings SET value = '99' WHERE key = 'schema'")


def newer_and_open_elsewhere(file: Path) -> None:
    """A file with changes in its write-ahead log, which a reader must not write back."""
    newer(file)
    elsewhere = file.with_name("elsewhere")
    elsewhere.mkdir()
    shutil.copy(file, elsewhere)
    with closing(sqlite3.connect(elsewhere / file.name)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("UPDATE settings SET value = '98' WHERE key = 'schema'")
        database.commit()
        for path in elsewhere.iterdir():
            shutil.copy(path, file.parent)
    shutil.rmtree(elsewhere)


def another_programs(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE settings (name TEXT)")
        database.execute("CREATE TABLE bookmarks (address TEXT)")


def a_link_to_a_newer_one(file: Path) -> None:
    """Its write-ahead log is beside the file that the link leads to."""
    elsewhere = file.parent.with_name("elsewhere") / "labels.sqlite"
    newer_and_open_elsewhere(elsewhere)
    file.parent.mkdir()
    for path in elsewhere.parent.iterdir():
        path.replace(file.with_name(path.name))
    file.symlink_to("labels.sqlite")


def with_an_odd_version(file: Path) -> None:
    write_old(file)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE settings SET value = '2.5' WHERE key = 'schema'")


def no_database(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"\x89PNG\r\n" * 400)


def half_a_database(file: Path) -> None:
    write_old(file)
    file.write_bytes(file.read_bytes()[:3000])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (newer, "schema version 99, but this program reads version"),
        (newer_and_open_elsewhere, "schema version 98, but this program reads version"),
        (a_link_to_a_newer_one, "schema version 98, but this program reads version"),
        (with_an_odd_version, "the tables of another program and no workspace"),
        (another_programs, "the tables of another program and no workspace"),
        (no_database, "is not a SQLite database"),
        (half_a_database, "Cannot open the database"),
    ],
)
def test_what_this_program_cannot_read_is_refused_and_not_touched(
    file: Path, write: Callable[[Path], None], message: str
) -> None:
    write(file)
    before = contents(file.parent)
    with pytest.raises(BamError, match=message):
        db.open_database(url(file))
    after = contents(file.parent)
    shared_memory = f"{file.resolve().name}-shm"  # SQLite's index of the log: its locks are in it
    assert before.pop(shared_memory, None) is None or after.pop(shared_memory)
    assert after == before


def test_a_folder_that_cannot_be_looked_into_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "stat", refuse)  # no permission stops root
    with pytest.raises(BamError, match=r"Cannot open the database .*: Permission denied\. Make its folder readable\."):
        db.open_database(url(file))


def test_an_old_file_behind_a_link_is_copied_beside_itself(tmp_path: Path) -> None:
    file, link = tmp_path / "disk" / "labels.sqlite", tmp_path / "workspace" / "bam.sqlite"
    old = write_old(file)
    link.parent.mkdir()
    link.symlink_to(file)
    db.open_database(url(link)).dispose()
    (copy,) = file.parent.glob("labels.schema-1.*.sqlite")
    assert read(copy) == old
    assert list(link.parent.iterdir()) == [link]
    assert link.is_symlink()


def test_an_empty_file_is_a_new_workspace(file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    db.open_database(url(file)).dispose()
    assert read(file)["settings"] == [{"key": "schema", "value": str(db.SCHEMA_VERSION)}]


# Read-only media ----------------------------------------------------------------------------------------------------


@pytest.fixture
def read_only_medium(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Files that cannot be written, also for root, whom no permission stops; the folder of temporary files."""
    monkeypatch.setattr(sqlite_files, "is_writable", lambda file: False)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


def test_an_old_file_on_a_read_only_medium_is_read_from_a_migrated_copy(
    file: Path, old: Rows, read_only_medium: Path
) -> None:
    before = contents(file.parent)
    engine = db.open_database(url(file))
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(db.models)) == len(old["models"])
    assert db.read_only(engine)
    assert contents(file.parent) == before
    assert len(list(read_only_medium.iterdir())) == 1
    engine.dispose()
    del engine, connection
    gc.collect()
    assert list(read_only_medium.iterdir()) == []


@pytest.mark.parametrize("up_to_date", [True, False])
@pytest.mark.usefixtures("old")
def test_nothing_can_be_saved_on_a_read_only_medium(
    file: Path, up_to_date: bool, request: pytest.FixtureRequest
) -> None:
    if up_to_date:
        db.open_database(url(file)).dispose()
    request.getfixturevalue("read_only_medium")
    before = contents(file.parent)
    engine = db.open_database(url(file))
    assert db.read_setting(engine, "redundancy") == 2
    with pytest.raises(BamError, match=r"Nothing can be saved in this workspace: .* is read-only\. Make both writable"):
        db.write_setting(engine, "redundancy", 3)
    engine.dispose()
    assert contents(file.parent) == before
