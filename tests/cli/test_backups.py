"""``bam backup`` and ``bam restore`` on a labelled workspace."""

from pathlib import Path

import pytest

from bam_engine.cli import main
from bam_engine.workspace import Workspace


@pytest.fixture
def home(played: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("BAM_WORKSPACE", str(played.folder))
    monkeypatch.setenv("BAM_CACHE", str(played.cache.parent))
    return played


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_backup_moves_a_workspace_to_another_folder(
    home: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, before, _ = run(capsys, "status")
    code, out, _ = run(capsys, "backup", tmp_path / "backup.sqlite")
    assert (code, out.split(": ")[0]) == (0, str(tmp_path / "backup.sqlite"))
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "another place"))
    code, out, _ = run(capsys, "restore", tmp_path / "backup.sqlite")
    assert (code, "120 images and 64 answers" in out) == (0, True)
    assert run(capsys, "status") == (0, before, "")


def test_a_restored_backup_replaces_labels_only_if_told_to_and_keeps_them(
    home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "backup.sqlite"
    run(capsys, "backup", file)
    home.attributes.add("content_dog", "content", "Is there a dog?")
    code, _, err = run(capsys, "restore", file)
    assert code == 1
    assert err.startswith("error: The database of this workspace holds 120 images and 64 answers.")
    assert "--replace" in err
    assert [one.name for one in home.attributes.all()] == ["media_watercolor", "content_dog"]
    code, out, _ = run(capsys, "restore", file, "--replace")
    assert code == 0
    assert [one.name for one in home.attributes.all()] == ["media_watercolor"]
    (kept,) = home.folder.glob("bam.before-restore.*.sqlite")
    assert f"What the database held before is in {kept}." in out
    run(capsys, "restore", kept, "--replace")
    assert [one.name for one in home.attributes.all()] == ["media_watercolor", "content_dog"]


def test_a_workspace_that_cannot_be_opened_is_restored(
    home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "backup.sqlite"
    run(capsys, "backup", file)
    home.close()
    (home.folder / "bam.sqlite").write_bytes(b"\0" * 10_000)
    assert run(capsys, "status")[0] == 1
    code, _, err = run(capsys, "restore", file)
    assert (code, "--replace" in err) == (1, True)
    assert run(capsys, "restore", file, "--replace")[0] == 0
    assert run(capsys, "status")[0] == 0


def test_a_file_that_exists_is_replaced_only_if_told_to(
    home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "backup.sqlite"
    assert [run(capsys, "backup", *options)[0] for options in ([file], [file], [file, "--replace"])] == [0, 1, 0]
