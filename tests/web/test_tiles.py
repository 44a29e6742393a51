"""What the map's addresses answer."""

import io
import threading
import time

import anyio
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.errors import NotFound
from bam_engine.projection import MapView
from bam_engine.projection.view_sources import Sources
from tests.web.clients import Client, run
from web.routes.tiles import tile_routes

SCORE = {"name": "comic (media)", "score": 1.5, "probability": None, "accepted": None}


def selection(name: str) -> list[int]:
    if name != "some":
        raise NotFound("this selection was dropped")
    return list(range(50))


@pytest.fixture(scope="module")
def view() -> MapView:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=300)
    scores[7] = np.nan
    return MapView(
        rng.random((300, 2)),
        version="abc",
        thumbnail=lambda row: Image.new("RGB", (64, 64), (row % 255, 20, 20)),
        scores={"media_comic": scores},
        labels={"media_comic": np.sign(scores)},
        sources=Sources(selection=selection, describe=lambda row: {"title": f"image {row}", "scores": [SCORE]}),
    )


@pytest.fixture
def client(view: MapView) -> TestClient:
    def get_map(map_id: str) -> MapView | None:
        if map_id == "gone":
            raise NotFound("this map was deleted")
        return {"all": view}.get(map_id)

    return TestClient(Starlette(routes=list(tile_routes(get_map))))


@pytest.mark.parametrize(
    "kind", ["density", "score-media_comic", "accepted-media_comic", "pictures-score-media_comic", "density-log"]
)
def test_a_tile_is_a_picture_of_256_pixels_that_a_browser_may_keep_for_ever(client: TestClient, kind: str) -> None:
    reply = client.get(f"/tiles/all/{kind}/2/1/1?v=abc")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == ("image/webp" if kind.startswith("pictures-") else "image/png")
    assert "immutable" in reply.headers["cache-control"]
    assert "private" in reply.headers["cache-control"]
    assert Image.open(io.BytesIO(reply.content)).size == (256, 256)


@pytest.mark.parametrize("query", ["", "?v=old"])
def test_a_tile_of_another_version_is_not_kept(client: TestClient, query: str) -> None:
    reply = client.get(f"/tiles/all/density/0/0/0{query}")
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "all/density/0/0/1",
        "all/density/0/-1/0",
        "all/density/17/0/0",
        "all/density/99999999999999999999/0/0",
        "all/density/a/0/0",
        "all/density/0/0/0.5",
        "all/density/²/0/0",
        "all/density/0/0/0.png",
        "all/score-nothing/0/0/0",
        "all/pictures-density/0/0/0/0",
        "nobody/density/0/0/0",
        "gone/density/0/0/0",
        "gone/nearest?x=0&y=0&r=1",
        "nobody/nearest?x=0&y=0&r=1",
        "all/nearest?x=0.5&y=0.5&r=1&kind=score-nothing&z=9",
        "all/%2e%2e/0/0/0",
        "",
    ],
)
def test_what_is_not_there_is_a_404_and_never_a_page(client: TestClient, path: str) -> None:
    reply = client.get(f"/tiles/{path}")
    assert reply.status_code == 404
    assert "html" not in reply.headers["content-type"]


def test_nearest_tells_the_image_at_a_place(client: TestClient, view: MapView) -> None:
    index = 17
    x, y, row = float(view.source.x[index]), float(view.source.y[index]), int(view.source.rows[index])
    found = client.get("/tiles/all/nearest", params={"x": x, "y": y, "r": 0.001, "kind": "score-media_comic"}).json()
    assert (found["row"], found["title"]) == (row, f"image {row}")
    assert (found["x"], found["y"]) == (x, y)
    assert isinstance(found["score"], float)


def test_an_unscored_image_has_a_null_score_and_nowhere_has_no_image(client: TestClient, view: MapView) -> None:
    index = int(np.flatnonzero(view.source.rows == 7)[0])
    place = {"x": float(view.source.x[index]), "y": float(view.source.y[index]), "r": 0}
    found = client.get("/tiles/all/nearest", params=place | {"kind": "score-media_comic"}).json()
    assert (found["row"], found["score"]) == (7, None)
    assert client.get("/tiles/all/nearest?x=3&y=3&r=0.1").json() == {"row": None}


@pytest.mark.parametrize("query", ["", "x=1&y=1", "x=nan&y=0&r=1", "x=a&y=0&r=1", "x=0&y=0&r=-1", "x=0&y=inf&r=1"])
def test_a_place_that_is_none_is_complained_of(client: TestClient, query: str) -> None:
    reply = client.get(f"/tiles/all/nearest?{query}")
    assert reply.status_code == 400
    assert "x, y and r must be numbers" in reply.text


def test_no_more_tiles_are_drawn_at_once_than_allowed(view: MapView) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def get_map(_map_id: str) -> MapView:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return view

    with TestClient(Starlette(routes=list(tile_routes(get_map, at_once=2)))) as client:
        asked = [threading.Thread(target=client.get, args=("/tiles/all/density/0/0/0",)) for _ in range(8)]
        for thread in asked:
            thread.start()
        for thread in asked:
            thread.join()
    assert most == 2


