"""The Python interface: every example in its docstrings runs, and what it returns fits together."""

import doctest
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bam_engine
from bam_engine import AttributeHandle, Collection
from bam_engine.errors import AnnotationError, BamError, LearningError, NotFound
from bam_engine.gallery import search

EXAMPLES = [
    example
    for thing in (bam_engine.open, bam_engine.restore, *Collection.__mro__[:-1], AttributeHandle)
    for example in doctest.DocTestFinder(recurse=True).find(thing, thing.__qualname__, globs={})
    if example.examples
]


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_every_example_of_a_docstring_runs(
    example: doctest.DocTest, bam: Collection, watercolor: AttributeHandle
) -> None:
    example.globs.update(bam_engine=bam_engine, bam=bam, watercolor=watercolor)
    output: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(example, out=output.append)
    assert results.failed == 0, "".join(output)


def test_every_public_method_has_an_example() -> None:
    shown = {example.name for example in EXAMPLES}
    for thing in (Collection, AttributeHandle):
        public = [name for name, value in vars(thing).items() if not name.startswith("_") and callable(value)]
        missing = [name for name in public if f"{thing.__qualname__}.{name}" not in shown and name != "close"]
        assert not missing


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ["numpy", "pandas", "sqlalchemy", "torch", "PIL"]
    code = f"import bam_engine, sys; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"


def test_a_collection_is_created_and_found_again(tmp_path: Path) -> None:
    with bam_engine.open(tmp_path / "new", tmp_path / "cache") as bam:
        bam.add_attribute("sketch", "Is it a sketch?")
        assert (bam.workspace.cache.parent, len(bam)) == (tmp_path / "cache", 0)
    with bam_engine.open(str(tmp_path / "new")) as bam:
        assert [attribute.name for attribute in bam.attributes()] == ["sketch"]
        assert bam.workspace.cache.parent == tmp_path / "new" / "cache"
        assert bam.images().empty
        assert bam.attribute("sketch").labels().empty
        with pytest.raises(LearningError, match="no labels to train on"):
            bam.attribute("sketch").train()
    with bam_engine.open(tmp_path / "new", database_url=f"sqlite:///{tmp_path / 'other.sqlite'}") as bam:
        assert bam.attributes() == []
    (tmp_path / "file").write_text("")
    with pytest.raises(BamError):
        bam_engine.open(tmp_path / "file")


def test_unknown_names_are_refused_with_those_that_are_there(bam: Collection) -> None:
    with pytest.raises(NotFound, match="media_watercolor"):
        bam.attribute("watercolor")
    with pytest.raises(AnnotationError, match=r"'sketch' is not one of BAM's attributes \(content_bicycle"):
        bam.add_attribute("sketch")


def test_tables_and_arrays_are_indexed_by_row(bam: Collection, watercolor: AttributeHandle) -> None:
    images = bam.images()
    assert images.index.name == "row"
    assert (len(images), len(bam.embeddings()), len(watercolor.scores()), len(watercolor.decisions())) == (60,) * 4
    assert images["embedded"].all()
    assert watercolor.labels()["path"].equals(images["path"].loc[watercolor.labels().index])
    with pytest.raises(ValueError, match="read-only"):
        bam.embeddings()[0] = 0


def test_an_image_without_an_embedding_is_told_everywhere(bam: Collection, tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "more").mkdir()
    Image.new("RGB", (30, 20)).save(tmp_path / "more" / "new.png")
    bam.add_images(tmp_path / "more")
    assert bam.images().loc[60, ["width", "height", "embedded"]].tolist() == [30, 20, False]
    assert bam.embeddings().shape[0] == 61
    assert not bam.embeddings()[60].any()
    watercolor = bam.attribute("media_watercolor")
    assert np.isnan(watercolor.scores()[60])
    assert watercolor.decisions().loc[60, ["decision", "reason"]].tolist() == [
        "undecided",
        "not embedded, so not scored",
    ]
    watercolor.record({60: False}, annotator="ada")
    assert 60 in watercolor.torch_dataset("images").rows
    assert 60 not in watercolor.torch_dataset("embeddings").rows


@pytest.mark.parametrize(
    "labels",
    [
        {3: "no", 5: True},
        pd.Series([False, True], index=[3, 5]),
        {"painting-03.png": 0, Path("painting-05.png"): 1.0, 7: None, 9: float("nan")},
    ],
)
def test_labels_are_recorded_by_row_or_path(bam: Collection, labels: object) -> None:
    attribute = bam.add_attribute("round", "Is it round?")
    stored = attribute.record(labels, annotator="ada")  # type: ignore[arg-type]
    assert (stored.yes, stored.no) == (1, 1)
    assert attribute.labels()["label"].to_dict() == {3: "no", 5: "yes"}
    assert attribute.record(labels, annotator="ada").repeated == 2  # type: ignore[arg-type]


def test_labels_that_cannot_be_are_refused_and_nothing_is_stored(bam: Collection) -> None:
    attribute = bam.add_attribute("round", "Is it round?")
    for labels, words in (
        ({3: True, 4: "maybe"}, "The label of 4 is 'maybe'"),
        ({3: True, 4: -1}, "The label of 4 is -1"),
        ({3: True, "painting-03.png": False}, "Image 3 has two labels"),
        ({3: True, "nowhere.png": False}, "nowhere.png matches no image"),
    ):
        with pytest.raises(AnnotationError, match=words):
            attribute.record(labels, annotator="ada")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        attribute.record({60: True}, annotator="ada")
    assert attribute.labels().empty


