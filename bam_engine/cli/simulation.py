"""``simulate``: the rounds of an attribute, or its whole protocol, answered from known labels.

Both are compared with random sampling. Nothing is stored in the workspace, so simulated answers never mix with those of
people.
"""

import json
import math
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.cli.arguments import Commands, add_command, given_path, positive_integer, proportion
from bam_engine.cli.paths import print_lines_without_path, print_paths
from bam_engine.cli.progress import bar
from bam_engine.collection.matching import match_paths
from bam_engine.demo import demo_workspace, protocol
from bam_engine.demo.protocol import Played
from bam_engine.demo.rehearsal import rehearsal
from bam_engine.errors import ExchangeError, LearningError
from bam_engine.exchange import read_truth
from bam_engine.files import check_output
from bam_engine.formatting import count, percent
from bam_engine.learning import STRATEGIES, RoundOutcome, comparison_table, simulate
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import embedded_rows, vectors_of

_ROUNDS, _BATCH, _VALIDATION = 4, 100, 200


def add_commands(commands: "Commands[ArgumentParser]") -> None:
    """Add the command to the parser."""
    command = add_command(
        commands, "simulate", run, "run the rounds on known labels and compare the strategy with random sampling"
    )
    known = command.add_mutually_exclusive_group(required=True)
    known.add_argument("--labels", type=given_path, help="CSV with a path column and the true labels")
    known.add_argument("--attribute", metavar="NAME", help="in a demo: an attribute, whose true labels are known")
    command.add_argument("--column", help="with --labels: column of the true labels")
    command.add_argument("--positive", help="with --labels: value that counts as yes")
    command.add_argument("--rounds", type=positive_integer, help=f"default: {_ROUNDS}, or as many as the protocol has")
    command.add_argument(
        "--batch", type=positive_integer, help=f"labels per round (default: {_BATCH}, or as the protocol has)"
    )
    command.add_argument(
        "--validation",
        type=positive_integer,
        help=f"labels of the random sample (default: {_VALIDATION}, or as the protocol has)",
    )
    command.add_argument("--strategy", choices=list(STRATEGIES), default="mixture", help="default: %(default)s")
    command.add_argument("--target", type=proportion, default=0.90, help="target precision (default: 0.90)")
    command.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    command.add_argument("--json", type=given_path, help="also write the figures to this file")
    whole = command.add_argument_group("the whole protocol, from the random sample to what is delivered")
    whole.add_argument(
        "--protocol", action="store_true", help="play all steps of the app, and compare them with fixed samples"
    )
    whole.add_argument(
        "--error-rate", type=float, default=0.05, help="wrong answers of each annotator (default: %(default)s)"
    )
    whole.add_argument(
        "--judges", type=positive_integer, default=2, help="people for each image that judges (default: %(default)s)"
    )


def run(workspace: Workspace, options: Namespace) -> None:
    """Simulate on the known labels: the rounds alone, or the whole protocol."""
    rows, truth = _known_labels(workspace, options)
    name = options.attribute or f"{options.column} = {options.positive}"
    print(f"{name}: {int(truth.sum()):,} of {count(len(truth), 'image')} positive")
    payload: dict[str, Any] = {
        "asked": {key: str(value) if isinstance(value, Path) else value for key, value in _settings(options).items()},
        "encoder": workspace.choice.spec,
        "images": len(truth),
        "positive": int(truth.sum()),
    }
    payload |= (_protocol if options.protocol else _rounds)(workspace, options, rows, truth)
    if options.json:
        _write(options.json, payload)


