"""BAM's file as arrays: what they hold, when they are made again, and what is said of files that cannot be used."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bam_engine import derived
from bam_engine.errors import CollectionError, NotFound, Stopped
from bam_engine.maintenance import check
from bam_engine.published import Arrays, forget, make_arrays, named_file, opened
from bam_engine.published.arrays import FOLDER
from bam_engine.workspace import Workspace
from benchmarks.bam_tables import ATTRIBUTES, Size, write_bam_file
from tests.published.conftest import CAT, INK, LINES, WriteFile


def crowd_of(arrays: Arrays) -> dict[tuple[str, int], tuple[int, list[int]]]:
    """Return the label and the counts of yes, no and unsure by attribute and number of the image."""
    lines = zip(arrays.asked, arrays.positions, arrays.labels, arrays.counts, strict=True)
    return {
        (arrays.crowd[asked], int(arrays.mids[at])): (int(label), counts.tolist()) for asked, at, label, counts in lines
    }


def made(workspace: Workspace) -> dict[str, int]:
    """Return when each derived file was made."""
    return {path.name: path.stat().st_mtime_ns for path in (workspace.cache / FOLDER).rglob("*") if path.is_file()}


def test_every_line_of_the_file_is_where_it_belongs(arrays: Arrays) -> None:
    assert arrays.mids.tolist() == [10, 20, 30, 40]
    assert (arrays.scored, arrays.labelled, set(arrays.crowd)) == ((CAT, INK), (CAT, INK), {CAT, INK})
    np.testing.assert_allclose(arrays.places[:, 0], [3 / 4, 2 / 4, 1 / 4, 0])
    np.testing.assert_allclose(arrays.places[:, 1], [0, 1 / 3, 2 / 3, np.nan], rtol=1e-6)
    assert arrays.automatic.tolist() == [[1, 0], [-1, 0], [0, 1], [-2, -2]]
    assert crowd_of(arrays) == {(CAT, 10): (1, [2, 0, 0]), (CAT, 20): (0, [0, 1, 1]), (INK, 30): (1, [1, 0, 0])}
    assert arrays.positions[arrays.lines_of(CAT)].tolist() == [0, 1]
    assert arrays.lines_of("content_dog") == slice(0, 0)


def test_what_is_in_the_file_is_counted(arrays: Arrays) -> None:
    contents = arrays.contents
    assert (contents.images, contents.without_url, contents.projects, contents.mature) == (4, 1, 3, 1)
    counts = (contents.labels, contents.choices, contents.assignments, contents.workers, contents.captions)
    assert counts == (3, 5, 3, 2, 3)
    assert (contents.absent, contents.left_out) == ((), ())
    cat, ink = contents.attributes
    assert (cat.name, cat.scored, cat.low, cat.high) == (CAT, 4, -4.0, -1.0)
    assert (cat.positive, cat.unsure, cat.negative) == (1, 1, 1)
    assert (cat.crowd_positive, cat.crowd_negative, cat.choices) == (1, 1, 4)
    assert (ink.name, ink.scored, ink.crowd_positive, ink.choices) == (INK, 3, 1, 1)


def test_a_generated_file_comes_out_as_its_tables_say(empty_workspace: Workspace, tmp_path: Path) -> None:
    """The reference asks the file with SQL, image by image."""
    file = tmp_path / "generated.sqlite"
    write_bam_file(file, Size(300, 400, 900, 60, 40), seed=3)
    arrays = make_arrays(empty_workspace, file)
    with closing(sqlite3.connect(file)) as connection:
        mids = [mid for (mid,) in connection.execute("select mid from modules order by mid")]
        assert arrays.mids.tolist() == mids
        for name in (ATTRIBUTES[0], ATTRIBUTES[-1]):
            scores = dict(connection.execute(f"select mid, {name} from scores").fetchall())
            expected = [sum(other < scores[mid] for other in scores.values()) / len(scores) for mid in mids]
            np.testing.assert_allclose(arrays.places[:, arrays.scored.index(name)], expected, rtol=1e-6)
            words = dict(connection.execute(f"select mid, {name} from automatic_labels").fetchall())
            codes = {"positive": 1, "negative": 0, "unsure": -1}
            column = arrays.automatic[:, arrays.labelled.index(name)]
            assert column.tolist() == [codes[words[mid]] for mid in mids]
        said = {}
        for mid, name, yes, no, unsure in connection.execute(
            "select mid, attribute, sum(label = 1), sum(label = 0), sum(label is null) from crowd_raw_choices "
            "group by mid, attribute"
        ):
            said[name, mid] = [yes or 0, no or 0, unsure]
        assert {key: counts for key, (_, counts) in crowd_of(arrays).items() if sum(counts)} == said


def test_arrays_are_made_once_and_again_when_the_file_has_changed(
    empty_workspace: Workspace, write_bam: WriteFile
) -> None:
    file = write_bam()
    first = make_arrays(empty_workspace, file)
    before = made(empty_workspace)
    make_arrays(empty_workspace, file)
    derivations = {name: time for name, time in made(empty_workspace).items() if name != "absent.json"}
    assert derivations == {name: time for name, time in before.items() if name != "absent.json"}
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("insert into modules values (50, 3, 'https://images.example/50.jpg', 0, 'CC0')")
    os.utime(file, ns=(0, 10**18))
    with pytest.raises(CollectionError, match=r"has changed since. Run `bam ingest bam .*bam.sqlite`"):
        opened(empty_workspace)
    with pytest.raises(CollectionError, match="has changed since it was read"), first.connection():
        pass
    assert len(make_arrays(empty_workspace, file)) == 5
    assert len(list((empty_workspace.cache / FOLDER).iterdir())) == 1  # those of the file before are gone


def test_a_file_that_is_moved_keeps_its_arrays(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    file = write_bam()
    make_arrays(empty_workspace, file)
    before = made(empty_workspace)
    moved = file.rename(file.with_name("elsewhere.sqlite"))
    with pytest.raises(CollectionError, match=r"Cannot read .*bam.sqlite: No such file"):
        opened(empty_workspace)
    assert make_arrays(empty_workspace, moved).file == moved
    assert {name: before[name] for name in ("mids.npy", "places.npy")} == {
        name: made(empty_workspace)[name] for name in ("mids.npy", "places.npy")
    }


def test_reading_that_is_stopped_goes_on_with_the_next_part(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    file, seen = write_bam(), []

    def stop_at(part: str) -> Any:
        def report(done: int, total: int | None, message: str = "") -> None:
            seen.append(message)
            if message == part:
                raise Stopped("stopped")

        return report

    with pytest.raises(Stopped):
        make_arrays(empty_workspace, file, report=stop_at("automatic labels"))
    assert named_file(empty_workspace) is None
    assert {"images", "scores"} <= set(seen)
    seen.clear()
    assert len(make_arrays(empty_workspace, file, report=stop_at("nothing"))) == 4
    assert {"images", "scores"}.isdisjoint(seen)
    assert "automatic labels" in seen


def test_a_damaged_array_is_found_and_made_again(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    file = write_bam()
    arrays = make_arrays(empty_workspace, file)
    places = np.array(arrays.places)  # the file is mapped, so its damage shows in the arrays
    assert check(empty_workspace) == []
    path = empty_workspace.cache / FOLDER / arrays.key / "places.npy"
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    (finding,) = check(empty_workspace)
    assert "1 derived file is damaged" in finding.what
    empty_workspace.memory.clear()
    with pytest.raises(CollectionError, match="was not read yet"):
        opened(empty_workspace)
    np.testing.assert_array_equal(make_arrays(empty_workspace, file).places, places)
    assert derived.is_whole(path.read_bytes())


def test_damaged_labels_of_the_crowd_are_read_again(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    file = write_bam()
    arrays = make_arrays(empty_workspace, file)
    path = empty_workspace.cache / FOLDER / arrays.key / "crowd.npz"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    assert crowd_of(make_arrays(empty_workspace, file)) == crowd_of(arrays)
    assert derived.is_whole(path.read_bytes())


def test_two_readings_at_once_do_not_destroy_each_other(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    one, two, told = write_bam("one.sqlite"), write_bam("two.sqlite", scores=[(10, 1, 1)]), []

    def meanwhile(done: int, total: int | None, message: str = "") -> None:
        with pytest.raises(CollectionError, match="is being read already"):
            make_arrays(empty_workspace, two)
        told.append(message)

    assert len(make_arrays(empty_workspace, one, report=meanwhile)) == 4
    assert told
    assert named_file(empty_workspace) == one


def test_a_cache_that_cannot_be_written_is_not_blamed_on_the_file(
    empty_workspace: Workspace, write_bam: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(derived, "write_array", full)
    with pytest.raises(CollectionError, match=r"Cannot write to the cache .*: No space left on device"):
        make_arrays(empty_workspace, write_bam())
    assert named_file(empty_workspace) is None


def test_places_with_and_without_are_among_the_images_of_the_file(
    empty_workspace: Workspace, write_bam: WriteFile
) -> None:
    """A score of an image that is not in the file moves no place."""
    arrays = make_arrays(empty_workspace, write_bam(scores=[(10, 3, 1), (20, 2, 2), (30, 1, 3), (99, 0, 0)]))
    np.testing.assert_allclose(arrays.places[:3, 0], [2 / 3, 1 / 3, 0], rtol=1e-6)


def test_lines_that_contradict_each_other_are_left_out_and_counted(
    empty_workspace: Workspace, write_bam: WriteFile
) -> None:
    twice = [(10, "positive", "positive"), (10, "negative", "negative")]
    labels = [(10, CAT, "positive"), (10, CAT, "negative"), (20, CAT, "negative"), (20, CAT, "negative")]
    file = write_bam(automatic_labels=twice, crowd_labels=labels, crowd_raw_choices=[])
    arrays = make_arrays(empty_workspace, file)
    assert arrays.automatic[0].tolist() == [1, 1]
    assert crowd_of(arrays) == {(CAT, 20): (0, [0, 0, 0])}
    assert set(arrays.contents.left_out) == {
        "1 line of automatic labels left out: another one has its mid",
        "2 crowd labels left out: another one of its image and attribute says otherwise",
    }


def test_a_score_counts_or_not_whatever_stands_beside_it(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    scores = [(10, "5", 1e300), (20, -2.0, 1.0), (30, -3.0, 2.0)]
    arrays = make_arrays(empty_workspace, write_bam(tables={"scores": f"mid, {CAT}, {INK}"}, scores=scores))
    assert np.isnan(arrays.places[0]).all()
    assert "2 scores left out: it is no number; the first: '5'" in arrays.contents.left_out


def test_who_deletes_the_cache_or_forgets_the_file_loses_nothing(
    empty_workspace: Workspace, write_bam: WriteFile
) -> None:
    file = write_bam()
    content = file.read_bytes()
    make_arrays(empty_workspace, file)
    shutil.rmtree(empty_workspace.cache / FOLDER)
    empty_workspace.memory.clear()
    assert len(make_arrays(empty_workspace, file)) == 4
    forget(empty_workspace)
    assert named_file(empty_workspace) is None
    assert not (empty_workspace.cache / FOLDER).exists()
    assert file.read_bytes() == content
    with pytest.raises(NotFound, match="Name one: `bam ingest bam FILE`"):
        opened(empty_workspace)


def test_a_file_with_images_alone_says_what_it_lacks(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    others = [table for table in LINES if table != "modules"]
    arrays = make_arrays(empty_workspace, write_bam(tables=dict.fromkeys(others)))
    assert arrays.contents.absent == tuple(others)
    assert (len(arrays), arrays.places.shape, arrays.contents.attributes) == (4, (4, 0), ())
    words = "\n".join(arrays.contents.lines())
    assert "no table scores, so no scores" in words
    assert "no table crowd_raw_captions, so no captions" in words


def test_other_attributes_are_taken_as_they_are(empty_workspace: Workspace, write_bam: WriteFile) -> None:
    file = write_bam(
        tables={"scores": 'mid int, "it\'s ""odd""" real', "automatic_labels": "mid int, select_from text"},
        scores=[(10, 1), (20, 2), (30, 3)],
        automatic_labels=[(10, "positive"), (20, "negative")],
    )
    arrays = make_arrays(empty_workspace, file)
    assert (arrays.scored, arrays.labelled) == (('it\'s "odd"',), ("select_from",))
    assert [one.name for one in arrays.contents.attributes] == ['it\'s "odd"', "select_from", CAT, INK]
    assert arrays.automatic[:, 0].tolist() == [1, 0, -2, -2]


