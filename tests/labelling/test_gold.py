"""Gold: mixed in by a schedule and hidden, evidence about people, and nothing about images."""

import shutil
import uuid
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import GOLD, Assignment, NewAnswer, Saved
from bam_engine.annotation.mixing import Mixture, Schedule
from bam_engine.errors import BamError
from bam_engine.labelling import agreement, assigning, direct_answers, gold, tasks
from bam_engine.labelling.accepted import accepted_answers
from bam_engine.labelling.assigning import Share, open_share
from bam_engine.labelling.flags import differences
from bam_engine.labelling.tasks import Task
from bam_engine.learning import clopper_pearson
from bam_engine.reporting.own_work import own_work
from bam_engine.team import Role
from bam_engine.training import setting_aside
from bam_engine.training.last_answers import last_answers
from bam_engine.workspace import Workspace
from benchmarks import annotating
from benchmarks.annotating import Place
from tests.labelling.team import decide, vote

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
KNOWN = range(60)  # images that three people have answered
ASKED = range(60, 160)  # those of the task


def truth(row: int) -> int:
    return int(row % 3 == 0)


def prepare(place: Place) -> Workspace:
    """Make 160 images, of which three people have answered the first 60, and mix in gold."""
    annotating.prepare(place, 160, votes=2)
    opened = place.open()
    attribute = opened.attributes.get(annotating.ATTRIBUTE)
    for name in ("ada", "ben", "cleo"):
        vote(opened, attribute, name, {row: truth(row) for row in KNOWN}, purpose="round")
    opened.assignment_size = 10
    gold.set_schedule(opened, Schedule())
    return opened


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("gold")
    prepare(Place(home, None)).close()
    return home


