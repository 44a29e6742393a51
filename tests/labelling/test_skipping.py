"""Skipping: an image is somebody else's, comes back to nobody who skipped it unless they ask, and is no answer."""

import uuid
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import SKIPPED, WITHDRAWN, Assignment, NewAnswer, Saved
from bam_engine.annotation.mixing import Schedule
from bam_engine.annotation.remark_store import NewRemark
from bam_engine.database import backups
from bam_engine.errors import AnnotationError
from bam_engine.freezing import snapshots
from bam_engine.labelling import adjudication, agreement, assigning, direct_answers, gold, tasks
from bam_engine.labelling.accepted import accepted_answers
from bam_engine.labelling.assigning import open_share
from bam_engine.labelling.tasks import Task
from bam_engine.training import setting_aside
from bam_engine.workspace import Workspace
from benchmarks import annotating
from tests.labelling.team import decide, vote

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def workspace(database_url: str, tmp_path: Path) -> Iterator[Workspace]:
    """Twelve images, in assignments of four, on either kind of database."""
    place = annotating.Place(tmp_path, database_url)
    annotating.prepare(place, 12, votes=1)
    opened = place.open()
    opened.assignment_size = 4
    yield opened
    opened.close()


@pytest.fixture
def task(workspace: Workspace) -> Task:
    return annotating.task_of(workspace)


def given(workspace: Workspace, task: Task, name: str, minutes: float = 0) -> Assignment | None:
    found = open_share(workspace, task, name, moment=NOW + timedelta(minutes=minutes))
    return None if found is None else found.current


def say(
    workspace: Workspace,
    assignment: Assignment | None,
    answer: int,
    rows: Collection[int] = (),
    minutes: float = 0,
    **about: int,
) -> Saved:
    """Answer an assignment, or some of its rows, as a browser does."""
    assert assignment is not None
    answers = [NewAnswer(uuid.uuid4().hex, row, answer, **about) for row in rows or assignment.rows]
    terms = assigning.terms_of(workspace, assignment, moment=NOW + timedelta(minutes=minutes))
    return workspace.annotations.record(assignment.id, answers, terms_of=lambda _: terms)


def who(workspace: Workspace, name: str) -> int:
    return workspace.annotations.annotator(name)


def rows_left(workspace: Workspace, task: Task, name: str) -> list[int]:
    return sorted(assigning.rows_for(workspace, task, who(workspace, name), moment=NOW).tolist())


def work_through(workspace: Workspace, task: Task, name: str) -> list[int]:
    """Let somebody answer all that they are given; return the rows in their order."""
    seen: list[int] = []
    while (assignment := given(workspace, task, name)) is not None:
        say(workspace, assignment, 1, set(assignment.rows) - set(answered(workspace, task, name)))
        seen += assignment.rows
    return seen


def answered(workspace: Workspace, task: Task, name: str) -> Collection[int]:
    theirs = tasks.skipped_by(workspace, task.attribute, who(workspace, name))
    return theirs | tasks.answered_by(workspace, task.attribute, who(workspace, name)).keys()


