"""``bam problems``: what is wrong with pictures is measured, counted and listed."""

import json
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.collection import ingest_folder
from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.gallery import problems
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture


@pytest.fixture
def dark(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The workspace with three more pictures, which are dark."""
    folder = tmp_path / "dark"
    folder.mkdir()
    for number in (1, 2, 3):
        Image.effect_noise((90, 90), 40).point(lambda value, number=number: value * number // 16).save(
            folder / f"{number}.png"
        )
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    return workspace


@pytest.mark.usefixtures("home")
def test_pictures_are_measured_counted_and_listed(dark: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "problems")
    assert code == 0
    assert problems.progress(dark).measured == 123
    counted = {line.strip().partition("  ")[2]: int(line.split()[0].replace(",", "")) for line in out.splitlines()}
    assert counted == {value: len(list_images(dark, Query(problem=(value,)))) for value in problems.VALUES}
    name = "dark"
    assert counted[name] == 3
    worst = [120, 121]
    _, out, _ = run(capsys, "problems", "--list", name, "--most", "2")
    first, *lines = out.splitlines()
    assert first == f"{counted[name]} images {name}, the worst 2 listed"
    assert [line.rpartition(": ")[2] for line in lines] == [dark.catalogue.image(row).uri for row in worst]
    found = json.loads(run(capsys, "problems", "--list", name, "--json")[1])
    assert {each: about["images"] for each, about in found["problems"].items()} == {
        each: counted[each] for each in PROBLEMS
    }
    assert found["problems"]["dark"]["below"] == PROBLEMS["dark"].limit
    assert (found["none"], found["not_measured"]) == (counted[problems.NONE], 0)
    assert [each["row"] for each in found["listed"]][:2] == worst


@pytest.mark.usefixtures("home")
def test_removed_images_are_not_counted(dark: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads(run(capsys, "problems", "--json")[1])
    dark.removals.remove([120, 122], reason="a test")
    after = json.loads(run(capsys, "problems", "--json")[1])
    assert [found["problems"]["dark"]["images"] for found in (before, after)] == [3, 1]
