"""The routes around a map: names, sheets, a selection as a table; every complaint has a message."""

import csv
import io
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.annotation import Attribute
from bam_engine.gallery import selections
from bam_engine.maps import layout_builder, layout_store, regions
from bam_engine.projection import MapView
from bam_engine.training import models
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.web.clients import Client, run
from web.routes.maps import map_routes


@pytest.fixture
def layout(workspace: Workspace) -> layout_store.LayoutRecord:
    return layout_builder.build(workspace, method="pca")


@pytest.fixture
def client(workspace: Workspace) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=list(map_routes(lambda: workspace)))) as made:
        yield made


def test_names_come_with_their_places_zooms_and_reasons(
    client: TestClient, workspace: Workspace, layout: layout_store.LayoutRecord
) -> None:
    reply = client.get(f"/api/maps/{layout.id}/names.json")
    found = regions.regions_of(workspace, layout.id)
    assert reply.json() == {
        "names": [
            {
                "name": one.name,
                "why": one.why,
                "x": one.x,
                "y": one.y,
                "count": one.count,
                "from": one.from_zoom,
                "to": one.to_zoom,
            }
            for one in found
        ],
        "busy": False,
    }


def test_names_that_are_still_looked_for_are_said_to_be(
    client: TestClient, workspace: Workspace, layout: layout_store.LayoutRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = regions.refresh

    def slowly(*asked: object, **more: object) -> object:
        time.sleep(0.3)
        return real(*asked, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(regions, "refresh", slowly)
    image = workspace.catalogue.image(0)
    workspace.catalogue.update_details({image.uri: {"title": "another"}})
    assert client.get(f"/api/maps/{layout.id}/names.json").json()["busy"] is True
    end = time.monotonic() + 30
    while client.get(f"/api/maps/{layout.id}/names.json").json()["busy"]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_sheet_comes_as_a_file(client: TestClient, layout: layout_store.LayoutRecord) -> None:
    view = "x=0.5&y=0.5&z=2&w=800&h=600&colour=density&dpi=72"
    reply = client.get(f"/api/maps/{layout.id}/sheet.png?{view}&paper=a4-portrait")
    assert reply.headers["content-type"] == "image/png"
    assert 'filename="map-density-a4-portrait.png"' in reply.headers["content-disposition"]
    with Image.open(io.BytesIO(reply.content)) as image:
        assert image.size == (595, 842)
    drawn = client.get(f"/api/maps/{layout.id}/sheet.svg?{view}")
    assert drawn.headers["content-type"].startswith("image/svg+xml")


def test_a_sheet_that_nobody_waits_for_any_longer_is_not_drawn(
    workspace: Workspace, layout: layout_store.LayoutRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first leaves while its sheet is drawn, the second while it waits; the third gets its own."""
    app, drawn = Starlette(routes=list(map_routes(lambda: workspace))), []
    real, go_on = MapView.tile, threading.Event()

    def tile(self: MapView, *asked: Any, **more: Any) -> bytes:
        drawn.append(asked[0])
        go_on.wait(20)
        return real(self, *asked, **more)

    monkeypatch.setattr(MapView, "tile", tile)
    path, query = f"/api/maps/{layout.id}/sheet.png", "x=0.5&y=0.5&z=1&w=400&h=300&dpi=72&colour="

    async def play() -> list[Client]:
        clients = [Client(app, name) for name in ("first", "second", "third")]
        async with anyio.create_task_group() as group:
            for client, colour in zip(clients, ("density", "category-project", "density-log"), strict=True):
                group.start_soon(client.ask, path, query + colour)
                await anyio.sleep(0.2)
            clients[0].left.set()
            clients[1].left.set()
            await anyio.sleep(0.5)
            go_on.set()
        return clients

    clients = run(play)
    assert drawn.count("density") == 1, "no other tile once it has left"
    assert drawn.count("category-project") == 0
    assert drawn.count("density-log") > 4
    assert clients[2].status == 200


def test_a_selection_comes_as_a_table_with_its_scores(
    client: TestClient, workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    reply = client.get(f"/api/selections/{selections.save(workspace, [9, 2, 40])}.csv")
    assert reply.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(reply.text)))
    assert [int(line["row"]) for line in lines] == [2, 9, 40]
    assert [line["file"] for line in lines] == ["ok"] * 3
    scores = models.scores_of(workspace, watercolor)
    for line in lines:
        image = workspace.catalogue.image(int(line["row"]))
        assert (line["uri"], line["title"], line["project"]) == (image.uri, image.title or "", image.project_id or "")
        assert float(line["media_watercolor_score"]) == pytest.approx(float(scores[image.row]), abs=1e-6)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("maps/nowhere/names.json", 404),
        ("maps/nowhere/sheet.png?x=0.5&y=0.5&z=1&w=9&h=9", 404),
        ("maps/MAP/sheet.png", 400),
        ("maps/MAP/sheet.png?x=0.5&y=0.5&z=1&w=9&h=9&dpi=90000", 400),
        ("maps/MAP/sheet.png?x=0.5&y=0.5&z=1&w=9&h=9&paper=a0", 400),
        ("maps/MAP/sheet.png?x=0.5&y=0.5&z=1&w=9&h=9&colour=mood", 404),
        ("maps/MAP/sheet.exe?x=0.5&y=0.5&z=1&w=9&h=9", 404),
        ("selections/00000000000000000000.csv", 404),
        ("selections/..%2f..%2fx.csv", 404),
        ("maps/MAP/anything", 404),
    ],
)
def test_what_is_asked_wrongly_gets_a_message(
    client: TestClient, layout: layout_store.LayoutRecord, path: str, status: int
) -> None:
    reply = client.get("/api/" + path.replace("MAP", layout.id))
    assert reply.status_code == status
    assert len(reply.json()["error"]) > 10


@pytest.mark.parametrize(("query", "title"), [("", "'=1+1"), ("?raw-text=0", "'=1+1"), ("?raw-text=1", "=1+1")])
def test_a_title_in_the_table_of_a_selection_starts_no_formula_unless_raw_text_is_asked_for(
    client: TestClient, workspace: Workspace, query: str, title: str
) -> None:
    workspace.catalogue.update_details({workspace.catalogue.image(2).uri: {"title": "=1+1"}})
    reply = client.get(f"/api/selections/{selections.save(workspace, [2])}.csv{query}")
    assert [line["title"] for line in csv.DictReader(io.StringIO(reply.text))] == [title]
