"""How often a threshold rule breaks its guarantee, on generated curves whose truth is known.

Each run creates a collection of 20,000 images, lets each rule choose a threshold for a precision of 90% at 95%
confidence with the same number of labels, and looks up the true precision. "yield" is the fraction of what an oracle
would accept that the rule accepts, 0 if it gives no guarantee or breaks it. "certification" is what the Threshold page
does: 30 of its labels are a pilot, the others are spent in batches where the outcome is undecided. All other rules
label a random sample. "topped up at will" tests the fixed sequence at a third of the labels and again after each of ten
additions; "topped up" is what the Threshold page does then: only the first sample may certify.

The second table guarantees a recall of 90% from 400 labels, half of them positive, on collections whose images come in
projects that score alike, of five images each or of very unequal sizes. "spread over projects" is how the app samples;
"topped up" is the same in seven parts with a look after each; "whole projects" samples all images of a project at once,
as the app never does, and counts them by image or by project. The third certifies again after each of several
retrainings, on the plateau, with 300 labels each. In the second, "yield" is the fraction of what an oracle would
leave out that is left out.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from bam_engine.errors import NoThreshold
from bam_engine.formatting import count
from bam_engine.learning import (
    CertificationPlan,
    certify_precision,
    certify_recall,
    choose_threshold,
    draw_validation,
    lower_bound,
    pilot_ranks,
    plan_cuts,
    risk_share,
)
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

TARGET, CONFIDENCE = 0.90, 0.95
_POOL = 20_000
_PARTS = 8  # the runs are shared out, always alike

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Curve:
    """The true precision and the probability to be positive, by the share of the collection that is accepted."""

    precision: Callable[[Array], Array]
    positive: Callable[[Array], Array]
    best: float  # the share an oracle accepts


CURVES: Mapping[str, Curve] = MappingProxyType(
    {
        "plateau at 0.895": Curve(lambda u: np.full_like(u, 0.895), lambda u: np.full_like(u, 0.895), 0.0),
        "falls 0.97 to 0.80": Curve(lambda u: 0.97 - 0.17 * u, lambda u: 0.97 - 0.34 * u, 0.07 / 0.17),
    }
)


@dataclass(frozen=True)
class Played:
    """Shares of the runs: a promise was made; it was broken; and the mean share of the oracle's acceptances kept."""

    promises: float
    violations: float
    kept: float


@dataclass(frozen=True)
class Collection:
    """Scores (N,) from high to low, the truth (N,), and where a random sample of n images lies."""

    scores: Array
    truth: Labels
    sample: npt.NDArray[np.int64]


def make_collection(curve: Curve, n: int, rng: np.random.Generator) -> Collection:
    """Return a collection whose precision is the curve's wherever it is cut, within one image, and a sample of it."""
    rank = (np.arange(_POOL) + 0.5) / _POOL
    so_far = np.floor(np.cumsum(curve.positive(rank)) + rng.random())
    truth = np.diff(so_far, prepend=np.floor(so_far[0])) > 0
    return Collection(1 - rank, truth, rng.choice(_POOL, size=n, replace=False))


def _naive(collection: Collection, _rng: np.random.Generator) -> float | None:
    return _lowest(collection, lambda k, n: k / n)


def _per_threshold(collection: Collection, _rng: np.random.Generator) -> float | None:
    return _lowest(collection, lambda k, n: lower_bound(k, n, CONFIDENCE))


def _lowest(collection: Collection, shown: Callable[[Array, Array], Array]) -> float | None:
    order = np.sort(collection.sample)
    passing = np.flatnonzero(shown(np.cumsum(collection.truth[order]), np.arange(1, len(order) + 1)) >= TARGET)
    return float(collection.scores[order[passing[-1]]]) if len(passing) else None


def _fixed_sequence(collection: Collection, _rng: np.random.Generator, *, pool: bool = True) -> float | None:
    labels = collection.truth[collection.sample]
    if labels.all() or not labels.any():
        return None
    scores = collection.scores[collection.sample]
    try:
        chosen = choose_threshold(
            scores, labels, target=TARGET, confidence=CONFIDENCE, pool_scores=collection.scores if pool else None
        )
    except NoThreshold:
        return None
    return chosen.value if chosen.certified else None


_LOOKS = 11


