"""The benchmark of whole protocols: its figures, from runs that are given, and a run that is played and kept."""

import json

import pytest

from benchmarks import end_to_end, pictures
from benchmarks.end_to_end import CONTESTANTS, FIXED, THEN, Run, known_runs, ratio, shortest, summary
from tests.benchmarks.few_pictures import replace_pictures


def run(contestant, seed, *, answers=100, recall=0.5, certified=True, precision=0.95, interval=(0.4, 0.6)):
    parts = {"round": answers}
    return Run(
        "combined", "bird", 0.0, contestant, seed, answers, 90, 40, precision, recall, certified, interval, parts, 1.0
    )


def test_recall_without_a_certificate_counts_nothing_and_a_low_precision_breaks_only_a_certificate() -> None:
    runs = [run(FIXED, 0), run(FIXED, 1, certified=False, precision=0.5), run(FIXED, 2, precision=0.89)]
    found = summary(runs)
    assert found["recall"] == pytest.approx(1 / 3)
    assert (found["certified"], found["broken"]) == (2, 1)


def test_an_interval_that_is_not_stated_is_not_counted() -> None:
    runs = [run(FIXED, 0), run(FIXED, 1, interval=None), run(FIXED, 2, interval=(0.6, 0.7))]
    assert (summary(runs)["covered"], summary(runs)["intervals"]) == (1, 2)


def test_the_ratio_is_that_of_all_answers_with_an_interval_over_the_seeds_that_both_played() -> None:
    ours = [run("4 + 150", seed, answers=10 * (seed + 1)) for seed in range(6)]
    fixed = [run(FIXED, seed, answers=40 * (seed + 1)) for seed in range(5)]
    assert ratio(ours, fixed) == pytest.approx((0.25, 0.25, 0.25))


def test_the_shortest_protocol_that_keeps_the_recall_is_compared() -> None:
    recalls = {FIXED: 0.5, "2 + 150": 0.4, "4 + 150": 0.5, "4 + 250": 0.9}
    runs = {name: [run(name, 0, recall=recall)] for name, recall in recalls.items()}
    assert shortest(runs) == "4 + 150"
    runs[FIXED] = [run(FIXED, 0, recall=0.95)]
    assert shortest(runs) is None


def test_a_run_is_played_kept_and_not_played_again(tmp_path, monkeypatch, capsys) -> None:
    replace_pictures(monkeypatch, above=0.5)
    monkeypatch.setattr(end_to_end, "play_all", lambda cases, processes: map(end_to_end.play, cases))
    words = ["--attributes", "bird", "--encoders", "builtin", "--error-rates", "0", "--seeds", "1"]
    file = tmp_path / "runs.jsonl"
    end_to_end.main([*words, "--runs", str(file), "--json", str(tmp_path / "figures.json")])
    assert len(known_runs(file)) == len(CONTESTANTS) == len(file.read_text().splitlines())
    lines = json.loads((tmp_path / "figures.json").read_text())["lines"]
    assert [line["contestant"] for line in lines] == [THEN, FIXED, "2 + 150", "4 + 150", "4 + 250"]
    monkeypatch.setattr(end_to_end, "play", lambda case: pytest.fail("played again"))
    end_to_end.main([*words, "--runs", str(file)])
    assert "1 seeds" not in capsys.readouterr().out


def test_without_the_pictures_it_says_so(monkeypatch, capsys) -> None:
    monkeypatch.setattr(pictures, "available", lambda encoder: False)
    end_to_end.main([])
    assert "Skipped: the real pictures" in capsys.readouterr().out
