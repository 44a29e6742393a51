"""Random walks over a real workspace: in every state there is a next step that can be done, and nothing contradicts.

Images are labelled, answers undone, encoders and required votes changed, images removed and brought back, thresholds
chosen, certified and audited, in any order. The reference for every number is the table of answers.
"""

import shutil
import uuid
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bam_engine import database as db
from bam_engine.annotation import ADJUDICATION, NewAnswer
from bam_engine.audit import audits
from bam_engine.errors import BamError
from bam_engine.guidance.facts import Progress
from bam_engine.guidance.guidance import Guidance, guidance_of
from bam_engine.guidance.sizes import sizes
from bam_engine.labelling import assigning, tasks
from bam_engine.learning import Threshold
from bam_engine.reporting.overview import overview, waiting_tasks
from bam_engine.training import (
    certification,
    certification_store,
    extension,
    querying,
    recall,
    recall_proposal,
    rounds,
    thresholds,
    validation,
)
from bam_engine.training.diagnosis import diagnose
from bam_engine.training.evaluation_set import evaluation_set, gather_evidence
from bam_engine.training.validation import drawable_rows
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.two_encoders import add_vectors, blind_vectors, use

PEOPLE = ("ada", "ben", "cleo", "dan")


class Walk(RuleBasedStateMachine):
    """One walk; each rule is something that a person does."""

    def __init__(self, home: Path, pictures: Path) -> None:
        super().__init__()
        self.workspace = Workspace(home / "workspace", home / "cache")
        self.oracle = Oracle(pictures)
        self.attribute = self.workspace.attributes.add("media_watercolor", "media", "Is it a watercolour?")
        add_vectors(self.workspace, blind_vectors(self.workspace))
        self.seed = 0

    def teardown(self) -> None:
        stale = Workspace(self.workspace.folder, self.workspace.cache.parent)
        assert guidance_of(stale, self.attribute) == self.guidance, "what is cached is what is known"
        stale.close()
        self.workspace.close()

    @property
    def guidance(self) -> Guidance:
        return guidance_of(self.workspace, self.attribute)

    def next_seed(self) -> int:
        self.seed += 1
        return self.seed

    # What a person does

    @rule(wrong=st.sampled_from([0.0, 0.0, 0.05]))
    def follow(self, wrong: float) -> None:
        self.take(self.guidance.step, wrong)

    @rule(wrong=st.sampled_from([0.0, 0.05]), steps=st.integers(2, 8))
    def follow_for_a_while(self, wrong: float, steps: int) -> None:
        for _ in range(steps):
            self.take(self.guidance.step, wrong)
            self.look()

    @rule(place=st.integers(0, 5))
    def take_an_alternative(self, place: int) -> None:
        found = self.guidance.alternatives
        if found:
            self.take(found[place % len(found)].step, 0.0)

    @rule(part=st.floats(0.1, 0.9), who=st.sampled_from(PEOPLE), wrong=st.sampled_from([0.0, 0.5]))
    def label_a_part(self, part: float, who: str, wrong: float) -> None:
        for task in waiting_tasks(self.workspace, self.attribute, who)[:1]:
            self.answer(task, who, wrong=wrong, part=part)

    @rule(part=st.floats(0.1, 1.0))
    def undo(self, part: float) -> None:
        """Withdraw a part of the newest assignment with answers."""
        of = db.assignments.c
        with self.workspace.engine.connect() as connection:
            query = sa.select(of.id).where(of.attribute_id == self.attribute.id, of.purpose != "adjudication")
            made = list(connection.scalars(query.order_by(of.made_at.desc(), of.id)))
        for assignment in made:
            answered = sorted(self.workspace.annotations.answered_rows(assignment))
            if answered:
                back = answered[: max(1, int(part * len(answered)))]
                self.workspace.annotations.record(assignment, [NewAnswer(uuid.uuid4().hex, row, -2) for row in back])
                return

    @rule()
    def change_the_encoder(self) -> None:
        use(self.workspace, "network" if self.workspace.choice.key.startswith("builtin") else "builtin")

    @rule(votes=st.sampled_from([1, 1, 2]), judges=st.sampled_from([1, 2]))
    def change_the_votes(self, votes: int, judges: int) -> None:
        self.workspace.redundancy, self.workspace.judging_redundancy = votes, judges

    @rule(rows=st.lists(st.integers(0, 119), min_size=1, max_size=12, unique=True))
    def remove_images(self, rows: list[int]) -> None:
        gone = self.workspace.removals.removed().rows
        rows = [row for row in rows if row not in gone]
        if rows and len(gone) + len(rows) < 100:
            self.workspace.removals.remove(rows, reason="a walk")

    @rule()
    def bring_images_back(self) -> None:
        made = self.workspace.removals.all()
        if made:
            self.workspace.removals.undo(made[-1].id)

    @rule(goal=st.sampled_from([0.6, 0.8, 0.9]))
    def choose_a_threshold(self, goal: float) -> None:
        try:
            found = thresholds.suggest(self.workspace, self.attribute, target=goal)
        except BamError:
            return
        thresholds.save(self.workspace, self.attribute, found)

    @rule(place=st.integers(0, 10**6))
    def correct_a_label(self, place: int) -> None:
        rows = querying.round_labels(self.workspace, self.attribute)[0]
        if len(rows):
            row, annotations = int(rows[place % len(rows)]), self.workspace.annotations
            decision = NewAnswer(uuid.uuid4().hex, row, int(not self.oracle.knows(self.workspace, row)))
            made = annotations.assign(
                self.attribute.id, annotations.annotator("ada"), [row], purpose=ADJUDICATION, source_id=0
            )
            annotations.record(made.id, [decision])

    @precondition(lambda self: self.guidance.step in ("decide", "audit", "done", "certify", "start_round"))
    @rule()
    def train_again(self) -> None:
        facts = self.guidance.facts
        if facts is not None and facts.round and facts.trainable:
            rounds.train(self.workspace, self.attribute)

    # What the machine does for them

    def take(self, step: str, wrong: float) -> None:
        """Take a step; it can be taken, or this fails."""
        workspace, attribute = self.workspace, self.attribute
        size = sizes(120)
        if step == "draw_validation":
            assert validation.draw_validation(workspace, attribute, size.validation, seed=self.next_seed())
        elif step == "start_round":
            rounds.start_round(workspace, attribute, count=size.batch, seed=self.next_seed())
        elif step == "train":
            assert rounds.train(workspace, attribute).measurement is not None
        elif step.startswith("label_"):
            self.label(wrong)
        elif step == "decide":
            facts = self.guidance.facts
            assert facts is not None
            thresholds.save(workspace, attribute, self.chosen(facts.target))
        elif step in ("certify", "extend"):
            self.certify(step)
        elif step in ("audit", "measure_recall"):
            self.draw(step, size.each)
        elif step == "diagnose":
            assert diagnose(workspace, attribute) is not None
        else:
            assert step in ("done", "embed", "add_images"), step

    def certify(self, step: str) -> None:
        """Start a certification or an extension, or go on with it: there is more to label then."""
        workspace, attribute, facts = self.workspace, self.attribute, self.guidance.facts
        assert facts is not None
        started = certification_store.current(workspace, attribute)
        if step == "extend":
            before = extension.current(workspace, attribute)
            after = extension.extend(workspace, attribute, seed=self.next_seed())
            assert before is None or after.certification.batches != before.certification.batches
        elif started is None:
            certification.start(workspace, attribute, target=facts.target, planned=40, seed=self.next_seed())
        else:
            asked = certification.extend(workspace, started).certification
            assert len(asked.batch.rows) > len(started.batch.rows)

    def draw(self, step: str, each: int) -> None:
        if step == "audit":
            audits.draw(self.workspace, self.attribute, n_accepted=each, n_rejected=each, seed=self.next_seed())
        else:
            recall.start(self.workspace, self.attribute, count=each, seed=self.next_seed())

    def chosen(self, target: float) -> Threshold:
        current = thresholds.current_threshold(self.workspace, self.attribute)
        try:
            return thresholds.suggest(self.workspace, self.attribute, target=target)
        except BamError:
            assert current is not None
            return current.evidence

    def label(self, wrong: float) -> None:
        """Let as many people as it takes complete what waits; somebody can do something."""
        for who in PEOPLE:
            for task in waiting_tasks(self.workspace, self.attribute, who)[:1]:
                self.answer(task, who, wrong=wrong)
                return
        raise AssertionError("nobody can label anything")

    def answer(self, task: tasks.Task, who: str, *, wrong: float, part: float = 1.0) -> None:
        assignment = assigning.open_task(self.workspace, task, who)
        if assignment is None:
            return
        rng = np.random.default_rng(self.next_seed())
        rows = list(assignment.rows)[: max(1, int(part * len(assignment.rows)))]
        answers = [
            NewAnswer(uuid.uuid4().hex, row, int(self.oracle.knows(self.workspace, row) != (rng.random() < wrong)))
            for row in rows
        ]
        self.workspace.annotations.record(assignment.id, answers)

    # What holds in every state

    @invariant()
    def look(self) -> None:
        guidance, facts = self.guidance, self.guidance.facts
        assert facts is not None
        assert guidance.reason
        self.check_that_it_can_be_done(guidance)
        self.check_that_nothing_contradicts(guidance)
        self.check_that_figures_are_of_their_labels(guidance)
        state = overview(self.workspace)
        assert state.attributes[0].step == guidance.step or not state.attributes[0].started
        assert state.next.step == guidance.step or guidance.step == "done" or not state.attributes[0].started

    def check_that_it_can_be_done(self, guidance: Guidance) -> None:
        workspace, attribute = self.workspace, self.attribute
        for step in (guidance.step, *(each.step for each in guidance.alternatives)):
            if step.startswith("label_"):
                assert any(waiting_tasks(workspace, attribute, who) for who in PEOPLE)
            elif step == "draw_validation":
                assert len(drawable_rows(workspace, attribute))
            elif step == "start_round":
                assert len(querying.query_pool(workspace, attribute))
            elif step == "train":
                assert len(set(querying.training_labels(workspace, attribute)[1].tolist())) == 2
            elif step == "measure_recall":
                assert recall_proposal.propose(workspace, attribute).count
            elif step == "audit":
                assert guidance.facts is not None
                assert guidance.facts.auditable

    def check_that_nothing_contradicts(self, guidance: Guidance) -> None:
        facts, words = guidance.facts, " ".join([guidance.summary, *(each.reason for each in guidance.alternatives)])
        assert facts is not None
        assert not ("likely to help" in words.replace("unlikely", "") and "unlikely to help" in words), words
        if guidance.step == "decide":
            assert "likely to help" not in guidance.reason.replace("unlikely to help", "")
            assert "No threshold reaches" not in words
        if facts.learned == "fully" or facts.gain == "unlikely":
            asked = [guidance.step, *(each.step for each in guidance.alternatives)]
            assert "start_round" not in asked or not facts.model
        if facts.certified and facts.saved:
            assert "certify" not in [guidance.step, *(each.step for each in guidance.alternatives)]
        if facts.certified:
            assert "not certified" not in words
        if (
            facts.delivered is not None
            and facts.saved
            and facts.delivered.by_people
            and not facts.delivered.by_classifier
        ):
            assert "audit" not in [guidance.step, *(each.step for each in guidance.alternatives)]
        for figure in guidance.figures:
            assert figure.low <= figure.value <= figure.high or np.isnan(figure.value), figure
        precision = guidance.figure("precision")
        if facts.threshold is not None and facts.threshold.evidence.certified:
            assert precision is not None
            assert precision.low >= facts.threshold.evidence.target

    def check_that_figures_are_of_their_labels(self, guidance: Guidance) -> None:
        workspace, attribute, facts = self.workspace, self.attribute, guidance.facts
        assert facts is not None
        answers = workspace.annotations.answers(attribute.id)
        votes, decided = (
            Counter(answers.rows.tolist()),
            set(workspace.annotations.decisions(attribute.id).rows.tolist()),
        )

        def enough(rows: np.ndarray, required: int) -> int:
            return sum(votes[row] >= required or row in decided for row in rows.tolist())

        def same(progress: Progress, task: tasks.Task) -> None:
            required = tasks.required_votes(workspace, task)
            assert progress.answered == min(enough(task.rows, required), progress.total)
            short = sum(0 < votes[row] < required and row not in decided for row in task.rows.tolist())
            assert progress.short == short

        same(facts.validation, tasks.validation_task(workspace, attribute))
        begun = rounds.rounds_of(workspace, attribute)
        if begun:
            same(facts.batch, begun[-1].task)
        average = guidance.figure("average precision")
        if average is not None:
            assert average.labels == enough(evaluation_set(workspace, attribute).rows, workspace.judging_redundancy)
        precision = guidance.figure("precision")
        if precision is not None and facts.delivered is not None and facts.delivered.exhausted:
            assert precision.labels == np.sum(tasks.labels(workspace, attribute).labels == 1)
        elif precision is not None:
            assert precision.labels == enough(
                gather_evidence(workspace, attribute).sample.rows, workspace.judging_redundancy
            )
        audited = guidance.figure("audited precision")
        if audited is not None:
            result = audits.latest_result(workspace, attribute)
            assert result is not None
            assert audited.labels <= enough(result.task.rows, result.people)


@pytest.mark.slow
def test_walks(embedded_template: Path, small_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    monkeypatch.setattr("bam_engine.guidance.rules.MIN_CERTIFIABLE", 20)

    class Machine(Walk):
        def __init__(self) -> None:
            super().__init__(shutil.copytree(embedded_template, tmp_path / uuid.uuid4().hex), small_pictures)

    options = settings(max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Machine, settings=options)


@pytest.mark.parametrize("images", [24, 60, 120])
def test_who_follows_the_next_step_comes_to_the_end(
    embedded_template: Path, small_pictures: Path, tmp_path: Path, images: int
) -> None:
    walk = Walk(shutil.copytree(embedded_template, tmp_path / "home"), small_pictures)
    rows = np.random.default_rng(0).permutation(120)[images:]
    if len(rows):
        walk.workspace.removals.remove(rows, reason="a small collection")
    seen = []
    for _ in range(60):
        guidance = walk.guidance
        walk.look()
        seen.append(guidance.step)
        if guidance.step in ("done", "diagnose"):
            break
        walk.take(guidance.step, 0.0)
    assert seen[-1] == "done", (seen, walk.guidance)
    walk.teardown()
