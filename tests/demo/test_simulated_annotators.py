"""Simulated annotators: what they answer, how often they err, and that they play an attribute the way people would."""

import numpy as np
import pytest

from bam_engine.annotation import NewAnswer
from bam_engine.audit import audits
from bam_engine.demo import demo_workspace as demo
from bam_engine.demo import simulated_annotators
from bam_engine.demo.simulated_annotators import Team
from bam_engine.errors import AnnotationError, LearningError, NoThreshold, Stopped
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import assigning, tasks
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.reporting.overview import overview
from bam_engine.training import certification, certification_store, rounds, thresholds, validation
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace


@pytest.fixture
def watercolors(demo_workspace: Workspace):
    return demo_workspace.attributes.get("media_watercolor")


def wrong_share(workspace: Workspace, attribute, names: set[str]) -> float:
    """How often those annotators say what is not true."""
    ids = {who.id for who in workspace.annotations.annotators() if who.name in names}
    answers = workspace.annotations.answers(attribute.id)
    mine = np.isin(answers.annotators, list(ids))
    return float((answers.answers[mine] != demo.true_labels(workspace, attribute.name)[answers.rows[mine]]).mean())


def test_they_play_an_attribute_to_its_end_and_say_each_step(demo_workspace: Workspace, watercolors) -> None:
    reports = []
    played = simulated_annotators.play(
        demo_workspace, watercolors, Team(), report=lambda done, total, message="": reports.append((done, total))
    )
    assert played.finished
    assert [line.partition(":")[0].split(" for")[0] for line in played.lines] == [
        "the validation sample",
        *(word for number in range(1, 5) for word in (f"round {number}", f"trained on {10 * number} labels")),
        "the threshold",
        "the audit",
    ]
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)
    assert reports[-1][0] == reports[-1][1]
    state = rounds.state(demo_workspace, watercolors)
    assert state.step == "decide"
    assert [round_.state.complete for round_ in state.rounds] == [True] * 4
    audit = audits.latest_result(demo_workspace, watercolors)
    assert audit is not None
    assert audit.complete
    assert simulated_annotators.play_next(demo_workspace, watercolors, Team()) is None
    assert simulated_annotators.play(demo_workspace, watercolors, Team()).lines == ()


def test_where_people_labelled_all_that_is_delivered_they_draw_no_audit(demo_workspace: Workspace, watercolors) -> None:
    while guidance_of(demo_workspace, watercolors).step != "decide":
        assert simulated_annotators.play_next(demo_workspace, watercolors, Team())
    stricter = float(scores_of(demo_workspace, watercolors).max()) + 1
    cut = thresholds.measure_at(demo_workspace, watercolors, stricter, target=0.9)
    thresholds.save(demo_workspace, watercolors, cut)
    played = simulated_annotators.play(demo_workspace, watercolors, Team())
    assert played.finished
    assert played.lines == ()
    assert audits.latest_result(demo_workspace, watercolors) is None
    assert not simulated_annotators.can_continue(demo_workspace, watercolors)


def test_all_of_their_answers_are_marked_as_simulated(demo_workspace: Workspace, watercolors) -> None:
    validation.draw_validation(demo_workspace, watercolors, 24, seed=0)
    mine = assigning.open_task(demo_workspace, tasks.validation_task(demo_workspace, watercolors), "ada")
    assert mine is not None
    own_answers = [NewAnswer(f"ada:{row}", row, 1) for row in mine.rows[:5]]
    demo_workspace.annotations.record(mine.id, own_answers)
    simulated_annotators.play(demo_workspace, watercolors, Team())
    kinds = {who.name: who.simulated for who in demo_workspace.annotations.annotators()}
    assert kinds.pop("ada") is False
    assert {f"Simulated {number} (5 % wrong)" for number in (1, 2, 3)} <= set(kinds), "two judge, others settle"
    assert all(kinds.values())
    answers = demo_workspace.annotations.answers(watercolors.id)
    ada = next(who.id for who in demo_workspace.annotations.annotators() if who.name == "ada")
    assert (answers.rows[answers.annotators == ada]).tolist() == sorted(mine.rows[:5])  # a person's answers stay theirs
    overall = overview(demo_workspace)
    assert overall.by_people == 5
    assert overall.simulated == simulated_annotators.count_answers(demo_workspace, watercolors).simulated > 60


def test_playing_again_from_the_same_seed_gives_the_same_answers(demo_workspace: Workspace, watercolors) -> None:
    simulated_annotators.play(demo_workspace, watercolors, Team(seed=3))
    first = demo_workspace.annotations.answers(watercolors.id)
    dog = demo_workspace.attributes.get("content_dog")
    truth = demo.true_labels(demo_workspace, watercolors.name)
    for who in np.unique(first.annotators):
        number = int(demo_workspace.annotators.names()[int(who)].split()[1])
        rng = np.random.default_rng([3, watercolors.id, number])
        says = simulated_annotators.simulate_answers(truth, error_rate=0.05, rng=rng)
        mine = first.annotators == who
        assert first.answers[mine].tolist() == says[first.rows[mine]].tolist()
    other = np.random.default_rng([3, dog.id, 1])
    assert (other.random(120) < 0.05).tolist() != (
        np.random.default_rng([3, watercolors.id, 1]).random(120) < 0.05
    ).tolist()


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_they_err_as_often_as_was_said(demo_workspace: Workspace, watercolors, rate: float) -> None:
    team = simulated_annotators.choose_team(demo_workspace, error_rate=rate)
    validation.draw_validation(demo_workspace, watercolors, 110, seed=0)
    simulated_annotators.answer(demo_workspace, tasks.validation_task(demo_workspace, watercolors), team)
    assert wrong_share(demo_workspace, watercolors, {team.name(1)}) == pytest.approx(rate, abs=0.12)
    assert simulated_annotators.team_of(demo_workspace) == team  # kept for the next time


