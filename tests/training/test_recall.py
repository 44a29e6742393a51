"""The recall of the threshold in use, measured on a sample drawn below it: who is asked, what it shows, until when."""

from dataclasses import replace

import numpy as np
import pytest

from bam_engine.annotation import UNSURE, Attribute
from bam_engine.errors import LearningError
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.learning import Threshold
from bam_engine.reporting.overview import overview, waiting_tasks
from bam_engine.training import delivered, querying, recall, recall_proposal, recall_samples, rounds, thresholds
from bam_engine.training.models import scores_of
from bam_engine.training.recall import RecallState
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.training.certifying import trained
from tests.training.test_promises import grow

__all__ = ["trained"]


@pytest.fixture
def chosen(trained: Workspace, watercolor: Attribute) -> Workspace:
    """A threshold is in use that misses some of the watercolours."""
    scores = scores_of(trained, watercolor)
    thresholds.save(
        trained, watercolor, thresholds.measure_at(trained, watercolor, float(np.quantile(scores, 0.8)), target=0.6)
    )
    return trained


def in_use(workspace: Workspace, attribute: Attribute) -> Threshold:
    found = thresholds.current_threshold(workspace, attribute)
    assert found is not None
    return found.evidence


def below_of(workspace: Workspace, attribute: Attribute) -> set[int]:
    """The rows below the threshold that nobody has labelled, by the definition."""
    scores, cut = scores_of(workspace, attribute), in_use(workspace, attribute).value
    labelled = tasks.labels(workspace, attribute).rows
    return set(np.setdiff1d(np.flatnonzero(scores < np.float32(cut)), labelled).tolist())


def measured(workspace: Workspace, attribute: Attribute, oracle: Oracle, count: int | None = None) -> RecallState:
    """Draw a sample and label it."""
    oracle.answer(workspace, recall.start(workspace, attribute, count=count, seed=4).sample.task)
    found = recall.current(workspace, attribute)
    assert found is not None
    return found


def true_recall(workspace: Workspace, attribute: Attribute, oracle: Oracle) -> float:
    """The recall of what is delivered, by the truth."""
    truth = np.array([oracle.knows(workspace, row) for row in range(len(workspace.catalogue))])
    return float(delivered.delivered_of(workspace, attribute).accepted[truth].mean())


def test_a_sample_is_drawn_below_the_threshold_from_images_without_a_label_and_trains_nothing(
    chosen: Workspace, watercolor: Attribute
) -> None:
    below = below_of(chosen, watercolor)
    state = recall.start(chosen, watercolor, count=20, seed=4)
    drawn = state.sample.rows
    assert len(drawn) == state.task.total == 20
    assert set(drawn.tolist()) <= below
    assert np.isin(drawn, held_out_rows(chosen, watercolor)).all()
    assert not np.isin(drawn, querying.query_pool(chosen, watercolor)).any()
    (task,) = waiting_tasks(chosen, watercolor, "someone")
    assert (task.purpose, task.title, task.rows.tolist()) == ("recall", "Recall", drawn.tolist())
    assert set(recall_samples.population_of(chosen, state.sample)[0].tolist()) == below
    with pytest.raises(LearningError, match="being measured already"):
        recall.start(chosen, watercolor)


