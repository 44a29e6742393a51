"""The parts of the Export page about backups and the check of the workspace."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.database import backups
from bam_engine.workspace import Workspace
from tests.pages.conftest import run_until, text_of


@pytest.mark.usefixtures("watercolor")
def test_a_backup_is_written_and_offered_from_the_page(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    app = open_page(workspace, "export")
    next(one for one in app.button if one.label == "Write a backup").click()
    app.run()
    run_until(app, lambda: app.get("download_button"))
    (file,) = (workspace.folder / "backups").iterdir()
    assert f"`{file}`" in text_of(app)
    backups.check_backup(workspace.engine.url, file)


def test_the_daily_copies_are_named(
    workspace: Workspace, watercolor: Attribute, open_page: Callable[..., AppTest]
) -> None:
    assert "daily" not in text_of(open_page(workspace, "export"))
    for day in (27, 28):
        (workspace.folder / f"bam.daily.2026-11-{day}.sqlite").touch()
    text = text_of(open_page(workspace, "export"))
    assert "Kept beside the database: 2 daily copies, last" in text
    assert "bam.daily.2026-11-28.sqlite" in text


@pytest.mark.usefixtures("watercolor")
def test_the_overview_says_when_the_last_copy_was_made(
    workspace: Workspace, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "copied" not in text_of(open_page(workspace, "overview"))
    (workspace.folder / "bam.daily.2026-11-28.sqlite").touch()
    assert "What people entered was last copied on 2026-11-28." in text_of(open_page(workspace, "overview"))
    monkeypatch.setattr("web.backup.problem_of", lambda engine: "It is not installed here.")
    for page in ("overview", "export"):
        assert "No daily copy is made. It is not installed here" in text_of(open_page(workspace, page))


def press(app: AppTest, label: str) -> None:
    next(one for one in app.button if one.label == label).click()
    app.run()


@pytest.mark.usefixtures("watercolor")
def test_damage_is_found_and_repaired_from_the_page(workspace: Workspace, open_page: Callable[..., AppTest]) -> None:
    workspace.thumbnails.path(5).write_bytes(b"")
    (workspace.folder / "bam.daily.2026-11-28.sqlite").write_bytes(b"")
    app = open_page(workspace, "export")
    press(app, "Check the workspace")
    run_until(app, lambda: "1 thumbnail is damaged" in text_of(app))
    press(app, "Repair")
    run_until(app, lambda: any("Repairing" in one.value for one in app.toast))
    assert "Repaired: 1 thumbnail is damaged" in text_of(app)
    (left,) = (one.value for one in app.warning)
    assert "best to another disk, and delete what is damaged" in left
    (workspace.folder / "bam.daily.2026-11-28.sqlite").unlink()
    assert workspace.thumbnails.read(5)
    press(app, "Check the workspace")
    run_until(app, lambda: "Nothing is damaged." in text_of(app))
