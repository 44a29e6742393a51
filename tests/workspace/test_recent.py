"""The list of the workspaces that were opened on a computer, and the folders of new ones."""

from pathlib import Path

import pytest

from bam_engine.errors import BamError
from bam_engine.workspace import recent
from bam_engine.workspace.core import DATABASE
from bam_engine.workspace.recent import existing_workspace, new_workspace, recent_workspaces, remember


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / DATABASE).touch()
    return folder


def test_the_last_one_is_first_and_each_is_there_once(tmp_path: Path) -> None:
    birds, cats = made(tmp_path / "birds"), made(tmp_path / "cats")
    for folder in (birds, cats, birds):
        remember(folder, tmp_path / "cache", port=8501)
    assert [(one.name, one.folder, one.cache, one.port) for one in recent_workspaces()] == [
        ("birds", birds, tmp_path / "cache", 8501),
        ("cats", cats, tmp_path / "cache", 8501),
    ]


def test_a_workspace_that_is_gone_is_not_listed_and_is_again_when_it_is_back(tmp_path: Path) -> None:
    birds = made(tmp_path / "birds")
    remember(birds, tmp_path)
    birds.rename(tmp_path / "away")
    assert recent_workspaces() == []
    (tmp_path / "away").rename(birds)
    assert [one.folder for one in recent_workspaces()] == [birds]


def test_only_so_many_are_remembered(tmp_path: Path) -> None:
    for number in range(recent.LONGEST_LIST + 2):
        remember(made(tmp_path / f"{number:02}"), tmp_path)
    names = [one.name for one in recent_workspaces()]
    assert len(names) == recent.LONGEST_LIST
    assert (names[0], names[-1]) == (f"{recent.LONGEST_LIST + 1:02}", "02")


@pytest.mark.parametrize("text", ["", "{", "null", '[{"folder": 3}]', "[1]", '"text"', "\udcff"])
def test_a_list_that_cannot_be_read_is_empty_and_is_written_anew(tmp_path: Path, text: str) -> None:
    recent.list_file().parent.mkdir(parents=True)
    recent.list_file().write_bytes(text.encode(errors="surrogateescape"))
    assert recent_workspaces() == []
    remember(made(tmp_path / "birds"), tmp_path)
    assert [one.name for one in recent_workspaces()] == ["birds"]


def test_a_list_that_cannot_be_written_fails_nothing(tmp_path: Path, state: Path) -> None:
    state.write_text("a file where the folder should be")
    remember(made(tmp_path / "birds"), tmp_path)
    assert recent_workspaces() == []


def test_a_user_without_a_home_has_no_list_and_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    remember(made(tmp_path / "birds"), tmp_path)
    assert recent_workspaces() == []


def test_a_relative_place_of_state_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert recent.list_file() == tmp_path / ".local" / "state" / "bam" / "workspaces.json"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *(("", "1 to 100 letters"), (" ", "1 to 100"), (".hidden", "full stop"), ("..", "full stop")),
        *(
            ("a/b", "none of"),
            ("x" * 101, "1 to 100 letters"),
            ("birds", "a workspace"),
            ("photos", "a folder or file"),
        ),
    ],
)
def test_a_new_workspace_needs_a_name_that_a_folder_can_have_and_none_has(tmp_path: Path, name: str, said: str) -> None:
    birds = made(tmp_path / "birds")
    (tmp_path / "photos").mkdir()
    with pytest.raises(BamError, match=said):
        new_workspace(name, beside=birds)


def test_a_new_workspace_lies_beside_the_other_and_is_not_made_yet(tmp_path: Path) -> None:
    folder = new_workspace(" Żółte ptaki 2 ", beside=made(tmp_path / "birds"))
    assert folder == tmp_path / "Żółte ptaki 2"
    assert not folder.exists()


def test_a_folder_without_a_workspace_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(BamError, match="has no workspace in it"):
        existing_workspace(str(tmp_path / "photos"))
    with pytest.raises(BamError, match="does not exist"):
        existing_workspace(str(tmp_path / "nowhere"))
    assert existing_workspace(f" '{made(tmp_path / 'birds')}' ") == tmp_path / "birds"
