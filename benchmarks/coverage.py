"""How often the intervals on the pages contain the true value, on generated curves whose truth is known.

Each run creates a collection of 20,000 images, labels a random validation sample of 200 and, for the second half of the
table, certifies a precision of 90% with 300 more labels. Precision and recall are measured at three thresholds that
were fixed in advance and at the one that was chosen: with equal weights from the random sample alone, and weighted by
one over the probability of selection from both together, as the Threshold page does. "covered" should be 0.95 or more;
"width" is the mean width of the interval.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from bam_engine.learning import (
    CertificationPlan,
    certify_precision,
    inclusion_probabilities,
    pilot_inclusion_probabilities,
    pilot_ranks,
    plan_cuts,
    precision_recall,
)
from benchmarks.guarantee import CONFIDENCE, CURVES, TARGET, Array, Collection, Curve, make_collection
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

VALIDATION, CERTIFICATION = 200, 300
_PARTS = 8

# About 8% positives, and a falling precision.
RARE = Curve(lambda u: np.full_like(u, np.nan), lambda u: 0.97 / (1 + np.exp((u - 0.08) / 0.02)), 0.0)
SHAPES = {**CURVES, "8% positive": RARE}

Line = tuple[str, str, float, float, float]
"""Design, what is estimated, its true value, and the interval."""


def certified_labels(collection: Collection, rng: np.random.Generator) -> tuple[Array, Array, float | None]:
    """Spend the certification's labels; return the places asked, how likely each place was to be, and the cut."""
    n = len(collection.scores)
    known = collection.sample
    left = np.setdiff1d(np.arange(n), known)
    pilot = left[pilot_ranks(len(left), rng=rng)]
    rest = np.setdiff1d(left, pilot)
    scores, truth, order = collection.scores[rest], collection.truth[rest], rng.random(len(rest))
    labelled = np.concatenate([pilot, known])
    cuts = plan_cuts(scores, collection.scores[labelled], collection.truth[labelled], target=TARGET, rng=rng)
    budget = CERTIFICATION - len(pilot)
    plan, labels = CertificationPlan(tuple(cuts), TARGET, CONFIDENCE, budget), np.full(len(rest), -1, np.int8)
    now = certify_precision(plan, scores, order, labels)
    while budget and len(now.to_label):
        batch = now.to_label[:budget]
        budget -= len(batch)
        labels[batch] = truth[batch]
        now = certify_precision(plan, scores, order, labels, n_passed=now.n_passed)
    ranks = np.searchsorted(left, np.arange(n))  # the scores stand from high to low
    later = inclusion_probabilities(scores, scores[labels >= 0], collection.scores, cuts=cuts)
    probabilities = 1 - (1 - pilot_inclusion_probabilities(ranks, len(left))) * (1 - later)
    return np.concatenate([pilot, rest[labels >= 0]]), probabilities, now.certified


def estimates(
    collection: Collection, design: str, places: Array, weights: Array | None, chosen: float
) -> Iterator[Line]:
    """Yield each estimate's interval beside its truth."""
    scores, truth = collection.scores, collection.truth
    fixed = [float(scores[int(share * len(scores))]) for share in (0.03, 0.1, 0.3)]
    for cut, name in zip([*fixed, chosen], ("at 3%", "at 10%", "at 30%", "at the chosen cut"), strict=True):
        curve = precision_recall(scores[places], truth[places], cuts=[cut], weights=weights)
        accepted = scores >= cut
        yield design, f"precision {name}", truth[accepted].mean(), curve.precision_low[0], curve.precision_high[0]
        yield design, f"recall {name}", accepted[truth].mean(), curve.recall_low[0], curve.recall_high[0]


def run(curve: Curve, rng: np.random.Generator) -> list[Line]:
    """Make one collection and estimate it by both designs."""
    collection = make_collection(curve, VALIDATION, rng)
    sampled = collection.scores[collection.sample]
    best = float(np.sort(sampled)[-len(sampled) // 4])
    lines = list(estimates(collection, "random 200", collection.sample, None, best))
    queried, probabilities, certified = certified_labels(collection, rng)
    places = np.concatenate([collection.sample, queried])
    weights = 1 / (1 - (1 - probabilities[places]) * (1 - VALIDATION / len(collection.scores)))
    chosen = certified if certified is not None else best
    return lines + list(estimates(collection, "and certification", places, weights, chosen))


def _part(name: str, repeats: int, seed: int) -> dict[tuple[str, str], list[tuple[bool, float, float]]]:
    rng, results = np.random.default_rng([len(name), seed]), defaultdict(list)
    for _ in range(repeats):
        for design, what, truth, low, high in run(SHAPES[name], rng):
            results[design, what].append((bool(low - 1e-12 <= truth <= high + 1e-12), high - low, truth))
    return dict(results)


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("coverage", __doc__)
    options.add_argument("--repeats", type=int, default=1600)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    each, lines = max(1, options.repeats // _PARTS), []
    print(f"generated data, {each * _PARTS} runs each, 95% intervals; {machine()}")
    print(f"{'curve':<20} {'labels':<18} {'estimate':<28} {'covered':>8} {'width':>6}")
    with ProcessPoolExecutor() as pool:
        for name in SHAPES:
            parts = list(pool.map(partial(_part, name, each), range(_PARTS)))
            for key in parts[0]:
                results = np.array([one for part in parts for one in part[key]], dtype=float)
                covered, width = float(results[:, 0].mean()), float(results[:, 1].mean())
                print(f"{name:<20} {key[0]:<18} {key[1]:<28} {covered:>8.3f} {width:>6.2f}", flush=True)
                lines.append({"curve": name, "labels": key[0], "estimate": key[1], "covered": covered, "width": width})
    if options.json:
        figures = {"data": "generated", "machine": machine(), "repeats": each * _PARTS, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
