"""``simulate``: the rounds of an attribute, answered from a column of true labels, compared with random sampling.

Nothing is stored in the workspace, so simulated answers never mix with those of people.
"""

import json
import math
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.cli.arguments import Commands, add_command, given_path, positive_integer, proportion
from bam_engine.cli.paths import print_lines_without_path, print_paths
from bam_engine.cli.progress import bar
from bam_engine.collection.matching import match_paths
from bam_engine.errors import ExchangeError
from bam_engine.exchange import read_truth
from bam_engine.files import check_output
from bam_engine.formatting import count, percent
from bam_engine.learning import STRATEGIES, RoundOutcome, comparison_table, simulate
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import vectors_of


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(
        commands, "simulate", run, "run the rounds on known labels and compare the strategy with random sampling"
    )
    command.add_argument("--labels", type=given_path, required=True, help="CSV with a path column and the true labels")
    command.add_argument("--column", required=True, help="column of the true labels")
    command.add_argument("--positive", required=True, help="value that counts as yes")
    command.add_argument("--rounds", type=positive_integer, default=4, help="default: %(default)s")
    command.add_argument("--batch", type=positive_integer, default=100, help="labels per round (default: %(default)s)")
    command.add_argument(
        "--validation", type=positive_integer, default=200, help="labels of the validation set (default: %(default)s)"
    )
    command.add_argument("--strategy", choices=list(STRATEGIES), default="mixture", help="default: %(default)s")
    command.add_argument("--target", type=proportion, default=0.90, help="target precision (default: 0.90)")
    command.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    command.add_argument("--json", type=given_path, help="also write the figures to this file")


def run(workspace: Workspace, options: Namespace) -> None:
    """Simulate the chosen strategy and random sampling on the same validation set, and print both."""
    vectors = vectors_of(workspace)
    rows, truth = truth_of(workspace, options.labels, options.column, options.positive, len(vectors))
    groups = workspace.catalogue.projects()[rows]
    outcomes: dict[str, Sequence[RoundOutcome]] = {}
    for strategy in dict.fromkeys((options.strategy, "random")):
        with bar(strategy, "rounds") as report:
            outcomes[strategy] = simulate(
                np.asarray(vectors[rows]),
                truth,
                groups,
                rounds=options.rounds,
                batch=options.batch,
                validation=options.validation,
                strategy=strategy,
                target=options.target,
                seed=options.seed,
                report=report,
            )
    print(f"{options.column} = {options.positive}: {int(truth.sum()):,} of {count(len(truth), 'image')} positive")
    labels, target = count(options.validation, "validation label"), percent(options.target)
    print(f"encoder {workspace.choice.spec}, {labels}, target precision {target}")
    print(comparison_table(outcomes[options.strategy], outcomes["random"]))
    if options.json:
        _write(options, workspace.choice.spec, truth, outcomes)


def truth_of(
    workspace: Workspace, labels: Path, column: str, positive: str, n: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the embedded rows with a true label, ascending, and these labels; print what of the table is not used.

    The paths of the table are matched as :func:`bam_engine.collection.matching.match_paths` says.
    """
    table = read_truth(labels, column=column, positive=positive)
    base = labels.resolve().parent
    matches = match_paths(workspace.catalogue, table.labels, base)
    truth = {row: table.labels[path] for path, row in matches.rows.items() if row < n}
    if not truth:
        raise ExchangeError(
            f"None of the {count(len(table.labels), 'path')} of {labels} matches an embedded image. Paths are "
            f"absolute, relative to {base}, or the end of an image's path. Ingest the images and embed them first."
        )
    if table.spellings:
        spelled = ", ".join(f"{value!r} ({count(times, 'line')})" for value, times in table.spellings.items())
        print(f"  counted as {positive}, too: {spelled}")
    print_lines_without_path(table.without_path)
    print_paths(matches.unmatched, "no image")
    print_paths(matches.ambiguous, "several images")
    rows = np.array(sorted(truth), np.int64)
    return rows, np.array([truth[row] for row in rows.tolist()], bool)


def _write(
    options: Namespace, encoder: str, truth: NDArray[np.bool_], outcomes: dict[str, Sequence[RoundOutcome]]
) -> None:
    settings = {name: value for name, value in vars(options).items() if name not in ("run", "json")}
    payload: dict[str, Any] = {
        "asked": {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()},
        "encoder": encoder,
        "images": len(truth),
        "positive": int(truth.sum()),
        "rounds": {name: [_finite(asdict(outcome)) for outcome in rounds] for name, rounds in outcomes.items()},
    }
    try:
        check_output(options.json)
        options.json.write_text(json.dumps(payload, indent=2), encoding="utf-8")
    except OSError as error:
        raise ExchangeError(f"Cannot write {options.json}: {error.strerror or error}.") from error


def _finite(value: Any) -> Any:
    """Replace nan and infinity, which JSON cannot hold, by None."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
