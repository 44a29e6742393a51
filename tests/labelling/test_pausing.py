"""Pausing: who answers gold badly is given no more, loses nothing, and goes on when an owner lets them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import GOLD, SKIPPED, Answers, Assignment, NewAnswer
from bam_engine.annotation.annotator_store import Annotators
from bam_engine.annotation.answer_log import answer_log
from bam_engine.annotation.lease_store import Lease, Wanted
from bam_engine.annotation.mixing import Schedule
from bam_engine.annotation.pauses import Paused
from bam_engine.database import acting
from bam_engine.errors import BamError, TeamError
from bam_engine.labelling import assigning, direct_answers, gold, pausing, tasks
from bam_engine.labelling.pausing import PauseRule
from bam_engine.labelling.tasks import Task
from bam_engine.reporting.overview import waiting_of
from bam_engine.team import Role, recent_activity
from bam_engine.team.permissions import restrict
from bam_engine.training import setting_aside
from bam_engine.workspace import Workspace
from benchmarks.annotating import Place
from tests.labelling.team import vote
from tests.labelling.test_gold import NOW, answer, prepare, share, task_of, truth, who

RULE = PauseRule(after=10, below=0.7)


@pytest.fixture
def workspace(database_url: str, tmp_path: Path) -> Iterator[Workspace]:
    """160 images, of which 60 have a known answer, mixed in at nearly every place; on either kind of database."""
    opened = prepare(Place(tmp_path, database_url))
    gold.set_schedule(opened, Schedule(0.9, 0.9, 0.9))
    yield opened
    opened.close()


@pytest.fixture
def task(workspace: Workspace) -> Task:
    return task_of(workspace)


def answer_wrongly(workspace: Workspace, task: Task, name: str, assignments: int = 2) -> Assignment:
    """Let somebody answer the opposite of what is right; return the last assignment."""
    for _ in range(assignments):
        given = share(workspace, task, name).current
        answer(workspace, given, wrong=given.rows)
    return given


def test_who_answers_gold_badly_is_given_nothing_more_and_their_answers_count(workspace: Workspace, task: Task) -> None:
    answer_wrongly(workspace, task, "dan")
    for _ in range(2):
        answer(workspace, share(workspace, task, "eve").current)
    pausing.set_rule(workspace, RULE)
    before = workspace.annotations.answers(task.attribute.id)
    with pytest.raises(Paused, match=r"Your work is paused\..* Nothing is lost: .* ask an owner to let you go on"):
        share(workspace, task, "dan")
    (pause,) = workspace.pauses.now().values()
    assert (pause.annotator_id, pause.by_rule) == (who(workspace, "dan"), True)
    assert pause.reason.startswith("right on 0% (0–")
    assert pause.reason.endswith("with 95% confidence however often one looks; the rule asks for 70%")
    assert share(workspace, task, "eve"), "who answers well goes on"
    assert workspace.annotations.answers(task.attribute.id).answers.tolist() == before.answers.tolist()
    assert waiting_of(workspace, "dan").images == 0, "nothing waits for them"


def test_nobody_is_paused_without_a_rule_or_before_as_much_gold_as_it_says(workspace: Workspace, task: Task) -> None:
    answer_wrongly(workspace, task, "dan")
    n = pausing.on_gold(workspace, who(workspace, "dan")).right.n
    assert n >= RULE.after
    for rule in (None, PauseRule(after=n + 1, below=0.99)):
        pausing.set_rule(workspace, rule)
        assert pausing.falling_below(workspace, rule) == {}
        assert share(workspace, task, "dan")
    pausing.set_rule(workspace, PauseRule(after=n, below=0.99))
    assert list(pausing.falling_below(workspace, pausing.rule(workspace))) == [who(workspace, "dan")]


def test_what_they_hold_goes_to_others_in_the_same_act(workspace: Workspace, task: Task) -> None:
    held = share(workspace, task, "dan", at_hand=300)
    asked = {row for one in held.assignments for row in one.rows if row not in one.gold}
    assert asked == set(task.rows.tolist())
    share(workspace, task, "eve", at_hand=300)
    assert len(assigning.rows_for(workspace, task, workspace.annotations.annotator("fay"), moment=NOW)) == 0
    pausing.pause(workspace, workspace.annotators.get("dan"))
    assert len(assigning.rows_for(workspace, task, workspace.annotations.annotator("fay"), moment=NOW)) == 100
    holders = {one.assignment.annotator_id for one in workspace.leases.of(task.attribute.id, NOW)}
    assert holders == {who(workspace, "eve")}


def test_what_was_in_hand_is_stored_as_any_answer_that_comes_late(workspace: Workspace, task: Task) -> None:
    held = share(workspace, task, "dan", at_hand=300).assignments
    pausing.pause(workspace, workspace.annotators.get("dan"))
    assert all(answer(workspace, one).new == len(one.rows) for one in held)
    given = workspace.annotations.answers(task.attribute.id)
    votes = given.rows[given.annotators == who(workspace, "dan")].tolist()
    assert votes == task.rows.tolist(), "they count where the image needs them"
    with pytest.raises(Paused):
        share(workspace, task, "dan")


def test_the_store_gives_nothing_to_who_is_paused_whoever_asks(workspace: Workspace, task: Task) -> None:
    """A request that began before the pause ends after it, and answers that no task asked for are refused, too."""
    dan = workspace.annotations.annotator("dan")
    held = share(workspace, task, "dan").current
    wanted = Wanted(task.rows, np.full(len(task.rows), 2), tasks.votes(workspace, task.attribute))
    pausing.pause(workspace, workspace.annotators.get("dan"), "Let us talk about sketches.")
    asked = Assignment("", task.attribute.id, dan, "round", 1, rows=())
    lasts = assigning.timedelta(minutes=5)
    with pytest.raises(Paused, match="An owner has paused your work: Let us talk about sketches"):
        workspace.leases.take(asked, wanted, size=10, moment=NOW, lasts=lasts)
    with pytest.raises(Paused):
        workspace.leases.renew(held, wanted, moment=NOW, lasts=lasts)
    with pytest.raises(Paused):
        direct_answers.answer(workspace, task.attribute, 3, 1, annotator="dan")
    assert workspace.leases.of(task.attribute.id, NOW) == []


def test_who_goes_on_is_judged_by_what_they_answer_from_then_on(workspace: Workspace, task: Task) -> None:
    answer_wrongly(workspace, task, "dan")
    pausing.set_rule(workspace, RULE)
    dan = workspace.annotators.get("dan")
    pause = pausing.pause_of(workspace, dan.id)
    assert pause is not None
    pausing.resume(workspace, dan)
    assert pausing.on_gold(workspace, dan.id).right.n == 0
    given = share(workspace, task, "dan").current
    answer(workspace, given, wrong=given.rows, rows=given.rows[:8])
    assert share(workspace, task, "dan"), "eight at most are too few"
    pausing.set_rule(workspace, PauseRule(after=6, below=0.7))
    with pytest.raises(Paused):
        share(workspace, task, "dan")
    pausing.resume(workspace, dan)
    pausing.resume(workspace, dan)
    pausing.put_back(workspace, dan, pause)
    assert workspace.pauses.now()[dan.id] == pause


def test_a_pause_that_is_undone_was_no_pause_and_forgives_nothing(workspace: Workspace, task: Task) -> None:
    answer_wrongly(workspace, task, "dan")
    dan = workspace.annotators.get("dan")
    before = pausing.on_gold(workspace, dan.id)
    pausing.pause(workspace, dan)
    pausing.put_back(workspace, dan, None)
    assert workspace.pauses.last(dan.id) is None
    assert pausing.on_gold(workspace, dan.id) == before
    assert share(workspace, task, "dan")


def test_nobody_clears_their_record(workspace: Workspace, task: Task) -> None:
    """Neither by answering the images elsewhere, nor by answering them again, nor when answers are set aside."""
    answered = answer_wrongly(workspace, task, "dan")
    dan = workspace.annotators.get("dan")
    before = pausing.on_gold(workspace, dan.id)
    assert before.right.n >= RULE.after
    for row in answered.gold:
        direct_answers.answer(workspace, task.attribute, row, 1, annotator="dan")
        direct_answers.answer(workspace, task.attribute, row, None, annotator="dan")
    answer(workspace, answered)
    setting_aside.set_aside(workspace, dan)
    assert pausing.on_gold(workspace, dan.id) == before


def by_definition(workspace: Workspace, annotator_id: int, since: int = 0) -> tuple[int, int]:
    """Return on how many images of gold a person was right, and of how many, one image after the other.

    An image counts whose answer is known, if their first answer to it as gold was their first answer to it of all, and
    came after ``since``; it is right if it is what is known.
    """
    right = judged = 0
    for attribute in workspace.attributes.all():
        known = gold.known_images(workspace, attribute)
        log = answer_log(workspace.engine, attribute.id, set_aside=True)
        to_gold = log.given_for([GOLD])
        for row, label in zip(known.rows.tolist(), known.labels.tolist(), strict=True):
            theirs = [at for at in range(len(log)) if log.annotators[at] == annotator_id and log.rows[at] == row]
            golden = [at for at in theirs if to_gold[at] and log.answers[at] != SKIPPED]
            if golden and all(to_gold[at] for at in theirs if at < golden[0]) and log.ids[golden[0]] > since:
                judged, right = judged + 1, right + int(log.answers[golden[0]] == label)
    return right, judged


def test_all_are_judged_in_one_pass_as_each_is_alone_and_by_the_definition(workspace: Workspace, task: Task) -> None:
    """After right, wrong and unsure answers, skips, corrections, answers set aside, a merge, a pause and its end."""
    rng, people = np.random.default_rng(1), ["dan", "eve", "fay", "gil"]
    seen = list(range(0, 60, 5))
    vote(workspace, task.attribute, "dan", {row: truth(row) for row in seen[:6]}, purpose="direct")
    other = workspace.attributes.add("boat", "own", "Is there a boat?")
    for name in ("ada", "ben", "cleo"):
        vote(workspace, other, name, {row: row % 2 for row in range(30)}, purpose="round")
    dan, gil = (workspace.annotations.annotator(name) for name in ("dan", "gil"))
    for part in range(3):
        for name in people:
            given = share(workspace, task, name).current
            said = rng.choice([1, 0, -1, SKIPPED], len(given.rows), p=[0.4, 0.4, 0.1, 0.1]).tolist()
            answers = [NewAnswer(f"{part}-{name}-{row}", row, one) for row, one in zip(given.rows, said, strict=True)]
            workspace.annotations.record(given.id, answers)
        about = replace(task, attribute=other, source_id=2)
        answer(workspace, share(workspace, about, "eve").current, wrong=range(0, 60, 3))
        answer(workspace, given, rows=given.rows[:4])  # what gil said before is corrected
        if part == 0:
            pausing.pause(workspace, workspace.annotators.get("dan"))
            pausing.resume(workspace, workspace.annotators.get("dan"))
    setting_aside.set_aside(workspace, workspace.annotators.get("fay"))
    vote(workspace, task.attribute, "gilbert", dict.fromkeys(seen[6:], 0), purpose="direct")
    workspace.annotators.merge(workspace.annotations.annotator("gilbert"), gil)
    last = workspace.pauses.last(dan)
    assert last is not None
    since = {dan: last.resumed_after or 0}
    assert since[dan] > 0
    expected = {one.id: by_definition(workspace, one.id, since.get(one.id, 0)) for one in workspace.annotators.all()}
    expected = {who: figures for who, figures in expected.items() if figures[1]}
    assert len(expected) == len(people)
    assert gold.right_on_gold(workspace, since) == expected
    assert {who: figures for one in expected for who, figures in gold.right_on_gold(workspace, since, one).items()} == (
        expected
    )
    wanted = PauseRule(after=1, below=0.99)
    falling = {who: one for who in expected if (one := pausing.on_gold(workspace, who)).falls_below(wanted)}
    assert falling
    assert pausing.falling_below(workspace, wanted) == falling


@pytest.mark.parametrize("moment", ["1999-12-31T23:59:59.000000+00:00", "2999-12-31T23:59:59.000000+00:00"])
def test_a_clock_that_jumps_pauses_and_resumes_nobody(
    workspace: Workspace, task: Task, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    answer_wrongly(workspace, task, "dan")
    pausing.set_rule(workspace, RULE)
    dan = workspace.annotators.get("dan")
    with monkeypatch.context() as patch:
        patch.setattr("bam_engine.annotation.pauses.now", lambda: moment)
        assert pausing.pause_of(workspace, dan.id) is not None
        assert dan.id in workspace.pauses.now()
        pausing.resume(workspace, dan)
        assert pausing.on_gold(workspace, dan.id).right.n == 0, "what they had answered is not looked at again"
    given = share(workspace, task, "dan").current
    answer(workspace, given, wrong=given.rows)
    assert pausing.on_gold(workspace, dan.id).right.n == len(given.gold), "and what they answer from then on is"


def test_who_is_merged_with_somebody_paused_holds_nothing_from_then_on(workspace: Workspace, task: Task) -> None:
    workspace.assignment_size = 50
    dan, danny, eve = (workspace.annotations.annotator(name) for name in ("dan", "danny", "eve"))
    for name in ("danny", "eve"):
        share(workspace, task, name)
    pausing.pause(workspace, workspace.annotators.get("dan"))
    asked = Assignment("", task.attribute.id, danny, "round", 1, rows=())
    wanted = Wanted(task.rows, np.full(len(task.rows), 2), tasks.votes(workspace, task.attribute))
    with workspace.reading():  # a request that began before the merge
        assert workspace.pauses.last(danny) is None
        Annotators(workspace.engine).merge(danny, dan)
        with pytest.raises(Paused):
            workspace.leases.take(asked, wanted, size=5, moment=NOW, lasts=assigning.timedelta(minutes=5))
    assert {one.assignment.annotator_id for one in workspace.leases.of(task.attribute.id, NOW)} == {eve}
    workspace.annotators.separate(danny)
    assert share(workspace, task, "danny"), "separated, danny is not paused"
    workspace.annotators.merge(dan, danny)
    assert {one.assignment.annotator_id for one in workspace.leases.of(task.attribute.id, NOW)} == {eve}
    workspace.annotators.merge(workspace.annotations.annotator("evelyn"), eve)
    assert workspace.leases.of(task.attribute.id, NOW), "who is merged with somebody who may go on keeps what they hold"


def test_who_is_paused_decides_nothing_more(workspace: Workspace, task: Task) -> None:
    eve = workspace.annotations.annotator("eve")
    given = workspace.annotations.assign(task.attribute.id, eve, [70], purpose="adjudication", source_id=0)
    pausing.pause(workspace, workspace.annotators.get("eve"))
    with pytest.raises(Paused):
        workspace.annotations.record(given.id, [NewAnswer("one", 70, 1)])
    assert len(workspace.annotations.decisions(task.attribute.id).rows) == 0


def test_two_names_of_one_person_are_paused_together(workspace: Workspace, task: Task) -> None:
    share(workspace, task, "dan")
    workspace.annotators.merge(workspace.annotations.annotator("danny"), who(workspace, "dan"))
    pausing.pause(workspace, workspace.annotators.get("danny"))
    for name in ("dan", "danny"):
        with pytest.raises(Paused):
            share(workspace, task, name)
    workspace.annotators.separate(workspace.annotators.get_merged("danny")[0].id)
    assert share(workspace, task, "danny"), "the pause is dan's"


def test_only_owners_change_gold_and_the_rule_and_pause_whatever_a_page_forgets(
    workspace: Workspace, task: Task
) -> None:
    workspace.team.accounts.add("olga", Role.OWNER, "a blue door in June")
    acts: list[Role | None] = [Role.REVIEWER]
    restrict(workspace.engine, lambda: acts[-1])
    answered = answer_wrongly(workspace, task, "dan")
    dan = workspace.annotators.get("dan")
    before = gold.schedule(workspace)
    for refused in (
        lambda: gold.set_schedule(workspace, None),
        lambda: pausing.set_rule(workspace, RULE),
        lambda: pausing.pause(workspace, dan),
        lambda: pausing.resume(workspace, dan),
    ):
        with pytest.raises(TeamError, match="This is for owners, and you are a reviewer"):
            refused()
    assert (gold.schedule(workspace), pausing.rule(workspace), workspace.pauses.now()) == (before, None, {})
    acts.append(Role.OWNER)
    pausing.set_rule(workspace, RULE)
    acts.append(Role.ANNOTATOR)
    acting(workspace.engine, lambda: dan.id)
    with pytest.raises(Paused):
        share(workspace, task, "dan")
    first = recent_activity(workspace.engine)[0]
    assert (first.by, first.action) == ("", "paused"), "the rule acts, not the person"
    assert first.subject.startswith("dan, by the rule: right on 0%")
    assert set(answered.rows) <= {*task.rows.tolist(), *range(60)}


def test_senseless_rules_and_pauses_are_refused(workspace: Workspace) -> None:
    for rule in (PauseRule(after=0), PauseRule(below=0), PauseRule(below=1.0)):
        with pytest.raises(BamError, match="Choose a"):
            pausing.set_rule(workspace, rule)
    ada = workspace.annotators.get("ada")
    with pytest.raises(BamError, match="600 characters"):
        pausing.pause(workspace, ada, "x" * 600)
    assert pausing.rule(workspace) is None
    assert workspace.pauses.now() == {}


def test_gold_of_all_attributes_counts_and_each_image_by_todays_label(workspace: Workspace, task: Task) -> None:
    answer_wrongly(workspace, task, "dan")
    figures = pausing.on_gold(workspace, who(workspace, "dan"))
    said = gold.answers_to_gold(workspace, task.attribute, who(workspace, "dan"))
    assert figures.right.n == len(said)
    assert all(answered == 1 - truth(row) for row, answered in said.items())
    (card,) = gold.accuracies(workspace)[who(workspace, "dan")]
    assert (card.right.value, card.right.n) == (figures.right.value, figures.right.n), "the card has the same figure"
    assert GOLD not in {one.assignment.purpose for one in workspace.leases.of(task.attribute.id, NOW)}


def test_who_holds_gold_alone_keeps_nothing_from_others() -> None:
    nobody = Answers(*(np.empty(0, kind) for kind in (np.int64, np.int64, np.int8)))
    held = Assignment("a", 1, 7, "round", 1, rows=(3, 4), gold=frozenset({3, 4}))
    wanted = Wanted(np.array([5, 6]), np.array([1, 1]), nobody)
    assert wanted.free([Lease(held, "2030")], 8).all()
