"""Pace: the median over pages with its exact interval, and a flag for who answers faster than a person can look."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.cli import main
from bam_engine.labelling.pace import LOOK, pace_of, paces
from bam_engine.workspace import Workspace
from benchmarks import annotating
from benchmarks import flags as benchmark
from tests.pages.conftest import open_page, text_of

__all__ = ["open_page"]  # the fixture


@pytest.fixture
def on_either(database_url: str, tmp_path: Path) -> Iterator[Workspace]:
    place = annotating.Place(tmp_path, database_url)
    annotating.prepare(place, 4)
    opened = place.open()
    yield opened
    opened.close()


def page(
    workspace: Workspace, name: str, seconds: float | None, rows: range = range(3), purpose: str = "round"
) -> None:
    """Let somebody answer a page of so many seconds for each image."""
    who = workspace.annotations.annotator(name)
    given = workspace.annotations.assign(1, who, rows, purpose=purpose, source_id=1)
    workspace.annotations.record(given.id, [NewAnswer(uuid.uuid4().hex, row, 1, seconds) for row in rows])


@pytest.mark.parametrize("n", [6, 7, 12, 25, 60])
def test_the_interval_is_that_of_the_sign_test(n: int) -> None:
    """The narrowest pair of ordered pages, alike at both ends, between which the median is with 95% confidence."""
    found = pace_of(list(range(1, n + 1)), [1] * n, tests=1)
    assert (found.median, found.pages) == ((n + 1) / 2, n)
    out = int(found.low) - 1  # pages left out at either end
    assert found.high == n - out
    assert 1 - 2 * binom.cdf(out, n, 0.5) >= 0.95
    assert 1 - 2 * binom.cdf(out + 1, n, 0.5) < 0.95


def test_a_few_pages_have_no_interval_and_flag_nobody() -> None:
    found = pace_of([0.01] * 5, [24] * 5, tests=50)
    assert np.isnan([found.low, found.high]).all()
    assert (found.too_fast, found.text) == (False, "0.01 s for an image, the median of 5 pages with 120 images.")


def test_an_idle_minute_moves_nothing_and_more_people_take_more_evidence() -> None:
    fast = [0.05] * 9
    assert pace_of([*fast, 600], [24] * 10, tests=1).median == 0.05
    assert pace_of(fast, [24] * 9, tests=20).too_fast
    assert not pace_of(fast, [24] * 9, tests=50).too_fast
    assert not pace_of([LOOK] * 100, [24] * 100, tests=1).too_fast, "a look takes so long"


def test_who_needs_a_look_for_half_of_the_pages_is_rarely_flagged() -> None:
    rng = np.random.default_rng(2)
    flagged = sum(
        any(pace_of(rng.choice([0.1, 0.3], 30).tolist(), [24] * 30, tests=20).too_fast for _ in range(20))
        for _ in range(200)
    )
    assert flagged / 200 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_the_pages_of_each_person_are_read_on_either_database(on_either: Workspace) -> None:
    for seconds in (0.5, 0.25, 1.5):
        page(on_either, "ada", seconds)
    page(on_either, "ada", None)
    page(on_either, "ben", 0.1)
    page(on_either, "ben", 0.1, range(3, 4), "gold")  # the rest of the same page, which another assignment has
    found = paces(on_either)
    ada, ben = (on_either.annotators.get(name).id for name in ("ada", "ben"))
    assert [(one.median, one.pages, one.images, one.fast) for one in (found[ada], found[ben])] == [
        (0.5, 3, 9, 0),
        (0.1, 1, 4, 1),
    ]
    on_either.annotators.merge(ben, ada)
    assert [(one.median, one.pages) for one in paces(on_either).values()] == [(0.375, 4)]


def test_the_page_and_the_command_line_tell_who_is_too_fast(
    open_page: Callable[..., AppTest], workspace: Workspace, watercolor: Attribute, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        page(workspace, "ada", 0.8 + number / 50)
        page(workspace, "bob", 0.05 + number / 1000)
    app = open_page(workspace, "annotators")
    assert not app.exception
    text = text_of(app)
    assert "Answers faster than a person can look: 0.06 s (0.05–0.06) for an image" in text
    assert "0.91 s (0.84–0.98) for an image, the median of 12 pages with 36 images." in text
    assert [one.label.count("worth a look") for one in app.expander] == [0, 1]
    assert main(["annotator", "list"]) == 0
    assert capsys.readouterr().out.count("faster than a person can look") == 1
    assert main(["annotator", "show", "ada"]) == 0
    assert "0.91 s (0.84–0.98) for an image" in capsys.readouterr().out


def test_simulated_people_who_do_not_look_are_found_where_they_are_faster_than_a_look() -> None:
    found = benchmark.measure_pace(24, 0.1, 5, np.random.default_rng(0))
    assert found.right / found.spam > 0.9
    assert found.right == found.flagged
    slow = benchmark.measure_pace(12, 1.0, 5, np.random.default_rng(0))
    assert (slow.flagged, slow.spam) == (0, 60)
