"""The catalogue: dense rows, columns in row order, one problem per file and stage."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bam_engine.collection import Catalogue, NewImage, Problem
from bam_engine.collection.records import Place
from bam_engine.collection.texts import printable
from bam_engine.database import images, open_database
from bam_engine.database.revisions import count_restore
from bam_engine.errors import CollectionError, DiskFull, NotFound


def new(name: object, **fields: object) -> NewImage:
    return replace(NewImage(uri=f"/pile/{name}", width=4, height=3, digest=f"digest of {name}"), **fields)


@pytest.fixture
def catalogue(database: sa.Engine) -> Catalogue:
    return Catalogue(database)


def emptied(database: sa.Engine) -> Catalogue:
    """Return the catalogue without its images: a database of its own for each example would take long.

    Nothing that was read before is read on from, as after a restore: the program itself never deletes a row.
    """
    with database.begin() as connection:
        connection.execute(sa.delete(images))
        count_restore(connection)
    return Catalogue(database)


def rows_in_table(catalogue: Catalogue) -> list[int]:
    return [catalogue.row_of(uri) for uri in catalogue.uris()]


def test_an_empty_collection_answers_everything(catalogue):
    assert len(catalogue) == 0
    assert catalogue.uris() == catalogue.titles() == catalogue.images([]) == []
    assert catalogue.projects().shape == (0,)
    assert catalogue.rows_of([]) == {}
    assert catalogue.add([]) == 0
    with pytest.raises(NotFound, match="It is empty"):
        catalogue.image(0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=8), max_size=4))
def test_adding_agrees_with_a_list_that_refuses_a_uri_or_digest_twice(database, batches):
    catalogue = emptied(database)
    reference: list[NewImage] = []
    for batch in batches:
        records = [new(uri, digest=str(digest)) for uri, digest in batch]
        before = len(reference)
        for record in records:
            if all(record.uri != r.uri and record.digest != r.digest for r in reference):
                reference.append(record)
        assert catalogue.add(records) == len(reference) - before
    assert len(catalogue) == len(reference)
    assert [(i.row, i.uri, i.digest) for i in catalogue.images(range(len(catalogue)))] == [
        (row, r.uri, r.digest) for row, r in enumerate(reference)
    ]


def test_concurrent_writers_leave_rows_dense_and_images_unique(database):
    start = threading.Barrier(4)
    added = []

    def write(writer: int) -> None:
        start.wait()
        for batch in range(12):
            common = [new(f"common {batch} {i}") for i in range(3)]
            added.append(Catalogue(database).add([new(f"own {writer} {batch} {i}") for i in range(3)] + common))

    threads = [threading.Thread(target=write, args=(w,)) for w in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    catalogue = Catalogue(database)
    assert sum(added) == len(catalogue) == 4 * 12 * 3 + 12 * 3
    assert rows_in_table(catalogue) == list(range(len(catalogue)))


def test_records_come_in_the_requested_order_across_chunks(catalogue):
    catalogue.add([new(i) for i in range(1203)])
    order = np.random.default_rng(0).integers(0, 1203, 2000)
    assert [image.row for image in catalogue.images(order)] == order.tolist()
    uris = catalogue.uris()
    assert [catalogue.image(row).uri for row in (0, 500, 1202)] == [uris[0], uris[500], uris[1202]]
    assert catalogue.rows_of([*uris, "/nowhere"]) == {uri: row for row, uri in enumerate(uris)}
    assert catalogue.row_of("/nowhere") is None
    with pytest.raises(NotFound, match=r"no row 1203\. Its rows are 0 to 1202"):
        catalogue.images([0, 1203])


@given(names=st.lists(st.sampled_from([None, "a", "b", "A", "0", "1"]), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_projects_are_equal_exactly_when_the_names_are(database, names):
    catalogue = emptied(database)
    catalogue.add([new(i, project_id=name) for i, name in enumerate(names)])
    codes = catalogue.projects()
    assert codes.dtype == np.int64
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            assert (codes[i] == codes[j]) == (i == j or (one is not None and one == other))


@given(names=st.lists(st.sampled_from([None, "a", "b", "A", "0", "1"]), max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_projects_are_numbered_as_they_appear_and_images_without_one_get_minus_one(database, names):
    catalogue = emptied(database)
    catalogue.add([new(i, project_id=name) for i, name in enumerate(names)])
    known, numbers = catalogue.project_names()
    assert known == tuple(dict.fromkeys(name for name in names if name is not None))
    assert [None if number < 0 else known[number] for number in numbers] == names
    codes = catalogue.projects()
    assert list(dict.fromkeys(codes.tolist())) == list(range(len(set(codes.tolist())))), "in order of appearance"
    assert not codes.flags.writeable, "callers share them"


def test_projects_are_read_again_after_images_are_added_or_details_change(catalogue):
    catalogue.add([new("a", project_id="one"), new("b")])
    assert catalogue.projects().tolist() == [0, 1]
    catalogue.add([new("c", project_id="one")])
    assert catalogue.projects().tolist() == [0, 1, 0]
    catalogue.update_details({new("b").uri: {"project_id": "one"}})
    assert catalogue.projects().tolist() == [0, 0, 0]


def test_paths_are_those_of_a_list_whatever_is_asked_and_however_long_a_page(catalogue, monkeypatch):
    catalogue.add(new(number) for number in range(25))
    every = [Path(uri) for uri in catalogue.uris()]
    for page in (1, 4, 25, 100):
        monkeypatch.setattr("bam_engine.collection.paths._PAGE", page)
        paths = catalogue.paths()
        assert len(paths) == 25
        assert list(paths) == every
        assert [paths[row] for row in (24, 0, 7, -1)] == [every[row] for row in (24, 0, 7, -1)]
        assert paths[3:20:5] == every[3:20:5]
        assert list(paths.first(6)) == every[:6]
        with pytest.raises(IndexError):
            paths.first(6)[6]


def test_a_page_of_paths_is_read_once_when_they_are_asked_for_in_order(catalogue, database, monkeypatch):
    monkeypatch.setattr("bam_engine.collection.paths._PAGE", 4)
    catalogue.add(new(number) for number in range(25))
    paths, asked = catalogue.paths(), []
    sa.event.listen(database, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert [paths[row].name for row in range(25)] == list(map(str, range(25)))
    assert len(asked) == 7


def test_details_change_only_where_a_new_value_is_given(catalogue):
    catalogue.add([new("a", title="old", license="CC0"), new("b", title="same")])
    changed = catalogue.update_details({
        "/pile/a": {"title": "new", "license": None, "project_id": "p"},
        "/pile/b": {"title": "same"},
        "/pile/nowhere": {"title": "x"},
    })  # fmt: skip
    assert changed == 1
    first, second = catalogue.images([0, 1])
    assert (first.title, first.license, first.project_id) == ("new", "CC0", "p")
    assert second.title == "same"


def test_a_problem_is_recorded_once_with_its_last_reason_and_can_be_cleared(catalogue):
    catalogue.record_problems([Problem("/a", "cut off", "ingest")])
    catalogue.record_problems([Problem("/a", "odd", "embed:x")])
    catalogue.record_problems([Problem("/a", "empty", "ingest")])
    assert catalogue.problems("ingest") == [Problem("/a", "empty", "ingest")]
    assert len(catalogue.problems()) == 2
    catalogue.clear_problems("ingest", ["/a"])
    catalogue.clear_problems("ingest", ["/never recorded"])
    assert catalogue.problems() == [Problem("/a", "odd", "embed:x")]


def test_names_of_undecodable_bytes_neither_crash_nor_enter(catalogue):
    name = "/pile/\udcff.jpg"
    catalogue.record_problems([Problem(name, "undecodable", "ingest")])
    assert catalogue.problems()[0].uri == printable(name) == "/pile/\\udcff.jpg"
    catalogue.clear_problems("ingest", [name])
    assert catalogue.problems() == []
    assert catalogue.rows_of([name]) == {}
    with pytest.raises(CollectionError, match="not valid text"):
        catalogue.add([new("fine"), new("bad", uri=name)])
    assert len(catalogue) == 0


def test_on_postgresql_which_knows_no_nul_character_another_stands_in_its_place(postgresql):
    with postgresql.database() as url:
        engine = open_database(url)
        catalogue = Catalogue(engine)
        catalogue.add([new("a", title="one\0two")])
        assert catalogue.titles() == ["one\ufffdtwo"]
        assert catalogue.rows_of(["/pile/\0"]) == {}
        engine.dispose()


@pytest.mark.parametrize("row", [-1, 1, 2**40, 10**30])
def test_a_row_that_is_not_there_is_named(catalogue, row):
    catalogue.add([new("a")])
    with pytest.raises(NotFound, match=f"no row {row}. Its rows are 0 to 0"):
        catalogue.image(row)


def test_a_full_disk_is_reported_and_the_database_stays_as_it_was(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'bam.sqlite'}")
    catalogue = Catalogue(engine)
    catalogue.add([new("first")])
    sa.event.listen(engine, "checkout", lambda c, *_: c.execute("PRAGMA max_page_count = 70"))
    with pytest.raises(DiskFull, match="is full"):
        catalogue.add([new(f"{i} {'x' * 900}") for i in range(500)])
    assert catalogue.uris() == ["/pile/first"]
    engine.dispose()


def test_an_image_that_moves_keeps_everything_but_its_uri(catalogue):
    catalogue.add([new("a", title="first"), new("b"), new("c")])
    catalogue.record_problems([Problem("/pile/a", "The file was not found.", "embed:x")])
    catalogue.record_problems([Problem("/pile/b", "odd", "embed:x")])
    before, version = catalogue.images(range(3)), catalogue.details_version
    assert catalogue.move({0: Place("/new/a", "stamp"), 2: Place("/pile/b")}) == [0], "b is another image's place"
    assert catalogue.images(range(3)) == [replace(before[0], uri="/new/a", stamp="stamp"), *before[1:]]
    assert [problem.uri for problem in catalogue.problems()] == ["/pile/b"]
    assert catalogue.details_version != version, "names are indexed again"
    version = catalogue.details_version
    catalogue.move({})
    assert catalogue.details_version == version


def test_a_replaced_image_frees_its_path_and_is_there_again_when_it_is_moved(catalogue):
    catalogue.add([new("a", stamp="first"), new("b")])
    catalogue.record_problems([Problem("/pile/a", "odd", "embed:x")])
    old, other = catalogue.images([0, 1])
    catalogue.displace([old, replace(other, uri="/moved/meanwhile")])
    replaced = catalogue.image(0)
    assert (replaced.status, replaced.stamp, replaced.last_path) == ("replaced", None, str(old.path))
    assert replaced.uri != old.uri
    assert catalogue.image(1) == other
    assert catalogue.present().tolist() == [False, True]
    assert catalogue.problems() == [], "the problem is the old picture's"
    assert catalogue.add([new("a", digest="another")]) == 1
    assert catalogue.row_of("/pile/a") == 2
    catalogue.move({0: Place("/pile/c", "new")})
    assert catalogue.image(0) == replace(old, uri="/pile/c", stamp="new")
    catalogue.displace([old])
    assert catalogue.image(0).uri == "/pile/c", "its old path is that of another image"


def test_an_image_is_marked_as_missing_and_confirmed_where_it_is(catalogue):
    catalogue.add([new("a"), new("b")])
    first, _ = before = catalogue.images([0, 1])
    catalogue.mark_missing({0: Place("/pile/a"), 1: Place("/pile/where b was")})
    assert [image.status for image in catalogue.images([0, 1])] == ["missing", "ok"]
    assert catalogue.present().tolist() == [False, True]
    catalogue.confirm({0: Place("/pile/a", "stamp"), 1: Place("/pile/where b was", "other")})
    assert catalogue.images([0, 1]) == [replace(first, stamp="stamp"), before[1]]


def test_the_places_below_a_folder_are_those_of_its_images_that_are_not_missing(catalogue):
    uris = ["/pile/a", "/pile/sub/b", "/Pile/c", "/pile%/d", "/pile_e", "/pile/gone"]
    catalogue.add([new(uri, uri=uri) for uri in uris])
    catalogue.mark_missing({5: Place("/pile/gone")})
    for folder, rows in {"/pile": [0, 1], "/pile/": [0, 1], "/Pile": [2], "/pile%": [3], "/": [0, 1, 2, 3, 4]}.items():
        assert [place for page in catalogue.places_below(folder) for place in page] == [(r, uris[r]) for r in rows]