def _known_labels(workspace: Workspace, options: Namespace) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the embedded rows with a true label, and these."""
    if options.attribute:
        known, embedded = demo_workspace.true_labels(workspace, options.attribute), embedded_rows(workspace)
        rows = embedded[known[embedded] >= 0]
        return rows, known[rows] == 1
    if options.column is None or options.positive is None:
        raise ExchangeError(
            f"It is not known which labels of {options.labels} to use. Name their column with --column, and the value "
            "that counts as yes with --positive."
        )
    return truth_of(workspace, options.labels, options.column, options.positive, len(vectors_of(workspace)))


def _rounds(
    workspace: Workspace, options: Namespace, rows: NDArray[np.int64], truth: NDArray[np.bool_]
) -> dict[str, Any]:
    """Simulate the chosen strategy and random sampling on the same validation set, print both, and return them."""
    vectors, groups = vectors_of(workspace), workspace.catalogue.projects()[rows]
    validation = options.validation or _VALIDATION
    outcomes: dict[str, Sequence[RoundOutcome]] = {}
    for strategy in dict.fromkeys((options.strategy, "random")):
        with bar(strategy, "rounds") as report:
            outcomes[strategy] = simulate(
                np.asarray(vectors[rows]),
                truth,
                groups,
                rounds=options.rounds or _ROUNDS,
                batch=options.batch or _BATCH,
                validation=validation,
                strategy=strategy,
                target=options.target,
                seed=options.seed,
                report=report,
            )
    labels, target = count(validation, "validation label"), percent(options.target)
    print(f"encoder {workspace.choice.spec}, {labels}, target precision {target}")
    print(comparison_table(outcomes[options.strategy], outcomes["random"]))
    return {"rounds": {name: [_finite(asdict(outcome)) for outcome in rounds] for name, rounds in outcomes.items()}}


def _protocol(
    workspace: Workspace, options: Namespace, rows: NDArray[np.int64], truth: NDArray[np.bool_]
) -> dict[str, Any]:
    """Play the protocol, fixed samples, and random sampling with as many answers; print them, and return them."""
    if not truth.any() or truth.all():
        raise LearningError("All true labels are the same, so there is nothing to learn. Check the column.")
    if not 0 <= options.error_rate < 0.5:
        raise LearningError(f"The error rate {options.error_rate:g} is out of range. Give one from 0 to below 0.5.")
    given = {"rounds": options.rounds, "batch": options.batch, "sample": options.validation}
    ours = replace(
        protocol.proposed(len(truth), options.judges),
        **{name: size for name, size in given.items() if size is not None},
    )
    if options.strategy != "mixture":
        ours = replace(ours, strategy=options.strategy)
    plans = {
        "protocol": ours,
        "fixed samples": protocol.fixed(len(truth), options.judges),
        "random sampling": replace(ours, strategy="random"),
    }
    vectors, groups = np.asarray(vectors_of(workspace)[rows]), workspace.catalogue.projects()[rows]
    played: dict[str, Played] = {}
    for name, plan in plans.items():
        enough = played["protocol"].human_answers if name == "random sampling" else 0
        with rehearsal(vectors, groups) as own, bar(name, "steps") as report:
            played[name] = protocol.play(
                own,
                truth,
                plan,
                error_rate=options.error_rate,
                target=options.target,
                answers=enough,
                seed=options.seed,
                report=report,
            )
    wrong, judges = percent(options.error_rate), count(options.judges, "person judges", "people judge")
    print(f"encoder {workspace.choice.spec}, target precision {percent(options.target)}, {wrong} of the answers wrong")
    print(f"In the protocol, one person teaches and {judges}; in the fixed samples, as many answer about every image.")
    print(_table(played))
    for name, one in played.items():
        for problem in one.problems:
            print(f"{name}: {problem}")
    return {name.replace(" ", "_"): _figures(one) for name, one in played.items()}


_PARTS = {"validation": "sample", "round": "rounds", "certification": "certif.", "audit": "audit"}


def _table(played: Mapping[str, Played]) -> str:
    """Return a table for a terminal: a line for each protocol; precision and recall are true values."""
    head = [*_PARTS.values(), "answers", "images", "delivered", "precision", "recall"]
    lines = [f"{'':<16}" + "".join(f"{word:>10}" for word in head) + "  certified"]
    for name, one in played.items():
        numbers = [*(one.answers[part] for part in _PARTS), one.human_answers, one.labelled_images, one.delivered.n]
        shares = [f"{percent(value):>10}" for value in (one.delivered.precision, one.delivered.recall)]
        cells = "".join(f"{number:>10,}" for number in numbers)
        lines.append(f"{name:<16}{cells}{''.join(shares)}  {'yes' if one.certified else 'no'}")
    return "\n".join(lines)


def _figures(one: Played) -> dict[str, Any]:
    figures = {
        "human_answers": one.human_answers,
        "answers": dict(one.answers),
        "labelled_images": one.labelled_images,
        "delivered": asdict(one.delivered),
        "certified": one.certified,
        "recall_interval": one.recall,
    }
    cleaned: dict[str, Any] = _finite(figures)
    return cleaned


def _settings(options: Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(options).items() if name not in ("run", "opened", "json")}


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


def _write(file: Path, payload: dict[str, Any]) -> None:
    try:
        check_output(file)
        file.write_text(json.dumps(payload, indent=2), encoding="utf-8")
    except OSError as error:
        raise ExchangeError(f"Cannot write {file}: {error.strerror or error}.") from error


def _finite(value: Any) -> Any:
    """Replace nan and infinity, which JSON cannot hold, by None."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
