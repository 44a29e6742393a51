"""The data card says what the report says, and the metadata describe the files as mlcroissant understands them."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.formatting import percent_interval
from bam_engine.labelling import direct_answers
from bam_engine.reporting.data_card import UNKNOWN
from bam_engine.reporting.export import export
from bam_engine.reporting.image_contents import Content
from bam_engine.reporting.readiness import not_ready
from bam_engine.reporting.report import gather
from bam_engine.training import thresholds
from bam_engine.training.delivered import delivered_of
from bam_engine.workspace import Workspace


@pytest.fixture
def decided(played: Workspace, watercolor: Attribute) -> Workspace:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    return played


def test_the_card_has_the_figures_of_the_report(
    decided: Workspace, watercolor: Attribute, oracle: Any, tmp_path: Path
) -> None:
    audits.draw(decided, watercolor, n_accepted=10, n_rejected=10)
    task = audits.open_audit_task(decided, watercolor)
    assert task is not None
    oracle.answer(decided, task)
    export(decided, tmp_path / "set.parquet", form="parquet", content=Content(shares=(0.5, 0.25, 0.25), seed=7))
    text = (tmp_path / "set.README.md").read_text(encoding="utf-8")
    report = gather(decided, watercolor)
    assert report.threshold is not None
    assert report.audit is not None
    assert report.audit.precision is not None
    assert report.audit.verdict is not None
    assert report.delivered is not None
    found = report.audit.precision
    images = decided.catalogue.images(range(len(decided.catalogue)))
    for words in (
        percent_interval(*report.threshold.evidence.precision_interval),
        percent_interval(*report.threshold.evidence.recall_interval),
        percent_interval(found.value, found.low, found.high),
        report.audit.verdict.summary,
        report.delivered.words,
        *(words for _, words in report.agreement),
        watercolor.question,
        f"Database schema {db.SCHEMA_VERSION}",
        "Seed 7",
        *(f"- {licence}: " for licence in {image.license or UNKNOWN for image in images}),
    ):
        assert words in text, words
    table = pd.read_parquet(tmp_path / "set.parquet")
    for split, images in table["split"].value_counts().items():
        assert f"- {split}: {images} image" in text


def test_what_is_not_ready_is_said_in_the_order_of_the_work(
    workspace: Workspace, watercolor: Attribute, oracle: Any
) -> None:
    assert not_ready(workspace) == [
        ("media_watercolor", "Nothing is trained with the encoder in use, so images have the labels of people alone.")
    ]
    oracle.play(workspace, watercolor)
    assert not_ready(workspace, ["media_watercolor"]) == [
        ("media_watercolor", "Nobody has chosen the threshold: it is only suggested.")
    ]
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    assert not_ready(workspace) == [("media_watercolor", "The threshold is not audited.")]
    audits.draw(workspace, watercolor, n_accepted=5, n_rejected=5)
    assert not_ready(workspace) == [("media_watercolor", "The audit of the threshold is not finished.")]
    task = audits.open_audit_task(workspace, watercolor)
    assert task is not None
    oracle.answer(workspace, task)
    assert not_ready(workspace) == []


@pytest.mark.slow
@pytest.mark.parametrize("form", ["parquet", "jsonl", "imagefolder", "folders", "fiftyone", "webdataset"])
def test_mlcroissant_accepts_the_metadata_and_reads_the_records(decided: Workspace, tmp_path: Path, form: str) -> None:
    single = form in ("parquet", "jsonl")
    target = tmp_path / (f"set.{form}" if single else "set")
    export(decided, target, form=form, content=Content(shares=(0.5, 0.25, 0.25)))
    path = tmp_path / "set.croissant.json" if single else target / "croissant.json"
    assert json.loads(path.read_text())["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlcroissant

        described = mlcroissant.Dataset(jsonld=str(path))
        assert described.metadata.issues.errors == set()
        assert described.metadata.issues.warnings == set()
        digests = set()
        for records in described.metadata.record_sets:
            for record in described.records(records.id):
                digests.add(record[f"{records.id}/sha256"])
    stored = {image.digest for image in decided.catalogue.images(range(len(decided.catalogue)))}
    assert {one.decode() if isinstance(one, bytes) else one for one in digests} == (
        set() if form == "webdataset" else stored
    )


def test_what_people_have_labelled_whole_needs_no_audit(decided: Workspace, watercolor: Attribute) -> None:
    assert not_ready(decided) == [("media_watercolor", "The threshold is not audited.")]
    for row in np.flatnonzero(delivered_of(decided, watercolor).by_classifier).tolist():
        direct_answers.answer(decided, watercolor, row, 1, annotator="ada")
    assert not_ready(decided) == []
