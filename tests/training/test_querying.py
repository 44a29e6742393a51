"""What a round looks at and asks: everything or neighbours, from examples, and what is remembered of it."""

from typing import Any

import numpy as np
import pytest

from bam_engine import derived, learning
from bam_engine.annotation import Attribute
from bam_engine.collection import NewImage
from bam_engine.errors import LearningError
from bam_engine.labelling import tasks
from bam_engine.training import neighbour_cache, querying, rounds, validation
from bam_engine.training.models import TrainedModel, latest_model, scores_of
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import vectors_of, vectors_state
from tests.conftest import Oracle


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The rows of every search for neighbours, as they come."""
    seen: list[list[int]] = []
    real = learning.nearest_neighbours

    def nearest(vectors: Any, seeds: Any, **more: Any) -> learning.Neighbours:
        seen.append([int(row) for row in seeds])
        return real(vectors, seeds, **more)

    monkeypatch.setattr(learning, "nearest_neighbours", nearest)
    return seen


@pytest.fixture
def few_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three neighbours of each image and two random ones: so that 120 images are many."""
    real, found = learning.choose_candidates, learning.nearest_neighbours
    monkeypatch.setattr(learning, "NEIGHBOURS", 3)
    monkeypatch.setattr(learning, "nearest_neighbours", lambda *data, **more: found(*data, **{"count": 3, **more}))
    monkeypatch.setattr(learning, "choose_candidates", lambda *data, **more: real(*data, min_random=2, **more))


def test_everything_queried_among_neighbours_is_near_a_label_or_random(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, few_at_random: None
) -> None:
    oracle.play(workspace, watercolor, count=1)
    labelled, _ = querying.round_labels(workspace, watercolor)
    pool = querying.query_pool(workspace, watercolor)
    near = np.intersect1d(neighbour_cache.neighbours_of(workspace, labelled), pool)
    used, batch = querying.propose(workspace, watercolor, count=200, candidates="neighbours", seed=3)
    assert used == "mixture, among neighbours"
    assert set(near.tolist()) <= set(batch.rows.tolist()) or len(batch.rows) < len(near)
    assert len(np.setdiff1d(batch.rows, near)) <= 2
    assert np.isin(batch.rows, pool).all()


def test_where_the_candidates_are_the_whole_pool_the_batch_is_that_of_everything(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    for strategy in ("margin", "top"):
        _, exact = querying.propose(workspace, watercolor, count=9, strategy=strategy, candidates="everything", seed=3)
        _, near = querying.propose(workspace, watercolor, count=9, strategy=strategy, candidates="neighbours", seed=3)
        assert near.rows.tolist() == exact.rows.tolist()


def test_a_round_looks_at_what_the_one_before_looked_at_and_at_everything_first(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    assert querying.default_candidates(workspace, watercolor) == "everything"
    turn = rounds.start_round(workspace, watercolor, count=5, candidates="neighbours", seed=1)
    assert turn.strategy == "mixture, among neighbours"
    assert querying.default_candidates(workspace, watercolor) == "neighbours"
    assert querying.propose(workspace, watercolor, count=5)[0] == "mixture, among neighbours"
    assert querying.propose(workspace, watercolor, count=5, candidates="everything")[0] == "mixture"


@pytest.mark.parametrize(
    ("options", "used"),
    [
        ({"strategy": "random"}, "random"),
        ({"strategy": "spread"}, "spread"),
        ({"strategy": "top"}, "top, among neighbours"),
        ({"seeds": [3]}, "examples"),
    ],
)
def test_the_strategy_says_where_neighbours_were_looked_at(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, options: dict[str, Any], used: str
) -> None:
    oracle.play(workspace, watercolor, count=1)
    assert querying.propose(workspace, watercolor, count=5, candidates="neighbours", **options)[0] == used


def test_before_the_first_model_there_are_no_neighbours_to_look_at(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, looked_up: list[list[int]]
) -> None:
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=8, seed=1).task)
    used, batch = querying.propose(workspace, watercolor, count=6, candidates="neighbours")
    assert used == "positives"
    assert querying.LIKE_POSITIVES in batch.reasons
    assert looked_up == []


def test_only_newly_labelled_images_are_looked_up_again_by_no_attribute(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, looked_up: list[list[int]]
) -> None:
    oracle.play(workspace, watercolor, count=1)
    first, _ = querying.round_labels(workspace, watercolor)
    querying.propose(workspace, watercolor, count=5, candidates="neighbours")
    querying.propose(workspace, watercolor, count=5, candidates="neighbours", strategy="top")
    assert looked_up == [sorted(first.tolist())]
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=6, seed=5).task)
    rounds.train(workspace, watercolor)
    both, _ = querying.round_labels(workspace, watercolor)
    querying.propose(workspace, watercolor, count=5, candidates="neighbours")
    assert looked_up[1:] == [sorted(set(both.tolist()) - set(first.tolist()))]
    neighbour_cache.neighbours_of(workspace, both)
    assert len(looked_up) == 2


