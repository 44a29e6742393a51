"""What annotators tell the reviewer: stored once, taken back, dealt with by a decision or closed, and back again."""

from typing import Any

import pytest

from bam_engine.annotation import Assignment, Attribute
from bam_engine.annotation.remark_store import MAX_REMARK, NewRemark
from bam_engine.errors import AnnotationError
from bam_engine.labelling import adjudication, tasks
from bam_engine.workspace import Workspace
from tests.labelling.team import decide, vote


def handed(workspace: Workspace, attribute: Attribute, name: str = "ada") -> Assignment:
    given = vote(workspace, attribute, name, dict.fromkeys(range(6), 1), purpose="round")
    return workspace.annotations.assignment(given)


def tell(workspace: Workspace, assignment: Assignment, uid: str, row: int, kind: str, text: str = "") -> int:
    return workspace.remarks.add(assignment, [NewRemark(uid, row, kind, text)])


def told(workspace: Workspace, attribute: Attribute) -> list[tuple[int, str, str, str]]:
    return [(one.row, one.annotator, one.kind, one.text) for one in adjudication.told(workspace, attribute)]


def test_a_remark_is_stored_once_changed_and_taken_back(workspace: Workspace, watercolor: Attribute) -> None:
    assignment = handed(workspace, watercolor)
    assert [tell(workspace, assignment, "a", 3, "flag") for _ in range(2)] == [1, 0]
    assert told(workspace, watercolor) == [(3, "ada", "flag", "")]
    tell(workspace, assignment, "b", 3, "comment", "  two\n pictures ")
    assert told(workspace, watercolor) == [(3, "ada", "comment", "two pictures")]
    assert adjudication.remarks_by(workspace, watercolor, "ADA") == {3: {"kind": "comment", "text": "two pictures"}}
    tell(workspace, assignment, "c", 3, "none")
    assert told(workspace, watercolor) == []


def test_what_is_flagged_is_put_to_the_adjudicator_and_a_decision_deals_with_it(
    workspace: Workspace, watercolor: Attribute
) -> None:
    assignment = handed(workspace, watercolor)
    tell(workspace, assignment, "a", 2, "flag", "a print?")
    tell(workspace, assignment, "b", 4, "unjudgeable", "Too small or blurred")
    tell(workspace, assignment, "c", 5, "comment", "nice")
    assert tasks.adjudication_task(workspace, watercolor).rows.tolist() == [2, 4], "a comment asks for no decision"
    assert adjudication.disputes(workspace, watercolor, "eve") == [], "people do not disagree about them"
    decide(workspace, watercolor, "eve", {2: 0})
    assert [row for row, *_ in told(workspace, watercolor)] == [4, 5]
    assert tasks.labels_of(tasks.labels(workspace, watercolor), tasks.labels(workspace, watercolor).rows)[2] == 0
    adjudication.retract(workspace, watercolor, 2, "eve")
    assert [row for row, *_ in told(workspace, watercolor)] == [2, 4, 5], "and retracting it asks again"


def test_a_flag_that_comes_after_a_decision_waits_for_the_reviewer(workspace: Workspace, watercolor: Attribute) -> None:
    assignment = handed(workspace, watercolor)
    tell(workspace, assignment, "a", 2, "flag")
    decide(workspace, watercolor, "eve", {2: 1})
    tell(workspace, assignment, "b", 2, "flag", "still not")
    (found,) = adjudication.told(workspace, watercolor)
    assert (found.row, found.text, found.decision, found.votes) == (2, "still not", 1, (1, 0, 0))


def test_the_reviewer_closes_remarks_and_can_undo_it(workspace: Workspace, watercolor: Attribute) -> None:
    assignment = handed(workspace, watercolor)
    tell(workspace, assignment, "a", 2, "comment", "who painted it?")
    ids = [one.id for one in adjudication.told(workspace, watercolor)]
    adjudication.close(workspace, ids, "eve")
    assert told(workspace, watercolor) == []
    assert adjudication.remarks_by(workspace, watercolor, "ada") == {}
    adjudication.reopen(workspace, ids)
    assert told(workspace, watercolor) == [(2, "ada", "comment", "who painted it?")]


def test_two_people_tell_about_one_image_apart(workspace: Workspace, watercolor: Attribute) -> None:
    for name, uid in (("ada", "a"), ("ben", "b")):
        tell(workspace, handed(workspace, watercolor, name), uid, 1, "flag", name)
    assert [text for *_, text in told(workspace, watercolor)] == ["ada", "ben"]


@pytest.mark.parametrize(
    ("remark", "why"),
    [
        (("a", 99, "flag", ""), "Row 99 is not in this assignment"),
        (("a", 1, "shout", ""), "is not a kind of remark"),
        (("a", 1, "comment", "  "), "has no words"),
        (("a", 1, "unjudgeable", ""), "has no words"),
        (("a", 1, "comment", "x" * (MAX_REMARK + 1)), "has 301 characters"),
        (("a", 1, "comment", "x" * 1_000_000), "has 1,000,000 characters"),
        (("a", 1, "comment", "a\x00b"), "characters that are no text"),
        (("a", 1, "comment", 7), "must be text"),
        (("a b", 1, "flag", ""), "is not a valid uid"),
    ],
)
def test_what_is_no_remark_is_refused_and_nothing_is_stored(
    workspace: Workspace, watercolor: Attribute, remark: tuple[Any, ...], why: str
) -> None:
    assignment = handed(workspace, watercolor)
    with pytest.raises(AnnotationError, match=why):
        workspace.remarks.add(assignment, [NewRemark("first", 0, "flag"), NewRemark(*remark)])
    assert told(workspace, watercolor) == []


def test_words_are_stored_as_they_are(workspace: Workspace, watercolor: Attribute) -> None:
    words = "<script>alert(1)</script> '; DROP TABLE remarks; -- 🦋"
    tell(workspace, handed(workspace, watercolor), "a", 1, "comment", words)
    assert told(workspace, watercolor) == [(1, "ada", "comment", words)]