def test_the_recall_of_the_threshold_is_what_the_sample_shows_once_it_is_labelled(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    before = in_use(chosen, watercolor)
    state = recall.start(chosen, watercolor, count=30, seed=4)
    assert in_use(chosen, watercolor) == before, "nothing is shown before all are labelled"
    oracle.answer(chosen, state.sample.task)
    after, shown = in_use(chosen, watercolor), recall.current(chosen, watercolor)
    assert shown is not None
    assert shown.shown is not None
    positive = sum(oracle.knows(chosen, int(row)) for row in state.sample.rows)
    assert (shown.shown.drawn.n, shown.shown.drawn.positive) == (30, positive)
    precision = after.precision, after.precision_low, after.precision_high
    assert (after.recall, after.recall_low, after.recall_high) == shown.shown.recall(precision, 0.95)
    assert after.recall_high - after.recall_low < before.recall_high - before.recall_low
    assert after.recall_low <= true_recall(chosen, watercolor, oracle) <= after.recall_high
    again = thresholds.measure_at(chosen, watercolor, after.value, target=0.6)
    assert again.recall_interval == after.recall_interval, "wherever the same cut is measured"
    assert overview(chosen).attributes[0].recall == after.recall_interval
    figure = guidance_of(chosen, watercolor).figure("recall")
    assert figure is not None
    assert (figure.value, figure.low, figure.high) == after.recall_interval


def test_the_recall_that_guidance_shows_counts_the_labels_of_the_sample_that_it_rests_on(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    before = guidance_of(chosen, watercolor).figure("recall")
    assert before is not None
    assert before.labels == in_use(chosen, watercolor).n
    measured(chosen, watercolor, oracle, 30)
    figure, evidence = guidance_of(chosen, watercolor).figure("recall"), in_use(chosen, watercolor)
    assert figure is not None
    assert (figure.value, figure.low, figure.high) == evidence.recall_interval
    assert figure.labels == 30 != evidence.n


def test_with_everything_below_labelled_nothing_is_left_to_estimate_there(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = measured(chosen, watercolor, oracle, count=1000)
    assert state.more == 0
    assert state.shown is not None
    assert state.shown.missed(0.95) == (0.0, 0.0, 0.0), "what was found is delivered"
    assert in_use(chosen, watercolor).recall_interval == (1.0, 1.0, 1.0)
    assert true_recall(chosen, watercolor, oracle) == 1.0
    with pytest.raises(LearningError, match="No image is left"):
        recall.grow(chosen, watercolor, 10)
    with pytest.raises(LearningError, match="misses are known already"):
        recall_proposal.propose(chosen, watercolor)


def test_it_is_blind_and_two_must_agree_where_two_judge(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    chosen.judging_redundancy = 2
    proposal = recall_proposal.propose(chosen, watercolor, 20)
    assert (proposal.count, proposal.answers, proposal.votes) == (20, 40, 2)
    state = recall.start(chosen, watercolor, count=20, seed=4)
    oracle.answer(chosen, state.sample.task, name="one")
    half = recall.current(chosen, watercolor)
    assert half is not None
    assert half.waiting >= 15, "a few had one answer by somebody else"
    assert half.shown is None
    oracle.answer(chosen, state.sample.task, name="two", wrong=True)
    disputed = recall.current(chosen, watercolor)
    assert disputed is not None
    assert disputed.shown is not None
    assert disputed.shown.drawn.positive == 0, "on what people do not agree is not positive"


def test_unsure_is_not_positive_and_an_answer_that_changes_counts_at_once(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = measured(chosen, watercolor, oracle, count=40)
    assert state.shown is not None
    yes = [int(row) for row in state.sample.rows if oracle.knows(chosen, int(row))]
    assert len(yes) == state.shown.drawn.positive > 0
    vote(chosen, watercolor, "oracle", dict.fromkeys(yes, UNSURE), "recall")
    turned = recall.current(chosen, watercolor)
    assert turned is not None
    assert turned.shown is not None
    assert (turned.shown.drawn.n, turned.shown.drawn.positive) == (40, 0)


def test_it_grows_and_only_whole_batches_count(chosen: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    before = measured(chosen, watercolor, oracle, count=15)
    narrow = in_use(chosen, watercolor)
    grown = recall.grow(chosen, watercolor, 15)
    assert (grown.waiting, len(np.unique(grown.sample.rows))) == (15, 30)
    assert grown.sample.rows[:15].tolist() == before.sample.rows.tolist()
    assert in_use(chosen, watercolor).recall_interval == narrow.recall_interval, "until the new batch is labelled"
    with pytest.raises(LearningError, match="await labels"):
        recall.grow(chosen, watercolor, 15)
    oracle.answer(chosen, grown.sample.task)
    found = in_use(chosen, watercolor)
    assert found.recall_high - found.recall_low < narrow.recall_high - narrow.recall_low
    assert recall.measure(chosen, watercolor).sample.asked == 30


def test_it_stops_with_what_is_labelled_and_goes_on_in_another_process(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = recall.start(chosen, watercolor, count=30, seed=4)
    oracle.answer(chosen, replace(state.sample.task, rows=state.sample.rows[:12]))
    vote(chosen, watercolor, "oracle", {int(state.sample.rows[20]): 0}, "recall")
    stopped = recall.stop(chosen, watercolor)
    assert (stopped.waiting, stopped.stopped) == (0, 18)
    assert stopped.shown is not None
    assert stopped.shown.drawn.n == 12, "of those in the order of the draw, so that it is a random sample"
    assert waiting_tasks(chosen, watercolor, "someone") == []
    opened = Workspace(chosen.folder, chosen.cache.parent)
    again = recall.grow(opened, watercolor, 18)
    assert again.sample.rows.tolist() == state.sample.rows.tolist()
    oracle.answer(opened, again.sample.task)
    finished = recall.current(opened, watercolor)
    assert finished is not None
    assert finished.shown is not None
    assert finished.shown.drawn.n == 30
    opened.close()


def test_it_belongs_to_its_model_and_its_cut(chosen: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    value = in_use(chosen, watercolor).value
    first = measured(chosen, watercolor, oracle, count=20)
    lower = thresholds.measure_at(chosen, watercolor, value - 1.0, target=0.6)
    thresholds.save(chosen, watercolor, lower)
    former = recall.former(chosen, watercolor)
    assert former is not None
    assert former.id == first.sample.id
    assert recall.current(chosen, watercolor) is None
    scores = scores_of(chosen, watercolor)
    higher = float(np.nextafter(scores[scores < np.float32(value)].max(), np.float32(np.inf)))
    thresholds.save(chosen, watercolor, thresholds.measure_at(chosen, watercolor, higher, target=0.6))
    assert recall.former(chosen, watercolor) is None, "another number that accepts the same images is the same cut"
    oracle.answer(chosen, rounds.start_round(chosen, watercolor, count=12, seed=5).task)
    rounds.train(chosen, watercolor)
    assert recall.current(chosen, watercolor) is None, "its scores are those of another model"
    assert recall.former(chosen, watercolor) is not None
    assert not np.isin(first.sample.rows, querying.round_labels(chosen, watercolor)[0]).any()


def test_a_round_that_takes_images_of_its_population_ends_its_growth_and_what_it_asks_is_left_open(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = measured(chosen, watercolor, oracle, count=20)
    assert state.shown is not None
    missed = state.shown.missed(0.95)
    batch = rounds.start_round(chosen, watercolor, count=20, seed=5).task.rows
    inside = np.intersect1d(batch, recall_samples.population_of(chosen, state.sample)[0])
    assert len(inside)
    now = recall.current(chosen, watercolor)
    assert now is not None
    assert now.more == 0
    assert now.shown is not None
    assert now.shown.missed(0.95) == missed, "they were in its population"
    with pytest.raises(LearningError, match="a round has asked"):
        recall.grow(chosen, watercolor, 5)
    other = recall.measure(chosen, watercolor, 10, seed=8)
    assert other.sample.id != state.sample.id
    assert not np.isin(other.sample.rows, queried_rows(chosen, watercolor)).any()
    oracle.answer(chosen, other.sample.task)
    found = recall.current(chosen, watercolor)
    assert found is not None
    assert found.shown is not None
    assert found.shown.elsewhere == len(inside), "of which nothing is known yet"
    assert found.shown.missed(0.95)[2] >= len(inside)


def test_images_that_come_later_are_outside_it_and_said_to_be(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle, tmp_path
) -> None:
    state = measured(chosen, watercolor, oracle, count=20)
    before = in_use(chosen, watercolor).recall_interval
    later = grow(chosen, tmp_path / "late")
    now = recall.current(chosen, watercolor)
    assert now is not None
    assert now.later == len(later)
    assert "12 images came later" in now.summary
    assert in_use(chosen, watercolor).recall_interval == before
    assert recall_samples.population_of(chosen, now.sample)[0].max() < later.start
    assert recall.grow(chosen, watercolor, 10).sample.rows.max() < later.start
    assert state.sample.images == later.start


def test_removing_what_the_sample_has_shown_to_be_missed_never_raises_the_lower_limit_of_the_recall(
    chosen: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    state = measured(chosen, watercolor, oracle, count=30)
    assert state.shown is not None
    found = [int(row) for row in state.sample.rows if oracle.knows(chosen, int(row))]
    before = state.shown.drawn.positives(0.95)
    chosen.removals.remove(found, reason="these")
    after = recall.current(chosen, watercolor)
    assert after is not None
    assert after.shown is not None
    assert after.shown.drawn.positives(0.95) == before, "what it has found stands for others that nobody has seen"


def test_the_proposal_says_what_it_costs_and_draws_nothing(chosen: Workspace, watercolor: Attribute) -> None:
    proposal = recall_proposal.propose(chosen, watercolor)
    assert proposal.below == len(below_of(chosen, watercolor))
    assert proposal.count == proposal.answers <= proposal.below
    assert recall_samples.recall_samples(chosen, watercolor) == []
    low, high = recall_proposal.propose(chosen, watercolor, proposal.below).expected
    few = recall_proposal.propose(chosen, watercolor, 10).expected
    assert high - low < few[1] - few[0]
    steps = [each.step for each in guidance_of(chosen, watercolor).alternatives]
    assert "measure_recall" in steps
    recall.start(chosen, watercolor, count=5)
    steps = [each.step for each in guidance_of(chosen, watercolor).alternatives]
    assert "label_recall" in steps
    assert "measure_recall" not in steps


def test_nothing_is_measured_without_a_saved_threshold(trained: Workspace, watercolor: Attribute) -> None:
    for act in (recall_proposal.propose, recall.start):
        with pytest.raises(LearningError, match="no saved threshold"):
            act(trained, watercolor)
    with pytest.raises(LearningError, match="is not measured"):
        recall.stop(trained, watercolor)
