"""One's own work: what was answered and when, how well it agrees with others, and what is left."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from bam_engine.annotation import Attribute
from bam_engine.database import annotations
from bam_engine.labelling import adjudication, agreement, bulk, direct_answers, tasks
from bam_engine.labelling.accepted import accepted_answers, all_accepted_answers
from bam_engine.reporting.overview import waiting_for, waiting_of
from bam_engine.reporting.own_work import OwnAttribute, own_work
from bam_engine.training import validation
from bam_engine.workspace import Workspace
from tests.labelling.team import decide, vote


def only(workspace: Workspace, name: str) -> OwnAttribute:
    (line,) = own_work(workspace, name).attributes
    return line


def test_whoever_has_answered_nothing_and_has_nothing_left_has_no_work(
    workspace: Workspace, watercolor: Attribute
) -> None:
    assert own_work(workspace, "nobody").attributes == ()


def test_images_count_once_on_the_day_of_the_last_answer(workspace: Workspace, watercolor: Attribute) -> None:
    vote(workspace, watercolor, "anna", {0: 1, 1: 0, 2: 1})
    with workspace.engine.begin() as connection:
        early = sa.update(annotations).values(made_at="2026-01-05T23:59:59.000000+00:00")
        connection.execute(early)
    workspace = Workspace(workspace.folder, workspace.cache.parent)
    vote(workspace, watercolor, "anna", {1: 1, 2: -2})
    line, today = only(workspace, "Anna"), datetime.now(UTC).date()
    assert line.images == 2
    assert line.by_day == {date(2026, 1, 5): 1, today: 1}
    assert own_work(workspace, "anna").days == (today, date(2026, 1, 5))


def test_taking_back_a_direct_answer_leaves_the_vote(workspace: Workspace, watercolor: Attribute) -> None:
    vote(workspace, watercolor, "anna", {0: 1, 1: 1, 2: 1})
    direct_answers.answer(workspace, watercolor, 0, 0, annotator="anna")
    direct_answers.answer(workspace, watercolor, 3, 0, annotator="anna")
    assert only(workspace, "anna").images == 4
    for row in (0, 3):
        direct_answers.answer(workspace, watercolor, row, None, annotator="anna")
    assert (only(workspace, "anna").images, only(workspace, "anna").accepted) == (3, 3)


def test_undoing_a_bulk_answer_leaves_the_votes(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 2
    vote(workspace, watercolor, "anna", {0: 1, 1: 1, 2: 1})
    made = bulk.answer(workspace, watercolor, [0, 1, 2, 3], 1, annotator="anna")
    assert only(workspace, "anna").images == 4
    bulk.undo(workspace, made.id)
    assert only(workspace, "anna").images == 3


def test_retracting_a_decision_leaves_the_vote(team: Workspace, watercolor: Attribute) -> None:
    before = only(team, "ada").images
    row = int(tasks.disputed_rows(team, watercolor)[0])
    decide(team, watercolor, "ada", {row: 1})
    assert only(team, "ada").images == before, "an image counts once"
    adjudication.retract(team, watercolor, row, "ada")
    assert only(team, "ada").images == before


def test_an_answer_changed_to_what_others_said_is_not_accepted(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 2
    vote(workspace, watercolor, "anna", {0: 0, 1: 0, 2: -1, 3: 1, 4: 1})
    for name in ("ben", "cleo"):
        vote(workspace, watercolor, name, dict.fromkeys(range(5), 1))
    vote(workspace, watercolor, "anna", {1: -2, 3: 0})
    assert only(workspace, "anna").accepted == 1
    vote(workspace, watercolor, "anna", dict.fromkeys(range(5), 1), "round")
    assert only(workspace, "anna").accepted == 2, "those that were the label from the first, changed meanwhile or not"
    assert only(workspace, "ben").accepted == 5


def test_an_answer_is_accepted_where_it_is_the_label(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 2
    vote(workspace, watercolor, "anna", {0: 1, 1: 0, 2: 1, 3: -1, 4: 1})
    assert only(workspace, "anna").accepted == 0, "no label is settled"
    vote(workspace, watercolor, "ben", {0: 1, 1: 1, 2: 1})
    vote(workspace, watercolor, "cleo", {1: 1, 3: 1, 4: -1})
    vote(workspace, watercolor, "dora", {3: 1, 1: 1})
    assert only(workspace, "anna").accepted == 2
    assert only(workspace, "ben").accepted == 3
    known = workspace.annotators.find("anna")
    assert known is not None
    assert all_accepted_answers(workspace) == accepted_answers(workspace, watercolor)
    assert all_accepted_answers(workspace)[known.id] == 2


def test_an_answer_that_a_decision_overrules_is_not_accepted(team: Workspace, watercolor: Attribute) -> None:
    before = {name: only(team, name).accepted for name in ("ada", "ben")}
    row = int(tasks.disputed_rows(team, watercolor)[0])
    decide(team, watercolor, "eve", {row: 1})
    after = {name: only(team, name).accepted for name in ("ada", "ben")}
    assert sum(after.values()) == sum(before.values()) + 1, "one of the two said what was decided"


def test_agreement_is_that_of_the_agreement_page(team: Workspace, watercolor: Attribute) -> None:
    lines = {line.name: line.with_majority for line in agreement.measure(team, watercolor).annotators}
    assert {name: only(team, name).agreement for name in ("ada", "ben")} == lines
    assert lines["ada"].value == pytest.approx(2 / 4), "where the other is unsure, nothing is compared"
    assert lines["ada"].low < 2 / 4 < lines["ada"].high


def test_nobody_to_compare_with_is_no_agreement(workspace: Workspace, watercolor: Attribute) -> None:
    vote(workspace, watercolor, "anna", {0: 1})
    assert (only(workspace, "anna").agreement.value, only(workspace, "anna").agreement.n) == (None, 0)


def test_what_is_left_is_what_waits_for_the_person(workspace: Workspace, watercolor: Attribute) -> None:
    workspace.redundancy = 2
    validation.draw_validation(workspace, watercolor, 8, seed=1)
    vote(workspace, watercolor, "anna", {int(tasks.validation_task(workspace, watercolor).rows[0]): 1})
    everybody = {one.annotator: one for one in waiting_for(workspace, also="new")}
    assert everybody["anna"] == waiting_of(workspace, "anna")
    assert everybody["new"] == waiting_of(workspace, "new")
    assert (only(workspace, "anna").left, only(workspace, "new").left) == (7, 8)
