"""The table of statuses: each URL once, in one state, whatever is interrupted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bam_engine.download.lists import Line
from bam_engine.download.outcomes import Failure, Picture
from bam_engine.download.statuses import COLUMNS, Counts, Statuses, Waiting
from bam_engine.download.urls import parse_url

PICTURE = Picture("ab/ab.png", "ab", 3, 2, 10, '"v1"')


@pytest.fixture
def statuses(tmp_path: Path) -> Iterator[Statuses]:
    table = Statuses(tmp_path)
    yield table
    table.close()


def lines(*urls: str) -> list[Line]:
    return [Line(number, url) for number, url in enumerate(urls, 2)]


def add(statuses: Statuses, *urls: str) -> None:
    list(statuses.add(lines(*urls)))


def waiting(statuses: Statuses) -> list[Waiting]:
    statuses.list_hosts()
    return [one for _, host, _ in statuses.hosts(0, 100) for one in statuses.waiting(host, 0, 100)]


def test_of_equal_urls_the_first_counts_however_they_are_written(statuses: Statuses) -> None:
    add(statuses, "http://a.example/1", "HTTP://A.example:80/1#top", "http://a.example/2", "http://a.example/1")
    assert [one.url for one in waiting(statuses)] == ["http://a.example/1", "http://a.example/2"]
    assert statuses.counts() == Counts(urls=2, waiting=2, stored=0, failed=0, duplicates=2)


def test_what_is_no_url_has_a_status_with_its_line(statuses: Statuses) -> None:
    list(statuses.add([Line(2, "nonsense"), Line(3, ""), Line(4, "", problem="The line is no JSON object.")]))
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in statuses.table()]
    assert [(row["line"], row["url"], row["error"]) for row in rows] == [
        (2, "nonsense", "bad url"),
        (3, "line 3", "bad url"),
        (4, "line 4", "bad url"),
    ]
    assert rows[2]["reason"] == "The line is no JSON object."


def test_a_list_that_has_grown_adds_what_is_new_and_keeps_what_is_known(statuses: Statuses) -> None:
    add(statuses, "http://a.example/1", "http://a.example/2")
    first = waiting(statuses)[0]
    statuses.record([(first, PICTURE)])
    add(statuses, "http://a.example/1", "http://a.example/3", "http://a.example/2")
    assert [one.url for one in waiting(statuses)] == ["http://a.example/2", "http://a.example/3"]
    assert statuses.counts() == Counts(urls=3, waiting=2, stored=1, failed=0, duplicates=0)


def test_reading_that_was_interrupted_begins_again(statuses: Statuses) -> None:
    reading = statuses.add(Line(n, f"http://a.example/{n}") for n in range(20_000))
    next(reading)
    reading.close()
    add(statuses, "http://a.example/7", "http://a.example/8")
    assert [one.url for one in waiting(statuses)] == ["http://a.example/7", "http://a.example/8"]
    assert statuses.counts().urls == 2


def test_the_host_with_most_urls_comes_first(statuses: Statuses) -> None:
    add(statuses, "http://a.example/1", "http://b.example/1", "http://b.example/2")
    statuses.list_hosts()
    assert [urls for _, _, urls in statuses.hosts(0, 9)] == [2, 1]


def test_a_url_that_is_too_long_once_encoded_hides_no_other_of_its_list(statuses: Statuses) -> None:
    long = f"https://old.example/{'ü' * 600}.jpg"
    add(statuses, "https://old.example/1", long, "https://new.example/2")
    statuses.list_hosts({"old.example": "new.example"})
    assert [urls for _, _, urls in statuses.hosts(0, 9)] == [2, 1]
    (_, moved, _), (_, other, _) = statuses.hosts(0, 9)
    assert [one.url for one in statuses.waiting(moved, 0, 9)] == ["https://old.example/1", "https://new.example/2"]
    assert [one.url for one in statuses.waiting(other, 0, 9)] == [parse_url(long).text]


def test_a_url_waits_is_stored_is_added_or_has_failed(statuses: Statuses) -> None:
    add(statuses, *(f"http://a.example/{n}" for n in range(4)))
    items = waiting(statuses)
    failure = Failure("not found", "The server answers with the status 404.", 404)
    statuses.record([(items[0], PICTURE), (items[1], failure), (items[2], PICTURE)])
    statuses.added([items[0].id], [(items[2].id, Failure("damaged", "It is damaged."))])
    counts = statuses.counts()
    assert (counts.waiting, counts.stored, counts.added, counts.failed) == (1, 0, 1, 2)
    assert sorted(statuses.errors()) == [("damaged", 200, 1), ("not found", 404, 1)]
    assert [row[1] for row in statuses.table(error="not found")] == ["http://a.example/1"]


def test_failed_urls_are_tried_again_by_kind_and_what_is_no_url_never(statuses: Statuses) -> None:
    add(statuses, "http://a.example/1", "http://a.example/2", "nonsense")
    one, two = waiting(statuses)
    statuses.record([(one, Failure("timeout", "Late.")), (two, Failure("not found", "Gone.", 404))])
    assert statuses.try_again(["timeout"]) == 1
    assert [item.url for item in waiting(statuses)] == ["http://a.example/1"]
    assert statuses.try_again() == 1
    assert statuses.try_again() == 0
    assert statuses.counts().failed == 1


def test_all_urls_of_a_host_are_given_up_at_once(statuses: Statuses) -> None:
    add(statuses, "http://a.example/1", "http://a.example/2", "http://b.example/1")
    statuses.list_hosts()
    (_, host, _), _ = statuses.hosts(0, 9)
    assert statuses.give_up(host, Failure("name", "Not found.")) == 2
    assert [item.url for item in waiting(statuses)] == ["http://b.example/1"]
