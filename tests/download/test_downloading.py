"""Whole lists: into the collection with their URLs, in any order of events, and again after any interruption."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bam_engine.collection import Names, mark_demo
from bam_engine.download import COLUMNS, Settings, Stores, download_list, reading, resume_list, url_list, url_lists
from bam_engine.download.outcomes import Failure, Picture
from bam_engine.download.pacing import PATIENCE, SILENT
from bam_engine.download.running import Run
from bam_engine.download.statuses import Statuses, Stored
from bam_engine.download.urls import Url
from bam_engine.errors import CollectionError, NotFound, Stopped
from tests.download.conftest import Leaping, here, picture
from tests.download.server import Web, answer
from tests.web.clients import run as play


def write(folder: Path, urls: list[str], name: str = "urls.csv", **columns: str) -> Path:
    head = ",".join(["url", *columns])
    lines = [",".join([url, *columns.values()]) for url in urls]
    file = folder / name
    file.write_text("\n".join([head, *lines]) + "\n")
    return file


def rows(stores: Stores, name: str = "urls") -> list[dict[str, Any]]:
    with reading(stores.home, name) as statuses:
        return [dict(zip(COLUMNS, row, strict=True)) for row in statuses.table()]


def states(stores: Stores, name: str = "urls") -> Counter[str]:
    return Counter(row["error"] or row["state"] for row in rows(stores, name))


def download(stores: Stores, file: Path, **options: Any) -> Any:
    return download_list(stores, file, **({"clock": Leaping(), "resolver": here} | options))


def test_pictures_are_images_with_their_url_and_the_details_of_their_line(
    web: Web, stores: Stores, tmp_path: Path
) -> None:
    urls = [web.put(f"/{n}/blue%20cat-{n}.png", answer(picture(n))) for n in range(3)]
    file = write(tmp_path, urls, title="A title", project="ann", license="CC0", nsfw="yes")
    done = download(stores, file)
    assert (done.added, done.failed) == (3, 0)
    found = stores.catalogue.images(range(3))
    assert sorted(image.url or "" for image in found) == urls
    assert {(one.title, one.project_id, one.license, one.mature_content) for one in found} == {
        ("A title", "ann", "CC0", True)
    }
    assert {image.name for image in found} == {f"blue cat-{n}.png" for n in range(3)}
    assert Names(stores.catalogue, tmp_path / "names").find("blue cat-2", 5).tolist() == [
        image.row for image in found if image.url == urls[2]
    ]
    assert all(image.path.read_bytes().startswith(b"\x89PNG") for image in found)
    assert all(stores.thumbnails.has(image.row) for image in found)
    assert [source.images for source in stores.catalogue.sources()] == [3]
    first = rows(stores)[0]
    assert (first["url"], first["line"], first["state"], first["code"]) == (urls[0], 2, "added", 200)
    assert (first["width"], first["height"], first["bytes"]) == (40, 30, len(picture(0)))
    assert first["digest"] in {image.digest for image in found}


def test_a_list_of_everything_that_goes_wrong_tells_of_each_url_and_keeps_what_is_right(
    web: Web, stores: Stores, tmp_path: Path
) -> None:
    good = web.put("/good", answer(picture(1)))
    urls = [
        good,
        web.put("/same", answer(picture(1))),
        web.put("/gone", answer(status=404)),
        web.put("/page", answer(b"<html>", kind="text/html")),
        web.put("/broken", answer(status=500)),
        web.put("/cut", answer(picture(2, (60, 60))[:-30])),
        "nonsense",
        "",
        good + "#again",
        "http://127.0.0.1:80/secret",
    ]
    file = tmp_path / "urls.txt"
    file.write_text("\n".join(urls))
    done = download(stores, file)
    assert states(stores) == {
        "added": 2,
        "not found": 1,
        "no image": 1,
        "server error": 1,
        "damaged": 1,
        "bad url": 1,
        "private address": 1,
    }
    assert len(stores.catalogue) == 1, "the same bytes are one image"
    assert stores.catalogue.image(0).url == good
    assert stores.catalogue.problems() == []
    assert done.counts.duplicates == 1


def test_passing_failures_are_tried_again_after_a_wait_and_lasting_ones_are_not(
    web: Web, stores: Stores, tmp_path: Path
) -> None:
    busy = answer(status=429, Retry_After="30")
    urls = [
        web.put("/busy", busy, answer(picture(1))),
        web.put("/broken", answer(status=500), answer(status=502), answer(picture(2))),
        web.put("/cut", answer(picture(3), length=9999), answer(picture(3))),
        web.put("/never", answer(status=503)),
        web.put("/gone", answer(status=404)),
    ]
    clock = Leaping()
    done = download_list(stores, write(tmp_path, urls), clock=clock, resolver=here)
    assert (done.added, done.failed) == (3, 2)
    assert Counter(web.paths()) == {"/busy": 2, "/broken": 3, "/cut": 2, "/never": 3, "/gone": 1}
    assert clock.seconds > 30
    assert {row["url"]: row["tries"] for row in rows(stores)}[urls[1]] == 3


def test_requests_to_one_host_keep_to_their_number_and_hosts_go_on_side_by_side(
    web: Web, stores: Stores, tmp_path: Path
) -> None:
    for n in range(30):
        web.put(f"/{n}", answer(picture(n)))
    urls = [web.url(f"/{n}", host) for host in ("a.example", "b.example") for n in range(30)]
    done = download(stores, write(tmp_path, urls), settings=Settings(per_host=2, respect_robots=False))
    assert done.added == 60
    assert max(web.most.values()) <= 2
    hosts = [host for host, _ in web.asked[:8]]
    assert set(hosts) == {"a.example", "b.example"}


# Interruptions ------------------------------------------------------------------------------------------------------


def test_a_run_that_is_stopped_goes_on_where_it_was(web: Web, stores: Stores, tmp_path: Path) -> None:
    file = write(tmp_path, [web.put(f"/{n}", answer(picture(n))) for n in range(40)])

    def stop(done: int, total: int | None, message: str = "") -> None:
        if total is not None and done >= 10:
            raise Stopped("Stopped.")

    settings = Settings(connections=4)
    with pytest.raises(Stopped):
        download(stores, file, settings=settings, report=stop, clock=Leaping(step=0.3))
    finished = url_list(stores.home, "urls").counts
    assert 10 <= finished.urls - finished.waiting < 40
    done = download(stores, file)
    assert done.counts.added == len(stores.catalogue) == 40
    assert max(Counter(web.paths()).values()) <= 2
    assert sum(Counter(web.paths()).values()) <= 40 + settings.connections


def test_what_a_killed_run_left_is_removed_and_what_it_had_stored_is_added(
    web: Web, stores: Stores, tmp_path: Path
) -> None:
    file = write(tmp_path, [web.put(f"/{n}", answer(picture(n))) for n in range(3)])

    class Killed(Exception):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bam_engine.download.running.Run._note_added", kill)
        with pytest.raises(Killed):
            download(stores, file)
    assert states(stores) == {"stored": 3}
    partial = url_list(stores.home, "urls").pictures / "partial" / "left"
    partial.write_bytes(b"half")
    asked = len(web.asked)
    done = download(stores, file)
    assert (done.counts.added, len(stores.catalogue), len(web.asked)) == (3, 3, asked)
    assert not partial.exists()


def test_a_finished_list_asks_nothing_and_one_that_has_grown_asks_for_what_is_new(
    web: Web, stores: Stores, tmp_path: Path
) -> None:
    urls = [web.put(f"/{n}", answer(picture(n))) for n in range(4)]
    download(stores, write(tmp_path, urls[:2]))
    asked = len(web.asked)
    assert download(stores, write(tmp_path, urls[:2])).added == 0
    assert len(web.asked) == asked
    assert download(stores, write(tmp_path, urls)).added == 2
    assert web.paths() == ["/0", "/1", "/2", "/3"]


def test_failed_urls_are_tried_again_by_their_kind(web: Web, stores: Stores, tmp_path: Path) -> None:
    urls = [
        web.put("/a", answer(status=404), answer(picture(1))),
        web.put("/b", answer(status=403), answer(picture(2))),
    ]
    download(stores, write(tmp_path, urls))
    done = resume_list(stores, "urls", retry=["not found"], clock=Leaping(), resolver=here)
    assert (done.added, states(stores)) == (1, {"added": 1, "forbidden": 1})
    assert resume_list(stores, "urls", retry=None, clock=Leaping(), resolver=here).added == 1
    with pytest.raises(CollectionError, match="no kind of failure 'lost'"):
        resume_list(stores, "urls", retry=["lost"])
    with pytest.raises(NotFound, match=r"called 'mine'.*urls"):
        resume_list(stores, "mine")
    for name in ("../urls", "", ".", "urls/../urls"):
        with pytest.raises(NotFound):
            resume_list(stores, name)


def test_servers_are_asked_for_newer_versions_by_the_one_that_is_there(
    web: Web, stores: Stores, tmp_path: Path
) -> None:
    same = web.put("/same", answer(picture(1), ETag='"v1"'), answer(status=304))
    newer = web.put("/new", answer(picture(2), ETag='"v1"'), answer(picture(3), ETag='"v2"'))
    file = write(tmp_path, [same, newer])
    download(stores, file)
    done = download(stores, file, refresh=True)
    assert done.counts.added == 2
    assert [headers.get("if-none-match") for headers in web.headers[-2:]] == ['"v1"', '"v1"']
    assert len(stores.catalogue) == 3, "a picture that has changed is a new image"


def test_a_list_whose_reading_was_interrupted_goes_on_with_what_was_known_before(
    web: Web, stores: Stores, tmp_path: Path
) -> None:
    def stop(done: int, total: int | None, message: str = "") -> None:
        if message == "reading the list":
            raise Stopped("Stopped.")

    file = write(tmp_path, [web.put(f"/{n}", answer(picture(n))) for n in range(3)])
    with pytest.raises(Stopped):
        download(stores, file, report=stop)
    assert resume_list(stores, "urls", clock=Leaping(), resolver=here).counts.urls == 0
    assert web.asked == []
    assert download(stores, file).added == 3


# Hosts that do not answer -------------------------------------------------------------------------------------------


class Web2:
    """Answers without a network: by host, a picture or a failure."""

    def __init__(self, failures: dict[str, Failure]) -> None:
        self.failures = failures
        self.asked: Counter[str] = Counter()

    async def fetch(self, url: Url, etag: str = "") -> Picture:
        self.asked[url.host] += 1
        await asyncio.sleep(0)
        if url.host in self.failures:
            raise self.failures[url.host]
        return Picture("00/00.png", "00", 1, 1, 1)


def run(folder: Path, urls: list[str], failures: dict[str, Failure]) -> tuple[Web2, Counter[str], Leaping, Run]:
    """Run over URLs without a network and without a collection."""
    from bam_engine.download.lists import Line

    web, clock = Web2(failures), Leaping()
    statuses = Statuses(folder)
    list(statuses.add(Line(number, url) for number, url in enumerate(urls)))

    def add(batch: Any) -> list[tuple[int, Failure]]:
        assert all(isinstance(one, Stored) for one in batch)
        return []

    def report(done: int, total: int | None, message: str = "") -> None:
        assert total == len(urls)
        assert 0 <= done <= total

    one = Run(statuses, web, Settings(), add, report, clock, random.Random(1))
    play(one.go)
    found = Counter(row[COLUMNS.index("error")] or row[COLUMNS.index("state")] for row in statuses.table())
    assert one.done == one.total == len(urls)
    statuses.close()
    return web, found, clock, one


def test_a_host_that_never_answers_is_left_alone_and_the_others_are_not_held_up(tmp_path: Path) -> None:
    urls = [f"http://{host}.example/{n}" for n in range(500) for host in ("dead", "fine")]
    dead = Failure("name", "The host dead.example was not found.")
    web, found, _, one = run(tmp_path, urls, {"dead.example": dead})
    assert found == {"added": 500, "name": 500}
    assert SILENT <= web.asked["dead.example"] < 2 * SILENT
    assert one.failed == 500


def test_a_host_that_asks_for_more_than_our_patience_is_left_alone(tmp_path: Path) -> None:
    urls = [f"http://{host}.example/{n}" for n in range(100) for host in ("busy", "fine")]
    busy = Failure("busy", "The server answers with the status 429.", 429, PATIENCE + 1)
    web, found, clock, _ = run(tmp_path, urls, {"busy.example": busy})
    assert found == {"added": 100, "busy": 100}
    assert web.asked["busy.example"] <= 4
    assert clock.seconds < PATIENCE


def test_many_small_hosts_are_opened_as_they_are_needed(tmp_path: Path) -> None:
    urls = [f"http://h{n}.example/a" for n in range(3_000)]
    web, found, _, one = run(tmp_path, urls, {})
    assert found == {"added": 3_000}
    assert set(web.asked.values()) == {1}
    assert len(one._open) == 0


def test_redirects_that_lead_nowhere_are_no_reason_to_leave_their_host_alone(tmp_path: Path) -> None:
    lost = Failure("name", "The host was not found.")
    lost.redirected = True
    web, found, _, _ = run(tmp_path, [f"http://short.example/{n}" for n in range(40)], {"short.example": lost})
    assert found == {"name": 40}
    assert web.asked["short.example"] == 40 * Settings().tries


# Lists and collections ----------------------------------------------------------------------------------------------


def test_lists_have_names_and_each_is_one_place(web: Web, stores: Stores, tmp_path: Path) -> None:
    file = write(tmp_path, [web.put("/a", answer(picture(1)))], "my urls (2).csv")
    download(stores, file)
    download(stores, file, name="Other/../name")
    assert [one.name for one in url_lists(stores.home)] == ["Other-..-name", "my-urls-2"]
    assert {path.parent for path in stores.home.rglob("urls.sqlite")} == {
        stores.home / "Other-..-name",
        stores.home / "my-urls-2",
    }


def test_pictures_go_to_a_folder_of_ones_choice(web: Web, stores: Stores, tmp_path: Path) -> None:
    file = write(tmp_path, [web.put("/a", answer(picture(1)))])
    download(stores, file, settings=Settings(folder=str(tmp_path / "pictures")))
    assert stores.catalogue.image(0).path.is_relative_to(tmp_path / "pictures")


def test_one_list_is_downloaded_once_at_a_time(web: Web, stores: Stores, tmp_path: Path) -> None:
    file = write(tmp_path, [web.put("/a", answer(picture(1)))])

    def again(done: int, total: int | None, message: str = "") -> None:
        with pytest.raises(CollectionError, match="being downloaded already"):
            download(stores, file)

    download(stores, file, report=again)
    assert len(stores.catalogue) == 1


def test_a_collection_of_generated_images_takes_none_of_the_web(web: Web, stores: Stores, tmp_path: Path) -> None:
    engine = stores.catalogue._engine
    mark_demo(engine, count=1, seed=1, folder=tmp_path)
    with pytest.raises(CollectionError, match="No pictures of the web can be added"):
        download(stores, write(tmp_path, [web.put("/a", answer(picture(1)))]))
    assert web.asked == []


def test_a_damaged_table_says_what_to_do(web: Web, stores: Stores, tmp_path: Path) -> None:
    file = write(tmp_path, [web.put("/a", answer(picture(1)))])
    download(stores, file)
    (stores.home / "urls" / "urls.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(CollectionError, match=r"cannot be used.*move it away"):
        download(stores, file)
    assert url_lists(stores.home) == []


def test_another_host_is_asked_for_the_pictures_of_one_that_is_gone(web: Web, stores: Stores, tmp_path: Path) -> None:
    """A picture keeps its URL as it is written; both hosts' requests are those of the one that is asked."""
    urls = [web.put(f"/{n}.png", answer(picture(n))) for n in range(8)]
    old, new = ([url.replace("web.example", f"{name}.example") for url in urls] for name in ("old", "new"))
    file = write(tmp_path, old[:4] + new[4:])
    rules = {"old.example": "new.example"}
    done = download(stores, file, settings=Settings(per_host=2, respect_robots=False, hosts=rules))
    assert (done.added, done.failed) == (8, 0)
    assert {host.partition(":")[0] for host, _ in web.asked} == {"new.example"}
    assert max(web.most.values()) <= 2
    assert sorted(image.url or "" for image in stores.catalogue.images(range(8))) == sorted(old[:4] + new[4:])


