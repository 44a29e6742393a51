"""The way in for direct answers: what is stored, what is refused, and in which words."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.annotation import Attribute
from bam_engine.labelling import direct_answers
from bam_engine.workspace import Workspace
from web.routes.direct_answers import direct_answer_routes

Give = Callable[..., Any]


@pytest.fixture
def give(workspace: Workspace, watercolor: Attribute) -> Give:
    """Give a function that answers about an image, for the attribute unless another id is given."""
    client = TestClient(Starlette(routes=direct_answer_routes(lambda: workspace)), raise_server_exceptions=False)

    def post(row: int, answer: object, *, attribute: int = watercolor.id, **others: object) -> Any:
        body: dict[str, Any] = {"answer": answer, "annotator": "anna", **others}
        return client.post(f"/api/attributes/{attribute}/images/{row}/answer", json=body)

    return post


def test_an_answer_gives_a_label_and_names_what_it_replaced(
    give: Give, workspace: Workspace, watercolor: Attribute
) -> None:
    unlearned = "It is not learned until the next training."
    assert give(3, 1).json() == {"mark": "yes", "own": None, "effect": unlearned}
    assert give(3, 0, seen="yes").json() == {"mark": "no", "own": 1, "effect": unlearned}
    assert direct_answers.standing(workspace, watercolor, 3, "anna").own == 0
    assert give(3, None, seen="no").json() == {"mark": "", "own": 0, "effect": ""}


def test_an_answer_of_a_page_that_shows_an_older_label_is_refused_with_the_newer_one(give: Give) -> None:
    give(3, 1, annotator="ben")
    reply = give(3, 0, seen="")
    assert (reply.status_code, reply.json()["mark"]) == (409, "yes")
    assert reply.json()["error"].startswith("Image 3 was answered elsewhere")


@pytest.mark.parametrize("body", [{"answer": True}, {"answer": "yes"}, {"seen": 1}, {"annotator": None}])
def test_another_form_is_refused(give: Give, body: dict[str, object]) -> None:
    reply = give(3, **({"answer": 1} | body))
    assert (reply.status_code, reply.json()["error"][:16]) == (400, "The body must be")


@pytest.mark.parametrize(("address", "status"), [({"row": 500}, 400), ({"row": 3, "attribute": 99}, 404)])
def test_what_is_not_there_is_not_answered(give: Give, address: dict[str, int], status: int) -> None:
    reply = give(address.pop("row"), 1, **address)
    assert reply.status_code == status


def test_only_json_is_accepted(workspace: Workspace, watercolor: Attribute) -> None:
    client = TestClient(Starlette(routes=direct_answer_routes(lambda: workspace)))
    reply = client.post(f"/api/attributes/{watercolor.id}/images/3/answer", content="answer=1")
    assert reply.status_code == 415
