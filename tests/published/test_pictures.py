"""Pictures of BAM's file from their URLs, against a server as hostile as the web: kept small, refused, remembered."""

import asyncio
import io
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.download.network import resolve
from bam_engine.download.outcomes import Failure
from bam_engine.download.settings import Settings
from bam_engine.download.urls import parse_url
from bam_engine.errors import CollectionError, NotFound, TeamError
from bam_engine.published import Arrays, forget, make_arrays
from bam_engine.published import pictures as pictures_module
from bam_engine.published.hosts import AT_ONCE, PER_HOST, SILENT, Hosts
from bam_engine.published.picture_cache import REMEMBERED, REMEMBERED_BRIEFLY, PictureCache
from bam_engine.published.pictures import (
    SIDE,
    FilePictures,
    PictureServer,
    hosts_of,
    picture_settings,
    switch_off,
    switch_on,
    url_of,
)
from bam_engine.team import Role
from bam_engine.team.permissions import restrict
from bam_engine.workspace import Workspace
from tests.download.conftest import here, picture, web  # noqa: F401 - a fixture
from tests.download.server import Reply, Web, answer, endless, redirect, silence
from tests.published.conftest import WriteFile
from tests.web.clients import run

NAMED = {"old.example": "web.example", "older.example": "cdn.example"}  # an owner has named these two
QUICK = Settings(per_host=2, max_bytes=300_000, tries=1, read_seconds=0.2, total_seconds=5.0, hosts=NAMED)
Outcome = bytes | Failure


def ask(folder: Path, *urls: str, resolver: object = here, settings: Settings = QUICK) -> list[Outcome]:
    """Ask for pictures one after the other."""

    async def go() -> list[Outcome]:
        pictures = FilePictures(folder, settings, resolver=resolver)  # type: ignore[arg-type]
        found: list[Outcome] = []
        for url in urls:
            try:
                found.append(await pictures.picture(parse_url(url)))
            except Failure as failure:
                found.append(failure)
        return found

    return run(go)


def kinds(found: list[Outcome]) -> list[str]:
    return [one.kind if isinstance(one, Failure) else "picture" for one in found]


def test_a_picture_is_kept_small_and_asked_for_once(web: Web, tmp_path: Path) -> None:  # noqa: F811
    url = web.put("/a.png", answer(picture(1, (1600, 800))))
    first, again = ask(tmp_path, url, url)
    assert first == again
    assert isinstance(first, bytes)
    with Image.open(io.BytesIO(first)) as image:
        assert (image.format, image.size) == ("WEBP", (SIDE, SIDE // 2))
    assert ask(tmp_path, url) == [first], "another process finds it in the cache"
    assert web.paths() == ["/a.png"]
    assert web.headers[-1]["user-agent"].startswith("bam-engine/")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [next(tmp_path.glob("??/*")).name]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(status=404), "not found"),
        (answer(status=304), "status"),
        (answer(b"<html>gone</html>", kind="text/html"), "no image"),
        (answer(b"<!DOCTYPE html>", kind="image/png"), "no image"),
        (answer(picture(1)[:40]), "damaged"),
        (answer(picture(1), length=10_000), "incomplete"),
        (answer(picture(1), X_Robots_Tag="noai"), "opted out"),
        (answer(picture(1), length=99_000_000), "too large"),
        (endless(picture(1)), "too large"),
        (silence, "timeout"),
        (redirect("http://127.0.0.1:5432/a.png"), "private address"),
        (redirect("/a.png"), "redirects"),
    ],
)
def test_what_is_no_picture_says_why_and_is_not_asked_for_again(
    web: Web,  # noqa: F811
    tmp_path: Path,
    reply: Reply,
    kind: str,
) -> None:
    url = web.put("/a.png", reply)
    first, again = ask(tmp_path, url, url)
    assert isinstance(first, Failure)
    assert isinstance(again, Failure)
    assert (first.kind, again.kind, again.reason) == (kind, kind, first.reason)
    asked = len(web.asked)
    assert kinds(ask(tmp_path, url)) == [kind]
    assert len(web.asked) == asked
    assert not list(tmp_path.glob("partial/*"))


def test_robots_txt_decides(web: Web, tmp_path: Path) -> None:  # noqa: F811
    web.put("/robots.txt", answer(b"User-agent: *\nDisallow: /disp/", kind="text/plain"))
    found = ask(tmp_path, web.put("/disp/a.png", answer(picture(1))), web.put("/b.png", answer(picture(2))))
    assert kinds(found) == ["robots.txt", "picture"]
    assert web.paths() == ["/b.png"]


