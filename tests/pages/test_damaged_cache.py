"""Every page, the status, the report and an export of a workspace whose cache is gone, damaged or cannot be written."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.cli import main
from bam_engine.database import calibrations
from bam_engine.gallery import near_duplicates, selections
from bam_engine.maps import layout_builder
from bam_engine.training import thresholds
from bam_engine.training.calibration import calibration_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.pages.conftest import text_of
from web.navigation import GROUPS

PAGES = [name for names in GROUPS.values() for name in names]


def files(workspace: Workspace) -> list[Path]:
    return [path for path in workspace.cache.rglob("*") if path.is_file()]


def deleted(workspace: Workspace) -> None:
    shutil.rmtree(workspace.cache.parent)


def emptied(workspace: Workspace) -> None:
    for path in files(workspace):
        path.write_bytes(b"")


def cut(workspace: Workspace) -> None:
    for path in files(workspace):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zeros(workspace: Workspace) -> None:
    """As a power cut leaves files whose size was written and whose content was not."""
    for path in files(workspace):
        path.write_bytes(bytes(path.stat().st_size))


def foreign(workspace: Workspace) -> None:
    for path in files(workspace):
        path.write_bytes(os.urandom(path.stat().st_size))


def gone_and_not_writable(workspace: Workspace) -> None:
    """Nothing is cached, and nothing can be: a file stands where each folder was, whoever runs the test."""
    for folder in [path for path in workspace.cache.iterdir() if path.is_dir()]:
        shutil.rmtree(folder)
        folder.write_text("no folder")


DAMAGES = [deleted, emptied, cut, zeros, foreign, gone_and_not_writable]
Open = Callable[..., AppTest]


@pytest.fixture
def finished(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """A workspace in which every kind of file has been cached."""
    oracle.play(workspace, watercolor, count=2, batch=8)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=6, n_rejected=6, seed=1).task)
    layout_builder.build(workspace, method="pca")
    near_duplicates.find_groups(workspace)
    selections.save(workspace, [1, 2, 3])
    return workspace


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_no_page_dies_of_a_damaged_cache(open_page: Open, finished: Workspace, damage: Callable[..., None]) -> None:
    for page in PAGES:
        open_page(finished, page)
    damage(finished)
    finished.memory.clear()
    for page in PAGES:
        app = open_page(finished, page)
        assert not app.exception, (page, app.exception[0].value)
        assert "again" not in "".join(error.value for error in app.error if "train" in error.value.lower()), page


@pytest.mark.parametrize("damage", DAMAGES)
def test_status_report_and_export_live_with_a_damaged_cache(
    finished: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[..., None]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(finished.folder))
    monkeypatch.setenv("BAM_CACHE", str(finished.cache.parent))
    damage(finished)
    assert main(["status"]) == 0
    assert main(["report", "media_watercolor", "--out", str(tmp_path / "report.html")]) == 0
    assert main(["export", str(tmp_path / "out.sqlite")]) == 0
    assert (tmp_path / "out.sqlite").stat().st_size > 0


def test_what_is_missing_is_said_to_be_missing(open_page: Open, finished: Workspace) -> None:
    shutil.rmtree(finished.cache / "vectors")
    for page in ("rounds", "threshold", "map", "gallery"):
        assert "mbed" in text_of(open_page(finished, page)) + "".join(
            button.label for button in open_page(finished, page).button
        ), page


def test_a_map_whose_points_are_damaged_can_be_made_again_or_deleted(open_page: Open, finished: Workspace) -> None:
    for points in finished.cache.glob("layouts/*/*.npy"):
        points.write_bytes(b"")
    app = open_page(finished, "map")
    assert not app.exception
    assert "Make the map again" in app.error[0].value
    labels = [button.label for button in app.button]
    assert any("Delete" in label for label in labels), labels


def test_a_probability_is_back_as_soon_as_there_are_vectors_again(open_page: Open, finished: Workspace) -> None:
    (attribute,) = finished.attributes.all()
    before = calibration_of(finished, attribute)
    with finished.engine.begin() as connection:
        connection.execute(sa.delete(calibrations))
    vectors, elsewhere = finished.cache / "vectors", finished.folder / "vectors"
    vectors.rename(elsewhere)
    app = open_page(finished, "gallery", attribute=attribute.name)
    assert not app.error
    assert "Embed the collection" in text_of(app)
    assert "Embed the collection" in calibration_of(finished, attribute)[1]
    elsewhere.rename(vectors)
    assert calibration_of(finished, attribute) == before
