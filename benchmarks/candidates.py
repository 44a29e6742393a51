"""Querying neighbours of the labels only (SEALS) against querying everything: time, and positives found.

Time, on generated vectors in memory: 400 labels of earlier rounds are known and 100 are new. "Everything" runs the
query strategy on every image of the pool. "Neighbours" gathers the candidates and runs the same strategy on them;
before that, once per round, it looks up the neighbours of the 100 new labels. Scoring is shown as well, since the
gallery, the map and the threshold need every score in either case.

Positives, on the 6,793 real pictures by MobileNetV2: four rounds of 50 after 24 random images and one positive example,
both ways from the same start. So few images would normally be queried completely; here, 10 neighbours of each label and
1% random images are candidates, so that their fraction is as small as among millions.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bam_engine.learning import (
    choose_candidates,
    choose_seeds,
    feature_scaling,
    nearest_neighbours,
    score_all,
    select_batch,
    train,
)
from benchmarks import pictures
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser
from benchmarks.round import DIM, generate

REPEATS, LABELS, BATCH = 3, 400, 100
ROUNDS, ASKED, NEAR = 4, 50, 10
STRATEGIES = ("mixture", "margin", "top")


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the quickest of the repeats after one to warm up, and what the work gives."""
    took, found = [], None
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        found = work()
        took.append(time.perf_counter() - start)
    return min(took[1:]), found


def measure(n: int) -> dict[str, Any]:
    """Return the seconds of every step for ``n`` generated images, and how much both ways agree."""
    rng = np.random.default_rng(0)
    vectors, truth = generate(n, rng)
    labelled = np.sort(rng.choice(n, size=LABELS + BATCH, replace=False))
    model = train(vectors[labelled], truth[labelled], scaling=feature_scaling(vectors[:4096]), rng=rng)
    scoring, scores = seconds(lambda: score_all(vectors, model))
    pool = np.delete(np.arange(n), labelled)
    seeds = choose_seeds(labelled, truth[labelled], uncertainty=np.abs(scores[labelled] - model.decision_threshold))
    looking, _ = seconds(lambda: nearest_neighbours(vectors, seeds[:BATCH]))
    near = nearest_neighbours(vectors, seeds).rows

    def query(strategy: str, *, narrow: bool) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng(1)
        rows = choose_candidates(pool, near, rng=rng) if narrow else pool
        return select_batch(strategy, vectors, scores, rows, BATCH, queried=labelled, rng=rng).rows

    figures: dict[str, Any] = {
        "n": n,
        "candidates": len(choose_candidates(pool, near, rng=rng)),
        "score_everything": scoring,
        "look_up_new_labels": looking,
        "agreement": {},
    }
    for strategy in STRATEGIES:
        whole, everything = seconds(lambda name=strategy: query(name, narrow=False))
        part, among = seconds(lambda name=strategy: query(name, narrow=True))
        figures[f"query_everything_{strategy}"], figures[f"query_neighbours_{strategy}"] = whole, part
        figures["agreement"][strategy] = len(np.intersect1d(everything, among)) / BATCH
    return figures


def play(data: pictures.Pictures, truth: npt.NDArray[np.bool_], seed: int, *, narrow: bool) -> dict[str, float]:
    """Run the rounds; return the positives found, the share of candidates, and the agreement of the last batch."""
    vectors, rng = data.vectors, np.random.default_rng(seed)
    labelled = np.append(rng.choice(np.flatnonzero(~truth), 24, replace=False), rng.choice(np.flatnonzero(truth)))
    scaling, looked, agreed = feature_scaling(vectors), [], []
    for _ in range(ROUNDS):
        model = train(vectors[labelled], truth[labelled], groups=data.projects[labelled], scaling=scaling, rng=rng)
        scores = score_all(vectors, model)
        pool = np.setdiff1d(np.arange(len(vectors)), labelled)
        near = nearest_neighbours(vectors, labelled, count=NEAR).rows
        rows = choose_candidates(pool, near, min_random=0, rng=rng)
        more: dict[str, Any] = {"groups": data.projects, "queried": labelled}
        state = int(rng.integers(2**31))
        both = [
            select_batch("mixture", vectors, scores, part, ASKED, rng=np.random.default_rng(state), **more).rows
            for part in (pool, rows)
        ]
        looked.append(len(rows) / len(pool))
        agreed.append(len(np.intersect1d(*both)) / ASKED)
        labelled = np.concatenate([labelled, both[narrow]])
    return {"positives": float(truth[labelled].sum()), "looked_at": looked[-1], "agreement": float(np.mean(agreed))}


def on_pictures(seeds: int) -> dict[str, Any]:
    """Return, for every attribute, the mean number of positives found either way, and the spread of the difference."""
    data, result = pictures.load(), {}
    for name, truth in data.truth.items():
        whole = [play(data, truth, seed, narrow=False) for seed in range(seeds)]
        part = [play(data, truth, seed, narrow=True) for seed in range(seeds)]
        gain = np.array([b["positives"] - a["positives"] for a, b in zip(whole, part, strict=True)])
        error = float(gain.std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else float("nan")
        result[name] = {
            "share": float(truth.mean()),
            "everything": float(np.mean([line["positives"] for line in whole])),
            "neighbours": float(np.mean([line["positives"] for line in part])),
            "difference": [float(gain.mean()), float(gain.mean() - 2 * error), float(gain.mean() + 2 * error)],
            "looked_at": float(np.mean([line["looked_at"] for line in part])),
            "agreement": float(np.mean([line["agreement"] for line in part])),
        }
    return result


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("candidates", __doc__)
    options.add_argument("--n", type=int, nargs="*", default=[1_000_000, 2_500_000], help="images of the collections")
    options.add_argument("--seeds", type=int, default=20, help="runs for each attribute of the pictures; 0 for none")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    result: dict[str, Any] = {"machine": machine(), "dim": DIM, "generated": [], "pictures": {}}
    print(f"generated vectors x {DIM} float16, {LABELS} labels and {BATCH} new ones, a batch of {BATCH}; {machine()}")
    for n in options.n:
        figures = measure(n)
        result["generated"].append(figures)
        print(f"\n{n:,} images, {figures['candidates']:,} candidates")
        print(f"  scoring every image {figures['score_everything']:.3f} s (either way)")
        print(
            f"  looking up {BATCH} new labels {figures['look_up_new_labels']:.3f} s (neighbours only, once per round)"
        )
        for name in STRATEGIES:
            whole, part = figures[f"query_everything_{name}"], figures[f"query_neighbours_{name}"]
            share = figures["agreement"][name]
            print(f"  {name:<8} everything {whole:.3f} s, neighbours {part:.3f} s; {share:.0%} of the batch the same")
    if options.seeds and pictures.available("mobilenetv2"):
        result["pictures"] = on_pictures(options.seeds)
        print(f"\n6,793 pictures: positives among {25 + ROUNDS * ASKED} labels, mean of {options.seeds} runs")
        print(f"{'attribute':<12} {'share':>6} {'everything':>10} {'neighbours':>10} {'difference':>20} candidates")
        for name, line in result["pictures"].items():
            gain, low, high = line["difference"]
            print(
                f"{name:<12} {line['share']:>6.1%} {line['everything']:>10.1f} {line['neighbours']:>10.1f} "
                f"{gain:>+6.1f} ({low:+.1f} to {high:+.1f}) {line['looked_at']:>10.0%}"
            )
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
