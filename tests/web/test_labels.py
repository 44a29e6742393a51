"""The way in for answers: what is stored, what is refused, and in which words."""

import json

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.errors import StoreUnavailable
from web.routes.bodies import MAX_BODY
from web.routes.labels import label_routes


@pytest.fixture
def annotations(database: sa.Engine) -> Annotations:
    Attributes(database).add("kite", "own", "Is there a kite?")
    return Annotations(database)


@pytest.fixture
def assignment(annotations: Annotations) -> str:
    return annotations.assign(1, annotations.annotator("Ada"), range(5), purpose="round", source_id=1).id


@pytest.fixture
def client(annotations: Annotations) -> TestClient:
    return TestClient(
        Starlette(routes=label_routes(lambda: annotations, terms_of=lambda _: None)), raise_server_exceptions=False
    )


def url(assignment: str) -> str:
    return f"/api/assignments/{assignment}/answers"


def answer(row: int, value: object = 1, **others: object) -> dict[str, object]:
    return {"uid": f"uid-{row}", "row": row, "answer": value, "seconds": 0.4} | others


def test_answers_are_stored_and_a_repetition_is_told_apart(client, annotations, assignment) -> None:
    page = {"answers": [answer(0), answer(1, 0), answer(2, -1)]}
    first, second = client.post(url(assignment), json=page), client.post(url(assignment), json=page)
    assert (first.status_code, first.json()) == (200, {"new": 3, "repeated": 0})
    assert (second.status_code, second.json()) == (200, {"new": 0, "repeated": 3})
    assert annotations.answered_rows(assignment) == {0: 1, 1: 0, 2: -1}


@pytest.mark.parametrize("other", [{"value": 0}, {"row": 1}])
def test_a_used_uid_with_another_answer_is_refused_and_nothing_of_it_is_stored(
    client, annotations, assignment, other
) -> None:
    assert client.post(url(assignment), json={"answers": [answer(0)]}).status_code == 200
    changed = answer(other.get("row", 0), other.get("value", 1), uid="uid-0")
    reply = client.post(url(assignment), json={"answers": [answer(2), changed]})
    assert reply.status_code == 409
    assert "uid-0 belongs to another answer" in reply.json()["error"]
    assert annotations.answered_rows(assignment) == {0: 1}


def test_a_uid_of_another_assignment_is_refused(client, annotations, assignment) -> None:
    assert client.post(url(assignment), json={"answers": [answer(0)]}).status_code == 200
    other = annotations.assign(1, annotations.annotator("Ben"), range(5), purpose="round", source_id=1).id
    assert client.post(url(other), json={"answers": [answer(0)]}).status_code == 409
    assert annotations.answered_rows(other) == {}


def test_one_uid_for_two_answers_of_a_request_is_refused(client, annotations, assignment) -> None:
    twice = {"answers": [answer(0), answer(1, uid="uid-0")]}
    assert client.post(url(assignment), json=twice).status_code == 409
    assert annotations.answered_rows(assignment) == {}


def test_an_empty_submit_is_no_error(client, assignment) -> None:
    assert client.post(url(assignment), json={"answers": []}).json() == {"new": 0, "repeated": 0}