def test_where_two_must_agree_a_third_settles_what_they_dispute(demo_workspace: Workspace, watercolors) -> None:
    team = simulated_annotators.choose_team(demo_workspace, error_rate=0.2, people=2)
    assert demo_workspace.redundancy == 2
    validation.draw_validation(demo_workspace, watercolors, 60, seed=0)
    task = tasks.validation_task(demo_workspace, watercolors)
    simulated_annotators.answer(demo_workspace, task, team)
    state = tasks.state(demo_workspace, task)
    assert (state.answered, state.settled, state.disputed) == (60, 60, 0)
    each = np.bincount(demo_workspace.annotations.answers(watercolors.id).rows)
    assert set(each[task.rows].tolist()) >= {2, 3}
    truth = demo.ground_truth(demo_workspace, watercolors)
    assert truth is not None
    assert truth.wrong / truth.labels < wrong_share(demo_workspace, watercolors, {team.name(1), team.name(2)})


def test_one_of_a_team_teaches_and_two_judge(demo_workspace: Workspace, watercolors) -> None:
    team = simulated_annotators.choose_team(demo_workspace, error_rate=0.0, people=1, judges=2)
    assert simulated_annotators.team_of(demo_workspace) == team
    simulated_annotators.play(demo_workspace, watercolors, team)
    each = np.bincount(demo_workspace.annotations.answers(watercolors.id).rows, minlength=len(demo_workspace.catalogue))
    assert set(each[queried_rows(demo_workspace, watercolors)].tolist()) == {1}
    assert set(each[held_out_rows(demo_workspace, watercolors)].tolist()) == {2}


def test_what_cannot_be_is_refused_in_words(demo_workspace: Workspace, watercolors) -> None:
    with pytest.raises(AnnotationError, match=r"error rate 0\.5 is out of range"):
        simulated_annotators.choose_team(demo_workspace, error_rate=0.5)
    with pytest.raises(LearningError, match="has no certification"):
        simulated_annotators.certify(demo_workspace, watercolors, Team())


def test_a_play_that_was_stopped_goes_on(demo_workspace: Workspace, watercolors) -> None:
    def report(done: int, total: int | None, message: str = "") -> None:
        if done >= 4:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        simulated_annotators.play(demo_workspace, watercolors, Team(), report=report)
    assert 1 <= len(rounds.rounds_of(demo_workspace, watercolors)) < 4
    assert simulated_annotators.play(demo_workspace, watercolors, Team()).finished


def test_an_attribute_that_no_cut_can_promise_ends_in_words(
    demo_workspace: Workspace, watercolors, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(9):
        simulated_annotators.play_next(demo_workspace, watercolors, Team())
    tried = []

    def none(workspace: Workspace, attribute, model=None, *, target: float, confidence: float = 0.95) -> None:
        if model is None:  # the threshold of a model is looked up besides
            tried.append(target)
        raise NoThreshold("none")

    monkeypatch.setattr("bam_engine.training.thresholds.suggest", none)
    with pytest.raises(NoThreshold, match="reaches a precision of 50%"):
        simulated_annotators.play(demo_workspace, watercolors, Team())
    assert tried == sorted(tried, reverse=True)
    assert tried[0] == 0.9


def test_they_label_a_certification_batch_by_batch(demo_workspace: Workspace, watercolors) -> None:
    team = Team(error_rate=0)
    for _ in range(9):
        simulated_annotators.play_next(demo_workspace, watercolors, team)
    thresholds.save(demo_workspace, watercolors, thresholds.suggest(demo_workspace, watercolors, target=0.8))
    certification.start(demo_workspace, watercolors, target=0.8, planned=60, seed=0)
    simulated_annotators.certify(demo_workspace, watercolors, team)
    state = certification.state(demo_workspace, certification_store.current(demo_workspace, watercolors))
    assert state.task.complete
    assert state.progress is not None
    assert state.task.answered >= 31 or state.next_batch == 0


def test_whoever_answers_sees_no_score(demo_workspace: Workspace, watercolors, monkeypatch: pytest.MonkeyPatch) -> None:
    validation.draw_validation(demo_workspace, watercolors, 30, seed=0)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an oracle asked for scores")

    for place in ("bam_engine.training.models.scores_of", "bam_engine.demo.demo_workspace.scores_of"):
        monkeypatch.setattr(place, refuse)
    task = tasks.validation_task(demo_workspace, watercolors)
    assert simulated_annotators.answer(demo_workspace, task, Team()) >= 2 * 30
