"""How far precision and recall are off where answers are wrong, and how often the corrected ones hold the truth.

Each run makes a collection of 10,000 images as ``coverage`` does: 200 random images are labelled, a round asks one
person about 200 that score highest or near the class boundary, and the threshold for a precision of 90% is chosen by
these labels. Everybody misses a fraction of the positive images and says yes to a fraction of the others, independently
of each other. The random images are judged by one person, or by two, and by others until these are settled. "certified"
judges 300 more in a certification.

Compared with the truth are the intervals of what is delivered: as they are stated, which take every label for right,
and corrected for wrong answers (:func:`bam_engine.learning.correct_for_errors`), where two judge. "off" is the median
of the estimate less the truth, "covered" how often the interval holds the truth, "width" its mean width.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from bam_engine.annotation.consensus import CONTESTED_LEAD
from bam_engine.demo.simulated_annotators import MAX_VOTES
from bam_engine.learning import correct_for_errors, delivered_precision, precision_recall
from bam_engine.training.error_correction import GivenAnswers, answered_images, two_sides
from benchmarks.coverage import IMAGES, SHAPES, Labels, Shape, chosen_cut, evidence, labelled, make_world
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

_PARTS = 8  # the runs are shared out, always alike

Compared = tuple[float, bool, float]
"""How far an estimate is off, whether its interval holds the truth, and how wide that is."""


class Line(NamedTuple):
    """What is estimated, its true value, the estimate and its limits."""

    what: str
    truth: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Errors:
    """How often a person does not say yes to a positive image, and says it to another one."""

    missed: float
    false: float


ERRORS = MappingProxyType(
    {
        "none": Errors(0, 0),
        "2%": Errors(0.02, 0.02),
        "5%": Errors(0.05, 0.05),
        "10%": Errors(0.10, 0.10),
        "15% missed, 2% false": Errors(0.15, 0.02),
        "2% missed, 10% false": Errors(0.02, 0.10),
    }
)
COLLECTIONS = MappingProxyType(
    {**{name: SHAPES[name] for name in ("36% positive", "10% positive", "3% positive")}, "1%": Shape(0.01, apart=3.5)}
)


def says(truth: Labels, errors: Errors, rng: np.random.Generator) -> Labels:
    """Return whether one person says yes to each image."""
    draws = rng.random(len(truth))
    return np.where(truth, draws >= errors.missed, draws < errors.false)


def judged(truth: Labels, errors: Errors, judges: int, rng: np.random.Generator) -> tuple[GivenAnswers, Labels]:
    """Return the answers of one or two people to all images, and of others until these settle, and which are yes."""
    yes, answers, settled = np.zeros(len(truth), np.int64), np.zeros(len(truth), np.int64), np.zeros(len(truth), bool)
    for _ in range(MAX_VOTES):
        asked = ~settled
        yes, answers = yes + (says(truth, errors, rng) & asked), answers + asked
        no = answers - yes
        positive = (yes >= judges) & (yes - no >= np.where(no > 0, CONTESTED_LEAD, 1))
        settled = positive | ((no >= judges) & (no > yes))
    return GivenAnswers(yes, answers), positive


def play(shape: Shape, errors: Errors, judges: int, stage: str, rng: np.random.Generator) -> Iterator[Line]:
    """Yield each estimate beside the truth."""
    world = make_world(shape, rng)
    given, positive = judged(world.truth, errors, judges, rng)
    known = labelled(replace(world, truth=positive), stage, rng)
    taught = says(world.truth, errors, rng)
    given.yes[known.round], given.answers[known.round] = taught[known.round], 1
    positive[known.round] = taught[known.round]
    seen = replace(world, truth=positive)
    cut = chosen_cut(seen, known)
    if cut is None:
        return
    found = evidence(seen, known)
    curve = precision_recall(
        world.scores[found.rows],
        seen.truth[found.rows],
        cuts=[cut],
        weights=found.weights,
        groups=world.groups[found.rows],
        pool_scores=world.scores[found.pool],
        random=found.random,
        known=(world.scores[found.known], seen.truth[found.known]),
        strata=found.strata,
    )
    labels = np.full(IMAGES, -1, np.int8)
    labels[known.all] = seen.truth[known.all]
    delivered = np.where(labels >= 0, labels == 1, world.scores >= cut)
    stated = np.stack([curve.precision, curve.precision_low, curve.precision_high])
    stated = delivered_precision(stated, curve.cuts, found.random)[:, 0]
    precision, recall = float(world.truth[delivered].mean()), float(delivered[world.truth].mean())
    yield Line("stated precision", precision, *stated.tolist())
    yield Line(
        "stated recall", recall, *(float(each[0]) for each in (curve.recall, curve.recall_low, curve.recall_high))
    )
    if judges > 1:
        above, answered = world.scores >= cut, labels >= 0
        samples = two_sides(above, answered, found)
        judging = np.isin(np.arange(IMAGES), known.held_out)
        images = answered_images(above, answered, delivered, given, samples, judging=judging, projects=world.groups)
        corrected = correct_for_errors(images)
        yield Line("corrected precision", precision, *corrected.precision)
        yield Line("corrected recall", recall, *corrected.recall)
        yield Line("sensitivity", 1 - errors.missed, *corrected.sensitivity)
        yield Line("specificity", 1 - errors.false, *corrected.specificity)


def _part(collection: str, errors: str, judges: int, stage: str, repeats: int, seed: int) -> dict[str, list[Compared]]:
    rng = np.random.default_rng([list(COLLECTIONS).index(collection), list(ERRORS).index(errors), judges, seed])
    results = defaultdict(list)
    for _ in range(repeats):
        for line in play(COLLECTIONS[collection], ERRORS[errors], judges, stage, rng):
            held = line.low - 1e-9 <= line.truth <= line.high + 1e-9
            results[line.what].append((line.value - line.truth, held, line.high - line.low))
    return dict(results)


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("answer_errors", __doc__)
    options.add_argument("--repeats", type=int, default=200)
    options.add_argument(
        "--collections", nargs="+", choices=list(COLLECTIONS), default=list(COLLECTIONS), metavar="NAME"
    )
    options.add_argument("--errors", nargs="+", choices=list(ERRORS), default=list(ERRORS), metavar="NAME")
    options.add_argument("--judges", nargs="+", type=int, choices=[1, 2], default=[1, 2])
    options.add_argument("--stages", nargs="+", choices=["first draw", "certified"], default=["first draw"])
    options.add_argument("--processes", type=int, help="at once; none: as many as there are processors")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    each, lines = max(1, options.repeats // _PARTS), []
    print(f"generated data, {each * _PARTS} runs each, 95% intervals; {machine()}")
    print(f"{'collection':<14} {'errors':<21} judges {'labels':<11} {'interval':<20} {'off':>6} covered  width  runs")
    with ProcessPoolExecutor(options.processes) as pool:
        for case in product(options.collections, options.errors, options.judges, options.stages):
            parts = list(pool.map(partial(_part, *case, each), range(_PARTS)))
            for what in dict.fromkeys(what for part in parts for what in part):
                off, held, width = np.array([one for part in parts for one in part.get(what, [])], dtype=float).T
                found = {"off": float(np.median(off)), "covered": float(held.mean()), "width": float(width.mean())}
                name, errors, judges, stage = case
                line = f"{name:<14} {errors:<21} {judges:>6} {stage:<11} {what:<20}"
                numbers = f"{found['off']:>+6.3f} {found['covered']:>7.3f} {found['width']:>6.2f} {len(off):>5}"
                print(f"{line} {numbers}", flush=True)
                about = {"collection": name, "errors": errors, "judges": judges, "labels": stage, "interval": what}
                lines.append({**about, **found, "runs": len(off)})
    if options.json:
        figures = {"data": "generated", "machine": machine(), "repeats": each * _PARTS, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
