"""Assignments: who holds which images, until when, and what an answer counts that comes late."""

import uuid
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Assignment, Attribute, NewAnswer, Saved
from bam_engine.errors import BamError
from bam_engine.labelling import adjudication, assigning, tasks
from bam_engine.labelling.assigning import open_share, open_task
from bam_engine.labelling.tasks import Task
from bam_engine.training import rounds
from bam_engine.workspace import Workspace
from tests.database.counting import counted
from tests.labelling.team import decide

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def task(workspace: Workspace, watercolor: Attribute) -> Task:
    """A round of 20 images, in assignments of 5."""
    workspace.assignment_size = 5
    return rounds.start_round(workspace, watercolor, count=20, seed=1).task


def given(workspace: Workspace, task: Task, name: str, moment: datetime = NOW) -> Assignment:
    assignment = open_task(workspace, task, name, moment=moment)
    assert assignment is not None
    return assignment


def answer(
    workspace: Workspace, assignment: Assignment, said: int = 1, *, rows: Collection[int] = (), moment: datetime = NOW
) -> Saved:
    """Answer an assignment, or some of its rows, as a browser does."""
    answers = [NewAnswer(uuid.uuid4().hex, row, said) for row in rows or assignment.rows]
    terms = assigning.terms_of(workspace, assignment, moment=moment)
    return workspace.annotations.record(assignment.id, answers, terms_of=lambda _: terms)


def votes(workspace: Workspace, task: Task) -> dict[int, int]:
    """Return how many votes each image of the task has."""
    rows, number = np.unique(tasks.votes(workspace, task.attribute).rows, return_counts=True)
    return dict(zip(rows.tolist(), number.tolist(), strict=True))


def test_an_assignment_holds_as_many_images_as_the_workspace_says_and_the_next_follows(
    workspace: Workspace, task: Task
) -> None:
    seen: list[int] = []
    while (assignment := open_task(workspace, task, "ada", moment=NOW)) is not None:
        assert len(assignment.rows) == 5
        assert open_task(workspace, task, "ada", moment=NOW) == assignment, "until it is answered"
        answer(workspace, assignment)
        seen += assignment.rows
    assert seen == task.rows.tolist(), "in labelling order, each image once"
    assert tasks.state(workspace, task).complete


def test_nobody_is_given_what_another_one_holds(workspace: Workspace, task: Task) -> None:
    people = [given(workspace, task, name).rows for name in ("ada", "ben", "cleo", "dan")]
    assert sorted(sum(people, ())) == sorted(task.rows.tolist())
    assert open_task(workspace, task, "eve", moment=NOW) is None
    eve = workspace.annotations.annotator("eve")
    assert assigning.held_by_others(workspace, task, eve, moment=NOW) == 20
    assert assigning.rows_for(workspace, task, eve, moment=NOW).tolist() == []


def test_as_many_people_hold_an_image_as_it_needs(workspace: Workspace, task: Task) -> None:
    workspace.redundancy, workspace.assignment_size = 2, 20
    ada, ben = given(workspace, task, "ada"), given(workspace, task, "ben")
    assert ada.rows == ben.rows
    assert open_task(workspace, task, "cleo", moment=NOW) is None
    answer(workspace, ada, 1)
    assert open_task(workspace, task, "cleo", moment=NOW) is None, "ada has answered, and ben will"
    answer(workspace, ben, 0, rows=ben.rows[:3])
    third = given(workspace, task, "cleo")
    assert third.rows == ben.rows[:3], "where the two do not agree, one more is asked"
    assert open_task(workspace, task, "dan", moment=NOW) is None, "and no two more"


def test_an_image_comes_back_when_nobody_has_answered_for_the_time_of_a_lease(workspace: Workspace, task: Task) -> None:
    ada = given(workspace, task, "ada")
    assert set(given(workspace, task, "ben", after(29)).rows).isdisjoint(ada.rows)
    assert given(workspace, task, "cleo", after(31)).rows == ada.rows


def test_every_answer_extends_the_lease(workspace: Workspace, task: Task) -> None:
    ada = given(workspace, task, "ada")
    answer(workspace, ada, rows=ada.rows[:1], moment=after(20))
    assert set(given(workspace, task, "ben", after(45)).rows).isdisjoint(ada.rows)
    assert given(workspace, task, "cleo", after(51)).rows[:4] == ada.rows[1:], "what was left of it"


