"""Estimates corrected for wrong answers, in a workspace: from which answers, where they are said, what they leave."""

import html

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.api.attribute import AttributeHandle
from bam_engine.cli import main
from bam_engine.labelling import tasks
from bam_engine.learning import correct_for_errors
from bam_engine.reporting.report import gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training import recall
from bam_engine.training.delivered import delivered_of
from bam_engine.training.error_correction import (
    GivenAnswers,
    Sampled,
    answered_images,
    correction_at,
    given_answers,
)
from bam_engine.training.thresholds import current_threshold
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.training.two_judges import judge_by_two, label


@pytest.fixture
def judged(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    judge_by_two(workspace, watercolor, oracle)
    return workspace


def test_one_judge_tells_nothing_of_wrong_answers(played: Workspace, watercolor: Attribute) -> None:
    found = current_threshold(played, watercolor)
    assert found is not None
    assert correction_at(played, watercolor, found.evidence) is None


def test_it_counts_every_answer_and_each_decision(judged: Workspace, watercolor: Attribute) -> None:
    votes, given = tasks.votes(judged, watercolor), given_answers(judged, watercolor, len(judged.catalogue))
    for row in range(len(judged.catalogue)):
        mine = votes.answers[votes.rows == row]
        assert given.answers[row] == len(mine)
        assert given.yes[row] == (mine == 1).sum()
    row = int(np.flatnonzero(given.answers == 2)[0])
    vote(judged, watercolor, "eve", {row: 1}, purpose="adjudication")
    after = given_answers(judged, watercolor, len(judged.catalogue))
    assert (after.answers[row], after.yes[row]) == (3, given.yes[row] + 1)


def test_it_stands_beside_the_estimate_and_changes_nothing_of_it(
    judged: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = current_threshold(judged, watercolor)
    assert before is not None
    found = correction_at(judged, watercolor, before.evidence)
    assert found is not None
    assert found.n == 60
    assert current_threshold(judged, watercolor) == before
    assert AttributeHandle(judged, watercolor).corrected_for_errors() == found
    assert gather(judged, watercolor).correction == found
    assert found.summary in html.unescape(write_report(judged, gather(judged, watercolor)))
    monkeypatch.setenv("BAM_WORKSPACE", str(judged.folder))
    monkeypatch.setenv("BAM_CACHE", str(judged.cache.parent))
    assert main(["threshold", watercolor.name, "--dry-run"]) == 0
    assert found.summary in capsys.readouterr().out


def test_it_says_nothing_of_an_attribute_that_nobody_taught(workspace: Workspace, watercolor: Attribute) -> None:
    assert AttributeHandle(workspace, watercolor).corrected_for_errors() is None


def test_a_sample_drawn_below_the_threshold_tells_what_is_missed(
    judged: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    before = current_threshold(judged, watercolor)
    assert before is not None
    assert before.saved
    first = correction_at(judged, watercolor, before.evidence)
    label(judged, oracle, recall.start(judged, watercolor, count=20, seed=1).sample.task)
    after = correction_at(judged, watercolor, before.evidence)
    assert first is not None
    assert after is not None
    assert after.n == first.n + 20
    truth = np.array([oracle.knows(judged, row) for row in range(len(judged.catalogue))])
    delivered = delivered_of(judged, watercolor).accepted
    assert after.recall[1] <= delivered[truth].mean() <= after.recall[2]


def test_wrong_labels_that_the_model_has_learned_are_not_taken_for_right_because_it_scores_them_high() -> None:
    n, rng = 400, np.random.default_rng(0)
    truth, judging = np.arange(n) % 20 == 0, np.arange(n) < 200
    says = np.where(rng.random((n, 2)) < 0.05, ~truth[:, None], truth[:, None])
    yes = np.where(judging, says.sum(axis=1), says[:, 0]).astype(np.int64)
    given = GivenAnswers(yes, np.where(judging, 2, 1))
    delivered = yes == given.answers
    above = np.where(judging, truth, delivered)  # what teaches scores as it was labelled
    rows = np.arange(n)
    samples = [Sampled(rows[judging & side], rows[judging & side]) for side in (above, ~above)]
    images = answered_images(above, np.ones(n, bool), delivered, given, samples, judging=judging, projects=rows)
    found = correct_for_errors(images)
    right = truth[delivered].mean()
    assert right < 0.8
    assert found.precision[1] <= right <= found.precision[2]
    assert found.precision[0] < 0.9
