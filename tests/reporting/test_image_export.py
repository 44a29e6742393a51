"""An export of images says what the workspace says, of the images and attributes that were chosen."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from bam_engine.annotation import Attribute
from bam_engine.errors import ExchangeError
from bam_engine.exchange.manifest import check_export
from bam_engine.gallery import near_duplicates, problems
from bam_engine.reporting.export import export
from bam_engine.reporting.image_contents import Content
from bam_engine.training import thresholds
from bam_engine.training.delivered import delivered_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import vectors_of


@pytest.fixture
def decided(played: Workspace, watercolor: Attribute) -> Workspace:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    return played


def read(workspace: Workspace, path: Path, **content: object) -> pd.DataFrame:
    export(workspace, path, form=path.suffix[1:], content=Content(**content))  # type: ignore[arg-type]
    assert check_export(path) == []
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_json(path, lines=True)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_the_columns_say_what_the_csv_files_say(decided: Workspace, tmp_path: Path, form: str) -> None:
    decided.attributes.add("content_cat", "content", "A cat?")
    table = read(decided, tmp_path / f"dataset.{form}")
    export(decided, tmp_path / "csv", form="csv")
    cells = pd.read_csv(tmp_path / "csv" / "images.csv")
    for name in cells.columns:
        if name.endswith("_score"):
            assert table[name].to_numpy(float) == pytest.approx(cells[name].to_numpy(float), abs=1e-5, nan_ok=True)
        else:
            assert (
                table[name].astype(object).where(table[name].notna(), None).tolist()
                == cells[name].astype(object).where(cells[name].notna(), None).tolist()
            ), name


def test_what_is_accepted_is_what_is_delivered(decided: Workspace, watercolor: Attribute, tmp_path: Path) -> None:
    delivered = delivered_of(decided, watercolor)
    table = read(decided, tmp_path / "all.parquet")
    assert table["media_watercolor_accepted"].fillna(False).to_numpy(bool).tolist() == delivered.accepted.tolist()
    digests = [image.digest for image in decided.catalogue.images(np.flatnonzero(delivered.accepted))]
    assert read(decided, tmp_path / "some.parquet", accepted=True)["sha256"].tolist() == digests


def test_attributes_are_chosen_by_name_and_removed_images_are_left_out(decided: Workspace, tmp_path: Path) -> None:
    decided.attributes.add("content_cat", "content", "A cat?")
    decided.removals.remove([0, 5], reason="a test")
    table = read(decided, tmp_path / "cats.parquet", attributes=("content_cat",))
    assert [name for name in table.columns if name.endswith("_label")] == ["content_cat_label"]
    uris = decided.catalogue.uris()
    assert table["uri"].tolist() == [uri for row, uri in enumerate(uris) if row not in (0, 5)]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_each_image_has_the_list_of_its_tags(decided: Workspace, tmp_path: Path, form: str) -> None:
    decided.tags.add([3, 5, 8], "to check")
    decided.tags.add([5], "a “talk”")
    decided.removals.remove([0, 8], reason="a test")
    table = read(decided, tmp_path / f"dataset.{form}")
    found = {Path(uri).name: list(tags) for uri, tags in zip(table["uri"], table["tags"], strict=True) if len(tags)}
    names = [Path(uri).name for uri in decided.catalogue.uris()]
    assert found == {names[3]: ["to check"], names[5]: ["a “talk”", "to check"]}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_problems_of_pictures_are_a_column_where_they_were_measured(
    decided: Workspace, tmp_path: Path, form: str
) -> None:
    assert "problems" not in read(decided, tmp_path / f"before.{form}").columns
    problems.scan(decided)
    file = problems.MEASURED.path(decided)
    file.write_bytes(file.read_bytes()[: 100 * problems.RECORD.itemsize])  # the last 20 are not measured
    decided.removals.remove([0], reason="a test")
    table = read(decided, tmp_path / f"after.{form}")
    expected = [list(problems.names_of(int(flag))) if flag else None for flag in problems.flags(decided, 120)[1:]]
    assert [None if found is None else list(found) for found in table["problems"]] == expected
    assert expected[-20:] == [None] * 20


def test_projects_and_near_duplicates_are_in_one_split(decided: Workspace, tmp_path: Path) -> None:
    copies, originals = [40, 41, 42, 50], [3, 3, 3, 9]
    decided.vectors().replace(copies, vectors_of(decided)[originals].copy())
    table = read(decided, tmp_path / "split.parquet", shares=(0.5, 0.25, 0.25), seed=3)
    linked = near_duplicates.linked_images(decided)
    assert (linked[copies] == linked[originals]).all()
    for together in (decided.catalogue.projects(), linked):
        assert (table["split"].groupby(together).nunique() == 1).all()
    assert set(table["split"]) == {"train", "validation", "test"}


def test_a_choice_of_images_changes_the_split_of_none(decided: Workspace, tmp_path: Path) -> None:
    whole = read(decided, tmp_path / "all.parquet", shares=(0.5, 0.25, 0.25)).set_index("id")["split"]
    some = read(decided, tmp_path / "some.parquet", shares=(0.5, 0.25, 0.25), accepted=True).set_index("id")["split"]
    assert some.to_dict() == whole[some.index].to_dict()


def test_what_cannot_be_exported_is_said(workspace: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "dataset.parquet"
    with pytest.raises(ExchangeError, match="There are no attributes"):
        export(workspace, target, form="parquet")
    workspace.attributes.add("content_cat", "content", "A cat?")
    with pytest.raises(ExchangeError, match="No image is accepted"):
        export(workspace, target, form="parquet", content=Content(accepted=True))
    with pytest.raises(ExchangeError, match=r"whose name ends in \.jsonl"):
        export(workspace, target, form="jsonl")
    with pytest.raises(ExchangeError, match="SQLite and CSV hold the whole dataset"):
        export(workspace, target, form="csv", content=Content(accepted=True))
    assert list(tmp_path.iterdir()) == [tmp_path / "workspace"] or not target.exists()


def test_the_file_has_a_row_group_for_each_page_of_the_catalogue(decided: Workspace, tmp_path: Path) -> None:
    read(decided, tmp_path / "dataset.parquet")
    assert parquet.ParquetFile(tmp_path / "dataset.parquet").num_row_groups == 1
