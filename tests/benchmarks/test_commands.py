"""The benchmarks' command line: all have a parser, one takes its own options, and small runs print figures."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import SUITE, commands_of
from benchmarks.options import checkout_at
from benchmarks.round import in_order
from tests.browser import ROOT


@pytest.mark.parametrize("name", SUITE)
def test_every_benchmark_has_a_parser_that_names_it(name: str) -> None:
    parser = importlib.import_module(f"benchmarks.{name}").parser()
    assert parser.prog == f"python -m benchmarks {name}"
    assert parser.parse_args(["--json", "figures.json"]).json == Path("figures.json")


def test_every_benchmark_is_in_the_suite() -> None:
    runnable = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "def main(" in path.read_text()}
    assert runnable == {*SUITE, "__main__"}


def test_one_name_takes_its_own_options() -> None:
    options = ["--n", "2500000", "--no-peers", "--methods", "tsne"]
    assert commands_of(["layouts", *options]) == [("layouts", options)]


def test_several_names_and_none_take_a_folder_for_the_figures() -> None:
    assert commands_of(["lasso", "search"]) == [("lasso", []), ("search", [])]
    assert [name for name, _ in commands_of([])] == list(SUITE)
    commands = commands_of(["lasso", "tiles", "--json", "figures"])
    assert commands == [("lasso", ["--json", "figures/lasso.json"]), ("tiles", ["--json", "figures/tiles.json"])]


@pytest.mark.parametrize("wrong", ["painting", "lasso painting", "lasso --paint", "layouts --methods x"])
def test_a_wrong_command_exits_with_2(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands_of(wrong.split())
    assert ended.value.code == 2
    capsys.readouterr()


def test_the_reference_of_the_ratios_runs_first() -> None:
    assert in_order(["ours", "plain", "ours"]) == ["plain", "ours"]


def test_a_small_round_prints_the_ratio_of_each_contender() -> None:
    lines = run("round", "--n", "3000", "--labels", "100", "--only", "ours", "plain").splitlines()
    plain, ours = (line for line in lines if line.startswith(("ours", "plain")))
    assert plain.split()[-3] == "1.00"
    assert float(ours.split()[-3]) > 0


def test_a_small_layout_runs_as_documented_and_writes_its_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures" / "layouts.json"
    assert "ours: pca" in run("layouts", "--n", "3000", "--no-peers", "--methods", "pca", "--json", str(file))
    assert [line["n"] for line in json.loads(file.read_text())["generated"]] == [3000]


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["page_load", "pages", "classifiers", "tile_formats"])
def test_another_checkout_that_is_none_is_named(name: str, tmp_path: Path) -> None:
    benchmark = importlib.import_module(f"benchmarks.{name}")
    for folder, words in ((tmp_path / "none", "does not exist"), (tmp_path, "holds no checkout of the project")):
        with pytest.raises(SystemExit, match=f"The folder {folder} {words}. Make one with: git worktree add"):
            benchmark.main(["--against", str(folder)])
    assert checkout_at(ROOT / "benchmarks" / "..") == ROOT
    assert checkout_at(None) is None