def test_the_decisions_are_those_of_the_threshold_in_use(watercolor: AttributeHandle) -> None:
    threshold = watercolor.threshold
    assert threshold is not None
    assert threshold.saved
    table = watercolor.decisions()
    above, yes, no = table["score"] >= np.float32(threshold.value), table["label"] == "yes", table["label"] == "no"
    assert ((table["decision"] == "accepted") == (yes | above) & ~no).all()
    watercolor.use_threshold(float(table["score"].max()) + 1)
    assert ((watercolor.decisions()["decision"] == "accepted") == yes).all()


def test_without_a_threshold_nothing_is_decided(bam: Collection) -> None:
    attribute = bam.add_attribute("round", "Is it round?")
    assert attribute.threshold is None
    with pytest.raises(LearningError):
        attribute.decisions()


def test_a_data_loader_with_workers_reads_both_datasets(watercolor: AttributeHandle) -> None:
    from torch.utils.data import DataLoader
    from torchvision.transforms.functional import to_tensor

    images = watercolor.torch_dataset("images", transform=to_tensor)
    vectors = watercolor.torch_dataset("embeddings", labels="threshold")
    assert vectors[0][0].dtype.is_floating_point
    for dataset in (images, vectors):
        copy = pickle.loads(pickle.dumps(dataset))
        assert (copy.rows.tolist(), copy.labels.tolist()) == (dataset.rows.tolist(), dataset.labels.tolist())
        loader = DataLoader(dataset, batch_size=16, num_workers=2, multiprocessing_context="spawn")
        batches = list(loader)
        assert sum(len(labels) for _, labels in batches) == len(dataset) == 60
        assert [int(label) for _, labels in batches for label in labels] == dataset.labels.tolist()
    assert images.labels.tolist() == [1, 0] * 30
    assert len(pickle.dumps(vectors)) < 10_000  # no copy of the embeddings


def test_an_unknown_kind_of_dataset_is_refused(watercolor: AttributeHandle) -> None:
    with pytest.raises(AnnotationError, match="Choose images or embeddings"):
        watercolor.torch_dataset("pixels")  # type: ignore[arg-type]
    with pytest.raises(AnnotationError, match="Choose people or threshold"):
        watercolor.torch_dataset(labels="crowd")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "message"),
    [([1, 2], "not as a list"), ({None: True}, "None is neither"), ({1.5: True}, "1.5 is neither")],
)
def test_labels_that_name_no_image_are_refused(bam: Collection, labels: object, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        bam.add_attribute("bright", "Is it bright?").record(labels, annotator="ada")  # type: ignore[arg-type]


@pytest.mark.parametrize("threshold", ["high", None, float("nan")])
def test_a_threshold_that_is_no_number_is_refused(watercolor: AttributeHandle, threshold: object) -> None:
    with pytest.raises(LearningError, match="Give a number"):
        watercolor.use_threshold(threshold)  # type: ignore[arg-type]
    with pytest.raises(LearningError, match="Target precision must be between 0 and 1, not 9"):
        watercolor.use_threshold(0.5, precision=9)


def test_a_backup_brings_back_what_was_there_and_nothing_is_replaced_unasked(home: Path) -> None:
    with bam_engine.open(home / "workspace") as bam:
        file = bam.backup(home / "labels.sqlite")
        with pytest.raises(BamError, match="exists and is not replaced"):
            bam.backup(file)
        before = bam.attribute("media_watercolor").labels()
        bam.add_attribute("sketch", "Is it a sketch?")
    with pytest.raises(BamError, match=r"holds 60 images and .* give replace=True"):
        bam_engine.restore(home / "workspace", file)
    kept = bam_engine.restore(home / "workspace", file, replace=True)
    assert kept is not None
    with bam_engine.open(home / "workspace") as bam:
        assert [attribute.name for attribute in bam.attributes()] == ["media_watercolor"]
        pd.testing.assert_frame_equal(bam.attribute("media_watercolor").labels(), before)
    assert bam_engine.restore(home / "new", kept) is None
    with bam_engine.open(home / "new") as bam:
        assert [attribute.name for attribute in bam.attributes()] == ["media_watercolor", "sketch"]


def test_damage_is_found_and_repaired(home: Path) -> None:
    with bam_engine.open(home / "workspace") as bam:
        thumbnail = bam.workspace.thumbnails.path(3)
        thumbnail.write_bytes(b"")
        (finding,) = bam.check()
        assert "1 thumbnail is damaged" in finding.what
        (outcome,) = bam.repair([finding])
        assert (outcome.finding, outcome.problem) == (finding, "")
        assert thumbnail.stat().st_size > 0
        assert bam.check() == []


def test_a_search_is_that_of_the_gallery_with_what_it_searched(bam: Collection) -> None:
    found = bam.search("painting 4", 3)
    assert found.index.tolist() == search.by_words(bam.workspace, "painting 4", 3).tolist()
    assert found["path"].tolist() == bam.images()["path"][found.index].tolist()
    assert found.attrs == {"searched": "file names of 60 images", "matches": 15}
    assert bam.search("nowhere").empty
    with pytest.raises(BamError, match="The search text is empty"):
        bam.search(" ")
