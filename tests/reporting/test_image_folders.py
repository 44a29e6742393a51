"""Folders of images are read by the programs that they are for, and hold every label and every picture."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bam_engine.annotation import Attribute
from bam_engine.errors import ExchangeError
from bam_engine.exchange.manifest import check_export, sha256_of
from bam_engine.reporting.export import export
from bam_engine.reporting.image_contents import Content
from bam_engine.training import thresholds
from bam_engine.workspace import Workspace

SPLIT = Content(shares=(0.5, 0.25, 0.25))


@pytest.fixture
def decided(played: Workspace, watercolor: Attribute) -> Workspace:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    return played


@pytest.fixture
def table(decided: Workspace, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """The rows of the Parquet export, by the digest of the image."""
    decided.tags.add([0, 7], "to check")
    export(decided, tmp_path / "table.parquet", form="parquet", content=SPLIT)
    rows = pd.read_parquet(tmp_path / "table.parquet").astype(object)
    rows["tags"] = rows["tags"].map(list)
    return {row["sha256"]: row for row in rows.where(rows.notna(), None).to_dict("records")}


def write(workspace: Workspace, folder: Path, form: str, content: Content = SPLIT, **options: Any) -> Path:
    assert export(workspace, folder, form=form, content=content, **options) == [folder]
    assert check_export(folder) == []
    return folder


def pictures(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in (".png", ".jpg", ".webp"))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def same(row: dict[str, Any], expected: dict[str, Any]) -> bool:
    return all(
        row[name] == pytest.approx(value) if isinstance(value, float) else row[name] == value
        for name, value in expected.items()
    )


@pytest.mark.slow
@pytest.mark.parametrize("content", [SPLIT, Content()])
def test_datasets_loads_an_imagefolder_with_its_splits_and_columns(
    decided: Workspace, table: dict[str, Any], tmp_path: Path, content: Content
) -> None:
    folder = write(decided, tmp_path / "imagefolder", "imagefolder", content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from datasets import disable_progress_bars, load_dataset

        disable_progress_bars()
        loaded = load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(tmp_path / "hf"))
    assert set(loaded) == ({"train", "validation", "test"} if content.shares else {"train"})
    seen = {}
    for split in loaded:
        for row in loaded[split]:
            expected = table[row["sha256"]]
            assert content.shares is None or expected["split"] == split
            assert row["image"].size == (expected["width"], expected["height"])
            assert json.loads(row["tags"]) == expected["tags"]
            assert row["media_watercolor_label"] == expected["media_watercolor_label"]
            seen[row["sha256"]] = row
    assert seen.keys() == table.keys()


def test_the_lines_of_an_imagefolder_are_the_rows_of_the_table(
    decided: Workspace, table: dict[str, Any], tmp_path: Path
) -> None:
    folder = write(decided, tmp_path / "imagefolder", "imagefolder")
    found = [(path.parent, row) for path in folder.glob("*/metadata.jsonl") for row in lines(path)]
    assert len(found) == len(table)
    for parent, row in found:
        assert sha256_of(parent / row["file_name"]) == row["sha256"]
        assert same(row | {"tags": json.loads(row["tags"])}, table[row["sha256"]])


def test_a_folder_for_each_label_holds_the_images_that_have_it(
    decided: Workspace, table: dict[str, Any], tmp_path: Path
) -> None:
    folder = write(decided, tmp_path / "folders", "folders")
    found = {(sha256_of(path), *path.relative_to(folder).parts[:3]) for path in pictures(folder)}
    wanted = {
        (digest, "media_watercolor", row["split"], row["media_watercolor_label"])
        for digest, row in table.items()
        if row["media_watercolor_label"] in ("positive", "negative")
    }
    assert found == wanted
    from torchvision.datasets import ImageFolder

    assert ImageFolder(str(folder / "media_watercolor" / "train")).classes == ["negative", "positive"]


def test_fiftyone_finds_its_pictures_and_labels(decided: Workspace, table: dict[str, Any], tmp_path: Path) -> None:
    folder = write(decided, tmp_path / "fiftyone", "fiftyone", Content())
    content = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    assert content["classes"] == ["negative", "positive", "unsure"]
    files = {path.stem: path for path in (folder / "data").iterdir()}
    assert files.keys() == content["labels"].keys()
    for stem, target in content["labels"].items():
        label = table[sha256_of(files[stem])]["media_watercolor_label"]
        assert (None if target is None else content["classes"][target]) == label
    decided.attributes.add("content_cat", "content", "A cat?")
    several = write(decided, tmp_path / "several", "fiftyone", SPLIT)
    for part in ("train", "validation", "test"):
        content = json.loads((several / part / "labels.json").read_text(encoding="utf-8"))
        assert content["classes"] == ["media_watercolor", "content_cat"]
        for stem, targets in content["labels"].items():
            (file,) = (several / part / "data").glob(f"{stem}.*")
            row = table[sha256_of(file)]
            assert row["split"] == part
            expected = (
                None if row["media_watercolor_label"] is None else [0] * (row["media_watercolor_label"] == "positive")
            )
            assert targets == expected


@pytest.mark.slow
def test_webdataset_reads_the_shards(decided: Workspace, table: dict[str, Any], tmp_path: Path) -> None:
    folder = write(decided, tmp_path / "shards", "webdataset")
    seen = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import webdataset

        for path in sorted(folder.glob("*.tar")):
            for sample in webdataset.WebDataset(str(path), shardshuffle=False).decode("pil"):
                row = sample["json"]
                picture = next(value for value in sample.values() if isinstance(value, Image.Image))
                assert picture.size == (row["width"], row["height"])
                assert path.name.startswith(row["split"])
                assert same(row, table[row["sha256"]])
                seen.add(row["sha256"])
    assert seen == set(table)


def test_the_same_dataset_makes_the_same_shards_and_a_full_one_is_followed_by_another(
    decided: Workspace, tmp_path: Path
) -> None:
    from bam_engine.exchange.shards import write_webdataset
    from bam_engine.reporting.image_contents import gather_images

    gathered = gather_images(decided, Content(), {})
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_webdataset(gathered.table, tmp_path / name, images=50)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [f"images-{number:06d}.tar" for number in range(3)]
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)


@pytest.mark.parametrize("form", ["imagefolder", "folders", "fiftyone", "webdataset"])
def test_pictures_that_are_gone_or_have_changed_are_listed_and_left_out(
    decided: Workspace, tmp_path: Path, form: str
) -> None:
    copies = tmp_path / "pictures"
    copies.mkdir()
    for image in decided.catalogue.images([0, 1]):
        (copies / image.name).write_bytes(image.path.read_bytes())
    first, second = decided.catalogue.images([0, 1])
    from bam_engine.collection.records import Place

    decided.catalogue.move({image.row: Place(str(copies / image.name)) for image in (first, second)})
    (copies / first.name).unlink()
    (copies / second.name).write_bytes(b"another picture")
    folder = write(decided, tmp_path / "out", form)
    missing = lines(folder / "missing_images.jsonl")
    assert [line["id"] for line in missing] == [first.id, second.id]
    assert [line["problem"] for line in missing] == [
        "No such file or directory",
        "the file holds another picture by now",
    ]
    assert "2 images of them have no picture here" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("way", ["copy", "link", "hardlink"])
def test_pictures_are_copied_or_linked(decided: Workspace, tmp_path: Path, way: str) -> None:
    folder = write(decided, tmp_path / "out", "imagefolder", Content(), pictures=way)
    originals = {image.digest: image.path for image in decided.catalogue.images(range(len(decided.catalogue)))}
    for path in pictures(folder):
        original = originals[sha256_of(path)]
        assert path.is_symlink() == (way == "link")
        assert path.samefile(original) == (way != "copy")


def test_names_are_readable_and_never_collide(decided: Workspace, tmp_path: Path) -> None:
    uris = decided.catalogue.uris()
    decided.catalogue.update_details({uri: {"title": "Étude: the same/title"} for uri in uris})
    folder = write(decided, tmp_path / "out", "imagefolder", Content())
    names = [path.name for path in (folder / "images").iterdir()]
    assert len(names) == len(set(names)) == len(uris)
    assert all("-etude-the-same-title." in name and name.isascii() for name in names)


def test_an_existing_folder_is_refused_before_anything_is_computed(
    decided: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    monkeypatch.setattr("bam_engine.reporting.image_export.gather_images", lambda *_, **__: pytest.fail("computed"))
    with pytest.raises(ExchangeError, match="exists and is not empty"):
        export(decided, tmp_path / "out", form="imagefolder")
    with pytest.raises(ExchangeError, match="Choose copy, link or hardlink"):
        export(decided, tmp_path / "new", form="imagefolder", pictures="move")


def test_nothing_is_left_of_a_stopped_export(decided: Workspace, tmp_path: Path) -> None:
    def stop(done: int, total: int | None, message: str = "") -> None:
        if message == "images" and done:
            raise ExchangeError("stopped")

    with pytest.raises(ExchangeError, match="stopped"):
        export(decided, tmp_path / "place" / "out", form="imagefolder", report=stop)
    assert list((tmp_path / "place").iterdir()) == []
    assert np.all([Path(uri).exists() for uri in decided.catalogue.uris()])
