"""The stages of an attribute: one is next, what cannot be worked on says why, and nothing done is closed again."""

from pathlib import Path

import pytest

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.guidance.facts import Facts, Progress
from bam_engine.guidance.rules import rule_of
from bam_engine.labelling import tasks
from bam_engine.reporting.stages import STAGES, Stage, stages, stages_of
from bam_engine.training import rounds, thresholds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def standings(workspace: Workspace, attribute: Attribute) -> str:
    """Return the first letter of each standing: done, current, open, blocked."""
    stages = stages_of(workspace, attribute)
    assert tuple(stage.name for stage in stages) == STAGES
    assert all(bool(stage.reason) == (stage.standing == "blocked") for stage in stages)
    return "".join(stage.standing[0] for stage in stages)


def test_an_attribute_goes_from_its_question_to_its_report(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert standings(workspace, watercolor) == "dcbbbo"
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    assert standings(workspace, watercolor) == "dcbbbo"
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    assert standings(workspace, watercolor) == "ddcbbo"
    oracle.play(workspace, watercolor, count=1, batch=8)
    task = rounds.start_round(workspace, watercolor, count=8, seed=9).task
    assert standings(workspace, watercolor) == "ddcobo"
    oracle.answer(workspace, task)
    rounds.train(workspace, watercolor)
    assert standings(workspace, watercolor) == "dddcbo"
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    assert standings(workspace, watercolor) == "ddddco"
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=5, n_rejected=5, seed=1).task)
    assert standings(workspace, watercolor) == "dddddd"


def test_while_the_first_round_is_open_nothing_is_trained_with_any_encoder(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    task = rounds.start_round(workspace, watercolor, count=8, seed=8).task
    reasons = {stage.name: stage.reason for stage in stages_of(workspace, watercolor)}
    assert reasons["threshold"] == "It has not been trained yet."
    oracle.answer(workspace, task)
    rounds.train(workspace, watercolor)
    assert "threshold" not in {stage.name for stage in stages_of(workspace, watercolor) if stage.reason}


def test_a_validation_sample_that_grew_is_next_and_closes_nothing(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=4, batch=8)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    validation.draw_validation(workspace, watercolor, 8, seed=2)
    assert standings(workspace, watercolor) == "dcodoo"


def test_a_further_round_keeps_the_audit_of_the_present_threshold_open(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=4, batch=8)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    rounds.start_round(workspace, watercolor, count=8, seed=9)
    assert standings(workspace, watercolor) == "ddcdoo"


def test_without_vectors_nothing_can_be_validated(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "workspace", tmp_path / "cache")
    attribute = empty.attributes.add("content_cat", "content", "A cat?")
    assert standings(empty, attribute) == "dbbbbo"
    assert stages_of(empty, attribute)[1] == Stage("validate", "blocked", "The images have no vectors yet.")
    empty.close()


@pytest.mark.parametrize(
    "facts",
    [
        Facts(images=9, drawable=5, validation=Progress(4, 4)),
        Facts(images=9, drawable=5, askable=5, validation=Progress(4, 4), round=1, batch=Progress(2, 4)),
        Facts(images=9, drawable=5, askable=5, validation=Progress(4, 4), round=1, batch=Progress(4, 4)),
    ],
)
def test_the_stage_of_the_next_step_is_the_current_one_also_where_it_comes_up_again(facts: Facts) -> None:
    following = rule_of(facts).step
    current = [stage.name for stage in stages(facts, following) if stage.standing == "current"]
    assert current == ["validate" if following == "draw_validation" else "rounds"]
