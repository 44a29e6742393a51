"""Pictures of BAM's file from their URLs, against a server as hostile as the web: kept small, refused, remembered."""

import asyncio
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from bam_engine.download.network import resolve
from bam_engine.download.outcomes import Failure
from bam_engine.download.settings import Settings
from bam_engine.download.urls import parse_url
from bam_engine.errors import CollectionError, NotFound
from bam_engine.published import Arrays, forget, make_arrays
from bam_engine.published.picture_cache import REMEMBERED, REMEMBERED_BRIEFLY, PictureCache
from bam_engine.published.pictures import (
    SIDE,
    SILENT,
    FilePictures,
    hosts_of,
    picture_settings,
    switch_off,
    switch_on,
    url_of,
)
from bam_engine.workspace import Workspace
from tests.download.conftest import here, picture, web  # noqa: F401 - a fixture
from tests.download.server import Reply, Web, answer, endless, redirect, silence
from tests.published.conftest import WriteFile
from tests.web.clients import run

QUICK = Settings(per_host=2, max_bytes=300_000, tries=1, read_seconds=0.2, total_seconds=5.0)
Outcome = bytes | Failure


def ask(folder: Path, *urls: str, resolver: object = here, cache: PictureCache | None = None) -> list[Outcome]:
    """Ask for pictures one after the other."""

    async def go() -> list[Outcome]:
        pictures = FilePictures(folder, QUICK, resolver=resolver, cache=cache)  # type: ignore[arg-type]
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
