"""The benchmark that follows the next step: where it ends, what it counts, and that it notices where it is stuck."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from bam_engine.demo.following import Follower
from bam_engine.demo.rehearsal import rehearsal
from bam_engine.demo.simulated_annotators import Team, answer_from
from benchmarks import advice, diagnosis, end_to_end
from benchmarks.advice import Case, Followed, follow, part, summary, to_the_end
from tests.benchmarks.few_pictures import replace_pictures
from tests.benchmarks.test_end_to_end import run as fixed_run

CASE = Case("combined", "", 0, "bird", 0.0, 0)


def followed(seed, *, ended="finished", answers=100, recall=0.5, certified=True, precision=0.95):
    parts = {"validation": 0, "round": answers, "certification": 0, "audit": 0}
    case = replace(CASE, seed=seed)
    return Followed(case, ended, "", (), parts, 90, precision, recall, certified, False, (0.4, 0.6), 1.0)


@pytest.fixture
def small(monkeypatch):
    """A small collection in place of the real pictures, whose positives a direction shows."""
    return replace_pictures(monkeypatch, above=0.5)


def test_the_line_of_an_attribute_counts_ends_answers_and_what_is_certified() -> None:
    runs = [followed(0), followed(1, certified=False, precision=0.5), followed(2, ended="cannot", precision=0.89)]
    found = summary(runs, [fixed_run("fixed", seed, answers=200) for seed in range(3)])
    assert found["ended"] == {"finished": 2, "cannot": 1}
    assert found["kept"] == pytest.approx(1 / 3)
    assert (found["certified"], found["broken"]) == (2, 1)
    assert (found["answers"], found["fixed_answers"], found["ratio"]) == (100, 200, 0.5)


def test_a_part_of_the_pictures_is_the_same_for_every_encoder(small) -> None:
    other = replace(small, vectors=small.vectors[:, :4])
    one, two = part(small, 60, seed=3), part(other, 60, seed=3)
    assert one.truth["bird"].tolist() == two.truth["bird"].tolist()
    assert np.array_equal(one.vectors[:, :4], two.vectors)
    assert part(small, 60, seed=4).truth["bird"].tolist() != one.truth["bird"].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(("images", "rate"), [(0, 0.0), (60, 0.0), (300, 0.05)])
def test_who_follows_blindly_comes_to_an_end_with_what_was_asked_for(small, images, rate) -> None:
    run = follow(replace(CASE, images=images, error_rate=rate))
    assert run.ended == "finished", (run.why, run.steps)
    assert run.certified
    assert run.precision >= 0.9
    assert run.answers < (2 if rate else 1) * (images or 400)
    assert run.steps[0].startswith("the validation sample")


@pytest.mark.slow
def test_a_run_is_kept_beside_the_fixed_protocol_and_not_played_again(small, tmp_path, monkeypatch, capsys) -> None:
    words = ["--attributes", "bird", "--error-rates", "0", "--seeds", "1", "--images", "60"]
    file = tmp_path / "runs.jsonl"
    advice.main([*words, "--runs", str(file), "--json", str(tmp_path / "figures.json")])
    (line,) = json.loads((tmp_path / "figures.json").read_text())["lines"]
    assert line["runs"] == len(advice.known_runs(file)) == 1
    assert line["ratio"] == line["answers"] / line["fixed_answers"]
    assert "bird" in capsys.readouterr().out
    monkeypatch.setattr(advice, "follow", lambda *_, **__: pytest.fail("followed again"))
    advice.main([*words, "--runs", str(file), "--no-fixed"])


@pytest.mark.slow
def test_the_runs_of_the_fixed_protocol_are_read_from_those_of_end_to_end(small, tmp_path, monkeypatch) -> None:
    file, case = tmp_path / "fixed.jsonl", replace(CASE, seed=5)
    first = advice.fixed_run(case, {}, file)
    assert first.contestant == "fixed"
    monkeypatch.setattr(end_to_end, "play_on", lambda *_: pytest.fail("played again"))
    assert advice.fixed_run(case, end_to_end.known_runs(file), file) == first


def test_a_step_that_changes_nothing_is_stuck() -> None:
    vectors = np.random.default_rng(0).normal(size=(80, 4)).astype(np.float16)
    with rehearsal(vectors) as workspace:
        attribute = workspace.attributes.add("content_thing", "content", "Is it?")
        ended, why, steps = to_the_end(Follower(workspace, attribute, lambda task: 0))
    assert ended == "stuck"
    assert why.startswith("label_validation changes nothing")
    assert steps == ["the validation sample: 0 answers"] * 2


@pytest.mark.slow
def test_the_encoder_that_the_diagnosis_names_is_chosen_and_without_one_it_says_that_it_cannot() -> None:
    vectors, truth, other = diagnosis.unseen_but_by_another(np.random.default_rng(14))
    projects = np.tile(np.arange(len(truth) // 2), 2)
    for others, expected in (({"builtin": other}, "finished"), ({}, "cannot")):
        with rehearsal(diagnosis.unit(vectors), projects, encoder="network", others=others) as workspace:
            attribute = workspace.attributes.add("content_thing", "content", "Is it?")
            answer = partial(answer_from, workspace, team=Team(0.0, 1, 0, 1), truth=truth.astype(np.int8))
            workspace.judging_redundancy = 1
            ended, why, steps = to_the_end(Follower(workspace, attribute, answer, sample=200))
        assert ended == expected, (why, steps)
        assert ("the encoder builtin" in steps) == bool(others)
