"""The opened dataset: a copy of an export, for whoever has enough accepted answers; owners and reviewers always."""

import os
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bam_engine.annotation import Attribute
from bam_engine.cli import main
from bam_engine.errors import ExchangeError, NotFound, TeamError
from bam_engine.files import ABANDONED
from bam_engine.progress import Report
from bam_engine.reporting import opened_dataset as module
from bam_engine.reporting.opened_dataset import (
    FOLDER,
    MAX_AFTER,
    close_dataset,
    download,
    open_after,
    open_dataset,
    opened_dataset,
    progress,
    reached,
)
from bam_engine.team import Account, Role, recent_activity
from bam_engine.workspace import Workspace
from tests.labelling.team import vote

SECRET = "a blue door in June"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dataset.sqlite"
    path.write_bytes(b"the dataset")
    return path


@pytest.fixture
def people(workspace: Workspace) -> dict[Role, Account]:
    return {role: workspace.team.accounts.add(str(role).capitalize(), role, SECRET) for role in Role}


def may(workspace: Workspace, account: Account | None) -> bool:
    try:
        return download(workspace, account).path.read_bytes() == b"the dataset"
    except TeamError:
        return False


def test_nobody_gets_what_is_not_opened(workspace: Workspace, people: dict[Role, Account]) -> None:
    for account in (*people.values(), None):
        with pytest.raises(NotFound, match="No dataset is opened"):
            download(workspace, account)


def test_with_0_everybody_who_is_signed_in_gets_it_at_once(
    workspace: Workspace, people: dict[Role, Account], file: Path
) -> None:
    open_dataset(workspace, [file])
    assert all(may(workspace, account) for account in (*people.values(), None))


def test_it_opens_with_the_last_accepted_answer_and_closes_where_a_label_changes(
    workspace: Workspace, watercolor: Attribute, people: dict[Role, Account], file: Path
) -> None:
    workspace.redundancy = 2
    open_dataset(workspace, [file], after=2)
    annotator = people[Role.ANNOTATOR]
    vote(workspace, watercolor, "Annotator", {0: 1, 1: 0, 2: 1})
    assert {role: may(workspace, one) for role, one in people.items()} == {
        Role.VIEWER: False,
        Role.ANNOTATOR: False,
        Role.REVIEWER: True,
        Role.OWNER: True,
    }
    assert reached(workspace) == (0, 2)
    vote(workspace, watercolor, "ben", {0: 1, 1: 1})
    with pytest.raises(TeamError, match="opens after 2 accepted answers, and you have 1"):
        download(workspace, annotator)
    vote(workspace, watercolor, "ben", {2: 1})
    assert progress(workspace, annotator.annotator_id).reached
    assert may(workspace, annotator)
    assert reached(workspace) == (1, 2)
    vote(workspace, watercolor, "ben", {2: 0})
    assert not may(workspace, annotator)


def test_what_is_opened_stays_as_it_was_until_another_export_is_opened(workspace: Workspace, file: Path) -> None:
    open_dataset(workspace, [file], after=3)
    file.write_bytes(b"another one")
    assert may(workspace, None)
    again = open_dataset(workspace, [file], after=0)
    assert again.path.read_bytes() == b"another one"
    assert [path for path in (workspace.folder / FOLDER).rglob("*") if path.is_file()] == [again.path]


def test_of_two_that_are_opened_at_once_the_last_that_is_ready_stays(
    workspace: Workspace, file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "a.csv").write_text("slow")
    quick: list[Path] = []

    def open_another(done: int, total: int, what: str) -> None:
        quick.append(open_dataset(workspace, [file]).path)
        assert may(workspace, None)

    report: Report = open_another
    slow = open_dataset(workspace, [folder], report=report)
    assert opened_dataset(workspace) == slow, "what the other one made meanwhile has not deleted it"
    assert zipfile.ZipFile(slow.path).namelist() == ["a.csv"]
    assert not quick[0].exists()


def test_a_dataset_that_another_process_opened_since_stays(
    workspace: Workspace, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"another one")
    store = module._store

    def then_another(*values: Any) -> None:
        store(*values)
        monkeypatch.setattr(module, "_store", store)
        open_dataset(workspace, [file])

    monkeypatch.setattr(module, "_store", then_another)
    open_dataset(workspace, [other])
    assert may(workspace, None)


