"""A collection of paintings that is labelled, trained and decided, to be copied by each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import bam_engine
from bam_engine import AttributeHandle, Collection
from tests.api.paintings import draw_paintings


@pytest.fixture(scope="session")
def paintings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the paintings, in ``pictures``, and what was made of them, in ``workspace``."""
    home = tmp_path_factory.mktemp("paintings")
    draw_paintings(home / "pictures")
    with bam_engine.open(home / "workspace") as bam:
        bam.add_images(home / "pictures")
        bam.embed("builtin")
        watercolor = bam.add_attribute("media_watercolor")
        truth = {row: row % 2 == 0 for row in bam.images().index}
        assert bam.images().loc[2, "path"].endswith("painting-02.png")
        sample = watercolor.draw_validation(30, seed=6)
        assert not {0, 1, 2} & set(sample), "the examples label these images"
        watercolor.record({row: truth[row] for row in sample}, annotator="ada", to="validation")
        watercolor.record(truth, annotator="ada")
        watercolor.train()
        watercolor.use_threshold(watercolor.suggest_threshold(precision=0.8))
    return home


@pytest.fixture
def home(paintings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it as the current folder; the images stay where they are."""
    shutil.copytree(paintings / "workspace", tmp_path / "workspace")
    (tmp_path / "pictures").symlink_to(paintings / "pictures")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bam(home: Path) -> Iterator[Collection]:
    with bam_engine.open(home / "workspace") as opened:
        yield opened


@pytest.fixture
def watercolor(bam: Collection) -> AttributeHandle:
    return bam.attribute("media_watercolor")