def test_what_cannot_be_used_is_left_out_and_counted_and_the_rest_is_there(
    empty_workspace: Workspace, write_bam: WriteFile
) -> None:
    """Numbers twice, numbers that are none, texts for scores, infinite ones, unknown images, other words for labels."""
    tables = {"modules": "mid, project_id, src, mature_content, license", "scores": f"mid, {CAT}, {INK}"}
    file = write_bam(
        tables=tables,
        modules=[*LINES["modules"], (30, 9, "twice", 0, None), ("x\x07", 9, "", 0, None), (10.5, 9, None, None, None)],
        scores=[(10, -1.0, "high"), (20, "", float("inf")), (20, 5.0, 5.0), (99, -1.0, -1.0), ("10", -1.0, -1.0)],
        automatic_labels=[(10, "yes", "positive"), (99, "positive", "positive")],
        crowd_labels=[(10, CAT, "perhaps"), (99, CAT, "positive"), (20, CAT, "negative")],
        crowd_raw_choices=[("a", 10, CAT, 7), ("a", None, CAT, 1), ("a", 20, CAT, 0)],
    )
    arrays = make_arrays(empty_workspace, file)
    assert arrays.mids.tolist() == [10, 20, 40]
    np.testing.assert_array_equal(arrays.places[:, 1], [np.nan, np.nan, np.nan])
    assert arrays.automatic[0].tolist() == [-2, 1]
    assert crowd_of(arrays) == {(CAT, 20): (0, [0, 1, 0])}
    assert set(arrays.contents.left_out) == {
        "2 images left out: its number in modules is none; the first: \"'x\\\\x07'\"",
        "2 lines left out: its number is in modules twice; the first: 30",
        "1 line of scores left out: its mid is no number",
        "1 line of scores left out: another one has its mid",
        "1 line of scores left out: its image is not in modules; the first: 99",
        "3 scores left out: it is no number; the first: 'high'",
        "1 line of automatic labels left out: its image is not in modules",
        "1 automatic label left out: it is none of positive, unsure and negative",
        "1 crowd label left out: it is none of positive, unsure and negative; the first: 'perhaps'",
        "1 crowd label left out: its image is not in modules",
        "1 choice left out: it is not 0, 1 or empty; the first: 7",
        "1 choice left out: its image is not in modules",
    }


