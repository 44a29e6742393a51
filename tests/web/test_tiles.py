"""What the map's addresses answer."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.errors import NotThere
from bam_engine.projection import MapView
from web.routes.tiles import tile_routes


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
        describe=lambda row: {"title": f"image {row}"},
    )


@pytest.fixture
def client(view: MapView) -> TestClient:
    def get_map(map_id: str) -> MapView | None:
        if map_id == "gone":
            raise NotThere("this map was deleted")
        return {"all": view}.get(map_id)

    return TestClient(Starlette(routes=list(tile_routes(get_map))))


@pytest.mark.parametrize("kind", ["density", "score-media_comic", "accepted-media_comic", "pictures-score-media_comic"])
def test_a_tile_is_a_picture_of_256_pixels_that_a_browser_may_keep_for_ever(client: TestClient, kind: str) -> None:
    reply = client.get(f"/tiles/all/{kind}/2/1/1.webp?v=abc")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "image/webp"
    assert "immutable" in reply.headers["cache-control"]
    assert "private" in reply.headers["cache-control"]
    assert Image.open(io.BytesIO(reply.content)).size == (256, 256)


@pytest.mark.parametrize("query", ["", "?v=old"])
def test_a_tile_of_another_version_is_not_kept(client: TestClient, query: str) -> None:
    reply = client.get(f"/tiles/all/density/0/0/0.webp{query}")
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "all/density/0/0/1.webp",
        "all/density/0/-1/0.webp",
        "all/density/17/0/0.webp",
        "all/density/99999999999999999999/0/0.webp",
        "all/density/a/0/0.webp",
        "all/density/0/0/0.5.webp",
        "all/density/²/0/0.webp",
        "all/density/0/0/0.png",
        "all/score-nothing/0/0/0.webp",
        "all/pictures-density/0/0/0/0.webp",
        "nobody/density/0/0/0.webp",
        "gone/density/0/0/0.webp",
        "gone/nearest?x=0&y=0&r=1",
        "nobody/nearest?x=0&y=0&r=1",
        "all/nearest?x=0.5&y=0.5&r=1&kind=score-nothing&z=9",
        "all/%2e%2e/0/0/0.webp",
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
    assert "x, y and r are numbers" in reply.text


def test_leaflet_comes_as_a_script_and_nothing_else_comes_from_its_folder(client: TestClient) -> None:
    reply = client.get("/vendor/leaflet-src.esm.js")
    assert reply.headers["content-type"].startswith("text/javascript")
    assert "Leaflet 1.9.4" in reply.text[:200]
    for path in ("leaflet.css", "LICENSE", "../routes/tiles.py", "%2e%2e/routes/tiles.py", "..%2froutes%2ftiles.py"):
        assert client.get(f"/vendor/{path}").status_code == 404


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
        asked = [threading.Thread(target=client.get, args=("/tiles/all/density/0/0/0.webp",)) for _ in range(8)]
        for thread in asked:
            thread.start()
        for thread in asked:
            thread.join()
    assert most == 2