def test_a_private_address_is_refused_under_any_name(tmp_path: Path) -> None:
    async def inside(host: str, port: int) -> list[str]:
        return ["192.168.0.1"]

    assert kinds(ask(tmp_path, "http://images.example/a.png", resolver=inside)) == ["private address"]
    assert kinds(ask(tmp_path, "http://127.0.0.1:8501/a.png", resolver=resolve)) == ["private address"]


def test_a_host_that_asks_to_wait_is_left_alone_and_its_pictures_are_not_given_up(
    web: Web,  # noqa: F811
    tmp_path: Path,
) -> None:
    one = web.put("/a.png", answer(status=429, Retry_After="7200"))
    other = web.put("/b.png", answer(picture(2)))
    first, second = ask(tmp_path, one, other)
    assert kinds([first, second]) == ["busy", "busy"]
    assert "left alone for another" in str(second)
    assert web.paths() == ["/a.png"]
    assert kinds(ask(tmp_path, other)) == ["picture"], "nothing was remembered of this picture"


def test_a_host_that_does_not_answer_is_left_alone(tmp_path: Path) -> None:
    asked: list[str] = []

    async def gone(host: str, port: int) -> list[str]:
        asked.append(host)
        raise Failure("name", f"The host {host} was not found.")

    found = ask(tmp_path, *(f"http://gone.example/{number}.png" for number in range(SILENT + 3)), resolver=gone)
    assert kinds(found) == ["name"] * SILENT + ["busy"] * 3
    assert len(asked) == SILENT


def test_the_same_picture_is_asked_for_once_however_many_look(web: Web, tmp_path: Path) -> None:  # noqa: F811
    url = parse_url(web.put("/a.png", answer(picture(1))))

    async def go() -> set[bytes]:
        pictures = FilePictures(tmp_path, QUICK, resolver=here)
        return set(await asyncio.gather(*(pictures.picture(url) for _ in range(20))))

    assert len(run(go)) == 1
    assert web.paths() == ["/a.png"]


def test_failures_are_forgotten_after_their_time(tmp_path: Path) -> None:
    moment = [0.0]
    cache = PictureCache(tmp_path, now=lambda: moment[0])
    cache.note("a", Failure("not found", "It is gone."))
    cache.note("b", Failure("server error", "It is ill."))
    for seconds, known in (
        (0, "ab"),
        (REMEMBERED_BRIEFLY - 1, "ab"),
        (REMEMBERED_BRIEFLY, "a"),
        (REMEMBERED - 1, "a"),
        (REMEMBERED, ""),
    ):
        moment[0] = seconds
        for url in "ab":
            if url in known:
                with pytest.raises(Failure):
                    cache.read(url)
            else:
                assert cache.read(url) is None


def test_beyond_its_size_the_cache_drops_what_was_looked_at_least_recently(tmp_path: Path) -> None:
    moment = [1e9]
    cache = PictureCache(tmp_path, max_bytes=10 * 5_000, now=lambda: moment[0])
    content = bytes(4_900)
    for number in range(9):
        cache.keep(str(number), content)
        path = max(tmp_path.glob("??/*"), key=lambda one: one.stat().st_ctime_ns)
        os.utime(path, (moment[0], moment[0]))
        moment[0] += 4000
    assert cache.read("0") == content, "and so it was looked at last"
    for number in range(9, 12):
        cache.keep(str(number), content)
    kept = {number for number in range(12) if cache.read(str(number)) is not None}
    assert {0, 9, 10, 11} <= kept
    assert 1 not in kept
    assert sum(path.stat().st_size for path in tmp_path.glob("??/*")) <= 50_000


def test_a_damaged_or_exchanged_file_of_the_cache_is_none(tmp_path: Path) -> None:
    cache = PictureCache(tmp_path)
    cache.keep("a", b"one")
    cache.keep("b", b"other")
    one, other = tmp_path.glob("??/*")
    one.write_bytes(other.read_bytes())
    other.write_bytes(other.read_bytes()[:-3])
    assert (cache.read("a"), cache.read("b")) == (None, None)


