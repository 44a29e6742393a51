"""A workspace on PostgreSQL: every step from pictures to the dataset, and two processes that want the same round."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.collection import ingest_folder
from bam_engine.labelling import tasks
from bam_engine.reporting.export import export
from bam_engine.reporting.overview import overview
from bam_engine.training import rounds, thresholds
from bam_engine.training.models import latest_model, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embed_collection
from tests.browser import ROOT
from tests.conftest import Oracle
from tests.postgresql import PostgreSQL


@pytest.fixture
def workspace(postgresql: PostgreSQL, small_pictures: Path, tmp_path: Path) -> Iterator[Workspace]:
    """The small pictures, ingested and embedded, with the records in PostgreSQL."""
    with postgresql.database() as url:
        opened = Workspace(tmp_path / "workspace", tmp_path / "cache", database_url=url)
        metadata = small_pictures / "labels.csv"
        assert ingest_folder(opened.catalogue, opened.thumbnails, small_pictures, metadata=metadata).added == 120
        embed_collection(opened)
        yield opened
        opened.close()


def test_pictures_become_a_dataset_with_its_evidence(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, tmp_path: Path
) -> None:
    oracle.play(workspace, watercolor, count=2)
    kept = thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=6, n_rejected=4, seed=1).task)
    result = audits.latest_result(workspace, watercolor)
    assert result is not None
    assert result.complete

    shown = overview(workspace)
    assert shown.images == 120
    assert [(line.name, line.rounds) for line in shown.attributes] == [(watercolor.name, 2)]
    (written,) = export(workspace, tmp_path / "dataset.sqlite", form="sqlite")
    assert written.exists()

    url = workspace.engine.url.render_as_string(hide_password=False)
    again = Workspace(workspace.folder, workspace.cache.parent, database_url=url)
    model, before = latest_model(again, watercolor), latest_model(workspace, watercolor)
    assert model is not None
    assert before is not None
    in_use = thresholds.current_threshold(again, watercolor)  # its evidence counts the labels of the audit too
    assert in_use == thresholds.current_threshold(workspace, watercolor)
    assert (in_use.id, in_use.value) == (kept.id, kept.value)
    assert np.array_equal(model.coefficients, before.coefficients)
    assert np.array_equal(scores_of(again, watercolor, model), scores_of(workspace, watercolor, before))
    assert tasks.labels(again, watercolor).settled.sum() == tasks.labels(workspace, watercolor).settled.sum() > 60
    again.close()


STARTER = """
import sys
from pathlib import Path
from bam_engine.errors import BamError
from bam_engine.training import rounds
from bam_engine.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]), Path(sys.argv[2]), database_url=sys.argv[3])
attribute = workspace.attributes.get("media_watercolor")
print("ready", flush=True)
sys.stdin.readline()
try:
    print("round", rounds.start_round(workspace, attribute, count=12).number)
except BamError as error:
    print(error)
workspace.close()
"""


def test_of_two_processes_one_starts_the_round_and_the_other_is_told(
    workspace: Workspace, watercolor: Attribute
) -> None:
    url = workspace.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", STARTER, workspace.folder, workspace.cache.parent, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    two = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in two] == ["ready\n"] * 2
    for process in two:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=120)[0].strip() for process in two)
    assert said[1] == "round 1"
    assert "Label that one" in said[0]
    (started,) = rounds.rounds_of(workspace, watercolor)
    assert started.number == 1
