"""The exported tables say what the workspace says, answer by answer."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.errors import ExchangeError
from bam_engine.labelling import assigning, tasks
from bam_engine.labelling.guideline_examples import add_examples
from bam_engine.reporting.export import export, gather
from bam_engine.training import rounds, thresholds
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace


def test_the_exported_tables_say_what_the_workspace_says(
    played: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    (path,) = export(played, tmp_path / "out.sqlite", form="sqlite")
    connection = sqlite3.connect(path)
    scores = dict(connection.execute("select mid, media_watercolor from scores"))
    labels = dict(connection.execute("select mid, label from crowd_labels"))
    choices = connection.execute("select count(*) from crowd_raw_choices").fetchone()[0]
    accepted = connection.execute("select mid from automatic_labels where media_watercolor = 'positive'").fetchall()
    connection.close()
    expected = scores_of(played, watercolor)
    ids = [image.id for image in played.catalogue.images(range(len(played.catalogue)))]
    assert [scores[id_] for id_ in ids] == pytest.approx(expected.tolist())
    consensus = tasks.labels(played, watercolor)
    assert labels == {
        ids[row]: "positive" if label else "negative"
        for row, label in zip(consensus.rows[consensus.settled], consensus.labels[consensus.settled], strict=True)
    }
    assert choices == len(played.annotations.answers(watercolor.id).rows)
    threshold = thresholds.current_threshold(played, watercolor)
    assert threshold is not None
    above, label = (
        set(np.flatnonzero(expected >= threshold.value)),
        dict(zip(consensus.rows, consensus.labels, strict=True)),
    )
    wanted = {row for row in range(len(ids)) if label.get(row, -1) == 1 or (row in above and label.get(row, -1) < 0)}
    assert {id_ for (id_,) in accepted} == {ids[row] for row in wanted}
    assert len(export(played, tmp_path / "csv", form="csv")) == 3
    with pytest.raises(ExchangeError, match="Choose sqlite, csv, "):
        export(played, tmp_path / "x", form="xml")


def test_a_corrected_answer_is_exported_as_corrected(
    workspace: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    task = rounds.start_round(workspace, watercolor, count=2, seed=1).task
    assignment = assigning.open_task(workspace, task, "ada")
    assert assignment is not None
    first, second = assignment.rows
    for uid, row, answer in (("a", first, 1), ("b", second, 1), ("c", first, 0)):
        workspace.annotations.record(assignment.id, [NewAnswer(uid, row, answer)])
    (path,) = export(workspace, tmp_path / "out.sqlite", form="sqlite")
    connection = sqlite3.connect(path)
    choices = dict(connection.execute("select mid, label from crowd_raw_choices"))
    connection.close()
    ids = [image.id for image in workspace.catalogue.images([first, second])]
    assert choices == {ids[0]: 0, ids[1]: 1}


def test_the_examples_of_guidelines_are_exported_without_removed_images(
    workspace: Workspace, watercolor: Attribute
) -> None:
    add_examples(workspace, watercolor, [7, 3], "bad", "pencil")
    workspace.removals.remove([1, 7], reason="a test")
    (record,) = gather(workspace).attributes
    (example,) = record.examples
    dataset = gather(workspace)
    assert dataset.images[example.image].uri == workspace.catalogue.uris()[3]
    assert (example.kind, example.note) == ("bad", "pencil")