def test_whoever_comes_back_in_time_or_late_goes_on_where_they_were(workspace: Workspace, task: Task) -> None:
    ada = given(workspace, task, "ada")
    answer(workspace, ada, rows=ada.rows[:2])
    assert given(workspace, task, "ada", after(20)) == ada
    assert given(workspace, task, "ada", after(500)) == ada, "nobody has taken it meanwhile"
    assert set(given(workspace, task, "ben", after(510)).rows).isdisjoint(ada.rows), "and it is leased anew"


def test_whoever_comes_back_when_others_took_the_rest_gets_other_images(workspace: Workspace, task: Task) -> None:
    ada = given(workspace, task, "ada")
    answer(workspace, ada, rows=ada.rows[:2])
    ben = given(workspace, task, "ben", after(40))
    assert set(ada.rows[2:]) <= set(ben.rows)
    again = given(workspace, task, "ada", after(41))
    assert set(again.rows).isdisjoint({*ada.rows, *ben.rows})


def test_a_late_answer_counts_if_the_image_still_needs_a_vote(workspace: Workspace, task: Task) -> None:
    ada = given(workspace, task, "ada")
    ben = given(workspace, task, "ben", after(40))
    assert ben.rows == ada.rows
    answer(workspace, ben, 0, rows=ben.rows[:2], moment=after(41))
    saved = answer(workspace, ada, 1, moment=after(42))
    assert (saved.new, saved.extra) == (5, 2), "all are stored, and two were not needed"
    labels = tasks.labels(workspace, task.attribute)
    assert tasks.labels_of(labels, np.array(ada.rows)).tolist() == [0, 0, 1, 1, 1]
    assert set(votes(workspace, task).values()) == {1}
    assert answer(workspace, ben, 0, rows=ben.rows[2:], moment=after(43)).extra == 3, "ada was faster"
    assert set(votes(workspace, task).values()) == {1}
    history = workspace.annotations.image_annotations(task.attribute.id, ada.rows[0])
    assert [(one.annotator, one.purpose) for one in history] == [("ben", "round"), ("ada", "extra")]


def test_a_vote_of_ones_own_can_be_changed_though_the_image_needs_no_other(workspace: Workspace, task: Task) -> None:
    ada = given(workspace, task, "ada")
    answer(workspace, ada, 1)
    assert answer(workspace, ada, 0, rows=ada.rows[:1]).extra == 0
    assert tasks.labels_of(tasks.labels(workspace, task.attribute), np.array(ada.rows[:1])).tolist() == [0]


def test_a_late_answer_is_sent_again_and_stored_once(workspace: Workspace, task: Task) -> None:
    ada, ben = given(workspace, task, "ada"), given(workspace, task, "ben", after(40))
    answer(workspace, ben, 0, moment=after(41))
    late = [NewAnswer(f"late-{row}", row, 1) for row in ada.rows]
    terms = assigning.terms_of(workspace, ada, moment=after(42))
    for saved in ((5, 0, 5), (0, 5, 0)):
        found = workspace.annotations.record(ada.id, late, terms_of=lambda _: terms)
        assert (found.new, found.repeated, found.extra) == saved


def test_an_image_that_an_adjudicator_decided_takes_no_further_vote(workspace: Workspace, task: Task) -> None:
    workspace.redundancy, workspace.assignment_size = 2, 20
    for name, said in (("ada", 1), ("ben", 0)):
        answer(workspace, given(workspace, task, name), said)
    cleo, row = given(workspace, task, "cleo"), int(task.rows[0])
    decide(workspace, task.attribute, "eve", {row: 1})
    assert answer(workspace, cleo, 0).extra == 1
    adjudication.retract(workspace, task.attribute, row, "eve")
    assert row in assigning.rows_for(workspace, task, workspace.annotations.annotator("dan"), moment=after(31))


def test_two_tabs_of_one_person_share_an_assignment_and_the_older_answer_overwrites_nothing(
    workspace: Workspace, task: Task
) -> None:
    first, second = given(workspace, task, "ada"), given(workspace, task, "Ada ")
    assert first == second
    row = first.rows[0]
    workspace.annotations.record(first.id, [NewAnswer("new", row, 1, seen=-2)])
    saved = workspace.annotations.record(first.id, [NewAnswer("old", row, 0, seen=-2)])
    assert (saved.new, dict(saved.newer)) == (0, {row: 1})


