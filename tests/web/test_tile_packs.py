"""Many tiles in one answer."""

import struct
import threading

import anyio
import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.errors import NotFound
from bam_engine.projection import MapView
from tests.web.clients import Client, run
from web.routes.tile_packs import MAX_TILES
from web.routes.tiles import tile_routes


@pytest.fixture(scope="module")
def view() -> MapView:
    rng = np.random.default_rng(0)
    return MapView(
        rng.random((300, 2)),
        version="abc",
        thumbnail=lambda row: Image.new("RGB", (64, 64), (row % 255, 20, 20)),
        scores={"media_comic": rng.normal(size=300)},
    )


def app_of(view: MapView, **limits: int) -> Starlette:
    return Starlette(routes=list(tile_routes({"all": view}.get, **limits)))


@pytest.fixture
def client(view: MapView) -> TestClient:
    return TestClient(app_of(view))


def unpacked(body: bytes) -> dict[int, bytes]:
    """The tiles of an answer by their number."""
    found, at = {}, 0
    while at < len(body):
        number, size = struct.unpack_from("<HI", body, at)
        assert number not in found
        found[number] = body[at + 6 : at + 6 + size]
        assert len(found[number]) == size
        at += 6 + size
    return found


@pytest.mark.parametrize("kind", ["density", "score-media_comic", "pictures-density"])
@pytest.mark.parametrize("ahead", ["", "&ahead=1"])
def test_a_pack_holds_each_tile_that_was_asked_for(client: TestClient, view: MapView, kind: str, ahead: str) -> None:
    z = max(2, view.picture_from_zoom)
    asked = [(1, 1), (0, 3), (3, 0), (2, 2), (1, 0), (0, 0), (3, 3)]
    tiles = ",".join(f"{x}.{y}" for x, y in asked)
    reply = client.get(f"/tiles/all/{kind}/{z}.pack?v=abc&tiles={tiles}{ahead}")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/octet-stream")
    assert "immutable" in reply.headers["cache-control"]
    assert unpacked(reply.content) == {number: view.tile(kind, z, x, y) for number, (x, y) in enumerate(asked)}


def test_a_pack_is_drawn_as_a_single_tile_is(client: TestClient, view: MapView) -> None:
    query = "v=old&theme=dark&pictures=newest"
    z = view.picture_from_zoom
    pack = client.get(f"/tiles/all/pictures-density/{z}.pack?{query}&tiles=0.0")
    alone = client.get(f"/tiles/all/pictures-density/{z}/0/0?{query}")
    assert unpacked(pack.content) == {0: alone.content}
    assert pack.headers["cache-control"] == alone.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "all/density/2.pack",
        "all/density/2.pack?tiles=",
        "all/density/2.pack?tiles=1.1,4.0",
        "all/density/2.pack?tiles=1.1,a.0",
        "all/density/2.pack?tiles=1.1,1",
        "all/density/2.pack?tiles=1.1,1.1.1",
        "all/density/2.pack?tiles=-1.1",
        "all/density/17.pack?tiles=0.0",
        "all/density/x.pack?tiles=0.0",
        "all/score-nothing/2.pack?tiles=0.0,1.1",
        "all/density/2.pack?tiles=0.0,1.1&theme=sepia",
        "all/density/2.pack?tiles=0.0,1.1&only=nothing",
        "all/pictures-density/2.pack?tiles=0.0,1.1&pictures=worst",
        "nobody/density/2.pack?tiles=0.0",
        "all/density/6.pack?tiles=" + ",".join(["1.1"] * (MAX_TILES + 1)),
    ],
)
def test_a_pack_with_a_tile_that_is_not_there_is_a_404(client: TestClient, path: str) -> None:
    reply = client.get(f"/tiles/{path}")
    assert (reply.status_code, reply.text) == (404, "Not found.")


