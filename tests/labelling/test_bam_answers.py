"""BAM's SQLite comes in: its URLs as a list, its workers' answers as votes; what we export comes back."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine.annotation import NO_LABEL
from bam_engine.database import images
from bam_engine.download.lists import preview, read_list
from bam_engine.errors import CollectionError, ExchangeError
from bam_engine.labelling import bam_answers, tasks
from bam_engine.labelling.bam_answers import import_bam
from bam_engine.labelling.importing import store_labels
from bam_engine.reporting.export import export
from bam_engine.training import setting_aside
from bam_engine.workspace import Workspace
from tests.cli.test_cli import home, run  # noqa: F401 - a fixture

# as BAM's tables are published
TABLES = {
    "modules": "mid int primary key, project_id int, src text, mature_content boolean, license text",
    "crowd_raw_hits": "assignment_id text, attribute text, worker_id text, n_clicks int, n_seconds real, "
    "last_modified text",
    "crowd_raw_choices": "assignment_id text, mid int, attribute text, label bool",
    "crowd_raw_captions": "assignment_id text, mid int, attribute text, caption text, label bool",
}
WATERCOLOR = "media_watercolor"


def write(file: Path, **contents: Sequence[tuple[Any, ...]]) -> Path:
    """Write a file with BAM's tables, and some rows of each."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for table, columns in TABLES.items():
            connection.execute(f"create table {table} ({columns})")
            for row in contents.get(table, ()):
                connection.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)
    return file


def hit(key: str, worker: str | None) -> tuple[Any, ...]:
    return (key, WATERCOLOR, worker, 1, 2.5, "2016-01-01")


