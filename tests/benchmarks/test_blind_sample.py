"""The benchmark of a blind sample of the labelled images: its test is exact, and only what it certifies is counted."""

import json

import numpy as np
import pytest

from benchmarks import blind_sample, pictures
from benchmarks.blind_sample import JUDGES, blind_test, compare
from benchmarks.wrong_answers import Before, errors
from tests.benchmarks.few_pictures import replace_pictures


def passes(labelled: int, wrong: int, *, runs: int) -> float:
    """Return how often the test passes for as many labelled images, of which some are wrong."""
    positive = np.arange(labelled) >= wrong
    return float(np.mean([blind_test(np.arange(labelled), positive, seed=seed)[0] for seed in range(runs)]))


def test_labelled_images_below_the_target_pass_in_no_more_runs_than_their_risk_allows() -> None:
    assert 0 < passes(40, 5, runs=2000) < 0.0125 + 3 * np.sqrt(0.0125 / 2000)


def test_labelled_images_that_keep_the_target_pass_at_last_and_right_ones_before_all_are_asked_about() -> None:
    assert passes(40, 4, runs=50) == 1
    passed, drawn = blind_test(np.arange(200), np.ones(200, bool), seed=1)
    assert passed
    assert len(drawn) < 100
    assert blind_test(np.arange(0), np.ones(0, bool), seed=1)[0] is False


def test_it_ends_once_it_cannot_pass() -> None:
    passed, drawn = blind_test(np.arange(200), np.zeros(200, bool), seed=1)
    assert not passed
    assert len(drawn) == 30


def test_shared_errors_are_those_of_everybody_who_is_asked() -> None:
    first, second = (errors(5000, 0.1, 1.0, seed=[1, people]) for people in (0, 7))
    assert np.array_equal(first, second)
    assert (first == first[:, :1]).all()
    assert first[:, 0].mean() == pytest.approx(0.1, abs=0.02)
    alone = errors(5000, 0.1, 0.0, seed=[1, 7])
    assert alone.mean() == pytest.approx(0.1, abs=0.01)
    assert (alone != alone[:, :1]).any()


@pytest.fixture
def unsure() -> Before:
    """Scores that tell nothing, so that no threshold passes, and the eight positives among the images of the rounds."""
    rng = np.random.default_rng(0)
    truth = np.arange(2000) < 8
    return Before(truth, rng.normal(size=2000).astype(np.float32), np.arange(1900, 1960), np.arange(400))


def test_where_no_threshold_passes_the_labelled_images_are_tested(unsure: Before) -> None:
    found = compare(unsure, JUDGES["two"], error_rate=0.0, shared=0.0, seed=1)
    assert not found.without.certified
    assert (found.tested.certified, found.tested.precision, found.tested.recall) == (True, 1.0, 1.0)
    assert found.tested.answers == found.without.answers + 2 * 8, "of so few each is asked about again, by two"


def test_what_the_sample_finds_wrong_is_not_delivered(unsure: Before) -> None:
    runs = [compare(unsure, JUDGES["two"], error_rate=0.1, shared=0.0, seed=seed) for seed in range(8)]
    nothing = [run for run in runs if not run.without.certified]
    assert any(run.untested.wrong > run.tested.wrong for run in nothing)
    assert all(run.tested.answers > run.without.answers for run in nothing)


def test_it_plays_prints_its_lines_and_writes_its_runs(tmp_path, monkeypatch, capsys) -> None:
    replace_pictures(monkeypatch, above=1)
    file = tmp_path / "figures.json"
    words = ["--attributes", "bird", "--encoders", "builtin", "--error-rates", "0.05", "--shared", "0", "--runs", "2"]
    blind_sample.main([*words, "--json", str(file)])
    assert "builtin, 5% wrong, 0% shared, two" in capsys.readouterr().out
    lines = json.loads(file.read_text())["lines"]
    assert [(line["case"][3], len(line["runs"])) for line in lines] == [("two", 2), ("one", 2)]


def test_without_the_pictures_it_says_so(monkeypatch, capsys) -> None:
    monkeypatch.setattr(pictures, "available", lambda encoder: False)
    blind_sample.main([])
    assert "Skipped: the real pictures" in capsys.readouterr().out
