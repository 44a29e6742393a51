"""From labels to a dataset: thresholds, audits, maps, exports, and the overview that ties them together."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.audit import audits
from bam_engine.errors import AuditError, ExchangeError, NotFound, ProjectionError
from bam_engine.gallery import search
from bam_engine.labelling import tasks
from bam_engine.maps import layout_builder, layout_store, view_cache
from bam_engine.reporting.export import export
from bam_engine.reporting.image_facts import describe, score_lines, similar_images
from bam_engine.reporting.overview import overview, waiting_tasks
from bam_engine.training import rounds, thresholds
from bam_engine.training.evaluation import evaluate
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


@pytest.fixture
def played(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    oracle.play(workspace, watercolor, count=2)
    return workspace


def test_the_suggested_threshold_is_in_force_until_one_is_kept(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    suggested = thresholds.current_threshold(played, watercolor)
    assert suggested is not None
    assert not suggested.saved
    kept = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.8))
    assert kept.saved
    assert thresholds.current_threshold(played, watercolor) == kept
    rounds.train(played, watercolor)  # on the same labels: the same model
    assert thresholds.current_threshold(played, watercolor) == kept
    oracle.answer(played, rounds.start_round(played, watercolor, count=4, seed=9).task)
    rounds.train(played, watercolor)
    after = thresholds.current_threshold(played, watercolor)
    assert after is not None
    assert not after.saved


def test_precision_at_a_hand_set_cut_is_that_of_the_validation_images_above_it(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    scores = scores_of(played, watercolor)
    rows = tasks.validation_task(played, watercolor).rows
    cut = float(np.median(scores[rows]))
    above = [oracle.knows(played, row) for row in rows if scores[row] >= cut]
    found = thresholds.measure_at(played, watercolor, cut, target=0.9)
    assert found.precision == pytest.approx(np.mean(above))
    assert found.n_accepted == int((scores >= cut).sum())


def test_a_faultless_ranking_of_a_small_sample_is_not_called_certain(played: Workspace, watercolor: Attribute) -> None:
    found = evaluate(played, watercolor).average_precision
    assert found.low < found.value <= found.high
    assert found.value == 1.0  # these pictures are easily told apart
    assert found.low < 0.9


def test_an_audit_shows_only_images_nobody_has_answered_and_counts_both_sides(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    with pytest.raises(AuditError, match="no threshold of media_watercolor is kept"):
        audits.draw(played, watercolor)
    kept = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    known = set(played.annotations.answers(watercolor.id).rows.tolist())
    drawn = audits.draw(played, watercolor, n_accepted=8, n_rejected=8, seed=1)
    assert not known & set(drawn.task.rows.tolist())
    assert [task.purpose for task in waiting_tasks(played, watercolor, "me")] == ["audit"]
    oracle.answer(played, drawn.task)
    found = audits.latest_result(played, watercolor)
    assert found is not None
    assert found.complete
    assert found.precision is not None
    assert found.missed is not None
    above = drawn.task.rows[scores_of(played, watercolor)[drawn.task.rows] >= kept.value]
    assert found.precision.n == len(above)
    assert found.precision.k == sum(oracle.knows(played, row) for row in above)
    assert found.missed.n == len(drawn.task.rows) - len(above)


def test_an_audit_belongs_to_its_threshold(played: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    oracle.answer(played, audits.draw(played, watercolor, n_accepted=4, n_rejected=4, seed=1).task)
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.5))
    assert audits.latest_result(played, watercolor) is None
    assert len(audits.results(played, watercolor)) == 1


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
    found = tasks.labels(played, watercolor)
    assert labels == {
        ids[row]: "positive" if label else "negative"
        for row, label in zip(found.rows[found.settled], found.labels[found.settled], strict=True)
    }
    assert choices == len(played.annotations.answers(watercolor.id).rows)
    threshold = thresholds.current_threshold(played, watercolor)
    assert threshold is not None
    assert len(accepted) == int((expected >= threshold.value).sum())
    assert len(export(played, tmp_path / "csv", form="csv")) == 3
    with pytest.raises(ExchangeError, match="choose sqlite or csv"):
        export(played, tmp_path / "x", form="xml")


def test_a_map_is_kept_and_its_version_changes_with_the_threshold(played: Workspace, watercolor: Attribute) -> None:
    made = layout_builder.build(played, method="pca")
    assert [record.id for record in layout_store.list_layouts(played)] == [made.id]
    before = view_cache.current_view(played, made.id)
    assert len(before) == len(played.catalogue)
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.5))
    assert view_cache.current_view(played, made.id, fresh=True).version != before.version
    with pytest.raises(NotFound, match="there is no map"):
        view_cache.current_view(played, "../../etc")


def test_a_map_of_the_best_images_holds_the_best_of_each_attribute(played: Workspace, watercolor: Attribute) -> None:
    made = layout_builder.build(played, method="pca", scope="best", best=10)
    rows = set(view_cache.current_view(played, made.id).source.rows.tolist())
    assert rows == set(search.ranking(played, watercolor)[:10].tolist())
    with pytest.raises(ProjectionError, match="choose a method"):
        layout_builder.build(played, method="wordle")


def test_the_ranking_is_by_score_and_search_finds_names(played: Workspace, watercolor: Attribute) -> None:
    scores = scores_of(played, watercolor)
    order = search.ranking(played, watercolor)
    assert sorted(order) == list(range(len(scores)))
    assert (np.diff(scores[order]) <= 0).all()
    image = played.catalogue.image(7)
    assert 7 in search.find(played, Path(image.uri).stem)


def test_an_image_is_described_by_every_room(played: Workspace, watercolor: Attribute) -> None:
    row = int(tasks.validation_task(played, watercolor).rows[0])
    found = describe(played, row)
    assert found.annotations[0][1] == "oracle"
    assert [line.attribute for line in score_lines(played, row)] == ["media_watercolor"]
    near = similar_images(played, row)
    assert row not in [other for other, _ in near]
    likeness = [value for _, value in near]
    assert likeness == sorted(likeness, reverse=True)


def test_the_overview_leads_from_an_empty_workspace_to_the_export(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "workspace", tmp_path / "cache")
    assert overview(empty).next.step == "add_images"
    empty.close()


def test_the_overview_asks_for_the_audit_once_a_threshold_is_kept(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert overview(workspace).next.step == "draw_validation"
    oracle.play(workspace, watercolor, count=4, batch=8)
    assert overview(workspace).next.step == "decide"
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    assert overview(workspace).next.step == "audit"
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=5, n_rejected=5, seed=1).task)
    found = overview(workspace)
    assert found.next.step == "done"
    assert found.attributes[0].audited is not None


def test_a_corrected_answer_is_exported_as_corrected(
    workspace: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    task = rounds.start_round(workspace, watercolor, count=2, seed=1).task
    assignment = tasks.open_task(workspace, task, "ada")
    assert assignment is not None
    first, second = assignment.rows
    for uid, row, answer in (("a", first, 1), ("b", second, 1), ("c", first, 0)):
        workspace.annotations.record(assignment.id, [NewAnswer(uid, row, answer)])
    (path,) = export(workspace, tmp_path / "out.sqlite", form="sqlite")
    connection = sqlite3.connect(path)
    said = dict(connection.execute("select mid, label from crowd_raw_choices"))
    connection.close()
    ids = [image.id for image in workspace.catalogue.images([first, second])]
    assert said == {ids[0]: 0, ids[1]: 1}
