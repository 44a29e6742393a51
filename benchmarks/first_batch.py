"""Positives among the first 50 labels, starting from one example image and from five, against random images.

On the real pictures, as the app queries: a validation sample of 200 is drawn and its projects are excluded; the
examples are random positives of the pool, typical or not. The first batch of 25 is selected by similarity to the
examples, the second by the mixture once there is a model. The examples themselves do not count. "At once" selects all
50 in one batch. "left" is how many positives there are to find: below ten, ten cannot be found. A start from a text is
not measured, for want of CLIP weights.

Medians with exact 95% intervals over the seeds; "ten" is the fraction of runs that found at least ten.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.learning import draw_validation, feature_scaling, training_pool
from bam_engine.learning.simulation import query_for, run_rounds
from benchmarks import pictures
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.strategies import Summary, median

LABELS, VALIDATION, WANTED = 50, 200, 10
WAYS = {"1 example": (1, 25), "5 examples": (5, 25), "1, at once": (1, 50), "random": (0, 25)}


@dataclass(frozen=True)
class Found:
    """One run: positives among the labels beside the examples, and how many there were to find."""

    attribute: str
    seed: int
    way: str
    positives: int
    left: int


def run(data: pictures.Pictures, attribute: str, way: str, seed: int) -> Found:
    rng, truth = np.random.default_rng([seed, 0]), data.truth[attribute]
    n = len(truth)
    held = draw_validation(n, VALIDATION, rng=rng).rows
    pool = training_pool(n, held, data.projects)
    positives = rng.permutation(pool[truth[pool]])
    count, batch = WAYS[way]
    examples = positives[:count]
    strategy = "mixture" if count else "random"
    query = query_for(strategy, data.vectors, groups=data.projects, seeds=data.vectors[examples] if count else None)
    sample = np.sort(rng.choice(n, size=min(n, 4096), replace=False))
    size = {"batch": batch, "groups": data.projects, "scaling": feature_scaling(data.vectors[sample])}
    for known in run_rounds(data.vectors, truth, pool, query=query, **size, rng=np.random.default_rng([seed, 1])):
        if len(known.labelled) >= LABELS:
            break
    hits = known.labelled[known.answers]
    return Found(attribute, seed, way, int((~np.isin(hits, examples)).sum()), len(positives) - count)


def job(task: tuple[str, str, int]) -> list[Found]:
    """Play one attribute by every way, seed by seed."""
    encoder, attribute, seeds = task
    data = pictures.load(encoder)
    return [run(data, attribute, way, seed) for way in WAYS for seed in range(seeds)]


def summarised(runs: list[Found], way: str) -> tuple[Summary, npt.NDArray[np.int64]]:
    values = np.array([one.positives for one in runs if one.way == way])
    return median(values), values


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("first_batch", __doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--attributes", nargs="+", choices=pictures.ATTRIBUTES, default=list(pictures.ATTRIBUTES))
    options.add_argument("--encoder", choices=list(pictures.ENCODERS), default="mobilenetv2")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if not pictures.available(options.encoder):
        print("Skipped: the real pictures or the encoder's weights are not in ../shared.")
        return
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    truth = pictures.load(options.encoder).truth
    print(f"positives among the first {LABELS} labels, {options.encoder}, {options.seeds} seeds; {machine()}")
    print(f"{'attribute':<12}{'share':>6}{'left':>6} " + "".join(f"{way:>18}{'ten':>6}" for way in WAYS), flush=True)
    tasks = [(options.encoder, attribute, options.seeds) for attribute in options.attributes]
    results = []
    with multiprocessing.get_context("spawn").Pool(min(2, os.cpu_count() or 1)) as pool:
        for runs in pool.imap(job, tasks):
            results += runs
            cells = ""
            for way in WAYS:
                middle, values = summarised(runs, way)
                cells += f"{middle.value:.0f} [{middle.low:.0f}, {middle.high:.0f}]".rjust(18)
                cells += f"{(values >= WANTED).mean():.0%}".rjust(6)
            name, left = runs[0].attribute, np.median([one.left for one in runs if one.way == "1 example"])
            print(f"{name:<12}{truth[name].mean():>6.1%}{left:>6.0f} {cells}", flush=True)
    if options.json:
        figures = {"machine": machine(), "encoder": options.encoder, "runs": [asdict(one) for one in results]}
        options.json.write_text(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
