"""Rounds that are cut short anywhere, and rounds that two people work on at once: nothing is lost, nothing twice."""

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bam_engine import audit as auditing
from bam_engine import database as db
from bam_engine import learning
from bam_engine.annotation import Assignment, Attribute, NewAnswer
from bam_engine.audit import audits
from bam_engine.collection.thumbnails import Thumbnails
from bam_engine.errors import AuditError, BamError, LearningError
from bam_engine.labelling import assigning, tasks
from bam_engine.labelling.missing_images import missing_image_problems, missing_images
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.training import certification, querying, rounds, thresholds, validation
from bam_engine.training.models import latest_model, models, scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


class PowerCut(BaseException):
    """The process ends here."""


@pytest.fixture
def labelled(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    """A workspace whose first round is labelled and not trained."""
    validation.draw_validation(workspace, watercolor, 30, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=12, seed=1).task)
    return workspace


def count(workspace: Workspace, table: sa.Table) -> int:
    with workspace.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """Run every piece of work in a thread of its own, all from the same moment; return results and errors."""
    found: list[Any] = [None] * len(work)
    start = threading.Barrier(len(work))

    def run(place: int) -> None:
        start.wait()
        try:
            found[place] = work[place]()
        except BamError as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def cut(monkeypatch: pytest.MonkeyPatch, room: Any, name: str) -> None:
    def end(*_: Any, **__: Any) -> None:
        raise PowerCut

    monkeypatch.setattr(room, name, end)


# Cut short


