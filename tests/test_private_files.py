"""Who may read what is made: nobody but its owner."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from bam_engine.cli import main
from bam_engine.database import write_setting
from bam_engine.files import private_files
from bam_engine.workspace import Workspace
from tests.web.clients import run
from web import server


@pytest.fixture(autouse=True)
def readable_by_all() -> Iterator[None]:
    """The usual mask, under which everybody reads new files."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Return the mode of a folder and of all below it."""
    return {str(path.relative_to(folder)): oct(path.stat().st_mode & 0o777) for path in (folder, *folder.rglob("*"))}


def test_a_workspace_its_database_and_the_log_beside_it_are_its_owners(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    with workspace.engine.connect() as connection:
        connection.execute(sa.text("SELECT 1 FROM settings"))
        write_setting(workspace.engine, "any", 1)
        found = modes(tmp_path / "workspace")
    assert found.pop(".") == "0o700"
    assert set(found) >= {"bam.sqlite", "bam.sqlite-wal", "bam.sqlite-shm"}
    assert {path: mode for path, mode in found.items() if path.startswith("bam.sqlite") and mode != "0o600"} == {}
    assert modes(tmp_path / "cache").items() >= {".": "0o700", workspace.id: "0o700"}.items()
    workspace.close()


def test_in_a_folder_that_was_there_the_work_is_its_owners_too(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "cache").mkdir()
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    workspace.close()
    assert modes(tmp_path / "workspace")["."] == "0o755"
    assert modes(tmp_path / "workspace")["bam.sqlite"] == "0o600"
    assert modes(tmp_path / "cache")[workspace.id] == "0o700"


def test_everything_that_commands_make_is_its_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(3):
        Image.new("RGB", (60, 40 + number)).save(pictures / f"{number}.png")
    home = tmp_path / "home"
    monkeypatch.setenv("BAM_WORKSPACE", str(home / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(home / "cache"))
    for command in (["ingest", str(pictures)], ["embed"], ["attribute", "add", "kite", "--question", "Is it?"]):
        assert main(command) == 0
    made = {path: mode for path, mode in modes(home).items() if path != "."}
    assert any("thumbnails" in path for path in made)
    assert any("vectors" in path for path in made)
    assert {path: mode for path, mode in made.items() if mode not in ("0o600", "0o700")} == {}
    Image.new("RGB", (9, 9)).save(pictures / "after.png")
    assert modes(pictures)["after.png"] == "0o644", "the mask is as before"


def test_the_server_runs_with_the_same_mask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("web.warm.start", lambda _: None)

    async def play() -> None:
        async with server.lifespan(None):
            (tmp_path / "made").touch()

    run(play)
    assert modes(tmp_path)["made"] == "0o600"


def test_the_mask_is_as_before_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError), private_files():
        raise ValueError
    (tmp_path / "made").touch()
    assert modes(tmp_path)["made"] == "0o644"
