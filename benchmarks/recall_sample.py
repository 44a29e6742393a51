"""What 200 labels tell of the positives that are missed below a threshold, on generated collections.

Three samples are compared: a random one of the whole collection, as a top-up of the validation sample is
("everywhere"); a random one of the images below the threshold ("below"); and one that asks there where positives are in
doubt, unless they are rare (``bam_engine/learning/recall_sample.py``, "in doubt").

The shapes are those of ``coverage``. The threshold accepts as many images as there are positives; the probabilities are
the classifier's scores, calibrated on 200 random labels as in the app. "covered" should be 0.93 or more in every line;
"width" is the mean width of the interval as a fraction of all positives; "parted" are the runs in which the sample has
parts; "gain" is about how many times as many labels everywhere give the same width.

A second table plays the app: 60 validation images and a round of 200 are labelled, the threshold is the one that is
suggested, or accepts as many images as there are positives, and 200 images below it are labelled. "covered" says how
often the recall of what is delivered lies in the interval that the app then shows, "before" and "width" how wide it is
without these labels and with them. "grown" begins with 50 and asks about 50 more, up to 400, until the interval is at
most 0.10 wide.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning import (
    calibrate,
    delivered_precision,
    draw_below,
    precision_recall,
    probability,
    split_below,
)
from bam_engine.learning.recall_sample import RecallSample, draw_recall_sample, missed_positives
from bam_engine.training.evidence import Draw, select_evidence
from bam_engine.training.recall_evidence import BelowAndAbove, DrawnBelow
from bam_engine.training.validation import SAMPLE_SIZE
from benchmarks.coverage import IMAGES, SHAPES, Known, Rows, Shape, World, chosen_cut, labelled, make_world
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

LABELS = 200
WAYS = ("everywhere", "below", "in doubt")


@dataclass(frozen=True)
class Asked:
    """One sample: whether its interval holds the number of missed positives, its width, and whether it is parted."""

    held: bool
    width: float
    parted: bool


def play(shape: Shape, rng: np.random.Generator) -> dict[str, Asked]:
    """Ask below the threshold of a collection in either way."""
    world = make_world(shape, rng)
    below = np.flatnonzero(world.scores < np.quantile(world.scores, 1 - world.truth.mean()))
    truth, positives = world.truth[below], int(world.truth.sum())
    probabilities = _probabilities(world.scores, world.truth, below, rng)
    everywhere = np.searchsorted(below, np.intersect1d(rng.choice(IMAGES, LABELS, replace=False), below))
    samples = {
        "everywhere": _plain(everywhere, len(below)),
        "below": _plain(rng.choice(len(below), LABELS, replace=False), len(below)),
        "in doubt": draw_recall_sample(probabilities, LABELS, rng=rng),
    }
    asked = {}
    for way, sample in samples.items():
        _, low, high = missed_positives(sample, truth[sample.places])
        asked[way] = Asked(low - 1e-9 <= truth.sum() <= high + 1e-9, (high - low) / positives, not sample.plain)
    return asked


def _plain(places: npt.NDArray[np.int64], n: int) -> RecallSample:
    return RecallSample(places, np.zeros(len(places), np.int64), np.array([n]))


def _probabilities(
    scores: npt.NDArray[np.float32],
    truth: npt.NDArray[np.bool_],
    below: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Return the probability of each image below the threshold; all are alike where nothing can be calibrated."""
    sample = rng.choice(IMAGES, LABELS, replace=False)
    try:
        return probability(calibrate(scores[sample], truth[sample]), scores[below])
    except LearningError:
        return np.full(len(below), truth[sample].mean())


@dataclass(frozen=True)
class Measured:
    """The true recall, and the limits that the app shows with a sample below the threshold."""

    truth: float
    low: float
    high: float


@dataclass(frozen=True)
class Shown:
    """What the app shows without a sample below: the precision of what is delivered, and how wide the recall's is."""

    precision: tuple[float, float, float]
    width: float


def measured(world: World, known: Known, cut: float, drawn: Rows, parts: Rows, population: Rows) -> Measured:
    """Return the recall that the app shows with a sample below a threshold, beside the truth."""
    labels = np.full(IMAGES, -1, np.int8)
    labels[known.all] = world.truth[known.all]
    labels[drawn] = world.truth[drawn]
    after = _evidence(world, known, labels, cut)
    sample = DrawnBelow(population, parts, drawn, labels[drawn])
    recall = BelowAndAbove(cut, world.scores, labels, sample).recall(after.precision, 0.95)
    delivered = (labels == 1) | ((labels < 0) & (world.scores >= np.float32(cut)))
    return Measured(float(delivered[world.truth].mean()), recall[1], recall[2])


