"""The route of the pictures beside a threshold: what the engine finds, as the browser draws it."""

from collections.abc import Iterator

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.annotation import Attribute
from bam_engine.formatting import decimal
from bam_engine.training.borderline import borderline
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.labelling.team import vote
from web.routes.borderline import borderline_routes


@pytest.fixture
def client(played: Workspace) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=list(borderline_routes(lambda: played)))) as made:
        yield made


def test_the_pictures_are_those_that_score_closest_with_their_scores_and_labels(
    client: TestClient, played: Workspace, watercolor: Attribute
) -> None:
    scores = scores_of(played, watercolor)
    value = float(np.median(scores))
    above, below = borderline(played, watercolor, value)
    vote(played, watercolor, "oracle", {int(above[0]): 1, int(below[0]): 0})
    reply = client.get(f"/api/attributes/{watercolor.id}/borderline.json?threshold={value}")
    assert reply.headers["cache-control"] == "no-store"
    found = reply.json()
    for name, rows in (("above", above), ("below", below)):
        assert [line[:2] for line in found[name]] == [[int(row), decimal(float(scores[row]), 3)] for row in rows]
    assert (found["above"][0][3], found["below"][0][3]) == ("yes", "no")


@pytest.mark.parametrize("query", ["", "?threshold=", "?threshold=high", "?threshold=nan", "?threshold=inf"])
def test_an_address_without_a_number_is_refused_with_a_sentence(
    client: TestClient, watercolor: Attribute, query: str
) -> None:
    reply = client.get(f"/api/attributes/{watercolor.id}/borderline.json{query}")
    assert (reply.status_code, reply.json()["error"]) == (
        400,
        "The address must give a number as ?threshold=, such as 0.412.",
    )


def test_an_attribute_that_is_not_there_is_not_found(client: TestClient) -> None:
    reply = client.get("/api/attributes/99/borderline.json?threshold=0")
    assert reply.status_code == 404
    assert "There is no attribute with id 99" in reply.json()["error"]
