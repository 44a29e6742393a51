"""``simulate``: the rounds answered from a truth column, beside random sampling of the same size.

Nothing of it is stored in the workspace: simulated answers never mix with people's.
"""

import json
import math
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.cli.progress import bar
from bam_engine.errors import ExchangeError
from bam_engine.exchange import read_truth
from bam_engine.learning import RoundOutcome, comparison, simulate
from bam_engine.workspace import Workspace
from bam_engine.workspace.vectors import vectors_of


def run(workspace: Workspace, options: Namespace) -> None:
    """Simulate the asked strategy and random sampling on the same validation set, and print both."""
    vectors = vectors_of(workspace)
    rows, truth = truth_of(workspace, options.labels, options.column, options.positive, len(vectors))
    groups = workspace.catalogue.projects()[rows]
    played: dict[str, Sequence[RoundOutcome]] = {}
    for strategy in dict.fromkeys((options.strategy, "random")):
        with bar(strategy, "rounds") as report:
            played[strategy] = simulate(
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
    print(f"{options.column} = {options.positive}: {int(truth.sum())} of {len(truth)} images are positive")
    print(f"encoder {workspace.choice.spec}, {options.validation} validation labels, target precision {options.target}")
    print(comparison(played[options.strategy], played["random"]))
    if options.json:
        _write(options, workspace.choice.spec, truth, played)


def truth_of(
    workspace: Workspace, labels: Path, column: str, positive: str, n: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the embedded rows whose truth is known, ascending, and their truth.

    A ``path`` of the CSV is absolute or relative to the CSV's folder.
    """
    cells = read_truth(labels, column=column, positive=positive)
    base = labels.absolute().parent
    found = workspace.catalogue.rows_of([str(base / name) for name in cells])
    pairs = sorted(
        (found[str(base / name)], value)
        for name, value in cells.items()
        if str(base / name) in found and found[str(base / name)] < n
    )
    if not pairs:
        raise ExchangeError(
            f"none of the {len(cells)} paths of {labels} is in the collection. Paths are absolute, or relative to "
            f"{base}; ingest that folder and embed it first."
        )
    return np.array([row for row, _ in pairs], np.int64), np.array([value for _, value in pairs], bool)


def _write(
    options: Namespace, encoder: str, truth: NDArray[np.bool_], played: dict[str, Sequence[RoundOutcome]]
) -> None:
    asked = {name: value for name, value in vars(options).items() if name not in ("run", "json")}
    found: dict[str, Any] = {
        "asked": {name: str(value) if isinstance(value, Path) else value for name, value in asked.items()},
        "encoder": encoder,
        "images": len(truth),
        "positive": int(truth.sum()),
        "rounds": {name: [_plain(asdict(outcome)) for outcome in outcomes] for name, outcomes in played.items()},
    }
    try:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    except OSError as error:
        raise ExchangeError(f"{options.json} cannot be written: {error.strerror or error}") from error


def _plain(value: Any) -> Any:
    """Return ``value`` with numbers that are none as None, which JSON can hold."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
