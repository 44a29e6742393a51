"""Shards of ``webdataset`` and Parquet files of ``datasets``, each written by the library itself."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from bam_engine.errors import CollectionError
from tests.archives.test_ingesting import Collection, png


@pytest.fixture
def collection(database: sa.Engine, tmp_path: Path) -> Collection:
    return Collection(database, tmp_path)


def test_a_shard_of_webdataset_gives_pictures_and_what_is_beside_them(collection: Collection, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    with webdataset.TarWriter(str(tmp_path / "shard-000000.tar")) as shard:
        shard.write({"__key__": "a/1", "png": png(1), "txt": "A cat\non a mat", "cls": 3})
        shard.write(
            {
                "__key__": "a/2",
                "png": png(2),
                "json": {"caption": "A dog", "license": "CC0", "nsfw": False, "author": "Eve"},
            }
        )
        shard.write({"__key__": "a/3", "png": png(3), "json": {"other": 1}})
    result = collection.add(tmp_path / "shard-000000.tar")
    assert (result.added, result.skipped, result.unreadable) == (3, 4, [])
    assert collection.titles() == ["A cat on a mat", "A dog", None]
    second = collection.catalogue.images([1])[0]
    assert (second.license, second.project_id, second.mature_content) == ("CC0", "Eve", False)


def test_the_parquet_of_datasets_gives_pictures_and_captions(collection: Collection, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    pictures = [{"bytes": png(n), "path": f"{n}.png"} for n in range(40)]
    features = datasets.Features({"image": datasets.Image(), "caption": datasets.Value("string")})
    values = {"image": pictures, "caption": [f"picture {n}" for n in range(40)]}
    datasets.Dataset.from_dict(values, features=features).to_parquet(str(tmp_path / "train.parquet"))
    result = collection.add(tmp_path / "train.parquet")
    assert (result.added, result.unreadable) == (40, [])
    assert collection.titles() == [f"picture {n}" for n in range(40)]
    assert list(collection.images())[:2] == ["0000001-0.png", "0000002-1.png"]
    assert collection.add(tmp_path / "train.parquet").existing == 40


def test_rows_without_a_picture_are_listed_and_tables_without_pictures_refused(
    collection: Collection, tmp_path: Path
) -> None:
    rows = [{"bytes": png(1), "path": None}, None, {"bytes": None, "path": "../gone.png"}, {"bytes": b"x", "path": "x"}]
    pq.write_table(pa.table({"image": rows}), tmp_path / "a.parquet")
    result = collection.add(tmp_path / "a.parquet")
    assert (result.added, len(result.unreadable)) == (1, 3)
    assert list(collection.images()) == ["0000001.png"]
    pq.write_table(pa.table({"url": ["https://example.org/1.jpg"]}), tmp_path / "urls.parquet")
    with pytest.raises(CollectionError, match=r"holds no pictures.*bam urls"):
        collection.add(tmp_path / "urls.parquet")