def _evidence(world: World, known: Known, labels: npt.NDArray[np.int8], cut: float) -> Shown:
    draws = [Draw(rows, rows[:0], IMAGES) for rows in known.draws]
    found = select_evidence(world.scores, labels, draws)
    curve = precision_recall(
        world.scores[found.rows],
        world.truth[found.rows],
        cuts=[cut],
        weights=found.weights,
        groups=world.groups[found.rows],
        pool_scores=world.scores[found.pool],
        random=found.random,
        known=(world.scores[found.known], world.truth[found.known]),
        strata=found.strata,
    )
    limits = np.stack([curve.precision, curve.precision_low, curve.precision_high])
    value, low, high = delivered_precision(limits, curve.cuts, found.random)[:, 0].tolist()
    return Shown((value, low, high), float(curve.recall_high[0] - curve.recall_low[0]))


def play_app(shape: Shape, rng: np.random.Generator) -> tuple[float, dict[str, Measured]]:
    """Measure the recall of a threshold as the app does, with 200 labels below it and growing.

    Returned with it is how wide the interval is without these labels.
    """
    world = make_world(shape, rng)
    known = labelled(world, "first draw", rng)
    known = replace(known, draws=(known.draws[0][:SAMPLE_SIZE],))
    chosen = chosen_cut(world, known)
    cut = float(np.quantile(world.scores, 1 - world.truth.mean())) if chosen is None else chosen
    population = np.setdiff1d(np.flatnonzero(world.scores < np.float32(cut)), known.all)
    sample = known.random
    try:
        rates = probability(calibrate(world.scores[sample], world.truth[sample]), world.scores[population])
        at = split_below(rates)
    except LearningError:
        at = None
    parts = np.zeros(len(population), np.int64) if at is None else (rates < at).astype(np.int64)
    labels = np.full(IMAGES, -1, np.int8)
    labels[known.all] = world.truth[known.all]
    before = _evidence(world, known, labels, cut).width
    drawn, found = np.zeros(len(population), bool), {}
    while True:
        drawn[draw_below(parts, drawn, 50, rng=rng)] = True
        shown = measured(world, known, cut, population[drawn], parts, population)
        if drawn.sum() >= LABELS and "200 labels" not in found:
            found["200 labels"] = shown
        if "grown" not in found and (shown.high - shown.low <= 0.10 or drawn.sum() >= 2 * LABELS):
            found["grown"] = shown
        if len(found) == 2 or drawn.all():
            return before, {"200 labels": shown, "grown": shown} | found


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("recall_sample", __doc__)
    options.add_argument("--repeats", type=int, default=1000)
    options.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES), metavar="SHAPE")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    print(f"generated data, {options.repeats} runs each, {LABELS} labels, 95% intervals; {machine()}")
    print(f"{'shape':<26} {'sample':<10} {'covered':>8} {'width':>7} {'parted':>7} {'gain':>6}")
    lines = []
    for name in options.shapes:
        rng = np.random.default_rng(list(SHAPES).index(name))
        runs = [play(SHAPES[name], rng) for _ in range(options.repeats)]
        widths = {way: float(np.mean([run[way].width for run in runs])) for way in WAYS}
        for way in WAYS:
            line = {
                "covered": float(np.mean([run[way].held for run in runs])),
                "width": widths[way],
                "parted": float(np.mean([run[way].parted for run in runs])),
                "gain": (widths["everywhere"] / widths[way]) ** 2,
            }
            cells = f"{line['covered']:>8.3f} {line['width']:>7.3f} {line['parted']:>7.2f} {line['gain']:>6.2f}"
            print(f"{name:<26} {way:<10} {cells}", flush=True)
            lines.append({"shape": name, "sample": way, **line})
    print(f"\n{'shape':<26} {'sample':<10} {'covered':>8} {'before':>7} {'width':>7}")
    for name in options.shapes:
        rng = np.random.default_rng([1, list(SHAPES).index(name)])
        played = [play_app(SHAPES[name], rng) for _ in range(options.repeats)]
        for way in ("200 labels", "grown"):
            each = [one[way] for _, one in played]
            line = {
                "covered": float(np.mean([one.low - 1e-9 <= one.truth <= one.high + 1e-9 for one in each])),
                "before": float(np.mean([before for before, _ in played])),
                "width": float(np.mean([one.high - one.low for one in each])),
            }
            print(
                f"{name:<26} {way:<10} {line['covered']:>8.3f} {line['before']:>7.3f} {line['width']:>7.3f}", flush=True
            )
            lines.append({"shape": name, "sample": way, **line})
    if options.json:
        figures = {"data": "generated", "machine": machine(), "repeats": options.repeats, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
