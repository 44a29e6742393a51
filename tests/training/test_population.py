"""Certifications and validation samples are about images that can be looked at; what becomes of them never helps."""

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.training import certification, certification_population, certification_store, rounds, validation
from bam_engine.training.certification_state import CertificationState
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


@pytest.fixture
def trained(workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """One round is trained; a pilot is of eight images, since the collection is small."""
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    validation.draw_validation(workspace, watercolor, 20, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=20, seed=1).task)
    rounds.train(workspace, watercolor)
    return workspace


def lose(workspace: Workspace, rows: list[int], status: str = "missing") -> None:
    """Let images lose their files, as adding their folder again would find."""
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(db.images).where(db.images.c.row.in_(rows)).values(status=status))


def unlabelled(workspace: Workspace, attribute: Attribute) -> list[int]:
    used = np.union1d(held_out_rows(workspace, attribute), queried_rows(workspace, attribute))
    return [row for row in range(len(workspace.catalogue)) if row not in used]


def read(workspace: Workspace, attribute: Attribute) -> CertificationState:
    current = certification_store.current(workspace, attribute)
    assert current is not None
    return certification.state(workspace, current)


@pytest.fixture
def begun(trained: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """A certification whose pilot and first batch are labelled."""
    started = certification.start(trained, watercolor, target=0.6, seed=3)
    oracle.answer(trained, started.certification.task)
    extended = certification.extend(trained, read(trained, watercolor).certification)
    oracle.answer(trained, extended.certification.task)
    return trained


def test_a_certification_covers_images_with_a_file_and_says_how_many_it_left_out(
    trained: Workspace, watercolor: Attribute
) -> None:
    free = unlabelled(trained, watercolor)
    lose(trained, free[:4])
    removal = trained.removals.remove(free[4:7], reason="a test")
    started = certification.start(trained, watercolor, target=0.6, seed=3).certification
    assert started.left_out == 4
    assert not np.isin(started.pilot, free[:7]).any()
    assert certification_population.population_size(trained, started) == len(free) - 7 - len(started.pilot)
    lose(trained, free[:4], "ok")
    trained.removals.undo(removal.id)
    again = certification_store.current(trained, watercolor)
    assert again is not None
    assert certification_population.population_size(trained, again) == len(free) - 7 - len(
        started.pilot
    )  # it was fixed at the start


def test_removing_what_a_certification_has_shown_to_be_wrong_changes_nothing(
    begun: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    before = read(begun, watercolor)
    assert before.progress is not None
    asked = before.certification.task.rows
    population = [int(row) for row in asked if row not in before.certification.known]
    wrong = [row for row in population if not oracle.knows(begun, row)]
    right = [row for row in population if oracle.knows(begun, row)]
    assert wrong
    assert right
    removal = begun.removals.remove(wrong, reason="they are wrong")
    after = read(begun, watercolor)
    assert after.progress is not None
    assert (after.progress.n, after.progress.false_positives) == (before.progress.n, before.progress.false_positives)
    assert (after.progress.certified, after.absent) == (before.progress.certified, len(wrong))
    assert f"{len(wrong)} image" in after.summary
    begun.removals.undo(removal.id)
    back = read(begun, watercolor).progress
    assert back is not None
    assert replace(back, to_label=before.progress.to_label) == before.progress
    assert np.array_equal(back.to_label, before.progress.to_label)
    size = certification_population.population_size(begun, before.certification)
    begun.removals.remove(right, reason="they are right")
    without = read(begun, watercolor)
    assert without.absent == 0
    assert certification_population.population_size(begun, without.certification) == size - len(right)


def test_an_image_that_nobody_was_asked_about_leaves_the_population_when_it_is_removed(
    begun: Workspace, watercolor: Attribute
) -> None:
    before = read(begun, watercolor)
    size = certification_population.population_size(begun, before.certification)
    free = unlabelled(begun, watercolor)
    begun.removals.remove(free[:10], reason="a folder")
    after = read(begun, watercolor)
    assert certification_population.population_size(begun, after.certification) == size - 10
    assert after.absent == 0


def test_an_image_of_the_population_that_loses_its_file_counts_as_not_positive_until_it_is_found(
    begun: Workspace, watercolor: Attribute
) -> None:
    before = read(begun, watercolor)
    free = unlabelled(begun, watercolor)
    lose(begun, free)
    after = read(begun, watercolor)
    assert after.progress is not None
    assert after.absent == len(free)
    assert len(after.progress.to_label) == 0  # nobody is asked about what cannot be shown
    lose(begun, free, "ok")
    found = read(begun, watercolor)
    assert before.progress is not None
    assert found.progress is not None
    assert (found.absent, found.progress.n) == (0, before.progress.n)


def test_images_that_came_later_are_outside(begun: Workspace, watercolor: Attribute) -> None:
    current = certification_store.current(begun, watercolor)
    assert current is not None
    assert current.images == len(begun.catalogue) == 120
    with begun.engine.begin() as connection:
        connection.execute(sa.update(db.certifications).values(images=100))
    rows = set(unlabelled(begun, watercolor)) | set(current.task.rows.tolist())
    expected = [row for row in rows if row < 100 and row not in current.known]
    later = certification_store.current(begun, watercolor)
    assert later is not None
    assert certification_population.population_size(begun, later) == len(expected)


def test_a_draw_says_what_it_left_out(workspace: Workspace, watercolor: Attribute) -> None:
    lose(workspace, [0, 1, 2])
    workspace.removals.remove([3], reason="a test")
    validation.draw_validation(workspace, watercolor, 116, seed=9)
    assert validation.draw_facts(workspace, watercolor, 0) == (9, 3)
    assert sorted(tasks.validation_task(workspace, watercolor).rows.tolist()) == list(range(4, 120))


def test_lost_images_of_the_sample_are_the_removed_and_those_that_were_not_labelled_in_time(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    scores = scores_of(trained, watercolor)
    first = validation.whole_validation_sample(trained, watercolor).rows
    validation.draw_validation(trained, watercolor, 5, seed=2)
    second = np.setdiff1d(validation.whole_validation_sample(trained, watercolor).rows, first)
    gone = [int(row) for row in first[:4]]
    trained.removals.remove(gone, reason="a test")
    lose(trained, [int(first[5]), int(second[0])])
    lost = validation.lost_images(trained, watercolor)
    known = sorted((scores[row], int(oracle.knows(trained, row)), 0) for row in gone)  # the second is not complete
    assert sorted(zip(lost.scores, lost.labels, lost.draws, strict=True)) == known
    oracle.answer(trained, tasks.validation_task(trained, watercolor))
    whole = validation.lost_images(trained, watercolor)
    assert sorted(zip(whole.scores, whole.labels, whole.draws, strict=True)) == sorted(
        [*known, (scores[second[0]], -1, 1)]
    )
    assert whole.against(0).sum() == 1 + sum(not oracle.knows(trained, row) for row in gone)
    assert whole.against(1, draw=0).sum() == sum(oracle.knows(trained, row) for row in gone)
