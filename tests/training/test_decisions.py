"""What a threshold accepts, and that everything that says so says the same."""

import numpy as np
import pytest

from bam_engine.annotation import Attribute
from bam_engine.errors import LearningError
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.learning import is_accepted, is_rejected
from bam_engine.reporting.export import gather
from bam_engine.reporting.image_facts import score_lines
from bam_engine.training import decisions, thresholds
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


def test_a_score_at_the_threshold_is_accepted_and_no_score_is_undecided() -> None:
    scores = np.array([0.6, 0.5, 0.4, np.nan], np.float32)
    assert decisions.decide(scores, 0.5).tolist() == [1, 1, 0, -1]
    assert is_accepted(scores, 0.5).tolist() == [True, True, False, False]
    assert is_rejected(scores, 0.5).tolist() == [False, False, True, False]


def test_a_threshold_that_float32_cannot_hold_accepts_the_score_it_was_taken_from() -> None:
    assert is_accepted(np.array([0.9], np.float32), 0.9).all()
    assert is_accepted(np.array([0.9], np.float32).astype(np.float64), 0.9).all()


def test_without_a_threshold_nothing_is_decided(workspace: Workspace, watercolor: Attribute) -> None:
    with pytest.raises(LearningError, match="no threshold yet"):
        decisions.decisions_of(workspace, watercolor)


def test_export_gallery_and_image_panel_agree_on_decisions(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    # Between two scores, at a value that float32 rounds: comparing in another precision would decide otherwise.
    value = float(np.nextafter(np.float64(np.sort(scores_of(workspace, watercolor))[-20]), np.inf))
    thresholds.save(workspace, watercolor, thresholds.measure_at(workspace, watercolor, value, target=0.9))
    found = decisions.decisions_of(workspace, watercolor)
    accepted = set(np.flatnonzero(found.outcomes == decisions.ACCEPTED).tolist())
    assert len(accepted) == 20
    gallery = list_images(workspace, Query(attribute=watercolor.name, place="accepted"))
    assert set(gallery.rows.tolist()) == accepted
    exported = gather(workspace).attributes[0].automatic
    assert {row for row, word in enumerate(exported) if word == "positive"} == accepted
    for row in (*sorted(accepted)[:3], *sorted(set(range(len(found.scores))) - accepted)[:3]):
        (line,) = score_lines(workspace, row)
        assert (line.decision == "accepted") == (row in accepted)
        assert found.why(row).startswith("Accepted" if row in accepted else "Rejected")


def test_what_people_say_is_stated_beside_the_decision(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    found = decisions.decisions_of(workspace, watercolor)
    row = int(np.flatnonzero(found.labels == 1)[0])
    assert found.why(row).endswith(" People say yes.")
    assert "People" not in found.why(int(np.flatnonzero(found.labels == -1)[0]))
