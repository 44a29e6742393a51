"""Problems of pictures: measured once, resumed, counted, sorted by, and never taken for none where not measured."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from bam_engine.collection import ingest_folder
from bam_engine.collection.picture_problems import PROBLEMS, measure, problems_of
from bam_engine.errors import BamError, Stopped
from bam_engine.gallery import image_facets, problems
from bam_engine.gallery.counts import facet_counts
from bam_engine.gallery.listing import list_images
from bam_engine.gallery.query import Query
from bam_engine.maps.categories import categories_of
from bam_engine.workspace import Workspace


def of_thumbnail(workspace: Workspace, row: int) -> tuple[str, ...]:
    """The problems of an image by the definition."""
    record = workspace.catalogue.image(row)
    with Image.open(BytesIO(workspace.thumbnails.ensure(row, record.path))) as thumbnail:
        return problems_of(measure(thumbnail, record.width, record.height))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four pictures: a sharp one, the same blurred, the same in grey, and a black one."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    noise = np.random.default_rng(5).integers(0, 2, (20, 20, 3), np.uint8) * 255
    sharp = Image.fromarray(noise).resize((200, 200), Image.Resampling.NEAREST)
    sharp.save(folder / "a-sharp.png")
    sharp.filter(ImageFilter.GaussianBlur(3)).save(folder / "b-blurred.png")
    sharp.convert("L").save(folder / "c-grey.png")
    Image.new("RGB", (200, 200)).save(folder / "d-black.png")
    return folder


@pytest.fixture
def small(tmp_path: Path, pictures: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    ingest_folder(workspace.catalogue, workspace.thumbnails, pictures)
    yield workspace
    workspace.close()


def rows(workspace: Workspace, *values: str, sort: str = "oldest") -> list[int]:
    return list_images(workspace, Query(problem=values, sort=sort)).rows.tolist()


def test_nothing_is_known_before_pictures_are_measured(small: Workspace) -> None:
    counts = facet_counts(small, Query(), ["problem"])["problem"]
    assert counts == dict.fromkeys(problems.VALUES, 0) | {problems.NOT_MEASURED: 4}
    assert rows(small, problems.NONE) == []
    assert rows(small, problems.NOT_MEASURED) == [0, 1, 2, 3]
    assert problems.measures_of(small, 0) is None
    assert "problem" not in categories_of(small, "")


def test_each_value_holds_the_images_of_its_definition(small: Workspace) -> None:
    assert problems.scan(small) == problems.Progress(measured=4, total=4, unreadable=0)
    assert [of_thumbnail(small, row) for row in range(4)] == [(), ("blurred",), ("grey",), ("dark", "blank", "grey")]
    counts = facet_counts(small, Query(), ["problem"])["problem"]
    for value in problems.VALUES:
        expected = [row for row in range(4) if value in of_thumbnail(small, row) or (value, row) == (problems.NONE, 0)]
        assert (rows(small, value), counts[value]) == (expected, len(expected)), value
    assert rows(small, "blurred", "blank") == [1, 3], "any of them"


def test_the_worst_come_first_and_what_is_not_measured_last(small: Workspace, pictures: Path) -> None:
    problems.scan(small)
    with Image.open(pictures / "a-sharp.png") as sharp:
        sharp.filter(ImageFilter.GaussianBlur(6)).save(pictures / "e-new.png")
    ingest_folder(small.catalogue, small.thumbnails, pictures)
    order = rows(small, sort="blurred")
    assert (order[0], set(order[1:3]), order[3:]) == (1, {0, 2}, [3, 4]), "the black one has no edge to measure"
    assert rows(small, problems.NOT_MEASURED) == [4]
    problems.scan(small)
    assert rows(small, sort="blurred")[:2] == [4, 1]
    for name in PROBLEMS:
        severity = problems.severity(small, name, np.array(rows(small, sort=name)))
        known = severity[~np.isnan(severity)]
        assert (np.diff(known) <= 0).all(), name


def test_a_picture_that_cannot_be_read_is_not_measured_until_it_is_back(small: Workspace, pictures: Path) -> None:
    content = (pictures / "b-blurred.png").read_bytes()
    (pictures / "b-blurred.png").unlink()
    small.thumbnails.path(1).unlink()
    assert problems.scan(small) == problems.Progress(measured=3, total=4, unreadable=1)
    assert rows(small, problems.NOT_MEASURED) == [1]
    assert 1 not in rows(small, problems.NONE)
    before = image_facets.version(small)
    (pictures / "b-blurred.png").write_bytes(content)
    assert problems.scan(small).measured == 4
    assert image_facets.version(small) != before
    assert rows(small, "blurred") == [1]


def test_a_stopped_scan_resumes_and_measures_no_picture_twice(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "_BLOCK", 50)
    asked: list[int] = []
    measured = problems._measured
    monkeypatch.setattr(problems, "_measured", lambda *about: asked.append(about[1].row) or measured(*about))

    def stop(done: int, total: int | None, message: str = "") -> None:
        if done >= 50:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        problems.scan(workspace, report=stop)
    assert problems.progress(workspace) == problems.Progress(50, 120, 0)
    assert problems.problem_mask(workspace, [problems.NOT_MEASURED], 120)[50:].all()
    with problems.MEASURED.path(workspace).open("ab") as file:
        file.write(b"torn")
    assert problems.scan(workspace) == problems.Progress(120, 120, 0)
    assert sorted(asked) == list(range(120))
    assert [problems.names_of(int(flag)) for flag in problems.flags(workspace, 120)] == [
        of_thumbnail(workspace, row) for row in range(120)
    ]


def test_measures_of_another_picture_count_for_none(small: Workspace) -> None:
    problems.scan(small)
    file = problems.MEASURED.path(small)
    content = bytearray(file.read_bytes())
    size = problems.RECORD.itemsize
    content[size : 2 * size] = content[:size]  # the record of the first image in the place of the second
    file.write_bytes(bytes(content))
    assert problems.MEASURED.damaged(small) == 3
    assert rows(small, problems.NOT_MEASURED) == [1, 2, 3]
    assert problems.scan(small).measured == 4
    assert rows(small, "blurred") == [1]


def test_a_map_is_coloured_by_the_first_problem_of_each_picture(small: Workspace) -> None:
    problems.scan(small)
    found = categories_of(small, "")["problem"]()
    assert [found.names[code] for code in np.asarray(found.codes)] == [problems.NONE, "blurred", "grey", "dark"]
    assert found.none == problems.NOT_MEASURED


def test_an_unknown_problem_is_refused_with_those_that_there_are(small: Workspace) -> None:
    with pytest.raises(BamError, match=r"There is no problem 'crooked'\. Choose one of dark, over-bright, blurred"):
        list_images(small, Query(problem=("crooked",)))


def test_only_one_scan_runs_at_a_time(small: Workspace) -> None:
    with problems._alone(small), pytest.raises(BamError, match="already"):
        problems.scan(small)
    assert problems.scan(small).measured == len(small.catalogue)


def test_an_image_that_was_removed_is_neither_measured_nor_missing(small: Workspace) -> None:
    before = problems.scan(small)
    small.removals.remove([0], reason="a test")
    assert problems.progress(small) == problems.Progress(before.measured - 1, before.total - 1, 0)


def test_a_picture_at_a_limit_has_the_same_problems_wherever_it_is_asked() -> None:
    measures = measure(Image.linear_gradient("L"), 350, 1000)
    assert measures.aspect == PROBLEMS["odd aspect"].limit
    stored = np.array([(*measures, 0)], problems.RECORD)
    assert problems.names_of(int(problems._flags(stored, 1)[0])) == problems_of(measures)
