"""The windows of BAM's file: what a cell gets, which pictures the collection has, and what replaces a result."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bam_engine.database import images
from bam_engine.published import Query, find, make_arrays
from bam_engine.published.pictures import switch_off, switch_on
from bam_engine.workspace import Workspace
from benchmarks.bam_tables import Size, write_bam_file
from tests.download.conftest import here, picture, web  # noqa: F401 - a fixture
from tests.download.server import Send, Web, answer
from tests.published.conftest import CAT, INK, WriteFile, write_bam  # noqa: F401 - a fixture
from web.routes.bam_file import bam_file_routes, summary
from web.routes.request_queue import FULL

NAMED = {"old.example": "web.example"}  # an owner has named the host of these tests


@pytest.fixture
def client(workspace: Workspace) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=bam_file_routes(lambda: workspace))) as opened:
        yield opened


def about(workspace: Workspace, file: Path, **query: Any) -> dict[str, Any]:
    """Return the summary of what a query finds."""
    return summary(workspace, find(workspace, make_arrays(workspace, file), Query(**query)))


def ask(client: TestClient, listing: dict[str, Any], what: str) -> Any:
    return client.get(f"{listing['address']}/{listing['id']}/{what}", params={"q": listing["q"]})


def give_url(workspace: Workspace, row: int, url: str) -> None:
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(images).where(images.c.row == row).values(url=url))


def test_a_cell_has_its_place_its_crowd_label_and_the_picture_that_the_collection_has(
    workspace: Workspace,
    client: TestClient,
    write_bam: WriteFile,  # noqa: F811
) -> None:
    give_url(workspace, 7, "https://images.example/20.jpg")
    listing = about(workspace, write_bam(), yes=(CAT,))
    answer = ask(client, listing, "0.json")
    reply = answer.json()
    assert reply["rows"] == [10, 20, 30, 40]
    assert reply["pictures"] == [None, 7, None, None]
    assert reply["titles"] == ["10.jpg", "20.jpg", "30.jpg", "no URL"]
    assert reply["words"] == ["place 75%", "place 50%", "place 25%", "place 0%"]
    assert reply["marks"] == ["yes", "no", "", ""]
    assert reply["scores"] == reply["accepted"] == [None] * 4
    assert "immutable" in answer.headers["cache-control"]
    assert ask(client, listing, "shapes.bin").content == bytes([128] * 4)


def test_an_image_of_our_own_export_is_recognised_by_its_path(
    workspace: Workspace,
    client: TestClient,
    write_bam: WriteFile,  # noqa: F811
) -> None:
    path = workspace.catalogue.image(5).uri
    listing = about(workspace, write_bam(modules=[(10, 1, path, 0, "")]), sort="number")
    assert ask(client, listing, "0.json").json()["pictures"] == [5]


def test_windows_follow_one_another_and_end(workspace: Workspace, client: TestClient, tmp_path: Path) -> None:
    write_bam_file(tmp_path / "bam.sqlite", Size(450, 40, 80, 20, 20))
    listing = about(workspace, tmp_path / "bam.sqlite", yes=("content_cat",))
    assert (listing["total"], listing["block"], listing["pack"]) == (450, 200, 0)
    rows = [ask(client, listing, f"{block}.json").json()["rows"] for block in range(3)]
    assert list(map(len, rows)) == [200, 200, 50]
    assert len({mid for block in rows for mid in block}) == 450
    assert ask(client, listing, "3.json").status_code == 404


def test_what_has_changed_is_answered_with_what_replaces_it(
    workspace: Workspace,
    client: TestClient,
    write_bam: WriteFile,  # noqa: F811
) -> None:
    before = about(workspace, write_bam(), yes=(CAT,))
    after = about(workspace, write_bam("other.sqlite", scores=[(10, 1, 1), (20, 2, 2)]), yes=(CAT,))
    reply = ask(client, before, "0.json").json()
    assert reply == {"moved": after}
    assert after["total"] == 2
    assert ask(client, before, "shapes.bin").json() == {"moved": after}


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "not JSON"),
        ('{"yes": ["content_dog"]}', 404, "no scores of 'content_dog'"),
        ('{"place_from": ["7"]}', 400, "shares from 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_answered_in_words(
    workspace: Workspace,
    client: TestClient,
    write_bam: WriteFile,  # noqa: F811
    query: str,
    status: int,
    words: str,
) -> None:
    about(workspace, write_bam(), yes=(INK,))
    answer = client.get("/api/bam-file/abc/0.json", params={"q": query})
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_a_picture_comes_from_its_url_only_where_that_is_switched_on(
    workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,  # noqa: F811
) -> None:
    good, gone = web.put("/10.png", answer(picture(1))), web.put("/20.png", answer(status=404))
    file = write_bam(modules=[(10, 1, good, 0, ""), (20, 1, gone, 0, ""), (30, 2, None, 0, "")])
    with TestClient(Starlette(routes=bam_file_routes(lambda: workspace, resolver=here))) as client:
        off = about(workspace, file, yes=(CAT,))
        assert off["remote"] == ""
        key = make_arrays(workspace, file).key
        refused = client.get(f"/api/bam-file/pictures/{key}/10.webp")
        assert (refused.status_code, "switch that on" in refused.json()["error"]) == (404, True)
        assert web.asked == []
        switch_on(workspace, hosts=NAMED)
        listing = about(workspace, file, yes=(CAT,))
        assert listing["remote"] == f"/api/bam-file/pictures/{key}"
        assert listing["id"] != off["id"], "the browser takes it for another listing"
        assert ask(client, listing, "0.json").json()["rows"] == [10, 20, 30]
        assert web.asked == [], "a window asks for no picture"
        shown = client.get(f"{listing['remote']}/10.webp")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
        assert shown.headers["cache-control"] == "no-store", "the browser shows none once it is switched off"
        for mid, words in ((20, "status 404"), (30, "no URL"), (40, "no image 40")):
            answered = client.get(f"{listing['remote']}/{mid}.webp")
            assert (answered.status_code, words in answered.json()["error"]) == (404, True)
        for path in (f"{good}.webp", "-1.webp", "x.webp", "10.webp/../20"):
            assert client.get(f"{listing['remote']}/{path}").status_code in (400, 404)
        assert web.paths() == ["/10.png", "/20.png"]
        switch_off(workspace)
        assert client.get(f"{listing['remote']}/10.webp").status_code == 404


def test_a_host_that_asks_to_wait_is_answered_with_try_again(
    workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,  # noqa: F811
) -> None:
    busy = web.put("/10.png", answer(status=429, Retry_After="900"))
    key = make_arrays(workspace, write_bam(modules=[(10, 1, busy, 0, "")])).key
    switch_on(workspace, hosts=NAMED)
    with TestClient(Starlette(routes=bam_file_routes(lambda: workspace, resolver=here))) as client:
        for words in ("429", "left alone"):
            answered = client.get(f"/api/bam-file/pictures/{key}/10.webp")
            assert (answered.status_code, words in answered.json()["error"]) == (503, True)
    assert web.paths() == ["/10.png"]


def test_an_open_listing_gets_no_picture_of_another_file(
    workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,  # noqa: F811
) -> None:
    urls = {name: web.put(f"/{name}.png", answer(picture(n))) for n, name in enumerate(("one", "other"))}
    files = {name: write_bam(f"{name}.sqlite", modules=[(10, 1, url, 0, "")]) for name, url in urls.items()}
    with TestClient(Starlette(routes=bam_file_routes(lambda: workspace, resolver=here))) as client:
        old = make_arrays(workspace, files["one"]).key
        switch_on(workspace, hosts=NAMED)
        first = client.get(f"/api/bam-file/pictures/{old}/10.webp")
        new = make_arrays(workspace, files["other"]).key
        switch_on(workspace, hosts=NAMED)
        refused = client.get(f"/api/bam-file/pictures/{old}/10.webp")
        assert (refused.status_code, "another one now" in refused.json()["error"]) == (404, True)
        other = client.get(f"/api/bam-file/pictures/{new}/10.webp")
        assert (first.status_code, other.status_code) == (200, 200)
        assert first.content != other.content


def test_a_picture_that_waited_is_not_asked_for_once_pictures_are_switched_off(
    workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,  # noqa: F811
) -> None:
    async def off_while_it_answers(send: Send) -> None:
        await asyncio.to_thread(switch_off, workspace)
        await send(answer(picture(1)))

    lines = [(10, 1, web.put("/10.png", off_while_it_answers), 0, ""), (20, 1, web.put("/20.png", answer()), 0, "")]
    key = make_arrays(workspace, write_bam(modules=lines)).key
    switch_on(workspace, hosts=NAMED)
    with TestClient(Starlette(routes=bam_file_routes(lambda: workspace, resolver=here))) as client:
        for mid in (10, 20):
            assert client.get(f"/api/bam-file/pictures/{key}/{mid}.webp").status_code == 404
    assert web.paths() == ["/10.png"]


@pytest.mark.parametrize(
    ("method", "site", "status"),
    [("HEAD", "same-origin", 405), ("GET", "cross-site", 403), ("GET", "same-site", 403), ("GET", "none", 200)],
)
def test_neither_other_sites_nor_a_head_make_requests(
    workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,  # noqa: F811
    method: str,
    site: str,
    status: int,
) -> None:
    url = web.put("/10.png", answer(picture(1)))
    key = make_arrays(workspace, write_bam(modules=[(10, 1, url, 0, "")])).key
    switch_on(workspace, hosts=NAMED)
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    with TestClient(Starlette(routes=bam_file_routes(lambda: workspace, resolver=here))) as client:
        answered = client.request(method, f"/api/bam-file/pictures/{key}/10.webp", headers=headers)
    assert answered.status_code == status
    assert web.paths() == (["/10.png"] if status == 200 else [])


def test_a_picture_of_the_cache_does_not_wait_for_others(
    workspace: Workspace,
    web: Web,  # noqa: F811
    write_bam: WriteFile,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [(mid, 1, web.put(f"/{mid}.png", answer(picture(mid))), 0, "") for mid in (10, 20)]
    key = make_arrays(workspace, write_bam(modules=lines)).key
    switch_on(workspace, hosts=NAMED)

    @asynccontextmanager
    async def full(*args: object) -> AsyncIterator[str]:
        yield FULL

    with TestClient(Starlette(routes=bam_file_routes(lambda: workspace, resolver=here))) as client:
        assert client.get(f"/api/bam-file/pictures/{key}/10.webp").status_code == 200
        monkeypatch.setattr("web.routes.request_queue.RequestQueue.slot", full)
        answered = [client.get(f"/api/bam-file/pictures/{key}/{mid}.webp").status_code for mid in (10, 20)]
    assert answered == [200, 503]
    assert web.paths() == ["/10.png"]


def test_without_a_file_there_is_nothing(client: TestClient) -> None:
    answer = client.get("/api/bam-file/abc/0.json", params={"q": "{}"})
    assert answer.status_code == 404
    assert "Name one: `bam ingest bam FILE`" in answer.json()["error"]
    assert client.get("/api/bam-file/abc/9999999999999999999.json").status_code == 404
