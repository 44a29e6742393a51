"""The benchmark of rules that settle disputes: the app's rule is that of the consensus, and only errors make faults."""

import json

import numpy as np
import pytest

from bam_engine.annotation import Answers, consensus
from benchmarks import pictures, wrong_answers
from benchmarks.wrong_answers import RULES, Before, certify
from tests.benchmarks.few_pictures import replace_pictures


def test_the_lead_is_the_rule_of_the_consensus() -> None:
    for yes in range(6):
        for no in range(6 - yes):
            said = np.array([1] * yes + [0] * no, np.int8)
            agreed = consensus(Answers(np.zeros(len(said), np.int64), np.arange(len(said)), said), redundancy=2)
            label = RULES["lead"](yes, no)
            assert (-1 if label is None else label) == (agreed.labels.tolist() or [-1])[0]


@pytest.fixture
def before() -> Before:
    rng = np.random.default_rng(0)
    truth = rng.random(2000) < 0.05
    scores = (3 * truth + rng.normal(size=2000)).astype(np.float32)
    sample, rounds = np.arange(60), np.setdiff1d(np.argsort(-scores)[:200], np.arange(60))
    return Before(truth, scores, sample, rounds)


def test_without_wrong_answers_every_rule_delivers_no_wrong_yes(before: Before) -> None:
    found = [certify(before, rule, error_rate=0.0, seed=1) for rule in RULES.values()]
    assert [each.wrong for each in found] == [0, 0, 0]
    assert found[0].answers == found[1].answers < found[2].answers, "a third is asked about every yes"


def test_a_stricter_rule_delivers_fewer_wrong_yes(before: Before) -> None:
    wrong = [
        sum(certify(before, rule, error_rate=0.1, seed=seed).wrong for seed in range(20)) for rule in RULES.values()
    ]
    assert wrong[0] > wrong[1] > wrong[2]


def test_it_plays_prints_a_line_for_each_rule_and_writes_its_outcomes(tmp_path, monkeypatch, capsys) -> None:
    replace_pictures(monkeypatch, above=1)
    file = tmp_path / "figures.json"
    words = ["--attributes", "bird", "--encoders", "builtin", "--runs", "2", "--json", str(file)]
    wrong_answers.main(words)
    assert [f"all, {name}" in capsys.readouterr().out for name in ("lead",)] == [True]
    assert {name: len(of) for name, of in json.loads(file.read_text())["outcomes"].items()} == dict.fromkeys(RULES, 2)


def test_without_the_pictures_it_says_so(monkeypatch, capsys) -> None:
    monkeypatch.setattr(pictures, "available", lambda encoder: False)
    wrong_answers.main([])
    assert "Skipped: the real pictures" in capsys.readouterr().out