@pytest.mark.parametrize("query", ["?only=some", "?theme=dark", "?only=some&theme=dark&v=abc"])
def test_a_selection_and_a_theme_make_another_tile(client: TestClient, query: str) -> None:
    plain, other = (client.get(f"/tiles/all/score-media_comic/0/0/0{each}") for each in ("", query))
    assert other.status_code == 200
    assert other.content != plain.content
    assert ("immutable" in other.headers["cache-control"]) == ("v=abc" in query)


@pytest.mark.parametrize("query", ["?only=nothing", "?theme=sepia", "?pictures=worst"])
def test_a_selection_or_theme_that_is_not_there_is_a_404(client: TestClient, query: str) -> None:
    assert client.get(f"/tiles/all/density/0/0/0{query}").status_code == 404


def test_the_pictures_asked_for_are_those_of_the_tile_and_under_the_pointer(client: TestClient, view: MapView) -> None:
    z = view.picture_from_zoom
    for how in ("medoid", "newest"):
        reply = client.get(f"/tiles/all/pictures-score-media_comic/{z}/0/0?v=abc&pictures={how}")
        assert "immutable" in reply.headers["cache-control"]
        assert reply.content == view.tile("pictures-score-media_comic", z, 0, 0, representative=how)
    for index in range(0, 300, 30):
        place = {"x": float(view.source.x[index]), "y": float(view.source.y[index]), "z": z}
        rows = {}
        for how in ("best", "medoid", "newest"):
            asked = place | {"r": 0, "kind": "score-media_comic", "pictures": how}
            rows[how] = client.get("/tiles/all/nearest", params=asked).json()["row"]
            told = view.image_at(place["x"], place["y"], 0, kind="score-media_comic", zoom=int(z), representative=how)
            assert told is not None
            assert rows[how] == told["row"]
        assert rows["newest"] == max(rows.values())


def test_nearest_tells_the_highest_scores(client: TestClient, view: MapView) -> None:
    place = {"x": float(view.source.x[3]), "y": float(view.source.y[3]), "r": 0}
    (line,) = client.get("/tiles/all/nearest", params=place).json()["scores"]
    assert line == {"name": "comic (media)", "score": 1.5, "probability": None, "accepted": None}


def slow_app(view: MapView, **limits: int) -> tuple[Starlette, threading.Event, list[int]]:
    """An app whose drawing waits until it may go on, and the tiles that were begun."""
    go_on, begun = threading.Event(), []

    def get_map(_map_id: str) -> MapView:
        begun.append(1)
        go_on.wait(20)
        return view

    return Starlette(routes=list(tile_routes(get_map, **limits))), go_on, begun


def test_what_its_client_no_longer_waits_for_is_not_drawn(view: MapView) -> None:
    app, go_on, begun = slow_app(view, at_once=1)

    async def play() -> list[Client]:
        clients = [Client(app, f"client {number}") for number in range(40)]
        async with anyio.create_task_group() as group:
            for client in clients:
                group.start_soon(client.ask)
                await anyio.sleep(0)
            while not begun:
                await anyio.sleep(0.01)
            for client in clients[1:-1]:
                client.left.set()
            await anyio.sleep(0.5)  # all have left; the last still waits
            go_on.set()
        return clients

    clients = run(play)
    assert len(begun) == 2
    assert (clients[0].status, clients[-1].status) == (200, 200)


def test_a_flood_is_answered_come_again_and_others_are_still_served(view: MapView) -> None:
    app, go_on, begun = slow_app(view, at_once=2, waiting=20)

    async def play() -> tuple[list[Client], Client]:
        flood, other = [Client(app, "flood") for _ in range(3000)], Client(app, "other")
        async with anyio.create_task_group() as group:
            for client in flood:
                group.start_soon(client.ask)
            while sum(client.status == 503 for client in flood) < 2900:
                await anyio.sleep(0.01)
            group.start_soon(other.ask)
            await anyio.sleep(0.2)
            assert other.status == 0, "it waits for its turn"
            go_on.set()
        return flood, other

    flood, other = run(play)
    assert sum(client.status == 200 for client in flood) == 12  # two at once, and half of the queue
    assert sum(client.status == 503 for client in flood) == 2988
    assert other.status == 200
    assert len(begun) == 13


def test_after_a_flood_there_are_as_many_turns_as_before(view: MapView) -> None:
    app, go_on, begun = slow_app(view, at_once=2, waiting=10)

    async def play() -> None:
        clients = [Client(app) for _ in range(8)]
        async with anyio.create_task_group() as group:
            for client in clients:
                group.start_soon(client.ask)
            await anyio.sleep(0.1)
            for client in clients:
                client.left.set()
            await anyio.sleep(0.3)
            go_on.set()
        go_on.clear()
        begun.clear()
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(Client(app).ask)
            await anyio.sleep(0.3)
            assert len(begun) == 2
            go_on.set()

    run(play)
    assert len(begun) == 4