LACKING = {
    "lacking": {"modules": "mid int, a, b, c, d"},
    "lacking mid": {"scores": f"number, {CAT}, {INK}"},
    "lacking label": {"crowd_labels": "mid int, attribute text, answer text"},
}


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("missing", "No such file"),
        ("folder", "it is a folder"),
        ("text", "it is no SQLite database"),
        ("empty", "it has no table modules. It has no tables"),
        ("other", "it has no table modules. Its tables are songs"),
        ("lacking", "its table modules has no column src"),
        ("lacking mid", "its table scores has no column mid"),
        ("lacking label", "its table crowd_labels has no column label"),
        ("cut", "it is damaged, or was not copied whole"),
        ("locked", "another program is writing to it"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence_and_changes_nothing(
    empty_workspace: Workspace, write_bam: WriteFile, tmp_path: Path, trouble: str, words: str
) -> None:
    good = write_bam("good.sqlite")
    before = make_arrays(empty_workspace, good)
    file, writer = tmp_path / "bad.sqlite", None
    if trouble == "folder":
        file.mkdir()
    elif trouble == "text":
        file.write_text("mid,src\n" * 1000, encoding="utf-8")
    elif trouble == "empty":
        file.touch()
    elif trouble == "other":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("create table songs (title text)")
    elif trouble in LACKING:
        write_bam(file.name, tables=LACKING[trouble])
    elif trouble == "cut":
        write_bam(file.name, modules=[(mid, 1, f"https://images.example/{mid}.jpg", 0, "") for mid in range(2000)])
        os.truncate(file, file.stat().st_size // 2)
    elif trouble == "locked":
        write_bam(file.name)
        writer = sqlite3.connect(file)
        writer.execute("begin exclusive")
    with pytest.raises(CollectionError, match=words):
        make_arrays(empty_workspace, file)
    if writer is not None:
        writer.close()
    assert named_file(empty_workspace) == good
    assert opened(empty_workspace).key == before.key
