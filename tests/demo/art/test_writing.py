"""The collection on disk: the same bytes each time, more works without others, no half files, whatever happens."""

import contextlib
import csv
import errno
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.demo.art import TRUTHS, draw, write_collection, writing
from bam_engine.demo.art.studio import plan
from bam_engine.errors import BamError, DiskFull, Stopped

COUNT = 10


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_collection(folder, count=COUNT)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_tells_of_every_picture(written):
    table = rows(written)
    assert list(table[0]) == ["path", "project", "title", "license", "generator", *TRUTHS]
    assert len(table) == COUNT
    for index, row in enumerate(table):
        work = draw(0, index)
        assert (row["project"], row["title"]) == (plan(0, index).studio.name, work.title)
        assert (row["license"], row["generator"]) == ("generated", "bam demo, seed 0")
        assert {name for name in TRUTHS if row[name] == "1"} == work.truth
        assert {row[name] for name in TRUTHS} <= {"0", "1"}
        with Image.open(written / row["path"]) as image:
            assert image.size == work.pixels.shape[1::-1]
    assert {str(path.relative_to(written)) for path in written.rglob("*.jpg")} == {row["path"] for row in table}


def test_a_picture_says_itself_that_it_is_generated(written):
    for row in rows(written):
        with Image.open(written / row["path"]) as image:
            assert b"generated: bam demo, seed 0" in image.info["comment"]


def test_the_bytes_are_the_same_each_time_and_more_works_leave_the_first_as_they_are(written, tmp_path):
    write_collection(tmp_path, count=4)
    first = contents(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    write_collection(tmp_path, count=COUNT)
    assert contents(tmp_path) == contents(written)
    assert {name: data for name, data in contents(written).items() if name in first and name.endswith("jpg")} == {
        name: data for name, data in first.items() if name.endswith("jpg")
    }
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_bytes_are_the_same_however_many_processes_draw(written, tmp_path, workers):
    write_collection(tmp_path, count=COUNT, workers=workers)
    assert contents(tmp_path) == contents(written)


def test_many_works_are_drawn_by_one_process_for_each_core_and_few_by_none(tmp_path, monkeypatch):
    started = []
    start = writing.processes

    def note(count: int, **options):
        started.append(count)
        return start(count, **options)

    monkeypatch.setattr(writing, "processes", note)
    monkeypatch.setattr(writing, "_FEW", 2)
    write_collection(tmp_path, count=2)
    assert started == []
    write_collection(tmp_path, count=3)
    assert started == [os.cpu_count()]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_was_stopped_goes_on_where_it_was(written, tmp_path, workers):
    def stop(done: int, total: int | None, message: str = "") -> None:
        if done == 3:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        write_collection(tmp_path, count=COUNT, workers=workers, report=stop)
    left = contents(tmp_path)
    assert 3 <= len(left) <= COUNT
    assert left.items() <= contents(written).items()
    assert "truth.csv" not in left
    write_collection(tmp_path, count=COUNT)
    assert contents(tmp_path) == contents(written)


def test_progress_is_told_after_each_work(tmp_path):
    reported = []
    write_collection(tmp_path, count=3, report=lambda done, total, message="": reported.append((done, total)))
    assert reported == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_full_disk_is_said_and_leaves_whole_pictures_alone(written, tmp_path, monkeypatch):
    write, count = Path.write_bytes, [0]

    def full(path: Path, data: bytes) -> int:
        count[0] += 1
        if count[0] > 4:
            write(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFull, match="works drawn so far are saved"):
        write_collection(tmp_path, count=COUNT)
    assert len(contents(tmp_path)) == 4
    assert contents(tmp_path).items() <= contents(written).items()


def test_a_process_that_is_ended_from_outside_is_said_and_the_next_run_goes_on(written, tmp_path):
    def end(done: int, total: int | None, message: str = "") -> None:
        if done == 1:
            for process in multiprocessing.active_children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid or 0, signal.SIGKILL)

    with pytest.raises(BamError, match=r"killed a worker process.*start again to continue"):
        write_collection(tmp_path, count=40, workers=1, report=end)
    assert not multiprocessing.active_children()
    write_collection(tmp_path, count=COUNT)
    assert contents(tmp_path).items() >= {(name, data) for name, data in contents(written).items()}


def test_what_goes_wrong_in_a_process_is_told_as_if_it_had_gone_wrong_here(tmp_path):
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(BamError, match=r"Cannot write the demo to .*Choose another folder"):
        write_collection(tmp_path, count=COUNT, workers=2)


def test_a_picture_that_is_broken_or_of_another_is_drawn_anew(written, tmp_path):
    write_collection(tmp_path, count=3)
    first, second, _ = (tmp_path / row["path"] for row in rows(tmp_path))
    first.write_bytes(b"no picture")
    Image.new("RGB", (20, 20)).save(second)
    write_collection(tmp_path, count=3)
    assert contents(tmp_path).items() - {("truth.csv", contents(tmp_path)["truth.csv"])} <= contents(written).items()


def test_a_picture_that_was_cut_off_is_drawn_anew(written, tmp_path):
    write_collection(tmp_path, count=1)
    path = tmp_path / rows(tmp_path)[0]["path"]
    whole = path.read_bytes()
    path.write_bytes(whole[:-2000])
    write_collection(tmp_path, count=1)
    assert path.read_bytes() == whole


def test_the_folder_of_another_seed_is_refused(tmp_path):
    write_collection(tmp_path, count=1, seed=1)
    with pytest.raises(BamError, match="bam demo, seed 1, not bam demo, seed 2"):
        write_collection(tmp_path, count=1, seed=2)


@pytest.mark.parametrize(("count", "seed"), [(-1, 0), (1, -1)])
def test_negative_numbers_are_refused(tmp_path, count, seed):
    with pytest.raises(BamError, match="Neither may be negative"):
        write_collection(tmp_path, count=count, seed=seed)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BamError, match="Choose another folder"):
        write_collection(tmp_path / "file", count=1)
