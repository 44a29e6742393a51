"""How often the recall that the app shows with a sample below the threshold holds the true one."""

import numpy as np
import pytest

from bam_engine.demo.rehearsal import rehearsal
from bam_engine.demo.simulated_annotators import Team, answer_from
from bam_engine.labelling import tasks
from bam_engine.training import recall, rounds, thresholds, validation
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of

RUNS = 40


@pytest.mark.slow
@pytest.mark.parametrize("common", [0.25, 0.05])
def test_the_interval_of_a_measured_recall_holds_the_true_one_also_where_it_has_grown(common: float) -> None:
    rng = np.random.default_rng(7)
    truth = rng.random(1500) < common
    seen = truth & (rng.random(1500) < 0.85)  # the others look like negatives
    vectors = rng.normal(size=(1500, 8)) + 1.2 * seen[:, None]
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    held, narrower = 0, 0
    with rehearsal(vectors) as workspace:
        for run in range(RUNS):
            attribute, team = workspace.attributes.add(f"run_{run}", "content", "Is it?"), Team(0.0, 1, run)

            def answer(task: tasks.Task, team: Team = team) -> None:
                answer_from(workspace, task, team, truth.astype(np.int8))

            validation.draw_validation(workspace, attribute, 60, seed=run)
            answer(tasks.validation_task(workspace, attribute))
            positive = np.flatnonzero(truth)[:5].tolist()
            answer(rounds.start_round(workspace, attribute, count=60, seeds=positive, seed=run).task)
            rounds.train(workspace, attribute)
            cut = float(np.quantile(scores_of(workspace, attribute), 1 - common))
            before = thresholds.save(
                workspace, attribute, thresholds.measure_at(workspace, attribute, cut, target=0.8)
            ).evidence
            answer(recall.start(workspace, attribute, count=60, seed=run).sample.task)
            answer(recall.grow(workspace, attribute, 60).sample.task)
            found = thresholds.current_threshold(workspace, attribute)
            assert found is not None
            of_all = float(delivered_of(workspace, attribute).accepted[truth].mean())
            held += found.evidence.recall_low <= of_all <= found.evidence.recall_high
            narrower += found.evidence.recall_high - found.evidence.recall_low < before.recall_high - before.recall_low
    assert held >= 36, "200 runs held in 95%; fewer than 36 of 40 would speak against it"
    assert narrower >= 36
