"""Two workspaces on one database, writing and reading in any order: what they read equals what plain SQL says."""

import contextlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from bam_engine import database as db
from bam_engine.annotation import ADJUDICATION, BULK, DIRECT, EXTRA, GOLD, PURPOSES, Attribute, NewAnswer
from bam_engine.labelling import bulk
from bam_engine.labelling.drawn_images import held_out_rows, queried_rows
from bam_engine.workspace import Workspace

WORDS = {"positive": 1, "negative": 0, "unsure": -1, "withdrawn": -2}
FIRST = st.booleans()
ATTRIBUTE = st.integers(0, 1)
ROWS = st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two attributes and nothing else."""
    home = tmp_path_factory.mktemp("two")
    workspace = Workspace(home / "workspace", home / "cache")
    for name in ("kite", "cat"):
        workspace.attributes.add(name, "own", f"Is there a {name}?")
    workspace.close()
    return home


def test_what_a_workspace_reads_equals_what_sql_says(template: Path, tmp_path: Path) -> None:
    class Machine(TwoWorkspaces):
        def __init__(self) -> None:
            super().__init__(shutil.copytree(template, tmp_path / uuid.uuid4().hex))

    options = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Machine, settings=options)


# What plain SQL says


def rows_of(engine: sa.Engine, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def given(engine: sa.Engine, attribute: int) -> list[tuple[Any, ...]]:
    """Return (row, annotator, answer, purpose, assignment) of every answer, oldest first."""
    one, of = db.annotations.c, db.assignments.c
    query = sa.select(one.row, one.annotator_id, one.answer, of.purpose, of.id).join(
        db.assignments, of.id == one.assignment_id
    )
    lines = rows_of(engine, query.where(one.attribute_id == attribute).order_by(one.id))
    return [(row, who, WORDS[word], purpose, assignment) for row, who, word, purpose, assignment in lines]


def votes_by_sql(engine: sa.Engine, attribute: int) -> object:
    latest = {
        (row, who): answer
        for row, who, answer, purpose, _ in given(engine, attribute)
        if purpose not in (ADJUDICATION, BULK, DIRECT, EXTRA, GOLD)
    }
    return sorted((*key, answer) for key, answer in latest.items() if answer != -2)


def decisions_by_sql(engine: sa.Engine, attribute: int) -> object:
    return newest_by_sql(engine, attribute, ADJUDICATION)


def direct_answers_by_sql(engine: sa.Engine, attribute: int) -> object:
    return newest_by_sql(engine, attribute, DIRECT)


def newest_by_sql(engine: sa.Engine, attribute: int, of: str) -> object:
    latest: dict[tuple[int, int], int] = {}
    for row, who, answer, purpose, _ in given(engine, attribute):
        if purpose == of:
            latest.pop((row, who), None)  # the newest comes last
            latest[row, who] = answer
    return sorted({row: (row, who, answer) for (row, who), answer in latest.items() if answer != -2}.values())


def bulk_by_sql(engine: sa.Engine, attribute: int) -> object:
    lines = [line for line in given(engine, attribute) if line[3] == BULK]
    undone = {assignment for _, _, answer, _, assignment in lines if answer == -2}
    latest = {(row, who): answer for row, who, answer, _, assignment in lines if assignment not in undone}
    people: dict[int, set[int]] = {}
    for (row, _), answer in latest.items():
        people.setdefault(row, set()).add(answer)
    return sorted((row, answers.pop() if len(answers) == 1 else -1) for row, answers in people.items())


def redundancy_by_sql(engine: sa.Engine, _attribute: int) -> object:
    found = rows_of(engine, sa.select(db.settings.c.value).where(db.settings.c.key == "redundancy"))
    return int(found[0][0]) if found else 1


def queried_by_sql(engine: sa.Engine, attribute: int) -> object:
    query = sa.select(db.round_images.c.row).join(db.rounds).where(db.rounds.c.attribute_id == attribute).distinct()
    return sorted(row for (row,) in rows_of(engine, query))


def held_out_by_sql(engine: sa.Engine, attribute: int) -> object:
    query = sa.select(db.validation_images.c.row).where(db.validation_images.c.attribute_id == attribute)
    return sorted(row for (row,) in rows_of(engine, query))


# What a workspace says


def votes_read(workspace: Workspace, attribute: Attribute) -> object:
    answers = workspace.annotations.answers(attribute.id)
    return list(zip(answers.rows.tolist(), answers.annotators.tolist(), answers.answers.tolist(), strict=True))


def decisions_read(workspace: Workspace, attribute: Attribute) -> object:
    found = workspace.annotations.decisions(attribute.id)
    return list(zip(found.rows.tolist(), found.annotators.tolist(), found.answers.tolist(), strict=True))


def direct_answers_read(workspace: Workspace, attribute: Attribute) -> object:
    found = workspace.annotations.direct_answers(attribute.id)
    return list(zip(found.rows.tolist(), found.annotators.tolist(), found.answers.tolist(), strict=True))


def bulk_read(workspace: Workspace, attribute: Attribute) -> object:
    rows, answers = bulk.current_answers(workspace, attribute)
    return list(zip(rows.tolist(), answers.tolist(), strict=True))


READS: dict[str, tuple[Callable[[Workspace, Attribute], object], Callable[[sa.Engine, int], object]]] = {
    "votes": (votes_read, votes_by_sql),
    "decisions": (decisions_read, decisions_by_sql),
    "direct answers": (direct_answers_read, direct_answers_by_sql),
    "bulk answers": (bulk_read, bulk_by_sql),
    "redundancy": (lambda workspace, _: workspace.redundancy, redundancy_by_sql),
    "queried": (lambda workspace, attribute: queried_rows(workspace, attribute).tolist(), queried_by_sql),
    "held out": (lambda workspace, attribute: held_out_rows(workspace, attribute).tolist(), held_out_by_sql),
}


class TwoWorkspaces(RuleBasedStateMachine):
    """Writes and reads of two workspaces, the first now and then in a flow.

    Outside a flow, what is read is what SQL says. Inside, it is what SQL said at some moment since the flow began or
    last wrote, and it stays the same until the flow ends or writes.
    """

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.both = [Workspace(home / "workspace", home / "cache") for _ in range(2)]
        self.attributes = self.both[0].attributes.all()
        self.flow = contextlib.ExitStack()
        self.in_flow = False
        self.said: list[dict[Any, object]] = []  # by SQL, at each moment since the flow began or last wrote
        self.read_in_flow: dict[Any, object] = {}

    def teardown(self) -> None:
        self.flow.close()
        for workspace in self.both:
            workspace.close()

    @rule(first=FIRST, place=ATTRIBUTE, who=st.sampled_from(["ada", "ben"]), rows=ROWS, data=st.data())
    def answer(self, first: bool, place: int, who: str, rows: list[int], data: st.DataObject) -> None:
        workspace = self.both[not first]
        purpose = data.draw(st.sampled_from(PURPOSES))
        annotator = workspace.annotations.annotator(who)
        attribute = self.attributes[place]
        made = workspace.annotations.assign(attribute.id, annotator, rows, purpose=purpose, source_id=0)
        answers = [NewAnswer(uuid.uuid4().hex, row, data.draw(st.sampled_from(list(WORDS.values())))) for row in rows]
        workspace.annotations.record(made.id, answers)
        self._written(own=first)

    @rule(first=FIRST, votes=st.integers(1, 9))
    def require_votes(self, first: bool, votes: int) -> None:
        self.both[not first].redundancy = votes
        self._written(own=first)

    @rule(first=FIRST, place=ATTRIBUTE, rows=ROWS, kept=st.booleans())
    def start_round(self, first: bool, place: int, rows: list[int], kept: bool) -> None:
        """Store a round, or roll it back."""
        mine = db.rounds.c.attribute_id == self.attributes[place].id
        with self.both[not first].engine.begin() as connection:
            db.lock(connection, db.rounds)
            number = (connection.scalar(sa.select(sa.func.max(db.rounds.c.number)).where(mine)) or 0) + 1
            values = {"attribute_id": place + 1, "number": number, "strategy": "random", "encoder": "builtin"}
            made = connection.execute(sa.insert(db.rounds).values(**values, seed=1, made_at=db.now()))
            round_id = made.inserted_primary_key[0]
            lines = [{"round_id": round_id, "row": row, "position": at, "reason": ""} for at, row in enumerate(rows)]
            connection.execute(sa.insert(db.round_images), lines)
            if not kept:
                connection.rollback()
        self._written(own=first)  # a lock renews the snapshot of a flow too

    @rule(first=FIRST, place=ATTRIBUTE, row=st.integers(0, 5))
    def hold_out(self, first: bool, place: int, row: int) -> None:
        line = {"attribute_id": self.attributes[place].id, "row": row, "probability": 0.5, "draw": 0}
        with self.both[not first].engine.begin() as connection:
            db.insert_new(connection, db.validation_images, [{**line, "made_at": db.now()}])
        self._written(own=first)

    @precondition(lambda self: not self.in_flow)
    @rule()
    def begin_flow(self) -> None:
        self.flow.enter_context(self.both[0].reading())
        self.in_flow = True
        self._written(own=True)

    @precondition(lambda self: self.in_flow)
    @rule()
    def end_flow(self) -> None:
        self.flow.close()
        self.in_flow = False

    @rule(name=st.sampled_from(list(READS)), place=ATTRIBUTE)
    def read(self, name: str, place: int) -> None:
        read, by_sql = READS[name]
        attribute = self.attributes[place]
        assert read(self.both[1], attribute) == by_sql(self.both[1].engine, attribute.id)
        found = read(self.both[0], attribute)
        if not self.in_flow:
            assert found == by_sql(self.both[0].engine, attribute.id)
            return
        assert found in [moment[name, attribute.id] for moment in self.said]
        assert found == self.read_in_flow.setdefault((name, attribute.id), found)

    def _written(self, *, own: bool) -> None:
        if own:
            self.said.clear()
            self.read_in_flow.clear()
        engine = self.both[1].engine
        self.said.append(
            {
                (name, each.id): by_sql(engine, each.id)
                for name, (_, by_sql) in READS.items()
                for each in self.attributes
            }
        )
