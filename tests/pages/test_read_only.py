"""A workspace that can only be read is looked at, reported and exported, and says what cannot be done."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.cli import main
from bam_engine.database import read_only, sqlite_files
from bam_engine.labelling.tasks import validation_task
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace
from tests.pages.conftest import run_until, text_of


@pytest.fixture
def archived(played: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A labelled workspace with a threshold whose folder is read-only, also for root, whom no permission stops."""
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    played.close()
    monkeypatch.setattr(sqlite_files, "is_writable", lambda file: False)
    monkeypatch.setenv("BAM_WORKSPACE", str(played.folder))
    monkeypatch.setenv("BAM_CACHE", str(played.cache.parent))
    return played


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_status_report_export_and_backup_work_and_leave_no_trace(
    archived: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(archived.folder)
    out = tmp_path / "out"
    out.mkdir()
    for command in (
        ["status"],
        ["report", "media_watercolor", "--out", out / "report.html"],
        ["export", out / "dataset.sqlite"],
        ["export", out / "csv", "--format", "csv"],
        ["labels", "export", out / "labels.csv", "--attribute", "media_watercolor"],
        ["agreement", "media_watercolor"],
        ["backup", out / "backup.sqlite"],
    ):
        assert main([str(word) for word in command]) == 0, capsys.readouterr().err
    assert contents(archived.folder) == before


def test_what_cannot_be_saved_is_named(archived: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attribute", "add", "content_dog"]) == 1
    assert "Nothing can be saved in this workspace" in capsys.readouterr().err


@pytest.mark.parametrize("page", ["overview", "gallery", "map", "report", "rounds", "threshold", "agreement", "export"])
def test_every_page_to_look_at_is_drawn(archived: Workspace, open_page: Callable[..., AppTest], page: str) -> None:
    app = open_page(archived, page)
    assert not app.error, app.error[0].value
    assert "This workspace is read-only" in text_of(app)


@pytest.mark.parametrize("label", ["Export", "Write a backup"])
def test_what_the_export_page_writes_is_offered_and_leaves_no_trace(
    archived: Workspace, open_page: Callable[..., AppTest], label: str
) -> None:
    before = contents(archived.folder)
    app = open_page(archived, "export")
    next(button for button in app.button if button.label == label).click().run()
    run_until(app, lambda: app.error or app.get("download_button"))
    assert not app.error, app.error[0].value
    assert contents(archived.folder) == before
    assert not any(path.is_dir() for path in archived.folder.iterdir() if path != archived.cache.parent)


def test_the_workspace_of_the_fixture_is_read_only(archived: Workspace) -> None:
    opened = Workspace(archived.folder, archived.cache.parent)
    assert read_only(opened.engine)
    assert len(validation_task(opened, opened.attributes.get("media_watercolor")).rows) == 40
    opened.close()
