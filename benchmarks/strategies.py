"""Labels needed to reach 90% of the fully supervised average precision: ours, margin alone, random, and peers.

On the real pictures. For each attribute and seed, half of the projects are for testing; the other half is the pool, and
one of its positives, chosen at random, is the example. Batches of 25, with our classifier after each, so that the
queries alone are compared. "Reached" is the first batch after which AP on the test half is at least 0.9 times the AP of
the same classifier trained on all labels of the pool; every label counts, those of the first batch too. All but random
begin with our first batch from the example, since the peers have no start of their own from one image: their queries
are compared, not their starts. Random has the example and 24 random images, and so have the peers marked "cold".

Intervals are at 95% over the seeds, which decide the split, the example and all else: exact by order statistics for a
median; by bootstrap of the seeds for the (geometric) mean ratio over the attributes under 5%. A run that does not reach
the goal within the budget counts as longer than any other; a median among these is "> budget". Ratios are paired by
seed. If only the rival did not reach the goal, its budget stands for it, which understates our lead; if neither did,
the ratio is 1.

Nothing was tuned on these runs: the similarity of the first batch was chosen by nearest neighbours of six attributes
that are not in this table and four that are, with either encoder; the proportions of the mixture were compared on seeds
from 20 on.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from bam_engine.learning import FeatureScaling, LinearModel, average_precision, feature_scaling, score_all, train
from bam_engine.learning.simulation import Query, SimulationState, query_for, run_rounds
from benchmarks import peers, pictures
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

BATCH, BUDGET, SHARE = 25, 1000, 0.9
RARE = 0.05
_WIDTH = 22
OURS = "mixture"
PEERS = ("modAL", "scikit-activeml", "modAL ranked", "scikit-activeml badge")
COLD = ("modAL cold", "scikit-activeml cold")
CONTESTANTS = (OURS, "margin", "random", *PEERS[:2], *COLD)


@dataclass(frozen=True)
class World:
    """One attribute and seed: what may be asked, what is tested on, and the figure to come near."""

    vectors: npt.NDArray[np.float16]
    truth: npt.NDArray[np.bool_]
    projects: npt.NDArray[np.int64]
    pool: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]
    scaling: FeatureScaling
    example: int
    seed: int

    def precision(self, model: LinearModel) -> float:
        return average_precision(score_all(self.vectors[self.test], model), self.truth[self.test])

    def supervised(self) -> float:
        labels, groups = self.truth[self.pool], self.projects[self.pool]
        rng = np.random.default_rng([self.seed, 2])
        return self.precision(train(self.vectors[self.pool], labels, groups=groups, scaling=self.scaling, rng=rng))


@dataclass(frozen=True)
class Played:
    """One run: the labels it took (None: more than the budget), and AP after each batch as a share of the target's."""

    attribute: str
    seed: int
    contestant: str
    labels: int | None
    supervised: float
    curve: tuple[float, ...]
    positives: tuple[int, ...]


