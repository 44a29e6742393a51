"""What several rooms' tests share: the real pictures and weights beside the project, and an empty database."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bam_engine.database import open_database

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_images() -> Path:
    """The folder of real pictures with its ``labels.csv``."""
    folder = SHARED / "images"
    if not (folder / "labels.csv").exists():
        pytest.skip(f"the real pictures are not here: no {folder / 'labels.csv'}")
    return folder


@pytest.fixture(scope="session")
def shared_labels(shared_images: Path) -> list[dict[str, str]]:
    """The rows of ``labels.csv``: path, project, title, content, medium, license, source."""
    with (shared_images / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def mobilenet_weights() -> Path:
    """The checkpoint of a real, small network."""
    file = SHARED / "weights" / "mobilenetv2_100_same.safetensors"
    if not file.exists():
        pytest.skip(f"the real weights are not here: no {file}")
    return file


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database of its own for each test."""
    engine = open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")
    yield engine
    engine.dispose()
