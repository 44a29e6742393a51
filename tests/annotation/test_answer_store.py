"""The label store compared with a plain dict, and under SIGKILL."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bam_engine.annotation import (
    NEGATIVE,
    POSITIVE,
    UNSURE,
    WITHDRAWN,
    Assignment,
    NewAnswer,
    Saved,
    UnknownAssignment,
    UsedUid,
)
from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.collection import mark_demo
from bam_engine.database import annotations, now, open_database
from bam_engine.errors import AnnotationError, NotFound

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(database: sa.Engine) -> Annotations:
    Attributes(database).add("kite", "own", "Is there a kite?")
    Attributes(database).add("cat", "own", "Is there a cat?")
    return Annotations(database)


def assign(
    store: Annotations, rows=range(5), *, who: str = "Ada", attribute: int = 1, purpose: str = "round", source=1
):
    return store.assign(attribute, store.annotator(who), rows, purpose=purpose, source_id=source)


def latest_answers(store: Annotations, attribute: int = 1, **chosen) -> dict[tuple[int, int], int]:
    answers = store.answers(attribute, **chosen)
    assert (answers.rows.dtype, answers.annotators.dtype, answers.answers.dtype) == (np.int64, np.int64, np.int8)
    pairs = list(zip(answers.rows.tolist(), answers.annotators.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    return dict(zip(pairs, answers.answers.tolist(), strict=True))


# An answer: the index of its assignment, its row, its value, the earlier uid that it has, if any, and whether it then
# gives that answer to that row
STEP = st.tuples(
    st.integers(0, 2),
    st.integers(0, 3),
    st.sampled_from([POSITIVE, NEGATIVE, UNSURE, WITHDRAWN]),
    st.none() | st.integers(0, 10),
    st.booleans(),
)


@settings(max_examples=40, deadline=None)
@given(submits=st.lists(st.lists(STEP, min_size=1, max_size=6), max_size=10))
def test_the_store_equals_a_dict_of_the_latest_answers_with_any_retries(submits) -> None:
    engine = open_database("sqlite://")
    Attributes(engine).add("kite", "own", "Is there a kite?")
    store = Annotations(engine)
    assignments = [
        assign(store, range(4), source=1),
        assign(store, range(4), source=2),
        assign(store, range(4), who="Bo"),
    ]
    stored: dict[str, tuple[Assignment, int, int]] = {}  # in the order of the answers
    for submit in submits:
        assignment, answers, merged = assignments[submit[0][0]], [], dict(stored)
        conflict = False
        for _, row, answer, repeats, truly in submit:
            uid = f"uid-{len(merged)}"
            if repeats is not None and repeats < len(merged):
                uid = f"uid-{repeats}"
                row, answer = merged[uid][1:] if truly else (row, answer)
            answers.append(NewAnswer(uid, row, answer, 1.5))
            known = merged.setdefault(uid, (assignment, row, answer))
            conflict |= (known[0].annotator_id, *known[1:]) != (assignment.annotator_id, row, answer)
        if conflict:
            with pytest.raises(UsedUid):
                store.record(assignment.id, answers)
        else:
            new = len(merged) - len(stored)
            assert store.record(assignment.id, answers) == Saved(new, len(answers) - new)
            stored = merged
        latest = {(row, of.annotator_id): answer for of, row, answer in stored.values()}
        assert latest_answers(store) == {pair: answer for pair, answer in latest.items() if answer != WITHDRAWN}
    by_assignment = {(of.id, row): answer for of, row, answer in stored.values()}
    for assignment in assignments:
        expected = {row: a for (of, row), a in by_assignment.items() if of == assignment.id and a != WITHDRAWN}
        assert store.answered_rows(assignment.id) == expected
    engine.dispose()


def test_a_double_submit_counts_once(store: Annotations) -> None:
    assignment = assign(store)
    page = [NewAnswer(f"uid-{row}", row, POSITIVE, 0.5) for row in assignment.rows]
    assert store.record(assignment.id, page) == Saved(5, 0)
    assert store.record(assignment.id, page) == Saved(0, 5)
    assert store.record(assignment.id, [*page, NewAnswer("another", 0, NEGATIVE)]) == Saved(1, 5)
    assert store.answered_rows(assignment.id) == {0: NEGATIVE} | dict.fromkeys(range(1, 5), POSITIVE)
    assert [a.answer for a in store.image_annotations(1, 0)] == [POSITIVE, NEGATIVE]


def test_a_uid_with_another_answer_is_refused_and_nothing_is_stored(store: Annotations) -> None:
    assignment = assign(store)
    with pytest.raises(UsedUid, match="The uid one belongs to another answer"):
        store.record(assignment.id, [NewAnswer("one", 0, POSITIVE), NewAnswer("one", 1, NEGATIVE)])
    assert store.answered_rows(assignment.id) == {}


def test_concurrent_submissions_are_stored_once(store: Annotations) -> None:
    assignment = assign(store, range(40))
    counts: list[Saved] = []

    def submit() -> None:
        counts.extend(store.record(assignment.id, [NewAnswer(f"uid-{row}", row, POSITIVE)]) for row in range(40))

    threads = [threading.Thread(target=submit) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(c.new for c in counts), sum(c.repeated for c in counts)) == (40, 80)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (NewAnswer("b", 9, POSITIVE), "Row 9 is not in this assignment"),
        (NewAnswer("b", True, POSITIVE), "Row True is not in this assignment"),
        (NewAnswer("b", "1", POSITIVE), "Row 1 is not in this assignment"),
        (NewAnswer("b", 1, 2), "2 is not an answer|'2' is not an answer"),
        (NewAnswer("b", 1, True), "is not an answer"),
        (NewAnswer("b", 1, "positive"), "is not an answer"),
        (NewAnswer("", 1, POSITIVE), "is not a valid uid"),
        (NewAnswer("b" * 101, 1, POSITIVE), "is not a valid uid"),
        (NewAnswer("\ud800", 1, POSITIVE), "is not a valid uid"),
        (NewAnswer(7, 1, POSITIVE), "is not a valid uid"),
        (NewAnswer("b", 1, POSITIVE, -1.0), "is not a duration"),
        (NewAnswer("b", 1, POSITIVE, float("nan")), "is not a duration"),
        (NewAnswer("b", 1, POSITIVE, 10**400), "is not a duration"),
        (NewAnswer("b", 1, POSITIVE, "1"), "is not a duration"),
    ],
)
def test_one_invalid_answer_rejects_the_whole_submission(store, wrong, message) -> None:
    assignment = assign(store)
    with pytest.raises(AnnotationError, match=message):
        store.record(assignment.id, [NewAnswer("a", 0, POSITIVE), wrong])
    assert store.answered_rows(assignment.id) == {}


def test_a_submission_may_be_as_large_as_its_assignment(store: Annotations) -> None:
    assignment = assign(store, range(2000))
    answers = [NewAnswer(f"uid-{row}", row, row % 2) for row in range(2000)]
    assert store.record(assignment.id, answers) == Saved(2000, 0)
    assert store.answered_rows(assignment.id) == {row: row % 2 for row in range(2000)}
    with pytest.raises(AnnotationError, match="Row 2000 is not in this assignment"):
        store.record(assignment.id, [*answers, NewAnswer("beyond", 2000, POSITIVE)])


def test_an_unknown_assignment_takes_no_answers(store: Annotations) -> None:
    with pytest.raises(UnknownAssignment, match="Reload the page"):
        store.record("nowhere", [NewAnswer("a", 0, POSITIVE)])
    with pytest.raises(NotFound):
        store.assignment("nowhere")


def test_purposes_filter_answers_before_the_latest_is_taken(store: Annotations) -> None:
    judged, labelled = assign(store, purpose="audit"), assign(store, purpose="round")
    store.record(judged.id, [NewAnswer("a", 0, POSITIVE), NewAnswer("b", 1, POSITIVE)])
    store.record(labelled.id, [NewAnswer("c", 0, NEGATIVE)])
    assert latest_answers(store) == {(0, 1): NEGATIVE, (1, 1): POSITIVE}
    assert latest_answers(store, purposes=["audit"]) == {(0, 1): POSITIVE, (1, 1): POSITIVE}
    assert latest_answers(store, purposes={"round", "validation"}) == {(0, 1): NEGATIVE}
    assert latest_answers(store, purposes=[]) == {}


def test_answers_belong_to_one_attribute(store: Annotations) -> None:
    kite, cat = assign(store), assign(store, attribute=2)
    store.record(kite.id, [NewAnswer("a", 0, POSITIVE)])
    store.record(cat.id, [NewAnswer("b", 0, NEGATIVE)])
    assert (latest_answers(store, 1), latest_answers(store, 2)) == ({(0, 1): POSITIVE}, {(0, 1): NEGATIVE})


def test_the_history_of_an_image_is_stored_with_its_origin(store: Annotations) -> None:
    ada, bo = assign(store), assign(store, who="Bo", purpose="validation")
    store.record(ada.id, [NewAnswer("a", 3, POSITIVE, 2.5)])
    store.record(bo.id, [NewAnswer("b", 3, UNSURE)])
    store.record(ada.id, [NewAnswer("c", 3, WITHDRAWN)])
    history = store.image_annotations(1, 3)
    assert [(a.annotator, a.purpose, a.answer, a.seconds) for a in history] == [
        ("Ada", "round", POSITIVE, 2.5),
        ("Bo", "validation", UNSURE, None),
        ("Ada", "round", WITHDRAWN, None),
    ]
    assert latest_answers(store) == {(3, 2): UNSURE}


def test_an_assignment_keeps_the_order_of_its_rows(store: Annotations) -> None:
    assignment = assign(store, np.array([4, 0, 2]), purpose="validation", source=7)
    assert store.assignment(assignment.id) == assignment == Assignment(assignment.id, 1, 1, "validation", 7, (4, 0, 2))


@pytest.mark.parametrize(
    ("rows", "message"), [([], "at least one image"), ([1, 2, 1], "Row 1 occurs twice"), ([-1], "from 0")]
)
def test_an_assignment_needs_distinct_valid_rows(store: Annotations, rows, message) -> None:
    with pytest.raises(AnnotationError, match=message):
        assign(store, rows)


def decided(store: Annotations) -> dict[int, tuple[int, int]]:
    decisions = store.decisions(1)
    rows = decisions.rows.tolist()
    assert rows == sorted(set(rows))
    return dict(zip(rows, zip(decisions.annotators.tolist(), decisions.answers.tolist(), strict=True), strict=True))


def test_a_decision_is_not_a_vote_and_hides_none(store: Annotations) -> None:
    voted, decides = assign(store), assign(store, purpose="adjudication")
    other = assign(store, purpose="adjudication", attribute=2)
    store.record(voted.id, [NewAnswer("v", 0, POSITIVE)])
    assert decided(store) == {}
    store.record(decides.id, [NewAnswer("d", 0, NEGATIVE), NewAnswer("e", 1, UNSURE)])
    store.record(other.id, [NewAnswer("o", 2, POSITIVE)])
    assert latest_answers(store) == {(0, 1): POSITIVE}
    assert latest_answers(store, purposes=["adjudication"]) == {(0, 1): NEGATIVE, (1, 1): UNSURE}
    assert decided(store) == {0: (1, NEGATIVE), 1: (1, UNSURE)}


def test_the_newest_decision_counts_and_a_withdrawal_restores_the_one_before(store: Annotations) -> None:
    ada = assign(store, purpose="adjudication")
    bo = assign(store, purpose="adjudication", who="Bo")
    store.record(ada.id, [NewAnswer("1", 0, POSITIVE), NewAnswer("2", 1, POSITIVE)])
    store.record(bo.id, [NewAnswer("3", 0, NEGATIVE)])
    assert decided(store) == {0: (2, NEGATIVE), 1: (1, POSITIVE)}
    store.record(bo.id, [NewAnswer("4", 0, WITHDRAWN)])
    assert decided(store)[0] == (1, POSITIVE)
    store.record(ada.id, [NewAnswer("5", 0, NEGATIVE), NewAnswer("6", 1, WITHDRAWN)])
    assert decided(store) == {0: (1, NEGATIVE)}
    store.record(ada.id, [NewAnswer("7", 0, WITHDRAWN)])
    assert decided(store) == {}


def test_an_assignment_needs_a_known_purpose_attribute_and_annotator(store: Annotations) -> None:
    with pytest.raises(AnnotationError, match="not a purpose"):
        assign(store, purpose="fun")
    with pytest.raises(NotFound, match="no attribute with id 9"):
        assign(store, attribute=9)
    with pytest.raises(NotFound, match="no annotator with id 9"):
        store.assign(1, 9, [0], purpose="round", source_id=1)


def test_an_assignment_is_open_until_every_image_is_answered_and_again_after_a_withdrawal(store: Annotations) -> None:
    ada = store.annotator("Ada")
    assert store.open_assignment(1, ada, "round", 1) is None
    assignment = assign(store, [5, 6])
    assign(store, [5, 6], who="Bo")
    assign(store, [5, 6], source=2)
    assert store.open_assignment(1, ada, "round", 1) == assignment
    store.record(assignment.id, [NewAnswer("a", 5, POSITIVE), NewAnswer("b", 6, UNSURE)])
    assert store.open_assignment(1, ada, "round", 1) is None
    assert store.last_assignment(1, ada, "round", 1) == assignment
    store.record(assignment.id, [NewAnswer("c", 6, WITHDRAWN)])
    assert store.open_assignment(1, ada, "round", 1) == assignment
    newer = assign(store, [7])
    assert store.last_assignment(1, ada, "round", 1) == newer


def test_an_answer_waits_for_those_that_are_being_stored(store: Annotations, database: sa.Engine) -> None:
    """Else the id of the newest answer, which stands for the state of all labels, would hide an earlier one."""
    assignment = assign(store)
    values = {"uid": "earlier", "assignment_id": assignment.id, "attribute_id": 1, "annotator_id": 1, "row": 0}
    values |= {"answer": "negative", "made_at": now()}
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as earlier:
            earlier.execute(sa.insert(annotations).values(values))
            later = pool.submit(store.record, assignment.id, [NewAnswer("later", 0, POSITIVE)])
            with pytest.raises(TimeoutError):
                later.result(0.3)
        assert later.result() == Saved(1, 0)
    assert store.answered_rows(assignment.id) == {0: POSITIVE}


def test_an_annotator_is_added_once(store: Annotations, database: sa.Engine) -> None:
    mark_demo(database, count=1, seed=0, folder=Path("demo"))  # only a demo admits simulated annotators
    ada, oracle = store.annotator(" Ada "), store.annotator("oracle", simulated=True)
    assert store.annotator("Ada") == ada != oracle
    assert [(a.name, a.simulated) for a in store.annotators()] == [("Ada", False), ("oracle", True)]
    with pytest.raises(AnnotationError, match="'oracle' is simulated, not a person"):
        store.annotator("oracle")
    with pytest.raises(AnnotationError, match="name is empty"):
        store.annotator("  ")


RECORDER = """
import sys
from bam_engine.annotation import NewAnswer
from bam_engine.annotation.answer_store import Annotations
from bam_engine.collection import mark_demo
from bam_engine.database import annotations, now, open_database
store = Annotations(open_database(sys.argv[1]))
row = 0
while True:
    store.record(sys.argv[2], [NewAnswer(f"uid-{row}", row, row % 2, 0.1)])
    print(row, flush=True)
    row += 1