@pytest.mark.parametrize("moment", ["propose", "_check_still_free"])
def test_a_round_that_was_cut_short_at_its_start_is_started_as_if_for_the_first_time(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    with monkeypatch.context() as cut_here:
        cut(cut_here, rounds, moment)
        with pytest.raises(PowerCut):
            rounds.start_round(workspace, watercolor, count=8, seed=1)
    assert rounds.rounds_of(workspace, watercolor) == ()
    assert rounds.start_round(workspace, watercolor, count=8, seed=1).number == 1


def test_a_round_is_stored_with_its_images_or_not_at_all(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sa.insert

    def insert(table: sa.Table) -> Any:
        if table is db.round_images:  # the round itself is written, its images are not
            raise PowerCut
        return real(table)

    with monkeypatch.context() as cut_here:
        cut_here.setattr(sa, "insert", insert)
        with pytest.raises(PowerCut):
            rounds.start_round(workspace, watercolor, count=8, seed=1)
    assert count(workspace, db.rounds) == count(workspace, db.round_images) == 0
    assert len(rounds.start_round(workspace, watercolor, count=8, seed=1).task.rows) == 8


def test_a_started_round_goes_on_where_its_labels_stopped(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, tmp_path: Path
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    task = rounds.start_round(workspace, watercolor, count=8, seed=1).task
    assignment = assigning.open_task(workspace, task, "ada")
    assert assignment is not None
    workspace.annotations.record(assignment.id, [NewAnswer(uuid.uuid4().hex, assignment.rows[0], 1)])
    workspace.close()
    again = Workspace(tmp_path / "home" / "workspace", tmp_path / "home" / "cache")
    found = rounds.state(again, watercolor)
    assert found.step == "label_round"
    assert (found.rounds[-1].state.total, found.rounds[-1].state.answered) == (8, 1)
    under_way = assigning.open_task(again, found.rounds[-1].task, "ada")
    assert under_way is not None
    assert under_way.id == assignment.id
    again.close()


@pytest.mark.parametrize(
    "moment", ["save_model", "scores_of", "prefetch_neighbours", "_measure", "_flipped", "store_measurement"]
)
def test_a_training_that_was_cut_short_anywhere_is_made_whole(
    labelled: Workspace,
    watercolor: Attribute,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    with monkeypatch.context() as cut_here:
        cut(cut_here, rounds, moment)
        with pytest.raises(PowerCut):
            rounds.train(labelled, watercolor)
    assert rounds.state(labelled, watercolor).step == "train"
    rounds.train(labelled, watercolor)
    found = rounds.state(labelled, watercolor)
    assert found.step == "start_round"
    assert count(labelled, db.models) == 1
    assert found.model is not None
    assert found.model.measurement is not None
    assert found.model.measurement.average_precision is not None
    assert found.model.measurement.flipped is None
    assert len(scores_of(labelled, watercolor)) == 120


def test_training_twice_on_the_same_labels_makes_one_model_and_on_others_another(
    labelled: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    first = rounds.train(labelled, watercolor)
    again = rounds.train(labelled, watercolor)
    assert again.id == first.id
    row = int(querying.round_labels(labelled, watercolor)[0][0])
    assignment = labelled.annotations.assign(watercolor.id, 1, [row], purpose="round", source_id=1)
    corrected = int(not oracle.knows(labelled, row))
    labelled.annotations.record(assignment.id, [NewAnswer(uuid.uuid4().hex, row, corrected)])
    other = rounds.train(labelled, watercolor)
    assert other.id != first.id
    assert other.measurement is not None
    assert other.measurement.flipped is not None
    assert [model.id for model in models(labelled, watercolor)] == [first.id, other.id]


# Two at once


def test_two_who_finish_the_same_round_at_once_make_one_model(labelled: Workspace, watercolor: Attribute) -> None:
    found = at_once(*[lambda: rounds.train(labelled, watercolor)] * 4)
    assert not [one for one in found if isinstance(one, BamError)]
    assert len({one.id for one in found}) == 1
    assert count(labelled, db.models) == 1
    assert rounds.state(labelled, watercolor).step == "start_round"


def test_two_who_start_a_round_at_once_start_one(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, real = threading.Barrier(3), rounds.propose

    def propose(*data: Any, **more: Any) -> Any:
        found = real(*data, **more)
        chosen.wait()  # nobody stores before all have chosen
        return found

    monkeypatch.setattr(rounds, "propose", propose)
    found = at_once(*[lambda: rounds.start_round(workspace, watercolor, count=8)] * 3)
    started = [one for one in found if isinstance(one, rounds.Round)]
    refused = [one for one in found if isinstance(one, LearningError)]
    assert (len(started), len(refused)) == (1, 2)
    assert all("someone else" in str(one) for one in refused)
    assert count(workspace, db.rounds) == 1
    assert count(workspace, db.round_images) == 8


def test_images_certified_or_audited_while_a_round_is_chosen_are_not_queried_in_it(
    labelled: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds.train(labelled, watercolor)
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 20)
    thresholds.save(labelled, watercolor, thresholds.suggest(labelled, watercolor, target=0.5))
    real = rounds.propose
    draws = [
        lambda: certification.start(labelled, watercolor, target=0.99, seed=1),
        lambda: audits.draw(labelled, watercolor, n_accepted=9, n_rejected=9, seed=1),
    ]
    for draw in draws:

        def propose(*data: Any, draw: Callable[[], Any] = draw, **more: Any) -> Any:
            found = real(*data, **more)
            draw()
            return found

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(rounds, "propose", propose)
            with pytest.raises(LearningError, match="have just been drawn for validation"):
                rounds.start_round(labelled, watercolor, count=100, seed=2)
    assert len(rounds.rounds_of(labelled, watercolor)) == 1


def test_an_audit_holds_no_image_that_an_open_round_asks(
    labelled: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds.train(labelled, watercolor)
    thresholds.save(labelled, watercolor, thresholds.suggest(labelled, watercolor, target=0.5))
    turn = rounds.start_round(labelled, watercolor, count=30, seed=2)
    drawn = audits.draw(labelled, watercolor, n_accepted=200, n_rejected=200, seed=1)
    assert not set(drawn.task.rows) & set(turn.task.rows)
    assert not set(drawn.task.rows) & set(querying.round_labels(labelled, watercolor)[0])


def test_an_audit_that_was_drawn_while_somebody_else_drew_is_drawn_again(
    labelled: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds.train(labelled, watercolor)
    thresholds.save(labelled, watercolor, thresholds.suggest(labelled, watercolor, target=0.5))
    real = auditing.draw_audit

    def draw(*data: Any, **more: Any) -> Any:
        found = real(*data, **more)
        monkeypatch.setattr(auditing, "draw_audit", real)
        rounds.start_round(labelled, watercolor, count=20, seed=2)
        return found

    monkeypatch.setattr(auditing, "draw_audit", draw)
    with pytest.raises(AuditError, match="Draw it again"):
        audits.draw(labelled, watercolor, n_accepted=200, n_rejected=200, seed=1)
    assert audits.results(labelled, watercolor) == []
    assert len(audits.draw(labelled, watercolor, n_accepted=5, n_rejected=5, seed=1).task.rows)


def test_validation_images_drawn_while_a_round_is_chosen_are_not_queried_in_it(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rounds.propose

    def propose(*data: Any, **more: Any) -> Any:
        found = real(*data, **more)
        validation.draw_validation(workspace, watercolor, 119, seed=1)
        return found

    monkeypatch.setattr(rounds, "propose", propose)
    with pytest.raises(LearningError, match="have just been drawn for validation"):
        rounds.start_round(workspace, watercolor, count=8, seed=1)
    assert rounds.rounds_of(workspace, watercolor) == ()


def test_images_of_a_round_that_is_started_while_they_are_drawn_are_not_validated(
    workspace: Workspace, watercolor: Attribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = learning.draw_validation

    def draw(*data: Any, **more: Any) -> Any:
        found = real(*data, **more)
        rounds.start_round(workspace, watercolor, count=60, seed=1)
        return found

    monkeypatch.setattr(learning, "draw_validation", draw)
    with pytest.raises(LearningError, match="Draw again"):
        validation.draw_validation(workspace, watercolor, 100, seed=1)
    assert len(tasks.validation_task(workspace, watercolor).rows) == 0


def given_to_both(workspace: Workspace, task: tasks.Task) -> list[Assignment]:
    """Give the whole task to two people who need not agree, as before there were leases."""
    who = [workspace.annotations.annotator(name) for name in ("ada", "ben")]
    return [
        workspace.annotations.assign(
            task.attribute.id, one, task.rows.tolist(), purpose=task.purpose, source_id=task.source_id
        )
        for one in who
    ]


def test_two_who_answer_the_same_last_image_complete_the_round_once(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    task = rounds.start_round(workspace, watercolor, count=12, seed=1).task
    both = given_to_both(workspace, task)
    last = int(task.rows[-1])
    answers = [NewAnswer(uuid.uuid4().hex, int(row), int(oracle.knows(workspace, row))) for row in task.rows[:-1]]
    workspace.annotations.record(both[0].id, answers)
    truth = int(oracle.knows(workspace, last))
    at_once(
        *[
            lambda one=one: workspace.annotations.record(one.id, [NewAnswer(uuid.uuid4().hex, last, truth)])
            for one in both
        ]
    )
    found = rounds.state(workspace, watercolor)
    assert found.step == "train"
    assert found.rounds[-1].state.answered == 12
    models_made = at_once(*[lambda: rounds.train(workspace, watercolor)] * 2)
    assert len({model.id for model in models_made}) == 1
    assert models_made[0].labels == 12


def test_two_who_say_the_opposite_of_the_last_image_leave_it_unsettled_and_the_round_complete(
    workspace: Workspace, watercolor: Attribute
) -> None:
    task = rounds.start_round(workspace, watercolor, count=1, seed=1).task
    both = given_to_both(workspace, task)
    row = int(task.rows[0])
    at_once(
        *[
            lambda one=one, said=said: workspace.annotations.record(one.id, [NewAnswer(uuid.uuid4().hex, row, said)])
            for one, said in zip(both, (1, 0), strict=True)
        ]
    )
    found = tasks.state(workspace, task)
    assert found.complete
    assert (found.settled, found.disputed) == (0, 1)


# Bad input


def test_labels_of_one_kind_alone_are_named_and_the_next_round_looks_for_the_other(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.truth = dict.fromkeys(oracle.truth, True)
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=6, seed=1).task)
    with pytest.raises(LearningError, match="All 6 labelled images are positive"):
        rounds.train(workspace, watercolor)
    assert latest_model(workspace, watercolor) is None
    assert rounds.start_round(workspace, watercolor, count=6, strategy="random", seed=2).number == 2


# Images that cannot be shown


def lose(workspace: Workspace, row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make thumbnail and file of an image vanish."""
    place = workspace.catalogue.image(row).path
    workspace.thumbnails.path(row).unlink(missing_ok=True)
    real = Path.stat

    def stat(self: Path, **more: Any) -> Any:
        if self == place:
            raise FileNotFoundError(2, "No such file or directory")
        return real(self, **more)

    monkeypatch.setattr(Path, "stat", stat)


def test_an_image_that_cannot_be_shown_holds_up_no_round_and_is_named(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    task = rounds.start_round(workspace, watercolor, count=12, seed=1).task
    assignment = assigning.open_task(workspace, task, "ada")
    assert assignment is not None
    gone = int(task.rows[3])
    answers = [
        NewAnswer(uuid.uuid4().hex, int(row), int(oracle.knows(workspace, row))) for row in task.rows if row != gone
    ]
    workspace.annotations.record(assignment.id, answers)
    assert rounds.state(workspace, watercolor).step == "label_round"
    with monkeypatch.context() as without:
        lose(workspace, gone, without)
        found = tasks.state(workspace, task)
        assert (found.total, found.answered, found.missing) == (11, 11, 1)
        assert found.complete
        assert assigning.open_task(workspace, task, "ada") is None
        assert waiting_tasks(workspace, watercolor, "ada") == []
        assert rounds.state(workspace, watercolor).step == "train"
        (problem,) = missing_image_problems(workspace, task.rows)
        assert problem.uri == workspace.catalogue.image(gone).uri
        assert "not found" in problem.reason
    assert tasks.state(workspace, task).missing == 0  # the file is back: the image is asked about again
    again = assigning.open_task(workspace, task, "ada")
    assert again is not None
    assert again.id == assignment.id


def test_a_new_assignment_is_made_where_only_lost_images_are_left_of_the_old_one(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    validation.draw_validation(workspace, watercolor, 6, seed=1)
    task = tasks.validation_task(workspace, watercolor)
    first = assigning.open_task(workspace, task, "ada")
    assert first is not None
    gone, *others = first.rows
    workspace.annotations.record(first.id, [NewAnswer(uuid.uuid4().hex, row, 0) for row in others])
    lose(workspace, gone, monkeypatch)
    validation.draw_validation(workspace, watercolor, 4, seed=2)
    second = assigning.open_task(workspace, tasks.validation_task(workspace, watercolor), "ada")
    assert second is not None
    assert len(second.rows) == 4
    assert gone not in second.rows


def test_an_answered_image_stays_answered_when_its_file_goes(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = rounds.start_round(workspace, watercolor, count=4, seed=1).task
    oracle.answer(workspace, task)
    lose(workspace, int(task.rows[0]), monkeypatch)
    found = tasks.state(workspace, task)
    assert (found.total, found.answered, found.missing) == (4, 4, 0)


def test_a_damaged_file_without_a_thumbnail_is_tried_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(db.images).where(db.images.c.row == 7).values(uri=str(broken)))
    workspace.thumbnails.path(7).unlink()
    tried: list[int] = []
    real = Thumbnails.ensure
    monkeypatch.setattr(Thumbnails, "ensure", lambda self, row, path: (tried.append(row), real(self, row, path))[1])
    for _ in range(3):
        assert missing_images(workspace, [6, 7]).tolist() == [7]
    assert tried == [7]


def test_a_missing_thumbnail_is_made_again_where_the_file_is_there(workspace: Workspace) -> None:
    workspace.thumbnails.path(7).unlink()
    assert missing_images(workspace, [7]).tolist() == []
    assert workspace.thumbnails.has(7)