def world_of(
    vectors: npt.NDArray[np.float16], truth: npt.NDArray[np.bool_], projects: npt.NDArray[np.int64], seed: int
) -> World:
    """Part the projects into halves and draw the seed image, again where a half has fewer than two positives."""
    rng = np.random.default_rng([seed, 0])
    codes = np.unique(projects)
    while True:
        testing = np.isin(projects, rng.permutation(codes)[: len(codes) // 2])
        if min(truth[testing].sum(), truth[~testing].sum()) >= 2:
            break
    pool, test = np.flatnonzero(~testing), np.flatnonzero(testing)
    sample = np.sort(rng.choice(pool, size=min(len(pool), 4096), replace=False))
    example = int(rng.choice(pool[truth[pool]]))
    return World(vectors, truth, projects, pool, test, feature_scaling(vectors[sample]), example, seed)


def query(world: World, contestant: str) -> Query:
    """Return the contestant's query, with the start that the module describes."""
    ours: dict[str, Any] = {"groups": world.projects, "seeds": world.vectors[[world.example]]}
    cold = _from_random(world.example)
    if contestant == "random":
        return _after(cold, query_for("random", world.vectors))
    if contestant in (*PEERS, *COLD):
        library, *ways = contestant.split()
        make = peers.modal if library == "modAL" else peers.activeml
        own = make(peers.features_of(world.vectors, world.scaling), **dict.fromkeys(set(ways) - {"cold"}, True))
        return _after(cold if "cold" in ways else query_for(OURS, world.vectors, **ours), own)
    return query_for(contestant, world.vectors, **ours)


def _after(first: Query, then: Query) -> Query:
    """Ask by ``first`` until there is a model."""
    return lambda known, count, rng: (first if known.model is None else then)(known, count, rng)


def _from_random(example: int) -> Query:
    """Ask the seed image, and others at random."""

    def query(known: SimulationState, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        seed = np.intersect1d(known.pool, [example])
        others = rng.choice(np.setdiff1d(known.pool, seed), size=count - len(seed), replace=False)
        return np.concatenate([seed, others])

    return query


def run(world: World, attribute: str, contestant: str, supervised: float, *, budget: int = BUDGET) -> Played:
    """Ask until the target is reached or the budget is spent."""
    turns = run_rounds(
        world.vectors,
        world.truth,
        world.pool,
        query=query(world, contestant),
        batch=BATCH,
        groups=world.projects,
        scaling=world.scaling,
        rng=np.random.default_rng([world.seed, 1]),
    )
    curve, positives, reached = [], [], None
    for known in turns:
        curve.append(0.0 if known.model is None else world.precision(known.model) / supervised)
        positives.append(int(known.answers.sum()))
        if curve[-1] >= SHARE:
            reached = len(known.labelled)
            break
        if len(known.labelled) >= budget:
            break
    shown = tuple(round(value, 4) for value in curve)
    return Played(attribute, world.seed, contestant, reached, round(supervised, 4), shown, tuple(positives))


def job(task: tuple[str, str, int, tuple[str, ...], int]) -> list[Played]:
    """Play one attribute and seed with every contestant; a process does one after the other."""
    encoder, attribute, seed, contestants, budget = task
    found = pictures.load(encoder)
    world = world_of(found.vectors, found.truth[attribute], found.projects, seed)
    supervised = world.supervised()
    return [run(world, attribute, one, supervised, budget=budget) for one in contestants]


def play_all(
    encoder: str, attributes: Sequence[str], seeds: int, contestants: tuple[str, ...], *, budget: int, processes: int
) -> list[Played]:
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    tasks = [(encoder, attribute, seed, contestants, budget) for attribute in attributes for seed in range(seeds)]
    begin, played = time.perf_counter(), []
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for number, some in enumerate(pool.imap(job, tasks), start=1):
            played += some
            if number % seeds == 0:
                print(
                    f"  {some[0].attribute}: {number} of {len(tasks)} after {time.perf_counter() - begin:.0f} s",
                    flush=True,
                )
    return played


@dataclass(frozen=True)
class Summary:
    """A median and its interval; infinite where it lies beyond the budget."""

    value: float
    low: float
    high: float


def median(values: npt.ArrayLike, confidence: float = 0.95) -> Summary:
    """Return the median and the narrowest pair of order statistics that holds it with at least the confidence.

    Distribution-free: (x_(k), x_(n + 1 - k)) with the largest k for which P(Binomial(n, 1/2) < k) is at most half of
    what may miss. With five values and fewer no pair is sure enough: the extremes are given.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    k = max(int(binom.ppf((1 - confidence) / 2, n, 0.5)), 1)
    low, high = ordered[(n - 1) // 2], ordered[n // 2]
    middle = low if low == high else (low + high) / 2
    return Summary(float(middle), float(ordered[k - 1]), float(ordered[n - k]))


def paired(ours: npt.NDArray[np.float64], rival: npt.NDArray[np.float64], budget: int) -> npt.NDArray[np.float64]:
    """Return ours over the rival's, seed by seed; see the module for runs that did not arrive."""
    bounded = np.where(np.isinf(rival), budget, rival)
    return np.where(np.isinf(ours) & np.isinf(rival), 1.0, ours / bounded)


def mean_ratio(ratios: npt.NDArray[np.float64], confidence: float = 0.95) -> Summary:
    """Return the geometric mean of ratios (attributes, seeds) and its percentile bootstrap over the seeds."""
    logs = np.log(ratios).mean(axis=0)
    draws = np.random.default_rng(0).integers(0, len(logs), (2000, len(logs)))
    low, high = np.percentile(logs[draws].mean(axis=1), [50 * (1 - confidence), 50 * (1 + confidence)])
    return Summary(float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high)))


def table(played: Sequence[Played], shares: dict[str, float], budget: int) -> tuple[str, list[dict[str, Any]]]:
    """Return the table for a terminal, and its lines."""
    contestants = list(dict.fromkeys(one.contestant for one in played))
    rivals = [who for who in contestants if who in PEERS]
    labels = {name: _labels_of(played, name, contestants) for name in dict.fromkeys(one.attribute for one in played)}
    text = [f"{'attribute':<12}{'share':>6} " + "".join(f"{who:>{_WIDTH}}" for who in contestants) + _heads(rivals)]
    lines = []
    for name, of in labels.items():
        medians = {who: median(values) for who, values in of.items()}
        line: dict[str, Any] = {"attribute": name, "share": shares[name], "ratios": {}}
        line["labels"] = {who: asdict(found) for who, found in medians.items()}
        cells = "".join(f"{_labels(found, budget):>{_WIDTH}}" for found in medians.values())
        for rival in _rivals(of, medians, rivals, budget) if OURS in of else ():
            line["ratios"][rival] = asdict(median(paired(of[OURS], of[rival], budget)))
            cells += _ratio(line["ratios"][rival])
        text.append(f"{name:<12}{shares[name]:>6.1%} " + cells)
        lines.append(line)
    text += _rare(labels, shares, [who for who in contestants if who != OURS], budget)
    return "\n".join(text), lines


def _labels_of(played: Sequence[Played], name: str, contestants: Sequence[str]) -> dict[str, npt.NDArray[np.float64]]:
    """Return each contestant's labels by seed, infinite where it did not arrive."""
    own = sorted((one for one in played if one.attribute == name), key=lambda one: one.seed)
    return {who: np.array([one.labels or np.inf for one in own if one.contestant == who]) for who in contestants}


def _rivals(
    of: dict[str, npt.NDArray[np.float64]], medians: dict[str, Summary], peers_there: list[str], budget: int
) -> list[str]:
    """Return whom ours is divided by: random, and the peer of least median (ties: of least mean)."""
    best = sorted(peers_there, key=lambda who: (medians[who].value, np.minimum(of[who], budget).mean()))[:1]
    return [who for who in ("random", *best) if who in of]


def _rare(
    labels: dict[str, dict[str, npt.NDArray[np.float64]]], shares: dict[str, float], rivals: list[str], budget: int
) -> list[str]:
    rare = [name for name in labels if shares[name] < RARE]
    if not rare or OURS not in labels[rare[0]]:
        return []
    found = [
        f"mean ratio over the {len(rare)} attributes under {RARE:.0%}; runs that did not reach the goal count {budget}:"
    ]
    for rival in rivals:
        ratios = [np.minimum(labels[name][OURS], budget) / np.minimum(labels[name][rival], budget) for name in rare]
        one = mean_ratio(np.stack(ratios))
        found.append(f"  {OURS} / {rival}: {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]")
    return found


def _heads(rivals: list[str]) -> str:
    return f"{'to random':>24}" + (f"{'to best peer':>24}" if rivals else "")


def _labels(summary: Summary, budget: int) -> str:
    low, high = (f"{value:.0f}" if np.isfinite(value) else f">{budget}" for value in (summary.low, summary.high))
    value = f"{summary.value:.0f}" if np.isfinite(summary.value) else f">{budget}"
    return f"{value} [{low}, {high}]"


def _ratio(ratio: dict[str, Any]) -> str:
    return f"{ratio['value']:.2f} [{ratio['low']:.2f}, {ratio['high']:.2f}]".rjust(24)


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("strategies", __doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--attributes", nargs="+", choices=pictures.ATTRIBUTES, default=list(pictures.ATTRIBUTES))
    options.add_argument(
        "--contestants", nargs="+", default=list(CONTESTANTS), help=f"also {', '.join(PEERS[2:])}, or any strategy"
    )
    options.add_argument("--encoder", choices=list(pictures.ENCODERS), default="mobilenetv2")
    options.add_argument("--budget", type=int, default=BUDGET)
    options.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    if not pictures.available(options.encoder):
        print("Skipped: the real pictures or the encoder's weights are not in ../shared.")
        return
    begin, data = time.perf_counter(), pictures.load(options.encoder)
    print(
        f"{len(data.vectors)} images, {options.encoder}, batches of {BATCH}, {options.seeds} seeds; {machine()}",
        flush=True,
    )
    contestants = tuple(options.contestants)
    limits = {"budget": options.budget, "processes": options.processes}
    played = play_all(options.encoder, options.attributes, options.seeds, contestants, **limits)
    shares = {name: float(data.truth[name].mean()) for name in options.attributes}
    text, lines = table(played, shares, options.budget)
    print(f"labels to {SHARE:.0%} of the fully supervised AP, median [95%]; ratios of {OURS}, paired by seed")
    print(text)
    print(f"{time.perf_counter() - begin:.0f} s")
    if options.json:
        figures = {"machine": machine(), "encoder": options.encoder, "seeds": options.seeds, "budget": options.budget}
        options.json.write_text(json.dumps({**figures, "lines": lines, "runs": [asdict(one) for one in played]}) + "\n")


if __name__ == "__main__":
    main()
