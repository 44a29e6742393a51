"""How often the advice on another round is right: simulated runs on the real pictures.

Each run learns one of ten attributes from half of the projects, in rounds of 100 by the default mixture from one
example image, and gets advice after each round from a validation sample of its half. The truth is the gain in average
precision of the next round on the other half, which nothing else sees: "unlikely" is right when the gain is below 0.01,
"likely" when it is not. The limits of the rule were chosen on seeds 0 to 19 of MobileNetV2, and neither later seeds nor
the built-in encoder had a part in that. Fractions with 95% intervals from a bootstrap over runs.
"""

import argparse
import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine import learning
from bam_engine.learning import Change
from bam_engine.learning.stopping import MIN_GAIN
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.pictures import ATTRIBUTES, ENCODERS, Pictures, available, load

BATCH = 100
OUTCOMES = ("unlikely", "likely", "unknown")

pictures = cache(load)


def play(job: tuple[str, int], *, encoder: str, rounds: int, validation: int) -> list[dict[str, Any]]:
    """Return, for each round but the last, the advice after it and what the next round brought."""
    attribute, seed = job
    data, rng = pictures(encoder), np.random.default_rng([seed, 3])
    truth = data.truth[attribute]
    aside = np.isin(data.projects, rng.permutation(data.projects.max() + 1)[::2])
    own = np.flatnonzero(~aside)
    held = learning.draw_validation(own, validation, rng=rng).rows
    pool = learning.training_pool(len(truth), held, data.projects)
    pool = pool[~aside[pool]]
    reached: list[float] = []
    advised: list[str] = []
    changes: list[Change] = []
    before: tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]] | None = None
    for model, scores in _rounds(data, truth, own, pool, rounds, rng):
        reached.append(learning.average_precision(scores[aside], truth[aside]))
        decided = scores[own] >= model.decision_threshold
        if before is not None and truth[held].any():
            changes.append(
                learning.measure_change(
                    before[0][held],
                    scores[held],
                    truth[held],
                    groups=data.projects[held],
                    decided_before=before[1],
                    decided_after=decided,
                    rng=rng,
                )
            )
        before = scores, decided
        advised.append(learning.advise(changes).outcome)
    lines = zip(advised, np.diff(reached).tolist(), strict=False)
    return [
        {"attribute": attribute, "seed": seed, "round": number, "advice": advice, "next": following}
        for number, (advice, following) in enumerate(lines, start=1)
        if number > 1
    ]


def _rounds(
    data: Pictures,
    truth: npt.NDArray[np.bool_],
    own: npt.NDArray[np.int64],
    pool: npt.NDArray[np.int64],
    rounds: int,
    rng: np.random.Generator,
) -> Iterable[tuple[learning.LinearModel, npt.NDArray[np.float32]]]:
    scaling = learning.feature_scaling(data.vectors[own])
    example = rng.choice(own[truth[own]])
    batch = learning.similar(data.vectors, data.vectors[[example]], pool, BATCH, groups=data.projects, rng=rng)
    labelled = np.empty(0, np.int64)
    for _ in range(rounds):
        pool, labelled = np.setdiff1d(pool, batch.rows), np.concatenate([labelled, batch.rows])
        if truth[labelled].all() or not truth[labelled].any():
            return
        groups = data.projects[labelled]
        model = learning.train(data.vectors[labelled], truth[labelled], groups=groups, scaling=scaling, rng=rng)
        scores = learning.score_all(data.vectors, model)
        yield model, scores
        batch = learning.mixture(data.vectors, scores, pool, BATCH, groups=data.projects, rng=rng)


def right(lines: list[dict[str, Any]], outcome: str) -> tuple[int, float, float, float, float]:
    """Return how many such advices there were, the share that was right with its limits, and the next gain's mean."""
    part = [line for line in lines if line["advice"] == outcome]
    small = np.array([line["next"] < MIN_GAIN for line in part], bool)
    was = ~small if outcome == "likely" else small
    if not part:
        return 0, np.nan, np.nan, np.nan, np.nan
    run = np.unique([f"{line['attribute']} {line['seed']}" for line in part], return_inverse=True)[1]
    limits = learning.cluster_bootstrap(lambda places: float(was[places].mean()), run, rng=np.random.default_rng(0))
    return len(part), float(was.mean()), limits.low, limits.high, float(np.mean([line["next"] for line in part]))


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("stopping", __doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--first", type=int, default=100, help="the first seed")
    options.add_argument("--rounds", type=int, default=8)
    options.add_argument("--validation", type=int, default=200)
    options.add_argument("--encoders", nargs="+", choices=list(ENCODERS), default=list(ENCODERS))
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    figures: dict[str, Any] = {"machine": machine(), "seeds": [options.first, options.seeds]}
    for encoder in options.encoders:
        if not available(encoder):
            print(f"{encoder}: skipped, the real pictures or weights are not in ../shared")
            continue
        pictures(encoder)
        jobs = [(attribute, options.first + seed) for attribute in ATTRIBUTES for seed in range(options.seeds)]
        run = partial(play, encoder=encoder, rounds=options.rounds, validation=options.validation)
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as workers:
            lines = [line for found in workers.map(run, jobs, chunksize=4) for line in found]
        figures[encoder] = lines
        plain = float(np.mean([line["next"] < MIN_GAIN for line in lines]))
        print(f"\n{encoder}: {len(jobs)} runs, {len(lines)} pieces of advice, {options.validation} validation labels")
        print(f"without advice, {plain:.3f} of the next rounds gain less than {MIN_GAIN}")
        print(f"{'advice':<10} {'given':>6} {'right':>22} {'next gain, mean':>16}")
        for outcome in OUTCOMES:
            count, share, low, high, gain = right(lines, outcome)
            text = "" if outcome == "unknown" else f"{share:.3f} ({low:.3f} to {high:.3f})"
            print(f"{outcome:<10} {count:>6} {text:>22} {gain:>16.4f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