def _topped_up(collection: Collection, rng: np.random.Generator, *, at_will: bool) -> float | None:
    """Look at a third of the labels and again after each of ten top-ups; take the first cut that is certified."""
    n = len(collection.sample)
    for size in np.linspace(n / 3, n, _LOOKS).astype(int) if at_will else (n // 3,):
        part = Collection(collection.scores, collection.truth, collection.sample[:size])
        cut = _fixed_sequence(part, rng)
        if cut is not None:
            return cut
    return None


def certify(
    collection: Collection, rng: np.random.Generator, confidence: float = 1 - risk_share(0) * (1 - CONFIDENCE)
) -> float | None:
    """Certify with as many labels as the sample has; the sample itself is not used."""
    budget = len(collection.sample)
    pilot = pilot_ranks(_POOL, rng=rng)
    rest = np.setdiff1d(np.arange(_POOL), pilot)
    scores, truth, order = collection.scores[rest], collection.truth[rest], rng.random(len(rest))
    cuts = plan_cuts(scores, collection.scores[pilot], collection.truth[pilot], target=TARGET, rng=rng)
    plan, left = CertificationPlan(tuple(cuts), TARGET, confidence, budget - len(pilot)), budget - len(pilot)
    labels = np.full(len(rest), -1, np.int8)
    now = certify_precision(plan, scores, order, labels)
    while left and len(now.to_label):
        batch = now.to_label[:left]
        left -= len(batch)
        labels[batch] = truth[batch]
        now = certify_precision(plan, scores, order, labels, n_passed=now.n_passed)
    return now.certified


def certify_again(
    curve: Curve, *, times: int, spent: bool, repeats: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Certify after each of several retrainings; return how often any claim was made, and how often any was false.

    Each model scores like the curve. ``spent`` shares the risk among the certifications; otherwise each has all of it.
    """
    claimed, broken = 0, 0
    for _ in range(repeats):
        cuts = []
        for number in range(times):
            collection = make_collection(curve, 300, rng)
            share = risk_share(number) if spent else 1.0
            cuts.append((collection, certify(collection, rng, 1 - share * (1 - CONFIDENCE))))
        claims = [collection.truth[collection.scores >= cut].mean() for collection, cut in cuts if cut is not None]
        claimed += bool(claims)
        broken += any(precision < TARGET - 1e-12 for precision in claims)
    return claimed / repeats, broken / repeats


Rule = Callable[[Collection, np.random.Generator], float | None]
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "naive": _naive,
        "exact per threshold": _per_threshold,
        "fixed sequence": _fixed_sequence,
        "fixed sequence, no pool": partial(_fixed_sequence, pool=False),
        "topped up at will": partial(_topped_up, at_will=True),
        "topped up": partial(_topped_up, at_will=False),
        "certification": certify,
    }
)


def play(
    curve: Curve, *, n: int, repeats: int, rng: np.random.Generator, rules: Sequence[str] = tuple(RULES)
) -> dict[str, Played]:
    """Let each rule choose in the same ``repeats`` collections with ``n`` labels."""
    outcomes: dict[str, list[tuple[float, bool]]] = {rule: [] for rule in rules}
    for _ in range(repeats):
        collection = make_collection(curve, n, rng)
        for rule in rules:
            cut = RULES[rule](collection, rng)
            accepted = np.zeros(_POOL, bool) if cut is None else collection.scores >= cut
            broken = bool(accepted.any()) and collection.truth[accepted].mean() < TARGET - 1e-12
            outcomes[rule].append((float(accepted.mean()), broken))
    return {rule: _summary(np.array(lines), curve) for rule, lines in outcomes.items()}


def _summary(outcomes: Array, curve: Curve) -> Played:
    share, broken = outcomes.T
    yields = np.where(broken, 0, share) / curve.best if curve.best else np.zeros(1)
    return Played(float((share > 0).mean()), float(broken.mean()), float(yields.mean()))


PROJECTS: Mapping[str, Callable[[np.random.Generator], npt.NDArray[np.int64]]] = MappingProxyType(
    {
        "five each": lambda _rng: np.full(1000, 5),
        "unequal": lambda rng: np.minimum(rng.pareto(1.2, size=1500).astype(np.int64) + 1, 400),
    }
)
_ALIKE = 0.9  # of the variance of the scores is between projects
_DRAWN = 400
DESIGNS = (
    "random",
    "spread over projects",
    "topped up",
    "whole projects, by image",
    "whole projects, by project",
)


def play_recall(sizes: str, design: str, *, repeats: int, rng: np.random.Generator) -> Played:
    """Promise a recall in ``repeats`` collections of projects of these sizes, from a sample drawn by this design."""
    lines = []
    for _ in range(repeats):
        groups = np.repeat(np.arange(len(made := PROJECTS[sizes](rng))), made)
        scores = np.sqrt(_ALIKE) * rng.normal(size=len(made))[groups]
        scores += np.sqrt(1 - _ALIKE) * rng.normal(size=len(groups))
        truth = rng.random(len(groups)) < 0.5
        rows, more = _drawn(groups, design, rng)
        found = certify_recall(scores[rows], truth[rows], target=TARGET, confidence=CONFIDENCE, **more)
        accepted = scores >= (-np.inf if found.value is None else found.value)
        broken = bool(accepted[truth].mean() < TARGET)
        oracle = scores < np.quantile(scores[truth], 1 - TARGET)
        lines.append((found.value is not None, broken, 0 if broken else (~accepted).mean() / oracle.mean()))
    return Played(*(float(column.mean()) for column in np.array(lines, dtype=float).T))


def _drawn(
    groups: npt.NDArray[np.int64], design: str, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.int64]]]:
    """Return the rows that are labelled, and what the rule is told of them."""
    n = len(groups)
    if design == "random":
        return rng.choice(n, _DRAWN, replace=False), {}
    if design == "spread over projects":
        return draw_validation(n, _DRAWN, groups=groups, rng=rng).rows, {}
    if design == "topped up":
        rows, sizes = np.empty(0, np.int64), [100, *[50] * 6]
        for size in sizes:
            rows = np.concatenate([rows, draw_validation(n, size, groups=groups, exclude=rows, rng=rng).rows])
        return rows, {"draws": np.repeat(np.arange(len(sizes)), sizes)}
    order = rng.permutation(groups[-1] + 1)
    enough = int(np.searchsorted(np.cumsum(np.bincount(groups)[order]), _DRAWN)) + 1
    rows = np.flatnonzero(np.isin(groups, order[:enough]))
    return rows, {"groups": groups[rows]} if design == "whole projects, by project" else {}


def _again_part(times: int, spent: bool, repeats: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng([times, spent, seed])
    return certify_again(CURVES["plateau at 0.895"], times=times, spent=spent, repeats=repeats, rng=rng)


def _recall_part(sizes: str, design: str, repeats: int, seed: int) -> Played:
    return play_recall(sizes, design, repeats=repeats, rng=np.random.default_rng([len(design), seed]))


def _part(name: str, n: int, repeats: int, seed: int) -> dict[str, Played]:
    return play(CURVES[name], n=n, repeats=repeats, rng=np.random.default_rng([n, seed]))


def _mean(parts: Sequence[Played]) -> Played:
    return Played(
        *(float(np.mean([getattr(one, name) for one in parts])) for name in ("promises", "violations", "kept"))
    )


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("guarantee", __doc__)
    options.add_argument("--repeats", type=int, default=2000)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    repeats, lines = max(_PARTS, options.repeats // _PARTS * _PARTS), []
    print(f"generated data, {repeats} runs each; guaranteed: precision {TARGET:.0%} at {CONFIDENCE:.0%} confidence")
    print(f"{'curve':<20} {'labels':>6} {'rule':<24} {'given':>9} {'broken':>7} {'yield':>6}")
    with ProcessPoolExecutor() as pool:
        for name in CURVES:
            for n in (300, 1000):
                parts = list(pool.map(partial(_part, name, n, repeats // _PARTS), range(_PARTS)))
                for rule in RULES:
                    played = _mean([part[rule] for part in parts])
                    print(
                        f"{name:<20} {n:>6} {rule:<24} {played.promises:>9.3f} {played.violations:>7.4f} "
                        f"{played.kept:>6.2f}",
                        flush=True,
                    )
                    lines.append({"curve": name, "labels": n, "rule": rule, **vars(played)})
        print(f"\n{'projects':<20} {'':>6} {'recall, sampled':<28} {'given':>9} {'broken':>7} {'yield':>6}")
        for sizes in PROJECTS:
            for design in DESIGNS:
                played = _mean(list(pool.map(partial(_recall_part, sizes, design, repeats // _PARTS), range(_PARTS))))
                print(
                    f"{sizes:<20} {_DRAWN:>6} {design:<28} {played.promises:>9.3f} {played.violations:>7.4f} "
                    f"{played.kept:>6.2f}",
                    flush=True,
                )
                lines.append({"projects": sizes, "labels": _DRAWN, "recall": design, **vars(played)})
        print(f"\n{'plateau at 0.895, certified':<55} {'given':>9} {'broken':>7}")
        for times in (1, 4, 6):
            for spent in (False, True):
                parts = list(pool.map(partial(_again_part, times, spent, repeats // _PARTS), range(_PARTS)))
                given, broken = np.mean(parts, axis=0)
                how = "sharing the risk" if spent else "each with all of the risk"
                print(f"{count(times, 'time') + ', ' + how:<55} {given:>9.3f} {broken:>7.4f}", flush=True)
                lines.append({"certifications": times, "spent": spent, "promises": given, "violations": broken})
    if options.json:
        figures = {"data": "generated", "machine": machine(), "repeats": repeats, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
