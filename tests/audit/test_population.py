"""An audit is about images that can be looked at; what becomes of its sample later never helps it."""

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.errors import AuditError
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.training import thresholds
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


@pytest.fixture
def decided(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    oracle.play(workspace, watercolor, count=1)
    thresholds.save(workspace, watercolor, thresholds.measure_at(workspace, watercolor, -1.0, target=0.6))
    return workspace


def lose(workspace: Workspace, rows: list[int], status: str = "missing") -> None:
    """Let images lose their files, as adding their folder again would find."""
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(db.images).where(db.images.c.row.in_(rows)).values(status=status))


def find(workspace: Workspace, rows: list[int]) -> None:
    lose(workspace, rows, "ok")


def latest(workspace: Workspace, attribute: Attribute) -> AuditResult:
    found = audits.latest_result(workspace, attribute)
    assert found is not None
    return found


def unlabelled(workspace: Workspace, attribute: Attribute) -> list[int]:
    used = np.union1d(held_out_rows(workspace, attribute), queried_rows(workspace, attribute))
    return [row for row in range(len(workspace.catalogue)) if row not in used]


def test_images_without_a_file_and_removed_ones_are_not_drawn_and_counted(
    decided: Workspace, watercolor: Attribute
) -> None:
    free = unlabelled(decided, watercolor)
    lose(decided, free[:5])
    lose(decided, free[5:8], "replaced")
    decided.removals.remove(free[8:12], reason="a test")
    drawn = audits.draw(decided, watercolor, n_accepted=120, n_rejected=120, seed=1)
    scores = scores_of(decided, watercolor)
    accepted = sum(scores[row] >= -1.0 for row in free[12:])
    assert sorted(drawn.task.rows.tolist()) == free[12:]
    assert (drawn.n_accepted, drawn.n_rejected) == (accepted, len(free) - 12 - accepted)
    assert drawn.left_out == 8
    assert "8 images without a readable file were left out" in drawn.population


def test_a_drawn_image_that_turns_out_to_be_unreadable_leaves_the_sample_and_the_population(
    decided: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = unlabelled(decided, watercolor)
    unreadable = free[:3]
    monkeypatch.setattr(audits, "missing_images", lambda _, rows: rows[np.isin(rows, unreadable)])
    drawn = audits.draw(decided, watercolor, n_accepted=120, n_rejected=120, seed=1)
    monkeypatch.undo()
    assert sorted(drawn.task.rows.tolist()) == free[3:]
    assert drawn.n_accepted + drawn.n_rejected == len(free) - 3
    assert drawn.left_out == 3


def test_an_audit_of_files_that_are_all_gone_is_refused(
    decided: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "missing_images", lambda _, rows: rows)
    with pytest.raises(AuditError, match="has a readable file"):
        audits.draw(decided, watercolor, n_accepted=4, n_rejected=0, seed=1)
    assert audits.results(decided, watercolor) == []


def test_removing_the_wrong_images_of_an_audit_does_not_improve_it_and_their_return_is_exact(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=20, n_rejected=10, seed=1)
    oracle.answer(decided, drawn.task)
    before = latest(decided, watercolor)
    assert before.precision is not None
    wrong = [int(row) for row in drawn.task.rows if not oracle.knows(decided, int(row))]
    right = [int(row) for row in drawn.task.rows if oracle.knows(decided, int(row))]
    removal = decided.removals.remove(wrong, reason="they are wrong")
    after = latest(decided, watercolor)
    assert after.precision is not None
    assert after.removed == len(wrong)
    assert after.precision.value == 1.0  # of what is left
    assert after.precision.bound == before.precision.bound
    assert f"{len(wrong)} image{'s were' if len(wrong) > 1 else ' was'} removed" in after.population
    decided.removals.undo(removal.id)
    assert latest(decided, watercolor).precision == before.precision
    decided.removals.remove(right[:2], reason="they are right")
    fewer = latest(decided, watercolor).precision
    assert fewer is not None
    assert fewer.bound < before.precision.bound


def test_an_image_whose_file_goes_before_it_is_labelled_counts_against_the_audit_until_it_is_back(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=20, n_rejected=0, seed=1)
    first, *others = (int(row) for row in drawn.task.rows)
    lose(decided, [first])
    oracle.answer(decided, drawn.task)
    without = latest(decided, watercolor)
    assert without.precision is not None
    assert (without.complete, without.lost, without.precision.n, without.precision.against) == (True, 1, 19, 1)
    assert "1 image lost its file before it was labelled" in without.population
    find(decided, [first])
    assert not latest(decided, watercolor).complete
    oracle.answer(decided, drawn.task)
    whole = latest(decided, watercolor)
    assert whole.precision is not None
    assert (whole.complete, whole.lost, whole.precision.n) == (True, 0, 20)
    lose(decided, [first, others[0]])  # an answer is about the picture that was seen
    assert replace(latest(decided, watercolor), task=whole.task) == whole


def test_votes_about_a_removed_image_stay_with_the_audit_of_two_people(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=8, n_rejected=4, people=2, seed=1)
    oracle.answer(decided, drawn.task, name="anna")
    decided.removals.remove(drawn.task.rows[:6], reason="half")
    oracle.answer(decided, tasks.audit_task(decided, watercolor, drawn.id), name="berta")
    found = latest(decided, watercolor)
    assert (found.complete, found.removed) == (True, 6)
    for estimate in (found.precision, found.by_any, found.missed):
        assert estimate is None or estimate.absent == estimate.against  # nobody knows what two people would have said
    assert tasks.audit_task(decided, watercolor, found.id).rows.size == 6