def test_rules_for_hosts_are_for_what_waits_whenever_it_was_read(web: Web, stores: Stores, tmp_path: Path) -> None:
    """A rule comes after the host has failed, is kept for lines that come later, and is taken back."""
    urls = [web.put(f"/{n}.png", answer(picture(n))).replace("web.example", "old.example") for n in range(4)]

    async def gone(host: str, port: int) -> list[str]:
        if host == "old.example":
            raise Failure("name", "There is no such host.")
        return await here(host, port)

    file = write(tmp_path, urls[:2])
    assert download(stores, file, resolver=gone).failed == 2
    rule = Settings(respect_robots=False, hosts={"old.example": "new.example"})
    again = resume_list(stores, "urls", retry=None, settings=rule, clock=Leaping(), resolver=gone)
    assert (again.added, again.failed) == (2, 0)
    write(tmp_path, urls)
    assert download(stores, file, resolver=gone).added == 2
    hosts = Counter(host.partition(":")[0] for host, path in web.asked if path != "/robots.txt")
    assert hosts == {"new.example": 4}

    web.put("/4.png", answer(picture(4)))
    write(tmp_path, [*urls, urls[0].replace("/0.png", "/4.png")])
    download(stores, file, settings=Settings(respect_robots=False))
    assert web.asked[-1][0].partition(":")[0] == "old.example"
