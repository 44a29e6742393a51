"""Imported labels are one annotator's votes: they settle, they train, they never judge."""

import csv
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.errors import AnnotationError, ExchangeError, LearningError, NotFound
from bam_engine.exchange.label_tables import Vocabulary
from bam_engine.labelling import tasks
from bam_engine.labelling.exporting import image_labels, write_labels
from bam_engine.labelling.importing import Destination, ImportedLabels, import_labels, store_labels
from bam_engine.training import querying, rounds, setting_aside, validation
from bam_engine.training.models import latest_model, scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle

WATERCOLORS = Vocabulary.of(positive=["watercolor"])


@pytest.fixture
def from_csv(workspace: Workspace, watercolor: Attribute, small_pictures: Path):
    """A function that imports the real labels of the pictures."""

    def run(**options: object) -> ImportedLabels:
        options = {"column": "medium", "annotator": "ada", "vocabulary": WATERCOLORS} | options
        return import_labels(workspace, watercolor, small_pictures / "labels.csv", **options)

    return run


@pytest.fixture
def truth(workspace: Workspace, oracle: Oracle) -> dict[int, int]:
    return {row: int(oracle.knows(workspace, row)) for row in range(len(workspace.catalogue))}


def write(folder: Path, *lines: tuple[str, str]) -> Path:
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "answer"), *lines])
    return folder / "labels.csv"


def test_a_table_becomes_votes_once(
    workspace: Workspace, watercolor: Attribute, from_csv, truth: dict[int, int]
) -> None:
    stored = from_csv().stored
    assert (stored.yes, stored.no, stored.unsure, stored.repeated, stored.left_out) == (40, 80, 0, 0, 0)
    agreed = tasks.labels(workspace, watercolor)
    assert dict(zip(agreed.rows.tolist(), agreed.labels.tolist(), strict=True)) == truth
    again = from_csv().stored
    assert (again.new, again.repeated) == (0, 120)


def test_a_correction_replaces_and_can_be_corrected_back(workspace: Workspace, watercolor: Attribute) -> None:
    for answer in (1, 0, 1, 0, 1):
        assert store_labels(workspace, watercolor, {3: answer}, annotator="ada").new == 1
        assert tasks.labels(workspace, watercolor).labels.tolist() == [answer]


def settled(workspace: Workspace, attribute: Attribute) -> dict[int, int]:
    found = tasks.labels(workspace, attribute)
    return dict(zip(found.rows.tolist(), found.labels.tolist(), strict=True))


def test_labels_that_are_set_aside_stay_so_when_they_are_imported_again(
    workspace: Workspace, watercolor: Attribute
) -> None:
    labels = {0: 1, 1: 0, 2: 1}
    store_labels(workspace, watercolor, labels, annotator="ada")
    ada = workspace.annotators.get("ada")
    setting_aside.set_aside(workspace, ada)
    again = store_labels(workspace, watercolor, labels, annotator="ada")
    assert (again.new, again.repeated, again.set_aside) == (0, 0, 3)
    assert settled(workspace, watercolor) == {}
    setting_aside.bring_back(workspace, ada)
    assert settled(workspace, watercolor) == labels
    assert store_labels(workspace, watercolor, labels, annotator="ada").repeated == 3


def test_labels_imported_after_others_were_set_aside_are_stored(workspace: Workspace, watercolor: Attribute) -> None:
    store_labels(workspace, watercolor, {0: 1, 1: 0, 2: 1}, annotator="ada")
    setting_aside.set_aside(workspace, workspace.annotators.get("ada"))
    corrected = store_labels(workspace, watercolor, {0: 1, 1: 1, 3: 0}, annotator="ada")
    assert (corrected.new, corrected.set_aside) == (2, 1)
    assert settled(workspace, watercolor) == {1: 1, 3: 0}
    back = store_labels(workspace, watercolor, {1: 0}, annotator="ada")
    assert back.new == 1
    assert settled(workspace, watercolor) == {1: 0, 3: 0}


def test_what_is_imported_is_stored_whatever_was_removed_meanwhile(workspace: Workspace, watercolor: Attribute) -> None:
    store_labels(workspace, watercolor, {0: 1, 1: 1, 2: 1}, annotator="ada")
    store_labels(workspace, watercolor, {3: 1}, annotator="ada")
    workspace.removals.remove([0, 1, 2], reason="blurred")
    assert store_labels(workspace, watercolor, {3: 0}, annotator="ada").new == 1
    assert settled(workspace, watercolor) == {3: 0}
    assert store_labels(workspace, watercolor, {3: 1}, annotator="ada").new == 1
    assert settled(workspace, watercolor) == {3: 1}