def test_an_unknown_assignment_is_not_found(client) -> None:
    reply = client.post(url("nowhere"), json={"answers": [answer(0)]})
    assert reply.status_code == 404
    assert reply.json()["error"].startswith("There is no assignment 'nowhere'")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b"7",
        b"{}",
        b'{"answers": 1}',
        b'{"answers": [1]}',
        b'{"answers": [{"row": 0, "answer": 1}]}',
        b'{"answers": [{"uid": "a", "row": 99, "answer": 1}]}',
        b'{"answers": [{"uid": "a", "row": 0, "answer": "yes"}]}',
        b'{"answers": [{"uid": "a", "row": 0, "answer": [1]}]}',
        b'{"answers": [{"uid": "a", "row": {}, "answer": 1}]}',
        b'{"answers": [{"uid": "a", "row": 1e400, "answer": 1}]}',
        b'{"answers": [{"uid": "a", "row": ' + b"9" * 5000 + b', "answer": 1}]}',
        b'{"answers": [{"uid": "a", "row": ' + b"9" * 4000 + b', "answer": 1}]}',
        b'{"answers": [{"uid": "\\ud800", "row": 0, "answer": 1}]}',
        b'{"answers": [{"uid": "a", "row": 0, "answer": 1, "seconds": NaN}]}',
        b'{"answers": [{"uid": "a", "row": 0, "answer": 1, "seconds": "9"}]}',
    ],
)
def test_a_body_that_says_no_answers_is_refused_and_stores_nothing(client, annotations, assignment, body) -> None:
    reply = client.post(url(assignment), content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    assert reply.json()["error"]
    assert annotations.answered_rows(assignment) == {}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", None])
def test_what_a_form_on_another_site_can_send_is_refused(client, annotations, assignment, kind) -> None:
    body = json.dumps({"answers": [answer(0)]}).encode()
    headers = {} if kind is None else {"Content-Type": kind}
    assert client.post(url(assignment), content=body, headers=headers).status_code == 415
    assert annotations.answered_rows(assignment) == {}


def test_json_with_a_charset_is_json(client, assignment) -> None:
    body = json.dumps({"answers": [answer(0)]})
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post(url(assignment), content=body, headers=headers).status_code == 200


def test_a_body_without_end_is_cut_off(client, assignment) -> None:
    def chunks():
        for _ in range(MAX_BODY // 1000 + 10):
            yield b" " * 1000

    reply = client.post(url(assignment), content=chunks(), headers={"Content-Type": "application/json"})
    assert (reply.status_code, "1,000,000 bytes" in reply.json()["error"]) == (413, True)


def test_a_database_that_fails_asks_for_another_try_and_shows_no_traceback(assignment) -> None:
    class Broken:
        def record(self, *_: object, **_how: object) -> None:
            raise sa.exc.OperationalError("INSERT secret", {}, OSError("disk I/O error"))

    client = TestClient(Starlette(routes=label_routes(Broken)), raise_server_exceptions=False)
    reply = client.post(url(assignment), json={"answers": [answer(0)]})
    assert reply.status_code == 503
    assert "secret" not in reply.text


def test_a_locked_database_asks_for_another_try_and_says_why(assignment) -> None:
    class Locked:
        def record(self, *_: object, **_how: object) -> None:
            raise StoreUnavailable("Nothing was saved: another program is writing.")

    client = TestClient(Starlette(routes=label_routes(Locked)), raise_server_exceptions=False)
    reply = client.post(url(assignment), json={"answers": [answer(0)]})
    assert (reply.status_code, reply.json()["error"][:49]) == (503, "Nothing was saved: another program is writing. Th")


def test_a_defect_answers_in_json_too(assignment) -> None:
    def broken() -> Annotations:
        raise RuntimeError("secret")

    client = TestClient(Starlette(routes=label_routes(broken)), raise_server_exceptions=False)
    reply = client.post(url(assignment), json={"answers": [answer(0)]})
    assert reply.status_code == 500
    assert "secret" not in reply.text


def test_answers_are_only_ever_posted(client, assignment) -> None:
    assert client.get(url(assignment)).status_code == 405


def test_an_answer_of_an_older_page_does_not_replace_a_newer_one_and_is_told_of_it(
    client, annotations, assignment
) -> None:
    """Two tabs show pictures 0 and 1 without an answer; the second answers first."""
    client.post(url(assignment), json={"answers": [answer(0, 1, uid="second", seen=-2)]})
    page = {"answers": [answer(0, 0, uid="first-0", seen=-2), answer(1, 0, uid="first-1", seen=-2)]}
    for new, repeated in ((1, 0), (0, 1)):  # the reply was lost: it is sent again
        reply = client.post(url(assignment), json=page)
        assert (reply.status_code, reply.json()) == (200, {"new": new, "repeated": repeated, "newer": {"0": 1}})
    assert annotations.answered_rows(assignment) == {0: 1, 1: 0}
    corrected = client.post(url(assignment), json={"answers": [answer(0, 0, uid="corrected", seen=1)]})
    assert corrected.json() == {"new": 1, "repeated": 0}
    assert annotations.answered_rows(assignment) == {0: 0, 1: 0}


@pytest.mark.parametrize("seen", [7, "yes", True])
def test_what_an_answer_replaces_is_an_answer(client, assignment, seen) -> None:
    reply = client.post(url(assignment), json={"answers": [answer(0, seen=seen)]})
    assert reply.status_code == 400
    assert "is not an answer to be replaced" in reply.json()["error"]


def test_remarks_to_the_reviewer_come_with_the_answers_or_alone(client, annotations, assignment) -> None:
    flag = {"uid": "r1", "row": 1, "kind": "flag"}
    note = {"uid": "r2", "row": 2, "kind": "comment", "text": "<b>two</b> kites"}
    assert client.post(url(assignment), json={"answers": [answer(0)], "remarks": [flag]}).json()["new"] == 1
    for _ in range(2):
        reply = client.post(url(assignment), json={"answers": [], "remarks": [note]})
        assert (reply.status_code, reply.json()) == (200, {"new": 0, "repeated": 0})
    assert [(one.row, one.kind, one.text) for one in annotations.remarks.of(1)] == [
        (1, "flag", ""),
        (2, "comment", "<b>two</b> kites"),
    ]


@pytest.mark.parametrize("remarks", [5, [1], [{"uid": "r", "row": 1}], [{"uid": "r", "row": 9, "kind": "flag"}]])
def test_what_is_no_remark_is_refused(client, annotations, assignment, remarks) -> None:
    assert client.post(url(assignment), json={"answers": [], "remarks": remarks}).status_code == 400
    assert annotations.remarks.of(1) == []