def test_what_is_skipped_is_no_answer_and_goes_to_somebody_else(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    assert first is not None
    say(workspace, first, SKIPPED, [1])
    assert tasks.state(workspace, task).answered == 0
    assert len(tasks.votes(workspace, task.attribute).rows) == 0, "nor does it count as unsure"
    share = open_share(workspace, task, "ada", moment=NOW)
    assert share is not None
    assert share.answers == {1: SKIPPED}, "the page shows it as skipped, and asks about the others"
    assert rows_left(workspace, task, "ben") == [1, *range(4, 12)], "at once, while she goes on with the others"
    assert 1 not in work_through(workspace, task, "ada")[4:], "it does not come back to her"
    assert given(workspace, task, "ada") is None
    assert given(workspace, task, "ben").rows == (1,)
    say(workspace, given(workspace, task, "ben"), 0)
    assert tasks.state(workspace, task).complete
    (line,) = (one for one in agreement.measure(workspace, task.attribute).annotators if one.name == "ada")
    assert (line.answers, line.unsure.value) == (11, 0.0)


def test_one_whose_last_image_is_skipped_is_given_the_next_assignment(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    say(workspace, first, 1, [0, 1, 2])
    say(workspace, first, SKIPPED, [3])
    assert given(workspace, task, "ada").rows == (4, 5, 6, 7)
    assert rows_left(workspace, task, "ben") == [3, 8, 9, 10, 11]


def test_skipping_an_answered_image_takes_the_answer_back_and_answering_it_ends_the_skip(
    workspace: Workspace, task: Task
) -> None:
    first = given(workspace, task, "ada")
    say(workspace, first, 1, [0])
    say(workspace, first, SKIPPED, [0])
    assert tasks.answered_by(workspace, task.attribute, who(workspace, "ada")) == {}
    say(workspace, first, 0, [0])
    assert tasks.skipped_by(workspace, task.attribute, who(workspace, "ada")) == set()
    assert tasks.labels_of(tasks.labels(workspace, task.attribute), np.array([0])).tolist() == [0]
    assert accepted_answers(workspace, task.attribute)[who(workspace, "ada")] == 0, "the first answer was another one"


def test_a_skip_before_the_first_answer_does_not_make_the_answer_a_second_one(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    say(workspace, first, SKIPPED, [0])
    say(workspace, first, 1, [0])
    assert accepted_answers(workspace, task.attribute)[who(workspace, "ada")] == 1


def test_who_asks_for_it_is_given_what_they_skipped_and_that_can_be_undone(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    say(workspace, first, SKIPPED, [1, 2])
    work_through(workspace, task, "ada")
    ada = who(workspace, "ada")
    rows = assigning.skipped(workspace, task, ada)
    assert rows.tolist() == [1, 2]
    back = assigning.take_skips_back(workspace, task.attribute, ada, rows)
    assigning.skip_again(workspace, back)
    assert given(workspace, task, "ada") is None
    back = assigning.take_skips_back(workspace, task.attribute, ada, rows)
    again = given(workspace, task, "ada")
    assert again is not None
    assert (again.rows, again.id == first.id) == ((1, 2), False), "in an assignment that no page shows as skipped"
    assert say(workspace, again, 1, seen=WITHDRAWN).newer == {}
    assert tasks.state(workspace, task).complete
    assert assigning.skipped(workspace, task, ada).tolist() == []


def test_what_others_have_answered_is_not_offered_again(workspace: Workspace, task: Task) -> None:
    say(workspace, given(workspace, task, "ada"), SKIPPED, [1])
    say(workspace, given(workspace, task, "ada"), 1, [0, 2, 3])
    vote(workspace, task.attribute, "ben", {1: 1}, purpose="round")
    assert assigning.skipped(workspace, task, who(workspace, "ada")).tolist() == []


def test_a_skip_holds_whatever_is_set_aside_and_for_the_person_under_each_name(
    workspace: Workspace, task: Task
) -> None:
    say(workspace, given(workspace, task, "ada"), SKIPPED, [0])
    setting_aside.set_aside(workspace, workspace.annotators.get("ada"), task.attribute)
    assert 0 not in rows_left(workspace, task, "ada")
    workspace.annotators.merge(who(workspace, "ada"), who(workspace, "ben"))
    assert 0 not in rows_left(workspace, task, "ben")


def test_a_skip_is_not_counted_among_the_answers_of_a_person(workspace: Workspace, task: Task) -> None:
    first, ada = given(workspace, task, "ada"), who(workspace, "ada")
    say(workspace, first, SKIPPED, [0, 1])
    say(workspace, first, 1, [2])
    counts = agreement.answers_by_annotator(workspace)[ada], workspace.annotations.count(task.attribute.id, ada)
    assert counts == (1, 1)
    setting_aside.set_aside(workspace, workspace.annotators.get("ada"), task.attribute)
    assert setting_aside.set_aside_by_annotator(workspace) == {ada: 1}


def test_what_two_people_skip_is_put_to_the_reviewer_and_a_decision_deals_with_it(
    workspace: Workspace, task: Task
) -> None:
    attribute = task.attribute
    say(workspace, given(workspace, task, "ada"), SKIPPED)
    assert adjudication.told(workspace, attribute) == [], "one skip asks nobody but the next annotator"
    workspace.leases.give_back([one.assignment.id for one in workspace.leases.of(attribute.id, NOW)])
    say(workspace, given(workspace, task, "ben"), SKIPPED, [0, 2])
    assert [(one.row, one.annotator, one.kind, one.id) for one in adjudication.told(workspace, attribute)] == [
        (row, name, "skip", None) for row in (0, 2) for name in ("ada", "ben")
    ]
    assert tasks.adjudication_task(workspace, attribute).rows.tolist() == [0, 2]
    decide(workspace, attribute, "eve", {0: 1})
    assert {one.row for one in adjudication.told(workspace, attribute)} == {2}
    assert tasks.adjudication_task(workspace, attribute).rows.tolist() == [0, 2], "so that eve can change it"
    adjudication.retract(workspace, attribute, 0, "eve")
    assert {one.row for one in adjudication.told(workspace, attribute)} == {0, 2}
    vote(workspace, attribute, "eve", {0: 1, 2: 1}, purpose="round")
    assert tasks.adjudication_task(workspace, attribute).rows.tolist() == [], "votes deal with it too"


def test_a_skip_replayed_reordered_or_late_changes_nothing_more(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    assert first is not None
    skip = NewAnswer("one", 0, SKIPPED, seen=WITHDRAWN)
    terms = assigning.terms_of(workspace, first, moment=NOW)
    sent = [workspace.annotations.record(first.id, [skip], terms_of=lambda _: terms) for _ in range(2)]
    assert [(one.new, one.repeated) for one in sent] == [(1, 0), (0, 1)]
    say(workspace, first, 1, [0])
    workspace.annotations.record(first.id, [skip], terms_of=lambda _: terms)
    assert tasks.skipped_by(workspace, task.attribute, who(workspace, "ada")) == set(), "the answer came later"
    much_later = 60 * 24
    assert say(workspace, first, SKIPPED, [1], minutes=much_later).new == 1
    assert 1 not in rows_left(workspace, task, "ada")


def test_a_skip_of_what_others_have_answered_is_no_extra_vote(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    vote(workspace, task.attribute, "ben", {0: 1}, purpose="round")
    assert (say(workspace, first, SKIPPED, [0]).extra, say(workspace, first, 1, [0]).extra) == (0, 1)
    assert tasks.labels_of(tasks.labels(workspace, task.attribute), np.array([0])).tolist() == [1]


def test_an_older_tab_does_not_answer_over_a_skip_nor_skip_over_an_answer(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    say(workspace, first, SKIPPED, [0], seen=WITHDRAWN)
    say(workspace, first, 1, [1], seen=WITHDRAWN)
    assert say(workspace, first, 0, [0], seen=WITHDRAWN).newer == {0: SKIPPED}
    assert say(workspace, first, SKIPPED, [1], seen=WITHDRAWN).newer == {1: 1}
    assert tasks.answered_by(workspace, task.attribute, who(workspace, "ada")) == {1: 1}


def test_nothing_but_what_a_task_asks_can_be_skipped(workspace: Workspace, task: Task) -> None:
    attribute, first = task.attribute, given(workspace, task, "ada")
    with pytest.raises(AnnotationError, match="Row 11 is not in this assignment"):
        say(workspace, first, SKIPPED, [0, 11])
    workspace.remarks.add(first, [NewRemark("flag", 0, "flag")])
    deciding = assigning.open_task(workspace, tasks.adjudication_task(workspace, attribute), "eve")
    with pytest.raises(AnnotationError, match="Only an image that a task asks about can be skipped"):
        say(workspace, deciding, SKIPPED)
    with pytest.raises(AnnotationError):
        direct_answers.answer(workspace, attribute, 0, SKIPPED, annotator="ada")
    assert tasks.skips(workspace, attribute) == {}


def test_a_flag_and_a_skip_of_one_image_are_both_there(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    workspace.remarks.add(first, [NewRemark("flag", 0, "flag", "whose is it?")])
    say(workspace, first, SKIPPED, [0])
    assert [(one.kind, one.text) for one in adjudication.told(workspace, task.attribute)] == [("flag", "whose is it?")]
    assert tasks.skips(workspace, task.attribute) == {who(workspace, "ada"): {0}}


def test_gold_can_be_skipped_like_any_other_image_and_is_not_judged(workspace: Workspace, task: Task) -> None:
    workspace.assignment_size = 6
    known = {row: row % 2 for row in range(6)}
    for name in ("eve", "fay", "gil"):
        vote(workspace, task.attribute, name, known, purpose="round")
    asked = Task(task.attribute, "round", 2, "Round 2", np.arange(6, 12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gold, "ENOUGH", 5)
        gold.set_schedule(workspace, Schedule(0.5, 0.5, 0.5))
        mixed = given(workspace, asked, "ada")
        assert mixed is not None
        assert mixed.gold, "the draw of this place has some"
        left = assigning.left_for(workspace, asked, who(workspace, "ada"), moment=NOW)
        one = min(mixed.gold)
        say(workspace, mixed, SKIPPED, [one])
        assert assigning.left_for(workspace, asked, who(workspace, "ada"), moment=NOW) == left - 1
        share = open_share(workspace, asked, "ada", moment=NOW)
        assert share is not None
        assert share.answers == {one: SKIPPED}
        assert gold.right_on_gold(workspace, {}) == {}
        assert gold.own_accuracy(workspace, who(workspace, "ada")).n == 0
        say(workspace, mixed, known[one], [one])
        found = gold.right_on_gold(workspace, {})
        assert found == {who(workspace, "ada"): (1, 1)}, "the first answer is judged, whatever was skipped before"


@pytest.fixture
def mixing(workspace: Workspace, task: Task, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A round of which every assignment holds gold."""
    workspace.assignment_size = 6
    for name in ("eve", "fay", "gil"):
        vote(workspace, task.attribute, name, {row: row % 2 for row in range(6)}, purpose="round")
    monkeypatch.setattr(gold, "ENOUGH", 5)
    gold.set_schedule(workspace, Schedule(0.5, 0.5, 0.5))
    return Task(task.attribute, "round", 2, "Round 2", np.arange(6, 12))


def skip_all(workspace: Workspace, task: Task, name: str) -> tuple[set[int], set[int]]:
    """Let somebody skip all that they are given; return the rows, and which of them are gold."""
    seen, golden = set[int](), set[int]()
    while (assignment := given(workspace, task, name)) is not None:
        say(workspace, assignment, SKIPPED, set(assignment.rows) - set(answered(workspace, task, name)))
        seen.update(assignment.rows)
        golden |= assignment.gold
    return seen, golden


def test_undoing_that_skips_were_taken_back_keeps_what_was_answered_since(workspace: Workspace, task: Task) -> None:
    say(workspace, given(workspace, task, "ada"), SKIPPED, [1, 2])
    ada = who(workspace, "ada")
    back = assigning.take_skips_back(workspace, task.attribute, ada, np.array([1, 2]))
    say(workspace, given(workspace, task, "ada"), 1, [1], seen=WITHDRAWN)
    assigning.skip_again(workspace, back)
    assert tasks.answered_by(workspace, task.attribute, ada) == {1: 1}
    assert tasks.skipped_by(workspace, task.attribute, ada) == {2}


def test_taking_a_skip_back_keeps_what_was_answered_on_another_page(workspace: Workspace, task: Task) -> None:
    first, ada = given(workspace, task, "ada"), who(workspace, "ada")
    say(workspace, first, SKIPPED, [1])
    rows = assigning.skipped(workspace, task, ada)
    say(workspace, first, 1, [1], seen=SKIPPED)
    assigning.take_skips_back(workspace, task.attribute, ada, rows)
    assert tasks.answered_by(workspace, task.attribute, ada) == {1: 1}


def test_gold_that_was_skipped_is_offered_and_comes_back_with_all_else(workspace: Workspace, mixing: Task) -> None:
    ada = who(workspace, "ada")
    seen, golden = skip_all(workspace, mixing, "ada")
    assert golden, "the draw of this place has some"
    rows = assigning.skipped(workspace, mixing, ada)
    assert set(rows.tolist()) == seen
    back = assigning.take_skips_back(workspace, mixing.attribute, ada, rows)
    assert assigning.left_for(workspace, mixing, ada, moment=NOW) == len(seen)
    again, found = given(workspace, mixing, "ada"), set[int]()
    assert again is not None
    assigning.skip_again(workspace, back)
    assert tasks.skipped_by(workspace, mixing.attribute, ada) == seen
    assigning.take_skips_back(workspace, mixing.attribute, ada, assigning.skipped(workspace, mixing, ada))
    while (again := given(workspace, mixing, "ada")) is not None:
        assert again.gold <= golden, "no new image comes with them: it would be gold"
        for row in set(again.rows) - found:
            assert say(workspace, again, row % 2, [row], seen=WITHDRAWN).newer == {}
        found.update(again.rows)
    assert found == seen
    assert gold.right_on_gold(workspace, {}) == {ada: (len(golden), len(golden))}, "taken back is not answered"


def test_skipped_gold_alone_comes_back_as_well(workspace: Workspace, mixing: Task) -> None:
    ada, golden = who(workspace, "ada"), set[int]()
    while (assignment := given(workspace, mixing, "ada")) is not None:
        left = set(assignment.rows) - set(answered(workspace, mixing, "ada"))
        say(workspace, assignment, SKIPPED, left & assignment.gold or left - assignment.gold) if left else None
        golden |= assignment.gold
        if left - assignment.gold:
            say(workspace, assignment, 1, left - assignment.gold)
    rows = assigning.skipped(workspace, mixing, ada)
    assert set(rows.tolist()) == golden
    assigning.take_skips_back(workspace, mixing.attribute, ada, rows)
    again = given(workspace, mixing, "ada")
    assert again is not None
    assert set(again.rows) == golden


def test_skipped_gold_is_offered_no_longer_than_what_was_skipped_with_it(workspace: Workspace, mixing: Task) -> None:
    seen, golden = skip_all(workspace, mixing, "ada")
    vote(workspace, mixing.attribute, "ben", dict.fromkeys(sorted(seen - golden), 1), purpose="round")
    assert assigning.skipped(workspace, mixing, who(workspace, "ada")).tolist() == []


def test_what_is_asked_no_more_is_not_skipped_and_keeps_its_answer(workspace: Workspace, task: Task) -> None:
    first = given(workspace, task, "ada")
    say(workspace, first, 1, [0])
    with workspace.engine.begin() as connection:
        made = {"strategy": "random", "encoder": "builtin", "seed": 1, "made_at": "2030"}
        for number in (1, 2):
            about = {"id": task.source_id + number, "attribute_id": task.attribute.id, "number": number}
            connection.execute(sa.insert(db.rounds).values(**about, **made))
    with pytest.raises(AnnotationError, match="Only an image that a task asks about can be skipped"):
        say(workspace, first, SKIPPED, [0])
    assert tasks.answered_by(workspace, task.attribute, who(workspace, "ada")) == {0: 1}
    assert say(workspace, first, 0, [0]).new == 1, "an answer can still be corrected"


@pytest.mark.parametrize("imported", [False, True])
def test_an_answer_that_no_task_asked_for_ends_a_skip(workspace: Workspace, task: Task, *, imported: bool) -> None:
    attribute = task.attribute
    for name in ("ada", "ben"):
        say(workspace, given(workspace, task, name), SKIPPED, [0])
        workspace.leases.give_back([one.assignment.id for one in workspace.leases.of(attribute.id, NOW)])
    assert tasks.skipped_by_several(workspace, attribute) == [0]
    if imported:
        vote(workspace, attribute, "ada", {0: 1}, purpose="import")
    else:
        direct_answers.answer(workspace, attribute, 0, 1, annotator="ada")
    assert tasks.skips(workspace, attribute) == {who(workspace, "ben"): {0}}
    vote(workspace, attribute, "cleo", {1: 1}, purpose="direct")
    assert tasks.skips(workspace, attribute) == {who(workspace, "ben"): {0}}, "nor does another answer end another"


def test_a_direct_answer_that_settles_what_several_skipped_takes_it_from_the_reviewer(
    workspace: Workspace, task: Task
) -> None:
    attribute = task.attribute
    for name in ("ada", "ben"):
        say(workspace, given(workspace, task, name), SKIPPED, [0, 1])
        workspace.leases.give_back([one.assignment.id for one in workspace.leases.of(attribute.id, NOW)])
    direct_answers.answer(workspace, attribute, 0, 1, annotator="cleo")
    assert tasks.labels_of(tasks.labels(workspace, attribute), np.array([0])).tolist() == [1]
    assert tasks.skipped_by_several(workspace, attribute) == [1]
    assert {one.row for one in adjudication.told(workspace, attribute)} == {1}


def test_skips_alone_are_nothing_to_set_aside_and_no_answers_of_the_database(workspace: Workspace, task: Task) -> None:
    say(workspace, given(workspace, task, "ada"), SKIPPED)
    assert setting_aside.effects(workspace, workspace.annotators.get("ada")) == []
    found = backups.contents(workspace.engine.url)
    assert found is not None
    assert found.answers == 0
    assert snapshots.create(workspace, "first").answers == 0