def test_it_is_off_until_somebody_switches_it_on(empty_workspace: Workspace, arrays: Arrays) -> None:
    assert picture_settings(empty_workspace) is None
    switch_on(empty_workspace, contact="ann@lab.example", hosts={"images.example": "mirror.example"})
    settings = picture_settings(empty_workspace)
    assert settings is not None
    assert settings.contact == "ann@lab.example"
    assert settings.respect_robots
    assert url_of(arrays, 10, settings).text == "https://mirror.example/10.jpg"
    with pytest.raises(Failure, match="no URL of this image"):
        url_of(arrays, 40, settings)
    with pytest.raises(NotFound, match="no image 41"):
        url_of(arrays, 41, settings)
    with pytest.raises(CollectionError, match="cannot be sent"):
        switch_on(empty_workspace, contact="a\nb")
    switch_off(empty_workspace)
    assert picture_settings(empty_workspace) is None


def test_the_hosts_of_a_file_are_counted(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    urls = [
        "https://images.example/1.jpg",
        "HTTPS://IMAGES.example:443/2.jpg",
        "http://images.example",
        "http://a.example/x?http://b.example/",
        "/pictures/1.jpg",
        "http://user@c.example/1.jpg",
        None,
    ]
    arrays = make_arrays(
        empty_workspace, write_bam(modules=[(number, 1, url, 0, "") for number, url in enumerate(urls)])
    )
    assert hosts_of(empty_workspace, arrays) == (("images.example", 3), ("a.example", 1))


def test_who_forgets_the_file_has_no_pictures_of_it(empty_workspace: Workspace, arrays: Arrays) -> None:
    folder = empty_workspace.cache / "bam_pictures"
    PictureCache(folder).keep("a", b"one")
    forget(empty_workspace)
    assert not folder.exists()


def test_a_host_behind_a_redirect_that_asks_to_wait_is_left_alone_and_the_one_before_it_is_not(
    web: Web,  # noqa: F811
    tmp_path: Path,
) -> None:
    web.put("/busy.png", answer(status=429, Retry_After="7200"))
    leading = [web.put(f"/{n}.png", redirect(web.url("/busy.png", "cdn.example"))) for n in range(3)]
    found = ask(tmp_path, *leading, web.put("/own.png", answer(picture(1))), web.url("/own.png", "cdn.example"))
    assert kinds(found) == ["busy", "busy", "busy", "picture", "busy"]
    assert web.paths().count("/busy.png") == 1
    assert "left alone for another" in str(found[1])


def test_what_is_known_of_a_host_outlives_a_change_of_settings(
    web: Web,  # noqa: F811
    empty_workspace: Workspace,
) -> None:
    busy, other = web.put("/a.png", answer(status=429, Retry_After="7200")), web.put("/b.png", answer(picture(2)))

    async def go() -> list[str]:
        server, found = PictureServer(), []
        for contact, url in (("", busy), ("ann@lab.example", other)):
            switch_on(empty_workspace, contact=contact, hosts=NAMED)
            settings = picture_settings(empty_workspace)
            assert settings is not None
            with pytest.raises(Failure) as caught:
                await server.pictures(empty_workspace, settings, resolver=here).picture(parse_url(url))
            found.append(caught.value.kind)
        return found

    assert run(go) == ["busy", "busy"]
    assert web.paths() == ["/a.png"]


def test_what_was_to_be_asked_for_when_it_is_switched_off_is_not(web: Web, tmp_path: Path) -> None:  # noqa: F811
    permitted = [True]
    urls = [parse_url(web.put("/0.png", redirect(web.url("/1.png")))), parse_url(web.put("/1.png", answer(picture(1))))]

    async def go() -> list[str]:
        def still() -> bool:
            return permitted.pop() if permitted else False

        pictures = FilePictures(tmp_path, QUICK, resolver=here, permitted=still)
        found = []
        for url in urls:
            with pytest.raises(NotFound, match="as they were"):
                await pictures.picture(url)
            found.append(url.text)
        return found

    assert len(run(go)) == 2
    assert web.paths() == ["/0.png"], "neither what a redirect leads to nor the next picture is asked for"
    assert kinds(ask(tmp_path, urls[1].text)) == ["picture"], "nothing was remembered"


def test_who_is_cut_off_while_a_picture_is_decoded_waits_for_its_end_and_leaves_nothing(
    web: Web,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoding, go_on = threading.Event(), threading.Event()
    real = pictures_module.read_image

    def slow(*args: object, **options: object) -> object:
        decoding.set()
        assert go_on.wait(60)
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pictures_module, "read_image", slow)
    url = parse_url(web.put("/a.png", answer(picture(1))))

    async def go() -> None:
        pictures = FilePictures(tmp_path, replace(QUICK, total_seconds=60.0), resolver=here)
        before = asyncio.all_tasks()
        looking = asyncio.create_task(pictures.picture(url))
        assert await asyncio.to_thread(decoding.wait, 60)
        (fetching,) = (one for one in asyncio.all_tasks() - before if "_fetched" in str(one.get_coro()))
        fetching.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not fetching.done(), "its place is free when the thread has ended, and not before"
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await looking

    run(go)
    assert not list(tmp_path.glob("partial/*"))
    assert not list(tmp_path.glob("??/*.webp"))


def test_what_a_killed_server_left_unfinished_is_deleted(empty_workspace: Workspace) -> None:
    partial = empty_workspace.cache / "bam_pictures" / "partial"
    partial.mkdir(parents=True)
    for name in ("old", "new"):
        (partial / name).write_bytes(b"x")
    os.utime(partial / "old", (1e9, 1e9))

    async def go() -> None:
        PictureServer().pictures(empty_workspace, QUICK, resolver=here)

    run(go)
    assert [path.name for path in partial.iterdir()] == ["new"]


def test_private_networks_are_for_the_hosts_that_an_owner_has_named(web: Web, tmp_path: Path) -> None:  # noqa: F811
    web.put("/a.png", answer(picture(1)))
    led = web.put("/b.png", redirect(web.url("/a.png", "other.example")))
    assert kinds(ask(tmp_path, web.url("/a.png", "other.example"), led)) == ["private address"] * 2
    assert web.paths() == ["/b.png"]


def test_a_refusal_is_remembered_for_the_contact_that_was_refused(web: Web, tmp_path: Path) -> None:  # noqa: F811
    url = web.put("/a.png", answer(status=403), answer(picture(1)))
    assert kinds(ask(tmp_path, url, url)) == ["forbidden", "forbidden"]
    assert kinds(ask(tmp_path, url, settings=replace(QUICK, contact="ann@lab.example"))) == ["picture"]


def test_the_switch_belongs_to_one_file(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    one, other = write_bam("one.sqlite"), write_bam("other.sqlite")
    make_arrays(empty_workspace, one)
    switch_on(empty_workspace)
    make_arrays(empty_workspace, one)
    assert picture_settings(empty_workspace) is not None, "read again, it is the same file"
    make_arrays(empty_workspace, other)
    assert picture_settings(empty_workspace) is None, "nobody was shown the hosts of the other one"
    switch_on(empty_workspace)
    forget(empty_workspace)
    make_arrays(empty_workspace, other)
    assert picture_settings(empty_workspace) is None


def test_owners_alone_switch_pictures_on_or_off(empty_workspace: Workspace) -> None:
    role = [Role.OWNER]
    restrict(empty_workspace.engine, lambda: role[0])
    switch_on(empty_workspace)
    role[0] = Role.REVIEWER
    for switch in (switch_on, switch_off):
        with pytest.raises(TeamError, match="for owners"):
            switch(empty_workspace)
    assert picture_settings(empty_workspace) is not None


def test_what_a_full_disk_does_not_take_is_remembered_in_memory(tmp_path: Path) -> None:
    (tmp_path / "full").write_bytes(b"")
    cache = PictureCache(tmp_path / "full")  # a file, below which nothing can be written
    cache.note("a", Failure("not found", "It is gone."))
    with pytest.raises(Failure, match="It is gone"):
        cache.read("a")
    cache.keep("a", b"one")
    assert cache.read("a") == b"one"
    assert cache.read("b") is None


def test_a_disk_that_takes_no_picture_is_said_and_its_host_asked_once(
    web: Web,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*args: object, **options: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pictures_module, "read_image", full)
    url = web.put("/a.png", answer(picture(1)))
    first, again = ask(tmp_path, url, url)
    assert "cannot be stored (No space left on device)" in str(first)
    assert str(again) == str(first)
    assert web.paths() == ["/a.png"]


def test_a_host_that_hangs_holds_two_places_and_others_go_on() -> None:
    async def go() -> tuple[int, bool]:
        hosts, hang, inside = Hosts(), asyncio.Event(), [0]
        held = asyncio.Event()

        async def slow() -> None:
            async with hosts.turn("slow.example"):
                inside[0] += 1
                if inside[0] == PER_HOST:
                    held.set()
                await hang.wait()

        waiting = [asyncio.create_task(slow()) for _ in range(3 * AT_ONCE)]
        await held.wait()
        async with hosts.turn("good.example"):
            other = True
        found = inside[0], other
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return found

    assert run(go) == (PER_HOST, True)
