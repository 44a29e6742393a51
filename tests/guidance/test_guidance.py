"""Guidance is about the attribute as it is called, and knows what only one of two judges has said."""

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.demo import following
from bam_engine.demo.following import Follower
from bam_engine.demo.rehearsal import rehearsal
from bam_engine.demo.simulated_annotators import Team, answer_from
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling.drawn_images import queried_rows
from bam_engine.labelling.importing import store_labels
from bam_engine.training import certification, thresholds
from bam_engine.training.validation import drawable_rows
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_guidance_follows_a_new_name(workspace: Workspace, watercolor: Attribute) -> None:
    assert guidance_of(workspace, watercolor).attribute == watercolor.name
    renamed = workspace.attributes.rename(watercolor.id, "aquarelle")
    assert guidance_of(workspace, renamed).attribute == "aquarelle"
    assert "“aquarelle”" in guidance_of(workspace, renamed).title


@pytest.mark.slow
def test_what_one_person_taught_is_confirmed_before_it_is_called_finished() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(400, 8))
    truth = (vectors[:, 0] > np.quantile(vectors[:, 0], 0.95)).astype(np.int8)  # 20: the rounds find nearly all
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    with rehearsal(unit) as workspace:
        attribute = workspace.attributes.add("content_thing", "content", "Is it?")
        workspace.judging_redundancy, team = 2, Team(0.0, 1, 0, 2)
        follower = Follower(workspace, attribute, lambda task: answer_from(workspace, task, team, truth))

        def once_answered() -> int:
            """Return how many images of rounds one person alone has called positive."""
            answers = workspace.annotations.answers(attribute.id)
            asked = queried_rows(workspace, attribute)
            return int((truth[asked] & (np.bincount(answers.rows, minlength=400)[asked] == 1)).sum())

        seen = []
        while (guidance := guidance_of(workspace, attribute)).step != "done":
            seen.append((guidance.step, 0 if guidance.facts is None else guidance.facts.unconfirmed, once_answered()))
            following.take(follower, guidance)
        asked_first = next(place for place, (step, *_) in enumerate(seen) if step == "certify")
        assert seen[asked_first][1] == seen[asked_first][2] > 5
        assert "decide" not in [step for step, *_ in seen[:asked_first]]
        assert guidance.facts is not None
        assert guidance.facts.unconfirmed == once_answered() == 0


def test_a_certification_for_another_target_than_the_chosen_one_tells_nothing_of_it(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    started = certification.start(played, watercolor, target=0.95, planned=60, seed=3).certification
    oracle.answer(played, started.batch)
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    found = guidance_of(played, watercolor).facts
    assert found is not None
    assert (found.target, found.certifying) == (0.6, None)


def test_a_batch_of_a_certification_is_labelled_also_where_a_threshold_for_another_target_is_chosen(
    played: Workspace, watercolor: Attribute
) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.6))
    certification.start(played, watercolor, target=0.95, planned=60, seed=3)
    assert guidance_of(played, watercolor).step == "label_certification"


def test_a_certification_is_not_advised_where_too_few_images_are_left_that_nobody_imported_labels_of(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    before = guidance_of(played, watercolor).facts
    free = np.setdiff1d(drawable_rows(played, watercolor), queried_rows(played, watercolor))
    store_labels(played, watercolor, {int(row): int(oracle.knows(played, row)) for row in free[5:]}, annotator="ada")
    after = guidance_of(played, watercolor).facts
    assert before is not None
    assert after is not None
    assert before.certifiable > after.certifiable
    assert after.certifiable <= 5 < after.drawable