def test_training_looks_neighbours_up_before_anyone_waits_for_them(
    workspace: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    looked_up: list[list[int]],
) -> None:
    oracle.play(workspace, watercolor, count=1)
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=5, candidates="neighbours", seed=1).task)
    rounds.train(workspace, watercolor)
    before = len(looked_up)
    querying.propose(workspace, watercolor, count=5)
    assert len(looked_up) == before > 0


def test_images_that_came_later_are_found_as_if_they_had_been_there(workspace: Workspace) -> None:
    store = workspace.vectors()
    rows = np.arange(0, 60, 7)
    neighbour_cache.neighbours_of(workspace, rows)
    workspace.catalogue.add([NewImage(f"/later/{row}", 1, 1, f"later {row}") for row in rows])
    store = workspace.vectors()
    store.append(np.asarray(store.array()[rows], np.float32))  # a copy of each: its nearest
    found = neighbour_cache.neighbours_of(workspace, rows)
    assert found[:, 0].tolist() == [120 + place for place in range(len(rows))]
    assert found.tolist() == learning.nearest_neighbours(vectors_of(workspace), rows).rows.tolist()


def test_an_image_that_gets_its_vector_late_is_found_too(workspace: Workspace) -> None:
    store = workspace.vectors()
    vector = np.asarray(store.array()[[5]], np.float32)
    store.replace([90], np.zeros_like(vector))
    neighbour_cache.neighbours_of(workspace, np.array([5]))
    store.replace([90], vector)
    assert neighbour_cache.neighbours_of(workspace, np.array([5]))[0, 0] == 90


def test_cached_neighbours_can_be_deleted_or_damaged(workspace: Workspace) -> None:
    rows = np.arange(5)
    before = neighbour_cache.neighbours_of(workspace, rows)
    (kept,) = (workspace.cache / "neighbours").iterdir()
    kept.write_bytes(b"not an archive")
    assert neighbour_cache.neighbours_of(workspace, rows).tolist() == before.tolist()
    kept.unlink()
    assert neighbour_cache.neighbours_of(workspace, rows).tolist() == before.tolist()


def test_a_look_at_something_else_is_refused(workspace: Workspace, watercolor: Attribute) -> None:
    with pytest.raises(LearningError, match="everything or neighbours"):
        querying.propose(workspace, watercolor, candidates="nothing")


# Bad input


def store_scores(workspace: Workspace, model: TrainedModel, scores: np.ndarray) -> None:
    """Cache scores in place of those of the model."""
    derived.write_array(workspace.cache / "scores" / f"{model.digest}.npy", scores, vectors_state(workspace))
    workspace.memory.clear()


def test_scores_that_are_all_equal_still_make_a_batch(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    model = latest_model(workspace, watercolor)
    assert model is not None
    store_scores(workspace, model, np.zeros(120, np.float32))
    for strategy in learning.STRATEGIES:
        _, batch = querying.propose(workspace, watercolor, count=9, strategy=strategy, seed=1)
        assert len(set(batch.rows.tolist())) == 9


def test_an_image_without_a_score_is_not_queried_by_score(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    model = latest_model(workspace, watercolor)
    assert model is not None
    scores = np.array(scores_of(workspace, watercolor))
    lost = querying.query_pool(workspace, watercolor)[::2]
    scores[lost] = np.nan
    store_scores(workspace, model, scores)
    for strategy in ("mixture", "margin", "top"):
        _, batch = querying.propose(workspace, watercolor, count=200, strategy=strategy, seed=1)
        assert not np.isin(batch.rows, lost).any()


def test_a_project_that_holds_half_the_collection_does_not_fill_the_rounds(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    uris = workspace.catalogue.uris()
    workspace.catalogue.update_details({uri: {"project_id": "the large one"} for uri in uris[::2]})
    groups = workspace.catalogue.projects()
    large = np.bincount(groups).argmax()
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    held = tasks.validation_task(workspace, watercolor).rows
    for number in range(2):
        turn = rounds.start_round(workspace, watercolor, count=12, seed=number)
        assert not np.isin(turn.task.rows, held).any()
        assert (groups[turn.task.rows] == large).sum() <= 3
        oracle.answer(workspace, turn.task)
        rounds.train(workspace, watercolor)
    found = rounds.state(workspace, watercolor)
    assert found.step == "start_round"
    assert found.rounds[-1].model.measurement.average_precision is not None  # type: ignore[union-attr]


# Examples


def test_a_small_selection_is_taken_as_it_is_and_a_large_one_by_typical_images(workspace: Workspace) -> None:
    assert querying.examples_from(workspace, [9, 4, 4, 7]) == [4, 7, 9]
    found = querying.examples_from(workspace, range(120), limit=10)
    assert len(set(found)) == 10
    assert found == querying.examples_from(workspace, range(120), limit=10)


def test_images_without_a_vector_are_no_examples(workspace: Workspace) -> None:
    store = workspace.vectors()
    store.replace([4], np.zeros((1, store.dim), np.float32))
    assert querying.examples_from(workspace, [4, 7, 500]) == [7]
    with pytest.raises(LearningError, match="None of the selected images is embedded"):
        querying.examples_from(workspace, [4])