def test_an_old_tab_overwrites_no_newer_answer_of_the_same_person_in_another_assignment(
    workspace: Workspace, task: Task
) -> None:
    old = given(workspace, task, "ada")
    answer(workspace, given(workspace, task, "ben", after(40)), rows=old.rows[:1], moment=after(40))
    new = given(workspace, task, "ada", after(80))
    assert new.id != old.id
    row = next(iter(set(new.rows) & set(old.rows)))
    workspace.annotations.record(new.id, [NewAnswer("new", row, 1, seen=-2)])
    saved = workspace.annotations.record(old.id, [NewAnswer("old", row, 0, seen=-2)])
    assert (saved.new, dict(saved.newer)) == (0, {row: 1})


def test_a_share_grows_before_it_is_used_up_and_its_images_keep_their_places(workspace: Workspace, task: Task) -> None:
    first = open_share(workspace, task, "ada", at_hand=8, moment=NOW)
    assert first is not None
    assert ([len(one.rows) for one in first.assignments], first.left, first.before) == ([5, 5], 10, 0)
    answer(workspace, first.assignments[0])
    second = open_share(workspace, task, "ada", at_hand=8, moment=NOW)
    assert second is not None
    assert second.assignments[:2] == first.assignments
    assert (len(second.assignments), second.left, second.current) == (3, 5, first.assignments[1])
    assert second.answers == dict.fromkeys(first.assignments[0].rows, 1)
    for assignment in second.assignments[1:]:
        answer(workspace, assignment)
    third = open_share(workspace, task, "ada", at_hand=8, moment=NOW)
    assert third is not None
    assert (third.before, len(third.assignments), third.left) == (15, 1, 0), "a new one begins when all is answered"


def test_what_is_given_back_is_free_at_once(workspace: Workspace, task: Task) -> None:
    ada = given(workspace, task, "me")
    workspace.leases.give_back([ada.id])
    assert given(workspace, task, "ada").rows == ada.rows


@pytest.mark.parametrize("minutes", [-600, 600])
def test_a_clock_that_jumps_loses_and_doubles_nothing(workspace: Workspace, task: Task, minutes: int) -> None:
    ada = given(workspace, task, "ada")
    ben = given(workspace, task, "ben", after(minutes))
    for one in (ada, ben):
        answer(workspace, one, moment=after(minutes))
    rest = given(workspace, task, "cleo")
    assert set(rest.rows).isdisjoint({*ada.rows, *ben.rows})
    answer(workspace, rest)
    assert set(votes(workspace, task).values()) == {1}


def test_opening_a_task_again_asks_the_database_next_to_nothing(workspace: Workspace, task: Task) -> None:
    with counted(workspace.engine) as first:
        open_share(workspace, task, "ada", at_hand=10)
    with counted(workspace.engine) as again:
        open_share(workspace, task, "ada", at_hand=10)
    assert len(first) <= 32, first
    assert len(again) <= 3, again


def test_all_assignments_that_a_page_needs_are_written_at_once(workspace: Workspace, task: Task) -> None:
    workspace.annotations.annotator("ada")
    writes: list[sa.Connection] = []

    def wrote(connection: sa.Connection) -> None:
        writes.append(connection)

    sa.event.listen(workspace.engine, "commit", wrote)
    share = open_share(workspace, task, "ada", at_hand=12, moment=NOW)
    sa.event.remove(workspace.engine, "commit", wrote)
    assert share is not None
    assert [len(one.rows) for one in share.assignments] == [5, 5, 5]
    assert [row for one in share.assignments for row in one.rows] == task.rows[:15].tolist()
    assert len({one.id for one in share.assignments}) == 3
    assert len(writes) == 1
    again = open_share(workspace, task, "ada", at_hand=12, moment=NOW)
    assert again is not None
    assert again.assignments == share.assignments, "they keep their order"


def test_leases_that_have_expired_are_not_kept(workspace: Workspace, task: Task) -> None:
    given(workspace, task, "ada")
    given(workspace, task, "ben", after(40))
    with workspace.engine.connect() as connection:
        assert len(connection.execute(db.leases.select()).all()) == 1


@pytest.mark.parametrize(
    ("setting", "value"), [("assignment_size", 0), ("assignment_size", 1001), ("lease_minutes", 0)]
)
def test_a_setting_that_makes_no_sense_is_refused(workspace: Workspace, setting: str, value: int) -> None:
    with pytest.raises(BamError, match="Choose a number from 1 to"):
        setattr(workspace, setting, value)
