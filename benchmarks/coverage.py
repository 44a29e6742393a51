"""How often the intervals on the pages contain the true value, on generated collections whose truth is known.

Each run makes a collection of 10,000 images, with scores of two models and with projects, and uses it as the app is
used: a random validation sample of 200 is labelled; a round asks about 200 images that score highest or near the class
boundary; the threshold for a precision of 90% is chosen; an audit of 100 and 100 images is drawn. "topped up" draws 201
more validation images after the round; "certified" then certifies the precision with 300 more labels; "grown" draws and
asks among the first half of the images alone, and all that come later are negatives. Shapes differ in
the fraction of positives, in how many of them the model cannot see (they score like negatives), and in projects, whose
images score and are labelled alike.

Agreement has a table of its own: 200 images answered by two of three people who err in 3 to 12% of the images, by the
third where the two do not agree.

"covered" should be 0.93 or more in every line, and "between" are the exact 95% limits of it: 1,000 runs tell 0.93 from
0.95. "width" is the mean width of the interval, "runs" the number of runs in which there was one. The code of the app
decides which labels stand for which images (:func:`bam_engine.training.evidence.select_evidence`).
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from bam_engine.annotation import Answers, Attribute
from bam_engine.annotation.agreement import planned_answers
from bam_engine.audit import draw_audit, estimate_missed, estimate_precision
from bam_engine.errors import LearningError
from bam_engine.labelling.agreement import measure_answers
from bam_engine.learning import (
    CertificationPlan,
    average_precision,
    average_precision_limits,
    certify_precision,
    choose_threshold,
    clopper_pearson,
    draw_validation,
    inclusion_probabilities,
    measure_change,
    pilot_inclusion_probabilities,
    pilot_ranks,
    plan_cuts,
    precision_recall,
)
from bam_engine.training.evidence import Certified, Draw, Selection, select_evidence
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

TARGET, CONFIDENCE = 0.90, 0.95
IMAGES, VALIDATION, TOP_UP, ROUND, CERTIFICATION, AUDIT = 10_000, 200, 201, 200, 300, 100  # the larger draw counts
STAGES = ("first draw", "topped up", "certified", "grown")
_PARTS = 8  # the runs are shared out, always alike

Scores = npt.NDArray[np.float32]
Labels = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

Line = tuple[str, float, float, float]
"""What is estimated, its true value, and the interval."""


@dataclass(frozen=True)
class Shape:
    """A kind of collection: the fraction of positives, how far their scores lie above the negatives' in standard
    deviations, how many of them score like negatives, and how many images a project has."""

    positive: float
    apart: float = 3.0
    hidden: float = 0.0
    project: int = 1


SHAPES = MappingProxyType(
    {
        "36% positive": Shape(0.36, apart=2.5),
        "10% positive": Shape(0.10),
        "10% in projects of ten": Shape(0.10, project=10),
        "10%, hard to tell": Shape(0.10, apart=1.5),
        "10%, of which 15% hidden": Shape(0.10, hidden=0.15),
        "3% positive": Shape(0.03),
        "3%, of which 15% hidden": Shape(0.03, hidden=0.15),
        "0.7% positive": Shape(0.007, apart=4.0),
    }
)


@dataclass(frozen=True)
class World:
    """A collection, each array (N,): truth, projects, and the scores of the model in use and of the one before."""

    truth: Labels
    groups: Rows
    scores: Scores
    before: Scores


@dataclass(frozen=True)
class Known:
    """Rows that people have labelled: the random draws, the round, the certification.

    The draws were from the first ``images``; before a second one the round was asked about. After a certification,
    ``weights`` are (N,) inverse inclusion probabilities of held-out rows, ``asking`` those with which it asked about
    each image, and ``cut`` is what it certified.
    """

    draws: tuple[Rows, ...]
    round: Rows
    certified: Rows
    images: int = IMAGES
    weights: npt.NDArray[np.float64] | None = None
    asking: npt.NDArray[np.float64] | None = None
    cut: float | None = None

    @property
    def random(self) -> Rows:
        return np.concatenate(self.draws)

    @property
    def asked(self) -> Rows:
        """What people had been asked about before the last draw, apart from the draws."""
        return self.round if len(self.draws) > 1 else self.round[:0]

    @property
    def held_out(self) -> Rows:
        return np.union1d(self.random, self.certified)

    @property
    def all(self) -> Rows:
        return np.union1d(self.held_out, self.round)


def make_world(shape: Shape, rng: np.random.Generator) -> World:
    """Return a collection of a shape."""
    groups = np.arange(IMAGES) // shape.project
    many = shape.project > 1
    truth = rng.random(groups[-1] + 1)[groups] < shape.positive
    if many:  # one image in ten differs from the rest of its project
        truth = np.where(rng.random(IMAGES) < 0.1, rng.random(IMAGES) < shape.positive, truth)
    seen = truth & (rng.random(IMAGES) >= shape.hidden)
    alike = np.sqrt(0.5) if many else 0.0
    noise = alike * rng.normal(size=groups[-1] + 1)[groups] + np.sqrt(1 - alike**2) * rng.normal(size=IMAGES)
    scores = shape.apart * seen + noise
    before = 0.8 * shape.apart * seen + 0.9 * noise + 0.5 * rng.normal(size=IMAGES)
    return World(truth, groups, scores.astype(np.float32), before.astype(np.float32))


def labelled(world: World, stage: str, rng: np.random.Generator) -> Known:
    """Label a collection as the app does, up to a stage."""
    images = IMAGES // 2 if stage == "grown" else IMAGES
    random = draw_validation(images, VALIDATION, groups=world.groups[:images], rng=rng).rows
    free = np.setdiff1d(np.flatnonzero(~np.isin(world.groups, world.groups[random])), random)
    free = free[free < images]
    if len(free) < images / 2:
        free = np.setdiff1d(np.arange(images), random)
    boundary = np.quantile(world.scores[:images], 1 - max(2 * world.truth[:images].mean(), 0.01))
    by_score, near = np.argsort(-world.scores[free]), np.argsort(np.abs(world.scores[free] - boundary))
    asked = free[np.unique(np.concatenate([by_score[: ROUND // 2], near[: ROUND // 2]]))]
    known = Known((random,), asked, asked[:0], images)
    if stage == "topped up":
        more = draw_validation(IMAGES, TOP_UP, groups=world.groups, exclude=known.all, rng=rng).rows
        return replace(known, draws=(random, more))
    return certified(world, known, rng) if stage == "certified" else known


def certified(world: World, known: Known, rng: np.random.Generator) -> Known:
    """Spend the labels of a certification."""
    free = np.setdiff1d(np.arange(IMAGES), known.all)
    free = free[np.argsort(-world.scores[free], kind="stable")]
    pilot = free[pilot_ranks(len(free), rng=rng)]
    rest = np.setdiff1d(free, pilot)
    scores, truth, order = world.scores[rest], world.truth[rest], rng.random(len(rest))
    first = np.concatenate([pilot, known.random])
    cuts = plan_cuts(scores, world.scores[first], world.truth[first], target=TARGET, rng=rng)
    budget = CERTIFICATION - len(pilot)
    plan, labels = CertificationPlan(tuple(cuts), TARGET, CONFIDENCE, CERTIFICATION), np.full(len(rest), -1, np.int8)
    now = certify_precision(plan, scores, order, labels)
    while budget > 0 and len(now.to_label):
        batch = now.to_label[:budget]
        budget -= len(batch)
        labels[batch] = truth[batch]
        now = certify_precision(plan, scores, order, labels, n_passed=now.n_passed)
    ranks = np.searchsorted(-world.scores[free], -world.scores)
    later = inclusion_probabilities(scores, scores[labels >= 0], world.scores, cuts=cuts)
    not_asked = (1 - pilot_inclusion_probabilities(ranks, len(free))) * (1 - later)
    queried = np.concatenate([pilot, rest[labels >= 0]])
    weights = 1 / np.maximum(1 - not_asked * (1 - VALIDATION / IMAGES), 1e-9)
    return replace(known, certified=queried, weights=weights, asking=1 - not_asked, cut=now.certified)


def chosen_cut(world: World, known: Known) -> float | None:
    """Return the threshold that the app would suggest, or None."""
    if known.cut is not None:
        return known.cut
    sample = known.random
    try:
        found = choose_threshold(
            world.scores[sample],
            world.truth[sample],
            target=TARGET,
            groups=world.groups[sample],
            pool_scores=world.scores[: known.images],
            testing=np.arange(len(sample)) < VALIDATION,
        )
    except LearningError:
        return None
    return found.value


def evidence(world: World, known: Known) -> Selection:
    """Return which labels stand for which images, as the app chooses them."""
    labels = np.full(IMAGES, -1, np.int8)
    labels[known.all] = world.truth[known.all]
    first, *later = known.draws
    draws = [Draw(first, first[:0], known.images), *(Draw(rows, known.round, known.images) for rows in later)]
    asking, started = known.asking, None
    if asking is not None:
        before = np.union1d(known.random, known.round)
        started = Certified(known.certified, before, IMAGES, lambda rows: asking[rows])
    return select_evidence(world.scores, labels, draws, started)


def estimates(world: World, known: Known, stage: str, rng: np.random.Generator) -> Iterator[Line]:
    """Yield each interval of the Rounds, Threshold and Audit pages beside its truth."""
    scores, truth, groups = world.scores, world.truth, world.groups
    places, random = known.held_out, known.random
    weights = None if known.weights is None else known.weights[places]
    positive = float(np.quantile(scores[truth], 0.5)), float(np.quantile(scores, 1 - truth.mean()))
    chosen = chosen_cut(world, known)
    cuts = {"at half the positives": positive[0], "at as many as positives": positive[1]}
    if chosen is not None:
        cuts["at the threshold"] = chosen
    found, inside = evidence(world, known), np.arange(IMAGES) < known.images
    for name, cut in cuts.items():
        curve = precision_recall(
            scores[found.rows],
            truth[found.rows],
            cuts=[cut],
            weights=found.weights,
            groups=groups[found.rows],
            pool_scores=scores[found.pool],
            random=found.random,
            known=(scores[found.known], truth[found.known]),
            strata=found.strata,
        )
        accepted = inside & (scores >= cut)
        delivered = accepted | (np.isin(np.arange(IMAGES), known.all) & truth)
        yield f"precision {name}", float(truth[accepted].mean()), curve.precision_low[0], curve.precision_high[0]
        yield f"recall {name}", float(delivered[truth & inside].mean()), curve.recall_low[0], curve.recall_high[0]
    if stage == "grown":
        return
    if truth[places].any():
        limits = average_precision_limits(
            scores[places],
            truth[places],
            groups=groups[places],
            weights=weights,
            random=np.isin(places, random),
            rng=rng,
        )
        about = np.ones(IMAGES, bool)
        about[known.round if stage == "certified" else known.asked] = False  # as the Threshold page says
        yield "average precision", average_precision(scores[about], truth[about]), limits.low, limits.high
    if truth[random].any():
        change = measure_change(
            world.before[random],
            scores[random],
            truth[random],
            groups=groups[random],
            decided_before=world.before > 1,
            decided_after=scores > 1,
            rng=rng,
        )
        gain = average_precision(scores, truth) - average_precision(world.before, truth)
        yield "gain of a round", gain, change.low, change.high
    if chosen is not None:
        yield from audited(world, known, chosen, rng)


def audited(world: World, known: Known, cut: float, rng: np.random.Generator) -> Iterator[Line]:
    """Yield what an audit of a threshold shows."""
    free = np.ones(IMAGES, bool)
    free[known.all] = False
    accepted = world.scores >= cut
    if not (free & accepted).any():
        return
    sample = draw_audit(
        world.scores, cut, groups=world.groups, exclude=known.all, n_accepted=AUDIT, n_rejected=AUDIT, rng=rng
    )
    labels, groups = world.truth[sample.rows].astype(np.int8), world.groups[sample.rows]
    for name, half, side, estimate in (
        ("audited precision", sample.accepted, accepted, estimate_precision),
        ("missed positives of an audit", ~sample.accepted, ~accepted, estimate_missed),
    ):
        found = estimate(labels[half], groups=groups[half])
        yield name, float(world.truth[free & side].mean()), found.low, found.high


def agreed(positive: float, rng: np.random.Generator) -> Iterator[Line]:
    """Yield the agreement of three people of whom two are asked about each image, and the third to settle it."""
    right = np.array([[0.95, 0.88, 0.92], [0.97, 0.99, 0.98]])  # of each person, on positive and on negative images
    truth = rng.random(VALIDATION) < positive
    says = np.where(truth[:, None], rng.random((VALIDATION, 3)) < right[0], rng.random((VALIDATION, 3)) >= right[1])
    asked = np.argsort(rng.random((VALIDATION, 3)), axis=1)
    in_turn = np.take_along_axis(says, asked, axis=1)
    given = np.stack([np.full(VALIDATION, True)] * 2 + [in_turn[:, 0] != in_turn[:, 1]], axis=1)
    rows, turns = np.nonzero(given)
    people = asked[rows, turns]
    order = np.lexsort((people, rows))
    answers = Answers(rows[order], people[order], in_turn[rows, turns][order].astype(np.int8))
    planned = planned_answers(answers, turns[order], np.full(len(order), 2))
    names, attribute = {0: "one", 1: "two", 2: "three"}, Attribute(1, "generated", "content", "Is it?", "")
    found = measure_answers(attribute, answers, planned, np.arange(VALIDATION), names, seed=int(rng.integers(2**31)))
    yes = np.array([1 - right[1], right[0]])  # (class, person)
    share = np.array([1 - positive, positive])
    pairs = [(0, 1), (0, 2), (1, 2)]
    same = {(i, j): float(share @ (yes[:, i] * yes[:, j] + (1 - yes[:, i]) * (1 - yes[:, j]))) for i, j in pairs}
    rates = share @ yes
    raw, mean = float(np.mean(list(same.values()))), float(rates.mean())
    truths = {
        "raw agreement": (raw, found.raw),
        "Krippendorff's alpha": (1 - (1 - raw) / (2 * mean * (1 - mean)), found.alpha),
        "probably positive": (positive, found.prevalence),
    }
    for pair in found.pairs:
        i, j = sorted(who for who, name in names.items() if name in (pair.first, pair.second))
        by_chance = rates[i] * rates[j] + (1 - rates[i]) * (1 - rates[j])
        truths[f"Cohen's kappa {i}{j}"] = (float((same[i, j] - by_chance) / (1 - by_chance)), pair.kappa)
    for line in found.annotators:
        who = next(key for key, name in names.items() if name == line.name)
        truths[f"sensitivity {who}"] = (float(right[0, who]), line.sensitivity)
        truths[f"specificity {who}"] = (float(right[1, who]), line.specificity)
        truths[f"says yes {who}"] = (float(rates[who]), line.positive)
    for name, (value, measure) in truths.items():
        if measure.value is not None:
            yield name.rstrip(" 012"), value, measure.low, measure.high


def run(shape: Shape, stage: str, rng: np.random.Generator) -> list[Line]:
    """Make one collection and estimate it at a stage, or the agreement about it."""
    if stage == "agreement":
        return list(agreed(shape.positive, rng))
    world = make_world(shape, rng)
    if stage == "grown":
        world = replace(world, truth=world.truth & (np.arange(IMAGES) < IMAGES // 2))
    return list(estimates(world, labelled(world, stage, rng), stage, rng))


def _part(name: str, stage: str, repeats: int, seed: int) -> dict[str, list[tuple[bool, float]]]:
    rng, results = np.random.default_rng([list(SHAPES).index(name), len(stage), seed]), defaultdict(list)
    for _ in range(repeats):
        for what, truth, low, high in run(SHAPES[name], stage, rng):
            results[what].append((bool(low - 1e-9 <= truth <= high + 1e-9), high - low))
    return dict(results)


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("coverage", __doc__)
    options.add_argument("--repeats", type=int, default=1000)
    options.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES), metavar="SHAPE")
    options.add_argument("--stages", nargs="+", choices=[*STAGES, "agreement"], default=[*STAGES, "agreement"])
    options.add_argument("--processes", type=int, help="at once; none: as many as there are processors")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    each, lines = max(1, options.repeats // _PARTS), []
    print(f"generated data, {each * _PARTS} runs each, 95% intervals; {machine()}")
    print(f"{'shape':<26} {'labels':<11} {'interval':<32} {'covered':>8} {'between':>13} {'width':>6} {'runs':>6}")
    with ProcessPoolExecutor(options.processes) as pool:
        for name in options.shapes:
            for stage in options.stages:
                parts = list(pool.map(partial(_part, name, stage, each), range(_PARTS)))
                for what in sorted({what for part in parts for what in part}):
                    results = np.array([one for part in parts for one in part.get(what, [])], dtype=float)
                    covered, width = (float(column.mean()) for column in results.T)
                    limits = clopper_pearson(results[:, 0].sum(), len(results))
                    between = f"{limits.low:.3f}–{limits.high:.3f}"
                    line = f"{name:<26} {stage:<11} {what:<32} {covered:>8.3f} {between:>13} {width:>6.2f}"
                    print(f"{line} {len(results):>6}", flush=True)
                    figures = {"covered": covered, "low": limits.low, "high": limits.high, "width": width}
                    figures["runs"] = len(results)
                    lines.append({"shape": name, "labels": stage, "interval": what, **figures})
    if options.json:
        figures = {"data": "generated", "machine": machine(), "repeats": each * _PARTS, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