def test_labels_of_removed_images_are_left_out_until_the_images_come_back(
    workspace: Workspace, watercolor: Attribute
) -> None:
    labels = {0: 1, 1: 0, 2: 1, 3: 0}
    store_labels(workspace, watercolor, {0: 1, 1: 0}, annotator="ada")
    removal = workspace.removals.remove([1, 2], reason="blurred")
    for new, repeated in ((1, 1), (0, 2), (0, 2)):
        stored = store_labels(workspace, watercolor, labels, annotator="ada")
        assert (stored.new, stored.repeated, stored.removed, stored.left_out) == (new, repeated, 2, 0)
    assert settled(workspace, watercolor) == {0: 1, 3: 0}
    workspace.removals.undo(removal.id)
    assert store_labels(workspace, watercolor, labels, annotator="ada").new == 1
    assert settled(workspace, watercolor) == labels


@pytest.mark.parametrize("to", ["training", "validation"])
def test_a_held_out_image_that_was_removed_is_counted_as_removed(
    workspace: Workspace, watercolor: Attribute, truth: dict[int, int], to: Destination
) -> None:
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    sample = tasks.validation_task(workspace, watercolor).rows
    outside = np.setdiff1d(np.arange(120), sample)
    workspace.removals.remove([int(sample[0]), int(outside[0])], reason="blurred")
    stored = store_labels(workspace, watercolor, truth, annotator="ada", to=to)
    assert (stored.new, stored.left_out, stored.removed) == ((89, 29, 2) if to == "training" else (29, 89, 2))


def test_labels_train_without_any_round(workspace: Workspace, watercolor: Attribute, from_csv, truth) -> None:
    with pytest.raises(LearningError, match="no labels to train on"):
        rounds.train(workspace, watercolor)
    from_csv()
    model = rounds.train(workspace, watercolor)
    assert (model.data.labels, model.data.imported, model.data.in_bulk) == (120, 120, 0)
    assert rounds.train(workspace, watercolor).id == model.id
    assert not rounds.rounds_of(workspace, watercolor)
    assert rounds.state(workspace, watercolor).model is not None
    best = np.argsort(-scores_of(workspace, watercolor))[:40]
    assert np.mean([truth[int(row)] for row in best]) > 0.9


def test_imported_labels_never_judge(workspace: Workspace, watercolor: Attribute, from_csv, oracle: Oracle) -> None:
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    stored = from_csv().stored
    assert (stored.new, stored.left_out) == (90, 30)
    sample = tasks.validation_task(workspace, watercolor)
    assert tasks.state(workspace, sample).answered == 0
    assert not np.isin(querying.round_labels(workspace, watercolor)[0], sample.rows).any()


def test_images_drawn_after_the_import_wait_for_an_answer_too(
    workspace: Workspace, watercolor: Attribute, from_csv, oracle: Oracle
) -> None:
    from_csv()
    rounds.train(workspace, watercolor)
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    sample = tasks.validation_task(workspace, watercolor)
    assert tasks.state(workspace, sample).answered == 0
    assert not np.isin(querying.round_labels(workspace, watercolor)[0], sample.rows).any()
    oracle.answer(workspace, sample, name="ada")  # who imported them is asked all the same
    assert tasks.state(workspace, sample).settled == 30
    model = latest_model(workspace, watercolor)
    assert len(validation.random_sample(workspace, watercolor, model).rows) == 0  # it has learned from them
    retrained = rounds.train(workspace, watercolor)
    assert retrained.labels < 120
    assert len(validation.random_sample(workspace, watercolor, retrained).rows) == 30
    assert rounds.state(workspace, watercolor).step == "decide"  # nothing is left to label


def test_a_vote_on_the_validation_sample_is_not_hidden_by_a_later_import(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, from_csv
) -> None:
    from_csv(vocabulary=Vocabulary.of(negative=["watercolor"]))  # all the wrong way round
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    sample = tasks.validation_task(workspace, watercolor)
    oracle.answer(workspace, sample, name="ada")
    labels = tasks.labels_of(tasks.labels(workspace, watercolor), sample.rows)
    assert labels.tolist() == [int(oracle.knows(workspace, row)) for row in sample.rows]


