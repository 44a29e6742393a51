"""One image of BAM's file with all that the file says of it, and the agreement of the crowd against its definition."""

import sqlite3
from contextlib import closing
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from bam_engine.annotation import Answers
from bam_engine.errors import CollectionError, NotFound
from bam_engine.labelling.agreement import agreement_of_votes
from bam_engine.published import Arrays, make_arrays
from bam_engine.published.detail import ImageAttribute, agreement_about, image_of
from bam_engine.workspace import Workspace
from benchmarks.bam_tables import ATTRIBUTES, Size, write_bam_file
from tests.published.conftest import CAT, INK, WriteFile


def test_an_image_has_all_that_the_file_says_of_it(arrays: Arrays) -> None:
    image = image_of(arrays, 20)
    assert (image.url, image.project, image.licence, image.mature) == ("https://images.example/20.jpg", "1", "", True)
    cat, ink = image.attributes
    assert cat == ImageAttribute(CAT, 0.5, "unsure", "negative", 0, 1, 1)
    assert ink == ImageAttribute(INK, pytest.approx(1 / 3, abs=1e-6), "negative", None, 0, 0, 0)
    assert image.choices == ((CAT, "W1", "no"), (CAT, "W2", "unsure"))
    assert image.captions == (("W2", "Old paper"), ("W2", "A CAT"))


def test_an_image_of_which_the_file_says_nothing_is_there_all_the_same(arrays: Arrays) -> None:
    image = image_of(arrays, 40)
    assert (image.url, image.choices, image.captions) == ("", (), ())
    for mid in (41, 5):
        with pytest.raises(NotFound, match=f"bam.sqlite has no image {mid}"):
            image_of(arrays, mid)


def test_a_file_without_assignments_has_choices_of_unknown_workers(
    empty_workspace: Workspace, write_bam: WriteFile
) -> None:
    arrays = make_arrays(empty_workspace, write_bam(tables={"crowd_raw_hits": None}))
    assert image_of(arrays, 10).choices == ((CAT, "unknown", "yes"), (CAT, "unknown", "yes"))
    with pytest.raises(CollectionError, match="has no table crowd_raw_hits"):
        agreement_about(empty_workspace, arrays, CAT)


def test_the_agreement_of_the_crowd_is_that_of_its_pairs(empty_workspace: Workspace, tmp_path: Path) -> None:
    """The reference counts pairs of workers image by image; each image weighs the same."""
    file = tmp_path / "generated.sqlite"
    write_bam_file(file, Size(200, 800, 2400, 400, 20), seed=1)
    arrays = make_arrays(empty_workspace, file)
    said: dict[int, dict[str, object]] = {}
    with closing(sqlite3.connect(file)) as connection:
        query = (
            "select mid, worker_id, label from crowd_raw_choices join crowd_raw_hits using (assignment_id) "
            "where crowd_raw_choices.attribute = ? order by crowd_raw_choices.rowid"
        )
        for mid, worker, label in connection.execute(query, (ATTRIBUTES[0],)):
            said.setdefault(mid, {})[worker] = label
    shares = [
        np.mean([one == other for one, other in combinations(answers.values(), 2)])
        for answers in said.values()
        if len(answers) > 1
    ]
    raw, alpha = agreement_about(empty_workspace, arrays, ATTRIBUTES[0])
    assert raw.value == pytest.approx(np.mean(shares))
    assert raw.n == len(shares)
    assert raw.low <= raw.value <= raw.high  # type: ignore[operator]
    assert alpha.value is not None
    assert alpha.low <= alpha.value <= alpha.high
    assert alpha.value < raw.value  # type: ignore[operator]


def test_the_interval_and_alpha_of_the_crowd_are_those_of_answers_written_one_by_one(
    empty_workspace: Workspace, tmp_path: Path
) -> None:
    """The reference joins in Python and pairs in loops; choices of unknown images, and earlier ones, do not count."""
    file = tmp_path / "generated.sqlite"
    write_bam_file(file, Size(200, 800, 2400, 400, 20), seed=2)
    name = ATTRIBUTES[3]
    with closing(sqlite3.connect(file)) as connection, connection:
        key, mid, label = connection.execute(
            "select assignment_id, mid, label from crowd_raw_choices where attribute = ?", (name,)
        ).fetchone()
        changed = [(key, mid, name, 0 if label else 1), (key, 10**9, name, 1)]  # changed their mind; no such image
        connection.executemany("insert into crowd_raw_choices values (?, ?, ?, ?)", changed)
        workers = dict(connection.execute("select assignment_id, worker_id from crowd_raw_hits"))
        projects = dict(connection.execute("select mid, project_id from modules"))
        said: dict[int, dict[str, int]] = {}
        for key, mid, label in connection.execute(
            "select assignment_id, mid, label from crowd_raw_choices where attribute = ?", (name,)
        ):
            if mid in projects:
                said.setdefault(mid, {})[workers[key]] = -1 if label is None else label
    numbers = {worker: number for number, worker in enumerate(workers.values())}
    lines = [(mid, numbers[who], answer) for mid in sorted(said) for who, answer in said[mid].items()]
    answers = Answers(*(np.array(column, np.int64) for column in zip(*lines, strict=True)))  # type: ignore[arg-type]
    groups = np.array([projects.get(mid, -1) for mid in range(max(projects) + 1)])
    expected = agreement_of_votes(answers, groups)
    raw, alpha = agreement_about(empty_workspace, make_arrays(empty_workspace, file), name)
    shared = {mid: list(given.values()) for mid, given in said.items() if len(given) > 1}
    both = [(len(given) - 1, one == other) for given in shared.values() for one, other in combinations(given, 2)]
    observed = 1 - sum(same / k for k, same in both) / sum(1 / k for k, _ in both)
    every = [answer for given in shared.values() for answer in given]
    chance = 1 - sum(every.count(kind) * (every.count(kind) - 1) for kind in (1, 0, -1)) / len(every) / (len(every) - 1)
    assert alpha.value == pytest.approx(1 - observed / chance)
    for measured, reference in zip((raw, alpha), expected, strict=True):
        assert measured.n == reference.n == len(shared)
        assert (measured.value, measured.low, measured.high) == pytest.approx(
            (reference.value, reference.low, reference.high), rel=0.01
        )


def test_too_few_answers_have_no_agreement_but_a_reason(empty_workspace: Workspace, arrays: Arrays) -> None:
    raw, alpha = agreement_about(empty_workspace, arrays, INK)
    assert raw.value is alpha.value is None
    assert raw.reason
