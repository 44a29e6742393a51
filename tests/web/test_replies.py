"""What goes wrong below a route is answered in words, with a status that says whether to try again."""

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from bam_engine.errors import BamError, DiskFull, NotFound, StoreUnavailable
from bam_engine.workspace import Workspace
from web import server
from web.routes.gallery import gallery_routes
from web.routes.images import image_routes
from web.routes.labels import label_routes
from web.routes.maps import map_routes
from web.routes.replies import in_words
from web.routes.tiles import tile_routes

STORE = sa.exc.OperationalError("SELECT secret", {}, OSError("disk I/O error"))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("There is no image 7."), 404),
        (BamError("The query is too long."), 400),
        (StoreUnavailable("The database does not answer."), 503),
        (DiskFull("The disk is full."), 503),
        (STORE, 503),
        (OSError("secret"), 503),
    ],
)
def test_an_error_is_a_short_sentence_without_what_nobody_should_read(error: Exception, status: int) -> None:
    async def fails(_: Request) -> Response:
        raise error

    reply = TestClient(Starlette(routes=[Route("/", in_words(fails))])).get("/")
    assert reply.status_code == status
    assert "secret" not in reply.text
    assert len(reply.json()["error"]) < 200
    assert reply.headers["cache-control"] == "no-store"
    assert ("retry-after" in reply.headers) == (status == 503)


@pytest.mark.parametrize("error", [StoreUnavailable("The database does not answer."), STORE])
def test_every_route_asks_to_try_again_while_the_workspace_cannot_be_opened(error: Exception) -> None:
    def closed(*_: object) -> Workspace:
        raise error

    routes = [*image_routes(closed), *gallery_routes(closed), *map_routes(closed), *tile_routes(closed)]
    routes += label_routes(lambda: closed().annotations)
    client = TestClient(Starlette(routes=routes), raise_server_exceptions=False)
    for path in (
        *("/thumbs/0.webp", "/large/0.webp", "/api/gallery/x/0.json", "/api/gallery/x/0.pack"),
        *("/api/gallery/x/shapes.bin", "/api/maps/x/names.json", "/api/maps/x/sheet.png", "/api/selections/x.csv"),
        *("/tiles/x/density/0/0/0", "/tiles/x/density/0.pack?tiles=0.0", "/tiles/x/nearest?x=0&y=0&r=1"),
    ):
        assert client.get(path).status_code == 503, path
    sent = {"answers": [{"uid": "a", "row": 0, "answer": 1}]}
    assert client.post("/api/assignments/x/answers", json=sent).status_code == 503


def test_a_workspace_that_cannot_be_opened_for_whatever_reason_may_be_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Workspace:
        raise BamError("Cannot open the database.")

    monkeypatch.setattr(server, "workspace", fails)
    with pytest.raises(StoreUnavailable, match="Cannot open the database"):
        server.opened_workspace()
