"""What BAM's scores put first: only their order counts, within each attribute, whatever their values."""

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bam_engine.cli import main
from bam_engine.download import best_of
from bam_engine.download.lists import read_list
from bam_engine.errors import CollectionError

CAT, INK = "content_cat", "media_pen_ink"


def write(file: Path, scores: dict[Any, tuple[Any, Any]], modules: list[tuple[Any, ...]] | None = None) -> Path:
    """Write a file with these scores for a cat and for ink by the numbers of images, which have a URL each."""
    if modules is None:
        modules = [(mid, 7, url(mid), 0, "CC BY") for mid in scores]
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "create table modules (mid int, project_id int, src text, mature_content boolean, license text)"
        )
        connection.execute(f"create table scores (mid int, {CAT} real, {INK} real)")
        connection.executemany("insert into modules values (?, ?, ?, ?, ?)", modules)
        connection.executemany("insert into scores values (?, ?, ?)", [(mid, *line) for mid, line in scores.items()])
    return file


def url(mid: object) -> str:
    return f"https://images.example/{mid}.jpg"


def best(file: Path, *attributes: str, count: int = 100, **options: Any) -> list[int]:
    lines = best_of(file, attributes, count=count, **options).lines
    return [int(str(line[0]).rpartition("/")[2].removesuffix(".jpg")) for line in lines]


def test_one_attribute_is_in_the_order_of_its_scores(tmp_path: Path) -> None:
    file = write(tmp_path / "bam.sqlite", {1: (-3.0, 0), 2: (-0.5, 0), 3: (-9.0, 0), 4: (-0.5, 0)})
    assert best(file, CAT) == [2, 4, 1, 3]
    assert best(file, CAT, count=2) == [2, 4]
    assert best(file, without=[CAT]) == [3, 1, 2, 4]


@pytest.mark.parametrize("seed", range(3))
def test_of_several_attributes_the_lowest_place_counts_and_nothing_but_the_order(tmp_path: Path, seed: int) -> None:
    """Any increasing change of one attribute's scores changes nothing; the reference counts lower scores one by one."""
    rng = np.random.default_rng(seed)
    scores = -rng.integers(1, 30, (40, 2)).astype(float)
    file = write(tmp_path / "bam.sqlite", {mid: tuple(line) for mid, line in enumerate(scores.tolist())})
    cats = [sum(scores[:, 0] < one) for one in scores[:, 0]]
    ink = [sum(scores[:, 1] > one) for one in scores[:, 1]]
    expected = sorted(range(40), key=lambda mid: (-min(cats[mid], ink[mid]), -(cats[mid] + ink[mid]), mid))
    assert best(file, CAT, without=[INK]) == expected
    scores[:, 0] = -np.exp(-scores[:, 0] / 9)
    changed = write(tmp_path / "changed.sqlite", {mid: tuple(line) for mid, line in enumerate(scores.tolist())})
    assert best(changed, CAT, without=[INK]) == expected


def test_what_makes_no_sense_is_counted_and_hides_nothing(tmp_path: Path) -> None:
    scores = {
        1: (-1, 0),
        2: (-2, 0),
        3: (-3, 0),
        4: (-4, 0),
        5: (-5, 0),
        6: (None, 0),
        7: ("high", 0),
        8: (float("inf"), 0),
    }
    modules = [(1, 1, "/no/url.jpg", 0, ""), (2, 1, None, 0, ""), (4, 1, url(4), 0, ""), (4, 2, url(44), 0, "")]
    modules.append((5, "seven", url(5), None, None))
    file = write(tmp_path / "bam.sqlite", scores | {"x": (-0.1, 0)}, modules)
    found = best_of(file, [CAT], count=10)
    assert found.lines == ((url(5), "seven", None, None),)
    assert (found.scored, found.unscored, found.left_out) == (5, 3, 4)


def test_a_score_that_one_attribute_lacks_changes_no_place_for_another(tmp_path: Path) -> None:
    """The best cat has no score for ink: it is left out, and counts among the cats all the same."""
    scores = {1: (-1.0, None), 2: (-2.0, -9.0), 3: (-3.0, -5.0), 4: (-4.0, -1.0)}
    file = write(tmp_path / "bam.sqlite", scores)
    assert best(file, CAT, INK) == [3, 4, 2]  # lowest places 1/4, 0 and 0; of the last two, 4 has the greater sum


@pytest.mark.parametrize(
    ("attributes", "without", "words"),
    [
        ([], [], f"Name an attribute. bam.sqlite has scores of {CAT}, {INK}"),
        (["content_dog"], [], f"has no scores of 'content_dog'. It has those of {CAT}, {INK}"),
        (['a" from x; --'], [], "has no scores of"),
        (["mid"], [], "has no scores of 'mid'"),
        ([CAT], [CAT], "cannot be with and without content_cat"),
    ],
)
def test_what_the_file_does_not_have_is_a_sentence(
    tmp_path: Path, attributes: list[str], without: list[str], words: str
) -> None:
    file = write(tmp_path / "bam.sqlite", {1: (-1, -1)})
    with pytest.raises(CollectionError, match=words):
        best_of(file, attributes, without=without, count=1)


def test_the_command_writes_a_list_that_can_be_downloaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, target = write(tmp_path / "bam.sqlite", {1: (-1, -1), 2: (-2, -2), 3: (None, 0)}), tmp_path / "cats.csv"
    assert main(["urls", "best", str(file), "--attribute", CAT, "--count", "1", "--to", str(target)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{target}: 1 image, the best of 2",
        "  1 left out: no score",
        f"next: `bam urls download {target}`, then `bam labels import-bam {file}`",
    ]
    with target.open(newline="") as written:
        assert list(csv.DictReader(written)) == [{"url": url(1), "project": "7", "license": "CC BY", "mature": "0"}]
    (line,) = read_list(target)
    assert (line.url, line.project, line.license, line.mature) == (url(1), "7", "CC BY", False)
    target.unlink()
    assert main(["urls", "best", str(file), "--attribute", "content_dog", "--to", str(target)]) == 1
    assert not target.exists()
