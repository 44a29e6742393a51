"""What a threshold would deliver is counted as it would be delivered."""

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.training import certified_cuts
from bam_engine.training.delivered import delivered_at
from bam_engine.training.models import newest_model, scores_of
from bam_engine.training.score_counts import labelled_scores, score_counts
from bam_engine.workspace import Workspace
from tests.labelling.team import vote


@pytest.fixture
def mixed(played: Workspace, watercolor: Attribute) -> Workspace:
    """The played workspace with labels on both sides of every score, and an unsure one."""
    order = np.argsort(scores_of(played, watercolor))
    vote(played, watercolor, "ada", {int(order[0]): 1, int(order[1]): -1, int(order[-1]): 0, int(order[-2]): -1})
    return played


def test_each_count_is_that_of_what_is_delivered_at_the_threshold(mixed: Workspace, watercolor: Attribute) -> None:
    counts, scores = score_counts(mixed, watercolor, [0.123456789]), scores_of(mixed, watercolor)
    assert 0.123456789 in counts.thresholds
    for at in range(0, len(counts.thresholds), 20):
        cut = float(counts.thresholds[at])
        delivered = delivered_at(mixed, watercolor, cut)
        assert counts.by_people == delivered.counts.by_people
        assert counts.by_classifier[at] == delivered.counts.by_classifier
        above = scores >= np.float32(cut)
        assert counts.no_above[at] == (above & (delivered.labels == 0)).sum()
        assert counts.yes_below[at] == (~above & (delivered.labels == 1)).sum()
    assert counts.no_above[0] > 0
    assert counts.yes_below[-1] > 0


def test_thresholds_reach_from_all_that_have_a_score_to_none(mixed: Workspace, watercolor: Attribute) -> None:
    counts, scores = score_counts(mixed, watercolor), labelled_scores(mixed, watercolor)
    assert counts.thresholds[0] <= scores.every.min()
    assert counts.thresholds[-1] > scores.every.max()
    assert (np.diff(counts.thresholds) > 0).all()
    assert counts.by_classifier[0] == len(scores.unlabelled)
    assert counts.by_classifier[-1] == counts.no_above[-1] == 0


def test_a_threshold_between_a_score_and_the_next_number_accepts_it_as_the_delivery_does(
    mixed: Workspace, watercolor: Attribute
) -> None:
    score = float(np.sort(labelled_scores(mixed, watercolor).unlabelled)[-5])
    cut = score + abs(score) * 1e-9  # rounds to the score as float32, as which scores are compared
    counts = score_counts(mixed, watercolor, [cut])
    by_classifier = counts.by_classifier[counts.thresholds == cut].item()
    assert by_classifier == delivered_at(mixed, watercolor, cut).counts.by_classifier == 5


def test_certified_are_the_thresholds_that_accept_what_a_certified_one_accepts(
    mixed: Workspace, watercolor: Attribute
) -> None:
    scores = np.sort(labelled_scores(mixed, watercolor).every.astype(float))
    passed, between = float(scores[20]), (scores[19] + scores[20]) / 2
    counts = score_counts(mixed, watercolor, [between, float(scores[21])], certified=[passed])
    certified = dict(zip(counts.thresholds.tolist(), counts.certified.tolist(), strict=True))
    assert certified[passed]
    assert certified[between]
    assert not certified[float(scores[21])]
    model = newest_model(mixed, watercolor)
    for value, known in certified.items():
        assert certified_cuts.is_among(mixed, watercolor, model, value, np.array([passed])) == known


def test_an_image_that_is_removed_is_counted_no_more(mixed: Workspace, watercolor: Attribute) -> None:
    before = labelled_scores(mixed, watercolor)
    row = int(np.flatnonzero(delivered_at(mixed, watercolor, None).labels == 1)[0])
    mixed.removals.remove([row], reason="a test")
    after = labelled_scores(mixed, watercolor)
    assert (len(after.every), len(after.yes)) == (len(before.every) - 1, len(before.yes) - 1)
    assert score_counts(mixed, watercolor).by_people == len(after.yes)


def test_without_a_model_there_is_nothing_to_count(workspace: Workspace, watercolor: Attribute) -> None:
    counts = score_counts(workspace, watercolor)
    assert len(counts.thresholds) == len(counts.by_classifier) == 0
