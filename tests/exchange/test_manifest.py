"""A manifest tells every file that is not as it was written; an export has its final name only once it is whole."""

import json
from pathlib import Path

import pytest

from bam_engine.errors import ExchangeError, Stopped
from bam_engine.exchange.manifest import check_export, listed_files, write_manifest
from bam_engine.exchange.targets import Target


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    (folder / "images").mkdir(parents=True)
    for name in ("README.md", "images/a.png", "images/b ü.png", "images/c.png"):
        (folder / name).write_text(f"content of {name}")
    write_manifest(folder, "manifest.json", version="1.0")
    return folder


def test_an_export_as_it_was_written_has_no_fault(export: Path) -> None:
    assert check_export(export) == []
    assert check_export(export / "manifest.json") == []
    assert len(json.loads((export / "manifest.json").read_text())["files"]) == 4


def test_every_change_of_a_file_is_a_fault(export: Path) -> None:
    (export / "README.md").write_text("longer than it was before")
    same_size = (export / "images/a.png").read_text().replace("content", "contenT")
    (export / "images/a.png").write_text(same_size)
    (export / "images/b ü.png").unlink()
    (export / "more.txt").write_text("mine")
    assert [(fault.path, fault.problem) for fault in check_export(export)] == [
        ("README.md", "has 25 bytes in place of 20"),
        ("images/a.png", "has other content of the same size"),
        ("images/b ü.png", "is missing"),
        ("more.txt", "is not in the manifest"),
    ]


@pytest.mark.parametrize("text", ["", "{}", '{"kind": "bam export, 1", "files": [{"path": 3}]}', "[1, 2]"])
def test_a_damaged_manifest_is_said_to_be_one(export: Path, text: str) -> None:
    (export / "manifest.json").write_text(text)
    with pytest.raises(ExchangeError, match="is damaged, or no manifest"):
        check_export(export)
    assert listed_files(export / "manifest.json") == frozenset()
    (export / "manifest.json").unlink()
    with pytest.raises(ExchangeError, match="There is no manifest at"):
        check_export(export)


def test_a_failed_or_stopped_export_leaves_nothing(tmp_path: Path) -> None:
    def fail(problem: Exception) -> None:
        with Target(tmp_path / "out" / "set", single=False).writing() as folder:
            (folder / "half").write_text("half")
            raise problem

    with pytest.raises(Stopped):
        fail(Stopped("stopped"))
    with pytest.raises(ExchangeError, match=r"No space left on device\. Nothing was left half-written"):
        fail(OSError(28, "No space left on device"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_has_to_be_new_or_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with Target(tmp_path / "empty", single=False).writing() as folder:
        (folder / "one").write_text("1")
    assert (tmp_path / "empty" / "one").read_text() == "1"
    with (
        pytest.raises(ExchangeError, match="exists and is not empty"),
        Target(tmp_path / "empty", single=False).writing(),
    ):
        pass
    with pytest.raises(ExchangeError, match="is a file"), Target(tmp_path / "empty" / "one", single=False).writing():
        pass
    assert (tmp_path / "empty" / "one").read_text() == "1"


def write(target: Path, text: str) -> None:
    place = Target(target, single=True)
    with place.writing() as folder:
        (folder / target.name).write_text(text)
        write_manifest(folder, place.name("manifest.json"), version="1.0")


def test_of_existing_files_those_of_an_earlier_export_alone_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "dataset.jsonl"
    write(file, "first")
    write(file, "second")
    assert file.read_text() == "second"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset.jsonl", "dataset.manifest.json"]
    (tmp_path / "mine.jsonl").write_text("somebody's")
    (tmp_path / "other.README.md").write_text("somebody's")
    for name in ("mine.jsonl", "other.jsonl"):
        with pytest.raises(ExchangeError, match="is not of an earlier export"):
            write(tmp_path / name, "ours")
    assert {(tmp_path / name).read_text() for name in ("mine.jsonl", "other.README.md")} == {"somebody's"}
    assert not (tmp_path / "other.jsonl").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ExchangeError, match=r"Cannot write .*file/set: "),
        Target(tmp_path / "file" / "set", single=False).writing(),
    ):
        pass