@pytest.fixture
def workspace(template: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(template, tmp_path / "home")
    opened = Place(tmp_path / "home", None).open()
    yield opened
    opened.close()


@pytest.fixture
def task(workspace: Workspace) -> Task:
    return task_of(workspace)


def task_of(workspace: Workspace) -> Task:
    attribute = workspace.attributes.get(annotating.ATTRIBUTE)
    return Task(attribute, "round", 1, "Round 1", np.array(ASKED))


def share(workspace: Workspace, task: Task, name: str, minutes: float = 0, **options: int) -> Share:
    found = open_share(workspace, task, name, moment=NOW + timedelta(minutes=minutes), **options)
    assert found is not None
    return found


def answer(
    workspace: Workspace,
    assignment: Assignment,
    *,
    wrong: Collection[int] = (),
    rows: Collection[int] = (),
    minutes: float = 0,
) -> Saved:
    answers = [
        NewAnswer(uuid.uuid4().hex, row, 1 - truth(row) if row in wrong else truth(row))
        for row in rows or assignment.rows
    ]
    terms = assigning.terms_of(workspace, assignment, moment=NOW + timedelta(minutes=minutes))
    return workspace.annotations.record(assignment.id, answers, terms_of=lambda _: terms)


def work(workspace: Workspace, task: Task, name: str, assignments: int) -> list[Assignment]:
    """Let somebody answer assignments as they are given; return them."""
    given = []
    for _ in range(assignments):
        given.append(share(workspace, task, name).current)
        answer(workspace, given[-1])
    return given


def who(workspace: Workspace, name: str) -> int:
    return workspace.annotators.get(name).id


def test_gold_comes_by_the_schedule_each_image_once_and_no_image_of_the_task_is_lost(
    workspace: Workspace, task: Task
) -> None:
    seen: list[int] = []
    golden: list[bool] = []
    for one in work(workspace, task, "dan", 10):
        assert len(one.rows) == 10, "gold makes no assignment larger"
        seen += one.rows
        golden += [row in one.gold for row in one.rows]
    assert len(set(seen)) == len(seen)
    assert {row for row, is_gold in zip(seen, golden, strict=True) if is_gold} <= set(KNOWN)
    asked = [row for row, is_gold in zip(seen, golden, strict=True) if not is_gold]
    assert asked == list(ASKED)[: len(asked)], "in labelling order"
    assert sum(golden[:50]) > sum(golden[50:]), "fewer as somebody is known"


def test_the_expected_shares_are_those_of_the_schedule() -> None:
    """Among 2,000 people, the mean share at each stage is that of the schedule: five standard errors at most."""
    places = np.array(
        [
            [is_gold for _, is_gold in Mixture(range(1000, 1200), Schedule(), 0, [7, one]).into(range(150))][:100]
            for one in range(2000)
        ]
    )
    for begin, end, expected in ((0, 10, 0.5), (10, 50, 0.2), (50, 100, 0.05)):
        found = places[:, begin:end]
        assert abs(found.mean() - expected) < 5 * np.sqrt(expected * (1 - expected) / found.size)
    positions = places[:, :10].mean(axis=0)
    assert np.ptp(positions) < 10 * np.sqrt(0.25 / 2000), "no position is likelier than another"


def test_the_last_image_is_gold_as_often_as_any_other() -> None:
    last = [Mixture(range(99, 199), Schedule(0.5, 0.5, 0.5), 0, [3, one]).into(range(5))[-1][1] for one in range(2000)]
    assert abs(np.mean(last) - 0.5) < 5 * np.sqrt(0.25 / 2000)


def test_nobody_is_given_gold_that_they_answered_in_any_way(workspace: Workspace, task: Task) -> None:
    attribute = task.attribute
    assert not any(one.gold for one in work(workspace, task, "ada", 3)), "ada gave all of the answers"
    decided, direct = list(KNOWN)[:30], list(KNOWN)[30:58]
    vote(workspace, attribute, "dan", {row: truth(row) for row in decided}, purpose="adjudication")
    for row in direct:
        direct_answers.answer(workspace, attribute, row, truth(row), annotator="dan")
    given = {row for one in work(workspace, task, "dan", 3) for row in one.gold}
    assert given <= set(list(KNOWN)[58:])


def test_an_answer_to_gold_changes_nothing_that_is_known_of_images(workspace: Workspace, task: Task) -> None:
    def known() -> list[object]:
        votes, labels = tasks.votes(workspace, task.attribute), tasks.labels(workspace, task.attribute)
        return [
            list(zip(votes.rows.tolist(), votes.annotators.tolist(), votes.answers.tolist(), strict=True)),
            labels.counts.tolist(),
            tasks.state(workspace, task),
            agreement.planned_answers(workspace, task.attribute).answers.tolist(),
            differences(workspace, task.attribute).keys(),
        ]

    given = share(workspace, task, "dan").current
    assert given.gold
    before = known()
    assert answer(workspace, given, rows=given.gold, wrong=given.gold).new == len(given.gold)
    assert known() == before
    history = workspace.annotations.image_annotations(task.attribute.id, min(given.gold))
    assert [one.purpose for one in history if one.annotator == "dan"] == [GOLD]


def test_accuracy_is_counted_by_hand_with_exact_intervals_and_by_class(workspace: Workspace, task: Task) -> None:
    golden: set[int] = set()
    wrong: set[int] = set()
    for place in range(3):
        given = share(workspace, task, "dan").current
        missed = set(sorted(given.gold)[: place + 1])
        answer(workspace, given, wrong=missed)
        golden |= given.gold
        wrong |= missed
    (found,) = gold.accuracies(workspace)[who(workspace, "dan")]
    for among, measure in (
        (golden, found.right),
        ({row for row in golden if truth(row)}, found.right_on_yes),
        ({row for row in golden if not truth(row)}, found.right_on_no),
    ):
        hits = len(among - wrong)
        limits = clopper_pearson(hits, len(among))
        assert (measure.value, measure.low, measure.high, measure.n) == (
            hits / len(among),
            limits.low,
            limits.high,
            len(among),
        )


def test_answers_are_judged_by_what_is_known_today(workspace: Workspace, task: Task) -> None:
    given = share(workspace, task, "dan").current
    answer(workspace, given)
    row, golden = min(given.gold), len(given.gold)

    def right() -> tuple[float | None, int]:
        (found,) = gold.accuracies(workspace).get(who(workspace, "dan"), [None])
        return (None, 0) if found is None else (found.right.value, found.right.n)

    assert right() == (1.0, golden)
    vote(workspace, task.attribute, "olga", {row: 1 - truth(row)}, purpose="adjudication")
    assert right() == ((golden - 1) / golden, golden), "the label was corrected"
    vote(workspace, task.attribute, "dan", {row: truth(row)})
    assert right() == (1.0, golden - 1) if golden > 1 else (None, 0), "dan has a say in it now"
    setting_aside.set_aside(workspace, workspace.annotators.get("ada"))
    assert right()[1] <= golden - 1, "two people make nothing known"
    assert gold.accuracies(workspace) == {}


def test_unsure_is_not_right(workspace: Workspace, task: Task) -> None:
    given = share(workspace, task, "dan").current
    answers = [NewAnswer(uuid.uuid4().hex, row, -1) for row in given.gold]
    workspace.annotations.record(given.id, answers)
    assert gold.accuracies(workspace)[who(workspace, "dan")][0].right.value == 0


def test_a_reviewers_answer_is_known_and_an_annotators_is_not(workspace: Workspace, task: Task) -> None:
    workspace.redundancy = 1
    known = lambda: set(gold.known_images(workspace, task.attribute).rows.tolist())  # noqa: E731
    for name, role in (("olga", Role.OWNER), ("rita", Role.REVIEWER), ("anna", Role.ANNOTATOR)):
        workspace.team.accounts.add(name, role, "a blue door in June")
    vote(workspace, task.attribute, "olga", {60: 1}, purpose="round")
    vote(workspace, task.attribute, "anna", {61: 1}, purpose="round")
    direct_answers.answer(workspace, task.attribute, 62, 1, annotator="rita")
    direct_answers.answer(workspace, task.attribute, 63, 1, annotator="anna")
    vote(workspace, task.attribute, "olga", {64: -1}, purpose="round")
    assert known() - set(KNOWN) == {60, 62}
    account = workspace.team.accounts.get("olga")
    workspace.team.accounts.add("otto", Role.OWNER, "a blue door in June")
    workspace.team.accounts.set_role(account.id, Role.ANNOTATOR)
    assert 60 not in known()


def test_too_few_known_images_are_never_mixed_in_and_the_owner_is_told(workspace: Workspace, task: Task) -> None:
    setting_aside.set_aside(workspace, workspace.annotators.get("ada"))
    vote(workspace, task.attribute, "ada", {row: truth(row) for row in range(19)}, purpose="round")
    (state,) = gold.states(workspace)
    assert state.known == 19
    assert "the answer to 19 of 20 images is known: none are mixed in yet" in state.text
    assert "label 1 more image" in state.text
    assert share(workspace, task, "dan").current.gold == frozenset()
    vote(workspace, task.attribute, "ada", {19: truth(19)}, purpose="round")
    assert share(workspace, task, "eve").current.gold
    assert gold.states(workspace)[0].text == "the answer to 20 images is known"


def test_without_a_schedule_there_is_no_gold(workspace: Workspace, task: Task) -> None:
    gold.set_schedule(workspace, None)
    assert not share(workspace, task, "dan").current.gold


def test_a_share_that_makes_no_sense_is_refused(workspace: Workspace) -> None:
    for share_ in (-0.1, 0.95, float("nan")):
        with pytest.raises(BamError, match="Choose shares from 0% to 90%"):
            gold.set_schedule(workspace, Schedule(later=share_))
    assert gold.schedule(workspace) == Schedule()


def test_both_databases_mix_in_gold_and_keep_its_answers_apart(database_url: str, tmp_path: Path) -> None:
    opened = prepare(Place(tmp_path, database_url))
    task, before = task_of(opened), 0
    for place in range(3):
        given = share(opened, task, "dan").current
        assert set(given.gold) <= set(KNOWN)
        assert answer(opened, given, wrong=set(given.gold)).new == 10
        assert share(opened, task, "dan").before == 10 * (place + 1)
        before += len(given.gold)
    (found,) = gold.accuracies(opened)[who(opened, "dan")]
    assert (found.right.value, found.right.n) == (0.0, before)
    votes = tasks.votes(opened, task.attribute)
    assert (votes.annotators == who(opened, "dan")).sum() == 30 - before
    opened.close()


# That nobody can tell


def test_what_is_counted_for_the_annotator_goes_down_by_one_with_every_answer(workspace: Workspace, task: Task) -> None:
    """Before, in hand and left add up to the same number from the first image to the last, whichever are gold."""
    task = Task(task.attribute, "round", 1, "Round 1", task.rows[:30])
    everybody = share(workspace, task, "dan")
    dan, total = who(workspace, "dan"), None
    for _ in range(200):
        found = open_share(workspace, task, "dan", moment=NOW)
        if found is None:
            break
        in_hand = [row for one in found.assignments for row in one.rows]
        now = found.before + len(in_hand) + found.left
        assert total in (None, now)
        total = now
        open_ = [row for row in in_hand if row not in found.answers]
        left = assigning.left_for(workspace, task, dan, moment=NOW)
        assert left == len(open_) + found.left
        answer(workspace, found.current, rows=[row for row in found.current.rows if row not in found.answers][:1])
        assert assigning.left_for(workspace, task, dan, moment=NOW) == left - 1
        (line,) = own_work(workspace, "dan").attributes
        assert line.images == now - left + 1, "the page Your work counts each answer"
    assert everybody.before == 0
    assert assigning.left_for(workspace, task, dan, moment=NOW) == 0


def test_an_unanswered_gold_image_stays_in_hand_as_any_other(workspace: Workspace, task: Task) -> None:
    given = share(workspace, task, "dan").current
    answer(workspace, given, rows=set(given.rows) - given.gold)
    again = share(workspace, task, "dan", 20)
    assert again.current == given
    assert set(again.current.rows) - again.answers.keys() == given.gold
    late = share(workspace, task, "dan", 600)
    assert late.current == given, "its lease has expired, and it is leased anew"
    answer(workspace, given, minutes=600)
    assert share(workspace, task, "dan", 601).current.id != given.id


def test_stored_answers_to_gold_are_shown_and_changed_as_any_other(workspace: Workspace, task: Task) -> None:
    given = share(workspace, task, "dan").current
    answer(workspace, given, rows=given.rows[:-1])
    found = share(workspace, task, "dan")
    assert found.answers == {row: truth(row) for row in given.rows[:-1]}
    assert workspace.annotations.answered_rows(given.id) == found.answers
    for row in given.rows[:-1]:
        change = [NewAnswer(uuid.uuid4().hex, row, -1, seen=1 - truth(row))]
        assert workspace.annotations.record(given.id, change).newer == {row: truth(row)}, "a page that is older"
        change = [NewAnswer(uuid.uuid4().hex, row, -1, seen=truth(row))]
        assert workspace.annotations.record(given.id, change).new == 1
    assert share(workspace, task, "dan").answers == dict.fromkeys(given.rows[:-1], -1)


def test_gold_is_among_the_answers_that_can_still_be_corrected(workspace: Workspace, task: Task) -> None:
    given = share(workspace, replace(task, purpose="validation", source_id=0), "dan").current
    assert given.gold
    answer(workspace, given)
    found = last_answers(workspace, task.attribute, "dan")
    assert found is not None
    assert [one.row for one in found.answers] == list(given.rows)
    assert {one.assignment_id for one in found.answers} == {given.id}


def test_gold_in_hand_keeps_nobody_from_a_vote_that_its_image_needs(workspace: Workspace, task: Task) -> None:
    given = share(workspace, task, "dan").current
    again = Task(task.attribute, "audit", 1, "Audit", np.array(sorted(given.gold)), votes=4)
    eve = workspace.annotations.annotator("eve")
    assert assigning.rows_for(workspace, again, eve, moment=NOW).tolist() == sorted(given.gold)


def test_where_gold_is_mixed_in_nobody_is_told_which_answers_were_extra_votes(workspace: Workspace, task: Task) -> None:
    dan = share(workspace, task, "dan").current
    asked = [row for row in dan.rows if row not in dan.gold]
    for name in ("eve", "fay"):
        vote(workspace, task.attribute, name, {row: truth(row) for row in asked}, purpose="round")
    assert {(one.new, one.extra) for one in (answer(workspace, dan, rows=[row]) for row in dan.rows)} == {(1, 0)}
    purposes = {
        one.purpose
        for row in asked
        for one in workspace.annotations.image_annotations(task.attribute.id, row)
        if one.annotator == "dan"
    }
    assert purposes == {"extra"}, "they count for nothing all the same"


def test_right_answers_to_gold_are_accepted_and_told_in_tens(workspace: Workspace, task: Task) -> None:
    workspace.redundancy = 1
    given = work(workspace, task, "dan", 3)
    assert accepted_answers(workspace, task.attribute)[who(workspace, "dan")] == sum(len(one.rows) for one in given)
    answer(workspace, share(workspace, task, "dan").current, rows=share(workspace, task, "dan").current.rows[:4])
    (line,) = own_work(workspace, "dan").attributes
    assert (line.images, line.accepted) == (34, 30)
    assert line.agreement.n == 0, "how many images others answered too would tell which are gold"


def test_ones_own_accuracy_is_told_after_every_twenty(workspace: Workspace, task: Task) -> None:
    gold.set_schedule(workspace, Schedule(0.5, 0.5, 0.5))
    answered = 0
    while answered < 45:
        given = share(workspace, task, "dan").current
        for row in given.rows:
            answer(workspace, given, rows=[row])
            answered += row in given.gold
            assert own_work(workspace, "dan").gold.n == answered // 20 * 20


def counted(workspace: Workspace, task: Task, name: str) -> int:
    found = share(workspace, task, name)
    return found.before + len({row for one in found.assignments for row in one.rows}) + found.left


def test_another_task_about_the_attribute_does_not_tell_what_is_gold(workspace: Workspace, task: Task) -> None:
    first, second = (Task(task.attribute, "round", n, f"Round {n}", np.array(ASKED)[n::2]) for n in (0, 1))
    share(workspace, first, "dan"), share(workspace, second, "dan")
    dan = who(workspace, "dan")
    for one in (first, second):
        current = share(workspace, one, "dan").current
        for row in current.rows[:12]:
            before = sum(assigning.left_for(workspace, each, dan, moment=NOW) for each in (first, second))
            answer(workspace, current, rows=[row])
            after = sum(assigning.left_for(workspace, each, dan, moment=NOW) for each in (first, second))
            assert before - after == 1, f"{row}, gold: {row in current.gold}"


def test_an_answer_that_is_taken_back_moves_no_place(workspace: Workspace, task: Task) -> None:
    current = share(workspace, task, "dan").current
    total = counted(workspace, task, "dan")
    for row in current.rows[:9]:
        answer(workspace, current, rows=[row])
        workspace.annotations.record(
            current.id,
            [NewAnswer(uuid.uuid4().hex, row, -2)],
            terms_of=lambda _: assigning.terms_of(workspace, current, moment=NOW),
        )
        assert counted(workspace, task, "dan") == total


def test_ones_own_figure_does_not_move_with_a_changed_answer(workspace: Workspace, task: Task) -> None:
    gold.set_schedule(workspace, Schedule(0.5, 0.5, 0.5))
    given = []
    while sum(len(one.gold) for one in given) < 20:
        given += work(workspace, task, "dan", 1)
    before = own_work(workspace, "dan").gold
    assert before.n == 20
    for one in given:
        answer(workspace, one, wrong=one.rows)
    after = own_work(workspace, "dan").gold
    assert (after.n, after.value) == (before.n, before.value)


def test_what_a_person_holds_is_the_same_for_a_decision_as_without_gold(workspace: Workspace, task: Task) -> None:
    vote(workspace, task.attribute, "eve", {60: 1}, purpose="round")
    vote(workspace, task.attribute, "fay", {60: 0}, purpose="round")
    found = open_share(workspace, tasks.adjudication_task(workspace, task.attribute), "dan")
    assert found is not None
    assert found.current.rows == (60,)
    decide(workspace, task.attribute, "dan", {60: 1})