def _by_person(given: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    return {(name.strip().capitalize(), row): answer for (name, row), answer in given.items()}


def _copy_images(old: Workspace, new: Workspace) -> None:
    """Give a new workspace the same images, without anything that was said about them."""
    with old.engine.connect() as source, new.engine.begin() as target:
        target.execute(sa.insert(images), [dict(one) for one in source.execute(sa.select(images)).mappings()])


@pytest.fixture
def bam(workspace: Workspace, tmp_path: Path) -> Path:
    """Three images of the collection and one that is not; two workers, each with one assignment, and a caption."""
    uris = workspace.catalogue.uris()
    return write(
        tmp_path / "bam.sqlite",
        modules=[
            *((100 + row, 7, uris[row], 0, "CC") for row in range(3)),
            (200, 8, "https://images.example/lost.jpg", 1, None),
        ],
        crowd_raw_hits=[hit("a", "W1"), hit("b", "W2")],
        crowd_raw_choices=[
            ("a", 100, WATERCOLOR, 1),
            ("a", 101, WATERCOLOR, 0),
            ("a", 102, WATERCOLOR, None),
            ("a", 200, WATERCOLOR, 1),
            ("b", 100, WATERCOLOR, 1),
            ("b", 101, WATERCOLOR, 1),
        ],
        crowd_raw_captions=[("b", 102, WATERCOLOR, "A glass of water", 1)],
    )


def votes(workspace: Workspace, name: str) -> dict[tuple[str, int], int]:
    """Return (annotator, row) → answer."""
    given, names = workspace.annotations.answers(workspace.attributes.get(name).id), workspace.annotators.names()
    columns = (given.annotators.tolist(), given.rows.tolist(), given.answers.tolist())
    return {(names[one], row): answer for one, row, answer in zip(*columns, strict=True)}


def test_each_worker_votes_under_their_own_name(workspace: Workspace, bam: Path) -> None:
    imported = import_bam(workspace, bam)
    assert votes(workspace, WATERCOLOR) == {
        ("W1", 0): 1,
        ("W1", 1): 0,
        ("W1", 2): -1,
        ("W2", 0): 1,
        ("W2", 1): 1,
    }
    assert imported.attributes == (WATERCOLOR,)
    assert workspace.attributes.get(WATERCOLOR).kind == "media"
    assert (imported.captions, [one.text for one in workspace.captions.of(2)]) == (1, ["A glass of water"])
    assert imported.without_image == 1
    workspace.redundancy = 2  # as in BAM: two must agree
    agreed = tasks.labels(workspace, workspace.attributes.get(WATERCOLOR))
    assert (agreed.rows.tolist(), agreed.labels.tolist()) == ([0, 1, 2], [1, NO_LABEL, NO_LABEL])


def test_a_file_is_imported_once_and_goes_on_where_it_was_interrupted(
    workspace: Workspace, bam: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bam_answers, "AT_ONCE", 3)

    def stop(done: int, total: int | None, message: str = "") -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_bam(workspace, bam, report=stop)
    assert {name for name, _ in votes(workspace, WATERCOLOR)} == {"W1"}
    again = import_bam(workspace, bam)
    assert (again.answers.repeated, again.answers.new, again.captions) == (3, 2, 1)
    third = import_bam(workspace, bam)
    assert (third.answers.repeated, third.answers.new, third.captions, third.known_captions) == (5, 0, 0, 1)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_exported_comes_back(workspace: Workspace, tmp_path: Path, seed: int) -> None:
    """Any answers by any people, exported and imported into a workspace of the same images, are the same answers."""
    rng = np.random.default_rng(seed)
    given: dict[str, dict[tuple[str, int], int]] = {}
    for name in ("content_cat", "own_thing"):
        attribute = workspace.attributes.add(name, name.partition("_")[0], f"Is it {name}?", "Look twice.")
        for person in ("ada", "böb; drop table", "o'hara"):
            rows = rng.choice(120, int(rng.integers(1, 40)), replace=False)
            answers = {int(row): int(rng.integers(-1, 2)) for row in rows}
            store_labels(workspace, attribute, answers, annotator=person)
        given[name] = votes(workspace, name)
    workspace.captions.add(5, workspace.annotations.annotator("ada"), "Five birds on a wire")
    file = tmp_path / "dataset.sqlite"
    export(workspace, file, form="sqlite")

    fresh = Workspace(tmp_path / "fresh" / "workspace", tmp_path / "fresh" / "cache")
    _copy_images(workspace, fresh)
    imported = import_bam(fresh, file)
    assert {name: votes(fresh, name) for name in given} == given
    assert fresh.attributes.get("own_thing").question == "Is it own_thing?"
    assert fresh.attributes.get("own_thing").instructions == "Look twice."
    assert [one.text for one in fresh.captions.of(5)] == ["Five birds on a wire"]
    assert (imported.left_out, imported.without_image) == ({}, 0)
    fresh.close()


def test_answers_of_an_export_that_are_set_aside_stay_out_and_are_counted(workspace: Workspace, tmp_path: Path) -> None:
    attribute = workspace.attributes.add("own_thing", "own", "Is it a thing?")
    store_labels(workspace, attribute, {0: 1, 1: 0}, annotator="ada")
    store_labels(workspace, attribute, {0: 0, 1: 0, 2: -1}, annotator="ben")
    given = votes(workspace, "own_thing")
    setting_aside.set_aside(workspace, workspace.annotators.get("ben"))
    file = tmp_path / "dataset.sqlite"
    export(workspace, file, form="sqlite")

    fresh = Workspace(tmp_path / "fresh" / "workspace", tmp_path / "fresh" / "cache")
    _copy_images(workspace, fresh)
    imported = import_bam(fresh, file)
    assert votes(fresh, "own_thing") == {key: answer for key, answer in given.items() if key[0] == "ada"}
    assert "3 left out: answer that is set aside" in imported.lines()
    fresh.close()


@pytest.mark.parametrize(("seed", "at_once"), [(0, 1), (1, 7), (2, 20_000)])
def test_the_last_answer_of_each_worker_counts_however_many_are_stored_at_once(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, at_once: int
) -> None:
    """Whole answers in any order, some given twice, some by two spellings of one name; others were there before."""
    monkeypatch.setattr(bam_answers, "AT_ONCE", at_once)
    rng, uris = np.random.default_rng(seed), workspace.catalogue.uris()
    workers = {"a": "Ann", "b": "Ben", "c": "ann ", "d": "Dora"}
    choices = [
        (str(rng.choice(list(workers))), int(rng.integers(20)), f"own_{rng.choice(['x', 'y'])}", int(rng.integers(2)))
        for _ in range(60)
    ]
    file = write(
        tmp_path / "bam.sqlite",
        modules=[(row, 1, uris[row], 0, "") for row in range(20)],
        crowd_raw_hits=[(key, "own_x", name, 1, 1.0, "") for key, name in workers.items()],
        crowd_raw_choices=choices,
    )
    first = workspace.attributes.add("own_x", "own", "Is it x?")
    store_labels(workspace, first, {0: 1, 30: 0}, annotator="Ben")
    expected: dict[str, dict[tuple[str, int], int]] = {"own_x": {("Ben", 0): 1, ("Ben", 30): 0}, "own_y": {}}
    spelled = {"a": "Ann", "b": "Ben", "c": "Ann", "d": "Dora"}
    for key, row, name, label in choices:
        expected[name][spelled[key], row] = label
    imported = import_bam(workspace, file)
    assert {name: _by_person(votes(workspace, name)) for name in expected} == expected
    assert imported.answers.repeated + imported.answers.new == len(
        {(spelled[key], row, name) for key, row, name, _ in choices}
    )
    again = import_bam(workspace, file).answers
    assert (again.new, again.repeated) == (0, imported.answers.repeated + imported.answers.new)


def test_captions_are_kept_as_they_were_written(workspace: Workspace, tmp_path: Path) -> None:
    """Two workers may write the same of an image, and one of two images; what is there already is not stored again."""
    uris = workspace.catalogue.uris()
    file = write(
        tmp_path / "bam.sqlite",
        modules=[(row, 1, uris[row], 0, "") for row in range(3)],
        crowd_raw_hits=[hit("a", "W1"), hit("b", "W2")],
        crowd_raw_captions=[
            ("a", 0, WATERCOLOR, "A cat", 1),
            ("b", 0, WATERCOLOR, "A cat", 1),
            ("a", 1, WATERCOLOR, "A cat", 1),
            ("a", 0, WATERCOLOR, "a  CAT", 1),
            ("b", 2, WATERCOLOR, "A dog", 1),
        ],
    )
    imported = import_bam(workspace, file)
    names = workspace.annotators.names()
    written = {(names[one.annotator_id], row, one.text) for row in range(3) for one in workspace.captions.of(row)}
    assert written == {("W1", 0, "A cat"), ("W2", 0, "A cat"), ("W1", 1, "A cat"), ("W2", 2, "A dog")}
    assert (imported.captions, imported.known_captions) == (4, 1)
    again = import_bam(workspace, file)
    assert (again.captions, again.known_captions) == (0, 5)


def test_a_caption_whose_assignment_is_lost_makes_nobody_of_its_name(workspace: Workspace, tmp_path: Path) -> None:
    """Only our own exports, which have the table attributes, write the annotator's name in its place."""
    file = write(
        tmp_path / "bam.sqlite",
        modules=[(1, 1, workspace.catalogue.uris()[0], 0, "")],
        crowd_raw_captions=[("lost", 1, WATERCOLOR, "A glass of water", 1)],
    )
    imported = import_bam(workspace, file)
    assert (imported.captions, workspace.annotators.all()) == (0, [])
    assert imported.lines()[1:] == [
        "1 left out: answer or caption without a worker: its assignment is not in crowd_raw_hits; the first: row 1 of "
        "crowd_raw_captions, assignment 'lost'"
    ]
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("create table attributes (name text, question text, instructions text)")
    assert import_bam(workspace, file).captions == 1
    assert [one.name for one in workspace.annotators.all()] == ["lost"]


def test_simulated_workers_are_recognised_however_their_names_are_stored(workspace: Workspace, tmp_path: Path) -> None:
    uris = workspace.catalogue.uris()
    workers = {"a": 7, "b": " bot ", "c": "W1"}
    file = write(
        tmp_path / "bam.sqlite",
        modules=[(row, 1, uris[row], 0, "") for row in range(3)],
        crowd_raw_hits=[(key, WATERCOLOR, name, 1, 1.0, "") for key, name in workers.items()],
        crowd_raw_choices=[(key, row, WATERCOLOR, 1) for row, key in enumerate(workers)],
    )
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("create table workers (worker_id, simulated)")
        connection.executemany("insert into workers values (?, ?)", [(7, 1), (" bot ", 1), ("W1", 0), (None, 1)])
    imported = import_bam(workspace, file)
    assert votes(workspace, WATERCOLOR) == {("W1", 2): 1}
    assert [(reason, noted.number) for reason, noted in imported.left_out.items()] == [
        ("answer or caption of a simulated annotator", 2)
    ]


def test_answers_about_removed_images_are_counted_and_not_stored_again(workspace: Workspace, bam: Path) -> None:
    import_bam(workspace, bam)
    workspace.removals.remove([0], reason="blurred")
    assert import_bam(workspace, bam).lines() == [
        "0 answers stored: 0 yes, 0 no, 0 unsure; 0 captions stored",
        "4 already stored",
        "2 left out: removed from the collection",
        "1 left out: answer or caption about an image that is not in the collection",
    ]


def test_images_are_recognised_by_their_url(workspace: Workspace, tmp_path: Path) -> None:
    with closing(sqlite3.connect(workspace.folder / "bam.sqlite")) as connection, connection:
        connection.execute("update images set url = 'https://images.example/a%20b.jpg' where row = 4")
    file = write(
        tmp_path / "bam.sqlite",
        modules=[(1, 1, "HTTPS://images.example:443/a b.jpg", None, None)],
        crowd_raw_hits=[hit("a", "W1")],
        crowd_raw_choices=[("a", 1, WATERCOLOR, 1)],
    )
    import_bam(workspace, file)
    assert votes(workspace, WATERCOLOR) == {("W1", 4): 1}


def test_bad_rows_are_counted_by_reason_and_hide_no_others(workspace: Workspace, tmp_path: Path) -> None:
    uris = workspace.catalogue.uris()
    file = write(
        tmp_path / "bam.sqlite",
        modules=[(1, 1, uris[0], None, None), (2, "x", None, "?", None)],
        crowd_raw_hits=[hit("a", "W1"), hit("b", None), hit("d", "W1"), hit("d", "W2"), hit("e", "W" * 300)],
        crowd_raw_choices=[
            ("a", 1, WATERCOLOR, 1),
            ("a", 1, WATERCOLOR, "maybe"),
            ("a", 2, WATERCOLOR, 1),
            ("a", "three", WATERCOLOR, 1),
            ("a", None, WATERCOLOR, 1),
            ("b", 1, WATERCOLOR, 1),
            ("c", 1, WATERCOLOR, 1),
            ("a", 1, "!!", 1),
            ("d", 1, WATERCOLOR, 0),
            ("e", 1, WATERCOLOR, 0),
        ],
        crowd_raw_captions=[
            ("a", 1, WATERCOLOR, None, 1),
            ("a", 1, WATERCOLOR, "x" * 500, 1),
            ("a", 1, WATERCOLOR, "a\x07bell", 1),
            ("d", 1, WATERCOLOR, "A bell", 1),
            ("b", 1, WATERCOLOR, "A bell", 1),
        ],
    )
    imported = import_bam(workspace, file)
    assert votes(workspace, WATERCOLOR) == {("W1", 0): 1}
    left_out = {reason: (noted.number, noted.first) for reason, noted in imported.left_out.items()}
    assert left_out == {
        "answer or caption without a worker: its assignment is not in crowd_raw_hits": (
            3,
            "row 6 of crowd_raw_choices, assignment 'b'",
        ),
        "answer or caption of two workers: its assignment is in crowd_raw_hits twice": (
            2,
            "row 9 of crowd_raw_choices, assignment 'd'",
        ),
        "answer that is not 0, 1 or empty": (1, "row 2 of crowd_raw_choices, 'maybe'"),
        "answer or caption about a picture that is not in modules, or is there twice": (3, "mid 2"),
        "answer about !!, which cannot be an attribute here": (1, ""),
        "answer or caption of somebody who cannot answer here": (
            1,
            "The annotator's name has 300 characters. Enter 200 at most.",
        ),
        "caption that cannot be one here": (
            3,
            "row 1 of crowd_raw_captions: The description is too short. Say in a few words what the picture shows.",
        ),
    }


def test_a_file_that_is_not_bams_says_so_and_stores_nothing(workspace: Workspace, bam: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("not a database at all, " * 100, encoding="utf-8")
    half = tmp_path / "half.sqlite"
    half.write_bytes(bam.read_bytes()[: bam.stat().st_size // 2])
    other, empty = tmp_path / "other.sqlite", tmp_path / "empty.sqlite"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("create table birds (id int)")
    empty.touch()
    lacking = write(tmp_path / "lacking.sqlite")
    with closing(sqlite3.connect(lacking)) as connection, connection:
        connection.execute("alter table crowd_raw_hits drop column worker_id")
    for file, words in (
        (text, "it is no SQLite database"),
        (half, "it is damaged, or was not copied whole"),
        (other, "no table modules. Its tables are birds"),
        (empty, "no table modules. It has no tables"),
        (lacking, "table crowd_raw_hits has no column worker_id"),
        (tmp_path / "nowhere.sqlite", "No such file"),
    ):
        with pytest.raises(CollectionError, match=words):
            import_bam(workspace, file)
    assert not workspace.attributes.all()
    assert not workspace.annotators.all()


def test_a_file_that_its_writer_left_half_way_is_refused(workspace: Workspace, bam: Path, tmp_path: Path) -> None:
    """As after a power cut, its journal lies beside it: what is in the file may be half of a change."""
    with closing(sqlite3.connect(bam, isolation_level=None)) as writer:
        writer.execute("pragma cache_size = 5")
        writer.execute("begin")
        writer.executemany("insert into modules values (?, 1, ?, 0, '')", ((n, "x" * 200) for n in range(1000, 9000)))
        left = tmp_path / "left"
        left.mkdir()
        for file in (bam, bam.with_name("bam.sqlite-journal")):
            shutil.copy(file, left / file.name)
        writer.execute("rollback")
    with pytest.raises(CollectionError, match="did not finish, and left a journal beside it"):
        import_bam(workspace, left / "bam.sqlite")
    assert not workspace.attributes.all()


def test_a_file_that_is_being_written_is_not_read(workspace: Workspace, bam: Path) -> None:
    with closing(sqlite3.connect(bam, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        with pytest.raises(CollectionError, match="another program is writing to it"):
            import_bam(workspace, bam)


def test_a_file_of_which_nothing_is_here_says_how_to_get_it(workspace: Workspace, tmp_path: Path) -> None:
    file = write(
        tmp_path / "bam.sqlite",
        modules=[(1, 1, "https://images.example/1.jpg", None, None)],
        crowd_raw_hits=[hit("a", "W1")],
        crowd_raw_choices=[("a", 1, WATERCOLOR, 1)],
    )
    with pytest.raises(
        ExchangeError, match=r"No image that bam.sqlite has answers about .* Download them first: `bam urls download"
    ):
        import_bam(workspace, file)
    assert not workspace.attributes.all()


def test_modules_are_a_list_of_urls(bam: Path) -> None:
    found = preview(bam)
    assert (found.format, found.count, found.columns.url) == ("BAM's SQLite", 4, "src")
    last = list(read_list(bam))[-1]
    assert (last.number, last.url, last.project, last.license, last.mature) == (
        4,
        "https://images.example/lost.jpg",
        "8",
        None,
        True,
    )


@pytest.mark.usefixtures("home")
def test_the_command_says_what_it_stored(bam: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "labels", "import-bam", bam)
    assert code == 0
    assert out.splitlines() == [
        "5 answers stored: 3 yes, 1 no, 1 unsure; 1 caption stored",
        "  1 attribute added: media_watercolor",
        "  1 left out: answer or caption about an image that is not in the collection",
        f"1 image with answers or captions is not in the collection: `bam urls download {bam}` adds those with a URL; "
        "then import again",
    ]
