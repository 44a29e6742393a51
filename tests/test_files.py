"""Replacing files: whole or not at all, and what killed processes leave."""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

import pytest

from bam_engine import files
from bam_engine.files import check_output, is_due, open_ordinary, replacing, sweep


@pytest.mark.parametrize("flush", [False, True])
def test_a_file_is_replaced_when_the_block_ends_and_not_before(tmp_path: Path, flush: bool) -> None:
    file = tmp_path / "new" / "a.txt"
    with replacing(file, flush=flush) as temporary:
        temporary.write_text("first")
        assert not file.exists()
        assert temporary.suffix == ".txt"
    with contextlib.suppress(ZeroDivisionError), replacing(file, flush=flush) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert file.read_text() == "first"
    assert list(file.parent.iterdir()) == [file]


def test_a_flushed_file_is_on_the_disk_before_its_name_and_its_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, replace = [], Path.replace

    def renamed(self: Path, target: Path) -> Path:
        steps.append("renamed")
        return replace(self, target)

    monkeypatch.setattr(files.os, "fsync", lambda handle: steps.append("folder" if _is_folder(handle) else "file"))
    monkeypatch.setattr(Path, "replace", renamed)
    with replacing(tmp_path / "a", flush=True) as temporary:
        temporary.write_text("a")
    assert steps == ["file", "renamed", "folder"]


def _is_folder(handle: int) -> bool:
    return Path(f"/proc/self/fd/{handle}").resolve().is_dir()


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(OSError, match="not an ordinary file"), replacing(path) as temporary:
            temporary.write_text("never")
    assert pipe.is_fifo()
    assert link.is_symlink()
    broken = tmp_path / "broken"
    broken.symlink_to(tmp_path / "nothing")
    with replacing(broken) as temporary:
        temporary.write_text("whole")
    assert broken.read_text() == "whole"


def test_an_output_replaces_no_database_and_nothing_that_belongs_to_one(tmp_path: Path) -> None:
    database = tmp_path / "a.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("create table t (a)")
    (tmp_path / "b.dump").write_bytes(b"PGDMP and more")
    for name in ("a.sqlite", "a.sqlite-wal", "a.sqlite-shm", "a.sqlite-journal", "b.dump"):
        with pytest.raises(OSError, match="is not replaced"):
            check_output(tmp_path / name)
    (tmp_path / "c.csv").write_text("a,b")
    for name in ("c.csv", "c.csv-wal", "nothing", "-wal"):
        check_output(tmp_path / name)


def test_only_old_temporary_files_are_swept(tmp_path: Path) -> None:
    left = tmp_path / "thumbnails" / "00000"
    left.mkdir(parents=True)
    for file in (tmp_path / ".hidden", left / "1.webp", left / ".a-b", tmp_path / ".about-0123.json"):
        file.write_text("kept")
        os.utime(file, (0, 0))
    with replacing(left / "0.webp") as temporary:
        temporary.write_text("whole")
        killed, running = left / temporary.name, left / temporary.name.replace(".0-", ".2-")
    for file in (killed, running):
        file.write_text("half")
    os.utime(killed, (time.time() - 2 * files.ABANDONED,) * 2)
    assert sweep(tmp_path) == 1
    assert not killed.exists()
    assert running.exists()
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 6
    assert sweep(tmp_path / "none") == 0


def test_only_ordinary_files_are_opened(tmp_path: Path) -> None:
    ordinary, pipe, link = tmp_path / "file", tmp_path / "pipe", tmp_path / "link"
    ordinary.write_bytes(b"content")
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    with open_ordinary(ordinary) as file:
        assert file.read() == b"content"
    for other in (pipe, link, Path("/dev/zero"), tmp_path):
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        with pytest.raises(OSError, match=r"not an ordinary file|it is a folder"):
            open_ordinary(other)
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_something_is_due_once_a_day_whoever_asks(tmp_path: Path) -> None:
    stamp = tmp_path / "DONE"
    assert is_due(stamp)
    assert not is_due(stamp)
    os.utime(stamp, (time.time() - 25 * 3600,) * 2)
    assert is_due(stamp)
    assert not is_due(tmp_path / "none" / "DONE"), "what cannot be noted is not due"
