"""The folders that were added, with their images."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from bam_engine.collection import Catalogue, Thumbnails, ingest_folder
from bam_engine.errors import CollectionError


def draw(folder: Path, count: int, shade: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", (8, 8), (shade, 9 * number, 0)).save(folder / f"{number}.png")
    return folder


def test_each_added_folder_is_listed_with_its_own_images_the_last_one_first(
    database: sa.Engine, tmp_path: Path
) -> None:
    catalogue, thumbnails = Catalogue(database), Thumbnails(tmp_path / "thumbnails")
    assert catalogue.sources() == []
    first, second = draw(tmp_path / "a_1", 3, 10), draw(tmp_path / "a", 2, 60)
    draw(tmp_path / "a" / "Ünder", 1, 90)
    for folder in (first, second):
        ingest_folder(catalogue, thumbnails, folder)
    assert [(one.folder, one.images) for one in catalogue.sources()] == [(str(second), 3), (str(first), 3)]
    ingest_folder(catalogue, thumbnails, first)
    assert [one.folder for one in catalogue.sources()] == [str(first), str(second)]


def test_a_folder_that_could_not_be_added_is_no_source(database: sa.Engine, tmp_path: Path) -> None:
    catalogue, thumbnails = Catalogue(database), Thumbnails(tmp_path / "thumbnails")
    with pytest.raises(CollectionError):
        ingest_folder(catalogue, thumbnails, tmp_path / "nowhere")
    assert catalogue.sources() == []