def test_what_a_killed_process_left_goes_after_a_day(workspace: Workspace, file: Path) -> None:
    left, new = (workspace.folder / FOLDER / name for name in ("left", "new"))
    for folder in (left, new):
        folder.mkdir(parents=True)
    os.utime(left, (0, time.time() - ABANDONED - 60))
    open_dataset(workspace, [file])
    assert (left.exists(), new.exists()) == (False, True)


def test_a_file_from_before_1980_is_packed(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "dataset-1"
    folder.mkdir()
    (folder / "a.png").write_text("a")
    os.utime(folder / "a.png", (0, 0))
    with zipfile.ZipFile(open_dataset(workspace, [folder]).path) as archive:
        assert archive.read("a.png") == b"a"


def test_a_file_called_like_the_zip_is_packed_with_the_others(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("data.zip", "notes.csv"):
        (folder / name).write_text(name)
    with zipfile.ZipFile(open_dataset(workspace, [folder / "data.zip", folder / "notes.csv"]).path) as archive:
        assert archive.namelist() == ["data.zip", "notes.csv"]


def test_files_of_one_name_keep_their_folders(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("e", "f"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text(name)
    with zipfile.ZipFile(open_dataset(workspace, [tmp_path / "e/x.csv", tmp_path / "e/../f/x.csv"]).path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"e/x.csv": b"e", "f/x.csv": b"f"}


def test_several_files_and_folders_become_one_zip(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "dataset-1"
    (folder / "train").mkdir(parents=True)
    for name in ("README.md", "train/a.png"):
        (folder / name).write_text(name)
    for files in ([folder], [folder / "README.md", folder / "train"]):
        opened = open_dataset(workspace, files)
        assert opened.path.name == "dataset-1.zip"
        with zipfile.ZipFile(opened.path) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == ["README.md", "train/a.png"]


@pytest.mark.parametrize("after", [-1, MAX_AFTER + 1])
def test_a_number_out_of_range_changes_nothing(workspace: Workspace, file: Path, after: int) -> None:
    before = open_dataset(workspace, [file], after=5)
    with pytest.raises(ExchangeError, match="Choose a number from 0"):
        open_dataset(workspace, [file], after=after)
    with pytest.raises(ExchangeError, match="Choose a number from 0"):
        open_after(workspace, after)
    assert opened_dataset(workspace) == before


def test_an_export_that_is_not_there_changes_nothing(workspace: Workspace, file: Path) -> None:
    before = open_dataset(workspace, [file])
    for files in ([], [file.with_name("nothing.sqlite")]):
        with pytest.raises(ExchangeError, match="There is no export"):
            open_dataset(workspace, files)
    assert opened_dataset(workspace) == before


def test_a_file_that_has_gone_is_not_opened(workspace: Workspace, file: Path) -> None:
    open_dataset(workspace, [file]).path.unlink()
    with pytest.raises(NotFound):
        download(workspace, None)


def test_what_is_done_is_logged(workspace: Workspace, people: dict[Role, Account], file: Path) -> None:
    open_dataset(workspace, [file], after=5)
    open_after(workspace, 6)
    close_dataset(workspace)
    assert opened_dataset(workspace) is None
    done = [f"{one.action} {one.subject}" for one in recent_activity(workspace.engine, most=3)]
    assert done == [
        "closed the dataset nobody downloads it any more",
        "changed who gets the dataset: dataset.sqlite after 6 accepted answers",
        "opened the dataset dataset.sqlite after 5 accepted answers",
    ]


def test_the_command_opens_shows_and_closes(
    workspace: Workspace, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    assert main(["dataset", "open", str(file), "--after", "20"]) == 0
    assert "dataset.sqlite (1 kB) is open after 20 accepted answers" in capsys.readouterr().out
    assert main(["dataset", "open", "nothing.sqlite"]) == 1
    assert "There is no export" in capsys.readouterr().err
    assert main(["dataset", "close"]) == 0
    assert main(["dataset", "show"]) == 0
    assert capsys.readouterr().out.endswith("No dataset is opened.\n")
