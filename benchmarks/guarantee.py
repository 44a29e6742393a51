"""How often a threshold rule breaks the precision it promises, on generated curves whose truth is known.

    python -m benchmarks.guarantee [--repeats 2000] [--json FILE]

Each run draws a validation set of a collection, lets each rule choose a threshold for precision 0.90 at 95 % from its
labels, and looks up the true precision there. "kept" is how much of what an oracle would accept the rule accepts, 0
when it promises nothing or breaks its promise.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from bam_engine.errors import NoThreshold
from bam_engine.learning import choose_threshold, lower_bound
from benchmarks.machine import machine

TARGET, CONFIDENCE = 0.90, 0.95
_POOL = 20_000

Array = npt.NDArray[np.float64]


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


def _naive(scores: Array, labels: npt.NDArray[np.bool_], _pool: Array) -> float | None:
    return _lowest(scores, labels, lambda k, n: k / n)


def _per_threshold(scores: Array, labels: npt.NDArray[np.bool_], _pool: Array) -> float | None:
    return _lowest(scores, labels, lambda k, n: lower_bound(k, n, CONFIDENCE))


def _lowest(scores: Array, labels: npt.NDArray[np.bool_], shown: Callable[[Array, Array], Array]) -> float | None:
    order = np.argsort(-scores)
    kept = np.flatnonzero(shown(np.cumsum(labels[order]), np.arange(1, len(order) + 1)) >= TARGET)
    return float(scores[order[kept[-1]]]) if len(kept) else None


def _ours(scores: Array, labels: npt.NDArray[np.bool_], pool: Array | None) -> float | None:
    if labels.all() or not labels.any():
        return None
    try:
        found = choose_threshold(scores, labels, target=TARGET, confidence=CONFIDENCE, pool_scores=pool)
    except NoThreshold:
        return None
    return found.value if found.certified else None


RULES = MappingProxyType(
    {
        "naive": _naive,
        "exact per threshold": _per_threshold,
        "fixed sequence": _ours,
        "fixed sequence, no pool": lambda scores, labels, _pool: _ours(scores, labels, None),
    }
)


def play(
    curve: Curve, *, n: int, repeats: int, rng: np.random.Generator, rules: Sequence[str] = tuple(RULES)
) -> dict[str, Played]:
    """Let each rule choose on the same ``repeats`` validation sets of ``n`` images."""
    pool = 1 - (np.arange(_POOL) + 0.5) / _POOL  # the score is one minus the rank
    accepted = {rule: np.zeros(repeats) for rule in rules}
    for run in range(repeats):
        scores = rng.choice(pool, size=n, replace=False)
        labels = rng.random(n) < curve.positive(1 - scores)
        for rule in rules:
            cut = RULES[rule](scores, labels, pool)
            accepted[rule][run] = 0.0 if cut is None else float((pool >= cut).mean())
    return {rule: _summary(share, curve) for rule, share in accepted.items()}


def _summary(share: Array, curve: Curve) -> Played:
    promised = share > 0
    broken = promised & (curve.precision(share) < TARGET - 1e-9)
    kept = np.where(broken, 0, share) / curve.best if curve.best else np.zeros(1)
    return Played(float(promised.mean()), float(broken.mean()), float(kept.mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    repeats, lines = options.repeats, []
    print(f"generated data, {repeats} runs each; promised: precision {TARGET:.2f} at {CONFIDENCE:.0%}")
    print(f"{'curve':<20} {'labels':>6} {'rule':<24} {'promises':>9} {'broken':>7} {'kept':>6}")
    for name, curve in CURVES.items():
        for n in (300, 1000):
            for rule, seen in play(curve, n=n, repeats=repeats, rng=np.random.default_rng(0)).items():
                print(f"{name:<20} {n:>6} {rule:<24} {seen.promises:>9.3f} {seen.violations:>7.3f} {seen.kept:>6.2f}")
                lines.append({"curve": name, "labels": n, "rule": rule, **vars(seen)})
    if options.json:
        figures = {"data": "generated", "machine": machine(), "repeats": repeats, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
