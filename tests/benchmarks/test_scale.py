"""What 65 million images take: extrapolated by what is said, and run at full size by the code of the app."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import scale, scale_full
from benchmarks.scale import estimate, grown
from benchmarks.scale_samples import STEPS, Measured, Step, measured

N, HALF = 1000, 500


def step(**about: object) -> Step:
    return Step("step", "", N, lambda n, folder: lambda: None, **about)


def found(**other: object) -> Measured:
    figures = {"seconds": [2.0, 3.0, 2.5], "seconds_of_half": [1.0], "memory": 5000, "arrays": 3000, "disk": 4.0}
    return Measured(**{"n": N, "half": HALF, "arrays_of_half": 1000, **figures, **other})


def test_time_grows_in_proportion_or_by_n_log_n_and_stops_where_no_more_take_part():
    assert grown(step(), 65_000, N) == 65
    assert grown(step(sorts=True), 10**6, N) == pytest.approx(1000 * 2), "log 10^6 is twice log 10^3"
    assert grown(step(at_most=4000), 65_000_000, N) == grown(step(), 4000, N)


def test_the_range_is_that_of_the_repeats():
    told = estimate(step(), found(), 3600 * N, hours=24)
    assert told.hours == (2.0, 3.0)
    assert told.exponent == pytest.approx(1.0), "twice the images took twice as long"
    assert told.disk == 4.0 * 3600 * N


def test_memory_is_continued_as_a_line_as_far_as_it_grows():
    assert estimate(step(), found(), 11_000, 24).memory == 5000 + 4 * 10_000
    assert estimate(step(at_once=2000), found(), 11_000, 24).memory == 5000 + 4 * 1000
    assert estimate(step(at_once=1), found(), 11_000, 24).memory == 5000
    assert estimate(step(), found(arrays=900), 11_000, 24).memory == 5000, "noise takes nothing off"
    assert estimate(step(arrays=9), found(), 11_000, 24).memory == 5000 + 9 * 10_000, "a sample can hide them"


def test_machines_are_those_that_finish_in_time_by_the_slowest_repeat():
    assert estimate(step(spreads=True), found(), 3600 * N * 100, 24).machines == math.ceil(300 / 24)
    assert estimate(step(), found(), 3600 * N * 100, 24).machines is None


@pytest.mark.parametrize("name", ["scoring 20 attributes", "a round", "near-duplicates", "map: opened"])
def test_a_small_sample_of_each_step_has_times_memory_and_disk(name, tmp_path):
    seconds, memory, arrays, disk = measured(name, tmp_path, 1500, 2)
    assert len(seconds) == 2
    assert min(seconds) > 0
    assert memory > arrays > 0
    assert disk == pytest.approx({"a round": 4, "near-duplicates": 8, "map: opened": 0}.get(name, 20 * 4), rel=0.1)
    assert not list(tmp_path.iterdir()), "samples are removed"


def test_steps_have_names_of_their_own_and_say_what_was_run():
    assert len({each.name for each in STEPS}) == len(STEPS)
    assert all(each.about for each in STEPS)


@pytest.mark.parametrize("part", list(scale_full.PARTS))
def test_each_part_runs_on_few_rows_and_leaves_nothing(part, tmp_path, capsys):
    scale.main(["--full", part, "--rows", "20,000", "--folder", str(tmp_path), "--json", str(tmp_path / "figures")])
    figures = json.loads((tmp_path / "figures").read_text())
    assert (figures["part"], figures["rows"], figures["data"]) == (part, 20_000, "generated")
    assert all(line["seconds"] >= 0 for line in figures["lines"])
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]
    assert "20,000 generated rows" in capsys.readouterr().out


def test_the_scores_of_the_full_run_are_the_plain_product(tmp_path):
    lines = scale_full.Lines()
    scale_full.scores(tmp_path, 3000, lines)
    (worst,) = [line for line in lines.all if line.step.startswith("largest difference")]
    assert 0 <= worst.seconds < 1e-4


def test_generated_vectors_are_of_unit_length_on_average(tmp_path):
    scale_full.vectors_on_disk(tmp_path / "v.npy", 500, 64)
    vectors = np.load(tmp_path / "v.npy").astype(float)
    assert vectors.shape == (500, 64)
    assert np.mean(np.linalg.norm(vectors, axis=1)) == pytest.approx(1, abs=0.02)


def test_a_file_that_is_forgotten_though_it_is_mapped_reads_as_before(tmp_path):
    file = tmp_path / "v.npy"
    scale_full.vectors_on_disk(file, 20_000, 64)
    vectors = np.load(file, mmap_mode="r")
    read = scale_full.read_through(vectors)
    scale_full.forget(file, vectors)
    assert scale_full.read_through(vectors) == read


@pytest.mark.parametrize("wrong", [["--images", "0"], ["--full", "everything"], ["--steps", "painting"]])
def test_a_wrong_option_exits_with_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        scale.parser().parse_args(wrong)
    assert ended.value.code == 2
    capsys.readouterr()


def test_pictures_that_are_not_there_are_said(tmp_path: Path):
    with pytest.raises(SystemExit, match="There are no pictures in"):
        scale.main(["--pictures", str(tmp_path), "--images", "1000"])
