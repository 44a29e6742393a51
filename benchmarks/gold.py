"""After how many images gold tells who does not look, how often it wrongs who does, and how many answers it costs.

Each run has the 50 simulated annotators of ``flags``: careful (95% right), ordinary (88%), hasty (80%), always yes,
always no and at random; 14, 14, 10, 4, 4 and 4 of them. Gold is mixed in by the standard schedule, yes and no equally
often. Somebody "falls below" an accuracy as by the rule that pauses people: with 20 answers to gold or more, the limit
of their share of right answers that holds at all numbers of answers together, at 95%, is less than it. It is looked at
after every answer to gold, and whoever has fallen below once counts as fallen. Shares are of people over all runs, with
exact 95% intervals.
"""

import argparse
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation.mixing import Schedule
from bam_engine.labelling.pausing import CONFIDENCE, PauseRule
from bam_engine.learning import upper_bound_at_any_time
from benchmarks.flags import KINDS, SPAM, share
from benchmarks.machine import machine
from benchmarks.options import benchmark_parser

LEAST = PauseRule().after
"""Answers to gold before anybody can fall below."""


def fallen_at(
    yes: Sequence[float], images: int, runs: int, least: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return after how many images each of ``runs`` people falls below ``least``, and their gold up to each image.

    Parameters
    ----------
    yes
        How often they say yes to an image that is yes, and to one that is no.

    Returns
    -------
    fallen : (runs,) int64
        ``images`` + 1 for whoever never does.
    gold : (runs, images) int64
        How many of the images so far were gold.
    """
    shares = np.array([Schedule().share(place) for place in range(images)])
    is_gold = rng.random((runs, images)) < shares
    truth = rng.random((runs, images)) < 0.5
    right = (rng.random((runs, images)) < np.where(truth, *yes)) == truth
    answered, hits = is_gold.cumsum(axis=1), (is_gold & right).cumsum(axis=1)
    numbers = np.arange(1, answered.max() + 1)[:, None]
    table = upper_bound_at_any_time(np.minimum(np.arange(answered.max() + 1), numbers), numbers, CONFIDENCE)
    upper = table[np.maximum(answered, 1) - 1, hits]
    below = (answered >= LEAST) & (upper < least)
    fallen = np.where(below.any(axis=1), below.argmax(axis=1) + 1, images + 1)
    return fallen.astype(np.int64), answered.astype(np.int64)


def measure(images: Sequence[int], runs: int, least: float, rng: np.random.Generator) -> list[dict[str, float]]:
    """Return, after each number of images, how many people have fallen below, by kind, and the mean gold of each."""
    longest = max(images)
    found = {kind: fallen_at(rates[:2], longest, runs * rates[2], least, rng) for kind, rates in KINDS.items()}
    gold = np.concatenate([answered for _, answered in found.values()])
    return [
        {
            "images": each,
            "gold": float(gold[:, each - 1].mean()),
            **{kind: int((fallen <= each).sum()) for kind, (fallen, _) in found.items()},
            **{f"{kind} people": len(fallen) for kind, (fallen, _) in found.items()},
        }
        for each in images
    ]


def parser() -> argparse.ArgumentParser:
    """Return the options of this benchmark."""
    options = benchmark_parser("gold", __doc__)
    options.add_argument("--images", nargs="+", type=int, default=[34, 68, 136, 272, 544], help="of each annotator")
    options.add_argument("--accuracy", nargs="+", type=float, default=[0.7, 0.8], help="below which somebody falls")
    options.add_argument("--runs", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    rng, lines = np.random.default_rng(options.seed), []
    print(f"generated answers, {options.runs} runs of 50 annotators each, 95% intervals; {machine()}")
    for least in options.accuracy:
        print(f"\nfallen below {least:.0%}")
        print(f"{'images':>6} {'gold':>6}  {'do not look':<22} {'hasty':<22} careful and ordinary")
        for line in measure(options.images, options.runs, least, rng):
            groups = [SPAM, ("hasty",), ("careful", "ordinary")]
            shares = [
                share(sum(int(line[kind]) for kind in each), sum(int(line[f"{kind} people"]) for kind in each))
                for each in groups
            ]
            print(f"{line['images']:>6} {line['gold']:>6.1f}  " + " ".join(f"{one:<22}" for one in shares), flush=True)
            lines.append({"accuracy": least, **line})
    if options.json:
        figures = {"data": "generated", "machine": machine(), "lines": lines}
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