"""


@pytest.mark.parametrize("killed_after", [1, 40])
def test_acknowledged_answers_survive_kill_9(database_url: str, killed_after: int) -> None:
    engine = open_database(database_url)
    Attributes(engine).add("kite", "own", "Is there a kite?")
    assignment = assign(Annotations(engine), range(20_000))
    engine.dispose()
    command = [sys.executable, "-c", RECORDER, database_url, assignment.id]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as child:
        printed = [int(child.stdout.readline()) for _ in range(killed_after)]
        child.send_signal(signal.SIGKILL)
        printed += [int(line) for line in child.stdout.read().splitlines()]
    assert child.returncode == -signal.SIGKILL
    engine = open_database(database_url)
    stored = Annotations(engine).answered_rows(assignment.id)
    engine.dispose()
    assert printed == list(range(len(printed)))
    assert {row: stored[row] for row in printed} == {row: row % 2 for row in printed}
    assert len(stored) <= len(printed) + 1


def test_after_an_older_database_was_restored_and_answered_on_its_answers_alone_count(
    database: sa.Engine, store: Annotations
) -> None:
    mine = assign(store)
    store.record(mine.id, [NewAnswer("before", 0, POSITIVE)])
    store.record(mine.id, [NewAnswer("lost", 1, POSITIVE)])
    assert len(latest_answers(store)) == 2
    with database.begin() as connection:  # uncounted, as a restored file would be
        connection.exec_driver_sql("DELETE FROM annotations WHERE uid = 'lost'")
    store.record(mine.id, [NewAnswer("instead", 2, NEGATIVE)])
    store.record(mine.id, [NewAnswer("later", 3, NEGATIVE)])
    assert [(row, answer) for (row, _), answer in latest_answers(store).items()] == [(0, 1), (2, 0), (3, 0)]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.booleans(),  # whose tab it is
            st.sampled_from([POSITIVE, NEGATIVE, UNSURE, WITHDRAWN]),
            st.booleans(),  # whether the tab is loaded again before
        ),
        max_size=12,
    )
)
def test_of_two_tabs_none_replaces_an_answer_that_it_has_not_shown(steps) -> None:
    engine = open_database("sqlite://")
    Attributes(engine).add("kite", "own", "Is there a kite?")
    store = Annotations(engine)
    assignment = assign(store, [0])
    stored, shown = WITHDRAWN, [WITHDRAWN, WITHDRAWN]
    for number, (tab, answer, reload) in enumerate(steps):
        if reload:
            shown[tab] = stored
        saved = store.record(assignment.id, [NewAnswer(f"uid-{number}", 0, answer, seen=shown[tab])])
        if stored in (shown[tab], answer):
            assert saved == Saved(1, 0)
            stored = answer
        else:
            assert saved == Saved(0, 0, {0: stored})
        shown[tab] = stored
        assert store.answered_rows(assignment.id) == ({} if stored == WITHDRAWN else {0: stored})
    engine.dispose()


def test_only_ones_own_answers_to_the_same_task_are_newer_ones(store: Annotations) -> None:
    others = [assign(store, [0], who="Bo"), assign(store, [0], purpose="import")]
    for number, other in enumerate(others):
        store.record(other.id, [NewAnswer(f"other-{number}", 0, POSITIVE)])
    mine = assign(store, [0])
    assert store.record(mine.id, [NewAnswer("mine", 0, NEGATIVE, seen=WITHDRAWN)]) == Saved(1, 0)