def test_on_request_labels_answer_the_validation_sample_and_nothing_else(
    workspace: Workspace, watercolor: Attribute, from_csv
) -> None:
    with pytest.raises(AnnotationError, match="no validation sample yet"):
        from_csv(to="validation")
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    stored = from_csv(to="validation").stored
    assert (stored.new, stored.left_out) == (30, 90)
    assert tasks.state(workspace, tasks.validation_task(workspace, watercolor)).complete
    assert from_csv(to="validation").stored.repeated == 30
    assert len(querying.round_labels(workspace, watercolor)[0]) == 0


def test_a_round_asks_nobody_about_what_is_settled(workspace: Workspace, watercolor: Attribute, truth) -> None:
    store_labels(workspace, watercolor, {row: truth[row] for row in range(0, 120, 2)}, annotator="ada")
    rounds.train(workspace, watercolor)
    turn = rounds.start_round(workspace, watercolor, count=20, seed=1)
    assert turn.number == 1
    assert turn.strategy == "mixture"
    assert all(row % 2 for row in turn.task.rows.tolist())


def test_one_vote_of_two_settles_nothing_and_a_second_annotator_may_be_asked(
    workspace: Workspace, watercolor: Attribute, truth
) -> None:
    workspace.redundancy = 2
    store_labels(workspace, watercolor, truth, annotator="ada")
    assert len(querying.round_labels(workspace, watercolor)[0]) == 0
    assert len(querying.query_pool(workspace, watercolor)) == 120
    store_labels(workspace, watercolor, truth, annotator="ben")
    assert len(querying.round_labels(workspace, watercolor)[0]) == 120


def test_lines_that_contradict_each_other_are_refused(
    workspace: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    uri = workspace.catalogue.uris()[-1]  # no other file has its name
    file = write(tmp_path, (uri, "yes"), (uri, "yes"), (Path(uri).name, "no"), (uri, ""))
    with pytest.raises(ExchangeError, match=r"contradicts itself in 1 image: line 2 and line 4"):
        import_labels(workspace, watercolor, file, column="answer", annotator="ada")
    assert not len(tasks.labels(workspace, watercolor).rows)


def test_paths_that_match_no_image_or_several_are_counted(
    workspace: Workspace, watercolor: Attribute, tmp_path: Path
) -> None:
    uri = workspace.catalogue.uris()[0]
    file = write(tmp_path, (uri, "yes"), ("nowhere.png", "no"), (workspace.catalogue.uris()[1], ""))
    found = import_labels(workspace, watercolor, file, column="answer", annotator="ada")
    assert (found.stored.new, found.empty, found.unmatched, found.ambiguous) == (1, 1, ("nowhere.png",), ())
    with pytest.raises(ExchangeError, match=r"None of the 1 path in .* matches exactly one image"):
        import_labels(workspace, watercolor, write(tmp_path, ("nowhere.png", "no")), column="answer", annotator="ada")


def test_rows_and_destinations_that_are_not_there_are_refused(workspace: Workspace, watercolor: Attribute) -> None:
    with pytest.raises(NotFound, match=r"There is no image 120\. The collection has 120 images"):
        store_labels(workspace, watercolor, {120: 1}, annotator="ada")
    with pytest.raises(AnnotationError, match="Labels cannot go to 'audit'"):
        store_labels(workspace, watercolor, {1: 1}, annotator="ada", to="audit")  # type: ignore[arg-type]


def test_labels_written_to_a_file_are_read_back(
    workspace: Workspace, watercolor: Attribute, truth, tmp_path: Path
) -> None:
    store_labels(workspace, watercolor, truth | {5: -1}, annotator="ada")
    assert write_labels(workspace, watercolor, tmp_path / "out.csv") == 120
    line = image_labels(workspace, watercolor)[5]
    assert (line.row, line.label, line.yes, line.no, line.unsure, line.decided) == (5, "", 0, 0, 1, False)
    copy = workspace.attributes.add("copy", "own", "A copy?")
    found = import_labels(workspace, copy, tmp_path / "out.csv", column="label", annotator="ben")
    assert (found.stored.new, found.empty) == (119, 1)