def test_as_many_tiles_as_allowed_come_in_one_answer(client: TestClient, view: MapView) -> None:
    tiles = ",".join(f"{x}.{y}" for x in range(8) for y in range(MAX_TILES // 8))
    reply = client.get(f"/tiles/all/density/3.pack?tiles={tiles}")
    assert sorted(unpacked(reply.content)) == list(range(MAX_TILES))


class Slow:
    """A view whose tiles are drawn when they may be; it counts those that were begun."""

    def __init__(self, view: MapView) -> None:
        self.version, self.go_on, self.begun = view.version, threading.Semaphore(0), 0
        self._view = view

    def tile(self, *asked: object, **how: object) -> bytes:
        self.begun += 1
        self.go_on.acquire(timeout=20)
        return self._view.tile(*asked, **how)  # type: ignore[arg-type]


TILES = "tiles=" + ",".join(f"{x}.{y}" for x in range(4) for y in range(4))
PACK = "/tiles/all/density/2.pack"


def test_of_a_pack_too_as_many_are_drawn_at_once_as_allowed_and_none_for_who_has_left(view: MapView) -> None:
    slow = Slow(view)

    async def play() -> Client:
        client = Client(app_of(slow, at_once=3))  # type: ignore[arg-type]
        async with anyio.create_task_group() as group:
            group.start_soon(client.ask, PACK, TILES)
            await anyio.sleep(0.3)
            assert slow.begun == 3
            client.left.set()
            for _ in range(16):
                slow.go_on.release()
        return client

    run(play)
    assert slow.begun == 3


def test_what_is_fetched_ahead_waits_until_nothing_else_is_drawn(view: MapView) -> None:
    slow = Slow(view)

    async def play() -> None:
        app = app_of(slow, at_once=2)  # type: ignore[arg-type]
        one, other = Client(app), Client(app, "other")
        async with anyio.create_task_group() as group:
            group.start_soon(one.ask, "/tiles/all/density/0/0/0")
            await anyio.sleep(0.1)
            group.start_soon(other.ask, PACK, TILES + "&ahead=1")
            await anyio.sleep(0.3)
            assert slow.begun == 1, "only the tile in sight"
            slow.go_on.release()
            await anyio.sleep(0.3)
            assert slow.begun == 2, "half of the turns"
            for _ in range(16):
                slow.go_on.release()
        assert (one.status, other.status) == (200, 200)

    run(play)
    assert slow.begun == 17


def test_a_pack_is_told_to_come_again_where_too_many_wait(view: MapView) -> None:
    slow = Slow(view)

    async def play() -> tuple[list[Client], Client]:
        app = app_of(slow, at_once=1, waiting=4)  # type: ignore[arg-type]
        flood, late = [Client(app) for _ in range(10)], Client(app)
        async with anyio.create_task_group() as group:
            for client in flood:
                group.start_soon(client.ask)
            await anyio.sleep(0.1)
            group.start_soon(late.ask, PACK, TILES)
            await anyio.sleep(0.1)
            for _ in range(3):
                slow.go_on.release()
        return flood, late

    flood, late = run(play)
    assert [client.status for client in flood] == [200] * 3 + [503] * 7
    assert late.status == 503


class SlowToRead(Client):
    """A client that takes a while to read a tile."""

    async def send(self, message: dict[str, object]) -> None:
        await super().send(message)
        if message.get("body"):
            await anyio.sleep(0.3)


def test_a_pack_that_has_begun_comes_whole_however_many_wait(view: MapView) -> None:
    slow = Slow(view)

    async def play() -> Client:
        app = app_of(slow, at_once=1, waiting=4)  # type: ignore[arg-type]
        client, others = SlowToRead(app), [Client(app, f"other {number // 2}") for number in range(5)]
        async with anyio.create_task_group() as group:
            group.start_soon(client.ask, PACK, "tiles=0.0,1.0,2.0,3.0")
            await anyio.sleep(0.1)
            for other in others[:4]:
                group.start_soon(other.ask)
            await anyio.sleep(0.1)
            slow.go_on.release()  # the first tile is read, another works, three wait
            await anyio.sleep(0.1)
            group.start_soon(others[4].ask)
            await anyio.sleep(0.5)  # as many wait as may
            for _ in range(20):
                slow.go_on.release()
        return client

    assert run(play).status == 200
    assert slow.begun == 4 + 5


def test_a_pack_is_of_the_version_that_it_asks_for_and_one_ahead_does_not_wait_for_it(view: MapView) -> None:
    newer, looked = MapView([[0.5, 0.5]], version="newer", thumbnail=lambda row: None), []

    def get_map(_map_id: str) -> MapView:
        looked.append(1)
        return newer

    def cached(map_id: str) -> MapView:
        if map_id != "all":
            raise NotFound("no such map")
        return view

    client = TestClient(Starlette(routes=list(tile_routes(get_map, get_cached_map=cached))))
    for query, drawn, asked in (("v=abc", view, 0), ("v=gone&ahead=1", view, 0), ("v=newer", newer, 1)):
        reply = client.get(f"/tiles/all/density/0.pack?tiles=0.0&{query}")
        assert unpacked(reply.content) == {0: drawn.tile("density", 0, 0, 0)}
        assert (len(looked), "immutable" in reply.headers["cache-control"]) == (asked, "gone" not in query)
    assert client.get("/tiles/other/density/0.pack?tiles=0.0&v=abc").status_code == 404
