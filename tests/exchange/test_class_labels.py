"""Classes of other tools: which pictures a source says show a class, and which it says do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from bam_engine.errors import ExchangeError
from bam_engine.exchange.class_labels import read_classes

COCO = {
    "images": [
        {"id": 7, "file_name": "val/a.jpg", "neg_category_ids": [2], "not_exhaustive_category_ids": [1]},
        {"id": 8, "file_name": "val/b.jpg"},
        {"id": 9, "file_name": "val/c.jpg"},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [0, 0, 2, 2]},
        {"id": 2, "image_id": 7, "category_id": 1},
        {"id": 3, "image_id": 8, "category_id": 2},
        {"id": 4, "image_id": 99, "category_id": 2},
        {"id": 5, "image_id": 8, "category_id": 99},
    ],
    "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}, {"id": 3, "name": "kite"}],
}


def written(folder: Path, content: Any, name: str = "labels.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))
    return folder / name


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_coco_says_what_is_shown_and_lvis_what_is_not(tmp_path: Path) -> None:
    labels = read_classes(written(tmp_path, COCO, "instances.json"))
    assert labels.pictures == ("val/a.jpg", "val/b.jpg", "val/c.jpg")
    assert labels.shown == {"dog": {"val/a.jpg"}, "cat": {"val/b.jpg"}, "kite": set()}
    assert labels.not_shown == {"cat": {"val/a.jpg"}}
    assert labels.folder == tmp_path
    assert labels.unclear == {
        "annotation of a picture that the file does not have": ("annotation 4",),
        "annotation of a category that the file does not have": ("annotation 5",),
    }


def test_samples_of_fiftyone_have_one_class_several_or_boxes(tmp_path: Path) -> None:
    samples = [
        {"filepath": "data/a.jpg", "truth": {"_cls": "Classification", "label": "dog"}, "tags": ["x"]},
        {"filepath": "data/b.jpg", "truth": None},
        {"filepath": "data/c.jpg", "truth": {"_cls": "Classifications", "classifications": [{"label": "dog"}]}},
        {
            "filepath": "data/d.jpg",
            "truth": {"_cls": "Detections", "detections": [{"label": "cat"}, {"label": "dog"}, {"label": "cat"}]},
        },
        {"truth": {"_cls": "Classification", "label": "lost"}},
    ]
    written(tmp_path, {"samples": samples}, "samples.json")
    labels = read_classes(tmp_path)
    assert labels.pictures == ("data/a.jpg", "data/b.jpg", "data/c.jpg", "data/d.jpg")
    assert labels.shown == {"dog": {"data/a.jpg", "data/c.jpg", "data/d.jpg"}, "cat": {"data/d.jpg"}}
    assert labels.unclear == {"sample without a path": ("sample 5",)}


def test_one_of_several_fields_is_chosen_by_its_name(tmp_path: Path) -> None:
    sample = {
        "filepath": "a.jpg",
        "truth": {"_cls": "Classification", "label": "dog"},
        "guess": {"_cls": "Classification", "label": "cat"},
        "where": {"_cls": "GeoLocation"},
    }
    file = written(tmp_path, {"samples": [sample]}, "samples.json")
    with pytest.raises(ExchangeError, match=r"Choose a field .* --field\. Its fields with classes: guess, truth\."):
        read_classes(file)
    with pytest.raises(ExchangeError, match="has no field where with classes"):
        read_classes(file, label_field="where")
    assert set(read_classes(file, label_field="guess").shown) == {"cat"}


def test_labels_of_fiftyone_name_pictures_without_their_endings(tmp_path: Path) -> None:
    touch(tmp_path / "data", "a.jpg", "deep/b.png", "c.jpg", "notes.txt")
    content = {
        "classes": ["cat", "dog", "kite"],
        "labels": {
            "a": 1,
            "deep/b": [0, 1],
            "c": {"label": "dog", "confidence": 0.5},
            "d": "cat",
            "e": None,
            "f": 7,
            "g": True,
        },
    }
    written(tmp_path, content)
    labels = read_classes(tmp_path)
    a, b, c = (str(tmp_path / "data" / name) for name in ("a.jpg", "deep/b.png", "c.jpg"))
    assert labels.pictures == (a, b, c, "d", "e", "f", "g")
    assert labels.shown == {"cat": {b, "d"}, "dog": {a, b, c}, "kite": set()}


def test_the_class_of_a_picture_is_its_folder(tmp_path: Path) -> None:
    touch(tmp_path, "train/dog/1.jpg", "test/dog/2.png", "train/cat/3.jpg", "loose.jpg", "train/cat/list.txt")
    labels = read_classes(tmp_path)
    assert labels.shown == {
        "dog": {str(tmp_path / "train/dog/1.jpg"), str(tmp_path / "test/dog/2.png")},
        "cat": {str(tmp_path / "train/cat/3.jpg")},
    }
    assert labels.unclear == {"picture in no folder of a class": ("loose.jpg",)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "as JSON"),
        ("[" * 100_000, "as JSON"),
        ("[1]", "its JSON is a list or a value"),
        ('{"a": 1}', "neither COCO"),
        ('{"samples": [1]}', "its samples are no list of objects"),
        ('{"samples": []}', "fields with classes: none"),
        ('{"classes": 3, "labels": {}}', "is damaged"),
        ('{"classes": [], "labels": {}}', "names no classes"),
        ('{"images": {}, "annotations": [], "categories": []}', "its images are no list"),
        ('{"images": [], "annotations": [], "categories": []}', "names no classes"),
    ],
)
def test_what_is_no_source_says_why(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(ExchangeError, match=words):
        read_classes(tmp_path / "labels.json")


def test_a_folder_without_pictures_and_a_missing_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match="no folders of classes with pictures"):
        read_classes(tmp_path)
    with pytest.raises(ExchangeError, match="No such file"):
        read_classes(tmp_path / "none.json")
    with pytest.raises(ExchangeError, match="Leave the field out"):
        read_classes(written(tmp_path, COCO), label_field="truth")
