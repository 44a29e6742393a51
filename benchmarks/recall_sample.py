"""What 200 labels tell of the positives that are missed below a threshold, on generated collections.

Three samples are compared: a random one of the whole collection, as a top-up of the validation sample is
("everywhere"); a random one of the images below the threshold ("below"); and one that asks there where positives are in
doubt, unless they are rare (``bam_engine/learning/recall_sample.py``, "in doubt").

The shapes are those of ``coverage``. The threshold accepts as many images as there are positives; the probabilities are
the classifier's scores, calibrated on 200 random labels as in the app. "covered" should be 0.93 or more in every line;
"width" is the mean width of the interval as a fraction of all positives; "parted" are the runs in which the sample has
parts; "gain" is about how many times as many labels everywhere give the same width.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bam_engine.errors import LearningError
from bam_engine.learning import calibrate, probability
from bam_engine.learning.recall_sample import RecallSample, draw_recall_sample, missed_positives
from benchmarks.coverage import IMAGES, SHAPES, Shape, make_world
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
    if options.json:
        figures = {"data": "generated", "machine": machine(), "repeats": options.repeats, "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
